//! Accounts of 100 positions under three rulebooks, for the soak test and the latency harness.

use std::collections::BTreeMap;
use std::sync::Arc;

use margincore::account::{Account, Position};
use margincore::contract::{Contract, Contracts};
use margincore::live::LiveAccount;
use margincore::market::Market;
use margincore::preparation::Preparation;
use margincore::registry;
use serde_json::{Value, json};

const POSITIONS: usize = 100;

/// A table, its market, its rulebook, and how far apart the rows held are.
pub(crate) struct World {
    pub(crate) preparation: Preparation,
    step: usize,
}

impl World {
    fn new(name: &str, document: &Value, contracts: Vec<Value>, market: Option<Value>) -> Self {
        let rows = contracts
            .into_iter()
            .map(|terms| {
                let terms = serde_json::from_value(terms).expect("terms of a contract");
                Arc::new(Contract::new(terms).expect("a contract"))
            })
            .collect::<Vec<_>>();
        let step = rows.len() / POSITIONS;
        let contracts = Contracts::new(rows).expect("unique ids");
        let market = market.map(|m| {
            let snapshot = serde_json::from_value(m).expect("a market");
            Arc::new(Market::new(snapshot).expect("a market"))
        });
        let methodology = registry::build(name, document, &BTreeMap::new()).expect("a rulebook");
        let preparation = Preparation::new(methodology, &contracts, market, 1).expect("prepared");
        Self { preparation, step }
    }

    pub(crate) fn rows(&self) -> u32 {
        self.preparation.prepared.contracts().len() as u32
    }

    pub(crate) fn open(&self) -> LiveAccount {
        let contracts = self.preparation.prepared.contracts();
        let positions = (0..POSITIONS)
            .map(|i| {
                let contract = contracts.rows()[i * self.step].clone();
                // Never flat: 1 to 11 lots, long and short.
                let lots = 1 + (i as i64 * 7) % 11;
                Position::new(contract, if i % 2 == 0 { lots } else { -lots }).expect("a position")
            })
            .collect();
        let mut account = Account {
            positions,
            ..Account::default()
        };
        account.terms.cash.insert("USD".into(), 1e9);
        LiveAccount::open(
            self.preparation.prepared.clone(),
            self.preparation.money(),
            &account,
            BTreeMap::new(),
        )
        .expect("an account")
    }
}

fn option(underlying: &str, right: &str, strike: f64) -> Value {
    json!({
        "kind": "option", "underlying": underlying, "right": right, "strike": strike, "expiry": "2026-12-18",
        "settles": "pm", "exercise": "european", "multiplier": 100.0, "currency": "USD"
    })
}

/// 400 options on one index; ten scenarios in rows of sixteen columns.
pub(crate) fn tims() -> World {
    let mut contracts = Vec::new();
    for strike in 0..200 {
        for right in ["call", "put"] {
            contracts.push(option("SPX", right, 4000.0 + 5.0 * f64::from(strike)));
        }
    }
    let vol: serde_json::Map<_, _> = contracts
        .iter()
        .map(|c| {
            let terms = serde_json::from_value(c.clone()).expect("terms of an option");
            let contract = Contract::new(terms).expect("an option");
            (contract.id().to_string(), json!(0.18))
        })
        .collect();
    let market = json!({
        "valuation": "2026-11-20T16:00:00-05:00", "spot": {"SPX": 4500.0}, "rate": {"USD": 0.05}, "vol": vol
    });
    World::new("tims", &json!({}), contracts, Some(market))
}

/// Four commodities of four months with 24 options each; calendar spreads in each, and five inter-commodity spreads.
pub(crate) fn span() -> World {
    let codes = ["AA", "BB", "CC", "DD"];
    let months = ["202612", "202703", "202706", "202709"];
    let mut contracts = Vec::new();
    let mut parameters = Vec::new();
    let mut commodities = Vec::new();
    let array = |delta: f64, range: f64, gamma: f64| -> Vec<f64> {
        let thirds = [
            0.0, 0.0, 1.0, 1.0, -1.0, -1.0, 2.0, 2.0, -2.0, -2.0, 3.0, 3.0, -3.0, -3.0,
        ];
        let mut array: Vec<f64> = thirds
            .iter()
            .enumerate()
            .map(|(k, third)| {
                let vol = if k % 2 == 0 { 1.0 } else { -1.0 };
                -delta * range * third / 3.0 - gamma * (third * third / 9.0 + vol / 4.0)
            })
            .collect();
        array.extend([-delta * range * 0.99, delta * range * 0.99]);
        array
    };
    for code in codes {
        for month in months {
            let expiry = format!("{}-{}-18T21:00:00Z", &month[..4], &month[4..]);
            let id = format!(":{code}:FUT:{month}");
            parameters.push(
                json!({"product": code, "kind": "FUT", "period": month, "commodity": code,
                "array": array(1.0, 1000.0, 0.0), "price_scan": 1000.0}),
            );
            contracts.push(
                json!({"kind": "future", "underlying": code, "expiry": expiry, "multiplier": 1.0,
                "currency": "USD", "id": id}),
            );
            for strike in 0..12 {
                for (right, letter) in [("call", "C"), ("put", "P")] {
                    let strike = 90 + 2 * strike;
                    let call = (1.0 - f64::from(strike - 90) / 24.0) * 0.9 + 0.05;
                    let delta = if letter == "C" { call } else { call - 1.0 };
                    parameters.push(
                        json!({"product": code, "kind": "OOF", "period": month, "commodity": code,
                        "right": letter, "strike": f64::from(strike), "array": array(delta, 1000.0, 150.0),
                        "delta": delta, "price_scan": 1000.0, "value": 900.0 * delta.abs()}),
                    );
                    let id = format!(":{code}:OOF:{month}:{letter}:{strike}");
                    contracts.push(
                        json!({"kind": "option", "underlying": code, "right": right,
                        "strike": f64::from(strike), "expiry": expiry, "exercise": "european", "multiplier": 1.0,
                        "currency": "USD", "id": id}),
                    );
                }
            }
        }
        let legs = |a: &str, b: &str| json!([{"commodity": code, "side": 1, "period": a}, {"commodity": code, "side": -1, "period": b}]);
        commodities.push(json!({
            "code": code, "currency": "USD", "som_tiers": [{"number": 0, "rate": 25.0}],
            "spreads": [
                {"priority": 1, "method": "F", "rate": 90.0, "legs": legs(months[0], months[1])},
                {"priority": 2, "method": "F", "rate": 110.0, "legs": legs(months[1], months[2])},
                {"priority": 3, "method": "F", "rate": 130.0, "legs": legs(months[2], months[3])},
                {"priority": 4, "method": "F", "rate": 160.0,
                 "legs": [{"commodity": code, "side": 1}, {"commodity": code, "side": -1}]},
            ],
        }));
    }
    let between = [(0, 1), (2, 3), (0, 2), (1, 3), (0, 3)];
    let inter: Vec<Value> = between
        .iter()
        .enumerate()
        .map(|(i, &(a, b))| {
            json!({"priority": i + 1, "method": "W", "rate": 0.6, "legs": [
                {"commodity": codes[a], "side": 1}, {"commodity": codes[b], "side": -1, "ratio": 2.0}]})
        })
        .collect();
    let document = json!({"parameters": {"extreme": [3.0, 0.33], "contracts": parameters, "commodities": commodities,
        "inter_spreads": inter}});
    World::new("span", &document, contracts, None)
}

/// Ten stocks with ten option series each, paired at the least requirement.
pub(crate) fn reg_t() -> World {
    let symbols: Vec<String> = (0..10).map(|i| format!("S{i}")).collect();
    let (mut contracts, mut price) = (Vec::new(), serde_json::Map::new());
    for symbol in &symbols {
        for strike in [90.0, 95.0, 100.0, 105.0, 110.0] {
            for right in ["call", "put"] {
                let terms = option(symbol, right, strike);
                let typed = serde_json::from_value(terms.clone()).expect("terms of an option");
                let contract = Contract::new(typed).expect("an option");
                let out = if right == "call" {
                    strike - 100.0
                } else {
                    100.0 - strike
                };
                let mark = (3.0 - 0.3 * out).max(0.1) + 2.0 * (-out).max(0.0) / 4.0;
                price.insert(contract.id().to_string(), json!(mark));
                contracts.push(terms);
            }
        }
    }
    let spot: serde_json::Map<_, _> = symbols.iter().map(|s| (s.clone(), json!(100.0))).collect();
    let classes: serde_json::Map<_, _> = symbols
        .iter()
        .map(|s| (s.clone(), json!({"class": "equity"})))
        .collect();
    let market = json!({"valuation": "2026-11-20T16:00:00-05:00", "spot": spot, "price": price});
    World::new(
        "reg-t",
        &json!({"underlyings": classes}),
        contracts,
        Some(market),
    )
}

/// A fixed sequence of pseudo-random numbers.
pub(crate) struct Sequence(pub(crate) u64);

impl Sequence {
    pub(crate) fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % below
    }

    /// A row and signed lots other than zero.
    pub(crate) fn trade(&mut self, rows: u32) -> (u32, i64) {
        let lots = 1 + self.next(10) as i64;
        let row = self.next(u64::from(rows)) as u32;
        (row, if self.next(2) == 0 { lots } else { -lots })
    }
}
