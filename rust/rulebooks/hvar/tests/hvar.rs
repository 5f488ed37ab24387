//! Historical VaR from Rust: the same bits however it is asked, and kept sums within their stated band.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::account::{AccountTerms, AccountView, Accounts, Holdings};
use engine::contract::Contracts;
use engine::market::Market;
use engine::preparation::Preparation;
use engine::seam::{Prepared, Scratch};
use margincore_hvar::HistoricalVar;
use proptest::prelude::*;
use serde_json::json;

#[path = "../../../../tests/rust/contracts.rs"]
mod contracts;

use contracts::{contract, option};

const FACTORS: usize = 4;

/// Four stocks and an option on the first, under 100 days of a jagged history.
fn table() -> Arc<Contracts> {
    let mut rows: Vec<_> = (0..FACTORS)
        .map(|k| {
            contract(json!({"kind": "stock", "underlying": format!("F{k}"), "currency": "USD"}))
        })
        .collect();
    rows.push(option("F0", "put", 100.0, "european"));
    Contracts::new(rows).unwrap()
}

fn prepared(measure: &str, more: serde_json::Value) -> Arc<dyn Prepared> {
    let columns: Vec<String> = (0..FACTORS).map(|k| format!("F{k}")).collect();
    let rows = 100;
    let values = (0..rows * FACTORS)
        .map(|i| 100.0 + ((i * 7919 + i * i * 31) % 97) as f64 / 10.0)
        .collect();
    let mut component = json!({"name": "x", "measure": measure, "confidence_ppm": 950_000});
    for (key, value) in more.as_object().unwrap() {
        component[key] = value.clone();
    }
    let document = json!({
        "histories": {"history": {"columns": columns, "kind": "levels"}},
        "returns": {"*": "log"},
        "components": [component],
        "netting_sets": [{"name": "first", "members": ["F0", "F1"]}, {"name": "rest"}],
    });
    let tables = BTreeMap::from([("history".to_string(), (vec![rows, FACTORS], values))]);
    let rule = HistoricalVar::new(&document, &tables).unwrap();
    let contracts = table();
    let snapshot = json!({
        "valuation": "2026-11-20T16:00:00-05:00", "rate": {"USD": 0.04},
        "spot": {"F0": 100.0, "F1": 50.0, "F2": 20.0, "F3": 70.0}, "vol": {"F0 2026-12-18 100 put": 0.3},
    });
    let market = Arc::new(Market::new(serde_json::from_value(snapshot).unwrap()).unwrap());
    Preparation::new(Arc::new(rule), &contracts, Some(market), 1)
        .unwrap()
        .prepared
}

fn holdings(rows: &[(u32, i64)]) -> Holdings {
    let sides = rows
        .iter()
        .map(|&(c, q)| (c, q.max(0), (-q).max(0)))
        .collect();
    Holdings::from_rows(sides, false).unwrap()
}

fn rules() -> Vec<Arc<dyn Prepared>> {
    vec![
        prepared("order_floor", json!({})),
        prepared("es_discrete", json!({"antithetic": true})),
        prepared(
            "averaged_inverted_cdf",
            json!({"days": 3, "scaling": "interleaved"}),
        ),
        prepared("es_weighted", json!({"age_decay": 0.97})),
        prepared("normal", json!({"variance": "population"})),
        prepared(
            "es_hull",
            json!({"filter": {"model": {"ewma": {"lambda": 0.9, "seed": "mean_square"}}}}),
        ),
    ]
}

proptest! {
    #[test]
    fn one_number_however_it_is_asked(rows in prop::collection::vec((0_u32..5, -20_i64..20), 0..8), c in 0_u32..5, q in -9_i64..9) {
        thread_local! { static RULES: Vec<Arc<dyn Prepared>> = rules(); }
        let terms = AccountTerms::default();
        RULES.with(|rules| for rule in rules {
            let held = holdings(&rows);
            let view = |h: &Holdings| rule.requirement(AccountView { positions: h.positions(), terms: &terms }, &mut Scratch::default()).unwrap();
            let fresh = view(&held);
            let report = rule.margin(AccountView { positions: held.positions(), terms: &terms }).unwrap();
            assert!(report.adds_up());
            assert_eq!(report.requirement, fresh);
            let account = vec![0_u32; rows.len()];
            let (contract, lots): (Vec<u32>, Vec<i64>) = rows.iter().copied().unzip();
            let many = Accounts::from_columns(rule.contracts(), 1, &account, &contract, &lots, vec![]).unwrap();
            let batch = rule.margin_many(&many, 1).unwrap();
            assert_eq!((batch.initial[0], batch.net_option_value[0]), (fresh.initial, fresh.net_option_value));
            assert_eq!(batch.worst_scenario[0], fresh.worst_scenario.map_or(-1, |s| s as i32));
            let mut live = rule.clone().live();
            let kept = AccountView { positions: held.positions(), terms: &terms };
            assert_eq!(live.keep(kept).unwrap(), fresh);
            if let Some(estimate) = live.after(kept, c, q) {
                let after = view(&holdings(&[rows.as_slice(), &[(c, q)]].concat()));
                assert!((estimate.initial - after.initial).abs() <= estimate.band, "{estimate:?} {after:?}");
            }
        });
    }
}

#[test]
fn a_position_alone_is_its_own_allocation() {
    let rule = prepared("es_discrete", json!({}));
    let held = holdings(&[(2, 10)]);
    let view = AccountView {
        positions: held.positions(),
        terms: &AccountTerms::default(),
    };
    let report = rule.margin(view).unwrap();
    let own = &report.details["netting_sets"]["rest"]["components"]["x"];
    assert_eq!(own["allocation"]["F2"], own["risk"]);
    assert_eq!(report.lines[0].component, "x 95 %");
}
