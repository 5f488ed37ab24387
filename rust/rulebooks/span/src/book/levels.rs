//! A commodity's requirement at one level, from its amounts.

use crate::program::CommoditySlots;
use crate::steps::Amounts;
use kernel::float::larger;

/// One commodity's requirement at one level: what brings the sum of terms to it, and option value that does not count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Levelled {
    /// The factor times the larger of commodity risk and short option minimum.
    pub(super) requirement: f64,
    pub(super) floor: f64,
    pub(super) som: f64,
    pub(super) cap: f64,
    pub(super) unavailable: f64,
}

/// The commodity risk: the sum of the terms, or nothing where credits exceed them.
pub(super) fn commodity_risk(a: &Amounts) -> f64 {
    larger(a.sum(), 0.0)
}

/// Brings a commodity's amounts to one level.
///
/// The factor multiplies the larger of risk and minimum, never the option value; an account of long options only owes
/// no more than they are worth. Result `dReq` of PC-SPAN has these as `spanReq` and `anov`.
pub(super) fn levelled(cc: &CommoditySlots, a: &Amounts, long_only: bool, factor: f64) -> Levelled {
    let sum = a.sum();
    let risk = larger(sum, 0.0);
    let requirement = factor * larger(risk, a.som);
    let cap = if long_only && a.nov < requirement {
        a.nov - requirement
    } else {
        0.0
    };
    let level = requirement + cap;
    Levelled {
        requirement,
        floor: factor * (risk - sum),
        som: factor * larger(a.som - risk, 0.0),
        cap,
        // `capAnov`: option value counts up to the commodity's own requirement.
        unavailable: if cc.capped {
            larger(a.nov - level, 0.0)
        } else {
            0.0
        },
    }
}

impl Levelled {
    /// What is added to the terms, under the ledger's names.
    #[inline(always)]
    pub(super) fn lines(&self) -> [(&'static str, f64); 4] {
        let Self {
            requirement: _,
            floor,
            som,
            cap,
            unavailable,
        } = *self;
        [
            ("risk_floor", floor),
            ("short_option_minimum", som),
            ("long_option_cap", cap),
            ("unavailable_option_value", unavailable),
        ]
    }

    /// What the commodity owes in cash: the requirement less the option value that counts.
    pub(super) fn total(&self, a: &Amounts) -> f64 {
        self.requirement + self.cap + self.unavailable - a.nov
    }

    /// Available net option value.
    pub(super) fn available(&self, a: &Amounts) -> f64 {
        a.nov - self.unavailable
    }
}
