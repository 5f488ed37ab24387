//! Adding up positions: the scan alone, and TIMS with its minimums, groups and netting.
//!
//! `cargo bench -p margincore --bench aggregation`: 1,000,000 positions in 10,000 accounts over 5,000 contracts, the
//! best of several passes, in nanoseconds per position. `benches/bench_tims.py` sets the same beside peers.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use margincore::account::Accounts;
use margincore::contract::{Contract, Contracts};
use margincore::preparation::Preparation;
use margincore::scan;
use margincore::tims::Tims;
use serde_json::{Map, Value, json};

const POSITIONS: usize = 1_000_000;
const ACCOUNTS: usize = 10_000;
const CONTRACTS: usize = 5_000;
const PASSES: usize = 15;

/// Numbers that look random and are the same everywhere.
fn noise(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn best(mut work: impl FnMut()) -> f64 {
    let pass = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed().as_nanos() as f64 / POSITIONS as f64
    };
    (0..PASSES)
        .map(|_| pass(&mut work))
        .fold(f64::INFINITY, f64::min)
}

fn table(symbols: usize) -> Arc<Contracts> {
    let contract = |i: usize| {
        let terms = json!({
            "kind": "option", "underlying": format!("U{}", i * symbols / CONTRACTS), "right": "call",
            "strike": 50.0 + i as f64, "expiry": "2026-12-18", "settles": "pm", "exercise": "european",
            "multiplier": 100.0, "currency": "USD",
        });
        Arc::new(Contract::new(serde_json::from_value(terms).unwrap()).unwrap())
    };
    Contracts::new((0..CONTRACTS).map(contract).collect()).unwrap()
}

fn main() {
    let mut state = 7;
    let mut account: Vec<u32> = (0..POSITIONS)
        .map(|_| noise(&mut state) as u32 % ACCOUNTS as u32)
        .collect();
    account.sort_unstable();
    let contract: Vec<u32> = (0..POSITIONS)
        .map(|_| noise(&mut state) as u32 % CONTRACTS as u32)
        .collect();
    let quantity: Vec<i64> = (0..POSITIONS)
        .map(|_| noise(&mut state) as i64 % 101 - 50)
        .collect();
    for symbols in [1, 50] {
        let contracts = table(symbols);
        let theoretical: Map<String, Value> = contracts
            .rows()
            .iter()
            .map(|c| {
                let profit: Vec<f64> = (0..10)
                    .map(|_| noise(&mut state) as f64 % 1000.0 - 500.0)
                    .collect();
                (c.id().to_string(), json!({"profit": profit, "price": 2.5}))
            })
            .collect();
        let tims = Tims::new(&json!({"theoretical": theoretical})).unwrap();
        let prepared = Preparation::new(Arc::new(tims), &contracts, None, 1)
            .unwrap()
            .prepared;
        let build = || {
            Accounts::from_columns(&contracts, ACCOUNTS, &account, &contract, &quantity, vec![])
                .unwrap()
        };
        let accounts = build();
        println!(
            "{symbols} class groups, {} positions after netting",
            accounts.columns().1.len()
        );
        println!(
            "  columns into accounts  {:6.2} ns",
            best(|| drop(black_box(build())))
        );
        for threads in [1, 2] {
            let time = best(|| {
                black_box(prepared.margin_many(&accounts, threads).unwrap());
            });
            println!("  TIMS, {threads} threads        {time:6.2} ns");
        }
        let values: Vec<f64> = (0..CONTRACTS * scan::WIDTH)
            .map(|_| noise(&mut state) as f64 % 1000.0 - 500.0)
            .collect();
        let rows = scan::rows_from(&values);
        let (start, contract, quantity) = accounts.columns();
        let (mut greatest, mut scenario) = (vec![0.0; ACCOUNTS], vec![0; ACCOUNTS]);
        let time = best(|| {
            scan::greatest_per_account(
                &rows,
                start,
                contract,
                quantity,
                &mut greatest,
                &mut scenario,
            );
        });
        println!("  scan of 16 scenarios   {time:6.2} ns");
    }
}
