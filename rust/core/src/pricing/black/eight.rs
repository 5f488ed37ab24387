//! Eight rows of columns, ready to be priced under scenarios.
// Index loops of constant number are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

use super::super::lanes::{Lanes, WIDTH};
use super::super::{BLOCK, OptionColumns};
use super::{Terms, terms};

#[derive(Clone, Copy)]
pub(super) struct Eight {
    pub(super) terms: Terms<Lanes>,
    pub(super) vol: Lanes,
    /// The right: +1 for a call, -1 for a put.
    pub(super) sign: Lanes,
}

impl Eight {
    const ORDINARY: Self = Self {
        terms: Terms {
            forward: Lanes::ZERO,
            strike: Lanes::ZERO,
            moneyness: Lanes::ZERO,
            root_years: Lanes::ZERO,
        },
        vol: Lanes::ZERO,
        sign: Lanes::ZERO,
    };

    /// Up to eight rows, `roll` years later; lanes past the last hold an ordinary option.
    #[inline(always)]
    fn load(rows: &OptionColumns, roll: f64) -> Self {
        let (spot, strike) = (lanes(rows.spot, 1.0), lanes(rows.strike, 1.0));
        let years = lanes(rows.years, 1.0) - roll;
        let (rate, dividend_yield) = (lanes(rows.rate, 0.0), lanes(rows.dividend_yield, 0.0));
        let mut sign = Lanes::from(1.0);
        if rows.right.len() == WIDTH {
            for l in 0..WIDTH {
                sign.0[l] = f64::from(rows.right[l]);
            }
        } else {
            for (sign, &right) in sign.0.iter_mut().zip(rows.right) {
                *sign = f64::from(right);
            }
        }
        Self {
            terms: terms(spot, strike, years, rate, dividend_yield),
            vol: lanes(rows.vol, 1.0),
            sign,
        }
    }
}

/// Terms of a block of rows, computed before they are priced: two short loops, because a processor looks ahead only so
/// far.
pub(super) struct Block(pub(super) [Eight; BLOCK / WIDTH]);

impl Block {
    pub(super) fn new() -> Self {
        Self([Eight::ORDINARY; BLOCK / WIDTH])
    }

    /// The rows of `o`, `roll` years later, eight by eight.
    #[inline(always)]
    pub(super) fn load(&mut self, o: &OptionColumns, roll: f64) {
        let count = o.spot.len();
        let o = o.exactly(count);
        for start in (0..count).step_by(WIDTH) {
            let rows = o.rows(start, WIDTH.min(count - start));
            self.0[start / WIDTH] = Eight::load(&rows, roll);
        }
    }
}

/// Up to eight values, and `rest` where there are fewer.
#[inline(always)]
fn lanes(values: &[f64], rest: f64) -> Lanes {
    match values.first_chunk::<WIDTH>() {
        Some(values) => Lanes(*values),
        None => {
            let mut lanes = Lanes::from(rest);
            lanes.0[..values.len()].copy_from_slice(values);
            lanes
        }
    }
}

/// Writes the lanes that `out` has room for.
#[inline(always)]
pub(super) fn store(lanes: &Lanes, out: &mut [f64]) {
    match out.first_chunk_mut::<WIDTH>() {
        Some(out) => *out = lanes.0,
        None => out.copy_from_slice(&lanes.0[..out.len()]),
    }
}
