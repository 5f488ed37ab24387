//! A commodity's amounts: what the steps fill in, and the terms they make.

use super::group::Group;

/// One commodity's amounts, in its own currency.
///
/// A new amount is added here; [`Amounts::terms`] and the report's `details` name every field, so that one which is
/// forgotten there does not compile.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Amounts {
    pub(crate) scan: f64,
    pub(crate) super_credit: f64,
    pub(crate) intra: f64,
    pub(crate) delivery_spread: f64,
    pub(crate) delivery_outright: f64,
    pub(crate) basis: f64,
    pub(crate) inter_credit: f64,
    pub(crate) exchange_credit: f64,
    /// The short option minimum, an alternative to the sum of the terms and none of them.
    pub(crate) som: f64,
    /// Net option value: what the requirement is set against.
    pub(crate) nov: f64,
}

impl Amounts {
    /// The terms of the commodity risk in the order they are added, credits negative, under the ledger's names: the
    /// risk's floor and the lines are both made from these.
    #[inline(always)]
    pub(crate) fn terms(&self) -> [(&'static str, f64); 7] {
        let Self {
            scan,
            super_credit,
            intra,
            delivery_spread,
            delivery_outright,
            basis,
            inter_credit,
            exchange_credit,
            som: _,
            nov: _,
        } = *self;
        [
            ("scan", scan),
            ("super_credit", -super_credit),
            ("intra_commodity", intra),
            ("delivery", delivery_spread + delivery_outright),
            ("basis", basis),
            ("inter_commodity_credit", -inter_credit),
            ("inter_exchange_credit", -exchange_credit),
        ]
    }

    /// The sum of the terms before any floor.
    #[inline(always)]
    pub(crate) fn sum(&self) -> f64 {
        let [first, rest @ ..] = self.terms();
        rest.iter().fold(first.1, |sum, term| sum + term.1)
    }

    /// A leg's charge or credit of a spread.
    pub(super) fn add(&mut self, group: Group, amount: f64) {
        match group {
            Group::Super => self.super_credit += amount,
            Group::Intra => self.intra += amount,
            Group::Inter => self.inter_credit += amount,
            Group::Exchange => self.exchange_credit += amount,
        }
    }
}
