//! Rules and pairings by hand.

use std::sync::Arc;

use serde_json::json;

use super::*;
use engine::account::{Account, AccountTerms, AccountView, Position};
use engine::contract::Contract;
use engine::market::Market;
use engine::preparation::Preparation;
use engine::report::MarginReport;
use engine::seam::Scratch;

fn margin(
    book: &[(Value, f64, i64)],
    spot: Value,
    document: Value,
    kind: &str,
) -> Result<MarginReport> {
    let mut positions = Vec::new();
    let mut price = serde_json::Map::new();
    for (terms, mark, quantity) in book {
        let contract = Arc::new(Contract::new(
            serde_json::from_value(terms.clone()).unwrap(),
        )?);
        price.insert(contract.id().into(), json!(mark));
        positions.push(Position::new(contract, *quantity)?);
    }
    let market: Market = Market::new(
        serde_json::from_value(
            json!({"valuation": "2026-11-20T21:00:00Z", "spot": spot, "price": price}),
        )
        .unwrap(),
    )?;
    let contracts = Contracts::new(positions.iter().map(|p| p.contract.clone()).collect())?;
    let rule = Arc::new(RegT::new(&document)?);
    let prepared = Preparation::new(rule, &contracts, Some(Arc::new(market)), 1)?.prepared;
    let terms = AccountTerms {
        kind: Some(kind.into()),
        ..AccountTerms::default()
    };
    let account = Account {
        positions,
        terms,
        gross: false,
    };
    let holdings = account.bind(&contracts)?;
    let view = AccountView {
        positions: holdings.positions(),
        terms: &account.terms,
    };
    let report = prepared.margin(view)?;
    assert!(report.adds_up());
    assert_eq!(
        prepared.requirement(view, &mut Scratch::default())?,
        report.requirement
    );
    Ok(report)
}

fn option(underlying: &str, right: &str, strike: f64, expiry: &str, exercise: &str) -> Value {
    json!({"kind": "option", "underlying": underlying, "right": right, "strike": strike, "expiry": expiry,
           "settles": "pm", "exercise": exercise, "multiplier": 100.0, "currency": "USD"})
}

fn condor() -> Vec<(Value, f64, i64)> {
    let leg = |right, strike| option("SPX", right, strike, "2026-12-18", "european");
    vec![
        (leg("put", 4200.0), 10.0, 1),
        (leg("put", 4300.0), 20.0, -1),
        (leg("call", 4700.0), 25.0, -1),
        (leg("call", 4800.0), 8.0, 1),
    ]
}

#[test]
fn an_iron_condor_is_margined_on_one_side() {
    let report = margin(&condor(), json!({"SPX": 4500.0}), json!({}), "margin").unwrap();
    assert_eq!(report.details["maintenance"], 10_000.0);
    assert_eq!(report.details["gross"], 11_800.0);
    assert_eq!(report.details["net_deposit"], 7_300.0);
    assert_eq!(report.requirement.initial, 7_300.0);
    assert_eq!(report.requirement.net_option_value, -2_700.0);
    assert_eq!(
        report.details["held"]["pairing"][0]["strategy"],
        "iron condor"
    );
    // A house that wants equal wings sees them here.
    let house = margin(
        &condor(),
        json!({"SPX": 4500.0}),
        json!({"preset": "reg-t-ibkr"}),
        "margin",
    )
    .unwrap();
    assert_eq!(house.requirement.initial, 7_300.0);
    let mut uneven = condor();
    uneven[0].0["strike"] = json!(4150.0);
    let house = margin(
        &uneven,
        json!({"SPX": 4500.0}),
        json!({"preset": "reg-t-ibkr"}),
        "margin",
    )
    .unwrap();
    assert_eq!(house.details["maintenance"], 25_000.0);
}

#[test]
fn a_box_of_european_cash_settled_options_is_held_at_half() {
    let leg = |right, strike| option("SPX", right, strike, "2027-11-19", "european");
    let book = vec![
        (leg("call", 535.0), 19.4, 1),
        (leg("call", 545.0), 12.2, -1),
        (leg("put", 545.0), 5.3, 1),
        (leg("put", 535.0), 3.0, -1),
    ];
    let report = margin(&book, json!({"SPX": 550.0}), json!({}), "margin").unwrap();
    assert_eq!(report.details["gross"], 500.0);
    assert_eq!(report.requirement.initial, 500.0);
    assert_eq!(
        report.details["initial"]["pairing"][0]["strategy"],
        "long box"
    );
}

#[test]
fn a_long_dated_long_is_better_left_alone() {
    // Together 6,000; apart 75 % of 6,000 and a small uncovered call.
    let book = vec![
        (
            option("XYZ", "call", 40.0, "2028-05-19", "american"),
            60.0,
            1,
        ),
        (
            option("XYZ", "call", 140.0, "2026-12-18", "american"),
            0.05,
            -1,
        ),
    ];
    let document = json!({"underlyings": {"XYZ": {"class": "equity"}}});
    let report = margin(&book, json!({"XYZ": 100.0}), document, "margin").unwrap();
    assert_eq!(report.details["gross"], 5_505.0);
}

#[test]
fn a_fund_covers_the_index_it_tracks() {
    let book = vec![
        (
            json!({"kind": "etf", "underlying": "SPY", "currency": "USD"}),
            145.30,
            100_000,
        ),
        (
            option("SPX", "call", 1500.0, "2026-12-18", "european"),
            5.96,
            -100,
        ),
        (
            option("SPX", "put", 1450.0, "2026-12-18", "european"),
            18.72,
            100,
        ),
    ];
    let report = margin(
        &book,
        json!({"SPX": 1451.19, "SPY": 145.30}),
        json!({}),
        "margin",
    )
    .unwrap();
    let deposit = report.details["net_deposit"].as_f64().unwrap();
    assert!((deposit - 7_392_600.0).abs() < 1e-6);
    assert_eq!(report.lines[0].scope, "SPX");
}

#[test]
fn cash_accounts_secure_puts_cover_calls_and_refuse_the_rest() {
    let document = json!({"underlyings": {"XYZ": {"class": "equity"}}});
    let put = (
        option("XYZ", "put", 20.0, "2026-12-18", "american"),
        1.5,
        -1,
    );
    let report = margin(
        std::slice::from_ref(&put),
        json!({"XYZ": 19.5}),
        document.clone(),
        "cash",
    )
    .unwrap();
    assert_eq!(report.details["net_deposit"], 1_850.0);
    let call = (
        option("XYZ", "call", 20.0, "2026-12-18", "american"),
        0.5,
        -2,
    );
    let stock = (
        json!({"kind": "stock", "underlying": "XYZ", "currency": "USD"}),
        19.5,
        200,
    );
    let covered = margin(
        &[call.clone(), stock.clone()],
        json!({"XYZ": 19.5}),
        document.clone(),
        "cash",
    )
    .unwrap();
    assert_eq!(covered.requirement.initial, 3_800.0);
    let mut fewer = stock;
    fewer.2 = 100;
    let error = margin(&[call, fewer], json!({"XYZ": 19.5}), document, "cash").unwrap_err();
    assert!(
        matches!(error, kernel::error::MarginError::NotApplicable(_)),
        "{error}"
    );
    let spread = margin(&condor(), json!({"SPX": 4500.0}), json!({}), "cash").unwrap();
    assert_eq!(spread.requirement.initial, 7_300.0);
}

#[test]
fn what_an_underlying_is_must_be_known() {
    let book = vec![(
        option("XYZ", "put", 20.0, "2026-12-18", "american"),
        1.5,
        -1,
    )];
    let error = margin(&book, json!({"XYZ": 19.5}), json!({}), "margin").unwrap_err();
    assert!(
        matches!(error, kernel::error::MarginError::MissingData(_))
            && error.message().contains("XYZ"),
        "{error}"
    );
    let future = (
        json!({"kind": "future", "underlying": "ES", "expiry": "2026-12-18", "settles": "am",
                         "multiplier": 50.0, "currency": "USD"}),
        4500.0,
        1,
    );
    let error = margin(&[future], json!({}), json!({}), "margin").unwrap_err();
    assert!(
        matches!(error, kernel::error::MarginError::NotApplicable(_))
            && error.message().contains("ES"),
        "{error}"
    );
}
