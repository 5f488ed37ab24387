//! The live account against fresh margins: every answer that promises a fresh margin's bits has them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use margincore::MarginError;
use margincore::account::{Account, AccountView, Holdings, Position};
use margincore::live::{Coverage, Limit, LiveAccount, Order, Reason, Side, Trade};
use margincore::methods::combined::Combined;
use margincore::methods::tims::Tims;
use margincore::methods::{Methodology, Prepared, Scratch};
use margincore::report::Requirement;
use margincore::update::{MarketChange, Preparation};
use proptest::prelude::*;
use serde_json::json;

use crate::allocations;
use crate::seam::{market, table, tims};

fn preparation(methodology: Arc<dyn Methodology>) -> Preparation {
    let contracts = table();
    let market = market(&contracts);
    Preparation::new(methodology, &contracts, Some(market), 1).unwrap()
}

/// Symbols of their own, so that open orders have a closed form that is reached.
fn apart() -> Arc<dyn Methodology> {
    Arc::new(Tims::new(&json!({"steps": 20})).unwrap())
}

fn halves() -> Arc<dyn Methodology> {
    let of = |symbol: &'static str| {
        Box::new(move |c: &margincore::contract::Contract| {
            Ok((c.underlying() == "A") == (symbol == "A"))
        }) as margincore::methods::combined::Claim
    };
    Arc::new(Combined::new(vec![(of("A"), Arc::new(tims())), (of("B"), apart())]).unwrap())
}

fn account(preparation: &Preparation, rows: &[(u32, i64)], cash: f64) -> Account {
    let contracts = preparation.prepared.contracts();
    let positions = rows
        .iter()
        .map(|&(c, q)| Position::new(contracts.rows()[c as usize].clone(), q).unwrap())
        .collect();
    let mut account = Account {
        positions,
        ..Account::default()
    };
    account.terms.cash.insert("USD".into(), cash);
    account
}

fn open(preparation: &Preparation, rows: &[(u32, i64)], cash: f64) -> LiveAccount {
    LiveAccount::open(
        preparation.prepared.clone(),
        preparation.money(),
        &account(preparation, rows, cash),
        BTreeMap::new(),
    )
    .unwrap()
}

fn fresh(prepared: &dyn Prepared, rows: &[(u32, i64)]) -> Requirement {
    let sides = rows
        .iter()
        .map(|&(c, q)| (c, q.max(0), (-q).max(0)))
        .collect();
    let holdings = Holdings::from_rows(sides, false).unwrap();
    let view = AccountView {
        positions: holdings.positions(),
        terms: &Default::default(),
    };
    prepared.requirement(view, &mut Scratch::default()).unwrap()
}

fn order(id: &str, contract: u32, lots: i64, price: f64) -> Order {
    Order {
        id: id.into(),
        contract,
        side: if lots > 0 { Side::Buy } else { Side::Sell },
        lots: lots.abs(),
        price,
        fees: 0.0,
        effect: None,
        all_or_none: false,
    }
}

fn generous() -> Limit {
    Limit {
        max_requirement: Some(1e15),
        ..Limit::default()
    }
}

type Rows = Vec<(u32, i64)>;

fn rows() -> impl Strategy<Value = Rows> {
    prop::collection::vec((0_u32..23, -20_i64..20), 0..12)
}

fn preparations() -> Vec<Preparation> {
    vec![
        preparation(Arc::new(tims())),
        preparation(apart()),
        preparation(halves()),
    ]
}

fn all() -> &'static [Preparation] {
    static ALL: OnceLock<Vec<Preparation>> = OnceLock::new();
    ALL.get_or_init(preparations)
}

proptest! {
    #[test]
    fn what_if_check_and_apply_have_the_bits_of_a_fresh_margin(start in rows(), trades in rows()) {
        for p in all() {
            let mut live = open(p, &start, 0.0);
            prop_assert_eq!(live.requirement(), fresh(p.prepared.as_ref(), &start));
            let mut book = start.clone();
            for (i, &(c, q)) in trades.iter().enumerate() {
                book.push((c, q));
                let after = fresh(p.prepared.as_ref(), &book);
                let trade = [Trade::new(c, q)];
                prop_assert_eq!(live.what_if(&trade).unwrap().after, after);
                if q != 0 {
                    let d = live.check(&order(&format!("o{i}"), c, q, 1.0), &generous(), None, false);
                    prop_assert!(d.accepted, "{:?}", d);
                    prop_assert_eq!(d.after, after);
                }
                let near = live.margin_after(c, q).unwrap();
                let band = live.band_after(c, q).unwrap();
                prop_assert!((near - after.initial).abs() <= band, "{} {} {}", near, after.initial, band);
                prop_assert_eq!(live.apply(&trade).unwrap(), after);
            }
            let all_at_once: Vec<_> = trades.iter().map(|&(c, q)| Trade::new(c, q)).collect();
            let mut again = open(p, &start, 0.0);
            prop_assert_eq!(again.apply(&all_at_once).unwrap(), live.requirement());
        }
    }

    #[test]
    fn open_orders_are_covered_in_their_worst_case(
        start in rows(), orders in prop::collection::vec((0_u32..23, -3_i64..4, 0_i64..12), 1..4)
    ) {
        for p in all() {
            let mut live = open(p, &start, 1e6);
            let mut open_orders: Vec<(u32, i64, f64)> = Vec::new();
            for (i, &(c, q, price)) in orders.iter().enumerate() {
                if q != 0 {
                    let price = price as f64;
                    live.reserve(&order(&format!("o{i}"), c, q, price)).unwrap();
                    open_orders.push((c, q, price));
                }
            }
            let (worst, coverage) = live.worst_requirement().unwrap();
            let d = live.check(&order("new", 0, 1, 100.0), &Limit { min_excess: Some(-1e15), ..Limit::default() }, None, false);
            // Every partial fill by hand.
            let (mut largest, mut least) = (f64::NEG_INFINITY, f64::INFINITY);
            let mut fills = vec![0_i64; open_orders.len()];
            loop {
                let filled: Vec<_> = open_orders.iter().zip(&fills)
                    .map(|(&(c, q, price), &f)| Trade { price: Some(price), ..Trade::new(c, f * q.signum()) }).collect();
                let mut own = open(p, &start, 1e6);
                largest = largest.max(own.apply(&filled).unwrap().initial);
                own.apply(&[Trade { price: Some(100.0), ..Trade::new(0, 1) }]).unwrap();
                least = least.min(own.excess().unwrap());
                let Some(i) = (0..fills.len()).find(|&i| fills[i] < open_orders[i].1.abs()) else { break };
                fills[i] += 1;
                fills[..i].fill(0);
            }
            let size = 1e-9 * (1e6 + largest.abs());
            let excess = d.excess_after.unwrap();
            if coverage == Coverage::Bound {
                prop_assert!(worst >= largest - size && excess <= least + size);
            } else {
                prop_assert!((worst - largest).abs() <= size, "{:?}: {} {}", coverage, worst, largest);
                prop_assert!((excess - least).abs() <= size, "{:?}: {} {}", coverage, excess, least);
            }
        }
    }

    #[test]
    fn the_largest_quantity_is_that_of_trying_every_one(
        start in rows(), contract in 0_u32..23, buy: bool, room in -3000.0..9000.0_f64, excess in prop::option::of(-4000.0..4000.0_f64),
        price in 0.5..30.0_f64
    ) {
        const MOST: i64 = 60;
        for p in all() {
            let mut live = open(p, &start, 5000.0);
            let limit = Limit {
                max_requirement: Some((live.requirement().initial + room).max(0.0)),
                min_excess: excess.map(|e| live.excess().unwrap() + e),
                ..Limit::default()
            };
            let side = if buy { Side::Buy } else { Side::Sell };
            let pass = |live: &mut LiveAccount, q: i64| match q {
                0 => live.requirement().initial <= limit.max_requirement.unwrap()
                    && limit.min_excess.is_none_or(|e| live.excess().unwrap() >= e),
                _ => {
                    let q = if buy { q } else { -q };
                    live.check(&order("x", contract, q, price), &limit, None, false).accepted
                }
            };
            let every: Vec<bool> = (0..=MOST).map(|q| pass(&mut live, q)).collect();
            let first_break = every.iter().position(|&ok| !ok);
            let expected = match first_break { Some(0) => None, Some(q) => Some(q as i64 - 1), None => Some(MOST) };
            prop_assert_eq!(live.max_quantity(contract, side, &limit, Some(price), 0.0, MOST).unwrap(), expected);
            let complete = every.iter().rposition(|&ok| ok).map(|q| q as i64);
            prop_assert_eq!(live.max_quantity_complete(contract, side, &limit, Some(price), 0.0, MOST).unwrap(), complete);
        }
    }

    #[test]
    fn an_update_has_the_bits_of_a_fresh_preparation(a in 50.0..150.0_f64, b in 50.0..150.0_f64, vol in 0.05..0.9_f64) {
        for p in all() {
            let contracts = p.prepared.contracts();
            let id = contracts.rows()[5].id().to_string();
            let change = MarketChange {
                spot: [("A".to_string(), a), ("B".to_string(), b)].into(),
                vol: [(id, vol)].into(),
                ..MarketChange::default()
            };
            let updated = p.update(&change, 1).unwrap();
            let market = Arc::new(change.apply(p.market.as_ref().unwrap()).unwrap());
            let whole = Preparation::new(p.methodology.clone(), contracts, Some(market), 1).unwrap();
            for c in 0..contracts.len() as u32 {
                let book = [(c, 3), ((c + 7) % 23, -2)];
                prop_assert_eq!(fresh(updated.prepared.as_ref(), &book), fresh(whole.prepared.as_ref(), &book));
            }
        }
    }
}

#[test]
fn an_update_reprices_only_what_moved() {
    let p = preparation(apart());
    let change = |document| serde_json::from_value::<MarketChange>(document).unwrap();
    let moved = p.update(&change(json!({"spot": {"C": 55.0}})), 1).unwrap();
    assert_eq!(moved.repriced, (1, 23));
    let moved = p.update(&change(json!({"spot": {"A": 101.0}})), 1).unwrap();
    assert_eq!(moved.repriced, (11, 23));
    assert!(
        p.update(&change(json!({"spot": {"A": f64::MAX}})), 1)
            .is_err()
    );
}

#[test]
fn a_warm_check_allocates_nothing() {
    let p = preparation(Arc::new(tims()));
    let mut live = open(&p, &[(0, 100), (3, -5), (8, 7), (14, -2)], 1e6);
    for i in 0..4 {
        live.reserve(&order(&format!("open{i}"), 4 + i, -2, 3.0))
            .unwrap();
    }
    let limit = Limit {
        min_excess: Some(0.0),
        throttle: Some((1_000_000, 1.0)),
        max_age: Some(1e9),
        ..generous()
    };
    let orders: Vec<_> = (0..23).map(|c| order("new", c, 2, 1.0)).collect();
    let at = live.money().valuation;
    let round = |live: &mut LiveAccount| {
        for o in &orders {
            assert!(live.check(o, &limit, at, false).accepted);
            live.margin_after(o.contract, 3).unwrap();
            live.what_if(&[Trade::new(o.contract, -1), Trade::new(22, 1)])
                .unwrap();
        }
    };
    for _ in 0..12 {
        round(&mut live);
    }
    // The throttle's queue may still double; everything else is warm.
    let mut least = u64::MAX;
    for _ in 0..3 {
        least = least.min(allocations::count(|| round(&mut live)));
    }
    assert_eq!(least, 0);
}

#[test]
fn a_purchase_that_leaves_the_requirement_alone_is_refused_for_cash() {
    for p in preparations() {
        let contracts = p.prepared.contracts().clone();
        // Far out of the money, at a price its value does not support.
        let call = contracts.index_of("A 2026-12-18 120 call").unwrap();
        let mut live = open(&p, &[], 10_000.0);
        let limit = Limit {
            max_requirement: Some(1e6),
            min_excess: Some(0.0),
            ..Limit::default()
        };
        let d = live.check(&order("1", call, 1000, 5.0), &limit, None, true);
        assert_eq!((d.accepted, d.reason), (false, Reason::MinExcess));
        assert!(d.after.initial < 1e6 && d.excess_after.unwrap() < 0.0);
        let d = live.check(&order("2", call, 1000, 5.0), &generous(), None, true);
        assert!(d.accepted);
    }
}

#[test]
fn every_refusal_has_its_reason_in_a_fixed_order() {
    let p = preparation(apart());
    let mut live = open(&p, &[], 1e5);
    let at = live.money().valuation.unwrap();
    let good = order("g", 0, 10, 100.0);
    let limit = Limit {
        max_requirement: Some(1e5),
        max_age: Some(5.0),
        price_collar: Some(0.1),
        max_quantity: Some(100),
        max_notional: Some(5e4),
        throttle: Some((100, 1.0)),
        ..Limit::default()
    };
    let mut reason =
        |order: &Order, limit: &Limit, now| live.check(order, limit, now, false).reason;
    assert_eq!(reason(&good, &limit, Some(at)), Reason::Accepted);
    let bad = |change: &dyn Fn(&mut Order)| {
        let mut o = good.clone();
        change(&mut o);
        o
    };
    for (o, expected) in [
        (bad(&|o| o.price = f64::NAN), Reason::InvalidOrder),
        (bad(&|o| o.fees = f64::INFINITY), Reason::InvalidOrder),
        (bad(&|o| o.lots = 0), Reason::InvalidOrder),
        (bad(&|o| o.id = String::new()), Reason::InvalidOrder),
        (bad(&|o| o.contract = 99), Reason::UnknownContract),
        (bad(&|o| o.lots = 101), Reason::MaxQuantity),
        (
            bad(&|o| (o.lots, o.price) = (100, 600.0)),
            Reason::MaxNotional,
        ),
        (bad(&|o| o.price = 111.0), Reason::PriceCollar),
        // An option without a mark cannot be held against a collar.
        (
            bad(&|o| (o.contract, o.price) = (5, 1.0)),
            Reason::MissingData,
        ),
    ] {
        assert_eq!(reason(&o, &limit, Some(at)), expected, "{o:?}");
    }
    assert_eq!(reason(&good, &limit, None), Reason::NoTime);
    assert_eq!(reason(&good, &limit, Some(f64::NAN)), Reason::NoTime);
    assert_eq!(reason(&good, &limit, Some(at + 5.1)), Reason::StaleMarket);
    assert_eq!(reason(&good, &limit, Some(at - 5.1)), Reason::StaleMarket);
    assert_eq!(
        reason(&good, &Limit::default(), Some(at)),
        Reason::InvalidLimit
    );
    let tight = Limit {
        max_requirement: Some(1.0),
        ..limit
    };
    assert_eq!(reason(&good, &tight, Some(at)), Reason::MaxRequirement);
    let slow = Limit {
        throttle: Some((0, 1.0)),
        ..limit
    };
    assert_eq!(reason(&good, &slow, Some(at)), Reason::Throttled);
    live.kill();
    assert_eq!(
        live.check(&good, &limit, Some(at), true).reason,
        Reason::Killed
    );
    live.revive();
    assert!(live.check(&good, &limit, Some(at), true).accepted);
    assert_eq!(
        live.check(&good, &limit, Some(at), true).reason,
        Reason::DuplicateOrder
    );
}

#[test]
fn messages_are_idempotent_by_their_ids() {
    let p = preparation(apart());
    let mut live = open(&p, &[], 1e5);
    let sell = order("s", 3, -10, 4.0);
    assert!(live.reserve(&sell).unwrap());
    assert!(!live.reserve(&sell).unwrap());
    assert!(live.reserve(&order("s", 3, -11, 4.0)).is_err());
    let reserved = live.worst_requirement().unwrap().0;
    assert!(reserved > live.requirement().initial);
    assert!(live.fill("s", "e1", 4, 4.0, 1.0).unwrap());
    assert!(!live.fill("s", "e1", 4, 4.0, 1.0).unwrap());
    assert!(live.fill("s", "e1", 5, 4.0, 1.0).is_err());
    assert!(live.fill("s", "e2", 7, 4.0, 0.0).is_err());
    assert_eq!(live.terms().cash["USD"], 1e5 + 1600.0 - 1.0);
    assert!(live.replace("s", &order("t", 3, -2, 4.5)).unwrap());
    assert!(!live.replace("s", &order("t", 3, -2, 4.5)).unwrap());
    assert!(!live.cancel("s").unwrap());
    // A fill that crossed the cancel.
    assert!(live.fill("s", "e3", 6, 4.0, 0.0).unwrap());
    assert!(live.cancel("t").unwrap());
    assert_eq!(live.requirement(), fresh(p.prepared.as_ref(), &[(3, -10)]));
    assert_eq!(
        live.worst_requirement().unwrap().0,
        live.requirement().initial
    );
    assert!(matches!(
        live.fill("u", "e", 1, 1.0, 0.0),
        Err(MarginError::MissingData(_))
    ));
}

#[test]
fn readers_see_the_old_market_or_the_new() {
    let p = preparation(apart());
    let next = p
        .update(
            &serde_json::from_value(json!({"spot": {"A": 110.0}})).unwrap(),
            1,
        )
        .unwrap();
    let book = [(0, 100), (4, -3)];
    let trade = [Trade::new(6, -2)];
    let expected = [&p, &next].map(|p| open(p, &book, 0.0).what_if(&trade).unwrap());
    let live = Mutex::new(open(&p, &book, 0.0));
    let seen: Vec<[u32; 2]> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut counts = [0, 0];
                    for _ in 0..5_000 {
                        let own = live.lock().unwrap().what_if(&trade).unwrap();
                        let which = expected
                            .iter()
                            .position(|e| *e == own)
                            .expect("one or the other");
                        counts[which] += 1;
                    }
                    counts
                })
            })
            .collect();
        for i in 0..2_000 {
            let to = if i % 2 == 0 { &next } else { &p };
            live.lock()
                .unwrap()
                .rebase(to.prepared.clone(), to.money())
                .unwrap();
        }
        readers.into_iter().map(|r| r.join().unwrap()).collect()
    });
    assert_eq!(seen.iter().flatten().sum::<u32>(), 15_000);
    assert_eq!(live.lock().unwrap().epoch(), 2_000);
}

#[test]
fn another_table_is_refused_and_an_extension_accepted() {
    let p = preparation(apart());
    let rows = p.prepared.contracts().rows().to_vec();
    let prepare = |rows: Vec<_>| {
        let contracts = margincore::contract::Contracts::new(rows).unwrap();
        let market = market(&contracts);
        Preparation::new(apart(), &contracts, Some(market), 1).unwrap()
    };
    let short = prepare(rows[..20].to_vec());
    let mut live = open(&short, &[(0, 10), (5, -1)], 0.0);
    let before = live.requirement();
    live.rebase(p.prepared.clone(), p.money()).unwrap();
    assert_eq!(live.requirement(), before);
    assert!(live.rebase(short.prepared.clone(), short.money()).is_err());
    let mut shuffled = rows;
    shuffled.swap(0, 1);
    let other = prepare(shuffled);
    assert!(live.rebase(other.prepared.clone(), other.money()).is_err());
    assert_eq!(live.requirement(), before);
}

#[test]
fn ranking_and_hedging_agree_with_what_if() {
    let p = preparation(Arc::new(tims()));
    let mut live = open(&p, &[(3, -10), (14, 4)], 0.0);
    let candidates: Vec<_> = (0..9_000)
        .map(|i| (i % 23, i64::from(i % 31) - 15))
        .collect();
    let one = live.rank(&candidates, 1).unwrap();
    assert_eq!(one, live.rank(&candidates, 2).unwrap());
    for (&(c, q), &after) in candidates.iter().zip(&one).take(500) {
        assert_eq!(
            live.what_if(&[Trade::new(c, q)]).unwrap().after.initial,
            after
        );
    }
    let hedges = live.hedges(None, 5, 50).unwrap();
    assert_eq!(hedges.len(), 5);
    assert!(
        hedges
            .windows(2)
            .all(|w| w[0].requirement <= w[1].requirement)
    );
    let best = hedges[0];
    assert_eq!(
        live.what_if(&[Trade::new(best.contract, best.lots)])
            .unwrap()
            .after
            .initial,
        best.requirement
    );
    for c in 0..23 {
        for q in [-1, 1, -10, 10] {
            assert!(live.margin_after(c, q).unwrap() >= best.requirement - 1e-6);
        }
    }
}
