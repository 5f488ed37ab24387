//! What a market says of a table, by what contracts share: the price, rate and yield of an underlying and expiry are asked
//! for once, and two markets are compared by them.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::parameters::{American, LikeParameters};
use crate::generate::{ArrayInputs, Model};
use engine::contract::{ContractIndex, Contracts, Exercise, Kind};
use engine::market::Market;
use kernel::error::{MarginError, Result};

/// Steps of [`American::Tree`].
const STEPS: usize = 400;

/// Which contracts share a term, whatever the market: options of one underlying (or future), expiry, currency and
/// exercise. Anything else has its own.
#[derive(Debug, Clone)]
pub(super) struct Sharing {
    term_of: Vec<u32>,
    terms: usize,
}

type Key<'a> = (
    &'a str,
    Option<ContractIndex>,
    Timestamp,
    Date,
    &'a str,
    Exercise,
);

impl Sharing {
    pub(super) fn new(contracts: &Contracts) -> Self {
        let mut known: HashMap<Key<'_>, u32> = HashMap::new();
        let mut last: Option<(Key<'_>, u32)> = None;
        let mut terms = 0;
        let mut add = || {
            terms += 1;
            terms - 1
        };
        let term_of = contracts.iter().map(|(row, contract)| {
            let Some(option) = contract.option() else {
                return add();
            };
            let key = (
                contracts.root_symbol(row),
                future(contracts, row),
                option.expiry.instant,
                option.expiry.date,
                contract.currency(),
                option.exercise,
            );
            match last {
                Some((own, term)) if own == key => term,
                _ => {
                    let term = *known.entry(key).or_insert_with(&mut add);
                    last = Some((key, term));
                    term
                }
            }
        });
        let term_of = term_of.collect();
        Self {
            term_of,
            terms: terms as usize,
        }
    }
}

/// The future an option is written on, where it is one of the table.
fn future(contracts: &Contracts, row: ContractIndex) -> Option<ContractIndex> {
    contracts
        .underlying_row(row)
        .filter(|&u| contracts.rows()[u as usize].kind() == Kind::Future)
}

/// What contracts share of what their arrays are made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Term {
    /// None for what is no option.
    model: Option<Model>,
    /// The model is for European options, and early exercise is added by collocation.
    pub(super) collocated: bool,
    pub(super) underlying: f64,
    pub(super) years: f64,
    pub(super) rate: f64,
    pub(super) dividend_yield: f64,
    price_scan: f64,
    vol_scan: f64,
    vol_scan_percent: bool,
}

impl Term {
    fn new(
        parameters: &LikeParameters,
        contracts: &Contracts,
        row: ContractIndex,
        market: &Market,
    ) -> Result<Self> {
        let contract = &contracts.rows()[row as usize];
        let ranges = parameters.covered(contracts, row)?;
        let scanned = |underlying: f64| Self {
            model: None,
            collocated: false,
            underlying,
            years: 0.0,
            rate: 0.0,
            dividend_yield: 0.0,
            price_scan: ranges.price_scan * underlying,
            vol_scan: ranges.vol_scan,
            vol_scan_percent: !ranges.vol_scan_absolute,
        };
        let (Some(option), Some(expiry)) = (contract.option(), contract.expiry()) else {
            return Ok(scanned(market.linear_price(contracts, row)?));
        };
        let american = option.exercise == Exercise::American;
        let symbol = contracts.root_symbol(row);
        let future = future(contracts, row);
        let underlying = match future {
            Some(future) => market.linear_price(contracts, future)?,
            None => market.spot(symbol)?,
        };
        let model = match (american, parameters.american_model, future.is_some()) {
            (true, American::Tree, _) => Model::TreeAmerican,
            (true, American::AdesiWhaley, _) => Model::AdesiWhaley,
            (false, _, true) => Model::Black,
            (true, American::Collocation, _) | (false, _, false) => Model::Merton,
        };
        let rate = market.rate(contract.currency(), expiry.date)?;
        Ok(Self {
            model: Some(model),
            collocated: american && parameters.american_model == American::Collocation,
            years: expiry.seconds_from(market.valuation()) / (parameters.days_per_year * 86_400.0),
            rate,
            dividend_yield: if future.is_some() {
                rate
            } else {
                market.dividend_yield(symbol)
            },
            ..scanned(underlying)
        })
    }
}

/// One market's numbers of a table.
#[derive(Debug)]
pub(super) struct Quotes {
    terms: Vec<Term>,
    /// Of each contract; zero of what is no option.
    vol: Vec<f64>,
    mark: Vec<Option<f64>>,
}

impl Quotes {
    pub(super) fn new(
        parameters: &LikeParameters,
        sharing: &Sharing,
        contracts: &Contracts,
        market: &Market,
    ) -> Result<Self> {
        let mut terms: Vec<Option<Term>> = vec![None; sharing.terms];
        let (mut vol, mut mark) = (Vec::new(), Vec::new());
        vol.reserve_exact(contracts.len());
        mark.reserve_exact(contracts.len());
        for (row, contract) in contracts.iter() {
            let mut own = || -> Result<()> {
                let term = &mut terms[sharing.term_of[row as usize] as usize];
                let is_option = match term {
                    Some(term) => term.model,
                    None => {
                        term.insert(Term::new(parameters, contracts, row, market)?)
                            .model
                    }
                }
                .is_some();
                vol.push(if is_option {
                    market.lognormal_vol(contracts, row)?.ok_or_else(|| {
                        MarginError::MissingData(
                            "no volatility in the market: its array cannot be made".into(),
                        )
                    })?
                } else {
                    0.0
                });
                mark.push(market.price(contracts, row));
                Ok(())
            };
            own().map_err(|e| e.at(format!("'{}'", contract.id())))?;
        }
        Ok(Self {
            // Every term is some contract's.
            terms: terms.into_iter().flatten().collect(),
            vol,
            mark,
        })
    }

    pub(super) fn mark(&self, row: ContractIndex) -> Option<f64> {
        self.mark[row as usize]
    }

    pub(super) fn vol(&self, row: ContractIndex) -> f64 {
        self.vol[row as usize]
    }

    pub(super) fn term(&self, sharing: &Sharing, row: ContractIndex) -> &Term {
        &self.terms[sharing.term_of[row as usize] as usize]
    }

    /// What a contract's array is made from.
    pub(super) fn inputs(
        &self,
        parameters: &LikeParameters,
        sharing: &Sharing,
        contracts: &Contracts,
        row: ContractIndex,
    ) -> ArrayInputs {
        let term = self.term(sharing, row);
        let option = contracts.rows()[row as usize].option();
        ArrayInputs {
            model: term.model,
            underlying: term.underlying,
            strike: option.map_or(0.0, |o| o.strike),
            years: term.years,
            rate: term.rate,
            dividend_yield: term.dividend_yield,
            vol: self.vol(row),
            right: option.map_or(0, |o| o.right.sign()),
            price_scan: term.price_scan,
            price_scan_down: None,
            vol_scan: term.vol_scan,
            vol_scan_down: None,
            vol_scan_percent: term.vol_scan_percent,
            lookahead: parameters.lookahead_days / parameters.days_per_year,
            spot_carry: false,
            steps: STEPS,
        }
    }

    /// The contracts of which another market of the same table said something else.
    pub(super) fn moved(&self, sharing: &Sharing, before: &Self) -> Vec<ContractIndex> {
        let terms = self.terms.iter().zip(&before.terms);
        let moved: Vec<bool> = terms.map(|(own, before)| own != before).collect();
        let rows = 0..sharing.term_of.len();
        rows.filter(|&row| {
            moved[sharing.term_of[row] as usize]
                || self.vol[row] != before.vol[row]
                || self.mark[row] != before.mark[row]
        })
        .map(|row| row as ContractIndex)
        .collect()
    }
}
