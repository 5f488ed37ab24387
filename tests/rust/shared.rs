//! The account between threads: nothing is lost, nothing is half done, and nobody waits for long work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use margincore::live::{BUDGET, Limit, LiveAccount, OrderCheck, SharedAccount, Tried};
use margincore::preparation::{MarketChange, Marks, Preparation};
use margincore::{MarginError, Result, interrupt};

use crate::allocations;
use crate::live::{fresh, open, order};
use crate::seam::{market, table, tims};

fn preparation() -> Preparation {
    let contracts = table();
    let market = market(&contracts);
    Preparation::new(Arc::new(tims()), &contracts, Some(market), 1).unwrap()
}

fn limit() -> Limit {
    Limit {
        max_requirement: Some(1e12),
        ..Limit::default()
    }
}

/// Asks as a host does: without waiting, then waiting, then a copy.
fn ask<T: Send>(
    shared: &SharedAccount,
    work: impl Fn(&mut LiveAccount) -> Result<T> + Send + Sync,
) -> Result<T> {
    match shared.try_ask(&work) {
        Tried::Answered(answer) => answer,
        Tried::Held => shared.ask(&work),
        Tried::TooLong => shared.ask_copy(&work),
    }
}

fn cash(live: &LiveAccount) -> f64 {
    live.terms().cash.get("USD").copied().unwrap_or(0.0)
}

/// Work of some milliseconds: under the lock there is no time for it.
fn long(live: &mut LiveAccount) -> Result<()> {
    let end = Instant::now() + 3 * BUDGET;
    while Instant::now() < end {
        interrupt::check()?;
    }
    live.deposit("USD", 1.0)
}

#[test]
fn ten_thousand_rounds_of_several_threads_lose_nothing() {
    const ROUNDS: usize = 10_000;
    const THREADS: usize = 3;
    let still = preparation();
    let change = MarketChange {
        spot: [("A".to_string(), 101.0)].into(),
        marks: Marks::Keep,
        ..MarketChange::default()
    };
    let moved = still.update(&change, 1).unwrap();
    let shared = SharedAccount::new(open(&still, &[(0, 5)], 1e6));
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let traders: Vec<_> = (0..THREADS)
            .map(|t| {
                let shared = &shared;
                scope.spawn(move || {
                    for round in 0..ROUNDS / THREADS {
                        let id = format!("{t} {round}");
                        let check = OrderCheck {
                            order: order(&id, 1 + t as u32, 2, 1.0),
                            limit: limit(),
                            now: None,
                            reserve: true,
                        };
                        let decision = shared.check(&check).unwrap();
                        assert!(decision.accepted, "{decision:?}");
                        assert!(ask(shared, |live| live.fill(&id, "f", 1, 1.0, 0.0)).unwrap());
                        assert!(ask(shared, |live| live.cancel(&id)).unwrap());
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            for turn in 0.. {
                if is_done.load(Ordering::Relaxed) {
                    break;
                }
                let to = if turn % 2 == 0 { &moved } else { &still };
                ask(&shared, |live| live.rebase(to.prepared.clone(), to.money())).unwrap();
            }
        });
        for trader in traders {
            trader.join().unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    });
    assert!(shared.contended() > 0, "the threads never met");
    println!("{ROUNDS} rounds, {} calls met another", shared.contended());
    let each = (ROUNDS / THREADS) as i64;
    let expected: Vec<(u32, i64)> = std::iter::once((0, 5))
        .chain((1..=THREADS as u32).map(|row| (row, each)))
        .collect();
    shared
        .with(|live| {
            live.rebase(still.prepared.clone(), still.money()).unwrap();
            assert_eq!(
                live.requirement(),
                fresh(still.prepared.as_ref(), &expected)
            );
            assert_eq!(live.orders().all().count(), ROUNDS / THREADS * THREADS);
            assert_eq!(live.orders().open().count(), 0);
        })
        .unwrap();
}

#[test]
fn long_work_is_done_on_copies_while_others_go_on() {
    let shared = SharedAccount::new(open(&preparation(), &[(0, 5)], 0.0));
    assert!(matches!(shared.try_ask(&long), Tried::TooLong));
    assert_eq!(shared.with(|live| cash(live)), Ok(0.0), "half done");
    let is_done = AtomicBool::new(false);
    let (mut longest, mut deposits) = (Duration::ZERO, 0.0);
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut done = 0.0;
            for _ in 0..50 {
                // Others may change the account each time it is tried: then it says so, and has done nothing.
                match shared.ask(&long) {
                    Ok(()) => done += 1.0,
                    Err(error) => assert!(matches!(error, MarginError::CalculationError(_))),
                }
            }
            is_done.store(true, Ordering::Relaxed);
            done
        });
        while !is_done.load(Ordering::Relaxed) {
            let start = Instant::now();
            ask(&shared, |live| Ok(live.requirement())).unwrap();
            longest = longest.max(start.elapsed());
            thread::sleep(Duration::from_millis(7));
            ask(&shared, |live| live.deposit("USD", 1.0)).unwrap();
            deposits += 1.0;
        }
        let done = worker.join().unwrap();
        assert!(done > 0.0, "no change of a copy was ever taken over");
        assert_eq!(shared.with(|live| cash(live)), Ok(deposits + done));
    });
    assert!(longest < 100 * BUDGET, "a question waited {longest:?}");
}

#[test]
fn work_that_is_told_to_stop_has_changed_nothing() {
    let shared = SharedAccount::new(open(&preparation(), &[(0, 5)], 7.0));
    let before = shared
        .with(|live| (live.requirement(), cash(live), live.epoch()))
        .unwrap();
    let told = || true;
    let stopped = interrupt::watched(Duration::ZERO, told, || shared.ask(&long));
    assert!(matches!(stopped, Err(MarginError::Interrupted(_))));
    let after = shared
        .with(|live| (live.requirement(), cash(live), live.epoch()))
        .unwrap();
    assert_eq!(before, after);
}

#[test]
fn a_warm_check_between_threads_allocates_nothing() {
    let shared = SharedAccount::new(open(&preparation(), &[(0, 5), (1, -3)], 1e6));
    let check = OrderCheck {
        order: order("a", 1, 2, 1.0),
        limit: limit(),
        now: None,
        reserve: false,
    };
    let ask = || {
        let decided = shared.try_with(|live| SharedAccount::begin_check(live, &check).is_ok());
        assert!(matches!(decided, Ok(true)));
        let after = shared.try_ask(&|live: &mut LiveAccount| live.margin_after(1, 2));
        assert!(matches!(after, Tried::Answered(Ok(_))));
    };
    ask();
    assert_eq!(allocations::count(|| (0..100).for_each(|_| ask())), 0);
}
