//! Contracts as tests write them; rulebooks' own tests include this file too.

use std::sync::Arc;

use engine::contract::Contract;
use serde_json::json;

pub(crate) fn contract(terms: serde_json::Value) -> Arc<Contract> {
    Arc::new(Contract::new(serde_json::from_value(terms).unwrap()).unwrap())
}

pub(crate) fn option(symbol: &str, right: &str, strike: f64, exercise: &str) -> Arc<Contract> {
    contract(json!({
        "kind": "option", "underlying": symbol, "right": right, "strike": strike, "expiry": "2026-12-18",
        "settles": "pm", "exercise": exercise, "multiplier": 100.0, "currency": "USD"
    }))
}
