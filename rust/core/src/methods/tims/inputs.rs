//! Contracts and market resolved into the plain numbers TIMS reprices: spot, whole days over 365, zero rate,
//! dividends, and the volatility implied by the closing mark.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parameters::{Base, Parameters};
use crate::cells::TreeCell;
use crate::contract::{ContractIndex, Contracts, Exercise, Kind, OptionTerms};
use crate::error::{MarginError, Result};
use crate::fail;
use crate::market::Market;
use crate::pricing::implied::{self, PriceColumns};
use crate::pricing::tree::{self, DividendTreatment, Scheme, TreeInputs};

/// What one contract is to TIMS.
#[derive(Debug, Clone)]
pub(in crate::methods) enum Instrument {
    /// Stock, ETF or future: its own price.
    Linear {
        price: f64,
    },
    Option(OptionInputs),
    /// OCC's values are given; nothing is repriced.
    Given,
}

#[derive(Debug, Clone)]
pub(in crate::methods) struct OptionInputs {
    pub(in crate::methods) cell: TreeCell,
    /// The market's own mark, where there is one.
    pub(super) mark: Option<f64>,
}

/// A contract's place in the hierarchy.
#[derive(Debug, Clone)]
pub(super) struct Placement {
    pub(super) class_group: String,
    pub(super) factor: f64,
    /// Money per contract; zero for stock.
    pub(super) minimum: f64,
}

pub(super) fn placements(parameters: &Parameters, contracts: &Contracts) -> Vec<Placement> {
    contracts
        .iter()
        .map(|(row, contract)| {
            let product = parameters.product(contracts.root_symbol(row));
            let minimum = match contract.kind() {
                Kind::Option | Kind::Future => {
                    let usual = parameters.minimum_rate * contract.multiplier();
                    product.minimum.unwrap_or(usual)
                }
                _ => 0.0,
            };
            Placement {
                class_group: product.class_group,
                factor: product.factor,
                minimum,
            }
        })
        .collect()
}

/// Resolves every contract, or names those the rulebook does not cover or the market says too little about.
pub(super) fn resolve(
    parameters: &Parameters,
    contracts: &Contracts,
    market: Option<&Market>,
) -> Result<Vec<Instrument>> {
    refuse_uncovered(parameters, contracts)?;
    let mut missing = Missing::default();
    let mut rows = Vec::with_capacity(contracts.len());
    for (row, contract) in contracts.iter() {
        if parameters.theoretical.contains_key(contract.id()) {
            rows.push(Instrument::Given);
            continue;
        }
        let Some(market) = market else {
            fail!(
                MissingData,
                "tims: '{}' has no theoretical values, and there is no market to reprice it",
                contract.id()
            );
        };
        match instrument(parameters.steps, contracts, row, market) {
            Ok(instrument) => rows.push(instrument),
            Err(MarginError::MissingData(why)) => missing.add(contract.id(), why),
            Err(other) => return Err(other.at(format!("contracts row {row}: '{}'", contract.id()))),
        }
    }
    missing.refuse()?;
    imply_vols(contracts, &mut rows)?;
    if parameters.base == Base::Theoretical {
        for row in &mut rows {
            if let Instrument::Option(option) = row {
                option.cell.base = None;
            }
        }
    }
    Ok(rows)
}

fn refuse_uncovered(parameters: &Parameters, contracts: &Contracts) -> Result<()> {
    let uncovered: Vec<&str> = contracts
        .iter()
        .filter(|(row, c)| {
            !matches!(
                c.kind(),
                Kind::Stock | Kind::Etf | Kind::Future | Kind::Option
            ) || c.currency() != parameters.currency
                || !parameters.product(contracts.root_symbol(*row)).eligible
        })
        .map(|(_, c)| c.id())
        .collect();
    if uncovered.is_empty() {
        return Ok(());
    }
    fail!(
        NotApplicable,
        "tims covers eligible stocks, ETFs, futures and options in {}, not: {}",
        parameters.currency,
        list(&uncovered)
    )
}

/// The first few names, and how many more.
fn list(names: &[&str]) -> String {
    let shown = names.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 5 {
        format!("{shown} and {} more", names.len() - 5)
    } else {
        shown
    }
}

#[derive(Default)]
struct Missing {
    ids: Vec<String>,
    first: String,
}

impl Missing {
    fn add(&mut self, id: &str, why: String) {
        if self.ids.is_empty() {
            self.first = why;
        }
        self.ids.push(id.to_string());
    }

    fn refuse(self) -> Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        fail!(
            MissingData,
            "tims cannot price {}: {}",
            list(&ids),
            self.first
        )
    }
}

/// One contract's price or option inputs, the volatility still open where only a mark is quoted.
pub(in crate::methods) fn instrument(
    steps: usize,
    contracts: &Contracts,
    row: ContractIndex,
    market: &Market,
) -> Result<Instrument> {
    match contracts.rows()[row as usize].option() {
        None => market
            .linear_price(contracts, row)
            .map(|price| Instrument::Linear { price }),
        Some(option) => {
            option_inputs(steps, contracts, row, option, market).map(Instrument::Option)
        }
    }
}

/// An option's numbers with the volatility still open where only a mark is quoted.
fn option_inputs(
    steps: usize,
    contracts: &Contracts,
    row: ContractIndex,
    option: OptionTerms<'_>,
    market: &Market,
) -> Result<OptionInputs> {
    let contract = &contracts.rows()[row as usize];
    let days = option.expiry.days_from(market.valuation());
    // At most the expiry date itself: an option that settles this morning or tonight is at its intrinsic value.
    let years = f64::from(days.max(0)) / 365.0;
    let rate = market.rate(contract.currency(), option.expiry.date)?;
    let on_future = contracts
        .underlying_row(row)
        .filter(|&u| matches!(contracts.rows()[u as usize].kind(), Kind::Future));
    let (spot, dividend_yield, dividends) = match on_future {
        // Black-76: a future's price does not drift, so its yield is the rate.
        Some(future) => (market.linear_price(contracts, future)?, rate, Vec::new()),
        None => {
            let symbol = contract.underlying();
            let spot = market.spot(symbol)?;
            let dividends: Vec<(f64, f64)> = market
                .dividends(symbol, option.expiry.date)
                .into_iter()
                .map(|(date, cash)| {
                    (
                        f64::from(days - days_between(date, option.expiry.date)) / 365.0,
                        cash,
                    )
                })
                .collect();
            let carry = match market.forward(symbol, option.expiry) {
                Some(forward) if years > 0.0 && dividends.is_empty() => {
                    rate - (forward / spot).ln() / years
                }
                _ => market.dividend_yield(symbol),
            };
            (spot, carry, dividends)
        }
    };
    if spot <= 0.0 || option.strike <= 0.0 {
        fail!(
            InvalidInput,
            "the underlying is at {spot} and the strike at {}: a lognormal model needs both positive",
            option.strike
        );
    }
    let mark = market.price(contracts, row);
    let vol = market.vol(contracts, row);
    if mark.is_none() && vol.is_none() {
        fail!(
            MissingData,
            "neither a vol nor a price is quoted: add one to market.vol or market.price"
        );
    }
    let cell = TreeCell {
        contract: row,
        spot,
        strike: option.strike,
        years,
        rate,
        dividend_yield,
        // Open until `imply_vols` where only the mark is known.
        vol: vol.unwrap_or(-1.0),
        right: option.right.sign(),
        american: option.exercise == Exercise::American,
        steps,
        dividends,
        scale: contract.value_per_lot(),
        base: mark,
    };
    Ok(OptionInputs { cell, mark })
}

fn days_between(from: jiff::civil::Date, to: jiff::civil::Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

/// Whether the closed formula prices a cell: European and no cash dividends before expiry.
pub(in crate::methods) fn closed_form(cell: &TreeCell) -> bool {
    !cell.american && cell.dividends.is_empty()
}

/// Fills the open volatilities from the marks, with the model that will reprice them.
pub(in crate::methods) fn imply_vols(contracts: &Contracts, rows: &mut [Instrument]) -> Result<()> {
    let mut open: Vec<&mut OptionInputs> = rows
        .iter_mut()
        .filter_map(|r| match r {
            Instrument::Option(option) if option.cell.vol < 0.0 => Some(option),
            _ => None,
        })
        .collect();
    let refused = |cell: &TreeCell, mark: f64, why: &str| {
        MarginError::InvalidInput(format!(
            "contracts row {}: '{}': no volatility reprices its mark {mark} (spot {}, strike {}, {} days): {why}; correct the mark or give market.vol",
            cell.contract,
            contracts.rows()[cell.contract as usize].id(),
            cell.spot,
            cell.strike,
            (cell.years * 365.0).round(),
        ))
    };
    // At expiry there is no volatility to imply; the intrinsic value needs none.
    for option in &mut open {
        if option.cell.years <= 0.0 {
            option.cell.vol = 0.0;
        }
    }
    for option in open
        .iter_mut()
        .filter(|o| o.cell.vol < 0.0 && !closed_form(&o.cell))
    {
        let cell = &option.cell;
        let Some(mark) = option.mark else {
            unreachable!("a vol is open only beside a mark")
        };
        let inputs = TreeInputs {
            spot: cell.spot,
            strike: cell.strike,
            years: cell.years,
            rate: cell.rate,
            dividend_yield: cell.dividend_yield,
            vol: 0.0,
            right: cell.right,
            dividends: &cell.dividends,
        };
        let vol = tree::implied_vol(
            &inputs,
            mark,
            cell.american,
            Scheme::Crr,
            cell.steps,
            DividendTreatment::Escrowed,
        )
        .map_err(|e| refused(cell, mark, e.message()))?;
        option.cell.vol = vol;
    }
    let mut closed: Vec<&mut OptionInputs> =
        open.into_iter().filter(|o| o.cell.vol < 0.0).collect();
    let column = |f: fn(&OptionInputs) -> f64| closed.iter().map(|o| f(o)).collect::<Vec<f64>>();
    let (spot, strike) = (column(|o| o.cell.spot), column(|o| o.cell.strike));
    let (years, rate) = (column(|o| o.cell.years), column(|o| o.cell.rate));
    let dividend_yield = column(|o| o.cell.dividend_yield);
    let price = column(|o| o.mark.unwrap_or(0.0));
    let right: Vec<i8> = closed.iter().map(|o| o.cell.right).collect();
    let columns = PriceColumns {
        price: &price,
        spot: &spot,
        strike: &strike,
        years: &years,
        rate: &rate,
        dividend_yield: &dividend_yield,
        right: &right,
    };
    let mut vol = vec![0.0; closed.len()];
    let mut status = vec![implied::Status::Ok; closed.len()];
    implied::black(&columns, &mut vol, &mut status);
    for ((option, vol), status) in closed.iter_mut().zip(vol).zip(status) {
        if status != implied::Status::Ok {
            return Err(refused(
                &option.cell,
                option.mark.unwrap_or(0.0),
                status.message(),
            ));
        }
        option.cell.vol = vol;
    }
    Ok(())
}

/// Volatility by strike of every (underlying, expiry), for reading it at a moved moneyness.
pub(super) struct Curves {
    curves: BTreeMap<(String, jiff::Timestamp), Curve>,
}

/// (strike, volatility), strikes ascending.
type Curve = Arc<[(f64, f64)]>;

impl Curves {
    pub(super) fn new(contracts: &Contracts, rows: &[Instrument]) -> Self {
        let mut points: BTreeMap<_, Vec<(f64, f64)>> = BTreeMap::new();
        for (instrument, contract) in rows.iter().zip(contracts.rows()) {
            if let (Instrument::Option(option), Some(expiry)) = (instrument, contract.expiry()) {
                points
                    .entry((contract.underlying().to_string(), expiry.instant))
                    .or_default()
                    .push((option.cell.strike, option.cell.vol));
            }
        }
        let curves = points
            .into_iter()
            .map(|(key, mut list)| {
                list.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
                // A call and a put of one strike count once, at their mean.
                let merged: Vec<(f64, f64)> = list
                    .chunk_by(|a, b| a.0 == b.0)
                    .map(|same| {
                        (
                            same[0].0,
                            same.iter().map(|p| p.1).sum::<f64>() / same.len() as f64,
                        )
                    })
                    .collect();
                (key, merged.into())
            })
            .collect();
        Self { curves }
    }

    /// The change of an option's volatility when spot moves by `m` and the curve moves with it: what the curve says
    /// at the strike that has the same moneyness today, less what it says at the option's own.
    pub(super) fn vol_move(&self, contracts: &Contracts, cell: &TreeCell, m: f64) -> f64 {
        let contract = &contracts.rows()[cell.contract as usize];
        let Some(expiry) = contract.expiry() else {
            return 0.0;
        };
        let Some(curve) = self
            .curves
            .get(&(contract.underlying().to_string(), expiry.instant))
        else {
            return 0.0;
        };
        let here = at(curve, cell.strike);
        at(curve, cell.strike / (1.0 + m)) - here
    }
}

/// Linear between the curve's strikes, flat outside them.
fn at(curve: &[(f64, f64)], strike: f64) -> f64 {
    let after = curve.partition_point(|p| p.0 < strike);
    if after == 0 {
        return curve[0].1;
    }
    let (low, from) = curve[after - 1];
    let Some(&(high, to)) = curve.get(after) else {
        return from;
    };
    from + (to - from) * (strike - low) / (high - low)
}
