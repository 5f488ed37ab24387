//! The terms of a requirement, written to a ledger.

use serde_json::Value;

use super::book::{Book, UnitRisk, Worst};
use super::details;
use super::parameters::{Charges, Model};
use super::pmrm::PmrmRisk;
use super::sums::BookScratch;
use engine::account::AccountView;
use engine::profits::Profits;
use engine::report::{Ledger, LineText};
use engine::seam::{Frame, Outcome, Rulebook};
use kernel::error::Result;
use kernel::fail;

impl Book {
    pub(super) fn charge_scan<L: Ledger + ?Sized>(
        &self,
        u: usize,
        risk: &UnitRisk,
        ledger: &mut L,
    ) {
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
        // Named one by one: a charge that is forgotten here does not compile.
        let Charges {
            roll,
            delta_shock,
            // The floor's and the slippage's lines are written above and below.
            min_delta: _,
            decay_days: _,
            perpetual_slippage: _,
            short_options,
            futures,
            stated,
            initial_only,
            provisions,
        } = &unit.plan.rules.charges;
        for (configured, component, amount) in [
            (roll.is_some(), "roll_shock", risk.roll),
            (delta_shock.is_some(), "delta_shock", risk.delta_shock),
            (
                short_options.is_some(),
                "option_contingency",
                risk.short_options,
            ),
            (futures.is_some(), "future_contingency", risk.futures),
            (!stated.is_empty(), "stated", risk.stated),
        ] {
            if configured {
                line(component, amount);
            }
        }
        // OKX: MMR = max(... , MR7).
        if risk.slippage > risk.total() {
            line("slippage", risk.slippage - risk.total());
        }
        for (name, amount) in initial_only {
            ledger.line(unit.currency, *amount, 0.0, &|| {
                LineText::new(unit.label(), name.clone())
            });
        }
        for (name, amount) in provisions {
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
        // Named one by one: a number that is forgotten here does not compile.
        let PmrmRisk {
            worst,
            min_span,
            // Inside the span already.
            worst_pnl: _,
            forward_contingency: _,
            // Of equity, not of the requirement.
            option_mtm: _,
            contingency_mm,
            contingency_im,
            confidence,
            im_factor: im,
            mm_factor: mm,
        } = *risk;
        let mut line = |component: &'static str, initial: f64, maintenance: f64| {
            ledger.line(unit.currency, initial, maintenance, &|| {
                let text = LineText::new(unit.label(), self.parameters.name(component));
                if component == "min_span" {
                    text.in_scenario(unit.plan.labels[worst].clone())
                } else {
                    text
                }
            });
        };
        // minSPAN times its factor, less contingencies: `getMarginAndMarkToMarket` (derivexyz/v2-core, PMRMLib).
        line("min_span", -min_span * im, -min_span * mm);
        let factors = if joint { (im, mm) } else { (1.0, 1.0) };
        line(
            "contingency",
            contingency_mm * factors.0,
            contingency_mm * factors.1,
        );
        line("initial_contingency", contingency_im, 0.0);
        line("confidence", confidence, 0.0);
    }

    /// What is borrowed in all, in the report's currency.
    pub(super) fn borrowed(&self, account: AccountView<'_>) -> f64 {
        let owed = |(currency, &amount): (&String, &f64)| {
            let at = self.frame.currencies.index(currency)?;
            (amount < 0.0).then(|| -amount * self.frame.currencies.fx(at))
        };
        account
            .terms
            .cash
            .iter()
            .filter_map(owed)
            .fold(0.0, |sum, x| sum + x)
    }

    /// Borrowed money: negative cash, at the venue's rates (OKX MR8).
    pub(super) fn charge_borrow<L: Ledger + ?Sized>(
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
                    MissingData: MissingRate;
                    "cash in {currency}: no contract settles in it, so the report has no rate for it"
                );
            };
            ledger.line(at, -amount * initial, -amount * maintenance, &|| {
                LineText::new("account", self.parameters.name("borrow"))
            });
        }
        Ok(())
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
        self.collect(account, None, scratch);
        let mut outcome = Outcome::default();
        let mut worst = Worst::default();
        let one = match self.parameters.model {
            Model::Pmrm => Some(self.pmrm_unit(account, &scratch.sums)?),
            Model::Scenario | Model::Standard | Model::Srm => None,
        };
        for u in 0..self.units.len() {
            let (scenario, loss) = if one == Some(u) {
                let (risk, _) = self.pmrm_risk(u, account, scratch)?;
                self.charge_pmrm(u, &risk, ledger);
                (risk.worst, -risk.min_span)
            } else if one.is_none() && scratch.sums[u].held {
                let risk = self.unit_risk(u, scratch)?;
                self.charge_scan(u, &risk, ledger);
                (risk.worst, risk.scan)
            } else {
                continue;
            };
            outcome.net_option_value += self.option_value(u, scratch);
            worst.take(self, u, scenario, loss);
        }
        outcome.worst_scenario = worst.scenario;
        self.charge_borrow(account, ledger)?;
        Ok(outcome)
    }

    fn profits(&self) -> Result<Vec<Profits>> {
        self.unit_profits()
    }

    fn scenario_label(&self, scenario: u32) -> String {
        let after = self
            .units
            .partition_point(|u| u.first_scenario <= scenario as usize);
        let unit = &self.units[after - 1];
        let text = &unit.plan.labels[scenario as usize - unit.first_scenario];
        if self.units.len() == 1 {
            text.clone()
        } else {
            format!("{} {text}", unit.label())
        }
    }

    fn details(&self, account: AccountView<'_>) -> Result<Value> {
        details::of(self, account)
    }
}
