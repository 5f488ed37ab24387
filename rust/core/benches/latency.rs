//! Latency of the live account, open loop: calls are due at fixed times, and a late start counts against the call.
//!
//! `cargo bench -p margincore --bench latency [-- SAMPLES]` prints one JSON object per line. Times are nanoseconds from
//! when a call was due to when it returned, the clock's own cost (stated) inside. `ours_ns` is the median of batches of
//! 1,000 calls, without the clock.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use margincore::account::{Account, Position};
use margincore::contract::{Contract, Contracts};
use margincore::live::{Limit, LiveAccount, Order, Side, Trade};
use margincore::market::Market;
use margincore::methods::tims::Tims;
use margincore::simd;
use margincore::update::{MarketChange, Preparation};
use serde_json::json;

const POSITIONS: usize = 100;

fn preparation() -> Preparation {
    let mut rows = Vec::new();
    for strike in 0..200 {
        for right in ["call", "put"] {
            let terms = json!({
                "kind": "option", "underlying": "SPX", "right": right, "strike": 4000.0 + 5.0 * f64::from(strike),
                "expiry": "2026-12-18", "settles": "am", "exercise": "european", "multiplier": 100.0,
                "currency": "USD"
            });
            let terms = serde_json::from_value(terms).expect("terms of an option");
            rows.push(Arc::new(Contract::new(terms).expect("an option")));
        }
    }
    let contracts = Contracts::new(rows).expect("unique ids");
    let vol: serde_json::Map<_, _> = contracts
        .rows()
        .iter()
        .map(|c| (c.id().to_string(), json!(0.18)))
        .collect();
    let market = json!({
        "valuation": "2026-11-20T16:00:00-05:00", "spot": {"SPX": 4500.0}, "rate": {"USD": 0.05}, "vol": vol
    });
    let market = Market::new(serde_json::from_value(market).expect("a market")).expect("a market");
    let tims = Tims::new(&json!({})).expect("the shipped preset");
    Preparation::new(Arc::new(tims), &contracts, Some(Arc::new(market)), 1).expect("prepared")
}

fn open(preparation: &Preparation) -> LiveAccount {
    let contracts = preparation.prepared.contracts();
    let positions = (0..POSITIONS)
        .map(|i| {
            let contract = contracts.rows()[i * 4 % 400].clone();
            Position::new(contract, (i as i64 * 7 % 23) - 11).expect("a position")
        })
        .collect();
    let mut account = Account {
        positions,
        ..Account::default()
    };
    account.terms.cash.insert("USD".into(), 1e7);
    LiveAccount::open(
        preparation.prepared.clone(),
        preparation.money(),
        &account,
        BTreeMap::new(),
    )
    .expect("an account")
}

/// A fixed sequence of pseudo-random numbers.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % below
    }
}

/// Median cost of reading the clock.
fn clock() -> f64 {
    median((0..1001).map(|_| {
        let start = Instant::now();
        for _ in 0..100 {
            black_box(Instant::now());
        }
        start.elapsed().as_nanos() as f64 / 100.0
    }))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Case<'a> {
    name: &'a str,
    interval_ns: u64,
    updates: bool,
    random: bool,
}

/// One call: which contract, how many lots. The sum keeps the work from being optimised away.
type Call<'a> = &'a mut dyn FnMut(&mut LiveAccount, u32, i64) -> f64;

fn measure(case: &Case<'_>, samples: usize, timer: f64, call: Call<'_>) {
    let (first, second) = {
        let first = preparation();
        let change = MarketChange {
            spot: [("SPX".to_string(), 4510.0)].into(),
            ..MarketChange::default()
        };
        let second = first.update(&change, 1).expect("an update");
        (first, second)
    };
    let live = Mutex::new(open(&first));
    let mut sequence = Sequence(1);
    let mut next = |random: bool| {
        if random {
            (sequence.next(400) as u32, sequence.next(21) as i64 - 10)
        } else {
            (150, 3)
        }
    };
    for _ in 0..10_000 {
        let (contract, lots) = next(true);
        black_box(call(&mut live.lock().expect("no panic"), contract, lots));
    }
    let batches = median((0..501).map(|_| {
        let mut live = live.lock().expect("no panic");
        let asked: Vec<_> = (0..1000).map(|_| next(case.random)).collect();
        let start = Instant::now();
        for &(contract, lots) in &asked {
            black_box(call(&mut live, contract, lots));
        }
        start.elapsed().as_nanos() as f64 / 1000.0
    }));
    let stop = AtomicBool::new(false);
    let mut latency: Vec<u32> = Vec::with_capacity(samples);
    let seconds = std::thread::scope(|scope| {
        if case.updates {
            scope.spawn(|| {
                let mut turn = 0;
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                    let to = if turn % 2 == 0 { &second } else { &first };
                    live.lock()
                        .expect("no panic")
                        .rebase(to.prepared.clone(), to.money())
                        .expect("the same table");
                    turn += 1;
                }
            });
        }
        let start = Instant::now();
        for i in 0..samples as u64 {
            let due = i * case.interval_ns;
            let (contract, lots) = next(case.random);
            while (start.elapsed().as_nanos() as u64) < due {
                std::hint::spin_loop();
            }
            black_box(call(&mut live.lock().expect("no panic"), contract, lots));
            let late = start.elapsed().as_nanos() as u64 - due;
            latency.push(late.min(u64::from(u32::MAX)) as u32);
        }
        let seconds = start.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        seconds
    });
    latency.sort_unstable();
    let at = |per_mille: usize| latency[(latency.len() * per_mille / 1000).min(latency.len() - 1)];
    let row = json!({
        "bench": case.name, "ours_ns": batches, "peer": null, "peer_ns": null, "ratio": null, "n": samples, "threads": 1,
        "simd": simd::level().name(), "build": if cfg!(debug_assertions) { "debug" } else { "release" },
        "p50_ns": at(500), "p99_ns": at(990), "p999_ns": at(999), "max_ns": latency.last(), "timer_ns": timer,
        "interval_ns": case.interval_ns, "updates_per_second": if case.updates { 1000 } else { 0 },
        "contracts": if case.random { "random" } else { "hot" }, "positions": POSITIONS,
        "calls_per_second": samples as f64 / seconds
    });
    println!("{row}");
}

fn main() {
    let samples = std::env::args()
        .filter_map(|a| a.parse().ok())
        .next()
        .unwrap_or(1_000_000);
    let timer = clock();
    let after = &mut |live: &mut LiveAccount, contract: u32, lots: i64| {
        live.margin_after(contract, lots).expect("a margin")
    };
    let what_if = &mut |live: &mut LiveAccount, contract: u32, lots: i64| {
        live.what_if(&[Trade::new(contract, lots)])
            .expect("a margin")
            .after
            .initial
    };
    let limit = Limit {
        max_requirement: Some(1e9),
        min_excess: Some(0.0),
        ..Limit::default()
    };
    let mut order = Order {
        id: "new".into(),
        contract: 0,
        side: Side::Buy,
        lots: 1,
        price: 10.0,
        fees: 1.0,
        effect: None,
        all_or_none: false,
    };
    let mut plain = order.clone();
    let check = &mut |live: &mut LiveAccount, contract: u32, lots: i64| {
        (plain.contract, plain.lots) = (contract, lots.abs().max(1));
        live.check(&plain, &limit, None, false).worst
    };
    let check_open = &mut |live: &mut LiveAccount, contract: u32, lots: i64| {
        if live.order("open 0").is_none() {
            for i in 0..5 {
                let open = Order {
                    id: format!("open {i}"),
                    contract: 60 + 11 * i,
                    side: if i % 2 == 0 { Side::Sell } else { Side::Buy },
                    lots: 2,
                    ..order.clone()
                };
                live.reserve(&open).expect("a new order");
            }
        }
        (order.contract, order.lots) = (contract, lots.abs().max(1));
        live.check(&order, &limit, None, false).worst
    };
    let calls: [(&str, u64, Call<'_>); 4] = [
        ("live.margin_after", 500, after),
        ("live.what_if", 2_000, what_if),
        ("live.check", 2_000, check),
        ("live.check, 5 open orders", 4_000, check_open),
    ];
    for (name, interval_ns, call) in calls {
        for (random, updates) in [(false, false), (true, false), (true, true)] {
            let case = Case {
                name,
                interval_ns,
                updates,
                random,
            };
            measure(&case, samples, timer, call);
        }
    }
}
