//! A check before an order, without Python: prepare once, open an account, ask before every order, book what fills.
//!
//! `cargo run --release -p margincore --example pretrade`

use std::collections::BTreeMap;
use std::sync::Arc;

use margincore::Result;
use margincore::account::{Account, Position};
use margincore::contract::{Contract, Contracts, Terms};
use margincore::live::{Limit, LiveAccount, Order, Side};
use margincore::market::Market;
use margincore::preparation::{MarketChange, Preparation};
use margincore::tims::Tims;
use serde_json::json;

fn main() -> Result<()> {
    let option = |right: &str, strike: f64| -> Result<Arc<Contract>> {
        let terms: Terms = serde_json::from_value(json!({
            "kind": "option", "underlying": "SPX", "right": right, "strike": strike, "expiry": "2026-12-18",
            "settles": "am", "exercise": "european", "multiplier": 100.0, "currency": "USD"
        }))
        .expect("terms of an option");
        Ok(Arc::new(Contract::new(terms)?))
    };
    let contracts = Contracts::new(vec![
        option("put", 4200.0)?,
        option("put", 4300.0)?,
        option("call", 4700.0)?,
        option("call", 4800.0)?,
    ])?;
    let vol: serde_json::Map<_, _> = contracts
        .rows()
        .iter()
        .map(|c| (c.id().to_string(), json!(0.18)))
        .collect();
    let market = Market::new(
        serde_json::from_value(json!({
            "valuation": "2026-11-20T16:00:00-05:00", "spot": {"SPX": 4500.0}, "rate": {"USD": 0.05}, "vol": vol
        }))
        .expect("a market"),
    )?;
    let tims = Arc::new(Tims::new(&json!({}))?);
    let prepared = Preparation::new(tims, &contracts, Some(Arc::new(market)), 1)?;

    let mut account = Account {
        positions: vec![Position::new(contracts.rows()[1].clone(), -1)?],
        ..Account::default()
    };
    account.terms.cash.insert("USD".into(), 50_000.0);
    let mut live = LiveAccount::open(
        prepared.prepared.clone(),
        prepared.money(),
        &account,
        BTreeMap::new(),
    )?;
    println!("short put: {:.2}", live.requirement().initial);

    let limit = Limit {
        min_excess: Some(5_000.0),
        max_age: Some(2.0),
        ..Limit::default()
    };
    let now = live.money().valuation;
    for (id, row, side, price) in [
        ("1", 0, Side::Buy, 11.0),
        ("2", 2, Side::Sell, 20.0),
        ("3", 3, Side::Buy, 8.0),
    ] {
        let order = Order {
            id: id.into(),
            contract: row,
            side,
            lots: 1,
            price,
            fees: 1.5,
            effect: None,
            all_or_none: false,
            unfit: None,
        };
        let decision = live.check(&order, &limit, now, true);
        println!(
            "order {id}: {} ({}), requirement {:.2}, excess {:.2}",
            if decision.accepted {
                "send"
            } else {
                "do not send"
            },
            decision.reason.code(),
            decision.worst,
            decision.excess_after.unwrap_or(f64::NAN)
        );
        if decision.accepted {
            live.fill(id, "execution 1", 1, price, 1.5)?;
        }
    }
    println!("iron condor: {:.2}", live.requirement().initial);

    let change = MarketChange {
        spot: [("SPX".to_string(), 4350.0)].into(),
        ..MarketChange::default()
    };
    let moved = prepared.update(&change, 1)?;
    live.rebase(moved.prepared.clone(), moved.money())?;
    println!(
        "after SPX 4350: {:.2}, excess {:.2}",
        live.requirement().initial,
        live.excess()?
    );
    Ok(())
}
