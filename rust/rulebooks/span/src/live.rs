//! SPAN of an open account: vectors, deltas and scan risks are kept by commodity; a trade loads and scans its own
//! commodities again, and the spreads are formed anew over all of them.

use std::sync::Arc;

use crate::book::{Book, Part, Working};
use crate::program::Program;
use crate::steps::{Silent, State};
use engine::account::AccountView;
use engine::contract::ContractIndex;
use engine::report::{Requirement, Totals};
use engine::seam::{Live, Outcome, Rulebook, requirement};
use kernel::error::Result;

pub(super) struct LiveBook {
    book: Arc<Book>,
    /// Positions loaded and scanned, nothing spread.
    kept: State,
    working: Working,
    totals: Totals,
    fresh: Vec<u32>,
}

impl LiveBook {
    pub(super) fn open(book: Arc<Book>) -> Box<dyn Live> {
        Box::new(Self {
            book,
            kept: State::default(),
            working: Working::default(),
            totals: Totals::default(),
            fresh: Vec::new(),
        })
    }

    /// Commodities in which the changed contracts have arrays or deltas.
    fn find_fresh(&mut self, changed: &[ContractIndex]) {
        let program = &self.book.program;
        self.fresh.clear();
        for &contract in changed {
            let terms = &program.terms[contract as usize];
            let parts = &program.parts[Program::range(terms.parts)];
            for commodity in parts.iter().map(|p| p.commodity).chain([terms.commodity]) {
                if !self.fresh.contains(&commodity) {
                    self.fresh.push(commodity);
                }
            }
        }
    }

    /// As [`Book::charge`] of a net account, from what is kept.
    fn charge_kept(&mut self, account: AccountView<'_>) -> Result<Outcome> {
        let (book, fresh) = (&self.book, &self.fresh);
        let kind = book.kind(account)?;
        let state = &mut self.working.state;
        state.reload(&book.program, account.positions, &self.kept, fresh)?;
        state.scan_all(&book.program, |c| fresh.contains(&c));
        state.spread(&book.program, &mut Silent)?;
        let (value, worst) = book.lines(kind, Part::Net, state, &mut self.totals)?;
        if let Some(rates) = &book.exposure {
            rates.charge(account, &mut self.working.exposure, &mut self.totals);
        }
        Ok(Outcome {
            net_option_value: value,
            worst_scenario: worst.map(|w| w.1 as u32),
            pairing_gap: None,
        })
    }
}

impl Live for LiveBook {
    fn keep(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        if account.positions.short.is_none() {
            self.kept.load(&self.book.program, account.positions)?;
            self.kept.scan_all(&self.book.program, |_| true);
            self.kept.weigh(&self.book.program);
        }
        self.requirement(account, &[])
    }

    fn requirement(
        &mut self,
        account: AccountView<'_>,
        changed: &[ContractIndex],
    ) -> Result<Requirement> {
        self.totals.clear();
        let outcome = if account.positions.short.is_none() {
            self.find_fresh(changed);
            self.charge_kept(account)?
        } else {
            // The two sides of a gross account are portfolios of their own, made anew.
            self.book
                .charge(account, &mut self.working, &mut self.totals)?
        };
        Ok(requirement(
            &self.totals,
            &self.book.frame.currencies,
            outcome,
        ))
    }
}
