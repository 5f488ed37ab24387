//! What every rulebook gets from the seam: equal bits with and without explanation, for any position order and
//! number of threads; combination; errors that name what is wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use margincore::account::{Account, AccountTerms, Accounts, Holdings, Position};
use margincore::combined::{Claim, Combined};
use margincore::contract::{Contract, Contracts};
use margincore::error::MarginError;
use margincore::market::Market;
use margincore::preparation::{MarketChange, Preparation};
use margincore::seam::{Methodology, Prepared, Scratch};
use margincore::tims::Tims;
use proptest::prelude::*;
use serde_json::json;

use crate::contracts::{contract, option};
use crate::toy::Toy;

pub(crate) fn stock(symbol: &str) -> Arc<Contract> {
    contract(json!({"kind": "stock", "underlying": symbol, "currency": "USD"}))
}

pub(crate) fn table() -> Arc<Contracts> {
    let mut rows = vec![stock("A"), stock("B"), stock("C")];
    for (symbol, exercise) in [("A", "european"), ("B", "american")] {
        for strike in [80.0, 90.0, 100.0, 110.0, 120.0] {
            rows.push(option(symbol, "call", strike, exercise));
            rows.push(option(symbol, "put", strike, exercise));
        }
    }
    Contracts::new(rows).unwrap()
}

pub(crate) fn market(contracts: &Contracts) -> Arc<Market> {
    let vol: serde_json::Map<_, _> = contracts
        .rows()
        .iter()
        .filter(|c| c.option().is_some())
        .map(|c| (c.id().to_string(), json!(0.3)))
        .collect();
    let snapshot = json!({
        "valuation": "2026-11-20T16:00:00-05:00", "spot": {"A": 100.0, "B": 101.0, "C": 50.0},
        "rate": {"USD": 0.04}, "vol": vol
    });
    Arc::new(Market::new(serde_json::from_value(snapshot).unwrap()).unwrap())
}

pub(crate) fn prepared(methodology: impl Methodology + 'static) -> Arc<dyn Prepared> {
    let contracts = table();
    let market = market(&contracts);
    Preparation::new(Arc::new(methodology), &contracts, Some(market), 2)
        .unwrap()
        .prepared
}

fn refusal(
    methodology: impl Methodology + 'static,
    market: &dyn Fn(&Contracts) -> Arc<Market>,
) -> MarginError {
    let contracts = table();
    let market = market(&contracts);
    Preparation::new(Arc::new(methodology), &contracts, Some(market), 1)
        .err()
        .unwrap()
}

pub(crate) fn tims() -> Tims {
    Tims::new(&json!({
        "steps": 50,
        "class_groups": {"A": {"product_group": "P"}, "B": {"product_group": "P"}},
        "product_groups": {"P": {"offset": 0.9, "range": {"down": -0.1, "up": 0.2}}},
    }))
    .unwrap()
}

fn check(prepared: &dyn Prepared, rows: &[(u32, i64)]) {
    let terms = AccountTerms::default();
    let bind = |rows: &[(u32, i64)]| {
        let sides = rows
            .iter()
            .map(|&(c, q)| (c, q.max(0), (-q).max(0)))
            .collect();
        Holdings::from_rows(sides, false).unwrap()
    };
    let holdings = bind(rows);
    let view = holdings.view(&terms);
    let report = prepared.margin(view).unwrap();
    assert!(report.adds_up(), "{report:?}");
    let fresh = prepared.requirement(view, &mut Scratch::default()).unwrap();
    assert_eq!(fresh, report.requirement);
    let mut reversed = rows.to_vec();
    reversed.reverse();
    let other = bind(&reversed);
    let shuffled = other.view(&terms);
    let mut warm = Scratch::default();
    for _ in 0..2 {
        assert_eq!(prepared.requirement(shuffled, &mut warm).unwrap(), fresh);
    }
}

proptest! {
    #[test]
    fn every_rulebook_explains_the_very_number_it_gives(rows in prop::collection::vec((0_u32..23, -20_i64..20), 0..12)) {
        let toy = prepared(Toy::new("USD"));
        let stocks: Vec<_> = rows.iter().map(|&(c, q)| (c % 3, q)).collect();
        check(toy.as_ref(), &stocks);
        thread_local! { static TIMS: Arc<dyn Prepared> = prepared(tims()); }
        TIMS.with(|t| check(t.as_ref(), &rows));
    }
}

#[test]
fn batches_do_not_depend_on_threads_or_row_order() {
    let contracts = table();
    let prepared = prepared(tims());
    let (mut account, mut contract, mut quantity) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..40_000_u32 {
        account.push(i.wrapping_mul(2_654_435_761) % 3_000);
        contract.push(i.wrapping_mul(40_503) % 23);
        quantity.push(i64::from(i % 17) - 8);
    }
    let build = |a: &[u32], c: &[u32], q: &[i64]| {
        Accounts::from_columns(&contracts, 3_000, a, c, q, vec![]).unwrap()
    };
    let accounts = build(&account, &contract, &quantity);
    let once = prepared.margin_many(&accounts, 1).unwrap();
    let mut scratch = Scratch::default();
    for a in 0..3_000 {
        let alone = prepared
            .requirement(accounts.view(a), &mut scratch)
            .unwrap();
        let numbers = |i: f64, m: f64, v: f64| [i, m, v].map(f64::to_bits);
        assert_eq!(
            numbers(
                once.initial[a],
                once.maintenance[a],
                once.net_option_value[a]
            ),
            numbers(alone.initial, alone.maintenance, alone.net_option_value)
        );
        assert_eq!(
            once.worst_scenario[a],
            alone.worst_scenario.map_or(-1, |s| s as i32)
        );
    }
    account.reverse();
    contract.reverse();
    quantity.reverse();
    let shuffled = build(&account, &contract, &quantity);
    for threads in [2, 7] {
        let again = prepared.margin_many(&shuffled, threads).unwrap();
        let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&again.initial), bits(&once.initial));
        assert_eq!(bits(&again.maintenance), bits(&once.maintenance));
        assert_eq!(bits(&again.net_option_value), bits(&once.net_option_value));
        assert_eq!(again.worst_scenario, once.worst_scenario);
    }
    assert!(once.initial.iter().all(|m| *m >= 0.0) && once.initial.iter().any(|m| *m > 0.0));
}

/// Columns shorter and longer than the table of contracts are put in order in two ways.
#[test]
fn columns_give_the_accounts_that_rows_give() {
    let contracts = table();
    for positions in [0, 10, 22, 23, 5_000] {
        let row = |i: u32| {
            (
                i.wrapping_mul(2_654_435_761) % 7,
                i.wrapping_mul(40_503) % 23,
                i64::from(i % 5) - 2,
            )
        };
        let rows: Vec<_> = (0..positions).map(row).collect();
        let account: Vec<_> = rows.iter().map(|r| r.0).collect();
        let contract: Vec<_> = rows.iter().map(|r| r.1).collect();
        let quantity: Vec<_> = rows.iter().map(|r| r.2).collect();
        let accounts =
            Accounts::from_columns(&contracts, 9, &account, &contract, &quantity, vec![]).unwrap();
        assert_eq!(accounts.len(), 9);
        for a in 0..9 {
            let own = rows.iter().filter(|r| r.0 == a);
            let sides = own.map(|&(_, c, q)| (c, q.max(0), (-q).max(0))).collect();
            let expected = Holdings::from_rows(sides, false).unwrap();
            let (is, expected) = (accounts.view(a as usize).positions, expected.positions());
            assert_eq!(
                (is.contract, is.quantity),
                (expected.contract, expected.quantity),
                "{positions} positions, account {a}"
            );
        }
    }
}

#[test]
fn a_combination_adds_its_parts_and_refuses_what_none_or_two_claim() {
    let is = |symbol: &'static str| -> Claim { Box::new(move |c| Ok(c.underlying() == symbol)) };
    let not = |symbol: &'static str| -> Claim { Box::new(move |c| Ok(c.underlying() != symbol)) };
    let (whole, part) = (Arc::new(tims()), Arc::new(tims()));
    let both = Combined::new(vec![(is("A"), whole.clone()), (not("A"), part.clone())]).unwrap();
    let combined = prepared(both);
    let alone = prepared(tims());
    let margin = |prepared: &Arc<dyn Prepared>, rows: &[(u32, i64)]| {
        let positions = rows
            .iter()
            .map(|&(c, q)| {
                Position::new(prepared.contracts().rows()[c as usize].clone(), q).unwrap()
            })
            .collect();
        let account = Account {
            positions,
            ..Account::default()
        };
        let holdings = account.bind(prepared.contracts()).unwrap();
        let report = prepared.margin(holdings.view(&account.terms)).unwrap();
        assert!(report.adds_up());
        report
    };
    let together = margin(&combined, &[(0, 10), (1, -10), (3, -2)]);
    let sum = margin(&alone, &[(0, 10), (3, -2)]).requirement.initial
        + margin(&alone, &[(1, -10)]).requirement.initial;
    assert_eq!(together.requirement.initial, sum);
    assert!(together.lines[0].scope.starts_with("OCC TIMS: "));
    check(combined.as_ref(), &[(0, 10), (1, -10), (3, -2), (20, 3)]);

    let gap = Combined::new(vec![(is("A"), whole.clone())]).unwrap();
    let error = refusal(gap, &market);
    assert!(
        matches!(error, MarginError::NotApplicable(_)) && error.message().contains("'B'"),
        "{error}"
    );
    let twice = Combined::new(vec![
        (is("A"), whole.clone()),
        (is("A"), part),
        (not("A"), whole),
    ])
    .unwrap();
    let error = refusal(twice, &market);
    assert!(
        matches!(error, MarginError::InvalidInput(_)) && error.message().contains("parts 0 and 1"),
        "{error}"
    );
}

#[test]
fn what_is_not_quoted_is_named() {
    let gaps = |contracts: &Contracts| {
        let mut snapshot = market(contracts).snapshot().clone();
        let mut vol = (*snapshot.vol).clone();
        vol.remove("A 2026-12-18 100 put");
        snapshot.vol = vol.into();
        snapshot.spot.remove("C");
        Arc::new(Market::new(snapshot).unwrap())
    };
    let error = refusal(tims(), &gaps);
    assert!(matches!(error, MarginError::MissingData(_)), "{error}");
    assert!(
        error.message().contains("C, A 2026-12-18 100 put"),
        "{error}"
    );
}

/// A table is placed once for a date, whatever markets follow, and again on the next.
#[test]
fn a_table_is_placed_once_a_date() {
    let toy = Arc::new(Toy::new("USD"));
    let contracts = Contracts::new(vec![stock("A"), stock("B"), stock("C")]).unwrap();
    let market = market(&contracts);
    let counted = || toy.resolved.load(Ordering::Relaxed);
    let first = Preparation::new(toy.clone(), &contracts, Some(market.clone()), 1).unwrap();
    let mut change = MarketChange {
        spot: [("A".to_string(), 90.0)].into(),
        ..MarketChange::default()
    };
    let moved = first.update(&change, 1).unwrap();
    assert_eq!((counted(), moved.repriced), (1, (1, 3)));
    change.valuation = Some("2026-11-20T20:00:00-05:00".into());
    assert_eq!(moved.update(&change, 1).unwrap().repriced, (0, 3));
    assert_eq!(counted(), 1);
    change.valuation = Some("2026-11-21T00:00:00-05:00".into());
    moved.update(&change, 1).unwrap();
    assert_eq!(counted(), 2);
}

/// A combination asks who claims a contract once, not at every market.
#[test]
fn a_combination_asks_once_per_contract_and_part() {
    let asked = Arc::new(AtomicUsize::new(0));
    let claim = |own: &'static str| -> Claim {
        let asked = asked.clone();
        Box::new(move |c| {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok((c.underlying() == "A") == (own == "A"))
        })
    };
    let both = Combined::new(vec![
        (claim("A"), Arc::new(tims())),
        (claim("rest"), Arc::new(tims())),
    ])
    .unwrap();
    let contracts = table();
    let market = market(&contracts);
    let first = Preparation::new(Arc::new(both), &contracts, Some(market.clone()), 1).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2 * contracts.len());
    first.with_market(market, 1).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2 * contracts.len());
}

/// The toy's own live account answers from its sums, within its band of a fresh margin.
#[test]
fn a_rulebook_from_outside_keeps_an_account_of_its_own() {
    let prepared = prepared(Toy::new("USD"));
    let terms = AccountTerms::default();
    let held = Holdings::from_rows(vec![(0, 7, 0), (1, 0, 3), (2, 11, 0)], false).unwrap();
    let view = held.view(&terms);
    let mut live = prepared.clone().live();
    let kept = live.keep(view).unwrap();
    assert_eq!(
        kept,
        prepared.requirement(view, &mut Scratch::default()).unwrap()
    );
    for (contract, lots) in [(0, -9), (1, 5), (2, 1), (2, -30)] {
        let estimate = live.after(view, contract, lots).unwrap();
        let mut next = held.clone();
        next.trade(contract, lots, None).unwrap();
        let next = next.view(&terms);
        let fresh = live.requirement(next, &[contract]).unwrap().initial;
        assert!(estimate.band > 0.0 && (estimate.initial - fresh).abs() <= estimate.band);
    }
    assert!(live.is_convex(0));
}
