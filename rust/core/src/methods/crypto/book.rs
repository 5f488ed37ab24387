//! The scan compiled: one pass over an account's positions collects cells and sums, then each unit is aggregated.

use std::sync::Arc;

use super::arrays::{Table, UnitPlan};
use super::charges::{self, Sums};
use super::instruments::{Class, ExpirySlot, UnitKey};
use super::parameters::{Model, Parameters, SpotTreatment};
use super::pmrm::{self, ExpiryTerms, Holding, PmrmRisk};
use crate::account::AccountView;
use crate::error::Result;
use crate::fail;
use crate::methods::Frame;
use crate::scan::{self, WIDTH};

/// One contract per lot, in its unit's currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowTerms {
    pub(super) unit: u32,
    pub(super) local: u32,
    /// Which sum of cells it enters.
    pub(super) group: u32,
    pub(super) class: Class,
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
    pub(super) groups: usize,
    pub(super) table: Table,
    pub(super) strikes: Vec<(u32, f64)>,
    pub(super) expiries: Vec<ExpirySlot>,
    pub(super) roll_rates: Vec<f64>,
    pub(super) terms: Vec<ExpiryTerms>,
    /// First entry of the unit in the scratch's columns.
    pub(super) first_group: usize,
    pub(super) first_expiry: usize,
    pub(super) first_strike: usize,
}

pub(super) struct Book {
    pub(super) frame: Frame,
    pub(super) parameters: Arc<Parameters>,
    pub(super) units: Vec<UnitBook>,
    pub(super) rows: Vec<RowTerms>,
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

impl Book {
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
