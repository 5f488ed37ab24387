//! The kernels: from rows that the collocation prices to their prices at several spots.

use super::Mode;
use super::boundary::{Boundary, Puts};
use super::mode::System;
use super::nodes::Nodes;
use super::premium::AtPoints;
use super::rows::{Block, Route, Row};
use super::shared::Band;
use crate::float::larger;
use crate::pricing::lanes::{Lanes, WIDTH};
use crate::simd::Kernel;

/// Price moves of the scenarios, and the row-major table of results.
pub(super) struct Cells<'a> {
    pub(super) moves: PriceMoves<'a>,
    /// The scenarios to price.
    pub(super) columns: &'a [usize],
    pub(super) scenarios: usize,
    pub(super) out: &'a mut [f64],
}

/// Fractions of spot, by scenario or by row and scenario.
#[derive(Clone, Copy)]
pub(super) struct PriceMoves<'a> {
    pub(super) table: &'a [f64],
    /// Distance between the rows of the table; 0 where all rows move alike.
    pub(super) stride: usize,
}

/// A spot move of -100 % or worse leaves this fraction of the spot.
const NO_SPOT: f64 = 1e-300;

impl PriceMoves<'_> {
    /// The factor on a row's spot.
    #[inline(always)]
    pub(super) fn factor(&self, row: usize, scenario: usize) -> f64 {
        larger(1.0 + self.table[row * self.stride + scenario], NO_SPOT)
    }
}

impl Cells<'_> {
    #[inline(always)]
    fn fill<const P: usize>(&mut self, block: &Block, prepared: &AtPoints<P>) {
        for &j in self.columns {
            let mut factor = Lanes::ZERO;
            for l in 0..WIDTH {
                factor.0[l] = self.moves.factor(block.index[l], j);
            }
            let value = block.value_at(factor, prepared);
            for l in 0..block.count {
                self.out[block.index[l] * self.scenarios + j] = value.0[l];
            }
        }
    }
}

impl Block {
    /// The values at spots moved by a factor.
    #[inline(always)]
    fn value_at<const P: usize>(&self, factor: Lanes, prepared: &AtPoints<P>) -> Lanes {
        let moved = self.spot * factor;
        // A call is a put on the strike struck at the spot.
        let put_strike = self.sign.above(0.0, moved, self.strike);
        let put_spot = self.sign.above(0.0, self.strike, moved);
        let held = put_strike * prepared.held(put_spot / put_strike);
        held.greater(self.sign * (moved - self.strike))
    }

    #[inline(always)]
    pub(super) fn puts(&self) -> Puts {
        Puts {
            years: self.years,
            horizon: self.horizon,
            rate: self.rate,
            dividend_yield: self.dividend_yield,
            vol: self.vol,
        }
    }
}

/// The boundaries of blocks of puts.
pub(super) struct Boundaries<'a, const N: usize, const L: usize, const P: usize> {
    pub(super) nodes: &'a Nodes<N, L, P>,
    pub(super) mode: Mode,
    pub(super) system: System,
    pub(super) puts: &'a [Puts],
    pub(super) out: &'a mut [Boundary<N>],
}

impl<const N: usize, const L: usize, const P: usize> Kernel for Boundaries<'_, N, L, P> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (puts, out) in self.puts.iter().zip(self.out) {
            *out = puts.boundary(self.nodes, self.mode, self.system);
        }
    }
}

/// The boundaries of blocks of puts whose vols are in a band.
pub(super) struct FromBand<'a, const N: usize> {
    pub(super) band: &'a Band<N>,
    pub(super) puts: &'a [Puts],
    pub(super) out: &'a mut [Boundary<N>],
}

impl<const N: usize> Kernel for FromBand<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (puts, out) in self.puts.iter().zip(self.out) {
            *out = self.band.at(puts.vol);
        }
    }
}

/// The prices of rows whose boundaries are known, block by block.
pub(super) struct Prices<'a, 'b, const N: usize, const L: usize, const P: usize> {
    pub(super) nodes: &'a Nodes<N, L, P>,
    pub(super) rows: &'a [Row],
    pub(super) route: Route,
    pub(super) boundaries: &'a [Boundary<N>],
    pub(super) cells: &'a mut Cells<'b>,
}

impl<const N: usize, const L: usize, const P: usize> Kernel for Prices<'_, '_, N, L, P> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (rows, boundary) in self.rows.chunks(WIDTH).zip(self.boundaries) {
            let block = Block::new(rows, self.route);
            self.cells
                .fill(&block, &AtPoints::new(&block.puts(), self.nodes, boundary));
        }
    }
}
