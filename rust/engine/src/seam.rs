//! The seam between the engine and its rulebooks: everything a rulebook has to know.
//!
//! A [`Methodology`] is one rulebook as frozen, versioned data. It is asked in three steps, each for what can change on its
//! own: [`Methodology::resolve`] places a table of contracts under the rules of a date, [`Resolved::at`] takes one market's
//! inputs, [`Quoted::compile`] turns repriced cells into a [`Prepared`], which margins accounts. A rulebook implements
//! [`Rulebook`]: one function, [`Rulebook::charge`], writes the terms of an account's requirement to a ledger; numbers
//! alone, the explained report and batches all come from it, so they agree to the last bit. [`compiled`] joins it with
//! what it keeps of an open account, a [`Live`]: charging does not know keeping.

use std::any::Any;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;

use crate::account::{AccountView, Accounts};
use crate::cells::{Cells, RiskArrays};
use crate::contract::{ContractIndex, Contracts};
pub use crate::grouping::{Grouping, Separation};
use crate::inputs::list;
use crate::market::Market;
use crate::profits::Profits;
use crate::report::{
    Currencies, Ledger, Lines, MarginBatch, MarginReport, ParameterInfo, Requirement, Totals,
};
use kernel::error::Result;
use kernel::fail;
use kernel::simd;

/// One rulebook as frozen, versioned data.
pub trait Methodology: Send + Sync {
    /// The rulebook's name as reports print it.
    fn name(&self) -> &str;
    fn parameters(&self) -> &ParameterInfo;
    /// A digest of all that its numbers depend on, where that is more than its parameters.
    fn digest(&self) -> String {
        self.parameters().digest.clone()
    }
    /// Places a table of contracts: what each is under the rules of a date, and what the rulebook does not cover. No
    /// prices; kept while table and date stand. `on` is the valuation's own date, `None` without a market.
    fn resolve(&self, contracts: &Arc<Contracts>, on: Option<Date>) -> Result<Arc<dyn Resolved>>;
    /// Whether it has rules for adjusted options ([`Contract::delivery`](crate::contract::Contract::delivery)). Without
    /// them [`place`] refuses such options: they would be margined as standard ones.
    fn covers_adjusted(&self) -> bool {
        false
    }
}

/// Places a table under a rulebook: the way to [`Methodology::resolve`] for all who contain one.
pub fn place(
    methodology: &dyn Methodology,
    contracts: &Arc<Contracts>,
    on: Option<Date>,
) -> Result<Arc<dyn Resolved>> {
    if !methodology.covers_adjusted() {
        let adjusted = contracts.rows().iter().filter(|c| c.delivery().is_some());
        let ids: Vec<&str> = adjusted.map(|c| c.id()).collect();
        if !ids.is_empty() {
            let ids = list(&ids);
            fail!(NotApplicable, place &ids;
                "{}: no rule for adjusted options, whose deliverable or multipliers are not the standard ones: {ids}",
                methodology.name());
        }
    }
    methodology.resolve(contracts, on)
}

/// A table of contracts under one rulebook's rules of a date.
pub trait Resolved: Send + Sync {
    /// One market's inputs: prices, volatilities, carry.
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>>;
}

/// A table of contracts with one market's inputs.
pub trait Quoted {
    /// Which (contract, price move, vol move, time roll) it needs repriced; none where it has no scenarios or carries an
    /// exchange's own arrays.
    fn cells(&self) -> &Arc<Cells>;
    /// With which model, volatility and carry every contract is priced: greeks are theirs. A rulebook that makes its
    /// arrays itself names them here.
    fn priced_from(&self) -> &Arc<Cells> {
        self.cells()
    }
    /// The arrays are those of [`Self::cells`].
    fn compile(self: Box<Self>, arrays: RiskArrays) -> Result<Arc<dyn Prepared>>;
    /// The same to the last bit where the rulebook was compiled for the same table under another market: one whose compiling
    /// is long takes over what no row changed.
    fn recompile(self: Box<Self>, arrays: RiskArrays, _: Before<'_>) -> Result<Arc<dyn Prepared>> {
        self.compile(arrays)
    }
}

/// A table as it was compiled before its market moved. A block of arrays that both have is one allocation.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    pub prepared: &'a dyn Prepared,
    pub arrays: &'a RiskArrays,
}

/// A rulebook compiled for one table of contracts and one market. Immutable.
pub trait Prepared: Send + Sync {
    fn contracts(&self) -> &Arc<Contracts>;
    /// The [`Rulebook`], for itself to know again in [`Before`].
    fn rulebook(&self) -> &dyn Any;
    fn currencies(&self) -> &Currencies;
    /// Which parameters reports carry: those in force at the valuation.
    fn parameters(&self) -> &ParameterInfo;
    /// Refuses an account of a form the rulebook has no rule for, whatever it holds: see [`Rulebook::GROSS`].
    fn admit(&self, account: AccountView<'_>) -> Result<()>;
    /// Numbers only; allocates nothing once `scratch` is warm.
    fn requirement(&self, account: AccountView<'_>, scratch: &mut Scratch) -> Result<Requirement>;
    /// The same bits, explained; what needs marks is left out: [`MarginReport::cash_balance_required`].
    fn margin(&self, account: AccountView<'_>) -> Result<MarginReport>;
    /// Writes the terms of the requirement to a ledger of the caller's: how one rulebook contains another.
    fn charge_to(
        &self,
        account: AccountView<'_>,
        scratch: &mut Scratch,
        ledger: &mut dyn Ledger,
    ) -> Result<Outcome>;
    /// See [`Rulebook::scenario_label`].
    fn scenario_label(&self, scenario: u32) -> String;
    /// What is kept of one open account between trades.
    fn live(self: Arc<Self>) -> Box<dyn Live>;
    /// See [`Rulebook::intraday`].
    fn intraday(&self, account: AccountView<'_>) -> Result<&Separation>;
    /// See [`Rulebook::grouping`].
    fn grouping(&self) -> Option<Grouping>;
    /// See [`Rulebook::profits`].
    fn profits(&self) -> Result<Vec<Profits>>;
    /// Every account's requirement; independent of `threads`.
    fn margin_many(&self, accounts: &Accounts, threads: usize) -> Result<MarginBatch>;
}

/// Working memory a caller keeps between requirements, so that a warm call allocates nothing.
#[derive(Default)]
pub struct Scratch {
    totals: Totals,
    own: Option<Box<dyn Any + Send>>,
}

impl Scratch {
    /// The rulebook's own working memory; made new when the scratch last served another rulebook.
    pub fn split<T: Default + Send + 'static>(&mut self) -> (&mut Totals, &mut T) {
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
    /// See [`Requirement::pairing_gap`].
    pub pairing_gap: Option<f64>,
}

/// A compiled rulebook's own part: with [`compiled`] it makes a [`Prepared`].
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

    /// How the maintenance requirement separates, where intraday margin by FINRA 4210(d)(2) applies to the account: margin
    /// accounts under Regulation T. `NotApplicable` for any other.
    fn intraday(&self, _account: AccountView<'_>) -> Result<&Separation> {
        fail!(
            NotApplicable,
            "{}: FINRA 4210(d)(2) determines intraday margin deficits of margin accounts under Regulation T; portfolio margin, good-faith accounts and other rulebooks have none",
            self.frame().methodology
        );
    }

    /// Which lines are about which contracts, made when asked; `None` where a line may be about any of them.
    fn grouping(&self) -> Option<Grouping> {
        None
    }

    /// What a lot of each contract gains in each scenario, set by set, as it was compiled; positions' profits add up to an
    /// account's before whatever the rule does to the sums. `NotApplicable` for a rulebook without scenarios.
    fn profits(&self) -> Result<Vec<Profits>> {
        fail!(
            NotApplicable,
            "{}: it has no scenarios of prices, so there are no profits in them",
            self.frame().methodology
        );
    }

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
        let (mut scratch, mut totals) = (Self::Scratch::default(), Totals::default());
        for (i, row) in out.iter_mut().enumerate() {
            let account = first + i;
            *row = fresh(self, accounts.view(account), &mut scratch, &mut totals)
                .map_err(|e| e.at(format!("account {account}")))?;
        }
        Ok(())
    }
}

/// The totals of a charge in the report's currency.
pub fn requirement(totals: &Totals, currencies: &Currencies, outcome: Outcome) -> Requirement {
    let (initial, maintenance) = totals.converted(currencies);
    Requirement {
        initial,
        maintenance,
        net_option_value: outcome.net_option_value,
        worst_scenario: outcome.worst_scenario,
        pairing_gap: outcome.pairing_gap,
    }
}

/// Refuses an account of a form the rulebook has no rule for: see [`Rulebook::GROSS`].
fn admit<R: Rulebook>(rulebook: &R, account: AccountView<'_>) -> Result<()> {
    if account.positions.short.is_some() && !R::GROSS {
        fail!(
            NotApplicable,
            "{}: the account is gross, and this rulebook margins net positions only: margin each account behind it on its own, or leave gross out where long and short do net",
            rulebook.frame().methodology
        );
    }
    Ok(())
}

/// A requirement that is a number, or an error: rulebooks add products of quantities, multipliers and prices, which may be
/// too large for one.
pub fn finite(requirement: Requirement) -> Result<Requirement> {
    let Requirement {
        initial,
        maintenance,
        net_option_value,
        worst_scenario: _,
        pairing_gap: _,
    } = requirement;
    if !(initial.is_finite() && maintenance.is_finite() && net_option_value.is_finite()) {
        fail!(
            CalculationError: NoNumber;
            "the requirement is not a finite number: a quantity, a multiplier or a price is too large"
        );
    }
    Ok(requirement)
}

/// An account's requirement, charged anew.
pub fn fresh<R: Rulebook>(
    rulebook: &R,
    account: AccountView<'_>,
    scratch: &mut R::Scratch,
    totals: &mut Totals,
) -> Result<Requirement> {
    admit(rulebook, account)?;
    totals.clear();
    let outcome = rulebook.charge(account, scratch, totals)?;
    finite(requirement(totals, &rulebook.frame().currencies, outcome))
}

/// A rulebook with what it keeps of an open account.
pub struct Compiled<R: Rulebook> {
    rulebook: Arc<R>,
    open: fn(Arc<R>) -> Box<dyn Live>,
}

/// A [`Prepared`] of a rulebook and of what it keeps of one open account between trades: [`Recompute::open`] where that
/// is nothing.
pub fn compiled<R: Rulebook>(rulebook: R, open: fn(Arc<R>) -> Box<dyn Live>) -> Arc<dyn Prepared> {
    Arc::new(Compiled {
        rulebook: Arc::new(rulebook),
        open,
    })
}

impl<R: Rulebook> Prepared for Compiled<R> {
    fn contracts(&self) -> &Arc<Contracts> {
        &self.rulebook.frame().contracts
    }

    fn rulebook(&self) -> &dyn Any {
        self.rulebook.as_ref()
    }

    fn currencies(&self) -> &Currencies {
        &self.rulebook.frame().currencies
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.rulebook.frame().parameters
    }

    fn admit(&self, account: AccountView<'_>) -> Result<()> {
        admit(self.rulebook.as_ref(), account)
    }

    fn requirement(&self, account: AccountView<'_>, scratch: &mut Scratch) -> Result<Requirement> {
        simd::check_environment()?;
        let (totals, own) = scratch.split::<R::Scratch>();
        fresh(self.rulebook.as_ref(), account, own, totals)
    }

    fn margin(&self, account: AccountView<'_>) -> Result<MarginReport> {
        simd::check_environment()?;
        self.admit(account)?;
        let frame = self.rulebook.frame();
        let mut ledger = Lines {
            totals: Totals::default(),
            lines: Vec::new(),
            currencies: &frame.currencies,
        };
        let outcome = self
            .rulebook
            .charge(account, &mut R::Scratch::default(), &mut ledger)?;
        Ok(MarginReport {
            methodology: frame.methodology.clone(),
            parameters: frame.parameters.clone(),
            valuation: frame.valuation.clone(),
            currency: frame.currencies.report().to_string(),
            requirement: finite(requirement(&ledger.totals, &frame.currencies, outcome))?,
            cash_balance_required: None,
            lines: ledger.lines,
            worst_scenario: outcome
                .worst_scenario
                .map(|s| self.rulebook.scenario_label(s)),
            details: self.rulebook.details(account)?,
            greeks: Vec::new(),
            warnings: Vec::new(),
        })
    }

    fn charge_to(
        &self,
        account: AccountView<'_>,
        scratch: &mut Scratch,
        ledger: &mut dyn Ledger,
    ) -> Result<Outcome> {
        simd::check_environment()?;
        self.admit(account)?;
        self.rulebook
            .charge(account, scratch.split::<R::Scratch>().1, ledger)
    }

    fn scenario_label(&self, scenario: u32) -> String {
        self.rulebook.scenario_label(scenario)
    }

    fn live(self: Arc<Self>) -> Box<dyn Live> {
        (self.open)(self.rulebook.clone())
    }

    fn intraday(&self, account: AccountView<'_>) -> Result<&Separation> {
        self.rulebook.intraday(account)
    }

    fn grouping(&self) -> Option<Grouping> {
        self.rulebook.grouping()
    }

    fn profits(&self) -> Result<Vec<Profits>> {
        self.rulebook.profits()
    }

    fn margin_many(&self, accounts: &Accounts, threads: usize) -> Result<MarginBatch> {
        simd::check_environment()?;
        MarginBatch::gather(accounts.len(), threads, 512, R::RUN, |first, out| {
            self.rulebook.requirements(accounts, first, out)?;
            for (i, &own) in out.iter().enumerate() {
                finite(own).map_err(|e| e.at(format!("account {}", first + i)))?;
            }
            Ok(())
        })
    }
}

/// An initial requirement from kept sums, and how far from a fresh one it can lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub initial: f64,
    /// At most this far from a fresh requirement: `2 (n + 2) 2^-53` times the sum of `|quantity * value|`.
    pub band: f64,
}

/// One open order as a rulebook sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure {
    pub contract: ContractIndex,
    /// Signed lots that may still be filled.
    pub lots: i64,
    /// What a complete fill takes from the account's excess beside requirement and option value.
    pub cost: f64,
}

/// The largest values over every set of fills of the open orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorstCase {
    pub requirement: f64,
    /// Requirement plus costs less the option value gained: what the excess loses at most.
    pub drain: f64,
    /// Whether the values are reached, not only bounds.
    pub exact: bool,
}

/// What a rulebook keeps of one open account between trades. Every answer but [`Live::after`]'s has the bits of a
/// fresh requirement.
pub trait Live: Send {
    /// Takes the account as it is now.
    fn keep(&mut self, account: AccountView<'_>) -> Result<Requirement>;

    /// The requirement of other positions, which differ from the kept ones in the contracts of `changed` only.
    /// Nothing is kept.
    fn requirement(
        &mut self,
        account: AccountView<'_>,
        changed: &[ContractIndex],
    ) -> Result<Requirement>;

    /// The requirement after one more trade of the kept account, from kept sums; `None` where there are none.
    fn after(
        &mut self,
        _account: AccountView<'_>,
        _contract: ContractIndex,
        _lots: i64,
    ) -> Option<Estimate> {
        None
    }

    /// The worst case over fills of open orders, for positions as in [`Live::requirement`]; `None` where the
    /// rulebook has no closed form.
    fn worst_case(
        &mut self,
        _account: AccountView<'_>,
        _changed: &[ContractIndex],
        _orders: &[Exposure],
    ) -> Result<Option<WorstCase>> {
        Ok(None)
    }

    /// [`Live::requirement`] and [`Live::worst_case`] of the same positions at once.
    fn assess(
        &mut self,
        account: AccountView<'_>,
        changed: &[ContractIndex],
        orders: &[Exposure],
    ) -> Result<(Requirement, Option<WorstCase>)> {
        let requirement = self.requirement(account, changed)?;
        Ok((requirement, self.worst_case(account, changed, orders)?))
    }

    /// Where requirement and drain are convex functions of the lots held of this contract between whole multiples of a
    /// number of them, zero among these, whatever else is held: that number. Then the worst partial fill lies at a
    /// multiple or next to one.
    fn convex_between(&self, _contract: ContractIndex) -> Option<i64> {
        None
    }

    /// Whether requirement and drain are convex functions of the lots of this contract, whatever else is held: then the
    /// fills that pass are one interval, and the worst fill of an order is none of it or all of it.
    fn is_convex(&self, _contract: ContractIndex) -> bool {
        false
    }
}

/// Keeps nothing: every answer is a fresh requirement.
pub struct Recompute<R: Rulebook> {
    rulebook: Arc<R>,
    scratch: R::Scratch,
    totals: Totals,
}

impl<R: Rulebook> Recompute<R> {
    pub fn open(rulebook: Arc<R>) -> Box<dyn Live> {
        Box::new(Self {
            rulebook,
            scratch: R::Scratch::default(),
            totals: Totals::default(),
        })
    }
}

impl<R: Rulebook> Live for Recompute<R> {
    fn keep(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        self.requirement(account, &[])
    }

    fn requirement(
        &mut self,
        account: AccountView<'_>,
        _changed: &[ContractIndex],
    ) -> Result<Requirement> {
        fresh(
            self.rulebook.as_ref(),
            account,
            &mut self.scratch,
            &mut self.totals,
        )
    }
}
