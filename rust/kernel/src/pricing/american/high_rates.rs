//! The boundary where rates are high: `|rate - yield| sqrt(years)` beyond [`super::Mode::most_carry`] vols, or interest of
//! more than twice the strike over the life of the option.
//!
//! The iteration of `boundary.rs` (system A of Andersen, Lake and Offengenden) runs away at a high carry; their system B,
//! which asks that the price at the boundary is what exercise gives, settles. Two things make few points enough: the
//! boundary is the perpetual option's but for a short time before expiry, and exercise after a time in which interest, or
//! the drift away from the boundary, has eaten it up is worth nothing: [`Row::horizon`](super::rows::Row::horizon) is where
//! both are over.

use super::boundary::{BELOW_LIMIT, Point, Puts, gauss, normal_cdf, within};
use super::nodes::{Nodes, interpolated};
use crate::pricing::lanes::Lanes;

impl Puts {
    /// One step of system B, all collocation points from the old boundary; `ln B`.
    #[inline(always)]
    pub(super) fn improve_by_value<const N: usize, const L: usize, const P: usize>(
        &self,
        nodes: &Nodes<N, L, P>,
        limit: Lanes,
        log_limit: Lanes,
        log_b: &[Lanes; N],
        squared: &[Lanes; N],
    ) -> [Lanes; N] {
        let Puts {
            rate,
            dividend_yield,
            ..
        } = *self;
        let mut new = [Lanes::ZERO; N];
        for i in 0..N {
            let Point {
                tau,
                v,
                inverse,
                below,
                drift,
                ..
            } = self.point(nodes.root[i], log_limit, log_b[i]);
            // Integrals over the time that each quadrature point looks ahead: of what is paid, and of what is held.
            let (mut paid, mut held) = (Lanes::ZERO, Lanes::ZERO);
            for k in 0..L {
                let gap = interpolated(squared, &nodes.inner_matrix[i][k]);
                let (y, weight) = nodes.inner[k];
                let log_ratio = gap.greater(0.0).sqrt() - below;
                let part = 0.25 * y * y;
                let since = inverse * (2.0 / y);
                let plus = (drift.times(part, log_ratio)).times(since, v * (0.25 * y));
                let minus = plus - v * (0.5 * y);
                let ahead = tau * part;
                paid = (-rate * ahead)
                    .exp()
                    .times(cdf::<P>(minus) * (weight * y), paid);
                held = (-dividend_yield * ahead)
                    .exp()
                    .times(cdf::<P>(plus) * (weight * y), held);
            }
            let plus = (log_b[i] + drift).times(inverse, 0.5 * v);
            let half = tau * 0.5;
            let numerator = (-rate * tau)
                .exp()
                .times(cdf::<P>(plus - v), rate * half * paid);
            let denominator = (-dividend_yield * tau)
                .exp()
                .times(cdf::<P>(plus), dividend_yield * half * held);
            let next = numerator / denominator;
            new[i] = next
                .greater(0.2 * log_b[i].exp())
                .lesser(limit * BELOW_LIMIT)
                .ln();
        }
        new
    }
}

/// The normal distribution function.
#[inline(always)]
fn cdf<const P: usize>(x: Lanes) -> Lanes {
    let x = within(x);
    normal_cdf::<P>(x, gauss::<P>(x))
}

#[cfg(test)]
mod tests {
    use super::super::{Mode, greeks, price, price_one};
    use crate::pricing::OptionColumns;
    use crate::pricing::greeks::GreekColumns;

    type Row = (f64, f64, f64, f64, f64, f64, i8, f64);

    /// Spot, strike, days, rate, yield, vol, right and the price by QuantLib 1.44's `QdFpAmericanEngine`, high
    /// precision.
    const QUANTLIB: [Row; 22] = [
        // Lira-like rates, hard-to-borrow stock.
        (40.0, 40.0, 730.0, 0.45, 0.045, 0.10, -1, 0.18031289),
        (40.0, 40.0, 365.0, 0.45, 0.045, 0.06, -1, 0.06522384),
        (100.0, 100.0, 365.0, 0.05, 1.0, 0.25, 1, 1.18864),
        (100.0, 97.0, 365.0, 0.05, 3.0, 0.50, 1, 3.13205),
        (100.0, 100.0, 365.0, 0.05, 5.0, 1.00, 1, 3.53555),
        (100.0, 100.0, 730.0, 0.05, 3.0, 0.10, 1, 0.0622983),
        // Drawn at random.
        (128.85, 100.0, 1623.0, 0.016, 0.602, 0.154, -1, 84.270328),
        (110.1, 100.0, 1091.0, 3.696, 0.733, 0.123, 1, 60.6491059),
        (102.05, 100.0, 16.0, 4.237, 0.07, 0.679, 1, 19.1376084),
        (96.86, 100.0, 15.0, 3.216, 0.224, 0.097, 1, 8.35275426),
        (103.87, 100.0, 35.0, 2.815, 0.969, 0.16, 1, 18.3102764),
        (149.4, 100.0, 699.0, 4.619, 1.924, 0.83, 1, 66.2211453),
        (99.66, 100.0, 31.0, 0.91, 0.603, 0.051, 1, 2.16067832),
        (105.57, 100.0, 1183.0, 0.063, 1.416, 0.101, -1, 82.499184),
        (93.7, 100.0, 217.0, 0.407, 4.072, 1.719, 1, 9.5608058),
        (101.37, 100.0, 340.0, 4.692, 4.473, 0.153, 1, 3.50363966),
        (111.06, 100.0, 121.0, 0.063, 3.155, 1.083, 1, 12.2800574),
        (115.52, 100.0, 3286.0, 0.522, 0.857, 0.217, -1, 16.7078202),
        (98.88, 100.0, 147.0, 0.247, 0.097, 0.065, -1, 1.13910803),
        (99.88, 100.0, 5.0, 4.698, 0.935, 0.166, 1, 4.84458626),
        (112.67, 100.0, 601.0, 2.281, 0.521, 0.133, 1, 58.3211362),
        (101.36, 100.0, 83.0, 0.898, 0.256, 0.055, 1, 14.0982148),
    ];

    #[test]
    fn agrees_with_quantlib() {
        for (mode, tolerance) in [(Mode::Standard, 4e-4), (Mode::Precise, 1e-4)] {
            for row in QUANTLIB {
                let (spot, strike, days, rate, dividend_yield, vol, right, expected) = row;
                let years = days / 365.0;
                let carry = (rate - dividend_yield).abs() * years.sqrt();
                assert!(
                    carry > mode.most_carry() * vol,
                    "{row:?} is no row of this file"
                );
                let ours = price_one(spot, strike, years, rate, dividend_yield, vol, right, mode);
                let ours = ours.unwrap();
                assert!(
                    (ours / expected - 1.0).abs() < tolerance,
                    "{mode:?} {row:?}: {ours}"
                );
            }
        }
    }

    /// The closed formula of an option without expiry (McKean, Industrial Management Review 6, 1965), for the put.
    fn perpetual_put(spot: f64, strike: f64, rate: f64, dividend_yield: f64, vol: f64) -> f64 {
        let a = 0.5 - (rate - dividend_yield) / (vol * vol);
        let power = a - (a * a + 2.0 * rate / (vol * vol)).sqrt();
        let boundary = strike * power / (power - 1.0);
        if spot <= boundary {
            return strike - spot;
        }
        (strike - boundary) * (spot / boundary).powf(power)
    }

    /// Which options of long lives reach. A call is the put with its roles exchanged.
    #[test]
    fn long_lives_are_worth_what_the_perpetual_is() {
        for mode in [Mode::Standard, Mode::Precise] {
            for vol in [0.01, 0.05, 0.1, 0.3, 0.8, 2.0] {
                for (high, low) in [(0.3, 0.0), (0.5, 0.1), (1.0, 0.05), (3.0, 0.5), (5.0, 0.05)] {
                    for moneyness in [0.999, 1.0, 1.02] {
                        for right in [-1, 1] {
                            let (rate, held) = if right > 0 { (low, high) } else { (high, low) };
                            let spot = if right > 0 {
                                100.0 / moneyness
                            } else {
                                100.0 * moneyness
                            };
                            let years = 20.0_f64.min(19.0 / high);
                            // What is left after so long a life has to be as good as nothing.
                            let pull = (high - low) / vol - 0.5 * vol;
                            if (high + 0.5 * pull * pull.abs()) * years < 14.0 {
                                continue;
                            }
                            let ours = price_one(spot, 100.0, years, rate, held, vol, right, mode);
                            let ours = ours.unwrap();
                            let closed = if right > 0 {
                                perpetual_put(100.0, spot, held, rate, vol)
                            } else {
                                perpetual_put(spot, 100.0, rate, held, vol)
                            };
                            if closed > 1e-2 {
                                let error = ours / closed - 1.0;
                                assert!(
                                    error.abs() < 1e-4,
                                    "{mode:?} {vol} {rate} {held} {spot} {right}: {ours} {closed}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_methods_meet() {
        for (vol, years, rate, dividend_yield) in [
            (0.1, 1.0, 0.08, 0.0),
            (0.3, 0.5, 0.4, 0.1),
            (0.05, 4.0, 0.02, 0.0),
        ] {
            for right in [-1, 1] {
                let (rate, dividend_yield) = if right > 0 {
                    (dividend_yield, rate)
                } else {
                    (rate, dividend_yield)
                };
                let at = |carry: f64| {
                    let vol = f64::abs(rate - dividend_yield) * f64::sqrt(years) / carry;
                    price_one(
                        100.0,
                        100.0,
                        years,
                        rate,
                        dividend_yield,
                        vol,
                        right,
                        Mode::Standard,
                    )
                    .unwrap()
                };
                let edge = Mode::Standard.most_carry();
                let (below, above) = (at(edge * (1.0 - 1e-12)), at(edge * (1.0 + 1e-12)));
                assert!(
                    (above / below - 1.0).abs() < 2e-4,
                    "{vol} {right}: {below} {above}"
                );
            }
        }
    }

    /// A price that is convex in the spot: a put in a currency of 45 %.
    #[test]
    fn gamma_is_never_negative() {
        let spot: Vec<f64> = (0..301).map(|i| 85.0 + 0.1 * f64::from(i)).collect();
        let n = spot.len();
        let all = |x: f64| vec![x; n];
        for mode in [Mode::Standard, Mode::Precise] {
            let mut out: Vec<Vec<f64>> = vec![all(0.0); 8];
            let [price, delta, gamma, vega, theta, rho, vanna, volga] = &mut out[..] else {
                unreachable!()
            };
            let columns = GreekColumns {
                price,
                delta,
                gamma,
                vega,
                theta,
                rho,
                vanna,
                volga,
            };
            let o = OptionColumns {
                spot: &spot,
                strike: &all(100.0),
                years: &all(1.0),
                rate: &all(0.45),
                dividend_yield: &all(0.045),
                vol: &all(0.12),
                right: &vec![-1; n],
            };
            greeks(&o, mode, columns).unwrap();
            for i in 0..n {
                assert!(
                    out[2][i] >= -1e-9 && (-1.0 - 1e-9..=0.0).contains(&out[1][i]),
                    "{mode:?} {}: {} {}",
                    spot[i],
                    out[1][i],
                    out[2][i]
                );
            }
        }
    }

    /// No value of a row that the rules for columns allow is anything but a price.
    #[test]
    fn extremes_are_prices() {
        let mut table: Vec<[f64; 6]> = Vec::new();
        for vol in [1e-4, 1e-3, 0.02, 0.5, 2.0, 5.0] {
            for years in [1.0 / 8760.0, 1.0 / 365.0, 0.3, 3.0, 10.0] {
                for (rate, held) in [
                    (2.0, -0.1),
                    (2.0, 1.999),
                    (0.001, 2.0),
                    (2.0, 0.0),
                    (1e-9, 1.5),
                    (0.5, -2.0),
                ] {
                    for spot in [1.0, 50.0, 99.0, 100.0, 101.0, 200.0, 1e4] {
                        table.push([spot, 100.0, years, rate, held, vol]);
                    }
                }
            }
        }
        let column = |k: usize| -> Vec<f64> { table.iter().map(|row| row[k]).collect() };
        for right in [-1_i8, 1] {
            let (rate, held) = if right > 0 { (4, 3) } else { (3, 4) };
            let o = OptionColumns {
                spot: &column(0),
                strike: &column(1),
                years: &column(2),
                rate: &column(rate),
                dividend_yield: &column(held),
                vol: &column(5),
                right: &vec![right; table.len()],
            };
            let (mut standard, mut precise) = (vec![0.0; table.len()], vec![0.0; table.len()]);
            price(&o, Mode::Standard, &mut standard).unwrap();
            price(&o, Mode::Precise, &mut precise).unwrap();
            for (i, row) in table.iter().enumerate() {
                let exercised = f64::from(right) * (row[0] - row[1]);
                assert!(
                    standard[i] >= exercised && standard[i] >= 0.0,
                    "{right} {row:?}: {}",
                    standard[i]
                );
                let scale = precise[i].max(1e-2);
                assert!(
                    (standard[i] - precise[i]).abs() < 2e-3 * scale,
                    "{right} {row:?}: {} {}",
                    standard[i],
                    precise[i]
                );
            }
        }
    }
}
