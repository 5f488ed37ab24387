//! A prepared rulebook whose reports say what no rulebook says by itself: sensitivities, and what is suspicious.

use std::any::Any;
use std::sync::Arc;

use once_cell::race::OnceBox;

use crate::account::{AccountView, Accounts};
use crate::cells::Cells;
use crate::contract::Contracts;
use crate::greeks::Sensitivities;
use crate::market::Market;
use crate::profits::Profits;
use crate::report::{Currencies, Ledger, MarginBatch, MarginReport, ParameterInfo, Requirement};
use crate::seam::{Grouping, Live, Outcome, Prepared, Scratch, Separation};
use crate::warnings;
use kernel::error::Result;

/// Wraps a prepared rulebook once. `cells` are what it prices options from.
pub(crate) fn explained(
    prepared: Arc<dyn Prepared>,
    cells: &Arc<Cells>,
    market: Option<&Arc<Market>>,
) -> Arc<dyn Prepared> {
    let sensitivities = market.filter(|_| !cells.blocks.is_empty()).map(|market| {
        Sensitivities::new(prepared.contracts().clone(), cells.clone(), market.clone())
    });
    Arc::new(Explained {
        prepared,
        cells: cells.clone(),
        market: market.cloned(),
        sensitivities,
        lognormal: OnceBox::new(),
    })
}

struct Explained {
    prepared: Arc<dyn Prepared>,
    cells: Arc<Cells>,
    market: Option<Arc<Market>>,
    /// Of a rulebook that prices something.
    sensitivities: Option<Sensitivities>,
    /// Found at the first report.
    lognormal: OnceBox<Vec<bool>>,
}

impl Prepared for Explained {
    fn contracts(&self) -> &Arc<Contracts> {
        self.prepared.contracts()
    }

    fn rulebook(&self) -> &dyn Any {
        self.prepared.rulebook()
    }

    fn currencies(&self) -> &Currencies {
        self.prepared.currencies()
    }

    fn parameters(&self) -> &ParameterInfo {
        self.prepared.parameters()
    }

    fn admit(&self, account: AccountView<'_>) -> Result<()> {
        self.prepared.admit(account)
    }

    fn requirement(&self, account: AccountView<'_>, scratch: &mut Scratch) -> Result<Requirement> {
        self.prepared.requirement(account, scratch)
    }

    fn margin(&self, account: AccountView<'_>) -> Result<MarginReport> {
        let mut report = self.prepared.margin(account)?;
        if let Some(sensitivities) = &self.sensitivities {
            report.greeks = sensitivities.of(account)?;
        }
        let contracts = self.contracts();
        let found = || Box::new(warnings::lognormal(&self.cells, contracts));
        report.warnings = warnings::of(
            &report.parameters,
            contracts,
            account,
            self.market.as_deref(),
            self.lognormal.get_or_init(found),
        );
        Ok(report)
    }

    fn charge_to(
        &self,
        account: AccountView<'_>,
        scratch: &mut Scratch,
        ledger: &mut dyn Ledger,
    ) -> Result<Outcome> {
        self.prepared.charge_to(account, scratch, ledger)
    }

    fn scenario_label(&self, scenario: u32) -> String {
        self.prepared.scenario_label(scenario)
    }

    fn grouping(&self) -> Option<Grouping> {
        self.prepared.grouping()
    }

    fn live(self: Arc<Self>) -> Box<dyn Live> {
        self.prepared.clone().live()
    }

    fn intraday(&self, account: AccountView<'_>) -> Result<&Separation> {
        self.prepared.intraday(account)
    }

    fn profits(&self) -> Result<Vec<Profits>> {
        self.prepared.profits()
    }

    fn margin_many(&self, accounts: &Accounts, threads: usize) -> Result<MarginBatch> {
        self.prepared.margin_many(accounts, threads)
    }
}
