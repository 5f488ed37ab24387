//! An open account: every part's losses are kept, so that one more trade adds one row and looks for the tail again.

use std::sync::Arc;

use super::book::Book;
use super::positions::{HvarScratch, Side};
use super::risk::{Part, RiskScratch};
use super::tail;
use engine::account::AccountView;
use engine::contract::ContractIndex;
use engine::report::{Requirement, Totals};
use engine::seam::Rulebook;
use engine::seam::{self, Estimate, Live};
use kernel::error::Result;
use kernel::float::larger;

pub(super) struct LiveBook {
    book: Arc<Book>,
    scratch: HvarScratch,
    totals: Totals,
    /// Of every part, in order: its losses and the mildest of its tail; empty for parts whose risk needs more than that.
    losses: Vec<(Vec<f64>, f64)>,
    risk: RiskScratch,
    /// Each part's risk and worst scenario for the kept positions.
    parts: Vec<(f64, u32)>,
    held: Vec<bool>,
    positions: usize,
    /// A trade in a gross account opens or closes: nothing is kept.
    is_gross: bool,
    /// Sum of `|lots|` times the contract's largest loss, weighted as the components are.
    magnitude: f64,
}

impl LiveBook {
    pub(super) fn open(book: Arc<Book>) -> Box<dyn Live> {
        Box::new(Self {
            book,
            scratch: HvarScratch::default(),
            totals: Totals::default(),
            losses: Vec::new(),
            risk: RiskScratch::default(),
            parts: Vec::new(),
            held: Vec::new(),
            positions: 0,
            is_gross: false,
            magnitude: 0.0,
        })
    }

    fn fresh(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        self.totals.clear();
        let outcome = self
            .book
            .charge(account, &mut self.scratch, &mut self.totals)?;
        Ok(seam::requirement(
            &self.totals,
            &self.book.frame.currencies,
            outcome,
        ))
    }

    /// `|lots|` of a contract in money, over the components of its netting set.
    fn magnitude_of(&self, contract: ContractIndex, lots: i64) -> f64 {
        let Some((set, row)) = self.book.places[contract as usize] else {
            return 0.0;
        };
        let components = &self.book.sets[set as usize].components;
        components.iter().fold(0.0, |sum, c| {
            let largest = c
                .parts
                .iter()
                .fold(0.0, |a, p| larger(p.table.largest(row as usize), a));
            sum + c.weight.abs() * c.scale * largest * lots.unsigned_abs() as f64
        })
    }

    /// Whether a trade of this contract can be added to kept losses. Every field of the book is named, so that one which
    /// makes the requirement more than its kept tails cannot be forgotten here.
    fn is_additive(&self, contract: ContractIndex) -> bool {
        let Book {
            sets,
            places,
            charges,
            unit,
            offset_share,
            // Of each netting set's sum: `charge_set` takes it into account.
            allow_negative: _,
            // What stages and option values read, which are charged by none here.
            worth: _,
            option_value: _,
            market: _,
            // Words and numbers of things.
            frame: _,
            calibration: _,
            parts: _,
        } = &*self.book;
        let Some((set, _)) = places[contract as usize] else {
            return false;
        };
        !self.is_gross
            && charges.is_empty()
            && *unit == 0.0
            && offset_share.is_none()
            && sets[set as usize]
                .components
                .iter()
                .all(|c| c.given.is_none() && c.parts.iter().all(Part::is_running))
    }
}

impl Live for LiveBook {
    fn keep(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        let requirement = self.fresh(account)?;
        self.is_gross = account.positions.short.is_some();
        self.parts.clone_from(&self.scratch.parts);
        self.held.clear();
        self.held.extend_from_slice(&self.scratch.held);
        self.losses.resize(self.book.parts, (Vec::new(), 0.0));
        for (set, positions) in self.book.sets.iter().zip(&self.scratch.positions) {
            for component in &set.components {
                for (i, part) in component
                    .parts
                    .iter()
                    .enumerate()
                    .filter(|(_, p)| p.is_running())
                {
                    let (losses, mildest) = &mut self.losses[component.first_part + i];
                    tail::losses(&part.table, positions.held(), self.book.unit, losses);
                    part.of_losses(losses, &mut self.risk)?;
                    *mildest = self.risk.tail().0[part.depth - 1];
                }
            }
        }
        self.positions = account.positions.len();
        self.magnitude = (0..self.positions).fold(0.0, |sum, i| {
            sum + self.magnitude_of(account.positions.contract[i], account.positions.net(i))
        });
        Ok(requirement)
    }

    fn requirement(
        &mut self,
        account: AccountView<'_>,
        _: &[ContractIndex],
    ) -> Result<Requirement> {
        self.fresh(account)
    }

    fn after(
        &mut self,
        _: AccountView<'_>,
        contract: ContractIndex,
        lots: i64,
    ) -> Option<Estimate> {
        if !self.is_additive(contract) {
            return None;
        }
        let book = self.book.clone();
        let (at, row) = book.places[contract as usize]?;
        let scratch = &mut self.scratch;
        scratch.parts.clone_from(&self.parts);
        let mut depth = 0;
        for component in &book.sets[at as usize].components {
            for (i, part) in component.parts.iter().enumerate() {
                let own = component.first_part + i;
                let (losses, mildest) = &self.losses[own];
                let risk = part
                    .risk_after(losses, *mildest, row as usize, lots as f64, &mut self.risk)
                    .ok()?;
                scratch.parts[own].0 = risk;
                depth += part.depth;
            }
        }
        self.totals.clear();
        for (i, set) in book.sets.iter().enumerate() {
            if self.held[i] || i == at as usize {
                book.charge_set(set, Side::Net, &self.scratch.parts, None, &mut self.totals);
            }
        }
        let (initial, _) = self.totals.converted(&book.frame.currencies);
        let steps = self.positions + depth + book.parts + 4;
        Some(Estimate {
            initial,
            // Sums of n terms, and of the tail, each rounded once: Higham's bound with room to spare.
            band: 2.0
                * steps as f64
                * (f64::EPSILON / 2.0)
                * (self.magnitude + self.magnitude_of(contract, lots)),
        })
    }

    fn is_convex(&self, contract: ContractIndex) -> bool {
        // Expected shortfall is the largest of the averages of so many losses, each linear in the lots; a quantile is not.
        self.is_additive(contract)
            && self.book.places[contract as usize].is_some_and(|(set, _)| {
                let components = &self.book.sets[set as usize].components;
                components.iter().all(|c| c.weight >= 0.0 && c.is_coherent)
            })
    }
}
