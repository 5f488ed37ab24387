//! Contracts and market resolved into what the rules need per contract.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;

use super::delivery::{self, Delivered, Deliveries};
use super::parameters::{AccountKind, Class, ExpiryOrder, Parameters};
use super::question::Allowed;
use super::rules::{Numbers, Right, Series, Shares};
use super::underlyings::{Underlying, Underlyings};
use engine::contract::{self, Contract, ContractIndex, Contracts, Exercise, Kind};
use engine::market::{Market, Most};
use engine::missing::Missing;
use engine::seam::{Grouping, Separation};
use kernel::error::{MarginError, Result};
use kernel::fail;

/// Where a contract is: a row of the series or of the shares.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Series(u32),
    Shares(u32),
}

/// Components of lines that stock and funds alone make.
const STOCK: &[&str] = &[
    "stock",
    "stock carried at the strike",
    "short-sale proceeds",
    "maintenance above the Regulation T amount",
];

/// The terms of every contract for one kind of account.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) series: Vec<Series>,
    pub(super) shares: Vec<Shares>,
    pub(super) numbers: Numbers,
    pub(super) allowed: Allowed,
}

/// What is common to the tables of both kinds of account.
#[derive(Default)]
pub(super) struct Layout {
    pub(super) places: Vec<Place>,
    /// Contract rows of the series and of the shares.
    pub(super) series_rows: Vec<ContractIndex>,
    pub(super) shares_rows: Vec<ContractIndex>,
    /// Names of the families: an index with its reduced-value versions, a stock, a fund.
    pub(super) families: Vec<String>,
}

impl Layout {
    /// The part of every family. Families that pair with one another are one: a fund that covers options on an index joins
    /// it, and so do the securities that one option delivers.
    fn parts(&self, table: &Table) -> Vec<u32> {
        let mut part: Vec<u32> = (0..self.families.len() as u32).collect();
        let mut join = |family: u32, other: u32| {
            let (from, to) = (part[other as usize], part[family as usize]);
            for own in part.iter_mut().filter(|own| **own == from) {
                *own = to;
            }
        };
        for shares in &table.shares {
            if let Some(index) = shares.tracks {
                join(shares.family, index);
            }
        }
        for series in &table.series {
            for &(delivered, _) in series.delivered.iter() {
                join(series.family, delivered);
            }
        }
        part
    }

    fn family(&self, table: &Table, place: Place) -> usize {
        match place {
            Place::Series(at) => table.series[at as usize].family as usize,
            Place::Shares(at) => table.shares[at as usize].family as usize,
        }
    }

    pub(super) fn separation(&self, table: &Table) -> Separation {
        let part = self.parts(table);
        let places = self.places.iter();
        Separation {
            part: places
                .clone()
                .map(|&place| part[self.family(table, place)])
                .collect(),
            is_linear: places
                .map(|place| matches!(place, Place::Shares(_)))
                .collect(),
        }
    }

    /// Lines have the name of a family: whatever pairs with it stands in them too.
    pub(super) fn grouping(&self, table: &Table) -> Option<Grouping> {
        let part = self.parts(table);
        let rows = self.places.iter();
        Grouping::new(
            self.families.clone(),
            vec![STOCK; self.families.len()],
            rows.map(|&place| part[self.family(table, place)]).collect(),
            self.families.iter().cloned().zip(part.iter().copied()),
        )
    }
}

/// Style, listing, issuer and delivery.
type Nature = (bool, bool, String, u32);

/// What is numbered in a table, whatever the market: families by name, natures by what they are, so that no order of the
/// table decides anything.
pub(super) struct Numbered {
    families: BTreeMap<String, u32>,
    natures: BTreeMap<Nature, u32>,
    deliveries: Deliveries,
    pub(super) layout: Arc<Layout>,
}

impl Numbered {
    pub(super) fn new(contracts: &Contracts, underlyings: &Underlyings) -> Self {
        let mut own = Self {
            families: BTreeMap::new(),
            natures: BTreeMap::new(),
            deliveries: Deliveries::of(contracts),
            layout: Arc::default(),
        };
        let mut layout = Layout::default();
        for ((row, contract), underlying) in contracts.iter().zip(&underlyings.of_row) {
            let symbol = contracts.root_symbol(row);
            let shares = delivered_shares(contract, symbol).map(|(symbol, _)| symbol);
            let of = [underlying.of.as_deref().unwrap_or(symbol)];
            let names = of.into_iter().chain(underlying.tracks.as_deref());
            for name in names.chain(shares) {
                if !own.families.contains_key(name) {
                    own.families.insert(name.to_string(), 0);
                }
            }
            own.natures.insert(own.nature(contract), 0);
            let (rows, place): (_, fn(u32) -> Place) = if contract.kind() == Kind::Option {
                (&mut layout.series_rows, Place::Series)
            } else {
                (&mut layout.shares_rows, Place::Shares)
            };
            layout.places.push(place(rows.len() as u32));
            rows.push(row);
        }
        for (number, value) in own.families.values_mut().enumerate() {
            *value = number as u32;
        }
        for (number, value) in own.natures.values_mut().enumerate() {
            *value = number as u32;
        }
        layout.families = own.families.keys().cloned().collect();
        own.layout = Arc::new(layout);
        own
    }

    fn nature(&self, contract: &Contract) -> Nature {
        let terms = contract.terms();
        let venue = if terms.listed {
            String::new()
        } else {
            terms.venue.clone().unwrap_or_default()
        };
        let european = terms.exercise == Some(Exercise::European);
        let delivery = self.deliveries.number(contract);
        (european, terms.listed, venue, delivery)
    }
}

/// A table of contracts that the rules cover, and one market.
pub(super) struct Builder<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) contracts: &'a Contracts,
    pub(super) underlyings: &'a Underlyings,
    pub(super) numbered: &'a Numbered,
    pub(super) market: &'a Market,
}

/// A contract's terms under one market.
enum Made {
    /// In a margin account and in a cash account.
    Series(Series, Series),
    Shares(Shares),
}

/// Refuses what strategy-based margin does not cover, by name.
pub(super) fn refuse_uncovered(parameters: &Parameters, contracts: &Contracts) -> Result<()> {
    let uncovered: Vec<&str> = contracts
        .iter()
        .filter(|(row, c)| {
            let covered = match c.kind() {
                Kind::Stock | Kind::Etf => true,
                Kind::Option => contracts.underlying_row(*row).is_none_or(|u| {
                    matches!(
                        contracts.rows()[u as usize].kind(),
                        Kind::Stock | Kind::Etf | Kind::Index
                    )
                }),
                Kind::Spot | Kind::Index | Kind::Future | Kind::Perpetual => false,
            };
            let t = c.terms();
            !covered
                || c.currency() != parameters.currency
                || t.settlement != contract::Settlement::Linear
                || t.premium != contract::Premium::Upfront
                || c.counts_money()
        })
        .map(|(_, c)| c.id())
        .collect();
    if !uncovered.is_empty() {
        fail!(
            NotApplicable,
            "reg t covers stocks, funds and options on stocks, funds and indexes in {}, sized in units of their underlying, not: {}",
            parameters.currency,
            uncovered.join(", ")
        );
    }
    delivery::refuse_large(contracts)
}

/// What an adjusted option delivers by symbol; its underlying may be the id of a contract on `symbol`.
fn delivered_shares<'a>(
    contract: &'a Contract,
    symbol: &'a str,
) -> impl Iterator<Item = (&'a str, f64)> {
    let shares = contract.delivery().into_iter().flat_map(|b| &b.shares);
    shares.map(move |(own, &shares)| {
        let is_underlying = own == contract.underlying();
        (if is_underlying { symbol } else { own.as_str() }, shares)
    })
}

impl Builder<'_> {
    /// The terms of every contract for both kinds of account.
    pub(super) fn tables(&self) -> Result<(Table, Table)> {
        let numbers = &self.parameters.numbers;
        let layout = &self.numbered.layout;
        let table = |numbers: Numbers, allowed: Allowed| Table {
            series: Vec::with_capacity(layout.series_rows.len()),
            shares: Vec::with_capacity(layout.shares_rows.len()),
            numbers,
            allowed,
        };
        let mut margin = table(
            numbers.clone(),
            Allowed {
                two_sided: true,
                boxes: true,
                one_expiry: false,
                cash_settled_only: false,
                offsets: true,
            },
        );
        let mut cash = table(
            numbers.in_cash(),
            Allowed {
                two_sided: false,
                boxes: false,
                one_expiry: true,
                cash_settled_only: true,
                offsets: false,
            },
        );
        let rows = 0..self.contracts.len() as ContractIndex;
        self.make(rows, |_, made| match made {
            Made::Series(series, in_cash) => {
                margin.series.push(series);
                cash.series.push(in_cash);
            }
            Made::Shares(shares) => {
                margin.shares.push(shares.clone());
                cash.shares.push(shares);
            }
        })?;
        Ok((margin, cash))
    }

    /// The tables of another market, with the terms of the rows that moved since.
    pub(super) fn moved_tables(
        &self,
        (margin, cash): (&Table, &Table),
        moved: Vec<ContractIndex>,
    ) -> Result<(Table, Table)> {
        let (mut margin, mut cash) = (margin.clone(), cash.clone());
        let places = &self.numbered.layout.places;
        self.make(moved.into_iter(), |row, made| {
            match (places[row as usize], made) {
                (Place::Series(at), Made::Series(series, in_cash)) => {
                    margin.series[at as usize] = series;
                    cash.series[at as usize] = in_cash;
                }
                (Place::Shares(at), Made::Shares(shares)) => {
                    margin.shares[at as usize] = shares.clone();
                    cash.shares[at as usize] = shares;
                }
                _ => unreachable!("a row is an option or is none, whatever the market"),
            }
        })?;
        Ok((margin, cash))
    }

    /// Makes the terms of some rows, or names those the market says too little about.
    fn make(
        &self,
        rows: impl Iterator<Item = ContractIndex>,
        mut take: impl FnMut(ContractIndex, Made),
    ) -> Result<()> {
        let mut missing = Missing::default();
        for row in rows {
            let contract = &self.contracts.rows()[row as usize];
            let underlying = &self.underlyings.of_row[row as usize];
            let class = &self.parameters.classes[&underlying.class];
            let made = if contract.kind() == Kind::Option {
                self.series(row, contract, underlying, class)
                    .map(|(series, in_cash)| Made::Series(series, in_cash))
            } else {
                self.shares(row, contract, underlying, class)
                    .map(Made::Shares)
            };
            if let Some(made) = missing
                .take(made)
                .map_err(|e| e.at(format!("'{}'", contract.id())))?
            {
                take(row, made);
            }
        }
        missing.refuse().map_err(|e| e.at("reg t"))
    }

    /// The rows whose terms may be others than under another market of the same instant: what their marks say, or a spot
    /// they are valued at.
    pub(super) fn moved(&self, before: &Market) -> Vec<ContractIndex> {
        let (old, new) = (&before.snapshot().spot, &self.market.snapshot().spot);
        let differs = |symbol: &&str| old.get(*symbol) != new.get(*symbol);
        let symbols: BTreeSet<&str> = (old.keys().chain(new.keys()))
            .map(String::as_str)
            .filter(differs)
            .collect();
        let on_moved = |row: ContractIndex, contract: &Contract| {
            let underlying = &self.underlyings.of_row[row as usize];
            let of = underlying.of.as_deref();
            contract.delivery().is_some()
                || symbols.contains(self.contracts.root_symbol(row))
                || symbols.contains(contract.underlying())
                || of.is_some_and(|of| symbols.contains(of))
        };
        let price = |market: &Market, row| market.price(self.contracts, row).map(f64::to_bits);
        let rows = self.contracts.iter().filter(|(row, contract)| {
            price(before, *row) != price(self.market, *row)
                || (!symbols.is_empty() && on_moved(*row, contract))
        });
        rows.map(|(row, _)| row).collect()
    }

    /// The level of a symbol: its own spot, or the full-value index over the divisor.
    fn level(&self, symbol: &str, underlying: &Underlying) -> Result<f64> {
        let spots = &self.market.snapshot().spot;
        let level = match (&underlying.of, spots.get(symbol)) {
            (Some(full), None) => self.market.spot(full)? / underlying.divisor,
            _ => self.market.spot(symbol)?,
        };
        if level <= 0.0 {
            fail!(
            InvalidInput: NotStated, place format_args!("spot of '{symbol}'"), value level;
            "spot of '{symbol}' is {level}: strategy-based margin needs a positive price"
                        );
        }
        Ok(level)
    }

    /// What one lot of an option delivers, and its value.
    fn delivered(
        &self,
        contract: &Contract,
        symbol: &str,
        underlying: &Underlying,
    ) -> Result<Delivered> {
        let lot = contract.terms().lot;
        let Some(basket) = contract.delivery() else {
            let units = contract.value_per_lot();
            let family = underlying.of.as_deref().unwrap_or(symbol);
            return Ok(Delivered {
                shares: vec![(self.numbered.families[family], units)],
                value: self.level(symbol, underlying)? * units,
            });
        };
        let mut delivered = Delivered {
            shares: Vec::with_capacity(basket.shares.len()),
            value: basket.cash * lot,
        };
        for (own, shares) in delivered_shares(contract, symbol) {
            let other = self.underlyings.delivered.get(own).unwrap_or(underlying);
            if !self.alike(underlying, other) {
                fail!(
                    Unsupported,
                    "it delivers {basket}, and the percentages of '{own}' are not those of '{symbol}': which apply is not implemented"
                );
            }
            let count = shares * lot;
            delivered.shares.push((self.numbered.families[own], count));
            delivered.value += self.level(own, other)? * count;
        }
        Ok(delivered)
    }

    /// Whether short options on the two ask for the same percentages.
    fn alike(&self, a: &Underlying, b: &Underlying) -> bool {
        let class = |u: &Underlying| {
            let c = &self.parameters.classes[&u.class];
            let listed = (c.base, c.minimum, c.cash_settled);
            (listed, c.otc_base, c.otc_minimum, u.leverage)
        };
        class(a) == class(b)
    }

    fn shares(
        &self,
        row: ContractIndex,
        contract: &Contract,
        underlying: &Underlying,
        class: &Class,
    ) -> Result<Shares> {
        let price = self.market.linear_price(self.contracts, row)?;
        if price <= 0.0 {
            fail!(
                InvalidInput: NotStated;
                "price {price}: strategy-based margin needs a positive price"
            );
        }
        Ok(Shares {
            family: self.numbered.families[contract.underlying()],
            unit: contract.value_per_lot(),
            price,
            leverage: underlying.leverage,
            non_margin: class.non_margin,
            tracks: underlying
                .tracks
                .as_ref()
                .map(|index| self.numbered.families[index]),
        })
    }

    /// The series in a margin account and in a cash account.
    fn series(
        &self,
        row: ContractIndex,
        contract: &Contract,
        underlying: &Underlying,
        class: &Class,
    ) -> Result<(Series, Series)> {
        let option = contract.option().expect("an option has its terms");
        let terms = contract.terms();
        let symbol = self.contracts.root_symbol(row);
        let Some(price) = self.market.price(self.contracts, row) else {
            fail!(
                MissingData: MissingPrice;
                "no mark for '{}': Reg T reads prices, not vols: give its quote in the market (price={{id: mark}})",
                contract.id()
            );
        };
        if option.strike < 0.0 {
            fail!(InvalidInput: OutOfRange; "strike {} is negative", option.strike);
        }
        let delivered = self.delivered(contract, symbol, underlying)?;
        // The rule reads no rates: nothing is discounted.
        let most = Most {
            underlying: delivered.value / contract.value_per_lot(),
            carry: 1.0,
            strike: option.strike,
            discount: 1.0,
        };
        self.market.check_option_mark(contract, price, &most)?;
        let (base, minimum) = if terms.listed {
            (class.base, class.minimum)
        } else {
            let (Some(base), Some(minimum)) = (class.otc_base, class.otc_minimum) else {
                fail!(
                    MissingData: MissingParameter;
                    "no over-the-counter percentages for class '{}' ('{}')",
                    underlying.class,
                    contract.id()
                );
            };
            (base, minimum)
        };
        let multiplier = contract.value_per_lot();
        let strike_multiplier = contract.strike_multiplier() * terms.lot;
        let european = option.exercise == Exercise::European;
        let mut series = Series {
            family: self.numbered.families[underlying.of.as_deref().unwrap_or(symbol)],
            right: match option.right {
                contract::Right::Call => Right::Call,
                contract::Right::Put => Right::Put,
            },
            strike: option.strike * underlying.divisor,
            units: strike_multiplier / underlying.divisor,
            expiry: match self.parameters.expiry_order {
                ExpiryOrder::Date => {
                    i64::from(option.expiry.date.year()) * 400
                        + i64::from(option.expiry.date.day_of_year())
                }
                ExpiryOrder::Instant => option.expiry.instant.as_second(),
            },
            nature: self.numbered.natures[&self.numbered.nature(contract)],
            delivery: self.numbered.deliveries.number(contract),
            delivered: delivered.shares.into(),
            boxes: european && terms.listed && class.cash_settled,
            cash_settled: class.cash_settled,
            long_dated: self.long_dated(option.expiry.date, &option.expiry.zone)?,
            listed: terms.listed,
            multiplier,
            mark: price * multiplier,
            spot_value: delivered.value,
            strike_value: option.strike * strike_multiplier,
            naked: 0.0,
            forbidden: false,
        };
        series.naked = series.uncovered(base * underlying.leverage, minimum * underlying.leverage);
        // In cash, a short put needs its strike; a short call must be covered. Its price here only makes every
        // cover worth taking: what is left uncovered is refused, not charged.
        let mut in_cash = series.clone();
        match series.right {
            Right::Put => in_cash.naked = series.strike_value,
            Right::Call => {
                in_cash.forbidden = true;
                in_cash.naked = series.mark + 20.0 * (series.spot_value + series.strike_value);
            }
        }
        if in_cash.naked < series.mark {
            in_cash.naked = series.mark;
        }
        Ok((series, in_cash))
    }

    fn long_dated(&self, expiry: Date, zone: &jiff::tz::TimeZone) -> Result<bool> {
        let today = self.market.valuation().to_zoned(zone.clone()).date();
        let months = i64::from(self.parameters.numbers.loan_after_months);
        let limit = today.checked_add(months.months()).map_err(|e| {
            MarginError::InvalidInput(format!("{months} months after {today}: {e}").into())
        })?;
        Ok(expiry > limit)
    }
}

impl AccountKind {
    /// The kind an account says it is, or the parameter's.
    pub(super) fn of(self, word: Option<&str>) -> Result<Self> {
        match word {
            None => Ok(self),
            Some("margin") => Ok(Self::Margin),
            Some("cash") => Ok(Self::Cash),
            Some(other) => {
                fail!(
                    NotApplicable,
                    "account kind '{other}': reg t knows 'margin' and 'cash' accounts"
                )
            }
        }
    }
}
