//! The scan compiled: one pass over an account's positions collects cells and sums, then each unit is aggregated.

use std::sync::Arc;

use super::arrays::{Sources, UnitPlan};
use super::charges::{self, Sums};
use super::instruments::{Class, ExpirySlot, UnitKey};
use super::lanes::Lane;
use super::parameters::{Model, Parameters, SpotTreatment};
use super::pmrm::{self, ExpiryTerms, Holding, PmrmRisk};
use crate::account::AccountView;
use crate::error::Result;
use crate::fail;
use crate::methods::Frame;

/// One contract per lot, in its unit's currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowTerms {
    pub(super) unit: u32,
    /// Which of the unit's sums of rows it enters, where its row begins there, and what the sum takes of it.
    pub(super) lane: u32,
    pub(super) offset: u32,
    pub(super) scale: f64,
    pub(super) coin_mark: f64,
    pub(super) class: Class,
    /// Spot whose use in the scan depends on everything else.
    pub(super) apart: bool,
    pub(super) expiry: u32,
    pub(super) strike: u32,
    pub(super) coins: f64,
    pub(super) delta: f64,
    /// Delta less mark for an inverse option.
    pub(super) adjusted_delta: f64,
    /// Delta in money: coins in an inverse unit.
    pub(super) roll: f64,
    pub(super) decay: f64,
    pub(super) value: f64,
}

/// One unit compiled.
pub(super) struct UnitBook {
    pub(super) key: UnitKey,
    pub(super) plan: Arc<UnitPlan>,
    pub(super) currency: usize,
    pub(super) index: f64,
    /// Money of the unit for one coin at the index.
    pub(super) coin_value: f64,
    pub(super) sources: Sources,
    /// By lane, the option block its rows are in; nothing where they are not options.
    pub(super) lanes: Vec<Option<u32>>,
    pub(super) strikes: Vec<(u32, f64)>,
    pub(super) expiries: Vec<ExpirySlot>,
    pub(super) roll_rates: Vec<f64>,
    pub(super) terms: Vec<ExpiryTerms>,
    /// First entry of the unit in the scratch's columns.
    pub(super) first_lane: usize,
    /// Of the book's scenarios, unit after unit.
    pub(super) first_scenario: usize,
    pub(super) first_expiry: usize,
    pub(super) first_strike: usize,
}

pub(super) struct Book {
    pub(super) frame: Frame,
    pub(super) parameters: Arc<Parameters>,
    pub(super) units: Vec<UnitBook>,
    pub(super) rows: Vec<RowTerms>,
    /// Whether a charge nets options by strike.
    pub(super) nets_strikes: bool,
    /// Spot price of each collateral asset that has a feed and a price.
    pub(super) collateral_price: Vec<(String, f64)>,
}

#[derive(Default)]
pub(super) struct BookScratch {
    pub(super) lanes: Vec<Lane>,
    pub(super) sums: Vec<Sums>,
    pub(super) rolls: Vec<f64>,
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

impl Book {
    /// Collects cells and sums of every unit the account touches, or of those of `only`.
    pub(super) fn collect(
        &self,
        account: AccountView<'_>,
        only: Option<&[u32]>,
        scratch: &mut BookScratch,
    ) {
        let positions = account.positions;
        self.clear(only, positions.len(), scratch);
        let wanted = |unit: u32| only.is_none_or(|units| units.contains(&unit));
        for i in 0..positions.len() {
            let row = &self.rows[positions.contract[i] as usize];
            if wanted(row.unit) {
                self.add(row, positions.net(i) as f64, scratch);
            }
        }
        for (u, unit) in self.units.iter().enumerate() {
            // A manager's account may hold collateral alone.
            let empty = !scratch.sums[u].held && self.parameters.model != Model::Pmrm;
            if empty || !wanted(u as u32) {
                continue;
            }
            for (i, source) in unit.lanes.iter().enumerate() {
                let lane = &mut scratch.lanes[unit.first_lane + i];
                lane.sum(unit.table(*source), unit.sources.width);
            }
        }
    }

    fn clear(&self, only: Option<&[u32]>, positions: usize, scratch: &mut BookScratch) {
        if only.is_none() || scratch.sums.len() != self.units.len() {
            let last = self.units.last();
            let lanes = last.map_or(0, |u| u.first_lane + u.lanes.len());
            let expiries = last.map_or(0, |u| u.first_expiry + u.expiries.len());
            let strikes = last.map_or(0, |u| u.first_strike + u.strikes.len());
            scratch.lanes.resize_with(lanes, Lane::default);
            scratch.sums.resize(self.units.len(), Sums::default());
            for (column, len) in [
                (&mut scratch.rolls, expiries),
                (&mut scratch.gross, expiries),
                (&mut scratch.marks, expiries),
                (
                    &mut scratch.strikes,
                    if self.nets_strikes { strikes } else { 0 },
                ),
            ] {
                column.resize(len, 0.0);
            }
        }
        for (u, unit) in self.units.iter().enumerate() {
            if only.is_some_and(|units| !units.contains(&(u as u32))) {
                continue;
            }
            scratch.sums[u] = Sums::default();
            for lane in &mut scratch.lanes[unit.first_lane..][..unit.lanes.len()] {
                lane.clear(positions);
            }
            for column in [&mut scratch.rolls, &mut scratch.gross, &mut scratch.marks] {
                column[unit.first_expiry..][..unit.expiries.len()].fill(0.0);
            }
            if self.nets_strikes {
                scratch.strikes[unit.first_strike..][..unit.strikes.len()].fill(0.0);
            }
        }
    }

    /// Adds `q` lots of a row to its unit's sums and lane; the lane is not summed up yet.
    #[inline]
    fn add(&self, row: &RowTerms, q: f64, scratch: &mut BookScratch) {
        let unit = &self.units[row.unit as usize];
        let sums = &mut scratch.sums[row.unit as usize];
        sums.held = true;
        if self.is_collateral(row) {
            sums.spot_value += q * row.value;
            return;
        }
        scratch.lanes[unit.first_lane + row.lane as usize].push(
            row.offset,
            q * row.scale,
            q * row.coin_mark,
        );
        row.add(q, sums);
        if row.class != Class::Spot {
            scratch.rolls[unit.first_expiry + row.expiry as usize] += q * row.roll;
        }
        if row.class == Class::Option {
            let at = unit.first_expiry + row.expiry as usize;
            scratch.gross[at] += (q * row.coins).abs();
            scratch.marks[at] += q * row.value;
            if self.nets_strikes {
                scratch.strikes[unit.first_strike + row.strike as usize] += q * row.coins;
            }
        }
    }

    /// Whether a holding is cover only, and in no scenario.
    #[inline]
    pub(super) fn is_collateral(&self, row: &RowTerms) -> bool {
        row.class == Class::Spot && self.parameters.spot == SpotTreatment::CollateralOnly
    }

    /// The aggregated profit and loss of a unit in every scenario goes to `scratch.pnl`; losses are negative.
    fn aggregate(&self, u: usize, scratch: &mut BookScratch) {
        let unit = &self.units[u];
        let (plan, rules) = (&unit.plan, &unit.plan.rules);
        let (others, lanes) = scratch.lanes[unit.first_lane..][..unit.lanes.len()].split_at(2);
        let (base, spot) = (&others[0], &others[1]);
        let sums = &scratch.sums[u];
        let in_use = self.parameters.spot == SpotTreatment::InUse;
        let offset = !in_use && !spot.is_empty();
        let used = if in_use && sums.spot_coins != 0.0 {
            sums.spot_in_use() / sums.spot_coins
        } else {
            0.0
        };
        let usd = unit.coin_value / unit.index;
        scratch.pnl.clear();
        scratch.raw.clear();
        for (s, scenario) in plan.scenarios.iter().enumerate() {
            let (of_pnl, of_mark) = plan.options[s];
            let mut total = base.cells[s] * plan.others[s];
            for lane in lanes {
                total += lane.cells[s] * of_pnl + lane.coin_mark * of_mark;
            }
            let gain = spot.cells[s] * plan.others[s];
            if in_use {
                total += used * gain;
            }
            scratch.raw.push(if in_use { total } else { total + gain });
            if offset && scenario.price > 0.0 && total < 0.0 {
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

    /// Mark value of a unit's options in the report's currency.
    pub(super) fn option_value(&self, u: usize, scratch: &BookScratch) -> f64 {
        scratch.sums[u].option_value * self.frame.currencies.fx(self.units[u].currency)
    }

    /// The numbers of one unit under a scan.
    pub(super) fn unit_risk(&self, u: usize, scratch: &mut BookScratch) -> Result<UnitRisk> {
        self.aggregate(u, scratch);
        let unit = &self.units[u];
        let sums = &scratch.sums[u];
        let charge = &unit.plan.rules.charges;
        let unpublished = &unit.plan.rules.unpublished;
        let held = &scratch.gross[unit.first_expiry..][..unit.expiries.len()];
        let calendar = || held.iter().filter(|&&coins| coins != 0.0).count() > 1;
        for (needed, names) in [
            (sums.has_options, &unpublished.options),
            (sums.has_futures, &unpublished.futures),
            (
                !unpublished.calendars.is_empty() && calendar(),
                &unpublished.calendars,
            ),
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
            let nets = if rule.needs_strikes() {
                &scratch.strikes[unit.first_strike..][..unit.strikes.len()]
            } else {
                &[]
            };
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
        if let Some(rule) = &charge.perpetual_slippage {
            risk.slippage = rule.charge(sums.perpetual_notional);
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
        let lanes = &scratch.lanes[unit.first_lane..][..unit.lanes.len()];
        scratch.expiries.clear();
        for (group, lane) in lanes.iter().enumerate().skip(1) {
            let at = unit.first_expiry + group;
            scratch.expiries.push(if lane.is_empty() {
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
            |group, s| lanes[group + 1].cells[s],
            |s| lanes[0].cells[s],
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
    /// The rows a lane reads.
    pub(super) fn table(&self, source: Option<u32>) -> &[f64] {
        match source {
            Some(block) => &self.sources.options[block as usize].pnl,
            None => &self.sources.others,
        }
    }

    pub(super) fn label(&self) -> String {
        if self.key.currency.is_empty() || self.key.currency == self.key.underlying {
            self.key.underlying.clone()
        } else {
            format!("{}/{}", self.key.underlying, self.key.currency)
        }
    }
}

impl BookScratch {
    /// Takes over the sums of one unit.
    pub(super) fn load(&mut self, book: &Book, u: usize, from: &Self) {
        if self.sums.len() != book.units.len() {
            book.clear(None, 0, self);
        }
        let unit = &book.units[u];
        self.sums[u] = from.sums[u];
        for lane in unit.first_lane..unit.first_lane + unit.lanes.len() {
            self.lanes[lane].load(&from.lanes[lane], unit.sources.width);
        }
        let expiries = unit.first_expiry..unit.first_expiry + unit.expiries.len();
        self.rolls[expiries.clone()].copy_from_slice(&from.rolls[expiries.clone()]);
        self.gross[expiries.clone()].copy_from_slice(&from.gross[expiries]);
    }

    /// Trades one more contract of a unit whose sums are complete; not where a charge nets by strike.
    pub(super) fn trade(&mut self, book: &Book, row: &RowTerms, before: f64, lots: f64) {
        let unit = &book.units[row.unit as usize];
        let sums = &mut self.sums[row.unit as usize];
        if book.is_collateral(row) {
            sums.held = true;
            sums.spot_value += lots * row.value;
            return;
        }
        row.remove(before, sums);
        row.add(before + lots, sums);
        sums.held = true;
        let lane = &mut self.lanes[unit.first_lane + row.lane as usize];
        let width = unit.sources.width;
        let table = unit.table(unit.lanes[row.lane as usize]);
        lane.add(
            &table[row.offset as usize..][..width],
            lots * row.scale,
            lots * row.coin_mark,
        );
        let at = unit.first_expiry + row.expiry as usize;
        if row.class != Class::Spot {
            self.rolls[at] += lots * row.roll;
        }
        if row.class == Class::Option {
            self.gross[at] += (row.coins * (before + lots)).abs() - (row.coins * before).abs();
        }
    }
}

impl RowTerms {
    /// Takes `q` lots out of the sums of a unit, as far as adding them can be undone.
    fn remove(&self, q: f64, sums: &mut Sums) {
        let mut own = Sums::default();
        self.add(q, &mut own);
        sums.subtract(&own);
    }

    /// Adds `q` lots to the sums of a unit.
    #[inline]
    fn add(&self, q: f64, sums: &mut Sums) {
        if self.apart {
            sums.spot_coins += q * self.coins;
            sums.spot_value += q * self.value;
            return;
        }
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
