//! The scan compiled: an account's sums are aggregated unit by unit into numbers before factors.

use std::sync::Arc;

use super::arrays::Sources;
use super::charges;
use super::instruments::ExpirySlot;
use super::layout::UnitLayout;
use super::parameters::{Charges, Parameters, SpotTreatment};
use super::plan::UnitPlan;
use super::pmrm::ExpiryTerms;
use super::sums::{BookScratch, RowTerms};
use engine::seam::Frame;
use kernel::error::Result;
use kernel::fail;
use kernel::float::{larger, smaller};

/// One unit compiled.
pub(super) struct UnitBook {
    pub(super) layout: Arc<UnitLayout>,
    pub(super) plan: Arc<UnitPlan>,
    pub(super) currency: usize,
    pub(super) index: f64,
    /// Money of the unit for one coin at the index.
    pub(super) coin_value: f64,
    pub(super) sources: Sources,
    /// By lane, the option block its rows are in; nothing where they are not options.
    pub(super) lanes: Vec<Option<u32>>,
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

/// A unit's numbers before factors; charges are positive, in the unit's currency.
#[derive(Debug, Clone, Copy)]
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

    /// The scan or its floor, and every added charge: Deribit `risk_matrix_margin` (API, private/simulate), OKX
    /// max(MR1, MR2, MR6) + MR3 + MR4 + MR5 (help centre, portfolio margin), Paradex max(scan, MinDelta).
    pub(super) fn total(&self) -> f64 {
        // Named one by one: a charge that is forgotten here does not compile.
        let Self {
            worst: _,
            scan,
            min_delta: _,
            decay: _,
            roll,
            delta_shock,
            short_options,
            futures,
            stated,
            slippage: _,
        } = *self;
        larger(self.floor().0, scan) + roll + delta_shock + short_options + futures + stated
    }
}

impl Book {
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
            // Spot covers losses of scenarios that move up, never more than the loss (Deribit, offset currencies).
            if offset && scenario.price > 0.0 && total < 0.0 {
                let covered = total + larger(gain, 0.0);
                total = smaller(covered, 0.0);
            }
            // Deribit `extended_dampener`: dollars, in coin at the edge's price (inferred).
            if scenario.dampener > 0.0 {
                let most = scenario.dampener * usd / scenario.edge;
                total = if total.abs() <= most {
                    0.0
                } else {
                    total - most.copysign(total)
                };
            }
            // Deribit `pnl_offset`, `max_offsetable_pnl` (API, pme/get_params).
            if total > 0.0 {
                total *= rules.gain_share;
                if let Some(cap) = rules.gain_cap.map(|c| c * usd) {
                    total = smaller(total, cap);
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
        // Named one by one: a charge that is forgotten here does not compile.
        let Charges {
            roll,
            delta_shock,
            min_delta,
            decay_days,
            short_options,
            futures,
            perpetual_slippage,
            stated,
            // Lines of their own, outside the scan's factors.
            initial_only: _,
            provisions: _,
        } = &unit.plan.rules.charges;
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
            if let Some(name) = names.iter().find(|n| needed && !stated.contains_key(*n)) {
                fail!(
                    Unsupported,
                    "{} {}: the formula of '{name}' is not published: state its amount in charges.stated (zero is an amount)",
                    self.parameters.venue,
                    unit.layout.key.underlying
                );
            }
        }
        let (mut worst, mut least) = (0, scratch.pnl[0]);
        for (s, &pnl) in scratch.pnl.iter().enumerate() {
            if pnl < least {
                (least, worst) = (pnl, s);
            }
        }
        // In one literal: a charge without an amount does not compile.
        Ok(UnitRisk {
            worst,
            scan: larger(-least, 0.0),
            min_delta: match min_delta {
                Some(rule) => rule.floor(sums, unit.coin_value),
                None => 0.0,
            },
            decay: match decay_days {
                Some(_) if sums.decay < 0.0 => -sums.decay,
                Some(_) | None => 0.0,
            },
            roll: match roll {
                Some(_) => {
                    let own = &scratch.rolls[unit.first_expiry..][..unit.expiries.len()];
                    charges::roll(own, &unit.roll_rates)
                }
                None => 0.0,
            },
            delta_shock: match delta_shock {
                Some(rule) => rule.charge(sums, unit.index) * unit.coin_value,
                None => 0.0,
            },
            short_options: match short_options {
                Some(rule) => {
                    let nets = if rule.needs_strikes() {
                        &scratch.strikes[unit.first_strike..][..unit.layout.strikes.len()]
                    } else {
                        &[]
                    };
                    let strikes = &unit.layout.strikes;
                    rule.rate * rule.coins(sums, strikes, nets, unit.index) * unit.coin_value
                }
                None => 0.0,
            },
            futures: match futures {
                Some(rule) => rule.rate * rule.coins(sums) * unit.coin_value,
                None => 0.0,
            },
            stated: stated.values().fold(0.0, |sum, x| sum + x),
            slippage: match perpetual_slippage {
                Some(rule) => rule.charge(sums.perpetual_notional),
                None => 0.0,
            },
        })
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
        self.layout.key.label()
    }
}

/// The scenario of the unit that loses most, in the report's currency; the first of equals.
#[derive(Debug, Default)]
pub(super) struct Worst {
    loss: Option<f64>,
    pub(super) scenario: Option<u32>,
}

impl Worst {
    pub(super) fn take(&mut self, book: &Book, u: usize, scenario: usize, loss: f64) {
        let unit = &book.units[u];
        let loss = loss * book.frame.currencies.fx(unit.currency);
        if self.loss.is_none_or(|known| loss > known) {
            self.loss = Some(loss);
            self.scenario = Some((unit.first_scenario + scenario) as u32);
        }
    }
}
