//! Random accounts, trades, orders and markets: the live account against fresh margins and brute force.

use std::sync::{Arc, OnceLock};

use margincore::live::{Coverage, Limit, LiveAccount, Order, Side, Trade};
use margincore::preparation::{MarketChange, Marks, Preparation};
use proptest::prelude::*;

use crate::accounts;
use crate::live::{fresh, generous, open, order, preparations};

type Rows = Vec<(u32, i64)>;

fn rows() -> impl Strategy<Value = Rows> {
    prop::collection::vec((0_u32..23, -20_i64..20), 0..12)
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
            let complete_only = Limit { complete_only: true, ..limit };
            let complete = (1..=MOST).rev().find(|&q| {
                let q = if buy { q } else { -q };
                live.check(&order("x", contract, q, price), &complete_only, None, false).accepted
            });
            let complete = complete.or(every[0].then_some(0));
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
                marks: Marks::Keep,
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

/// The largest requirement and the least excess over every way open orders may fill, margined by hand.
fn over_fills(
    p: &Preparation,
    start: &Rows,
    first: Trade,
    orders: &[(u32, i64, f64)],
) -> (f64, f64) {
    let (mut largest, mut least) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut fills = vec![0_i64; orders.len()];
    loop {
        let mut own = open(p, start, 1e5);
        let filled = orders.iter().zip(&fills).map(|(&(c, q, price), &f)| Trade {
            price: Some(price),
            ..Trade::new(c, f * q.signum())
        });
        let trades: Vec<_> = std::iter::once(first).chain(filled).collect();
        largest = largest.max(own.apply(&trades).unwrap().initial);
        least = least.min(own.excess().unwrap());
        let Some(i) = (0..fills.len()).find(|&i| fills[i] < orders[i].1.abs()) else {
            return (largest, least);
        };
        fills[i] += 1;
        fills[..i].fill(0);
    }
}

/// A check beside margins of every part an order may fill in. Counted: parts that need more than both no fill and the
/// complete one; a rulebook that says its requirement is convex has none.
#[test]
fn a_check_judges_every_part_an_order_may_fill_in() {
    let mut counted = Vec::new();
    for p in all() {
        let (mut inside, mut below) = (0, 0);
        for seed in 0..400 {
            let mut draw = accounts::Sequence(seed);
            let rows = 23;
            let start: Rows = (0..6)
                .map(|_| (draw.next(rows) as u32, draw.next(17) as i64 - 8))
                .collect();
            let orders: Vec<(u32, i64, f64)> = (0..seed % 3)
                .map(|_| (draw.next(rows) as u32, 2 * draw.next(2) as i64 - 1, 8.0))
                .collect();
            let contract = draw.next(rows) as u32;
            let lots = (2 + draw.next(9) as i64) * (2 * draw.next(2) as i64 - 1);
            let (price, fees) = (draw.next(20) as f64, draw.next(9) as f64 - 2.0);
            let mut live = open(p, &start, 1e5);
            for (i, &(c, q, price)) in orders.iter().enumerate() {
                live.reserve(&order(&format!("o{i}"), c, q, price)).unwrap();
            }
            let new = Order {
                fees,
                ..order("new", contract, lots, price)
            };
            let limit = Limit {
                max_requirement: Some(1e15),
                min_excess: Some(-1e15),
                ..Limit::default()
            };
            let decision = live.check(&new, &limit, None, false);
            let fills: Vec<_> = (0..=new.lots)
                .map(|f| {
                    let part = Trade {
                        price: Some(price),
                        fees: fees * f as f64 / new.lots as f64,
                        ..Trade::new(contract, f * lots.signum())
                    };
                    over_fills(p, &start, part, &orders)
                })
                .collect();
            let (none, all) = (fills[0], fills[fills.len() - 1]);
            let size = 1e-9 * (1e5 + all.0.abs());
            // Parts that need as much as no fill at all may count or not: rounding decides.
            let expected = |tie: f64| {
                fills[1..]
                    .iter()
                    .fold(all, |(most, least), &(requirement, excess)| {
                        let counts = requirement > none.0 + tie;
                        let drains = excess < none.1 - tie;
                        (
                            if counts { most.max(requirement) } else { most },
                            if drains { least.min(excess) } else { least },
                        )
                    })
            };
            let (low, high) = (expected(size), expected(-size));
            let excess = decision.excess_after.unwrap();
            assert!(
                decision.worst >= low.0 - size && excess <= low.1 + size,
                "{decision:?} {low:?}"
            );
            if decision.coverage != Coverage::Bound {
                assert!(
                    decision.worst <= high.0 + size && excess >= high.1 - size,
                    "{decision:?} {high:?}"
                );
            }
            inside += u32::from(low.0 > none.0.max(all.0) + size);
            below += u32::from(low.1 < none.1.min(all.1) - size);
            let complete = live.check(
                &new,
                &Limit {
                    complete_only: true,
                    ..limit
                },
                None,
                false,
            );
            let whole = live.check(
                &Order {
                    all_or_none: true,
                    unfit: None,
                    ..new
                },
                &limit,
                None,
                false,
            );
            assert_eq!(complete.worst, whole.worst);
            assert_eq!(complete.excess_after, whole.excess_after);
            if complete.coverage != Coverage::Bound {
                assert!((complete.worst - all.0).abs() <= size);
            }
        }
        counted.push((p.methodology.name().to_string(), inside, below));
    }
    println!("parts that need more than both ends, of 400: {counted:?}");
    assert!(counted.iter().any(|c| c.1 > 0) && counted.iter().any(|c| c.2 > 0));
}

#[test]
fn random_trade_sequences_have_the_bits_of_fresh_margins() {
    let mut compared = 0_u64;
    for world in [accounts::tims(), accounts::span(), accounts::reg_t()] {
        let prepared = &world.preparation.prepared;
        for seed in 0..8 {
            let mut sequence = accounts::Sequence(seed);
            let mut live = world.open();
            // Small accounts too: the first steps of one that has nothing.
            if seed % 2 == 0 {
                live = open(&world.preparation, &[], 1e9);
            }
            for _ in 0..60 {
                let count = 1 + sequence.next(4) as usize;
                let trades: Vec<_> = (0..count)
                    .map(|_| sequence.trade(world.rows()))
                    .map(|(c, lots)| Trade::new(c, lots))
                    .collect();
                let after = live.what_if(&trades).unwrap().after;
                assert_eq!(live.apply(&trades).unwrap(), after);
                assert_eq!(live.report().unwrap().requirement, after);
                let positions = live.view().positions;
                let book: Vec<_> = (0..positions.len())
                    .map(|i| (positions.contract[i], positions.net(i)))
                    .collect();
                assert_eq!(fresh(prepared.as_ref(), &book), after);
                compared += 1;
            }
        }
    }
    println!("{compared} random trades in sequence, each with the bits of a fresh margin");
    assert_eq!(compared, 3 * 8 * 60);
}
