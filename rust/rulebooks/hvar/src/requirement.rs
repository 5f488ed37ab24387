//! The requirement: each netting set's components weighted and floored, then the stages.

use super::book::{Book, ComponentBook, SetBook};
use super::charges::{self, Settled};
use super::component::Role;
use super::positions::{HvarScratch, SetPositions, Side};
use super::risk::{Part, RiskScratch};
use super::rules::parts::Standing;
use super::tail::Held;
use engine::account::{AccountView, Accounts};
use engine::profits::Profits;
use engine::report::{Ledger, LineText, Requirement, Totals};
use engine::seam::{self, Frame, Outcome, Rulebook};
use kernel::error::{MarginError, Result};

/// Accounts whose scenarios are added up together: each block of the table is read once for all of them.
const TOGETHER: usize = 8192;

/// Netting sets added up, and the worst scenario of the largest.
#[derive(Debug, Default)]
struct Sum {
    total: f64,
    worst: Option<(f64, u32)>,
}

impl Book {
    /// Sorts an account's positions into their netting sets, in contract order.
    pub(super) fn sort(&self, account: AccountView<'_>, side: Side, out: &mut Vec<SetPositions>) {
        out.resize(self.sets.len(), SetPositions::default());
        out.iter_mut().for_each(SetPositions::clear);
        self.add(account, side, out);
    }

    fn add(&self, account: AccountView<'_>, side: Side, out: &mut [SetPositions]) {
        let positions = account.positions;
        for i in 0..positions.len() {
            let lots = match side {
                Side::Net => positions.net(i) as f64,
                Side::Long => positions.long(i) as f64,
                Side::Short => -(positions.short(i) as f64),
            };
            if side != Side::Net && lots == 0.0 {
                continue;
            }
            if let Some((set, row)) = self.places[positions.contract[i] as usize] {
                let own = &mut out[set as usize];
                own.row.push(row);
                own.lots.push(lots);
            }
        }
    }

    /// The risk of every part of the sets held.
    fn measure(&self, scratch: &mut HvarScratch) -> Result<()> {
        scratch.parts.clear();
        scratch.parts.resize(self.parts, (0.0, 0));
        scratch.held.clear();
        scratch
            .held
            .extend(scratch.positions.iter().map(|p| !p.is_empty()));
        for (set, positions) in self.sets.iter().zip(&scratch.positions) {
            if !positions.is_empty() {
                self.measure_set(set, positions, &mut scratch.parts, &mut scratch.risk)?;
            }
        }
        Ok(())
    }

    /// The risk of every part of one set.
    pub(super) fn measure_set(
        &self,
        set: &SetBook,
        positions: &SetPositions,
        parts: &mut [(f64, u32)],
        scratch: &mut RiskScratch,
    ) -> Result<()> {
        for component in &set.components {
            for (i, part) in component.parts.iter().enumerate() {
                let risk = part.risk(positions.held(), scratch)?;
                parts[component.first_part + i] = (risk, scratch.tail().1[0]);
            }
        }
        Ok(())
    }

    /// Lines of every netting set, from measured parts.
    fn charge_sets<L: Ledger + ?Sized>(
        &self,
        side: Side,
        scratch: &HvarScratch,
        sum: &mut Sum,
        ledger: &mut L,
    ) {
        let sets = self.sets.iter().zip(&scratch.gross);
        for ((set, gross), held) in sets.zip(&scratch.held) {
            if !held {
                continue;
            }
            let own = self.charge_set(set, side, &scratch.parts, *gross, ledger);
            sum.total += own;
            if let Some(scenario) = set.worst_scenario(&scratch.parts)
                && sum.worst.is_none_or(|(largest, _)| own > largest)
            {
                sum.worst = Some((own, scenario));
            }
        }
    }

    /// Lines of the stages, after those of the netting sets.
    fn settle<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut HvarScratch,
        sum: &Sum,
        ledger: &mut L,
    ) -> Result<Outcome> {
        if !self.charges.is_empty() {
            let settled = Settled {
                account,
                worth: &self.worth,
                standing: self.standing(account)?,
            };
            scratch.totals.clear();
            scratch.totals.push(sum.total);
            charges::run(
                &self.charges,
                &settled,
                &mut scratch.totals,
                &mut scratch.sides,
                ledger,
            );
        }
        Ok(Outcome {
            net_option_value: self.net_option_value(account),
            worst_scenario: sum.worst.filter(|w| w.0 > 0.0).map(|w| w.1),
            pairing_gap: None,
        })
    }

    /// One netting set's lines: terms added by weight (HKSCC, Initial Margin Calculation Guide v1.4, section 3.2.4.1),
    /// floors as what they ask beyond, not below zero, and what offsets between products are not granted (EMIR RTS 153/2013
    /// Article 27 (4)).
    pub(super) fn charge_set<L: Ledger + ?Sized>(
        &self,
        set: &SetBook,
        side: Side,
        parts: &[(f64, u32)],
        gross: Option<f64>,
        ledger: &mut L,
    ) -> f64 {
        let mut sum = 0.0;
        for role in [Role::Term, Role::Floor] {
            for component in set.components.iter().filter(|c| c.role == role) {
                let own = component.weight * component.risk(parts);
                let amount = match role {
                    Role::Term => own,
                    Role::Floor if own > sum => own - sum,
                    Role::Floor => continue,
                };
                sum += amount;
                ledger.line(0, amount, amount, &|| {
                    let text = LineText::new(side.scope(&set.scope), component.label.as_str());
                    match component.worst_scenario(parts) {
                        Some(at) => text.in_scenario(self.label(at)),
                        None => text,
                    }
                });
            }
        }
        if sum < 0.0 && !self.allow_negative {
            ledger.line(0, -sum, -sum, &|| {
                LineText::new(side.scope(&set.scope), "not below zero")
            });
            sum = 0.0;
        }
        match (gross, self.offset_share) {
            (Some(gross), Some(share)) if gross > sum => {
                let kept = (1.0 - share) * (gross - sum);
                ledger.line(0, kept, kept, &|| {
                    LineText::new(side.scope(&set.scope), "offset cap")
                });
                sum + kept
            }
            _ => sum,
        }
    }

    fn standing(&self, account: AccountView<'_>) -> Result<Standing> {
        let mut standing = Standing::default();
        let positions = account.positions;
        for i in 0..positions.len() {
            let worth = &self.worth[positions.contract[i] as usize];
            let (long, short) = (
                positions.long(i) as f64 * worth.value,
                positions.short(i) as f64 * worth.value,
            );
            standing.net += long - short;
            if worth.is_covered {
                standing.gross_long += long;
                standing.gross_short += short;
            }
        }
        standing.mark = standing.net;
        for (currency, amount) in &account.terms.cash {
            standing.mark += amount * self.market.fx(currency, self.frame.currencies.report())?;
        }
        Ok(standing)
    }

    fn net_option_value(&self, account: AccountView<'_>) -> f64 {
        let positions = account.positions;
        (0..positions.len()).fold(0.0, |sum, i| {
            match self.option_value[positions.contract[i] as usize] {
                0.0 => sum,
                value => sum + positions.net(i) as f64 * value,
            }
        })
    }

    /// A scenario's words by its number among all.
    pub(super) fn label(&self, scenario: u32) -> String {
        let components = self.sets.iter().flat_map(|s| &s.components);
        components
            .filter_map(|c| {
                c.labels
                    .get((scenario as usize).checked_sub(c.first_scenario)?)
            })
            .next()
            .cloned()
            .unwrap_or_default()
    }

    /// Requirements of a run of accounts, a block of scenarios at a time over all of them.
    fn many(&self, accounts: &Accounts, first: usize, out: &mut [Requirement]) -> Result<()> {
        let mut books = vec![SetPositions::default(); self.sets.len()];
        let mut starts = vec![vec![0]; self.sets.len()];
        for i in 0..out.len() {
            self.add(accounts.view(first + i), Side::Net, &mut books);
            for (start, book) in starts.iter_mut().zip(&books) {
                start.push(book.row.len());
            }
        }
        let mut measured = vec![(0.0, 0); out.len() * self.parts];
        for ((set, book), start) in self.sets.iter().zip(&books).zip(&starts) {
            for component in &set.components {
                for (p, part) in component.parts.iter().enumerate() {
                    let own = measured[component.first_part + p..]
                        .iter_mut()
                        .step_by(self.parts);
                    measure_many(part, book.held(), start, own)
                        .map_err(|(i, e)| e.at(format!("account {}", first + i)))?;
                }
            }
        }
        let mut scratch = HvarScratch::default();
        let mut totals = Totals::default();
        for (i, row) in out.iter_mut().enumerate() {
            scratch.held.clear();
            scratch.held.extend(starts.iter().map(|s| s[i] < s[i + 1]));
            scratch.parts.clear();
            scratch
                .parts
                .extend_from_slice(&measured[i * self.parts..(i + 1) * self.parts]);
            totals.clear();
            let account = accounts.view(first + i);
            if account.positions.short.is_some() {
                let outcome = self
                    .charge(account, &mut scratch, &mut totals)
                    .map_err(|e| e.at(format!("account {}", first + i)))?;
                *row = seam::requirement(&totals, &self.frame.currencies, outcome);
                continue;
            }
            scratch.positions.clear();
            if self.offset_share.is_some() {
                let own = starts.iter().zip(&books);
                let own = own.map(|(start, book)| book.slice(start[i]..start[i + 1]));
                scratch.positions.extend(own);
            }
            self.gross(&scratch.positions, &mut scratch.risk, &mut scratch.gross)
                .map_err(|e| e.at(format!("account {}", first + i)))?;
            let mut sum = Sum::default();
            self.charge_sets(Side::Net, &scratch, &mut sum, &mut totals);
            let outcome = self
                .settle(account, &mut scratch, &sum, &mut totals)
                .map_err(|e| e.at(format!("account {}", first + i)))?;
            *row = seam::requirement(&totals, &self.frame.currencies, outcome);
        }
        Ok(())
    }
}

/// One part's risk and worst scenario of every account that holds any of its netting set; the error with its account.
fn measure_many<'a>(
    part: &Part,
    held: Held<'_>,
    start: &[usize],
    out: impl Iterator<Item = &'a mut (f64, u32)>,
) -> std::result::Result<(), (usize, MarginError)> {
    let count = start.len() - 1;
    let (mut loss, mut scenario) = (Vec::new(), Vec::new());
    if part.is_running() {
        loss.resize(count * part.depth, 0.0);
        scenario.resize(count * part.depth, 0);
        part.tails(start, held, &mut loss, &mut scenario)
            .map_err(|e| (0, e))?;
    }
    let mut scratch = RiskScratch::default();
    for (i, out) in out.enumerate().filter(|&(i, _)| start[i] < start[i + 1]) {
        let tail = i * part.depth..(i + 1) * part.depth;
        let risk = if part.is_running() {
            part.of_tail(&loss[tail.clone()], &scenario[tail.clone()], &[])
                .map(|risk| (risk, scenario[tail.start]))
        } else {
            let own = Held {
                row: &held.row[start[i]..start[i + 1]],
                lots: &held.lots[start[i]..start[i + 1]],
            };
            part.risk(own, &mut scratch)
                .map(|risk| (risk, scratch.tail().1[0]))
        };
        *out = risk.map_err(|e| (i, e))?;
    }
    Ok(())
}

impl SetBook {
    /// The worst scenario of the first component that has scenarios.
    fn worst_scenario(&self, parts: &[(f64, u32)]) -> Option<u32> {
        self.components.iter().find_map(|c| c.worst_scenario(parts))
    }
}

impl ComponentBook {
    /// The mean of the parts' risks, over the holding period; or the number given.
    pub(super) fn risk(&self, parts: &[(f64, u32)]) -> f64 {
        if let Some(given) = self.given {
            return given;
        }
        let own = &parts[self.first_part..][..self.parts.len()];
        self.scale * own.iter().fold(0.0, |sum, p| sum + p.0) / own.len() as f64
    }

    /// The worst scenario of the riskiest part, by its number among all.
    fn worst_scenario(&self, parts: &[(f64, u32)]) -> Option<u32> {
        let own = &parts[self.first_part..][..self.parts.len()];
        let mut first = self.first_scenario;
        let mut worst: Option<(f64, usize)> = None;
        for (part, &(risk, scenario)) in self.parts.iter().zip(own) {
            if worst.is_none_or(|w| risk > w.0) {
                worst = Some((risk, first + scenario as usize));
            }
            first += part.table.scenarios;
        }
        worst.map(|w| w.1 as u32)
    }
}

impl Rulebook for Book {
    type Scratch = HvarScratch;

    const RUN: usize = TOGETHER;
    const GROSS: bool = true;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut HvarScratch,
        ledger: &mut L,
    ) -> Result<Outcome> {
        let mut sum = Sum::default();
        for &side in Side::of(account) {
            self.sort(account, side, &mut scratch.positions);
            self.measure(scratch)?;
            self.gross(&scratch.positions, &mut scratch.risk, &mut scratch.gross)?;
            self.charge_sets(side, scratch, &mut sum, ledger);
        }
        self.settle(account, scratch, &sum, ledger)
    }

    fn profits(&self) -> Result<Vec<Profits>> {
        Ok(self.scenario_profits())
    }

    fn scenario_label(&self, scenario: u32) -> String {
        self.label(scenario)
    }

    fn details(&self, account: AccountView<'_>) -> Result<serde_json::Value> {
        self.explain(account)
    }

    fn requirements(
        &self,
        accounts: &Accounts,
        first: usize,
        out: &mut [Requirement],
    ) -> Result<()> {
        for (i, chunk) in out.chunks_mut(TOGETHER).enumerate() {
            self.many(accounts, first + i * TOGETHER, chunk)?;
        }
        Ok(())
    }
}

impl Book {
    /// The sum of what the products of every netting set need alone, where offsets between them are granted in part.
    pub(super) fn gross(
        &self,
        positions: &[SetPositions],
        scratch: &mut RiskScratch,
        out: &mut Vec<Option<f64>>,
    ) -> Result<()> {
        out.clear();
        if self.offset_share.is_none() {
            out.resize(self.sets.len(), None);
            return Ok(());
        }
        for (set, positions) in self.sets.iter().zip(positions) {
            let alone = self.alone(set, positions, scratch)?;
            out.push(Some(alone.iter().fold(0.0, |sum, own| sum + own.1)));
        }
        Ok(())
    }

    /// What each product held needs alone, in order: (product, margin).
    pub(super) fn alone(
        &self,
        set: &SetBook,
        positions: &SetPositions,
        scratch: &mut RiskScratch,
    ) -> Result<Vec<(usize, f64)>> {
        let mut out = Vec::new();
        let mut parts = vec![(0.0, 0); self.parts];
        for product in 0..set.products.names.len() {
            let own = positions.only(|row| set.products.of[row as usize] as usize == product);
            if own.is_empty() {
                continue;
            }
            self.measure_set(set, &own, &mut parts, scratch)?;
            let margin = self.charge_set(set, Side::Net, &parts, None, &mut Totals::default());
            out.push((product, margin));
        }
        Ok(out)
    }
}
