//! The seam between the engine and its rulebooks.
//!
//! A [`Methodology`] is one rulebook as frozen, versioned data. It says which cells it needs repriced and compiles
//! the arrays into a [`Prepared`], which margins accounts. A rulebook implements [`Rulebook`]: one function,
//! [`Rulebook::charge`], writes the terms of an account's requirement to a ledger; numbers alone, the explained
//! report and batches all come from it, so they agree to the last bit.

use std::any::Any;
use std::sync::Arc;

use serde_json::Value;

use crate::account::{Account, AccountTerms, AccountView, Accounts, Holdings};
use crate::cells::{self, Cells, RiskArrays};
use crate::contract::Contracts;
use crate::error::Result;
use crate::fail;
use crate::greeks;
use crate::live::{Live, Recompute};
use crate::market::Market;
use crate::parallel;
use crate::report::{
    Currencies, Ledger, Lines, MarginBatch, MarginReport, ParameterInfo, Requirement, Totals,
};
use crate::simd;

pub mod combined;
pub mod crypto;
pub mod hvar;
mod inputs;
pub mod parameters;
pub mod reg_t;
pub mod registry;
pub mod span;
pub mod tims;

/// One rulebook as frozen, versioned data.
pub trait Methodology: Send + Sync {
    /// The rulebook's name as reports print it.
    fn name(&self) -> &str;
    fn parameters(&self) -> &ParameterInfo;
    /// Which (contract, price move, vol move, time roll) it needs repriced; none where it has no scenarios or
    /// carries an exchange's own arrays.
    fn cells(&self, contracts: &Arc<Contracts>, market: Option<&Arc<Market>>) -> Result<Cells>;
    fn compile(
        &self,
        contracts: &Arc<Contracts>,
        market: Option<&Arc<Market>>,
        arrays: RiskArrays,
    ) -> Result<Arc<dyn Prepared>>;
}

/// A rulebook compiled for one table of contracts and one market. Immutable.
pub trait Prepared: Send + Sync {
    fn contracts(&self) -> &Arc<Contracts>;
    fn currencies(&self) -> &Currencies;
    /// Refuses an account of a form the rulebook has no rule for, whatever it holds: see [`Rulebook::GROSS`].
    fn admit(&self, account: AccountView<'_>) -> Result<()>;
    /// Numbers only; allocates nothing once `scratch` is warm.
    fn requirement(&self, account: AccountView<'_>, scratch: &mut Scratch) -> Result<Requirement>;
    /// The same bits, explained.
    fn margin(&self, account: AccountView<'_>) -> Result<MarginReport>;
    /// Writes the terms of the requirement to a ledger of the caller's: how one rulebook contains another.
    fn charge_to(
        &self,
        account: AccountView<'_>,
        scratch: &mut Scratch,
        ledger: &mut dyn Ledger,
    ) -> Result<Outcome>;
    /// What is kept of one open account between trades.
    fn live(self: Arc<Self>) -> Box<dyn Live>;
    /// Every account's requirement; independent of `threads`.
    fn margin_many(&self, accounts: &Accounts, threads: usize) -> Result<MarginBatch>;
}

/// cells, price, compile: what `Engine(methodology).prepare(contracts, market)` does.
pub fn prepare(
    methodology: &dyn Methodology,
    contracts: &Arc<Contracts>,
    market: Option<&Arc<Market>>,
    threads: usize,
) -> Result<Arc<dyn Prepared>> {
    simd::check_environment()?;
    let cells = Arc::new(methodology.cells(contracts, market)?);
    let prepared = methodology.compile(contracts, market, cells::price(&cells, threads)?)?;
    Ok(greeks::attach(prepared, &cells, market))
}

/// Working memory a caller keeps between requirements, so that a warm call allocates nothing.
#[derive(Default)]
pub struct Scratch {
    totals: Totals,
    own: Option<Box<dyn Any + Send>>,
}

impl Scratch {
    /// The rulebook's own working memory; made new when the scratch last served another rulebook.
    fn split<T: Default + Send + 'static>(&mut self) -> (&mut Totals, &mut T) {
        if !self.own.as_ref().is_some_and(|own| own.is::<T>()) {
            self.own = Some(Box::<T>::default());
        }
        let own = self
            .own
            .as_mut()
            .and_then(|own| own.downcast_mut())
            .expect("made of this type just above");
        (&mut self.totals, own)
    }
}

/// What every prepared rulebook carries.
#[derive(Debug, Clone)]
pub struct Frame {
    pub methodology: String,
    pub parameters: ParameterInfo,
    pub valuation: Option<String>,
    pub contracts: Arc<Contracts>,
    pub currencies: Currencies,
}

/// What [`Rulebook::charge`] knows beside the lines it wrote.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    pub net_option_value: f64,
    pub worst_scenario: Option<u32>,
}

/// A compiled rulebook's own part. Implementing it makes a [`Prepared`].
pub trait Rulebook: Send + Sync + 'static {
    type Scratch: Default + Send + 'static;

    /// Accounts of a batch that a thread takes at a time: few, so that threads end together, or many where
    /// [`Self::requirements`] shares work among them.
    const RUN: usize = 512;

    /// Whether the rulebook margins the two sides of a gross account, which do not net. One that does not refuses such
    /// an account: its net would be the margin of another one.
    const GROSS: bool = false;

    fn frame(&self) -> &Frame;

    /// Writes the terms of the account's requirement to the ledger, in a fixed order.
    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut Self::Scratch,
        ledger: &mut L,
    ) -> Result<Outcome>;

    /// The label of a scenario of [`Outcome::worst_scenario`].
    fn scenario_label(&self, scenario: u32) -> String;

    /// Intermediate results for the report, under the rulebook's own names.
    fn details(&self, account: AccountView<'_>) -> Result<Value>;

    /// The requirements of a run of accounts beginning with `first`, each with the bits it has alone. The default takes
    /// them one by one; a rulebook whose scenarios do not fit the cache shares each block of them between accounts.
    fn requirements(&self, accounts: &Accounts, first: usize, out: &mut [Requirement]) -> Result<()>
    where
        Self: Sized,
    {
        let mut scratch = Scratch::default();
        for (i, row) in out.iter_mut().enumerate() {
            let account = first + i;
            *row = self
                .requirement(accounts.view(account), &mut scratch)
                .map_err(|e| e.at(format!("account {account}")))?;
        }
        Ok(())
    }

    /// What is kept of one open account between trades. The default keeps nothing and recomputes, which is right for
    /// every rulebook; one that can add a trade to sums it keeps overrides this.
    fn live(self: Arc<Self>) -> Box<dyn Live>
    where
        Self: Sized,
    {
        Box::new(Recompute::new(self))
    }
}

pub(crate) fn requirement(
    totals: &Totals,
    currencies: &Currencies,
    outcome: Outcome,
) -> Requirement {
    let (initial, maintenance) = totals.converted(currencies);
    Requirement {
        initial,
        maintenance,
        net_option_value: outcome.net_option_value,
        worst_scenario: outcome.worst_scenario,
    }
}

impl<R: Rulebook> Prepared for R {
    fn contracts(&self) -> &Arc<Contracts> {
        &self.frame().contracts
    }

    fn currencies(&self) -> &Currencies {
        &self.frame().currencies
    }

    fn admit(&self, account: AccountView<'_>) -> Result<()> {
        if account.positions.short.is_some() && !R::GROSS {
            fail!(
                NotApplicable,
                "{}: the account is gross, and this rulebook margins net positions only: margin each account behind it on its own, or leave gross out where long and short do net",
                self.frame().methodology
            );
        }
        Ok(())
    }

    fn requirement(&self, account: AccountView<'_>, scratch: &mut Scratch) -> Result<Requirement> {
        self.admit(account)?;
        let (totals, own) = scratch.split::<R::Scratch>();
        totals.clear();
        let outcome = self.charge(account, own, totals)?;
        Ok(requirement(totals, &self.frame().currencies, outcome))
    }

    fn margin(&self, account: AccountView<'_>) -> Result<MarginReport> {
        self.admit(account)?;
        let frame = self.frame();
        let mut ledger = Lines {
            totals: Totals::default(),
            lines: Vec::new(),
            currencies: &frame.currencies,
        };
        let outcome = self.charge(account, &mut R::Scratch::default(), &mut ledger)?;
        Ok(MarginReport {
            methodology: frame.methodology.clone(),
            parameters: frame.parameters.clone(),
            valuation: frame.valuation.clone(),
            currency: frame.currencies.report().to_string(),
            requirement: requirement(&ledger.totals, &frame.currencies, outcome),
            lines: ledger.lines,
            worst_scenario: outcome.worst_scenario.map(|s| self.scenario_label(s)),
            details: self.details(account)?,
            greeks: Vec::new(),
        })
    }

    fn charge_to(
        &self,
        account: AccountView<'_>,
        scratch: &mut Scratch,
        ledger: &mut dyn Ledger,
    ) -> Result<Outcome> {
        self.admit(account)?;
        self.charge(account, scratch.split::<R::Scratch>().1, ledger)
    }

    fn live(self: Arc<Self>) -> Box<dyn Live> {
        Rulebook::live(self)
    }

    fn margin_many(&self, accounts: &Accounts, threads: usize) -> Result<MarginBatch> {
        simd::check_environment()?;
        batch(accounts.len(), threads, 512, R::RUN, |first, out| {
            self.requirements(accounts, first, out)
        })
    }
}

/// The requirements of `count` accounts as columns: runs of at most `run` of them, on up to `threads` threads. Fewer
/// than `least` accounts a thread are not worth one.
fn batch(
    count: usize,
    threads: usize,
    least: usize,
    run: usize,
    requirements: impl Fn(usize, &mut [Requirement]) -> Result<()> + Sync,
) -> Result<MarginBatch> {
    let threads = threads.clamp(1, count.div_ceil(least).max(1));
    let run = run.min(count.div_ceil(threads)).max(1);
    let mut batch = MarginBatch::of(count);
    parallel::each(batch.runs(run), threads, |(i, columns)| {
        let mut rows = vec![Requirement::default(); columns.len()];
        requirements(i * run, &mut rows)?;
        columns.fill(&rows);
        Ok(())
    })?;
    Ok(batch)
}

/// Accounts that are objects rather than columns: each is bound to the prepared table, then margined.
pub fn margin_list(
    prepared: &dyn Prepared,
    accounts: &[Account],
    threads: usize,
) -> Result<MarginBatch> {
    batch(accounts.len(), threads, 64, 256, |first, out| {
        let mut scratch = Scratch::default();
        for (i, row) in out.iter_mut().enumerate() {
            let account = &accounts[first + i];
            let one = |scratch: &mut Scratch| {
                let holdings = account.bind(prepared.contracts())?;
                prepared.requirement(
                    AccountView {
                        positions: holdings.positions(),
                        terms: &account.terms,
                    },
                    scratch,
                )
            };
            *row = one(&mut scratch).map_err(|e| e.at(format!("account {}", first + i)))?;
        }
        Ok(())
    })
}

/// The initial requirements of every position margined alone, added up.
pub fn standalone_sum(prepared: &dyn Prepared, account: AccountView<'_>) -> Result<f64> {
    let mut scratch = Scratch::default();
    let positions = account.positions;
    let terms = AccountTerms {
        kind: account.terms.kind.clone(),
        ..AccountTerms::default()
    };
    let mut sum = 0.0;
    for i in 0..positions.len() {
        let alone = Holdings::from_rows(
            vec![(positions.contract[i], positions.long(i), positions.short(i))],
            positions.short.is_some(),
        )?;
        let view = AccountView {
            positions: alone.positions(),
            terms: &terms,
        };
        sum += prepared.requirement(view, &mut scratch)?.initial;
    }
    Ok(sum)
}
