//! A block of rows and the short passes that price it.
// Index loops over columns of one length are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

use super::super::OptionColumns;
use super::super::math::{density, exp, greater, lesser, ln_ratio, mills_grid};
use super::{distances, intrinsic, reciprocal_and_half, sign_of, value_above};

/// Rows per block: the block's terms and results stay in the first-level cache.
pub(super) const ROWS: usize = 64;
/// Rows are padded to a multiple of this, so that no vector is cut short.
pub(super) const LANES: usize = 8;

/// Terms of a block of rows, column by column.
pub(super) struct Block {
    pub(super) forward: [f64; ROWS],
    pub(super) strike: [f64; ROWS],
    pub(super) moneyness: [f64; ROWS],
    pub(super) root_years: [f64; ROWS],
    pub(super) vol: [f64; ROWS],
    pub(super) sign: [u64; ROWS],
}

impl Block {
    /// Rows past the last hold an ordinary option, so that vectors can run over the end.
    pub(super) fn new() -> Self {
        Self {
            forward: [1.0; ROWS],
            strike: [1.0; ROWS],
            moneyness: [0.0; ROWS],
            root_years: [1.0; ROWS],
            vol: [1.0; ROWS],
            sign: [0; ROWS],
        }
    }

    #[inline(always)]
    pub(super) fn fill(&mut self, o: &OptionColumns, roll: f64) {
        let n = o.spot.len();
        let o = o.exactly(n);
        let (forward, strike) = (&mut self.forward[..n], &mut self.strike[..n]);
        let (moneyness, root_years) = (&mut self.moneyness[..n], &mut self.root_years[..n]);
        let sign = &mut self.sign[..n];
        // The operations of `terms`, in short passes.
        for i in 0..n {
            forward[i] = o.spot[i] * exp(-o.dividend_yield[i] * years_left(o.years[i], roll));
        }
        for i in 0..n {
            strike[i] = o.strike[i] * exp(-o.rate[i] * years_left(o.years[i], roll));
        }
        for i in 0..n {
            let carry = o.rate[i] - o.dividend_yield[i];
            moneyness[i] = carry.mul_add(
                years_left(o.years[i], roll),
                ln_ratio(o.spot[i], o.strike[i]),
            );
        }
        for i in 0..n {
            root_years[i] = years_left(o.years[i], roll).sqrt();
            sign[i] = sign_of(o.right[i]);
        }
        self.vol[..n].copy_from_slice(o.vol);
    }
}

/// Time to expiry after a roll; none once expired.
#[inline(always)]
fn years_left(years: f64, roll: f64) -> f64 {
    greater(years - roll, 0.0)
}
/// 1/v and v/2 of a block of rows under one vol move.
#[derive(Clone, Copy)]
pub(super) struct Deviations {
    pub(super) inverse: [f64; ROWS],
    pub(super) half: [f64; ROWS],
}

impl Deviations {
    pub(super) fn new() -> Self {
        Self {
            inverse: [0.0; ROWS],
            half: [0.0; ROWS],
        }
    }

    #[inline(always)]
    pub(super) fn fill(&mut self, block: &Block, vol_moves: &[f64; ROWS], count: usize) {
        let (vol, root_years) = (&block.vol[..count], &block.root_years[..count]);
        let (inverse, half) = (&mut self.inverse[..count], &mut self.half[..count]);
        for l in 0..count {
            (inverse[l], half[l]) = reciprocal_and_half((vol[l] + vol_moves[l]) * root_years[l]);
        }
    }
}

/// What one pass over a block leaves for the next.
///
/// Passes are short loops on purpose: processors look some 60 operations ahead, so a loop over whole prices would wait
/// out its polynomials' chains one after the other. The operations are those of [`time_value`], bit for bit.
pub(super) struct Scratch {
    pub(super) d: [f64; ROWS],
    pub(super) far: [f64; ROWS],
    pub(super) weight: [f64; ROWS],
    pub(super) p_near: [f64; ROWS],
    pub(super) q_near: [f64; ROWS],
    pub(super) p_far: [f64; ROWS],
    pub(super) q_far: [f64; ROWS],
}

impl Scratch {
    pub(super) fn new() -> Self {
        let zeros = [0.0; ROWS];
        Self {
            d: zeros,
            far: zeros,
            weight: zeros,
            p_near: zeros,
            q_near: zeros,
            p_far: zeros,
            q_far: zeros,
        }
    }

    /// One scenario of a block of `count` rows: prices after moving each spot by its factor.
    #[inline(always)]
    pub(super) fn prices(
        &mut self,
        cells: &mut [f64; ROWS],
        block: &Block,
        deviations: &Deviations,
        spots: impl SpotMoves,
        count: usize,
    ) {
        let cells = &mut cells[..count];
        let (forward, strike) = (&block.forward[..count], &block.strike[..count]);
        let (moneyness, sign) = (&block.moneyness[..count], &block.sign[..count]);
        let (inverse, half) = (&deviations.inverse[..count], &deviations.half[..count]);
        let (d, far, weight) = (
            &mut self.d[..count],
            &mut self.far[..count],
            &mut self.weight[..count],
        );
        let (p_near, q_near) = (&mut self.p_near[..count], &mut self.q_near[..count]);
        let (p_far, q_far) = (&mut self.p_far[..count], &mut self.q_far[..count]);
        for l in 0..count {
            (d[l], far[l]) = distances(moneyness[l] + spots.log(l), inverse[l], half[l]);
        }
        for l in 0..count {
            weight[l] = density(d[l]);
        }
        for l in 0..count {
            (p_near[l], q_near[l]) = mills_grid(d[l].abs());
        }
        for l in 0..count {
            (p_far[l], q_far[l]) = mills_grid(far[l]);
        }
        for l in 0..count {
            let forward = forward[l] * spots.factor(l);
            let (near, far) = ((p_near[l], q_near[l]), (p_far[l], q_far[l]));
            let above = value_above(d[l], weight[l], near, far, lesser(forward, strike[l]));
            cells[l] = above + intrinsic(forward, strike[l], sign[l]);
        }
    }
}

/// Each row's factor on the spot, and its logarithm.
pub(super) trait SpotMoves: Copy {
    fn factor(&self, row: usize) -> f64;
    fn log(&self, row: usize) -> f64;
}

/// The same factor for every row.
#[derive(Clone, Copy)]
pub(super) struct OneMove {
    pub(super) factor: f64,
    pub(super) log: f64,
}

impl SpotMoves for OneMove {
    #[inline(always)]
    fn factor(&self, _: usize) -> f64 {
        self.factor
    }

    #[inline(always)]
    fn log(&self, _: usize) -> f64 {
        self.log
    }
}

/// A factor per row.
#[derive(Clone, Copy)]
pub(super) struct OwnMoves<'a> {
    pub(super) factor: &'a [f64; ROWS],
    pub(super) log: &'a [f64; ROWS],
}

impl SpotMoves for OwnMoves<'_> {
    #[inline(always)]
    fn factor(&self, row: usize) -> f64 {
        self.factor[row]
    }

    #[inline(always)]
    fn log(&self, row: usize) -> f64 {
        self.log[row]
    }
}
