//! The exercise boundary itself: the spot at which an option should be exercised now.

use super::Mode;
use super::boundary::Boundary;
use super::grid::puts_of;
use super::nodes::{Nodes, OnNodes, on_high_rate_nodes, on_nodes};
use super::rows::{self, Route, Row};
use super::solve::Boundaries;
use crate::error::Result;
use crate::fail;
use crate::pricing::OptionColumns;
use crate::pricing::lanes::WIDTH;
use crate::simd;

/// The boundary of each row with its time left: a put is exercised at or below it, a call at or above. The spots are not
/// read. Zero for a put and infinity for a call that is never exercised early; the strike where no time is left.
///
/// # Errors
/// `InvalidInput` as [`super::price`]; `Unsupported` for rows with two boundaries (`yield < rate < 0` for a put, the
/// other way round for a call) and for rows without vol.
pub fn exercise_boundary(o: &OptionColumns<'_>, mode: Mode, out: &mut [f64]) -> Result<()> {
    rows::check(o)?;
    if out.len() != o.spot.len() {
        fail!(
            InvalidInput: WrongShape;
            "american: {} rows and room for {} boundaries", o.spot.len(), out.len()
        );
    }
    let (mut quick, mut high) = (Vec::new(), Vec::new());
    for (index, boundary) in out.iter_mut().enumerate() {
        let row = Row::new(o, index);
        match row.route(mode) {
            Route::European if row.years <= 0.0 => *boundary = row.strike,
            Route::European => *boundary = if row.right > 0 { f64::INFINITY } else { 0.0 },
            Route::Collocation => quick.push(row),
            Route::HighRates => high.push(row),
            Route::Tree => fail!(
                Unsupported;
                "american: row {index}: no single exercise boundary: rate {} and dividend yield {} are both negative, or \
                 there is no vol to speak of ({})", row.rate, row.dividend_yield, row.vol
            ),
        }
    }
    let quick = Solve {
        rows: &quick,
        route: Route::Collocation,
        mode,
        out,
    };
    on_nodes(mode, quick);
    let high = Solve {
        rows: &high,
        route: Route::HighRates,
        mode,
        out,
    };
    on_high_rate_nodes(mode, high);
    Ok(())
}

struct Solve<'a> {
    rows: &'a [Row],
    route: Route,
    mode: Mode,
    out: &'a mut [f64],
}

impl OnNodes for Solve<'_> {
    type Output = ();

    fn run<const N: usize, const L: usize, const P: usize>(self, nodes: &Nodes<N, L, P>) {
        let puts = puts_of(self.rows, self.route);
        let mut boundaries = vec![Boundary::<N>::NONE; puts.len()];
        simd::run(Boundaries {
            nodes,
            mode: self.mode,
            system: self.route.system(),
            puts: &puts,
            out: &mut boundaries,
        });
        for (rows, boundary) in self.rows.chunks(WIDTH).zip(&boundaries) {
            // The first collocation point is today; a call's boundary is the strike's distance the other way.
            let put = (boundary.log_limit - boundary.squared[0].sqrt()).exp();
            for (row, put) in rows.iter().zip(put.0) {
                self.out[row.index] = if row.right > 0 {
                    row.strike / put
                } else {
                    row.strike * put
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::american::price_one;

    fn boundary(years: f64, rate: f64, dividend_yield: f64, vol: f64, right: i8) -> Result<f64> {
        let o = OptionColumns {
            spot: &[1.0],
            strike: &[100.0],
            years: &[years],
            rate: &[rate],
            dividend_yield: &[dividend_yield],
            vol: &[vol],
            right: &[right],
        };
        let mut out = [0.0];
        exercise_boundary(&o, Mode::Precise, &mut out).map(|()| out[0])
    }

    #[test]
    fn holding_is_worth_more_on_one_side_only() {
        for (years, rate, dividend_yield, vol, right) in [
            (0.5, 0.05, 0.0, 0.2, -1_i8),
            (2.0, 0.03, 0.06, 0.3, -1),
            (1.0, 0.05, 0.08, 0.25, 1),
            (0.02, 0.04, 0.01, 0.5, -1),
            (3.0, 1.5, 0.3, 0.3, -1),
        ] {
            let at = boundary(years, rate, dividend_yield, vol, right).unwrap();
            let time_value = |spot: f64| {
                let price = price_one(
                    spot,
                    100.0,
                    years,
                    rate,
                    dividend_yield,
                    vol,
                    right,
                    Mode::Precise,
                );
                price.unwrap() - f64::from(right) * (spot - 100.0)
            };
            let away = 1.0 - 0.02 * f64::from(right);
            assert!(
                time_value(at).abs() < 1e-4,
                "{years} {rate}: {}",
                time_value(at)
            );
            assert!(
                time_value(at * away) > 1e-3,
                "{years} {rate}: {}",
                time_value(at * away)
            );
            assert!(time_value(at / away).abs() < 1e-4, "{years} {rate}");
        }
    }

    /// The perpetual put: strike times k / (1 + k) with k = 2 rate / vol^2, without a yield (Merton 1973).
    #[test]
    fn a_long_option_has_the_boundary_of_the_perpetual_one() {
        let k = 2.0 * 0.1 / 0.09;
        let at = boundary(150.0, 0.1, 0.0, 0.3, -1).unwrap();
        assert!((at - 100.0 * k / (1.0 + k)).abs() < 1e-3, "{at}");
    }

    #[test]
    fn what_is_never_exercised_says_so() {
        assert_eq!(boundary(1.0, 0.05, 0.0, 0.2, 1).unwrap(), f64::INFINITY);
        assert_eq!(boundary(1.0, 0.0, 0.03, 0.2, -1).unwrap(), 0.0);
        assert_eq!(boundary(0.0, 0.05, 0.0, 0.2, -1).unwrap(), 100.0);
        assert!(boundary(1.0, -0.01, -0.05, 0.2, -1).is_err());
    }
}
