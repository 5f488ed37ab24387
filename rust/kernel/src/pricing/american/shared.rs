//! One boundary for all strikes of an expiry: its collocation values as polynomials in the vol.
//!
//! For given time, rate and yield, `ln(limit / B) / vol` is a smooth function of the vol. The vols between one power
//! of two and the next make a band; eight Chebyshev points of the band are one vector of the collocation, and serve
//! every vol of the band. Bands are fixed, so a price does not depend on which other options it is priced with.

use super::Mode;
use super::boundary::{Boundary, Puts};
use super::rows::{Route, Row};
use crate::pricing::lanes::{Lanes, WIDTH};

/// What boundaries are shared by: all but the vol of a put, and the band of the vol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    years: u64,
    rate: u64,
    dividend_yield: u64,
    /// The exponent field of the vols.
    band: u64,
}

impl Key {
    /// The band of a row, where the collocation holds for all of it.
    pub(super) fn of(row: &Row, mode: Mode) -> Option<Self> {
        let (rate, dividend_yield) = row.put_rates();
        let key = Self {
            years: row.years.to_bits(),
            rate: rate.to_bits(),
            dividend_yield: dividend_yield.to_bits(),
            band: row.vol.to_bits() >> 52,
        };
        let lowest = Row {
            vol: key.lowest_vol(),
            ..*row
        };
        (lowest.route(mode) == Route::Collocation).then_some(key)
    }

    fn lowest_vol(&self) -> f64 {
        f64::from_bits(self.band << 52)
    }
}

/// A band's boundaries: Chebyshev coefficients, in the vol, of `ln(limit / B) / vol` at each collocation point.
#[derive(Clone, Copy)]
pub(super) struct Band<const N: usize> {
    log_limit: Lanes,
    coefficients: [[f64; WIDTH]; N],
    /// `2 vol / lowest - 3` runs from -1 to 1.
    scale: f64,
}

/// `cos(pi (k + 1/2) / 8)`, the Chebyshev points.
fn chebyshev_point(k: usize) -> f64 {
    (std::f64::consts::PI * (k as f64 + 0.5) / WIDTH as f64).cos()
}

impl<const N: usize> Band<N> {
    /// The puts at the Chebyshev points of a band.
    pub(super) fn puts(key: &Key) -> Puts {
        let lowest = key.lowest_vol();
        let years = Lanes::from(f64::from_bits(key.years));
        Puts {
            years,
            horizon: years,
            rate: Lanes::from(f64::from_bits(key.rate)),
            dividend_yield: Lanes::from(f64::from_bits(key.dividend_yield)),
            vol: Lanes(std::array::from_fn(|k| {
                lowest * (1.5 + 0.5 * chebyshev_point(k))
            })),
        }
    }

    /// From the boundary of [`Band::puts`].
    pub(super) fn new(key: &Key, boundary: &Boundary<N>) -> Self {
        let vol = Self::puts(key).vol;
        let mut coefficients = [[0.0; WIDTH]; N];
        for j in 0..N {
            for (degree, coefficient) in coefficients[j].iter_mut().enumerate() {
                let mut sum = 0.0;
                for k in 0..WIDTH {
                    let angle =
                        std::f64::consts::PI * degree as f64 * (k as f64 + 0.5) / WIDTH as f64;
                    sum += boundary.squared[j].0[k].sqrt() / vol.0[k] * angle.cos();
                }
                *coefficient = sum * if degree == 0 { 1.0 } else { 2.0 } / WIDTH as f64;
            }
        }
        Self {
            log_limit: boundary.log_limit,
            coefficients,
            scale: 2.0 / key.lowest_vol(),
        }
    }

    /// The boundary at eight vols of the band.
    #[inline(always)]
    pub(super) fn at(&self, vol: Lanes) -> Boundary<N> {
        let u = vol.times(self.scale, -3.0);
        let twice = u + u;
        let mut squared = [Lanes::ZERO; N];
        for j in 0..N {
            // Clenshaw's recurrence.
            let c = &self.coefficients[j];
            let (mut b1, mut b2) = (Lanes::from(c[WIDTH - 1]), Lanes::ZERO);
            for &coefficient in c[1..WIDTH - 1].iter().rev() {
                (b1, b2) = (twice.times(b1, coefficient - b2), b1);
            }
            let gap = u.times(b1, c[0] - b2) * vol;
            squared[j] = gap * gap;
        }
        Boundary {
            log_limit: self.log_limit,
            squared,
        }
    }
}
