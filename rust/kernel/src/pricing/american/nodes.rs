//! Collocation and quadrature points, and the constant matrices that take a boundary from one to the other.
//!
//! The boundary is known at the Chebyshev-Lobatto points of `x = sqrt(tau / T)`; every quadrature point sits at a
//! fraction of `x` that depends on neither option nor time, so interpolation is a product with a constant matrix.

use super::mode::Mode;
use crate::pricing::lanes::Lanes;
use once_cell::race::OnceBox;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

/// Points of one scheme: `N` collocation points (beside the known one at expiry), `L` quadrature points in the fixed
/// point iteration and `P` in the price.
pub(super) struct Nodes<const N: usize, const L: usize, const P: usize> {
    /// `sqrt(tau_j / T)` of the collocation points, from 1 down; 0 is not among them.
    pub(super) root: [f64; N],
    /// `y` and weight of the inner quadrature: a time `tau y^2 / 4` ahead.
    pub(super) inner: [(f64, f64); L],
    /// Boundary at `tau_i (1 - y_k^2 / 4)` from the collocation points, by (i, k).
    pub(super) inner_matrix: [[[f64; N]; L]; N],
    /// `y` and weight of the quadrature of the price.
    pub(super) outer: [(f64, f64); P],
    /// Boundary at `T (1 - y_k^2 / 4)` from the collocation points.
    pub(super) outer_matrix: [[f64; N]; P],
}

impl<const N: usize, const L: usize, const P: usize> Nodes<N, L, P> {
    pub(super) fn new() -> Self {
        let chebyshev = |j: usize| (std::f64::consts::PI * j as f64 / N as f64).cos();
        let root: [f64; N] = std::array::from_fn(|j| 0.5 * (1.0 + chebyshev(j)));
        let inner = quarter_circle::<L>();
        let outer = quarter_circle::<P>();
        // `2 x - 1` at the start of the time interval that the quadrature point cuts off.
        let place = |root: f64, y: f64| 2.0 * root * (1.0 - 0.25 * y * y).sqrt() - 1.0;
        Self {
            root,
            inner,
            inner_matrix: root.map(|x| inner.map(|(y, _)| cardinal(place(x, y), chebyshev))),
            outer,
            outer_matrix: outer.map(|(y, _)| cardinal(place(1.0, y), chebyshev)),
        }
    }
}

/// What is done on the points of a scheme.
pub(super) trait OnNodes {
    type Output;

    fn run<const N: usize, const L: usize, const P: usize>(
        self,
        nodes: &Nodes<N, L, P>,
    ) -> Self::Output;
}

/// Runs on the points of a mode.
///
/// Points and weights are made once a process, by whoever comes first, and by nobody who is waited for: a fork in the
/// middle leaves a child that makes its own.
pub(super) fn on_nodes<J: OnNodes>(mode: Mode, job: J) -> J::Output {
    match mode {
        Mode::Fast => {
            static NODES: OnceBox<Nodes<5, 5, 9>> = OnceBox::new();
            job.run(NODES.get_or_init(|| Box::new(Nodes::new())))
        }
        Mode::Standard => {
            static NODES: OnceBox<Nodes<7, 7, 15>> = OnceBox::new();
            job.run(NODES.get_or_init(|| Box::new(Nodes::new())))
        }
        Mode::Precise => {
            static NODES: OnceBox<Nodes<13, 25, 51>> = OnceBox::new();
            job.run(NODES.get_or_init(|| Box::new(Nodes::new())))
        }
    }
}

/// Runs on the points for high rates: more than elsewhere, whatever the mode, because the boundary turns in a short part
/// of the time.
pub(super) fn on_high_rate_nodes<J: OnNodes>(mode: Mode, job: J) -> J::Output {
    match mode {
        Mode::Fast | Mode::Standard => {
            static NODES: OnceBox<Nodes<16, 24, 71>> = OnceBox::new();
            job.run(NODES.get_or_init(|| Box::new(Nodes::new())))
        }
        Mode::Precise => {
            static NODES: OnceBox<Nodes<24, 48, 101>> = OnceBox::new();
            job.run(NODES.get_or_init(|| Box::new(Nodes::new())))
        }
    }
}

/// A function known at the collocation points, at the place that a row of a matrix stands for.
#[inline(always)]
pub(super) fn interpolated<const N: usize>(values: &[Lanes; N], row: &[f64; N]) -> Lanes {
    let mut sum = values[0] * row[0];
    for j in 1..N {
        sum = values[j].times(row[j], sum);
    }
    sum
}

/// The values at `z` of the cardinal polynomials of the points `z_0 .. z_N`, without the last, where the interpolated
/// function is zero (barycentric form; Berrut and Trefethen, SIAM Review 46, 2004).
fn cardinal<const N: usize>(z: f64, point: impl Fn(usize) -> f64) -> [f64; N] {
    let mut row = [0.0; N];
    let mut sum = 0.0;
    for j in 0..=N {
        let gap = z - point(j);
        if gap.abs() < 1e-15 {
            return std::array::from_fn(|k| if k == j { 1.0 } else { 0.0 });
        }
        let sign = if j % 2 == 0 { 1.0 } else { -1.0 };
        let weight = if j == 0 || j == N { 0.5 * sign } else { sign } / gap;
        sum += weight;
        if j < N {
            row[j] = weight;
        }
    }
    row.map(|weight| weight / sum)
}

/// Quadrature over `y` in [0, 2] of functions of `y` and `sqrt(4 - y^2)`: of the time from today and of the time left,
/// each with a square root where it vanishes. On the angle of `y = 2 sin(angle)` both are smooth, so Gauss-Legendre points
/// of the angle need a third fewer than points of `y`. As `y` and weight, ascending.
fn quarter_circle<const M: usize>() -> [(f64, f64); M] {
    gauss_legendre::<M>().map(|(place, weight)| {
        let angle = FRAC_PI_4 * place;
        (2.0 * angle.sin(), FRAC_PI_2 * weight * angle.cos())
    })
}

/// Gauss-Legendre points as `1 + y`, and weights, ascending: Newton's method on the Legendre polynomial.
fn gauss_legendre<const M: usize>() -> [(f64, f64); M] {
    let n = M as f64;
    std::array::from_fn(|i| {
        let mut z = -(std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..8 {
            let (mut value, mut before) = (1.0, 0.0);
            for j in 0..M {
                let degree = j as f64;
                (value, before) = (
                    ((2.0 * degree + 1.0) * z * value - degree * before) / (degree + 1.0),
                    value,
                );
            }
            slope = n * (z * value - before) / (z * z - 1.0);
            z -= value / slope;
        }
        (1.0 + z, 2.0 / ((1.0 - z * z) * slope * slope))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadrature_and_interpolation_are_exact_for_polynomials() {
        let nodes = Nodes::<7, 7, 15>::new();
        let power: f64 = gauss_legendre::<7>()
            .iter()
            .map(|(y, w)| w * y.powi(12))
            .sum();
        assert!((power - 2.0_f64.powi(13) / 13.0).abs() < 1e-10);
        // Square roots at both ends: the area of the quarter circle.
        let area: f64 = nodes
            .inner
            .iter()
            .map(|(y, w)| w * (4.0 - y * y).sqrt())
            .sum();
        assert!((area - std::f64::consts::PI).abs() < 1e-8);
        // x^3 of the square root of time, zero at expiry, is reproduced.
        for ((y, _), row) in nodes.outer.iter().zip(&nodes.outer_matrix) {
            let exact = (1.0 - 0.25 * y * y).powf(1.5);
            let interpolated: f64 = row
                .iter()
                .zip(&nodes.root)
                .map(|(a, x)| a * x.powi(3))
                .sum();
            assert!((exact - interpolated).abs() < 1e-13);
        }
    }
}
