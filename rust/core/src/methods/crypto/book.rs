//! The scan compiled: one pass over an account's positions collects cells and sums, then each unit is aggregated.

use std::sync::Arc;

use serde_json::Value;

use super::arrays::{self, Table, UnitPlan};
use super::charges::{self, Sums};
use super::details;
use super::instruments::{Class, Instrument, Resolved, Unit, UnitKey};
use super::parameters::{Model, Parameters, SpotTreatment};
use super::pmrm::{self, ExpiryTerms, Holding, PmrmRisk};
use crate::account::AccountView;
use crate::cells::RiskArrays;
use crate::contract::Contracts;
use crate::error::Result;
use crate::fail;
use crate::market::Market;
use crate::methods::{Frame, Outcome, Rulebook};
use crate::report::{Currencies, Ledger, LineText, ParameterInfo};
use crate::scan::{self, WIDTH};

/// One contract per lot, in its unit's currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowTerms {
    unit: u32,
    local: u32,
    /// Which sum of cells it enters.
    group: u32,
    class: Class,
    expiry: u32,
    strike: u32,
    coins: f64,
    delta: f64,
    /// Delta less mark for an inverse option.
    adjusted_delta: f64,
    /// Delta in money: coins in an inverse unit.
    roll: f64,
    decay: f64,
    value: f64,
}

/// One unit compiled.
pub(super) struct UnitBook {
    pub(super) key: UnitKey,
    pub(super) plan: Arc<UnitPlan>,
    currency: usize,
    pub(super) index: f64,
    /// Money of the unit for one coin at the index.
    pub(super) coin_value: f64,
    groups: usize,
    table: Table,
    strikes: Vec<(u32, f64)>,
    pub(super) expiries: Vec<super::instruments::ExpirySlot>,
    roll_rates: Vec<f64>,
    terms: Vec<ExpiryTerms>,
    /// First entry of the unit in the scratch's columns.
    first_group: usize,
    first_expiry: usize,
    first_strike: usize,
}

pub(super) struct Book {
    pub(super) frame: Frame,
    pub(super) parameters: Arc<Parameters>,
    pub(super) units: Vec<UnitBook>,
    rows: Vec<RowTerms>,
    /// Spot price of each collateral asset that has a feed and a price.
    pub(super) collateral_price: Vec<(String, f64)>,
}

/// Positions of one (unit, group) and the sums of their rows.
#[derive(Default)]
struct Lane {
    contract: Vec<u32>,
    lots: Vec<i64>,
    cells: Vec<[f64; WIDTH]>,
}

#[derive(Default)]
pub(super) struct BookScratch {
    lanes: Vec<Lane>,
    pub(super) sums: Vec<Sums>,
    rolls: Vec<f64>,
    strikes: Vec<f64>,
    gross: Vec<f64>,
    marks: Vec<f64>,
    expiries: Vec<(ExpiryTerms, f64, f64)>,
    pub(super) pnl: Vec<f64>,
    /// Sums of positions by scenario, spot included, before dampening, offsets and gains.
    pub(super) raw: Vec<f64>,
}

/// A unit's numbers before factors; charges are positive, in the unit's currency.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct UnitRisk {
    pub(super) worst: usize,
    pub(super) scan: f64,
    pub(super) min_delta: f64,
    pub(super) decay: f64,
    pub(super) roll: f64,
    pub(super) delta_shock: f64,
    pub(super) short_options: f64,
    pub(super) futures: f64,
    pub(super) stated: f64,
    pub(super) slippage: f64,
}

impl UnitRisk {
    pub(super) fn floor(&self) -> (f64, &'static str) {
        if self.min_delta > self.decay {
            (self.min_delta, "min_delta")
        } else {
            (self.decay, "decay")
        }
    }

    /// The scan or its floor, and every added charge.
    pub(super) fn total(&self) -> f64 {
        let floor = self.floor().0;
        let scan = if floor > self.scan { floor } else { self.scan };
        scan + self.roll + self.delta_shock + self.short_options + self.futures + self.stated
    }
}

/// The currency units are reported in: what the contracts share, or dollars.
pub(super) fn report_currency(parameters: &Parameters, contracts: &Contracts) -> String {
    if let Some(currency) = &parameters.currency {
        return currency.clone();
    }
    match contracts.rows().first().map(|c| c.currency()) {
        Some(first) if contracts.rows().iter().all(|c| c.currency() == first) => first.to_string(),
        _ => "USD".into(),
    }
}

/// Units of `to` for one of `from`: the market's rate, or a coin's own spot price in dollars.
pub(super) fn rate_into(market: &Market, from: &str, to: &str) -> Result<f64> {
    match market.fx(from, to) {
        Ok(rate) => Ok(rate),
        Err(error) if to == "USD" => market.spot(from).map_err(|_| error),
        Err(error) => Err(error),
    }
}

impl Book {
    pub(super) fn compile(
        parameters: &Arc<Parameters>,
        info: &ParameterInfo,
        contracts: &Arc<Contracts>,
        market: &Market,
        resolved: &Resolved,
        arrays: &RiskArrays,
    ) -> Result<Self> {
        let (tables, marks) = arrays::tables(parameters, resolved, arrays);
        let mut currencies = Currencies::new(&report_currency(parameters, contracts));
        let mut book = Self {
            frame: Frame {
                methodology: parameters.venue.clone(),
                parameters: info.clone(),
                valuation: Some(market.snapshot().valuation.clone()),
                contracts: contracts.clone(),
                currencies: Currencies::new("USD"),
            },
            parameters: parameters.clone(),
            units: Vec::with_capacity(resolved.units.len()),
            rows: Vec::with_capacity(contracts.len()),
            collateral_price: parameters
                .feeds
                .collateral
                .keys()
                .chain(parameters.haircuts.keys())
                .filter_map(|name| Some((name.clone(), market.spot(name).ok()?)))
                .collect(),
        };
        let (mut first_group, mut first_expiry, mut first_strike) = (0, 0, 0);
        for ((unit, plan), table) in resolved.units.iter().zip(&resolved.plans).zip(tables) {
            let own = if unit.key.currency.is_empty() {
                currencies.report().to_string()
            } else {
                unit.key.currency.clone()
            };
            let fx = rate_into(market, &own, currencies.report())?;
            let groups = match parameters.model {
                Model::Pmrm => unit.expiries.len(),
                _ => 2,
            };
            let made = UnitBook {
                currency: currencies.add(&own, fx),
                coin_value: if unit.inverse { 1.0 } else { unit.index },
                groups,
                table,
                strikes: unit.strikes.clone(),
                roll_rates: match &plan.rules.charges.roll {
                    Some(roll) => charges::roll_rates(roll, &unit.expiries),
                    None => Vec::new(),
                },
                terms: Self::expiry_terms(parameters, contracts, market, resolved, unit)?,
                first_group,
                first_expiry,
                first_strike,
                key: unit.key.clone(),
                index: unit.index,
                expiries: unit.expiries.clone(),
                plan: plan.clone(),
            };
            first_group += groups;
            first_expiry += unit.expiries.len();
            first_strike += unit.strikes.len();
            book.units.push(made);
        }
        if parameters.borrow.is_some() {
            for contract in contracts.rows() {
                currencies.add(
                    contract.currency(),
                    rate_into(market, contract.currency(), currencies.report())?,
                );
            }
        }
        book.frame.currencies = currencies;
        let deltas = arrays::deltas(resolved);
        for (row, own) in resolved.instruments.iter().enumerate() {
            book.rows.push(book.row_terms(
                own,
                marks[row],
                deltas[row],
                &resolved.units[own.unit as usize],
            ));
        }
        Ok(book)
    }

    /// Static discounts of every expiry (Derive); empty for other models.
    fn expiry_terms(
        parameters: &Parameters,
        contracts: &Contracts,
        market: &Market,
        resolved: &Resolved,
        unit: &Unit,
    ) -> Result<Vec<ExpiryTerms>> {
        let Some(rules) = parameters
            .pmrm
            .as_ref()
            .filter(|_| parameters.model == Model::Pmrm)
        else {
            return Ok(Vec::new());
        };
        let mut terms = vec![ExpiryTerms::EMPTY; unit.expiries.len()];
        for &row in &unit.rows {
            let contract = &contracts.rows()[row as usize];
            let own = &resolved.instruments[row as usize];
            let (Class::Option, Some(expiry)) = (own.class, contract.expiry()) else {
                continue;
            };
            let rate = super::instruments::rate_of(
                parameters,
                market,
                contract,
                expiry,
                &unit.key.underlying,
            )?;
            let written = contract.terms().expiry.as_deref().unwrap_or_default();
            let confidence = parameters
                .feeds
                .expiry(&unit.key.underlying, written)
                .map_or(1.0, |f| {
                    f.forward_confidence
                        .min(f.rate_confidence)
                        .min(f.vol_confidence)
                });
            let years = unit.expiries[own.expiry as usize].years;
            let rate = if rate > 0.0 { rate } else { 0.0 };
            terms[own.expiry as usize] = rules.expiry(years, rate, own.discount, confidence);
        }
        Ok(terms)
    }

    fn row_terms(&self, own: &Instrument, mark: f64, delta: f64, unit: &Unit) -> RowTerms {
        let years = unit.expiries[own.expiry as usize].years;
        let option = own.class == Class::Option;
        let delta = delta * own.coins;
        let conversion = if unit.inverse {
            1.0
        } else {
            own.forward * own.to_unit
        };
        let decay_days = self.units[own.unit as usize].plan.rules.charges.decay_days;
        let decay = match decay_days {
            Some(days) if option => {
                let left = years - days / self.parameters.year_days;
                let price = |t: f64| {
                    crate::pricing::black::forward_price_one(
                        own.forward,
                        own.strike,
                        t,
                        own.vol,
                        own.right,
                        own.discount,
                    )
                };
                let scale = own.coins
                    * if unit.inverse {
                        1.0 / own.forward
                    } else {
                        own.to_unit
                    };
                (price(if left > 0.0 { left } else { 0.0 }) - price(years)) * scale
            }
            _ => 0.0,
        };
        RowTerms {
            unit: own.unit,
            local: own.local,
            group: match (self.parameters.model, own.class, self.parameters.spot) {
                (Model::Pmrm, Class::Option, _) => own.expiry,
                (Model::Pmrm, ..) => 0,
                (_, Class::Spot, SpotTreatment::UpsideOffset) => 1,
                _ => 0,
            },
            class: own.class,
            expiry: own.expiry,
            strike: own.strike_slot,
            coins: own.coins,
            delta,
            adjusted_delta: delta - if option && own.inverse { mark } else { 0.0 },
            roll: delta * conversion,
            decay,
            value: match own.class {
                Class::Option if own.inverse && !unit.inverse => mark * own.forward,
                Class::Option => mark * own.to_unit,
                Class::Spot => {
                    own.coins
                        * if own.inverse {
                            1.0
                        } else {
                            own.forward * own.to_unit
                        }
                }
                _ => 0.0,
            },
        }
    }

    /// Collects cells and sums of every unit the account touches.
    pub(super) fn collect(&self, account: AccountView<'_>, scratch: &mut BookScratch) {
        let lanes: usize = self.units.iter().map(|u| u.groups).sum();
        scratch.lanes.resize_with(lanes, Lane::default);
        for lane in &mut scratch.lanes {
            lane.contract.clear();
            lane.lots.clear();
        }
        scratch.sums.clear();
        scratch.sums.resize(self.units.len(), Sums::default());
        let expiries: usize = self.units.iter().map(|u| u.expiries.len()).sum();
        let strikes: usize = self.units.iter().map(|u| u.strikes.len()).sum();
        for (column, len) in [
            (&mut scratch.rolls, expiries),
            (&mut scratch.gross, expiries),
            (&mut scratch.marks, expiries),
            (&mut scratch.strikes, strikes),
        ] {
            column.clear();
            column.resize(len, 0.0);
        }
        let positions = account.positions;
        for i in 0..positions.len() {
            let lots = positions.net(i);
            let row = &self.rows[positions.contract[i] as usize];
            let unit = &self.units[row.unit as usize];
            scratch.sums[row.unit as usize].held = true;
            if row.class == Class::Spot && self.parameters.spot == SpotTreatment::CollateralOnly {
                scratch.sums[row.unit as usize].spot_value += lots as f64 * row.value;
                continue;
            }
            let lane = &mut scratch.lanes[unit.first_group + row.group as usize];
            lane.contract.push(row.local);
            lane.lots.push(lots);
            let q = lots as f64;
            row.add(q, &mut scratch.sums[row.unit as usize]);
            if row.class != Class::Spot {
                let at = unit.first_expiry + row.expiry as usize;
                scratch.rolls[at] += q * row.roll;
            }
            if row.class == Class::Option {
                let at = unit.first_strike + row.strike as usize;
                scratch.strikes[at] += q * row.coins;
                let at = unit.first_expiry + row.expiry as usize;
                scratch.gross[at] += (q * row.coins).abs();
                scratch.marks[at] += q * row.value;
            }
        }
        for (u, unit) in self.units.iter().enumerate() {
            if !scratch.sums[u].held && self.parameters.model != Model::Pmrm {
                continue;
            }
            for lane in &mut scratch.lanes[unit.first_group..unit.first_group + unit.groups] {
                lane.cells.clear();
                lane.cells.resize(unit.table.blocks, [0.0; WIDTH]);
                for (block, acc) in lane.cells.iter_mut().enumerate() {
                    scan::accumulate(unit.table.block(block), &lane.contract, &lane.lots, acc);
                }
            }
        }
    }

    /// The aggregated profit and loss of a unit in every scenario goes to `scratch.pnl`; losses are negative.
    fn aggregate(&self, u: usize, scratch: &mut BookScratch) {
        let unit = &self.units[u];
        let rules = &unit.plan.rules;
        scratch.pnl.clear();
        scratch.raw.clear();
        let (base, spot) = (
            &scratch.lanes[unit.first_group],
            &scratch.lanes[unit.first_group + 1],
        );
        let offset = !spot.contract.is_empty();
        let usd = unit.coin_value / unit.index;
        for (s, scenario) in unit.plan.scenarios.iter().enumerate() {
            let mut total = base.cells[s / WIDTH][s % WIDTH];
            scratch.raw.push(total + spot.cells[s / WIDTH][s % WIDTH]);
            if offset && scenario.price > 0.0 && total < 0.0 {
                let gain = spot.cells[s / WIDTH][s % WIDTH];
                let covered = total + if gain > 0.0 { gain } else { 0.0 };
                total = if covered < 0.0 { covered } else { 0.0 };
            }
            if scenario.dampener > 0.0 {
                let most = scenario.dampener * usd / scenario.edge;
                total = if total.abs() <= most {
                    0.0
                } else {
                    total - most.copysign(total)
                };
            }
            if total > 0.0 {
                total *= rules.gain_share;
                if let Some(cap) = rules.gain_cap.map(|c| c * usd) {
                    total = if total < cap { total } else { cap };
                }
            }
            scratch.pnl.push(total);
        }
    }

    /// The numbers of one unit under a scan.
    pub(super) fn unit_risk(&self, u: usize, scratch: &mut BookScratch) -> Result<UnitRisk> {
        self.aggregate(u, scratch);
        let unit = &self.units[u];
        let sums = &scratch.sums[u];
        let charge = &unit.plan.rules.charges;
        for (needed, names) in [
            (sums.has_options, &unit.plan.rules.unpublished.options),
            (sums.has_futures, &unit.plan.rules.unpublished.futures),
        ] {
            if let Some(name) = names
                .iter()
                .find(|n| needed && !charge.stated.contains_key(*n))
            {
                fail!(
                    Unsupported,
                    "{} {}: the formula of '{name}' is not published: state its amount in charges.stated (zero is an amount)",
                    self.parameters.venue,
                    unit.key.underlying
                );
            }
        }
        let mut risk = UnitRisk::default();
        let mut worst = scratch.pnl[0];
        for (s, &pnl) in scratch.pnl.iter().enumerate() {
            if pnl < worst {
                (worst, risk.worst) = (pnl, s);
            }
        }
        risk.scan = if worst < 0.0 { -worst } else { 0.0 };
        if let Some(rule) = &charge.min_delta {
            risk.min_delta = rule.floor(sums, unit.coin_value);
        }
        if charge.decay_days.is_some() && sums.decay < 0.0 {
            risk.decay = -sums.decay;
        }
        if charge.roll.is_some() {
            let own = &scratch.rolls[unit.first_expiry..unit.first_expiry + unit.expiries.len()];
            risk.roll = charges::roll(own, &unit.roll_rates);
        }
        if let Some(rule) = &charge.delta_shock {
            risk.delta_shock = rule.charge(sums, unit.index) * unit.coin_value;
        }
        if let Some(rule) = &charge.short_options {
            let nets = &scratch.strikes[unit.first_strike..unit.first_strike + unit.strikes.len()];
            let nets = if rule.needs_strikes() { nets } else { &[] };
            risk.short_options =
                rule.rate * rule.coins(sums, &unit.strikes, nets, unit.index) * unit.coin_value;
        }
        if let Some(rule) = &charge.futures {
            let (long, short) = (sums.futures_long, sums.futures_short);
            let larger = if long > short { long } else { short };
            risk.futures = rule.rate
                * if rule.larger_side {
                    larger
                } else {
                    long + short
                }
                * unit.coin_value;
        }
        risk.stated = charge.stated.values().fold(0.0, |sum, x| sum + x);
        if let Some(rate) = charge.perpetual_slippage {
            risk.slippage = rate * sums.perpetual_notional;
        }
        Ok(risk)
    }

    /// The numbers of one underlying under Derive's managers; every scenario goes to `scratch.pnl`.
    pub(super) fn pmrm_risk(
        &self,
        u: usize,
        account: AccountView<'_>,
        scratch: &mut BookScratch,
    ) -> Result<(PmrmRisk, Holding)> {
        let unit = &self.units[u];
        let Some(rules) = &self.parameters.pmrm else {
            fail!(InvalidInput, "{}: no pmrm rules", self.parameters.venue);
        };
        let mut holding = self.collateral(u, account, rules)?;
        holding.perps = scratch.sums[u].perps;
        let nets = &scratch.strikes[unit.first_strike..unit.first_strike + unit.strikes.len()];
        holding.naked_shorts = nets.iter().map(|&q| if q < 0.0 { -q } else { 0.0 }).sum();
        let lanes = &scratch.lanes[unit.first_group..unit.first_group + unit.groups];
        scratch.expiries.clear();
        for (group, lane) in lanes.iter().enumerate().skip(1) {
            let at = unit.first_expiry + group;
            scratch.expiries.push(if lane.contract.is_empty() {
                (ExpiryTerms::EMPTY, 0.0, 0.0)
            } else {
                (unit.terms[group], scratch.marks[at], scratch.gross[at])
            });
        }
        scratch.pnl.clear();
        let pnl = &mut scratch.pnl;
        let risk = pmrm::aggregate(
            rules,
            &self.parameters.feeds,
            &unit.key.underlying,
            unit.index,
            &unit.plan.scenarios,
            &scratch.expiries,
            &holding,
            |group, s| lanes[group + 1].cells[s / WIDTH][s % WIDTH],
            |s| lanes[0].cells[s / WIDTH][s % WIDTH],
            |_, value| pnl.push(value),
        );
        Ok((risk, holding))
    }

    fn collateral(
        &self,
        u: usize,
        account: AccountView<'_>,
        rules: &pmrm::PmrmRules,
    ) -> Result<Holding> {
        let feeds = &self.parameters.feeds;
        let unit = &self.units[u];
        let own = pmrm::account_confidence(feeds, &unit.key.underlying, false);
        let mut holding = Holding::default();
        for (asset, &amount) in &account.terms.collateral {
            let Some(feed) = feeds.collateral.get(asset) else {
                fail!(
                    MissingData,
                    "no terms for collateral '{asset}': add it to feeds.collateral"
                );
            };
            let Some(price) = self
                .collateral_price
                .iter()
                .find(|p| &p.0 == asset)
                .map(|p| p.1)
            else {
                fail!(
                    MissingData,
                    "no price of collateral '{asset}': add it to market.spot"
                );
            };
            let value = amount * price / feeds.stable;
            let charged = if rules.factor_on_contingency {
                amount * price
            } else {
                value
            };
            holding.collateral += value;
            holding.cancelling += if feed.risk_cancelling { value } else { 0.0 };
            holding.collateral_mm += charged * feed.mm_haircut;
            holding.collateral_im += charged * feed.im_haircut;
            let confidence = if feed.confidence < own {
                feed.confidence
            } else {
                own
            };
            holding.collateral_distrust += rules.distrust(confidence, charged);
        }
        Ok(holding)
    }

    fn charge_scan<L: Ledger + ?Sized>(&self, u: usize, risk: &UnitRisk, ledger: &mut L) {
        let unit = &self.units[u];
        let (im, mm) = (unit.plan.rules.im_factor, unit.plan.rules.mm_factor);
        let mut line = |component: &'static str, amount: f64| {
            ledger.line(unit.currency, im * amount, mm * amount, &|| {
                let text = LineText::new(unit.label(), self.parameters.name(component));
                if component == "worst_case" {
                    text.in_scenario(unit.plan.labels[risk.worst].clone())
                } else {
                    text
                }
            });
        };
        line("worst_case", risk.scan);
        let (floor, name) = risk.floor();
        if floor > risk.scan {
            line(name, floor - risk.scan);
        }
        let charges = &unit.plan.rules.charges;
        for (configured, component, amount) in [
            (charges.roll.is_some(), "roll_shock", risk.roll),
            (
                charges.delta_shock.is_some(),
                "delta_shock",
                risk.delta_shock,
            ),
            (
                charges.short_options.is_some(),
                "option_contingency",
                risk.short_options,
            ),
            (
                charges.futures.is_some(),
                "future_contingency",
                risk.futures,
            ),
            (!charges.stated.is_empty(), "stated", risk.stated),
        ] {
            if configured {
                line(component, amount);
            }
        }
        if risk.slippage > risk.total() {
            line("slippage", risk.slippage - risk.total());
        }
        for (name, amount) in &charges.initial_only {
            ledger.line(unit.currency, *amount, 0.0, &|| {
                LineText::new(unit.label(), name.clone())
            });
        }
        for (name, amount) in &charges.provisions {
            ledger.line(unit.currency, *amount, *amount, &|| {
                LineText::new(unit.label(), name.clone())
            });
        }
    }

    fn charge_pmrm<L: Ledger + ?Sized>(&self, u: usize, risk: &PmrmRisk, ledger: &mut L) {
        let unit = &self.units[u];
        let joint = self
            .parameters
            .pmrm
            .as_ref()
            .is_some_and(|p| p.factor_on_contingency);
        let (im, mm) = (risk.im_factor, risk.mm_factor);
        let mut line = |component: &'static str, initial: f64, maintenance: f64| {
            ledger.line(unit.currency, initial, maintenance, &|| {
                let text = LineText::new(unit.label(), self.parameters.name(component));
                if component == "min_span" {
                    text.in_scenario(unit.plan.labels[risk.worst].clone())
                } else {
                    text
                }
            });
        };
        line("min_span", -risk.min_span * im, -risk.min_span * mm);
        let factors = if joint { (im, mm) } else { (1.0, 1.0) };
        line(
            "contingency",
            risk.contingency_mm * factors.0,
            risk.contingency_mm * factors.1,
        );
        line("initial_contingency", risk.contingency_im, 0.0);
        line("confidence", risk.confidence, 0.0);
    }

    /// Borrowed money: negative cash, at the venue's rates.
    fn charge_borrow<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        ledger: &mut L,
    ) -> Result<()> {
        let Some((maintenance, initial)) = self.parameters.borrow else {
            return Ok(());
        };
        for (currency, &amount) in &account.terms.cash {
            if amount >= 0.0 {
                continue;
            }
            let Some(at) = self.frame.currencies.index(currency) else {
                fail!(
                    MissingData,
                    "cash in {currency}: no contract settles in it, so the report has no rate for it"
                );
            };
            ledger.line(at, -amount * initial, -amount * maintenance, &|| {
                LineText::new("account", self.parameters.name("borrow"))
            });
        }
        Ok(())
    }

    /// The unit a manager's account is in: the one it holds, or the only one there is.
    pub(super) fn pmrm_unit(&self, account: AccountView<'_>, sums: &[Sums]) -> Result<usize> {
        let mut held = (0..self.units.len()).filter(|&u| sums[u].held);
        match (held.next(), held.next()) {
            (Some(u), None) => Ok(u),
            (None, _) if self.units.len() == 1 => Ok(0),
            (None, _) if account.terms.collateral.is_empty() && !self.units.is_empty() => Ok(0),
            _ => fail!(
                NotApplicable,
                "{}: an account holds one underlying, and this one holds {}",
                self.parameters.venue,
                (0..self.units.len())
                    .filter(|&u| sums[u].held)
                    .map(|u| self.units[u].key.underlying.clone())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        }
    }
}

impl UnitBook {
    pub(super) fn label(&self) -> String {
        if self.key.currency.is_empty() || self.key.currency == self.key.underlying {
            self.key.underlying.clone()
        } else {
            format!("{}/{}", self.key.underlying, self.key.currency)
        }
    }
}

impl RowTerms {
    /// Adds `q` lots to the sums of a unit.
    fn add(&self, q: f64, sums: &mut Sums) {
        let delta = q * self.delta;
        sums.delta += delta;
        sums.gross_delta += delta.abs();
        if self.class == Class::Option && q > 0.0 {
            sums.long_option_delta += q * self.adjusted_delta;
        } else {
            sums.other_delta += q * self.adjusted_delta;
        }
        let coins = q * self.coins;
        match self.class {
            Class::Option => {
                sums.has_options = true;
                sums.option_coins += coins.abs();
                sums.short_option_coins += if coins < 0.0 { -coins } else { 0.0 };
                sums.option_value += q * self.value;
                sums.decay += q * self.decay;
            }
            Class::Future | Class::Perpetual => {
                if coins > 0.0 {
                    sums.futures_long += coins;
                } else {
                    sums.futures_short -= coins;
                }
                if self.class == Class::Perpetual {
                    sums.perpetual_notional += (q * self.roll).abs();
                    sums.perps += coins;
                } else {
                    sums.has_futures = true;
                }
            }
            Class::Spot => sums.spot_value += q * self.value,
        }
    }
}

impl Rulebook for Book {
    type Scratch = BookScratch;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut BookScratch,
        ledger: &mut L,
    ) -> Result<Outcome> {
        self.collect(account, scratch);
        let mut outcome = Outcome::default();
        let mut largest = -1.0;
        let mut first = 0;
        let one = match self.parameters.model {
            Model::Pmrm => Some(self.pmrm_unit(account, &scratch.sums)?),
            _ => None,
        };
        for (u, unit) in self.units.iter().enumerate() {
            let fx = self.frame.currencies.fx(unit.currency);
            let (worst, loss) = if one == Some(u) {
                let (risk, _) = self.pmrm_risk(u, account, scratch)?;
                self.charge_pmrm(u, &risk, ledger);
                (risk.worst, -risk.min_span)
            } else if one.is_none() && scratch.sums[u].held {
                let risk = self.unit_risk(u, scratch)?;
                self.charge_scan(u, &risk, ledger);
                (risk.worst, risk.scan)
            } else {
                first += unit.plan.scenarios.len();
                continue;
            };
            outcome.net_option_value += scratch.sums[u].option_value * fx;
            if loss * fx > largest {
                largest = loss * fx;
                outcome.worst_scenario = Some((first + worst) as u32);
            }
            first += unit.plan.scenarios.len();
        }
        self.charge_borrow(account, ledger)?;
        Ok(outcome)
    }

    fn scenario_label(&self, scenario: u32) -> String {
        let mut left = scenario as usize;
        for unit in &self.units {
            if left < unit.plan.scenarios.len() {
                let text = &unit.plan.labels[left];
                return if self.units.len() == 1 {
                    text.clone()
                } else {
                    format!("{} {text}", unit.label())
                };
            }
            left -= unit.plan.scenarios.len();
        }
        String::new()
    }

    fn details(&self, account: AccountView<'_>) -> Result<Value> {
        details::of(self, account)
    }
}
