use super::*;

pub(crate) fn option(underlying: &str, strike: f64) -> Terms {
    serde_json::from_value(serde_json::json!({
        "kind": "option", "underlying": underlying, "right": "call", "strike": strike, "expiry": "2026-12-18",
        "settles": "am", "exercise": "european", "multiplier": 100.0, "currency": "USD"
    }))
    .unwrap()
}

#[test]
fn an_id_is_derived_and_unique() {
    let a = Arc::new(Contract::new(option("SPX", 4700.0)).unwrap());
    assert_eq!(a.id(), "SPX 2026-12-18 am 4700 call");
    let error = Contracts::new(vec![a.clone(), a]).unwrap_err();
    assert!(
        error.message().contains("row 1") && error.message().contains("already row 0"),
        "{error}"
    );
}

#[test]
fn terms_are_checked() {
    for (change, word) in [
        (r#"{"strike": null}"#, "strike"),
        (r#"{"multiplier": -1.0}"#, "multiplier"),
        (r#"{"currency": ""}"#, "currency"),
        (r#"{"underlying": "SP\u00a0X"}"#, "U+00A0"),
        (r#"{"underlying": "SPX\u0000"}"#, "U+0000"),
        (r#"{"underlying": "SPX\u3164"}"#, "U+3164"),
        (r#"{"id": "S\u200bPX"}"#, "U+200B"),
        (r#"{"multiplier_unit": "coin "}"#, "multiplier_unit"),
        (r#"{"deliverable": {"shares": {"\u202eX": 1.0}}}"#, "U+202E"),
        (r#"{"deliverable": {"shares": {"ABC": 5.0}}}"#, "delivered"),
        (
            r#"{"kind": "future", "right": null, "strike": null, "exercise": null, "premium_multiplier": 1.0}"#,
            "premium_multiplier belongs to options",
        ),
        (r#"{"venue": "XC\u0000"}"#, "venue"),
        (r#"{"aliases": {"osi": "SPX\ufeff"}}"#, "alias"),
        (r#"{"aliases": {"osi ": "SPX"}}"#, "vendor"),
        (r#"{"expiry": "2026-12-18T16:00:00"}"#, "instant"),
        (r#"{"exercise": null}"#, "exercise"),
    ] {
        let mut value = serde_json::to_value(option("SPX", 4700.0)).unwrap();
        for (key, new) in serde_json::from_str::<serde_json::Map<_, _>>(change).unwrap() {
            value[key] = new;
        }
        let terms: Terms = serde_json::from_value(value).unwrap();
        let error = Contract::new(terms).unwrap_err();
        assert!(
            error.message().contains(word),
            "{error} should speak of {word}"
        );
    }
    let mut infinite = option("SPX", f64::INFINITY);
    assert!(Contract::new(infinite.clone()).is_err());
    infinite.strike = Some(-5.0);
    let negative = Arc::new(Contract::new(infinite).unwrap());
    assert!(Contracts::new(vec![negative]).is_err());
}
