use super::*;
use serde_json::json;

fn row(value: Value) -> Security {
    let mut base = json!({"symbol": "AAA", "kind": "etf", "tracks": "XXX", "leverage": 2.0, "source": "a prospectus"});
    for (key, value) in value.as_object().unwrap() {
        base[key] = value.clone();
    }
    serde_json::from_value(base).unwrap()
}

fn date(text: &str) -> Option<Date> {
    Some(text.parse().unwrap())
}

#[test]
fn the_valuation_date_picks_the_row() {
    let table = Securities::default()
        .extended([
            row(json!({"leverage": 3.0, "to": "2020-03-31"})),
            row(json!({"from": "2020-04-01"})),
        ])
        .unwrap();
    let leverage = |on| {
        table
            .facts("AAA", on)
            .map(|found| found.map(Security::leverage))
    };
    assert_eq!(leverage(date("2020-03-31")).unwrap(), Some(3.0));
    assert_eq!(leverage(date("2020-04-01")).unwrap(), Some(2.0));
    assert!(
        leverage(None)
            .unwrap_err()
            .message()
            .contains("depends on the date")
    );
    assert_eq!(
        table.facts("BBB", None).unwrap().map(Security::leverage),
        None
    );
    let later = Securities::default()
        .extended([row(json!({"from": "2025-10-31"}))])
        .unwrap();
    let error = later.facts("AAA", date("2025-10-30")).unwrap_err();
    assert!(error.message().contains("from 2025-10-31"), "{error}");
}

#[test]
fn rows_of_one_symbol_do_not_overlap_but_may_be_replaced() {
    let shipped = Securities::shipped();
    let known = row(json!({"symbol": "TNA", "leverage": 4.0}));
    let error = shipped.extended([known.clone()]).unwrap_err();
    assert!(error.message().contains("overlap"), "{error}");
    let table = shipped.replaced([known]).unwrap();
    assert_eq!(table.facts("TNA", None).unwrap().unwrap().leverage(), 4.0);
    assert_eq!(table.iter().count(), shipped.iter().count());
    assert_ne!(table.digest(), shipped.digest());
}

#[test]
fn a_row_that_says_too_little_or_too_much_is_refused() {
    for (change, word) in [
        (json!({"leverage": null}), "leverage is missing"),
        (json!({"leverage": 0.0}), "leverage is 0"),
        (json!({"tracks": null}), "of what?"),
        (json!({"kind": "stock"}), "only funds"),
        (json!({"source": " "}), "source is empty"),
        (json!({"divisor": 10.0}), "reduced-value index"),
        (
            json!({"from": "2021-01-01", "to": "2020-01-01"}),
            "lies after",
        ),
        (json!({"symbol": "A A "}), "blanks"),
    ] {
        let error = Securities::default()
            .extended([row(change.clone())])
            .unwrap_err();
        assert!(error.message().contains(word), "{change}: {error}");
    }
}

#[test]
fn a_stock_may_have_the_symbol_of_a_future() {
    let shipped = Securities::shipped();
    assert_eq!(
        shipped.future("ES", None).unwrap().map(Security::group),
        Some("SPX")
    );
    assert!(shipped.facts("ES", None).unwrap().is_none());
}

#[test]
fn what_shipped_rows_say_fits_together() {
    let shipped = Securities::shipped();
    for row in shipped.iter() {
        let name = &row.symbol;
        assert!(!row.source.is_empty() && !row.grade.is_empty(), "{name}");
        // What is tracked is not itself a fund, nor a reduced index: groups have one name.
        if let Some(tracked) = &row.tracks
            && let Some(full) = shipped.rows.get(tracked)
        {
            assert!(
                full.iter().all(|f| f.tracks.is_none() && !f.is_fund()),
                "{name} tracks {tracked}"
            );
        }
        if row.is_fund() {
            assert!(row.class.is_some(), "{name} has no class");
        }
        if row.kind == SecurityKind::Etn {
            assert!(!row.portfolio_margin, "{name} is a note");
        }
    }
    let count = shipped.iter().filter(|r| r.is_fund()).count();
    assert!(count > 300, "{count} funds and notes");
}
