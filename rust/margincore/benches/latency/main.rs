//! Latency of the live account, open loop: calls are due at fixed times, and a late start counts against the call.
//!
//! `cargo bench -p margincore --bench latency -- [SAMPLES] [--json]` prints a Markdown table, or one JSON object per
//! line. Percentiles are nanoseconds from when a call was due to when it returned, clock and lock inside: the rows
//! named "nothing" are what the harness itself costs. The median of batches (of 1,000 calls; fewer where a call takes
//! longer than 100 ns) is without the clock. A case takes at most twenty seconds: slow calls are sampled less often, and
//! every row says how often. `-- --only SPAN` measures the calls whose name has the word.
//!
//! `-- --soak SECONDS` checks orders at full speed while another thread reprices the market.

#[path = "../../../../tests/rust/accounts.rs"]
mod accounts;
#[path = "../../../../tests/rust/soak.rs"]
mod soak;

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use accounts::{Sequence, World};
use margincore::live::{Limit, LiveAccount, Order, Side, Trade};
use margincore::simd;
use serde_json::json;

const LONGEST: f64 = 20e9;

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

/// One call: which contract, how many lots. The sum keeps the work from being optimised away.
type Call<'a> = &'a mut dyn FnMut(&mut LiveAccount, u32, i64) -> f64;

struct Case<'a> {
    name: &'a str,
    world: &'a World,
    random: bool,
    updates: bool,
    samples: usize,
}

struct Row {
    name: String,
    contracts: &'static str,
    updates: bool,
    batch: f64,
    n: usize,
    interval: u64,
    percentiles: [u32; 4],
    per_second: f64,
}

fn measure(case: &Case<'_>, call: Call<'_>) -> Row {
    let world = case.world;
    let live = Mutex::new(world.open());
    let mut sequence = Sequence(1);
    let mut next = |random: bool| {
        if random {
            sequence.trade(world.rows())
        } else {
            (world.rows() / 3, 3)
        }
    };
    for _ in 0..2_000 {
        let (contract, lots) = next(true);
        black_box(call(&mut live.lock().expect("no panic"), contract, lots));
    }
    let mut batches = |calls: usize| {
        median((0..501).map(|_| {
            let mut live = live.lock().expect("no panic");
            let asked: Vec<_> = (0..calls).map(|_| next(case.random)).collect();
            let start = Instant::now();
            for &(contract, lots) in &asked {
                black_box(call(&mut live, contract, lots));
            }
            start.elapsed().as_nanos() as f64 / calls as f64
        }))
    };
    // Batches of a tenth of a millisecond at most: longer ones of slow calls would measure the system's scheduler.
    let first = batches(10);
    let batch = batches((1e5 / first).clamp(1.0, 1000.0) as usize);
    // Due three times as far apart as a call takes, so that a queue can only come from outside the call.
    let interval = (3.0 * batch).max(500.0) as u64;
    let samples = case.samples.min((LONGEST / interval as f64) as usize);
    let stop = AtomicBool::new(false);
    let mut latency: Vec<u32> = Vec::with_capacity(samples);
    let seconds = std::thread::scope(|scope| {
        if case.updates {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                    let (prepared, money) = (
                        world.preparation.prepared.clone(),
                        world.preparation.money(),
                    );
                    live.lock()
                        .expect("no panic")
                        .rebase(prepared, money)
                        .expect("the same table");
                }
            });
        }
        let start = Instant::now();
        for i in 0..samples as u64 {
            let due = i * interval;
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
    let at = |parts: usize| latency[(latency.len() * parts / 1000).min(latency.len() - 1)];
    Row {
        name: case.name.into(),
        contracts: if case.random { "random" } else { "hot" },
        updates: case.updates,
        batch,
        n: samples,
        interval,
        percentiles: [at(500), at(990), at(999), at(1000)],
        per_second: samples as f64 / seconds,
    }
}

impl Row {
    fn json(&self, timer: f64) -> String {
        let [p50, p99, p999, max] = self.percentiles;
        json!({
            "bench": self.name, "ours_ns": self.batch, "peer": null, "peer_ns": null, "ratio": null, "n": self.n,
            "threads": 1, "simd": simd::level().name(),
            "build": if cfg!(debug_assertions) { "debug" } else { "release" },
            "p50_ns": p50, "p99_ns": p99, "p999_ns": p999, "max_ns": max, "timer_ns": timer,
            "interval_ns": self.interval, "updates_per_second": if self.updates { 1000 } else { 0 },
            "contracts": self.contracts, "positions": 100, "calls_per_second": self.per_second
        })
        .to_string()
    }

    fn markdown(&self) -> String {
        let [p50, p99, p999, max] = self.percentiles;
        let updates = if self.updates { "1,000/s" } else { "none" };
        format!(
            "| {} | {} | {updates} | {:.0} | {p50} | {p99} | {p999} | {max} | {:.0e} |",
            self.name, self.contracts, self.batch, self.n as f64
        )
    }
}

fn limit() -> Limit {
    Limit {
        max_requirement: Some(1e12),
        min_excess: Some(0.0),
        ..Limit::default()
    }
}

fn order(id: &str) -> Order {
    Order {
        id: id.into(),
        contract: 0,
        side: Side::Buy,
        lots: 1,
        price: 10.0,
        fees: 1.0,
        effect: None,
        all_or_none: false,
        unfit: None,
    }
}

fn check(live: &mut LiveAccount, order: &mut Order, contract: u32, lots: i64) -> f64 {
    (order.contract, order.lots) = (contract, lots.abs());
    order.side = if lots > 0 { Side::Buy } else { Side::Sell };
    live.check(order, &limit(), None, false).worst
}

fn what_if(live: &mut LiveAccount, contract: u32, lots: i64) -> f64 {
    live.what_if(&[Trade::new(contract, lots)])
        .expect("a margin")
        .after
        .initial
}

fn latency(samples: usize, json: bool, only: &str) {
    let (tims, span, reg_t) = (accounts::tims(), accounts::span(), accounts::reg_t());
    let timer = clock();
    if !json {
        println!(
            "{}, {}; 100 positions; reading the clock takes {timer:.0} ns; nanoseconds\n",
            simd::level().name(),
            if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
        );
        println!(
            "| call | contracts | market swaps | median of batches | p50 | p99 | p99.9 | max | n |"
        );
        println!("|---|---|---|---:|---:|---:|---:|---:|---:|");
    }
    let (mut plain, mut beside) = (order("new"), order("new"));
    let calls: [(&str, &World, Call<'_>); 7] = [
        ("nothing", &tims, &mut |_, contract, lots| {
            f64::from(contract) + lots as f64
        }),
        (
            "TIMS requirement_after",
            &tims,
            &mut |live, contract, lots| live.margin_after(contract, lots).expect("a margin"),
        ),
        ("TIMS what_if", &tims, &mut what_if),
        ("TIMS check", &tims, &mut |live, contract, lots| {
            check(live, &mut plain, contract, lots)
        }),
        (
            "TIMS check, 5 open orders",
            &tims,
            &mut |live, contract, lots| {
                if live.order("open 0").is_none() {
                    for i in 0..5 {
                        let open = Order {
                            contract: 60 + 11 * i,
                            side: if i % 2 == 0 { Side::Sell } else { Side::Buy },
                            lots: 2,
                            ..order(&format!("open {i}"))
                        };
                        live.reserve(&open).expect("a new order");
                    }
                }
                check(live, &mut beside, contract, lots)
            },
        ),
        ("SPAN what_if, spreads", &span, &mut what_if),
        ("Reg T what_if, optimal", &reg_t, &mut what_if),
    ];
    for (name, world, call) in calls {
        if !name.contains(only) {
            continue;
        }
        for (random, updates) in [(false, false), (true, false), (true, true)] {
            let row = measure(
                &Case {
                    name,
                    world,
                    random,
                    updates,
                    samples,
                },
                call,
            );
            println!(
                "{}",
                if json {
                    row.json(timer)
                } else {
                    row.markdown()
                }
            );
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = || arguments.iter().find_map(|a| a.parse::<usize>().ok());
    let has = |name: &str| arguments.iter().any(|a| a == name);
    if has("--soak") {
        let seconds = number().unwrap_or(60) as u64;
        let world = accounts::tims();
        let seen = soak::soak(&world, "SPX", 4500.0, Duration::from_secs(seconds));
        println!(
            "{:.0} checks per second ({} in {:.1} s) while prices moved {} times and {} trades were booked; {} compared with fresh margins, {} differences",
            seen.checks as f64 / seen.seconds,
            seen.checks,
            seen.seconds,
            seen.updates,
            seen.trades,
            seen.compared,
            seen.differences
        );
    } else {
        let after = arguments.iter().skip_while(|a| *a != "--only").nth(1);
        let only = after.map_or("", String::as_str);
        latency(number().unwrap_or(1_000_000), has("--json"), only);
    }
}
