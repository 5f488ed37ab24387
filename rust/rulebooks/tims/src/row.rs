//! The sixteen columns that a contract adds to its class group.

use super::parameters::POINTS;

/// Array columns per contract: ten points in a block of sixteen, so that a row is two cache lines.
pub(super) const WIDTH: usize = 16;

/// Columns after the points: option value per lot; money per long and per short lot, at least; option contracts per
/// short lot.
pub(super) const OPTION_VALUE: usize = POINTS;
pub(super) const LONG_MINIMUM: usize = POINTS + 1;
pub(super) const SHORT_MINIMUM: usize = POINTS + 2;
pub(super) const SHORT_OPTIONS: usize = POINTS + 3;

/// The sixteen columns of a contract, per lot, or of a class group, summed: two cache lines.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct Row(pub(super) [f64; WIDTH]);

/// What the columns from [`SIDED`] on count of a holding's net lots: their sign, and the least that counts, so that a
/// column takes them as they are, or the long or the short side alone.
///
/// Data of the book and not constants: a compiler that knows them works column by column, with a branch on the side.
#[derive(Clone)]
pub(super) struct Sides {
    sign: [f64; WIDTH - SIDED],
    least: [f64; WIDTH - SIDED],
}

/// All columns before this one count net lots: half of them, a whole number of vectors.
const SIDED: usize = WIDTH / 2;

impl Default for Sides {
    fn default() -> Self {
        let (mut sign, mut least) = ([1.0; WIDTH - SIDED], [f64::NEG_INFINITY; WIDTH - SIDED]);
        for column in [LONG_MINIMUM, SHORT_MINIMUM, SHORT_OPTIONS] {
            least[column - SIDED] = 0.0;
        }
        for column in [SHORT_MINIMUM, SHORT_OPTIONS] {
            sign[column - SIDED] = -1.0;
        }
        Self { sign, least }
    }
}

impl Row {
    /// Adds a holding of one contract that has one side only: as [`Self::add`] does, to the last bit.
    #[inline(always)]
    pub(super) fn add_net(&mut self, net: f64, row: &Self, sides: &Sides) {
        for k in 0..SIDED {
            self.0[k] = net.mul_add(row.0[k], self.0[k]);
        }
        for k in SIDED..WIDTH {
            let (signed, least) = (sides.sign[k - SIDED] * net, sides.least[k - SIDED]);
            let lots = if signed > least { signed } else { least };
            self.0[k] = lots.mul_add(row.0[k], self.0[k]);
        }
    }

    /// Adds a holding of one contract.
    #[inline(always)]
    pub(super) fn add(&mut self, net: f64, long: f64, short: f64, row: &Self) {
        for k in 0..WIDTH {
            let lots = match k {
                LONG_MINIMUM => long,
                SHORT_MINIMUM | SHORT_OPTIONS => short,
                _ => net,
            };
            self.0[k] = lots.mul_add(row.0[k], self.0[k]);
        }
    }
}
