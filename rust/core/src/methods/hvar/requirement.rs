//! The requirement: each netting set's components weighted and floored, then the stages.

use super::book::{Book, ComponentBook, SetBook};
use super::charges::{self, Standing};
use super::parameters::Role;
use super::risk::RiskScratch;
use super::tail::Held;
use crate::account::{AccountView, Accounts};
use crate::error::Result;
use crate::methods::{Frame, Outcome, Rulebook};
use crate::report::{Ledger, LineText, Requirement, Totals};

/// Accounts whose scenarios are added up together: their tails stay in the cache beside a block of the table.
const TOGETHER: usize = 512;

/// Working memory of one account.
#[derive(Debug, Default)]
pub(super) struct HvarScratch {
    pub(super) positions: Vec<SetPositions>,
    risk: RiskScratch,
    /// Of every part: its risk and its worst scenario.
    pub(super) parts: Vec<(f64, u32)>,
    totals: Vec<f64>,
    sides: Vec<(u32, f64, f64)>,
}

/// What is held of one netting set.
#[derive(Debug, Default, Clone)]
pub(super) struct SetPositions {
    row: Vec<u32>,
    lots: Vec<i64>,
}

impl SetPositions {
    pub(super) fn held(&self) -> Held<'_> {
        Held {
            row: &self.row,
            lots: &self.lots,
        }
    }

    fn clear(&mut self) {
        self.row.clear();
        self.lots.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.row.is_empty()
    }
}

impl Book {
    /// Sorts an account's positions into their netting sets, in contract order.
    pub(super) fn sort(&self, account: AccountView<'_>, out: &mut Vec<SetPositions>) {
        out.resize(self.sets.len(), SetPositions::default());
        out.iter_mut().for_each(SetPositions::clear);
        let positions = account.positions;
        for i in 0..positions.len() {
            if let Some((set, row)) = self.places[positions.contract[i] as usize] {
                let own = &mut out[set as usize];
                own.row.push(row);
                own.lots.push(positions.net(i));
            }
        }
    }

    /// The risk of every part of the sets held.
    fn measure(&self, scratch: &mut HvarScratch) -> Result<()> {
        scratch.parts.clear();
        scratch.parts.resize(self.parts, (0.0, 0));
        for (set, positions) in self.sets.iter().zip(&scratch.positions) {
            if positions.is_empty() {
                continue;
            }
            for component in &set.components {
                for (i, part) in component.parts.iter().enumerate() {
                    let risk = part.risk(positions.held(), &mut scratch.risk)?;
                    scratch.parts[component.first_part + i] = (risk, scratch.risk.tail().1[0]);
                }
            }
        }
        Ok(())
    }

    /// Lines of every netting set and of the stages, from measured parts.
    fn settle<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut HvarScratch,
        ledger: &mut L,
    ) -> Result<Outcome> {
        let mut worst: Option<(f64, u32)> = None;
        let mut total = 0.0;
        for (set, positions) in self.sets.iter().zip(&scratch.positions) {
            if positions.is_empty() {
                continue;
            }
            total += self.charge_set_for(set, &scratch.parts, &mut worst, ledger);
        }
        if !self.charges.is_empty() {
            let standing = self.standing(account)?;
            scratch.totals.clear();
            scratch.totals.push(total);
            charges::run(
                &self.charges,
                account,
                &self.worth,
                &standing,
                &mut scratch.totals,
                &mut scratch.sides,
                ledger,
            );
        }
        Ok(Outcome {
            net_option_value: self.net_option_value(account),
            worst_scenario: worst.filter(|w| w.0 > 0.0).map(|w| w.1),
        })
    }

    /// One netting set's lines and their sum; takes the set's worst scenario where its charge is the largest so far.
    pub(super) fn charge_set_for<L: Ledger + ?Sized>(
        &self,
        set: &SetBook,
        parts: &[(f64, u32)],
        worst: &mut Option<(f64, u32)>,
        ledger: &mut L,
    ) -> f64 {
        let own = self.charge_set(set, parts, ledger);
        if let Some(scenario) = set.worst_scenario(parts)
            && worst.is_none_or(|(largest, _)| own > largest)
        {
            *worst = Some((own, scenario));
        }
        own
    }

    /// One netting set's lines: terms added, floors as what they ask beyond, and not below zero.
    fn charge_set<L: Ledger + ?Sized>(
        &self,
        set: &SetBook,
        parts: &[(f64, u32)],
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
                    let text = LineText::new(set.scope.as_str(), component.label.as_str());
                    match component.worst_scenario(parts) {
                        Some(at) => text.in_scenario(self.label(at)),
                        None => text,
                    }
                });
            }
        }
        if sum < 0.0 && !self.allow_negative {
            ledger.line(0, -sum, -sum, &|| {
                LineText::new(set.scope.as_str(), "not below zero")
            });
            return 0.0;
        }
        sum
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
            let value = self.option_value[positions.contract[i] as usize];
            (positions.net(i) as f64).mul_add(value, sum)
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

    /// Tails of a run of accounts, a block of scenarios at a time over all of them.
    fn many(&self, accounts: &Accounts, first: usize, out: &mut [Requirement]) -> Result<()> {
        let mut books: Vec<Vec<SetPositions>> = vec![Vec::new(); out.len()];
        for (i, book) in books.iter_mut().enumerate() {
            self.sort(accounts.view(first + i), book);
        }
        let mut measured = vec![(0.0, 0); out.len() * self.parts];
        for (s, set) in self.sets.iter().enumerate() {
            let mut start = vec![0];
            let mut all = SetPositions::default();
            for book in &books {
                all.row.extend_from_slice(&book[s].row);
                all.lots.extend_from_slice(&book[s].lots);
                start.push(all.row.len());
            }
            for component in &set.components {
                for (p, part) in component.parts.iter().enumerate() {
                    let mut put = |i: usize, risk: (f64, u32)| {
                        measured[i * self.parts + component.first_part + p] = risk
                    };
                    if part.is_running() {
                        let mut loss = vec![0.0; out.len() * part.depth];
                        let mut scenario = vec![0; out.len() * part.depth];
                        part.tails(&start, all.held(), &mut loss, &mut scenario);
                        let tails = loss
                            .chunks_exact(part.depth)
                            .zip(scenario.chunks_exact(part.depth));
                        for (i, (loss, scenario)) in tails.enumerate() {
                            if start[i] < start[i + 1] {
                                let risk = part
                                    .from_tail(loss, scenario, &[])
                                    .map_err(|e| e.at(format!("account {}", first + i)))?;
                                put(i, (risk, scenario[0]));
                            }
                        }
                    } else {
                        let mut scratch = RiskScratch::default();
                        for (i, book) in books.iter().enumerate().filter(|(_, b)| !b[s].is_empty())
                        {
                            let risk = part
                                .risk(book[s].held(), &mut scratch)
                                .map_err(|e| e.at(format!("account {}", first + i)))?;
                            put(i, (risk, scratch.tail().1[0]));
                        }
                    }
                }
            }
        }
        let mut scratch = HvarScratch::default();
        let mut totals = Totals::default();
        for (i, (row, book)) in out.iter_mut().zip(books).enumerate() {
            scratch.positions = book;
            scratch.parts.clear();
            scratch
                .parts
                .extend_from_slice(&measured[i * self.parts..(i + 1) * self.parts]);
            totals.clear();
            let outcome = self
                .settle(accounts.view(first + i), &mut scratch, &mut totals)
                .map_err(|e| e.at(format!("account {}", first + i)))?;
            *row = crate::methods::requirement(&totals, &self.frame.currencies, outcome);
        }
        Ok(())
    }
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

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut HvarScratch,
        ledger: &mut L,
    ) -> Result<Outcome> {
        self.sort(account, &mut scratch.positions);
        self.measure(scratch)?;
        self.settle(account, scratch, ledger)
    }

    fn live(self: std::sync::Arc<Self>) -> Box<dyn crate::live::Live> {
        Box::new(super::live::LiveBook::new(self))
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
