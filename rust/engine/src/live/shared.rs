//! An account that threads share: the one way to it for whoever calls from a host, be it Python, C or a service.
//!
//! Under the lock no question takes much longer than [`BUDGET`]; one that would is asked of a copy, with no lock held, and
//! can be told to stop ([`kernel::interrupt`]). What a copy has become is taken over where the account is still the same, so
//! nothing is ever half done.

use std::time::Duration;

use super::account::LiveAccount;
use super::check::{Asked, Checked, Deferred};
use super::order::{Decision, Limit, Order};
use kernel::error::{MarginError, Result};
use kernel::shared::{Refused, Shared};
use kernel::{fail, interrupt};

/// How long a question may hold the account, and the caller whatever it holds itself.
pub const BUDGET: Duration = Duration::from_millis(1);

/// How often a change is made on a copy while others keep changing the account.
const ATTEMPTS: usize = 8;

/// An open account behind the lock of [`kernel::shared`].
pub struct SharedAccount(Shared<LiveAccount>);

/// What became of a question put without waiting.
pub enum Tried<T> {
    Answered(Result<T>),
    /// Another thread has the account: [`SharedAccount::ask`], which waits.
    Held,
    /// It takes longer than [`BUDGET`]: [`SharedAccount::ask_copy`].
    TooLong,
}

/// An order under a limit: the arguments of [`LiveAccount::check`].
#[derive(Debug, Clone)]
pub struct OrderCheck {
    pub order: Order,
    pub limit: Limit,
    /// Seconds since 1970.
    pub now: Option<f64>,
    pub reserve: bool,
}

impl OrderCheck {
    fn asked(&self) -> Asked<'_> {
        (&self.order, &self.limit, self.now, self.reserve)
    }
}

/// A check whose margins take longer than [`BUDGET`]: for [`SharedAccount::finish`].
pub struct Unfinished(Box<Deferred>);

impl SharedAccount {
    pub fn new(account: LiveAccount) -> Self {
        Self(Shared::new(account))
    }

    /// Works on the account, after whoever has it. Not for a caller who holds what others need to let the account go.
    ///
    /// # Errors
    /// `CalculationError` where the account is lost: earlier work panicked, or the process was forked during it.
    pub fn with<T>(&self, work: impl FnOnce(&mut LiveAccount) -> T + Send) -> Result<T> {
        self.0.with(work).map_err(named)
    }

    /// Works on the account where nobody has it: what is quick, and waits for nothing.
    pub fn try_with<T, W: FnOnce(&mut LiveAccount) -> T + Send>(
        &self,
        work: W,
    ) -> std::result::Result<T, Refused<W>> {
        self.0.try_with(work).map_err(|refused| match refused {
            Refused::Lost(error) => Refused::Lost(named(error)),
            held => held,
        })
    }

    /// How many calls found the account in another thread's hands.
    pub fn contended(&self) -> u64 {
        self.0.contended()
    }

    /// Asks or changes the account, without waiting for it.
    #[inline]
    pub fn try_ask<T>(
        &self,
        work: &(impl Fn(&mut LiveAccount) -> Result<T> + Send + Sync),
    ) -> Tried<T> {
        match self.try_with(|live| interrupt::within(BUDGET, || work(live))) {
            Ok(Err(MarginError::Interrupted(_))) => Tried::TooLong,
            Ok(answer) => Tried::Answered(answer),
            Err(Refused::Held(_)) => Tried::Held,
            Err(Refused::Lost(error)) => Tried::Answered(Err(error)),
        }
    }

    /// Asks or changes the account, however long that takes.
    ///
    /// # Errors
    /// Those of the work and of [`Self::with`]; `Interrupted` where it was told to stop; `CalculationError` where others
    /// changed the account again and again while a copy of it was being changed.
    pub fn ask<T>(&self, work: &(impl Fn(&mut LiveAccount) -> Result<T> + Send + Sync)) -> Result<T>
    where
        T: Send,
    {
        match self.with(|live| interrupt::within(BUDGET, || work(live)))? {
            Err(MarginError::Interrupted(_)) => self.ask_copy(work),
            answer => answer,
        }
    }

    /// As [`Self::ask`], of a copy from the start.
    pub fn ask_copy<T>(
        &self,
        work: &(impl Fn(&mut LiveAccount) -> Result<T> + Send + Sync),
    ) -> Result<T> {
        for _ in 0..ATTEMPTS {
            let mut copy = self.with(|live| live.copy())?;
            let seen = copy.changes();
            copy.keep()?;
            let answer = work(&mut copy)?;
            let is_change = copy.changes() != seen;
            let took_over = move |live: &mut LiveAccount| {
                let is_same = live.changes() == seen;
                if is_same {
                    live.become_copy(copy);
                }
                is_same
            };
            if !is_change || self.with(took_over)? {
                return Ok(answer);
            }
        }
        fail!(
            CalculationError: Busy;
            "the account changed {ATTEMPTS} times while this change of it was being margined: try again"
        );
    }

    /// As [`LiveAccount::check`], within [`BUDGET`].
    pub fn begin_check(
        live: &mut LiveAccount,
        check: &OrderCheck,
    ) -> std::result::Result<Decision, Unfinished> {
        let decide = || live.check_or_defer(check.asked());
        match interrupt::within(BUDGET, decide) {
            Checked::Decided(decision) => Ok(decision),
            Checked::Deferred(deferred) => Err(Unfinished(deferred)),
        }
    }

    /// Ends a check, on copies. The decision is that of the account as it is at the end.
    ///
    /// # Errors
    /// Those of [`Self::with`], and `Interrupted` where it was told to stop: nothing is reserved then.
    pub fn finish(&self, check: &OrderCheck, unfinished: Unfinished) -> Result<Decision> {
        let mut deferred = unfinished.0;
        for _ in 0..ATTEMPTS {
            let assessed = deferred.assess(check.asked());
            if let Err(interrupted @ MarginError::Interrupted(_)) = assessed {
                return Err(interrupted);
            }
            match self.with(move |live| live.conclude(check.asked(), deferred, assessed))? {
                Checked::Decided(decision) => return Ok(decision),
                Checked::Deferred(again) => deferred = again,
            }
        }
        Ok(deferred.refuse(
            "the account changed again and again while the order was margined: send it again",
        ))
    }

    /// As [`LiveAccount::check`], however long it takes.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn check(&self, check: &OrderCheck) -> Result<Decision> {
        match self.with(|live| Self::begin_check(live, check))? {
            Ok(decision) => Ok(decision),
            Err(unfinished) => self.finish(check, unfinished),
        }
    }
}

/// What is lost is an account.
fn named(error: MarginError) -> MarginError {
    error.at("live account")
}
