//! A crypto venue prepared and asked, stage by stage, in the core alone.
//!
//! `cargo bench -p margincore --bench crypto` prints one JSON object per line: medians of interleaved repeats, in
//! nanoseconds. The table is 500 options of BTC and 500 of ETH over eight expiries; the account holds 100 of them.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use margincore::account::{Account, Position};
use margincore::cells;
use margincore::contract::{Contract, Contracts};
use margincore::crypto::Crypto;
use margincore::live::{LiveAccount, Trade};
use margincore::market::{Column, Market};
use margincore::preparation::Preparation;
use margincore::seam::{Methodology, Prepared, Scratch};
use margincore::simd;
use serde_json::{Value, json};

const DAYS: [i64; 8] = [7, 14, 28, 56, 91, 182, 273, 364];
const SPOT: [(&str, f64); 2] = [("BTC", 90_000.0), ("ETH", 3_000.0)];
const REPEATS: usize = 301;

fn expiry(days: i64) -> String {
    let from: jiff::Timestamp = "2026-01-02T08:00:00Z".parse().expect("an instant");
    (from + jiff::SignedDuration::from_hours(24 * days)).to_string()
}

fn contracts() -> Arc<Contracts> {
    let mut rows = Vec::new();
    for (symbol, spot) in SPOT {
        for i in 0..500 {
            let terms = json!({
                "id": format!("{symbol} {i}"), "kind": "option", "underlying": symbol, "currency": "USDC",
                "right": if i % 2 == 0 { "call" } else { "put" }, "strike": spot * (0.5 + f64::from(i) / 500.0),
                "expiry": expiry(DAYS[i as usize % DAYS.len()]), "exercise": "european", "multiplier": 1.0
            });
            let terms = serde_json::from_value(terms).expect("terms of an option");
            rows.push(Arc::new(Contract::new(terms).expect("an option")));
        }
    }
    Contracts::new(rows).expect("unique ids")
}

/// A snapshot, its volatilities a column beside the table; `shift` moves all of them.
fn market(contracts: &Arc<Contracts>, shift: f64) -> Arc<Market> {
    let forward: Vec<Value> = SPOT
        .iter()
        .flat_map(|&(symbol, spot)| {
            DAYS.map(|days| {
                let price = spot * (1.0 + 0.0001 * days as f64);
                json!({"underlying": symbol, "expiry": expiry(days), "price": price})
            })
        })
        .collect();
    let document = json!({
        "valuation": "2026-01-02T08:00:00Z", "spot": BTreeMap::from(SPOT), "forward": forward
    });
    let snapshot = serde_json::from_value(document).expect("a snapshot");
    let vol = (0..contracts.len()).map(|i| 0.5 + 0.0004 * (i % 500) as f64 + shift);
    let vol = Column::new("vol", contracts.clone(), vol.collect()).expect("a vol each");
    Arc::new(Market::with_columns(snapshot, None, Some(vol)).expect("a market"))
}

fn account(contracts: &Contracts) -> Account {
    let positions = (0..100)
        .map(|i| {
            let lots = [-3, -2, -1, 1, 2, 3][i * 5 % 6];
            Position::new(contracts.rows()[i * 10 + i % 7].clone(), lots).expect("a position")
        })
        .collect();
    Account {
        positions,
        ..Account::default()
    }
}

fn print(name: &str, mut times: Vec<f64>, items: f64) {
    times.sort_by(f64::total_cmp);
    let row = json!({
        "bench": name, "ours_ns": times[times.len() / 2] / items, "best_ns": times[0] / items, "n": items,
        "threads": 1, "simd": simd::level().name(), "build": if cfg!(debug_assertions) { "debug" } else { "release" }
    });
    println!("{row}");
}

/// Times of one stage: `count` calls, `REPEATS` times.
fn stage(count: usize, mut call: impl FnMut()) -> Vec<f64> {
    (0..REPEATS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..count {
                call();
            }
            start.elapsed().as_nanos() as f64
        })
        .collect()
}

fn main() {
    let contracts = contracts();
    let markets = [market(&contracts, 0.0), market(&contracts, 0.01)];
    let bybit = json!({"preset": "bybit-pm", "rules": {"ETH": {}, "*": {"charges": {"stated": {
        "option_contingency": 0, "option_vega": 0, "future_delta": 0}}}}});
    for (name, document) in [
        ("bybit, 33 scenarios", bybit),
        (
            "deribit, 35 scenarios",
            json!({"preset": "deribit-pm-2024"}),
        ),
    ] {
        let venue: Arc<dyn Methodology> = Arc::new(Crypto::new(&document).expect("a preset"));
        let mut turn = 0;
        let mut next = || {
            turn += 1;
            &markets[turn % 2]
        };
        let on = Some(markets[0].date());
        print(
            &format!("crypto.resolve, {name}"),
            stage(1, || {
                black_box(venue.resolve(&contracts, on).expect("a placed table"));
            }),
            1.0,
        );
        let placed = venue.resolve(&contracts, on).expect("a placed table");
        let at = |market: &Arc<Market>| placed.clone().at(Some(market)).expect("quotes");
        let found = at(&markets[0]).cells().clone();
        let arrays = cells::price(&found, 1).expect("arrays");
        print(
            &format!("crypto.at, {name}"),
            stage(1, || {
                black_box(at(next()));
            }),
            1.0,
        );
        print(
            &format!("crypto.price, {name}"),
            stage(1, || {
                black_box(cells::price(&found, 1).expect("arrays"));
            }),
            1.0,
        );
        print(
            &format!("crypto.at and compile, {name}"),
            stage(1, || {
                let arrays = arrays.clone();
                black_box(at(&markets[0]).compile(arrays).expect("a book"));
            }),
            1.0,
        );
        let first = Preparation::new(venue.clone(), &contracts, Some(markets[0].clone()), 1)
            .expect("prepared");
        // The next snapshot is prepared while the last one is still in use.
        let mut last = None;
        print(
            &format!("crypto.prepare 1,000 options in the core, {name}"),
            stage(1, || {
                let made = first.with_market(next().clone(), 1).expect("prepared");
                last = Some(black_box(made));
            }),
            1.0,
        );
        let preparation = Preparation::new(venue.clone(), &contracts, Some(markets[0].clone()), 1)
            .expect("prepared");
        let (prepared, held): (Arc<dyn Prepared>, _) =
            (preparation.prepared.clone(), account(&contracts));
        let holdings = held.bind(&contracts).expect("positions of the table");
        let view = holdings.view(&held.terms);
        let mut scratch = Scratch::default();
        print(
            &format!("crypto.requirement of 100 positions, {name}"),
            stage(100, || {
                black_box(
                    prepared
                        .requirement(black_box(view), &mut scratch)
                        .expect("a requirement"),
                );
            }),
            100.0,
        );
        let mut live = LiveAccount::open(prepared, preparation.money(), &held, BTreeMap::new())
            .expect("an account");
        let mut at = 0_u32;
        let mut trade = || {
            at = (at * 7 + 13) % 1000;
            (at, i64::from(at % 5) + 1)
        };
        print(
            &format!("crypto.what_if among 100 positions, {name}"),
            stage(100, || {
                let (contract, lots) = trade();
                black_box(
                    live.what_if(&[Trade::new(contract, lots)])
                        .expect("a what-if"),
                );
            }),
            100.0,
        );
        print(
            &format!("crypto.margin_after among 100 positions, {name}"),
            stage(100, || {
                let (contract, lots) = trade();
                black_box(live.margin_after(contract, lots).expect("a margin"));
            }),
            100.0,
        );
    }
}
