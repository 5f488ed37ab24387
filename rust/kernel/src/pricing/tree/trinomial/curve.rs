//! A value as a function of the spot, at one place.

/// A value with its first two derivatives by the spot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Curve {
    pub price: f64,
    pub delta: f64,
    pub gamma: f64,
}

impl Curve {
    /// A value that is exercised, or intrinsic without time.
    pub(super) fn exercised(price: f64, sign: f64) -> Self {
        let delta = if price > 0.0 { sign } else { 0.0 };
        Self {
            price,
            delta,
            gamma: 0.0,
        }
    }
}
