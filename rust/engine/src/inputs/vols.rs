//! Volatilities implied by closing marks.

use std::collections::BTreeMap;

use super::{Inputs, Model, NoVol, OPEN, Valuation};
use crate::cells;
use crate::contract::Contracts;
use kernel::error::{MarginError, Result};
use kernel::fail;
use kernel::pricing::implied::{self, PriceColumns, Status};

/// An option whose mark no volatility reprices, and why.
struct Refused {
    option: usize,
    why: String,
}

/// Fills the open volatilities from the marks, with the model that will reprice them.
pub(super) fn imply(
    valuation: Valuation,
    contracts: &Contracts,
    inputs: &mut Inputs,
) -> Result<()> {
    let mut open: Vec<usize> = Vec::new();
    for option in 0..inputs.options.len() {
        if inputs.options.vol[option] != OPEN {
            continue;
        }
        if inputs.options.years[option] > 0.0 {
            open.push(option);
        } else {
            // At expiry there is no volatility to imply; the intrinsic value needs none.
            inputs.options.vol[option] = 0.0;
        }
    }
    let mut refused = Vec::new();
    let of = |model: Model| -> Vec<usize> {
        let own = |&&option: &&usize| inputs.models[option] == model;
        open.iter().filter(own).copied().collect()
    };
    let (european, mut american) = (of(Model::European), of(Model::American));
    // An expiry's options share boundaries.
    american.sort_by_key(|&option| (inputs.term[option], option));
    for &option in &open {
        if inputs.models[option] == Model::Tree {
            match inputs.tree(option).implied_vol(mark(inputs, option)) {
                Ok(vol) => inputs.options.vol[option] = vol,
                Err(e) => refused.push(Refused {
                    option,
                    why: e.message().to_string(),
                }),
            }
        }
    }
    columns(inputs, &european, &mut refused, |o, vol, status| {
        implied::black(o, vol, status);
        Ok(())
    })?;
    columns(inputs, &american, &mut refused, cells::american_implied_vol)?;
    refused.sort_by_key(|r| r.option);
    match valuation.no_vol {
        NoVol::Refuse => refuse(contracts, inputs, &refused),
        NoVol::Borrow => borrow(valuation, contracts, inputs, &refused),
    }
}

fn mark(inputs: &Inputs, option: usize) -> f64 {
    inputs.options.base[option].expect("a vol is open only beside a mark")
}

/// Implies the vols of some options at once.
fn columns(
    inputs: &mut Inputs,
    options: &[usize],
    refused: &mut Vec<Refused>,
    imply: impl Fn(&PriceColumns<'_>, &mut [f64], &mut [Status]) -> Result<()>,
) -> Result<()> {
    let o = &inputs.options;
    let column = |from: &[f64]| -> Vec<f64> { options.iter().map(|&i| from[i]).collect() };
    let mut vol = vec![0.0; options.len()];
    let mut status = vec![Status::Ok; options.len()];
    let columns = PriceColumns {
        price: &options.iter().map(|&i| mark(inputs, i)).collect::<Vec<_>>(),
        spot: &column(&o.spot),
        strike: &column(&o.strike),
        years: &column(&o.years),
        rate: &column(&o.rate),
        dividend_yield: &column(&o.dividend_yield),
        right: &options.iter().map(|&i| o.right[i]).collect::<Vec<_>>(),
    };
    imply(&columns, &mut vol, &mut status)?;
    for ((&option, vol), status) in options.iter().zip(vol).zip(status) {
        if status == Status::Ok {
            inputs.options.vol[option] = vol;
        } else {
            let why = status.message().to_string();
            refused.push(Refused { option, why });
        }
    }
    Ok(())
}

fn refuse(contracts: &Contracts, inputs: &Inputs, refused: &[Refused]) -> Result<()> {
    let Some(first) = refused.first() else {
        return Ok(());
    };
    let (o, i) = (&inputs.options, first.option);
    let more = match refused.len() - 1 {
        0 => String::new(),
        n => format!(", and {n} more"),
    };
    fail!(
        InvalidInput,
        "contracts row {}: '{}': no volatility reprices its mark {} (spot {}, strike {}, {} days): {}{more}; correct the mark, give market.vol, or choose no_vol=\"borrow\"",
        o.contract[i],
        contracts.rows()[o.contract[i] as usize].id(),
        mark(inputs, i),
        o.spot[i],
        o.strike[i],
        inputs.terms[inputs.term[i] as usize].days,
        first.why
    );
}

/// The volatility of the other right at the same strike, else of the nearest strike of the expiry, else the floor.
fn borrow(
    valuation: Valuation,
    contracts: &Contracts,
    inputs: &mut Inputs,
    refused: &[Refused],
) -> Result<()> {
    if refused.is_empty() {
        return Ok(());
    }
    let mut lenders: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for refused in refused {
        lenders.entry(inputs.term[refused.option]).or_default();
    }
    for (option, term) in inputs.term.iter().enumerate() {
        if inputs.options.vol[option] != OPEN
            && let Some(list) = lenders.get_mut(term)
        {
            list.push(option);
        }
    }
    let mut found = Vec::with_capacity(refused.len());
    for Refused { option, .. } in refused {
        let o = &inputs.options;
        let distance = |&lender: &usize| (o.strike[lender] - o.strike[*option]).abs();
        let nearest = lenders[&inputs.term[*option]]
            .iter()
            .copied()
            .min_by(|a, b| {
                // Of one distance the same right, then the first row: the other right where the strike is the same.
                let other = |&l: &usize| o.right[l] != o.right[*option];
                distance(a)
                    .total_cmp(&distance(b))
                    .then(other(a).cmp(&other(b)))
                    .then(a.cmp(b))
            });
        let id = |option: usize| contracts.rows()[o.contract[option] as usize].id();
        let (vol, source) = match (nearest, valuation.vol_floor) {
            (Some(lender), _) => (o.vol[lender], format!("that of '{}'", id(lender))),
            (None, Some(floor)) => (floor, format!("the floor of {floor}")),
            (None, None) => {
                return Err(MarginError::MissingData(format!(
                    "{}: '{}': no volatility reprices its mark, and no option of its expiry lends one: give market.vol or vol_floor",
                    valuation.name,
                    id(*option)
                ).into()));
            }
        };
        found.push((*option, vol));
        let note = format!("no volatility reprices the mark: {source}");
        inputs.notes.push((o.contract[*option], note));
    }
    for (option, vol) in found {
        inputs.options.vol[option] = vol;
    }
    Ok(())
}
