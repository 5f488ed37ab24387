//! Reg T of an open account: only the components a trade touches are paired again.

use std::sync::Arc;

use super::book::{Book, BookScratch};
use engine::account::AccountView;
use engine::contract::ContractIndex;
use engine::report::{Requirement, Totals};
use engine::seam::Live;
use engine::seam::{Rulebook, requirement};
use kernel::error::Result;

pub(super) struct LiveBook {
    book: Arc<Book>,
    scratch: BookScratch,
    totals: Totals,
}

impl LiveBook {
    pub(super) fn open(book: Arc<Book>) -> Box<dyn Live> {
        Box::new(Self {
            book,
            scratch: BookScratch::default(),
            totals: Totals::default(),
        })
    }

    fn charge(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        self.totals.clear();
        let outcome = self
            .book
            .charge(account, &mut self.scratch, &mut self.totals)?;
        Ok(requirement(
            &self.totals,
            &self.book.frame().currencies,
            outcome,
        ))
    }
}

impl Live for LiveBook {
    fn keep(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        // The kind of account, and with it the question, may be another one.
        self.scratch.forget();
        let result = self.charge(account)?;
        self.scratch.keep();
        Ok(result)
    }

    fn requirement(
        &mut self,
        account: AccountView<'_>,
        _: &[ContractIndex],
    ) -> Result<Requirement> {
        self.charge(account)
    }

    fn convex_between(&self, contract: ContractIndex) -> Option<i64> {
        self.book.shares_per_cover(contract)
    }
}
