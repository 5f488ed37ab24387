//! Checks at full speed while another thread reprices the market; a sample is compared with fresh margins.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use margincore::account::Holdings;
use margincore::live::{Limit, LiveAccount, Order, Side, Trade};
use margincore::preparation::{MarketChange, Marks};

use crate::accounts::{Sequence, World};

/// What a soak saw.
#[derive(Debug)]
pub(crate) struct Soak {
    pub(crate) checks: u64,
    pub(crate) compared: u64,
    pub(crate) differences: u64,
    pub(crate) trades: u64,
    pub(crate) updates: u64,
    pub(crate) seconds: f64,
}

/// Every so many checks one is compared; between them trades are booked and orders come and go.
const SAMPLE: u64 = 1_000;

/// Checks random orders for some seconds. Prices move from another thread about a thousand times a second, each time
/// to a newly repriced market.
pub(crate) fn soak(world: &World, symbol: &str, spot: f64, duration: Duration) -> Soak {
    let live = Mutex::new(world.open());
    let stop = AtomicBool::new(false);
    let mut result = Soak {
        checks: 0,
        compared: 0,
        differences: 0,
        trades: 0,
        updates: 0,
        seconds: 0.0,
    };
    std::thread::scope(|scope| {
        let updater = scope.spawn(|| {
            let (mut sequence, mut updates) = (Sequence(7), 0);
            while !stop.load(Ordering::Relaxed) {
                let level = spot * (0.97 + 0.06 * sequence.next(10_000) as f64 / 10_000.0);
                let change = MarketChange {
                    spot: [(symbol.to_string(), level)].into(),
                    marks: Marks::Keep,
                    ..MarketChange::default()
                };
                let moved = world.preparation.update(&change, 1).expect("an update");
                live.lock()
                    .expect("no panic")
                    .rebase(moved.prepared.clone(), moved.money())
                    .expect("the same table");
                updates += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            updates
        });
        let start = Instant::now();
        let mut sequence = Sequence(1);
        while start.elapsed() < duration {
            for _ in 0..SAMPLE - 1 {
                let order = order(&mut sequence, world.rows(), "new");
                let decision = live
                    .lock()
                    .expect("no panic")
                    .check(&order, &limit(), None, false);
                assert!(decision.accepted, "{decision:?}");
                result.checks += 1;
            }
            compare(
                &live,
                &order(&mut sequence, world.rows(), "new"),
                &mut result,
            );
            trade(&live, &mut sequence, world.rows(), &mut result);
        }
        result.seconds = start.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        result.updates = updater.join().expect("no panic");
    });
    result
}

fn limit() -> Limit {
    Limit {
        max_requirement: Some(1e12),
        min_excess: Some(-1e12),
        ..Limit::default()
    }
}

fn order(sequence: &mut Sequence, rows: u32, id: &str) -> Order {
    let (contract, lots) = sequence.trade(rows);
    Order {
        id: id.into(),
        contract,
        side: if lots > 0 { Side::Buy } else { Side::Sell },
        lots: lots.abs(),
        price: 10.0,
        fees: 1.0,
        effect: None,
        all_or_none: false,
        unfit: None,
    }
}

/// One check with everything it rests on taken under the same lock, then the margins anew, explained, outside.
fn compare(live: &Mutex<LiveAccount>, order: &Order, result: &mut Soak) {
    let mut live = live.lock().expect("no panic");
    let decision = live.check(order, &limit(), None, false);
    let (prepared, terms) = (live.prepared().clone(), live.terms().clone());
    let positions = live.view().positions;
    let rows: Vec<_> = (0..positions.len())
        .map(|i| (positions.contract[i], positions.long(i), positions.short(i)))
        .collect();
    drop(live);
    let mut book = Holdings::from_rows(rows, false).expect("a book");
    let fresh = |book: &Holdings| {
        let view = book.view(&terms);
        prepared.margin(view).expect("a margin").requirement
    };
    let before = fresh(&book);
    book.trade(order.contract, order.signed_lots(), None)
        .expect("a trade");
    let after = fresh(&book);
    result.checks += 1;
    result.compared += 1;
    result.differences += u64::from(decision.before != before || decision.after != after);
}

/// Books one trade and its opposite in turn, so that the account keeps its size; an open order comes or goes.
fn trade(live: &Mutex<LiveAccount>, sequence: &mut Sequence, rows: u32, result: &mut Soak) {
    let mut live = live.lock().expect("no panic");
    let mut other = Sequence(result.trades / 2);
    let (contract, lots) = other.trade(rows);
    let lots = if result.trades.is_multiple_of(2) {
        lots
    } else {
        -lots
    };
    live.apply(&[Trade::new(contract, lots)]).expect("a trade");
    result.trades += 1;
    let id = format!("open {}", result.trades / 2 % 5);
    if live.order(&id).is_none() {
        live.reserve(&order(sequence, rows, &id)).expect("reserved");
    }
}
