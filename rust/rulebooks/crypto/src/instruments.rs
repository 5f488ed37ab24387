//! A market brought to a table of contracts: the plain numbers a crypto venue reprices.

use std::sync::Arc;

use super::feeds::{ExpiryFeed, settlement_parts};
pub(super) use super::layout::{Class, UnitKey};
use super::layout::{Layout, RowLayout, UnitLayout};
use super::parameters::{Model, Parameters, UnitOf};
use engine::contract::{Contract, ContractIndex, Contracts};
use engine::market::{Market, Most};
use engine::missing::Missing;
use engine::time::Expiry;
use kernel::error::{MarginError, Result};
use kernel::fail;
use kernel::float::larger;
use kernel::pricing::{black, implied};

/// One expiry of one unit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ExpirySlot {
    pub(super) years: f64,
    pub(super) days: f64,
    pub(super) seconds: f64,
}

/// One contract as numbers. Money is in the settlement currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instrument {
    pub(super) unit: u32,
    pub(super) class: Class,
    pub(super) inverse: bool,
    /// Coins per lot.
    pub(super) coins: f64,
    /// Its own forward or mark; for an option the part that still moves plus the part already fixed.
    pub(super) forward: f64,
    /// The part of a dated contract's forward that its settlement average has fixed.
    pub(super) fixed: f64,
    pub(super) strike: f64,
    pub(super) right: i8,
    pub(super) vol: f64,
    pub(super) expiry: u32,
    pub(super) strike_slot: u32,
    /// Discount factor of an option's value.
    pub(super) discount: f64,
    /// Units of the unit's currency for one of the settlement currency (linear contracts of a unit that spans several).
    pub(super) to_unit: f64,
    /// An option's mark per coin, in its settlement currency, where a formula needs it.
    pub(super) mark: f64,
}

impl Instrument {
    /// The share of its price that still moves.
    pub(super) fn moving(&self) -> f64 {
        if self.fixed == 0.0 {
            1.0
        } else {
            (self.forward - self.fixed) / self.forward
        }
    }
}

/// One unit in one market.
#[derive(Debug)]
pub(super) struct UnitInputs {
    pub(super) layout: Arc<UnitLayout>,
    pub(super) index: f64,
    pub(super) expiries: Vec<ExpirySlot>,
}

/// A table in one market.
#[derive(Debug)]
pub(super) struct Instruments {
    pub(super) units: Vec<UnitInputs>,
    /// By contract row.
    pub(super) instruments: Vec<Instrument>,
}

/// What the options of one expiry share.
#[derive(Debug, Clone, Copy)]
struct Shared<'a> {
    /// Nothing where the market states no forward (a formula on a quoted mark may not need one).
    forward: Option<f64>,
    fixed: f64,
    discount: f64,
    feed: Option<&'a ExpiryFeed>,
}

/// Brings a market to a table, or names the contracts the market says too little about.
pub(super) fn resolve(
    parameters: &Parameters,
    layout: &Layout,
    market: &Market,
) -> Result<Instruments> {
    let contracts = &layout.contracts;
    let mut missing = Missing::default();
    let mut units = Vec::with_capacity(layout.units.len());
    let mut shared: Vec<Vec<Option<Shared<'_>>>> = Vec::with_capacity(layout.units.len());
    for unit in &layout.units {
        let index = missing
            .take(market.spot(&unit.key.underlying))?
            .unwrap_or(1.0);
        if index <= 0.0 {
            fail!(
                InvalidInput,
                "spot of {} is {index}: it must be positive",
                unit.key.underlying
            );
        }
        let expiries = expiries(parameters, contracts, market, unit)?;
        let mut own = Vec::with_capacity(expiries.len());
        for (slot, &expiry) in expiries.iter().enumerate() {
            let made = unit.option_at[slot]
                .map(|row| Shared::new(parameters, contracts, market, unit, row, slot, expiry))
                .transpose();
            own.push(missing.take(made)?.flatten());
        }
        shared.push(own);
        units.push(UnitInputs {
            layout: unit.clone(),
            index,
            expiries,
        });
    }
    // Without its expiry's numbers an option cannot be resolved, and the error is already noted.
    missing.refuse()?;
    let mut instruments = Vec::with_capacity(contracts.len());
    for (row, terms) in layout.rows.iter().enumerate() {
        let unit = &units[terms.unit as usize];
        let expiry = shared[terms.unit as usize][terms.expiry as usize].as_ref();
        let made = instrument(
            parameters, contracts, market, row as u32, terms, unit, expiry,
        );
        if let Some(made) = missing.take(made)? {
            instruments.push(made);
        }
    }
    missing.refuse()?;
    Ok(Instruments { units, instruments })
}

/// Time to every expiry; the first slot is that of undated contracts. An expired contract is refused.
fn expiries(
    parameters: &Parameters,
    contracts: &Contracts,
    market: &Market,
    unit: &UnitLayout,
) -> Result<Vec<ExpirySlot>> {
    let mut slots = vec![ExpirySlot::default()];
    for (i, instant) in unit.instants.iter().enumerate() {
        let seconds = instant.duration_since(market.valuation()).as_secs_f64();
        if seconds < 0.0 {
            let row = unit.option_at[i + 1].or(unit.future_at[i + 1]).unwrap_or(0);
            fail!(
                InvalidInput,
                "contracts row {row}: '{}' expired before the valuation {}: remove it",
                contracts.rows()[row as usize].id(),
                market.snapshot().valuation
            );
        }
        let days = seconds / 86_400.0;
        slots.push(ExpirySlot {
            years: days / parameters.year_days,
            days,
            seconds,
        });
    }
    Ok(slots)
}

impl<'a> Shared<'a> {
    fn new(
        parameters: &'a Parameters,
        contracts: &Contracts,
        market: &Market,
        unit: &UnitLayout,
        row: ContractIndex,
        slot: usize,
        time: ExpirySlot,
    ) -> Result<Self> {
        let contract = &contracts.rows()[row as usize];
        let Some(expiry) = contract.expiry() else {
            fail!(InvalidInput, "option '{}' has no expiry", contract.id());
        };
        let symbol = &unit.key.underlying;
        let written = contract.terms().expiry.as_deref().unwrap_or_default();
        let feed = parameters.feeds.expiry(symbol, written);
        let found = match forward(contracts, market, unit, contract, expiry, slot, time.years) {
            Err(MarginError::MissingData(_))
                if parameters.model == Model::Standard && !parameters.reads_forward() =>
            {
                None
            }
            other => Some(other?),
        };
        if let Some(forward) = found
            && forward <= 0.0
        {
            fail!(
                InvalidInput,
                "forward of '{}' is {forward}: it must be positive",
                contract.id()
            );
        }
        let (fixed, moving) = match (parameters.settlement_window, found) {
            (Some(window), Some(forward)) => settlement_parts(
                forward,
                time.seconds,
                window,
                feed.and_then(|f| f.settlement_average),
                contract.id(),
            )?,
            (_, forward) => (0.0, forward.unwrap_or(0.0)),
        };
        let discounted = parameters.model == Model::Pmrm
            && parameters.pmrm.as_ref().is_some_and(|p| p.discounted);
        let discount = if discounted {
            let rate = rate_of(parameters, market, contract, expiry, symbol)?;
            (-larger(rate, 0.0) * time.years).exp()
        } else {
            1.0
        };
        Ok(Self {
            forward: found.map(|_| fixed + moving),
            fixed,
            discount,
            feed,
        })
    }
}

/// The market's forward, the mark of a future of the table with that expiry, or spot at the market's rate.
fn forward(
    contracts: &Contracts,
    market: &Market,
    unit: &UnitLayout,
    contract: &Contract,
    expiry: &Expiry,
    slot: usize,
    years: f64,
) -> Result<f64> {
    let symbol = &unit.key.underlying;
    if let Some(forward) = market.forward(symbol, expiry) {
        return Ok(forward);
    }
    if let Some(mark) =
        unit.future_at[slot].and_then(|row| market.linear_price(contracts, row).ok())
    {
        return Ok(mark);
    }
    let quote = contract.quote_currency();
    match market.rate(quote, expiry.date) {
        Ok(rate) => {
            Ok(market.spot(symbol)? * ((rate - market.dividend_yield(symbol)) * years).exp())
        }
        Err(MarginError::MissingData(_)) => fail!(
            MissingData,
            "no forward of {symbol} for '{}': add it to market.forward, or a rate of {quote} to market.rate",
            contract.id()
        ),
        Err(other) => Err(other),
    }
}

fn instrument(
    parameters: &Parameters,
    contracts: &Contracts,
    market: &Market,
    row: ContractIndex,
    terms: &RowLayout,
    unit: &UnitInputs,
    expiry: Option<&Shared<'_>>,
) -> Result<Instrument> {
    let contract = &contracts.rows()[row as usize];
    let mut made = Instrument {
        unit: terms.unit,
        class: terms.class,
        inverse: terms.inverse,
        coins: terms.size,
        forward: 0.0,
        fixed: 0.0,
        strike: terms.strike,
        right: terms.right,
        vol: 0.0,
        expiry: terms.expiry,
        strike_slot: terms.strike_slot,
        discount: 1.0,
        to_unit: 1.0,
        mark: 0.0,
    };
    if parameters.unit == UnitOf::Underlying && !terms.inverse {
        made.to_unit = market.fx(
            contract.currency(),
            parameters.currency.as_deref().unwrap_or("USD"),
        )?;
    }
    let Some(shared) = expiry.filter(|_| terms.class == Class::Option) else {
        made.forward = market.linear_price(contracts, row)?;
        if made.forward <= 0.0 {
            fail!(
                InvalidInput,
                "price of '{}' is {}: it must be positive",
                contract.id(),
                made.forward
            );
        }
        if terms.in_dollars {
            made.coins /= made.forward;
        }
        if let (Class::Future, Some(window)) = (terms.class, parameters.settlement_window) {
            let seconds = unit.expiries[terms.expiry as usize].seconds;
            made.fixed = if seconds < window {
                made.forward * (1.0 - seconds / window)
            } else {
                0.0
            };
        }
        return Ok(made);
    };
    if terms.in_dollars {
        made.coins /= unit.index;
    }
    (made.fixed, made.discount) = (shared.fixed, shared.discount);
    if terms.inverse && made.fixed != 0.0 {
        fail!(
            Unsupported,
            "'{}' is coin-settled and inside its settlement window: its rule is not published",
            contract.id()
        );
    }
    let formula = matches!(parameters.model, Model::Standard | Model::Srm);
    let quoted = if formula {
        market.price(contracts, row)
    } else {
        None
    };
    made.forward = match (shared.forward, quoted) {
        (Some(forward), _) => forward,
        // A formula on a quoted mark that does not read the forward.
        (None, Some(_)) => unit.index,
        (None, None) => fail!(
            MissingData,
            "no price and no forward for option '{}': add its mark to market.price",
            contract.id()
        ),
    };
    if let Some(mark) = quoted {
        // A coin-quoted call is worth at most the coin.
        let unit = if terms.inverse { made.forward } else { 1.0 };
        let most = Most {
            underlying: made.forward / unit,
            carry: 1.0,
            strike: made.strike / unit,
            discount: 1.0,
        };
        market.check_option_mark(contract, mark, &most)?;
        made.mark = mark;
        return Ok(made);
    }
    let years = unit.expiries[terms.expiry as usize].years;
    made.vol = match shared.feed.and_then(|f| f.svi) {
        Some(svi) => svi.vol(terms.strike),
        None => vol_of(contracts, market, row, &made, years)?,
    };
    if formula {
        let value =
            black::forward_price_one(made.forward, made.strike, years, made.vol, made.right, 1.0);
        made.mark = if terms.inverse {
            value / made.forward
        } else {
            value
        };
    }
    Ok(made)
}

/// The zero rate a manager reads: its own feed's, else the market's for the settlement currency.
pub(super) fn rate_of(
    parameters: &Parameters,
    market: &Market,
    contract: &Contract,
    expiry: &Expiry,
    symbol: &str,
) -> Result<f64> {
    let written = contract.terms().expiry.as_deref().unwrap_or_default();
    match parameters
        .feeds
        .expiry(symbol, written)
        .and_then(|f| f.rate)
    {
        Some(rate) => Ok(rate),
        None => market
            .rate(contract.currency(), expiry.date)
            .map_err(|e| e.at(format!("'{}'", contract.id()))),
    }
}

/// The market's vol, or the one its mark implies.
fn vol_of(
    contracts: &Contracts,
    market: &Market,
    row: ContractIndex,
    made: &Instrument,
    years: f64,
) -> Result<f64> {
    if let Some(vol) = market.lognormal_vol(contracts, row)? {
        return Ok(vol);
    }
    let id = contracts.rows()[row as usize].id();
    let Some(mark) = market.price(contracts, row) else {
        fail!(
            MissingData,
            "no vol and no price for option '{id}': add one to market.vol or market.price"
        );
    };
    let price = if made.inverse {
        mark * made.forward
    } else {
        mark
    } / made.discount;
    implied::black_one(
        price,
        made.forward,
        made.strike,
        years,
        0.0,
        0.0,
        made.right,
    )
    .map_err(|status| {
        MarginError::MissingData(
            format!(
                "the price {mark} of option '{id}' implies no vol ({}): add its vol to market.vol",
                status.message()
            )
            .into())
    })
}
