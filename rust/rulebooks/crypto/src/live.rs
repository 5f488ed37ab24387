//! A venue's scan of an open account: units' sums and lines are kept between trades, and only touched units are
//! summed up again.

use std::sync::Arc;

use super::book::{Book, Worst};
use super::instruments::Class;
use super::parameters::{Charges, MinDelta, Slippage, SpotTreatment};
use super::sums::{BookScratch, RowTerms};
use engine::account::AccountView;
use engine::contract::ContractIndex;
use engine::report::{Ledger, LineText, Requirement, Totals};
use engine::seam::{Estimate, Live};
use engine::seam::{Outcome, requirement};
use kernel::error::Result;
use kernel::float::larger;

/// One unit's lines without their words, and its worst scenario.
#[derive(Debug, Default, Clone)]
struct UnitLines {
    lines: Vec<(usize, f64, f64)>,
    initial: f64,
    maintenance: f64,
    worst: Option<(usize, f64)>,
    option_value: f64,
}

impl Ledger for UnitLines {
    fn line(&mut self, currency: usize, initial: f64, maintenance: f64, _: &dyn Fn() -> LineText) {
        self.lines.push((currency, initial, maintenance));
        self.initial += initial;
        self.maintenance += maintenance;
    }
}

pub(super) struct LiveBook {
    book: Arc<Book>,
    kept: BookScratch,
    units: Vec<UnitLines>,
    requirement: Requirement,
    /// Sum of |lots| times what a lot can change the requirement by.
    magnitude: f64,
    // Working memory of a question.
    trial: BookScratch,
    unit: UnitLines,
    touched: Vec<u32>,
    totals: Totals,
}

impl LiveBook {
    pub(super) fn open(book: Arc<Book>) -> Box<dyn Live> {
        Box::new(Self {
            units: vec![UnitLines::default(); book.units.len()],
            book,
            kept: BookScratch::default(),
            requirement: Requirement::default(),
            magnitude: 0.0,
            trial: BookScratch::default(),
            unit: UnitLines::default(),
            touched: Vec::new(),
            totals: Totals::default(),
        })
    }

    /// The requirement from kept lines, those of `self.touched` taken from `self.trial`.
    fn write(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        let book = &self.book;
        self.totals.clear();
        let mut worst = Worst::default();
        let mut outcome = Outcome::default();
        for (u, kept) in self.units.iter().enumerate() {
            let unit = if self.touched.contains(&(u as u32)) {
                charge(book, u, &mut self.trial, &mut self.unit)?;
                &self.unit
            } else {
                kept
            };
            for &(currency, initial, maintenance) in &unit.lines {
                self.totals.line(currency, initial, maintenance, &|| {
                    unreachable!("totals keep no words")
                });
            }
            if let Some((scenario, loss)) = unit.worst {
                outcome.net_option_value += unit.option_value;
                worst.take(book, u, scenario, loss);
            }
        }
        outcome.worst_scenario = worst.scenario;
        book.charge_borrow(account, &mut self.totals)?;
        Ok(requirement(&self.totals, &book.frame.currencies, outcome))
    }
}

impl Book {
    /// A bound on what one lot of a row can change any term of the requirement by, in the report's currency.
    fn largest(&self, row: &RowTerms) -> f64 {
        let unit = &self.units[row.unit as usize];
        let plan = &unit.plan;
        // Named one by one: a charge that is forgotten here does not compile.
        let Charges {
            roll,
            delta_shock,
            min_delta,
            // The value a lot loses with time is a term whether it is charged or not.
            decay_days: _,
            short_options,
            futures,
            perpetual_slippage,
            // Amounts that no trade changes.
            stated: _,
            initial_only: _,
            provisions: _,
        } = &plan.rules.charges;
        let table = unit.table(unit.lanes[row.lane as usize]);
        let cells = &table[row.offset as usize..][..plan.scenarios.len()];
        let option = row.class == Class::Option;
        let mut scan = 0.0;
        for (s, cell) in cells.iter().enumerate() {
            let (of_pnl, of_mark) = if option {
                plan.options[s]
            } else {
                (plan.others[s], 0.0)
            };
            let size = (cell * row.scale * of_pnl).abs() + (row.coin_mark * of_mark).abs();
            scan = larger(size, scan);
        }
        let (delta, coins) = (
            row.delta.abs() * unit.coin_value,
            row.coins.abs() * unit.coin_value,
        );
        let mut most = scan + row.decay.abs() + row.value.abs();
        if roll.is_some() {
            most += row.roll.abs() * unit.roll_rates[row.expiry as usize];
        }
        if let Some(rule) = min_delta {
            most += delta * rule.steepest();
        }
        if let Some(rule) = delta_shock {
            most += row.adjusted_delta.abs() * unit.coin_value * rule.steepest(unit.index);
        }
        most += coins * short_options.as_ref().map_or(0.0, |r| r.rate);
        most += coins * futures.as_ref().map_or(0.0, |r| r.rate);
        most += row.roll.abs() * perpetual_slippage.as_ref().map_or(0.0, Slippage::steepest);
        let rules = &plan.rules;
        let factor = [rules.im_factor, rules.mm_factor, rules.gain_share, 1.0]
            .into_iter()
            .fold(0.0, f64::max);
        most * factor * self.frame.currencies.fx(unit.currency)
    }
}

/// One unit's lines from its sums.
fn charge(book: &Book, u: usize, sums: &mut BookScratch, unit: &mut UnitLines) -> Result<()> {
    unit.lines.clear();
    (unit.initial, unit.maintenance, unit.option_value) = (0.0, 0.0, 0.0);
    unit.worst = None;
    if sums.sums[u].held {
        let risk = book.unit_risk(u, sums)?;
        book.charge_scan(u, &risk, unit);
        unit.worst = Some((risk.worst, risk.scan));
        unit.option_value = book.option_value(u, sums);
    }
    Ok(())
}

fn net_lots(account: AccountView<'_>, contract: ContractIndex) -> i64 {
    match account.positions.contract.binary_search(&contract) {
        Ok(i) => account.positions.net(i),
        Err(_) => 0,
    }
}

impl Live for LiveBook {
    fn keep(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        self.book.collect(account, None, &mut self.kept);
        for (u, unit) in self.units.iter_mut().enumerate() {
            charge(&self.book, u, &mut self.kept, unit)?;
        }
        let positions = account.positions;
        self.magnitude = (0..positions.len()).fold(0.0, |sum, i| {
            let lots = (positions.long(i) + positions.short(i)) as f64;
            let row = &self.book.rows[positions.contract[i] as usize];
            lots.mul_add(self.book.largest(row), sum)
        });
        self.touched.clear();
        self.requirement = self.write(account)?;
        Ok(self.requirement)
    }

    fn requirement(
        &mut self,
        account: AccountView<'_>,
        changed: &[ContractIndex],
    ) -> Result<Requirement> {
        self.touched.clear();
        for &contract in changed {
            let unit = self.book.rows[contract as usize].unit;
            if !self.touched.contains(&unit) {
                self.touched.push(unit);
            }
        }
        self.book
            .collect(account, Some(&self.touched), &mut self.trial);
        self.write(account)
    }

    fn after(
        &mut self,
        account: AccountView<'_>,
        contract: ContractIndex,
        lots: i64,
    ) -> Option<Estimate> {
        // What nets by strike is not kept.
        if self.book.nets_strikes {
            return None;
        }
        let book = &self.book;
        let row = &book.rows[contract as usize];
        let u = row.unit as usize;
        self.trial.load(book, u, &self.kept);
        let before = net_lots(account, contract) as f64;
        let lots = lots as f64;
        self.trial.trade(book, row, before, lots);
        charge(book, u, &mut self.trial, &mut self.unit).ok()?;
        let fx = book.frame.currencies.fx(book.units[u].currency);
        let (new, old) = (&self.unit, &self.units[u]);
        let n = account.positions.len() + 16;
        let magnitude =
            (lots.abs() + 2.0 * before.abs()).mul_add(book.largest(row), self.magnitude);
        Some(Estimate {
            initial: self.requirement.initial + fx * (new.initial - old.initial),
            band: 2.0 * (n + 2) as f64 * (f64::EPSILON / 2.0) * magnitude,
        })
    }

    fn is_convex(&self, contract: ContractIndex) -> bool {
        let book = &self.book;
        let row = &book.rows[contract as usize];
        // Named one by one: a charge that is forgotten here does not compile.
        let Charges {
            roll: _,
            delta_shock,
            min_delta,
            decay_days: _,
            // Netting by strike is asked for below.
            short_options: _,
            futures: _,
            perpetual_slippage,
            stated: _,
            initial_only: _,
            provisions: _,
        } = &book.units[row.unit as usize].plan.rules.charges;
        let concave_spot = match book.parameters.spot {
            SpotTreatment::UpsideOffset => row.class == Class::Spot,
            SpotTreatment::InUse => true,
            SpotTreatment::InMatrix | SpotTreatment::CollateralOnly => false,
        };
        // Losses of scenarios are linear in the lots, gains that count in part or up to a cap concave, and charges sums
        // of absolute values: the largest of convex functions. A liquidity charge has a cap, rolled shorts jump, and a
        // slippage's multiplier steps.
        !concave_spot
            && delta_shock.is_none()
            && perpetual_slippage.is_none()
            && !book.nets_strikes
            && min_delta.as_ref().is_none_or(MinDelta::is_convex)
    }
}
