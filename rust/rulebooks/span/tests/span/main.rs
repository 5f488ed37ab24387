//! SPAN on a file with every kind of spread: no allocation once warm, equal bits in every form.

use std::sync::Arc;

use engine::account::{AccountTerms, Accounts, Holdings};
use engine::contract::{Contract, Contracts};
use engine::preparation::Preparation;
use engine::seam::{Prepared, Scratch};
use margincore_span::{Options, Span, container, contracts};

#[path = "../../../../../tests/rust/allocations.rs"]
mod allocations;
mod files;
mod fuzz;

fn prepared() -> Arc<dyn Prepared> {
    let file = container::parse(files::spn(), "ours.spn").unwrap();
    let rows = (0..file.contracts.len())
        .map(|row| Arc::new(Contract::new(contracts::terms(&file, row)).unwrap()));
    let table = Contracts::new(rows.collect()).unwrap();
    let span = Span::new(file, Options::default(), None).unwrap();
    Preparation::new(Arc::new(span), &table, None, 1)
        .unwrap()
        .prepared
}

/// Long and short of both commodities, options of both rights, the combination; net or with its sides apart.
fn book(prepared: &dyn Prepared, gross: bool) -> Holdings {
    let sign = |i: usize| if i.is_multiple_of(2) { 1 } else { -1 };
    let rows = (0..prepared.contracts().len()).map(|i| {
        let lots = sign(i) * (1 + i as i64 % 4);
        (i as u32, lots.max(0), (-lots).max(0))
    });
    Holdings::from_rows(rows.collect(), gross).unwrap()
}

#[test]
fn a_warm_requirement_allocates_nothing() {
    let prepared = prepared();
    let terms = AccountTerms::default();
    for gross in [false, true] {
        let holdings = book(&*prepared, gross);
        let view = holdings.view(&terms);
        let mut scratch = Scratch::default();
        let first = prepared.requirement(view, &mut scratch).unwrap();
        let mut again = first;
        let allocations = allocations::count(|| {
            for _ in 0..10 {
                again = prepared.requirement(view, &mut scratch).unwrap();
            }
        });
        assert_eq!(allocations, 0, "gross: {gross}");
        assert_eq!(again, first);
        let report = prepared.margin(view).unwrap();
        assert!(report.adds_up());
        assert_eq!(report.requirement, first);
        let spreads = if gross {
            &report.details["short"]["spreads"]
        } else {
            &report.details["spreads"]
        };
        let formed = spreads.as_array().unwrap();
        assert!(
            formed.iter().any(|s| s["scanning"] == true),
            "the book forms a scanning-based spread: {spreads}"
        );
    }
}

/// Parts of `details` that are sums of what was charged.
fn check_explained(side: &serde_json::Value) {
    let number = |v: &serde_json::Value| v.as_f64().unwrap();
    let sum = |list: &serde_json::Value, field: &str| {
        let rows = list.as_array().unwrap();
        rows.iter().fold(0.0, |sum, row| sum + number(&row[field]))
    };
    for (code, cc) in side["commodities"].as_object().unwrap() {
        let own = &cc["nReq"];
        assert_eq!(
            sum(&own["pd"], "drs"),
            number(&cc["delivery_spread"]),
            "{code}"
        );
        assert_eq!(
            sum(&own["pd"], "dro"),
            number(&cc["delivery_outright"]),
            "{code}"
        );
        assert_eq!(sum(&own["somtr"], "som"), number(&cc["som"]), "{code}");
        let formed = |group: &str| {
            let spreads = side["spreads"].as_array().unwrap().iter();
            let legs = spreads
                .filter(|s| s["group"] == group && s["scanning"] != true)
                .flat_map(|s| s["legs"].as_array().unwrap());
            legs.filter(|leg| leg["commodity"] == *code)
                .fold(0.0, |sum, leg| sum + number(&leg["amount"]))
        };
        assert_eq!(formed("intra"), number(&cc["intra"]), "{code}");
    }
}

#[test]
fn what_is_explained_is_what_is_charged() {
    let prepared = prepared();
    let terms = AccountTerms::default();
    for gross in [false, true] {
        let holdings = book(&*prepared, gross);
        let view = holdings.view(&terms);
        let report = prepared.margin(view).unwrap();
        let sides = match gross {
            false => vec![&report.details],
            true => vec![&report.details["long"], &report.details["short"]],
        };
        for side in sides {
            check_explained(side);
        }
        let charged = |component: &str| {
            let lines = report.lines.iter().filter(|l| l.component == component);
            lines.map(|l| l.initial).sum::<f64>()
        };
        assert!(charged("delivery") > 0.0 && charged("intra_commodity") > 0.0);
    }
}

#[test]
fn batches_are_single_requirements() {
    let prepared = prepared();
    let holdings = book(&*prepared, false);
    let positions = holdings.positions();
    let accounts: Vec<u32> = (0..50).flat_map(|a| vec![a; positions.len()]).collect();
    let columns = Accounts::from_columns(
        prepared.contracts(),
        50,
        &accounts,
        &positions.contract.repeat(50),
        &positions.quantity.repeat(50),
        vec![AccountTerms::default()],
    )
    .unwrap();
    let alone = prepared
        .requirement(columns.view(7), &mut Scratch::default())
        .unwrap();
    for threads in [1, 3] {
        let batch = prepared.margin_many(&columns, threads).unwrap();
        assert!(batch.initial.iter().all(|v| *v == alone.initial));
        assert!(batch.maintenance.iter().all(|v| *v == alone.maintenance));
    }
}
