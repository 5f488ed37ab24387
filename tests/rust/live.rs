//! The live account against fresh margins: every answer that promises a fresh margin's bits has them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use margincore::MarginError;
use margincore::account::{Account, AccountTerms, Holdings, Position};
use margincore::combined::Combined;
use margincore::live::{Limit, LiveAccount, Order, Reason, Side, Trade};
use margincore::preparation::{MarketChange, Preparation};
use margincore::registry;
use margincore::report::{Requirement, amount_text};
use margincore::seam::{Methodology, Prepared, Scratch};
use margincore::tims::Tims;
use serde_json::json;

use crate::accounts::{self, Sequence};
use crate::allocations;
use crate::seam::{market, table, tims};
use crate::soak::soak;

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
        }) as margincore::combined::Claim
    };
    Arc::new(Combined::new(vec![(of("A"), Arc::new(tims())), (of("B"), apart())]).unwrap())
}

pub(crate) fn account(preparation: &Preparation, rows: &[(u32, i64)], cash: f64) -> Account {
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

pub(crate) fn open(preparation: &Preparation, rows: &[(u32, i64)], cash: f64) -> LiveAccount {
    LiveAccount::open(
        preparation.prepared.clone(),
        preparation.money(),
        &account(preparation, rows, cash),
        BTreeMap::new(),
    )
    .unwrap()
}

pub(crate) fn fresh(prepared: &dyn Prepared, rows: &[(u32, i64)]) -> Requirement {
    let sides = rows
        .iter()
        .map(|&(c, q)| (c, q.max(0), (-q).max(0)))
        .collect();
    let holdings = Holdings::from_rows(sides, false).unwrap();
    let terms = AccountTerms::default();
    prepared
        .requirement(holdings.view(&terms), &mut Scratch::default())
        .unwrap()
}

pub(crate) fn order(id: &str, contract: u32, lots: i64, price: f64) -> Order {
    Order {
        id: id.into(),
        contract,
        side: if lots > 0 { Side::Buy } else { Side::Sell },
        lots: lots.abs(),
        price,
        fees: 0.0,
        effect: None,
        all_or_none: false,
        unfit: None,
    }
}

pub(crate) fn generous() -> Limit {
    Limit {
        max_requirement: Some(1e15),
        ..Limit::default()
    }
}

/// A rulebook by name over the same table, options quoted as well.
fn quoted(name: &str, document: serde_json::Value) -> Preparation {
    let contracts = table();
    let base = market(&contracts);
    let price = contracts
        .rows()
        .iter()
        .filter_map(|c| c.option().map(|o| (c, o.strike)))
        .map(|(c, strike)| {
            let call = c.id().ends_with("call");
            let intrinsic = if call { 100.0 - strike } else { strike - 100.0 };
            (c.id().to_string(), intrinsic.max(0.0) + 2.5)
        })
        .collect();
    let change = MarketChange {
        price,
        ..MarketChange::default()
    };
    let methodology = registry::build(name, &document, &Default::default()).unwrap();
    let market = Arc::new(change.apply(&base).unwrap());
    Preparation::new(methodology, &contracts, Some(market), 1).unwrap()
}

fn reg_t(pairing: &str) -> Preparation {
    let equity = json!({"class": "equity"});
    let document =
        json!({"pairing": pairing, "underlyings": {"A": equity, "B": equity, "C": equity}});
    quoted("reg-t", document)
}

fn span_like() -> Preparation {
    let ranges = json!({"price_scan": 0.06, "vol_scan": 0.25, "short_option_minimum": 20.0, "calendar_charge": 30.0});
    let document =
        json!({"american_model": "W", "underlyings": {"A": ranges, "B": ranges, "C": ranges}});
    quoted("span-like", document)
}

/// One of every rulebook whose market this table can be margined under, and combinations.
pub(crate) fn preparations() -> Vec<Preparation> {
    vec![
        preparation(Arc::new(tims())),
        preparation(apart()),
        preparation(halves()),
        reg_t("optimal"),
        reg_t("greedy"),
        span_like(),
    ]
}

#[test]
fn quotes_do_not_outlive_the_spot_they_belong_to() {
    let p = reg_t("optimal");
    let option = 5;
    let id = p.prepared.contracts().rows()[option].id();
    let update = |document| {
        p.update(
            &serde_json::from_value::<MarketChange>(document).unwrap(),
            1,
        )
    };
    let refused = |document| match update(document) {
        Err(MarginError::MissingData(text)) => text,
        _ => panic!("not refused"),
    };
    assert!(
        refused(json!({"spot": {"A": 101.0}}))
            .to_string()
            .contains("quoted price")
    );
    assert!(
        refused(json!({"spot": {"A": 101.0}, "price": {id: 7.0}}))
            .to_string()
            .contains("and"),
        "one new price is not all of them"
    );
    assert!(update(json!({"spot": {"A": 101.0}, "marks": "keep"})).is_ok());
    let same = p.market.as_ref().unwrap().spot("A").unwrap();
    assert!(update(json!({"spot": {"A": same}})).is_ok());
    assert!(update(json!({"price": {id: 7.0}})).is_ok());
    assert!(update(json!({"vol": {id: 0.4}})).is_ok());
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
fn a_warm_question_to_span_allocates_nothing() {
    let world = accounts::span();
    let mut live = world.open();
    let orders: Vec<_> = (0..world.rows()).map(|c| order("new", c, 2, 1.0)).collect();
    let round = |live: &mut LiveAccount| {
        for o in &orders {
            assert!(live.check(o, &generous(), None, false).accepted);
            live.what_if(&[Trade::new(o.contract, -1)]).unwrap();
        }
    };
    round(&mut live);
    assert_eq!(allocations::count(|| round(&mut live)), 0);
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
        max_quantity: Some(100.0),
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
fn a_refusal_says_which_numbers_decided() {
    let p = preparation(apart());
    let mut live = open(&p, &[], 1e5);
    let at = live.money().valuation.unwrap();
    let good = order("g", 0, 10, 100.0);
    let generous = generous();
    type Change = fn(&mut Limit, &mut Order);
    let cases: [(Change, Option<f64>, &str); 6] = [
        (
            |limit, _| limit.max_age = Some(5.0),
            Some(at + 6.0),
            "max_age: 6 seconds between the market and now are above the limit of 5",
        ),
        (
            |limit, _| limit.max_age = Some(5.0),
            None,
            "max_age needs now, which was not given",
        ),
        (
            |limit, _| limit.throttle = Some((0, 2.5)),
            Some(at),
            "throttle: one message more is above the limit of 0 in 2.5 seconds",
        ),
        (
            |limit, order| (limit.max_quantity, order.lots) = (Some(100.0), 101),
            None,
            "max_quantity: 101 contracts are above the limit of 100",
        ),
        (
            |limit, order| (limit.max_notional, order.price) = (Some(5e3), 600.0),
            None,
            "max_notional: 6,000.00 is above the limit of 5,000.00",
        ),
        (
            |limit, order| (limit.price_collar, order.price) = (Some(0.1), 111.0),
            None,
            "price_collar: 11.00 is above the limit of 10.00 from the mark of 100",
        ),
    ];
    for (change, now, message) in cases {
        let (mut limit, mut order) = (generous, good.clone());
        change(&mut limit, &mut order);
        assert_eq!(live.check(&order, &limit, now, false).message, message);
    }
    let limit = Limit {
        max_requirement: Some(1.0),
        ..Limit::default()
    };
    let refused = live.check(&good, &limit, None, false);
    let worst = amount_text(refused.worst);
    assert_eq!(
        refused.message,
        format!("max_requirement: {worst} is above the limit of 1.00")
    );
    // Amounts that print alike are printed to the last digit.
    let just = refused.worst.next_down();
    let limit = Limit {
        max_requirement: Some(just),
        ..Limit::default()
    };
    assert_eq!(
        live.check(&good, &limit, None, false).message,
        format!(
            "max_requirement: {} is above the limit of {just}",
            refused.worst
        )
    );
    let limit = Limit {
        min_excess: Some(1e6),
        ..Limit::default()
    };
    let refused = live.check(&good, &limit, None, false);
    let excess = amount_text(refused.excess_after.unwrap());
    assert_eq!(
        refused.message,
        format!("min_excess: {excess} is below the limit of 1,000,000.00")
    );
    assert_eq!(live.check(&good, &generous, None, true).message, "");
    live.kill();
    assert!(!live.check(&good, &generous, None, true).message.is_empty());
    live.revive();
    let again = live.check(&good, &generous, None, true);
    assert_eq!(again.message, "order 'g' is known already");
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

#[test]
fn a_short_soak_differs_from_no_fresh_margin() {
    let world = accounts::tims();
    let seen = soak(&world, "SPX", 4500.0, Duration::from_secs(2));
    assert_eq!(seen.differences, 0, "{seen:?}");
    assert!(seen.compared > 2 && seen.updates > 2, "{seen:?}");
    // Other rulebooks have no market to move here: their questions are compared all the same.
    for world in [accounts::span(), accounts::reg_t()] {
        let mut live = world.open();
        let mut sequence = Sequence(3);
        for _ in 0..200 {
            let (contract, lots) = sequence.trade(world.rows());
            let trade = [Trade::new(contract, lots)];
            let after = live.what_if(&trade).unwrap().after;
            live.apply(&trade).unwrap();
            assert_eq!(live.report().unwrap().requirement, after);
        }
    }
}
