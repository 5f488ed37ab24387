//! The bounds that numbers of documents are held to, each with one wording.
//!
//! A bound comes from the rule: these are for what every rule asks of a number; a rulebook's own range is its own to state.

use std::fmt::Display;

use kernel::error::Result;
use kernel::fail;

pub use kernel::pricing::check::{MAX_CARRY, MAX_VOL};

/// The largest interest rate either way: 200 %. Larger ones are percentages by mistake.
pub const MAX_RATE: f64 = 2.0;

/// The largest dividend yield either way: 100 %, the whole price within a year. Larger ones are percentages by mistake.
pub const MAX_YIELD: f64 = 1.0;

/// The largest borrow fee either way: 1,000 %. Fees of stocks that are hard to borrow have passed 500 %.
pub const MAX_BORROW: f64 = 10.0;

/// The largest interest rate, either way, that a report does not warn of: few currencies have had a higher one.
pub const USUAL_RATE: f64 = 0.25;

/// The largest dividend yield, either way, that a report does not warn of.
pub const USUAL_YIELD: f64 = 0.25;

/// The lognormal volatilities that a report does not warn of: 1 % to 300 %.
pub const USUAL_VOL: (f64, f64) = (0.01, 3.0);

/// How far outside its bounds an option's mark may be without a warning: a fraction of the price it is written on, and
/// an amount.
pub const UNUSUAL_MARK: (f64, f64) = (0.01, LARGEST_TICK);

/// How far two quotes of one thing may be apart, as a fraction of one of them: quotes of different times are, but not
/// those of different stocks, splits or units.
pub const MAX_APART: f64 = 0.2;

/// The largest step of quotes of cheap options: one on an underlying of less may be quoted a step above it.
const LARGEST_TICK: f64 = 0.05;

/// The most money a lot may stand for, in any currency: the largest number of lots of it in every row that a table can have
/// is still a number. So no sum of a requirement is infinite, no difference of two NaN, which a maximum would skip.
pub const MOST_PER_LOT: f64 = f64::MAX / ((1_u64 << 53) as f64 * (1_u64 << 32) as f64);

/// At most [`MOST_PER_LOT`], on either side of zero.
pub fn per_lot(what: impl Display, value: f64) -> Result<()> {
    if !(-MOST_PER_LOT..=MOST_PER_LOT).contains(&value) {
        fail!(
        InvalidInput: OutOfRange, place &what, value value;
        "{what} is {value:e} a lot: sums of more than {MOST_PER_LOT:e} a lot are no numbers: check the units"
                );
    }
    Ok(())
}

/// Refuses NaN and infinities: `max` skips a NaN and would lower a margin without a word.
///
/// # Errors
/// `InvalidInput` naming `what`, as for all of these.
pub fn finite(what: impl Display, value: f64) -> Result<()> {
    if !value.is_finite() {
        fail!(
InvalidInput: NotFinite, place &what, value value;
"{what} is {value}: a finite number is needed");
    }
    Ok(())
}

/// Above zero.
pub fn positive(what: impl Display, value: f64) -> Result<()> {
    finite(&what, value)?;
    if value <= 0.0 {
        fail!(
InvalidInput: OutOfRange, place &what, value value;
"{what} is {value}: it must be positive");
    }
    Ok(())
}

/// Zero or above.
pub fn not_negative(what: impl Display, value: f64) -> Result<()> {
    finite(&what, value)?;
    if value < 0.0 {
        fail!(
InvalidInput: OutOfRange, place &what, value value;
"{what} is {value}: it cannot be negative");
    }
    Ok(())
}

/// From zero to one: a percentage written for a fraction is the usual mistake.
pub fn fraction(what: impl Display, value: f64) -> Result<()> {
    share(what, value, 1.0)
}

/// An annual fraction of at most `most` either way; `example` shows one beside its percentage.
fn annual(what: impl Display, value: f64, most: f64, example: &str) -> Result<()> {
    finite(&what, value)?;
    if value.abs() > most {
        fail!(
        InvalidInput: OutOfRange, place &what, value value;
        "{what} is {value}: an annual fraction between -{most} and {most} is needed ({example})"
                );
    }
    Ok(())
}

/// An interest rate: at most [`MAX_RATE`] either way.
pub fn rate(what: impl Display, value: f64) -> Result<()> {
    annual(what, value, MAX_RATE, "0.05 is 5 %")
}

/// A rate that a venue implies from its own futures, far above an interest rate on the last days: as far as prices are
/// promised for, [`MAX_CARRY`] either way.
pub fn venue_rate(what: impl Display, value: f64) -> Result<()> {
    annual(what, value, MAX_CARRY, "0.05 is 5 %")
}

/// A dividend yield: at most [`MAX_YIELD`] either way.
pub fn dividend_yield(what: impl Display, value: f64) -> Result<()> {
    annual(what, value, MAX_YIELD, "0.015 is 1.5 %")
}

/// A borrow fee: at most [`MAX_BORROW`] either way.
pub fn borrow(what: impl Display, value: f64) -> Result<()> {
    annual(what, value, MAX_BORROW, "0.25 is 25 %")
}

/// A lognormal volatility: from zero to [`MAX_VOL`].
pub fn vol(what: impl Display, value: f64) -> Result<()> {
    if !(0.0..=MAX_VOL).contains(&value) {
        fail!(
        InvalidInput: OutOfRange, place &what, value value;
        "{what} is {value}: an annual fraction between 0 and {MAX_VOL} is needed (0.18 is 18 %)"
                );
    }
    Ok(())
}

/// A confidence: from one half to below one. Below that stands the tail.
pub fn confidence(what: impl Display, value: f64) -> Result<()> {
    if !(0.5..1.0).contains(&value) {
        if value > 0.0 && value < 0.5 {
            fail!(
            InvalidInput: OutOfRange, place &what, value value;
            "{what} is {value}: that is the tail; the confidence is {}",
                            1.0 - value
                        );
        }
        fail!(
        InvalidInput: OutOfRange, place &what, value value;
        "{what} is {value}: a fraction from 0.5 to below 1 is needed (0.99 is 99 %)"
                );
    }
    Ok(())
}

/// A share that may pass the whole, of house rules and ranges: from zero to `most`.
pub fn share(what: impl Display, value: f64, most: f64) -> Result<()> {
    if !(0.0..=most).contains(&value) {
        fail!(
        InvalidInput: OutOfRange, place &what, value value;
        "{what} is {value}: a fraction from 0 to {most} is needed (0.1 is 10 %)"
                );
    }
    Ok(())
}

/// A factor on an amount: above zero and up to `most`; a percentage written for a factor is the usual mistake.
pub fn factor(what: impl Display, value: f64, most: f64) -> Result<()> {
    if !(value > 0.0 && value <= most) {
        fail!(
        InvalidInput: OutOfRange, place &what, value value;
        "{what} is {value}: a factor above 0 and up to {most} is needed (0.8 is 80 %)"
                );
    }
    Ok(())
}

/// The quote of anything whose price has a floor at zero.
pub fn mark(what: impl Display, kind: &str, value: f64) -> Result<()> {
    if value < 0.0 {
        fail!(
        InvalidInput: OutOfRange, place &what, value value;
        "{what} is {value}: a price of this {kind} cannot be negative; leave unset values out"
                );
    }
    Ok(())
}

/// The mark of an option that is worth at most `most`, of which `of` says what that is. Marks are of other times than the
/// prices beside them, and of whole ticks: [`MAX_APART`] and a tick more are taken. Below its intrinsic value a mark is
/// taken as well: real chains have many.
pub fn option_mark(what: impl Display, value: f64, most: f64, of: impl Display) -> Result<()> {
    if value > most * (1.0 + MAX_APART) + LARGEST_TICK {
        fail!(
        InvalidInput: Contradiction, place &what, value value;
        "{what} is {value}: it is worth at most {most}, {of}: check the mark's units and time, or leave it out"
                );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_takes_its_edge_and_names_what_it_refuses() {
        assert!(finite("x", f64::MAX).is_ok() && positive("x", f64::MIN_POSITIVE).is_ok());
        assert!(not_negative("x", 0.0).is_ok());
        assert!(fraction("x", 0.0).is_ok() && fraction("x", 1.0).is_ok());
        assert!(per_lot("x", -MOST_PER_LOT).is_ok());
        for edge in [-1.0, 1.0] {
            assert!(rate("x", edge * MAX_RATE).is_ok() && borrow("x", edge * MAX_BORROW).is_ok());
            assert!(dividend_yield("x", edge * MAX_YIELD).is_ok());
        }
        assert!(vol("x", 0.0).is_ok() && vol("x", MAX_VOL).is_ok());
        assert!(confidence("x", 0.5).is_ok() && factor("x", 3.0, 3.0).is_ok());
        assert!(mark("x", "option", -0.0).is_ok());
        assert!(option_mark("x", 120.0, 100.0, "its strike").is_ok());
        for refused in [
            per_lot("the rate", 2.0 * MOST_PER_LOT),
            per_lot("the rate", f64::NAN),
            finite("the rate", f64::NAN),
            positive("the rate", 0.0),
            not_negative("the rate", -1e-300),
            fraction("the rate", 1.0 + f64::EPSILON),
            fraction("the rate", f64::NAN),
            not_negative("the rate", f64::INFINITY),
            rate("the rate", 2.1),
            rate("the rate", f64::NAN),
            dividend_yield("the rate", -1.5),
            dividend_yield("the rate", f64::NAN),
            borrow("the rate", 25.0),
            vol("the rate", 18.0),
            vol("the rate", -0.1),
            vol("the rate", f64::NAN),
            confidence("the rate", 0.01),
            confidence("the rate", 1.0),
            confidence("the rate", f64::NAN),
            share("the rate", 25.0, 3.0),
            share("the rate", f64::NAN, 3.0),
            factor("the rate", 0.0, 3.0),
            factor("the rate", 80.0, 3.0),
            factor("the rate", f64::NAN, 3.0),
            mark("the rate", "option", -1e-9),
            option_mark("the rate", 121.0, 100.0, "its strike"),
        ] {
            assert!(refused.unwrap_err().message().starts_with("the rate is "));
        }
    }
}
