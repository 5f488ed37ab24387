//! Rules of what an account stands at and of what was charged before: floors, multiples, rounding, mark to market,
//! position limits, credits, anti-procyclicality tools.
//!
//! "Guide" is HKSCC's VaR Platform: Initial Margin Calculation Guide v1.4 (October 2025).

use super::parts::{Parts, not_negative};
use crate::rounding::{round_to, round_up};
use engine::bounds;
use kernel::error::Result;
use kernel::fail;
use kernel::float::{larger, smaller};

/// Portfolio margin floor: Guide, section 3.2.4.1.3.
pub(crate) fn gross_floor(rate: f64) -> Parts<'static> {
    Parts::of_account(bounds::fraction("rate", rate), &[], move |at| {
        let gross = larger(at.standing.gross_long, at.standing.gross_short);
        larger(rate * gross - at.sum, 0.0)
    })
}

/// Holiday add-on: Guide, section 3.2.4.6, whose factor is `sqrt(days) - 1`.
pub(crate) fn scale(
    of: &[String],
    factor: Option<f64>,
    days: Option<f64>,
    rounding: f64,
) -> Parts<'_> {
    let check = match (factor, days) {
        (Some(factor), None) => not_negative([("factor", factor), ("rounding", rounding)]),
        (None, Some(days)) if days >= 1.0 => not_negative([("days", days), ("rounding", rounding)]),
        (None | Some(_), None | Some(_)) => neither_factor_nor_days(),
    };
    let factor = factor.unwrap_or_else(|| days.map_or(0.0, |d| d.sqrt() - 1.0));
    Parts::of_account(check, of, move |at| round_to(factor * at.of, rounding))
}

fn neither_factor_nor_days() -> Result<()> {
    fail!(InvalidInput, "either factor, or days of at least 1")
}

/// Rounding on aggregated market-risk-component margin: Guide, section 3.2.5.1.
pub(crate) fn round_up_to(unit: f64) -> Parts<'static> {
    Parts::of_account(bounds::positive("unit", unit), &[], move |at| {
        round_up(at.sum, unit) - at.sum
    })
}

/// The numbers of a position limit.
pub(crate) struct Limit {
    pub(crate) capital: f64,
    pub(crate) multiplier: f64,
    pub(crate) cap: f64,
    pub(crate) rate: f64,
    pub(crate) unit: f64,
    pub(crate) rounding: f64,
}

/// Position limit add-on: Guide, section 3.2.6.2 and appendix 4.1.
pub(crate) fn position_limit(of: &[String], limit: Limit) -> Parts<'_> {
    let Limit {
        capital,
        multiplier,
        cap,
        rate,
        unit,
        rounding,
    } = limit;
    let check = bounds::positive("unit", unit).and_then(|()| {
        not_negative([
            ("capital", capital),
            ("multiplier", multiplier),
            ("cap", cap),
            ("rate", rate),
            ("rounding", rounding),
        ])
    });
    Parts::of_account(check, of, move |at| {
        let net = at.standing.net.abs();
        let excess = net - smaller(capital * multiplier, cap);
        if excess > 0.0 {
            round_to(excess / net * round_up(at.of, unit) * rate, rounding)
        } else {
            0.0
        }
    })
}

/// Consideration on favourable MTM: Guide, section 3.2.5.2.
pub(crate) fn favourable_mark() -> Parts<'static> {
    Parts::of_account(Ok(()), &[], |at| {
        -smaller(larger(at.standing.mark, 0.0), larger(at.sum, 0.0))
    })
}

/// MTM requirement: Guide, section 3.2.6.1.
pub(crate) fn mark_requirement() -> Parts<'static> {
    Parts::of_account(Ok(()), &[], |at| larger(-at.standing.mark, 0.0))
}

/// Margin credit: Guide, section 3.2.5.3.
pub(crate) fn credit(amount: f64) -> Parts<'static> {
    Parts::of_account(not_negative([("amount", amount)]), &[], move |at| {
        -smaller(amount, larger(at.sum, 0.0))
    })
}

/// Credit risk and ad-hoc add-ons, which the clearing house states: Guide, sections 3.2.6.3 and 3.2.6.4.
pub(crate) fn amount(amount: f64) -> Parts<'static> {
    Parts::of_account(bounds::finite("amount", amount), &[], move |_| amount)
}

/// A buffer that is used up while margins rise: EMIR RTS 153/2013 Article 28 (1)(a), a quarter at least.
pub(crate) fn buffer(rate: f64, release: f64) -> Parts<'static> {
    let check =
        bounds::fraction("rate", rate).and_then(|()| bounds::not_negative("release", release));
    Parts::of_account(check, &[], move |at| {
        larger(smaller((1.0 + rate) * at.sum, release) - at.sum, 0.0)
    })
}

/// At most this much: an anti-procyclicality tool.
pub(crate) fn cap(amount: f64) -> Parts<'static> {
    Parts::of_account(not_negative([("amount", amount)]), &[], move |at| {
        smaller(amount - at.sum, 0.0)
    })
}

/// At most a multiple of an earlier margin: an anti-procyclicality tool.
pub(crate) fn speed_limit(previous: f64, limit: f64) -> Parts<'static> {
    let check = not_negative([("previous", previous), ("limit", limit)]);
    Parts::of_account(check, &[], move |at| {
        smaller(previous * limit - at.sum, 0.0)
    })
}
