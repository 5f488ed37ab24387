//! Rounding of amounts of money to a unit.

/// A multiple of a unit, up; an excess below a billionth of the unit is noise of the sum, not an amount.
pub(super) fn round_up(amount: f64, unit: f64) -> f64 {
    (amount / unit - 1e-9).ceil() * unit
}

/// The nearest multiple of a unit, halves away from zero; no unit: the amount itself.
pub(super) fn round_to(amount: f64, unit: f64) -> f64 {
    if unit == 0.0 {
        amount
    } else {
        (amount / unit).round() * unit
    }
}
