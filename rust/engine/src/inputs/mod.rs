//! Contracts and market resolved into the plain numbers that are repriced: spot, whole days over 365, zero rate,
//! dividends, and the volatility quoted or implied by the closing mark. TIMS and historical VaR share it.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;

mod columns;
mod vols;

pub use columns::{American, Inputs, Instrument, Model, NoVol, OPEN, Term, Valuation};

use crate::bounds;
use crate::cells::OptionCells;
use crate::contract::{Contract, ContractIndex, Contracts, Exercise, Kind, OptionTerms};
use crate::market::{Market, Most};
use kernel::error::{MarginError, Result};
use kernel::{fail, interrupt};

impl Inputs {
    /// Resolves every contract but those `given` otherwise, or names those the market says too little about.
    pub fn resolve(
        valuation: Valuation,
        contracts: &Contracts,
        market: Option<&Market>,
        given: impl Fn(ContractIndex) -> bool,
    ) -> Result<Self> {
        let mut missing = Missing::default();
        let mut terms = Terms::default();
        let (scheme, steps) = valuation.tree();
        let mut inputs = Self {
            instruments: Vec::with_capacity(contracts.len()),
            options: OptionCells::default(),
            models: Vec::new(),
            american: Vec::new(),
            term: Vec::new(),
            terms: Vec::new(),
            scheme,
            steps,
            notes: Vec::new(),
        };
        for (row, contract) in contracts.iter() {
            if row.is_multiple_of(256) {
                interrupt::check()?;
            }
            if given(row) {
                inputs.instruments.push(Instrument::Given);
                continue;
            }
            let Some(market) = market else {
                fail!(
                    MissingData: MissingPrice;
                    "{}: '{}' has no values given, and there is no market to reprice it",
                    valuation.name,
                    contract.id()
                );
            };
            let instrument = match contract.option() {
                None => market.quoted_price(contracts, row).map(Instrument::Linear),
                Some(option) => terms.of(contracts, row, option, market).and_then(|term| {
                    let own = &terms.list[term as usize];
                    inputs.add(valuation, contracts, row, option, market, own, term)
                }),
            };
            match instrument {
                Ok(instrument) => inputs.instruments.push(instrument),
                Err(why @ MarginError::MissingData(_)) => missing.add(contract.id(), why),
                Err(other) => {
                    return Err(other.at(format!(
                        "{}: contracts row {row}: '{}'",
                        valuation.name,
                        contract.id()
                    )));
                }
            }
        }
        missing.refuse(valuation.name)?;
        inputs.terms = terms.list;
        vols::imply(valuation, contracts, &mut inputs)?;
        Ok(inputs)
    }

    /// Refuses futures at zero or below, for rulebooks whose moves are fractions of the price.
    pub fn refuse_negative_prices(&self, contracts: &Contracts) -> Result<()> {
        for (row, instrument) in self.instruments.iter().enumerate() {
            if let Instrument::Linear(price) = instrument
                && *price <= 0.0
            {
                fail!(
                    InvalidInput: OutOfRange;
                    "contracts row {row}: '{}' is at {price}: moves that are fractions of the price need a positive one",
                    contracts.rows()[row].id()
                );
            }
        }
        Ok(())
    }

    /// Adds an option, its volatility still open where only a mark is quoted.
    fn add(
        &mut self,
        valuation: Valuation,
        contracts: &Contracts,
        row: ContractIndex,
        option: OptionTerms<'_>,
        market: &Market,
        own: &Term,
        term: u32,
    ) -> Result<Instrument> {
        let unit = Unit::of(&contracts.rows()[row as usize], option)?;
        if own.spot <= 0.0 || unit.strike <= 0.0 {
            fail!(
                InvalidInput: Contradiction;
                "the underlying is at {} and the strike at {}: a lognormal model needs both positive",
                own.spot,
                unit.strike
            );
        }
        let mark = market.price(contracts, row).map(|p| p * unit.per_quote);
        let vol = market.lognormal_vol(contracts, row)?;
        if mark.is_none() && vol.is_none() {
            fail!(
                MissingData: MissingVol;
                "neither a vol nor a price is quoted: add one to market.vol or market.price"
            );
        }
        // Where the mark has to give the volatility, none does outside the bounds.
        if let Some(mark) = mark
            && (vol.is_some() || valuation.no_vol == NoVol::Borrow)
        {
            let most = Most {
                underlying: own.spot,
                carry: own.carry,
                strike: option.strike,
                discount: own.discount,
            };
            market.check_option_mark(&contracts.rows()[row as usize], mark, &most)?;
        }
        let american = option.exercise == Exercise::American;
        let tree = !own.dividends.is_empty() || (american && valuation.american == American::Tree);
        self.models.push(match (tree, american) {
            (true, _) => Model::Tree,
            (false, true) => Model::American,
            (false, false) => Model::European,
        });
        self.american.push(american);
        self.term.push(term);
        let o = &mut self.options;
        o.contract.push(row);
        o.spot.push(own.spot);
        o.strike.push(unit.strike);
        o.years.push(own.years);
        o.rate.push(own.rate);
        o.dividend_yield.push(own.dividend_yield);
        o.vol.push(vol.unwrap_or(OPEN));
        o.right.push(option.right.sign());
        o.scale.push(unit.units_per_lot);
        o.base.push(mark);
        Ok(Instrument::Option(o.len() as u32 - 1))
    }
}

/// An option on one unit of its underlying: so it is priced, whatever a contract of it is for.
struct Unit {
    strike: f64,
    /// The value of the option on one unit at a quoted price of one.
    per_quote: f64,
    units_per_lot: f64,
}

impl Unit {
    /// An adjusted option on one security and cash is one on the security, with the strike less the cash a share.
    fn of(contract: &Contract, option: OptionTerms<'_>) -> Result<Self> {
        let Some(basket) = contract.delivery() else {
            return Ok(Self {
                strike: option.strike,
                per_quote: 1.0,
                units_per_lot: contract.value_per_lot(),
            });
        };
        let Some((_, shares)) = basket.one_security() else {
            fail!(
                Unsupported,
                "it delivers {basket}: only options that deliver one security can be repriced, with cash or without"
            );
        };
        let paid = contract.strike_multiplier() * option.strike - basket.cash;
        if paid <= 0.0 {
            fail!(
                Unsupported,
                "it delivers more cash ({}) than its strike asks for ({}): such an option cannot be repriced",
                basket.cash,
                contract.strike_multiplier() * option.strike
            );
        }
        let (strike, per_quote) = (paid / shares, contract.premium_multiplier() / shares);
        bounds::finite("the strike of one share", strike)?;
        bounds::finite("the premium of one share", per_quote)?;
        Ok(Self {
            strike,
            per_quote,
            units_per_lot: shares * contract.terms().lot,
        })
    }
}

/// What tells terms apart: the underlying's name, its future where it is one of the table, and the expiry.
type TermKey<'a> = (&'a str, Option<ContractIndex>, Timestamp, Date);

/// The terms met so far.
#[derive(Default)]
struct Terms<'a> {
    list: Vec<Term>,
    known: HashMap<TermKey<'a>, u32>,
    last: Option<(TermKey<'a>, u32)>,
}

impl<'a> Terms<'a> {
    fn of(
        &mut self,
        contracts: &'a Contracts,
        row: ContractIndex,
        option: OptionTerms<'a>,
        market: &Market,
    ) -> Result<u32> {
        let future = contracts
            .underlying_row(row)
            .filter(|&u| matches!(contracts.rows()[u as usize].kind(), Kind::Future));
        let symbol = contracts.rows()[row as usize].underlying();
        let key = (symbol, future, option.expiry.instant, option.expiry.date);
        if let Some((last, term)) = self.last
            && last == key
        {
            return Ok(term);
        }
        let term = match self.known.get(&key) {
            Some(&term) => term,
            None => {
                self.list
                    .push(Term::new(contracts, row, option, future, market)?);
                let term = self.list.len() as u32 - 1;
                self.known.insert(key, term);
                term
            }
        };
        self.last = Some((key, term));
        Ok(term)
    }
}

impl Term {
    fn new(
        contracts: &Contracts,
        row: ContractIndex,
        option: OptionTerms<'_>,
        future: Option<ContractIndex>,
        market: &Market,
    ) -> Result<Self> {
        let contract = &contracts.rows()[row as usize];
        let days = option.expiry.days_from(market.valuation());
        // At most the expiry date itself: an option that settles this morning or tonight is at its intrinsic value.
        let years = f64::from(days.max(0)) / 365.0;
        let rate = market.rate(contract.currency(), option.expiry.date)?;
        let (spot, dividend_yield, dividends) = match future {
            // Black-76: a future's price does not drift, so its yield is the rate.
            Some(future) => (market.linear_price(contracts, future)?, rate, Vec::new()),
            None => {
                let symbol = contract.underlying();
                let spot = market.spot(symbol)?;
                let dividends: Vec<(f64, f64)> = market
                    .dividends(symbol, option.expiry.date)
                    .into_iter()
                    .map(|(date, cash)| {
                        let after = days_between(date, option.expiry.date);
                        (f64::from(days - after) / 365.0, cash)
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
        Ok(Self {
            days,
            years,
            rate,
            spot,
            dividend_yield,
            discount: (-rate * years).exp(),
            carry: (-dividend_yield * years).exp(),
            dividends,
        })
    }
}

fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

/// The first few names, and how many more.
pub fn list(names: &[&str]) -> String {
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
    first: Option<MarginError>,
}

impl Missing {
    fn add(&mut self, id: &str, why: MarginError) {
        self.first.get_or_insert(why);
        self.ids.push(id.to_string());
    }

    fn refuse(self, name: &str) -> Result<()> {
        let Some(first) = self.first else {
            return Ok(());
        };
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        let ids = list(&ids);
        let message = format!("{name} cannot price {ids}: {first}");
        Err(first.say(message).place(ids))
    }
}
