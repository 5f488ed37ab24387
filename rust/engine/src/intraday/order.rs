//! The order of a day's transactions that gives the lowest level right after one that lowers it.
//!
//! Whatever the order, a transaction is preceded by some set of the others. So the lowest level is found over pairs of a set
//! and the transaction after it, and no permutation is looked at. Transactions whose order is known leave stages, in each of
//! which those of one place, and all without a time, are free. The requirement is the sum of its parts', so that each part's
//! sets are searched alone: the lowest level is the lowest of one part right after its own transaction, with every other part
//! at its lowest.

use std::collections::BTreeMap;

use super::ledger::Ledger;
use super::part::{Found, Part};
use super::transaction::Transaction;
use kernel::error::Result;

/// A transaction after a set of others, and the level right after it.
struct Candidate {
    level: f64,
    stage: usize,
    set: Vec<usize>,
    last: usize,
}

/// The order, and the level that no order falls below where that is not the order's own.
pub(super) fn worst(
    mut ledger: Ledger<'_>,
    transactions: &[Transaction],
    separated: bool,
) -> Result<(Vec<usize>, Option<f64>)> {
    let mut places: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut untimed = Vec::new();
    for (number, transaction) in transactions.iter().enumerate() {
        match transaction.place {
            Some(place) => places.entry(place).or_default().push(number),
            None => untimed.push(number),
        }
    }
    let mut stages: Vec<Vec<usize>> = places.into_values().collect();
    if untimed.is_empty() && stages.iter().all(|stage| stage.len() == 1) {
        return Ok((stages.concat(), None));
    }
    if stages.is_empty() {
        stages.push(Vec::new());
    }
    let mut best: Option<Candidate> = None;
    let mut bound: Option<f64> = None;
    for (stage, own) in stages.iter().enumerate() {
        let free: Vec<usize> = own.iter().chain(&untimed).copied().collect();
        let mut markets: Vec<usize> = free.iter().map(|&i| transactions[i].market).collect();
        markets.sort_unstable();
        markets.dedup();
        for market in markets {
            let (found, limit) = lowest(&mut ledger, transactions, &free, market, separated)?;
            if let Some(limit) = limit {
                bound = Some(bound.map_or(limit, |least| least.min(limit)));
            }
            if let Some((level, set, last)) = found
                && best.as_ref().is_none_or(|best| level < best.level)
            {
                best = Some(Candidate {
                    level,
                    stage,
                    set,
                    last,
                });
            }
        }
        for &number in own {
            ledger.step(number, &transactions[number])?;
        }
    }
    let order = match best {
        Some(best) => arranged(&stages, &untimed, &best),
        None => stages.concat().into_iter().chain(untimed).collect(),
    };
    Ok((order, bound))
}

/// Stages in turn; at the candidate's, its set before it and everything else after.
fn arranged(stages: &[Vec<usize>], untimed: &[usize], best: &Candidate) -> Vec<usize> {
    let mut order: Vec<usize> = stages[..best.stage].concat();
    order.extend(&best.set);
    order.push(best.last);
    let rest = stages[best.stage..].iter().flatten().chain(untimed);
    let placed: std::collections::BTreeSet<usize> = order.iter().copied().collect();
    order.extend(rest.filter(|number| !placed.contains(number)));
    order
}

/// A level right after a transaction, the set before it, and the transaction.
type Lowest = (f64, Vec<usize>, usize);

/// Over sets of free transactions and one of a market after them: the lowest level right after one that lowers it, and the
/// level that none falls below where that is not the one found.
fn lowest(
    ledger: &mut Ledger<'_>,
    transactions: &[Transaction],
    free: &[usize],
    market: usize,
    separated: bool,
) -> Result<(Option<Lowest>, Option<f64>)> {
    ledger.go(market)?;
    let account = &mut ledger.account;
    let base = account.level()?.margin();
    let mut found: Vec<Found> = Vec::new();
    for part in Part::of(account, transactions, free, separated)? {
        found.push(part.search(account, transactions, market)?);
    }
    let together: f64 = found.iter().map(|own| own.low.0).sum();
    let bound_together: f64 = found.iter().map(|own| own.low_bound).sum();
    let mut best: Option<(f64, usize)> = None;
    let mut bound = f64::INFINITY;
    for (i, own) in found.iter().enumerate() {
        if let Some((level, ..)) = &own.last {
            let level = base + level + (together - own.low.0);
            if best.is_none_or(|(least, _)| level < least) {
                best = Some((level, i));
            }
        }
        let level = base + own.last_bound + (bound_together - own.low_bound);
        bound = bound.min(level);
    }
    let is_exact = found.iter().all(|own| own.is_exact);
    let lowest = best.map(|(level, i)| {
        let mut set = Vec::new();
        for (j, own) in found.iter().enumerate() {
            match &own.last {
                Some((_, before, _)) if i == j => set.extend(before),
                _ => set.extend(&own.low.1),
            }
        }
        set.sort_unstable();
        let last = found[i].last.as_ref().map_or(0, |&(_, _, last)| last);
        (level, set, last)
    });
    Ok((lowest, (!is_exact && bound.is_finite()).then_some(bound)))
}
