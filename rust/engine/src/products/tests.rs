use super::*;

fn terms(text: &str) -> Result<ProductTerms> {
    ProductTable::shipped()
        .terms(&OsiSymbol::parse(text)?)
        .cloned()
}

#[test]
fn index_weekly_and_fund_differ() {
    let spx = terms("SPX   261218C04700000").unwrap();
    assert_eq!(
        (spx.exercise, spx.settles, spx.underlying.as_str()),
        (Exercise::European, Settles::Am, "SPX")
    );
    let weekly = terms("SPXW  261218C04700000").unwrap();
    assert_eq!(
        (weekly.exercise, weekly.settles, weekly.underlying.as_str()),
        (Exercise::European, Settles::Pm, "SPX")
    );
    let fund = terms("SPY   261218C00470000").unwrap();
    assert_eq!(
        (fund.exercise, fund.settles, fund.kind),
        (Exercise::American, Settles::Pm, Kind::Etf)
    );
    assert_eq!(
        terms("OEX   261218C02700000").unwrap().exercise,
        Exercise::American
    );
    assert_eq!(
        terms("XEO   261218C02700000").unwrap().exercise,
        Exercise::European
    );
    assert!(
        ProductTable::shipped()
            .iter()
            .all(|row| row.multiplier == 100.0 && row.currency == "USD")
    );
}

#[test]
fn a_symbol_becomes_a_contract() {
    let symbol = OsiSymbol::parse("SPX   261218C04700000").unwrap();
    let contract = ProductTable::shipped().contract(&symbol).unwrap();
    assert_eq!(contract.id(), "SPX261218C04700000");
    assert_eq!(contract.terms().aliases["osi"], "SPX   261218C04700000");
    let option = contract.option().unwrap();
    assert_eq!(
        (option.strike, option.exercise),
        (4700.0, Exercise::European)
    );
    assert_eq!(option.expiry.instant.to_string(), "2026-12-18T14:30:00Z");
    let weekly = ProductTable::shipped()
        .contract(&OsiSymbol::parse("SPXW261218C04700000").unwrap())
        .unwrap();
    assert_eq!(
        weekly.expiry().unwrap().instant.to_string(),
        "2026-12-18T21:00:00Z"
    );
}

#[test]
fn what_is_not_in_the_table_is_missing() {
    for (text, word) in [
        ("AAPL  261218C00150000", "declare it"),
        ("AAPL1 261218C00150000", "adjusted"),
        ("SPX   140118C01800000", "from 2015-02-15"),
        // Indexes are told apart from stocks, their weekly roots too.
        ("MGTN  261218C00500000", "options on the index 'MGTN'"),
        ("MGTNW 261218C00500000", "options on the index 'MGTN'"),
    ] {
        let error = terms(text).unwrap_err();
        assert!(
            matches!(&error, MarginError::MissingData(m) if m.to_string().contains(word)),
            "{text}: {error}"
        );
    }
    for root in ["MGTN", "RUI", "MGTNW"] {
        let declared = ProductTable::shipped().with_equities([root]);
        assert!(declared.is_err_and(|e| e.message().contains("no equity options")));
    }
}

#[test]
fn saturdays_end_in_february_2015() {
    let equities = ProductTable::shipped().with_equities(["IBM"]).unwrap();
    let terms = |text: &str| equities.terms(&OsiSymbol::parse(text)?).cloned();
    assert!(terms("IBM   140118C00180000").is_ok());
    for text in ["IBM   150221C00180000", "SPX   261219C04700000"] {
        let error = terms(text).unwrap_err();
        assert!(error.message().contains("on a Saturday"), "{text}: {error}");
    }
    let error = terms("SPX   261219C04700000").unwrap_err();
    assert!(error.message().ends_with("here 2026-12-18"), "{error}");
}

#[test]
fn small_and_bitcoin_indexes_have_their_terms() {
    for (text, settles, underlying) in [
        ("XND   261218C00250000", Settles::Pm, "XND"),
        ("MRUT  261218C00250000", Settles::Pm, "MRUT"),
        ("CBTX  261218C02000000", Settles::Am, "CBTX"),
        ("MBTXW 261231C00200000", Settles::Pm, "MBTX"),
    ] {
        let known = terms(text).unwrap();
        assert_eq!(
            (known.exercise, known.settles, known.underlying.as_str()),
            (Exercise::European, settles, underlying),
            "{text}"
        );
    }
}

#[test]
fn equities_are_declared_and_adjusted_roots_are_given_in_full() {
    let table = ProductTable::shipped()
        .with_equities(["AAPL", "IBM"])
        .unwrap();
    let symbol = OsiSymbol::parse("IBM261218P00100000").unwrap();
    assert_eq!(table.terms(&symbol).unwrap().exercise, Exercise::American);
    assert!(matches!(
        table.with_equities(["AAPL1"]),
        Err(MarginError::InvalidInput(_))
    ));
    assert!(matches!(
        table.with_equities(["aapl"]),
        Err(MarginError::InvalidInput(_))
    ));
    let adjusted = ProductTerms {
        root: "AAPL1".into(),
        multiplier: 700.0,
        deliverable: Deliverable::parse("700 shares of AAPL").unwrap(),
        ..table
            .terms(&OsiSymbol::parse("AAPL261218P00100000").unwrap())
            .unwrap()
            .clone()
    };
    let table = table.extended([adjusted]).unwrap();
    assert_eq!(
        table
            .terms(&OsiSymbol::parse("AAPL1261218P00100000").unwrap())
            .unwrap()
            .multiplier,
        700.0
    );
}

#[test]
fn two_definitions_for_one_date_are_refused() {
    let shipped = ProductTable::shipped();
    let error = shipped.with_equities(["SPY"]).unwrap_err();
    assert!(error.message().contains("overlap"), "{error}");
    let row = |from: Option<&str>, to: Option<&str>| ProductTerms {
        from: from.map(|d| d.parse().unwrap()),
        to: to.map(|d| d.parse().unwrap()),
        ..ProductTerms::equity("ABC").unwrap()
    };
    let table = ProductTable::default()
        .extended([row(None, Some("2020-12-31")), row(Some("2021-01-01"), None)])
        .unwrap();
    assert!(
        table
            .terms(&OsiSymbol::parse("ABC210101C00001000").unwrap())
            .unwrap()
            .from
            .is_some()
    );
    assert!(
        table
            .terms(&OsiSymbol::parse("ABC201231C00001000").unwrap())
            .unwrap()
            .from
            .is_none()
    );
    assert!(
        table
            .extended([row(Some("2020-12-31"), Some("2020-12-31"))])
            .is_err()
    );
    assert!(
        table
            .extended([row(Some("2022-01-01"), Some("2021-01-01"))])
            .is_err()
    );
}

#[test]
fn a_table_that_does_not_follow_the_shape_is_a_parse_error() {
    for text in [
        "",
        "{}",
        "[]",
        r#"{"name":"x","version":"1","effective":"2020-01-01","source":"s","products":[{}]}"#,
    ] {
        assert!(
            matches!(
                ProductTable::from_json(text),
                Err(MarginError::ParseError(_))
            ),
            "{text}"
        );
    }
}
