//! Eight rows of a block, ready to be priced under scenarios.

use super::super::lanes::{Lanes, WIDTH};
use super::super::{BLOCK, RowCopy};
use super::terms::{Terms, terms};

#[derive(Clone, Copy)]
pub(super) struct Eight {
    pub(super) terms: Terms<Lanes>,
    pub(super) vol: Lanes,
    /// The right: +1 for a call, -1 for a put.
    pub(super) sign: Lanes,
}

impl Eight {
    const NONE: Self = Self {
        terms: Terms {
            forward: Lanes::ZERO,
            strike: Lanes::ZERO,
            moneyness: Lanes::ZERO,
            root_years: Lanes::ZERO,
        },
        vol: Lanes::ZERO,
        sign: Lanes::ZERO,
    };

    /// The `e`-th eight rows, `roll` years later.
    #[inline(always)]
    fn new(rows: &RowCopy, e: usize, roll: f64) -> Self {
        let [spot, strike, years, rate, dividend_yield, vol] =
            [0, 1, 2, 3, 4, 5].map(|k: usize| Lanes(rows.floats[k].as_chunks().0[e]));
        let right: [i8; WIDTH] = rows.right.as_chunks().0[e];
        Self {
            terms: terms(spot, strike, years - roll, rate, dividend_yield),
            vol,
            sign: Lanes(right.map(f64::from)),
        }
    }
}

/// Terms of a block of rows, computed before they are priced: two short loops, because a processor looks ahead only so
/// far.
pub(super) struct Block(pub(super) [Eight; BLOCK / WIDTH]);

impl Block {
    pub(super) fn new() -> Self {
        Self([Eight::NONE; BLOCK / WIDTH])
    }

    /// The first `count` rows, and those that fill up the last eight.
    #[inline(always)]
    pub(super) fn load(&mut self, rows: &RowCopy, count: usize, roll: f64) -> &[Eight] {
        let eights = &mut self.0[..count.div_ceil(WIDTH)];
        for (e, eight) in eights.iter_mut().enumerate() {
            *eight = Eight::new(rows, alone(e), roll);
        }
        eights
    }
}

/// An index that the compiler knows nothing of: loops over eights are left as they are. It would turn them into gathers
/// of one lane of several eights.
#[inline(always)]
pub(super) fn alone(e: usize) -> usize {
    std::hint::black_box(e)
}
