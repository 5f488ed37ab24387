//! The bounds that numbers of documents are held to, each with one wording.
//!
//! A bound comes from the rule: these are for what every rule asks of a number; a rulebook's own range is its own to state.

use std::fmt::Display;

use kernel::error::Result;
use kernel::fail;

/// The most money a lot may stand for, in any currency: the largest number of lots of it in every row that a table can have
/// is still a number. So no sum of a requirement is infinite, no difference of two NaN, which a maximum would skip.
pub const MOST_PER_LOT: f64 = f64::MAX / ((1_u64 << 53) as f64 * (1_u64 << 32) as f64);

/// At most [`MOST_PER_LOT`], on either side of zero.
pub fn per_lot(what: impl Display, value: f64) -> Result<()> {
    if !(-MOST_PER_LOT..=MOST_PER_LOT).contains(&value) {
        fail!(
            InvalidInput,
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
        fail!(InvalidInput, "{what} is {value}: a finite number is needed");
    }
    Ok(())
}

/// Above zero.
pub fn positive(what: impl Display, value: f64) -> Result<()> {
    finite(&what, value)?;
    if value <= 0.0 {
        fail!(InvalidInput, "{what} is {value}: it must be positive");
    }
    Ok(())
}

/// Zero or above.
pub fn not_negative(what: impl Display, value: f64) -> Result<()> {
    finite(&what, value)?;
    if value < 0.0 {
        fail!(InvalidInput, "{what} is {value}: it cannot be negative");
    }
    Ok(())
}

/// From zero to one: a percentage written for a fraction is the usual mistake.
pub fn fraction(what: impl Display, value: f64) -> Result<()> {
    if !(0.0..=1.0).contains(&value) {
        fail!(
            InvalidInput,
            "{what} is {value}: a fraction from 0 to 1 is needed (0.1 is 10 %)"
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
        for refused in [
            per_lot("the rate", 2.0 * MOST_PER_LOT),
            per_lot("the rate", f64::NAN),
            finite("the rate", f64::NAN),
            positive("the rate", 0.0),
            not_negative("the rate", -1e-300),
            fraction("the rate", 1.0 + f64::EPSILON),
            fraction("the rate", f64::NAN),
            not_negative("the rate", f64::INFINITY),
        ] {
            assert!(refused.unwrap_err().message().starts_with("the rate is "));
        }
    }
}
