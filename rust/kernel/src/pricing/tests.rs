#![allow(clippy::needless_range_loop)] // as in the kernels
use super::reference_prices::PRICES;
use super::*;
use crate::simd::{Kernel, Level, run_at};
use proptest::prelude::*;

const SPOT: f64 = 100.0;

/// The reference table as columns.
struct Table {
    spot: Vec<f64>,
    strike: Vec<f64>,
    years: Vec<f64>,
    rate: Vec<f64>,
    dividend_yield: Vec<f64>,
    vol: Vec<f64>,
    right: Vec<i8>,
    price: Vec<f64>,
}

impl Table {
    fn new() -> Self {
        Self {
            spot: vec![SPOT; PRICES.len()],
            strike: PRICES.iter().map(|r| r.0).collect(),
            years: PRICES.iter().map(|r| r.1).collect(),
            rate: PRICES.iter().map(|r| r.2).collect(),
            dividend_yield: PRICES.iter().map(|r| r.3).collect(),
            vol: PRICES.iter().map(|r| r.4).collect(),
            right: PRICES.iter().map(|r| r.5).collect(),
            price: PRICES.iter().map(|r| r.6).collect(),
        }
    }

    fn columns(&self) -> OptionColumns<'_> {
        OptionColumns {
            spot: &self.spot,
            strike: &self.strike,
            years: &self.years,
            rate: &self.rate,
            dividend_yield: &self.dividend_yield,
            vol: &self.vol,
            right: &self.right,
        }
    }
}

#[test]
fn prices_agree_with_fifty_digits() {
    let table = Table::new();
    let mut out = vec![0.0; PRICES.len()];
    black::price(&table.columns(), &mut out);
    for (i, (&got, &want)) in out.iter().zip(&table.price).enumerate() {
        let error = (got - want).abs();
        assert!(
            error <= 5e-15 * SPOT.max(table.strike[i]),
            "row {i}: {got} for {want}"
        );
        assert!(
            want <= 1e-12 * SPOT || error <= 1e-9 * want,
            "row {i}: {got} for {want}"
        );
        assert!(got >= 0.0, "row {i}: {got}");
    }
}

#[test]
fn grid_without_moves_has_the_bits_of_price() {
    let table = Table::new();
    let n = PRICES.len();
    let mut plain = vec![0.0; n];
    black::price(&table.columns(), &mut plain);
    // 19 scenarios: more than one block of columns; the rows are no multiple of the block of rows.
    let still = [0.0; 19];
    let mut grid = vec![f64::NAN; n * 19];
    black::price_grid(
        &table.columns(),
        Moves::Shared(&still),
        Moves::Shared(&still),
        0.0,
        19,
        &mut grid,
    );
    let rows = vec![0.0; n * 19];
    let mut per_row = vec![f64::NAN; n * 19];
    black::price_grid(
        &table.columns(),
        Moves::PerRow(&rows),
        Moves::PerRow(&rows),
        0.0,
        19,
        &mut per_row,
    );
    for (i, price) in plain.iter().enumerate() {
        assert!(
            grid[i * 19..][..19]
                .iter()
                .all(|p| p.to_bits() == price.to_bits()),
            "row {i}"
        );
        assert!(
            per_row[i * 19..][..19]
                .iter()
                .all(|p| p.to_bits() == price.to_bits()),
            "row {i}"
        );
    }
}

#[test]
fn levels_agree_bit_for_bit() {
    let table = Table::new();
    let n = PRICES.len();
    let moves: Vec<f64> = (0..n * 5)
        .map(|i| 0.03 * ((i * 37 % 11) as f64 - 5.0))
        .collect();
    let vols: Vec<f64> = (0..n * 5)
        .map(|i| 0.01 * ((i * 17 % 13) as f64 - 6.0))
        .collect();
    let at = |level| {
        let mut shared = vec![0.0; n * 5];
        let (few, fewer) = (Moves::Shared(&moves[..5]), Moves::Shared(&vols[..5]));
        black::price_grid_at(
            level,
            &table.columns(),
            few,
            fewer,
            1.0 / 365.0,
            5,
            &mut shared,
        );
        let mut own = vec![0.0; n * 5];
        black::price_grid_at(
            level,
            &table.columns(),
            Moves::PerRow(&moves),
            Moves::PerRow(&vols),
            0.0,
            5,
            &mut own,
        );
        shared
            .iter()
            .chain(&own)
            .map(|x| x.to_bits())
            .collect::<Vec<_>>()
    };
    let lowest = at(Level::Baseline);
    assert_eq!(lowest, at(Level::Avx2));
    assert_eq!(lowest, at(Level::Avx512));
}

struct Elementary<'a>(&'a [f64], &'a mut [[f64; 6]]);

impl Kernel for Elementary<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Elementary(x, out) = self;
        let n = out.len();
        for i in 0..n {
            let x = x[i];
            let (p, q) = math::mills(x.abs());
            let (gp, gq) = math::mills_grid(x.abs());
            out[i] = [
                math::exp(x),
                math::ln(x.abs()),
                math::normal_cdf(x),
                p / q,
                gp / gq,
                math::mills_slope(x.abs()),
            ];
        }
    }
}

#[test]
fn elementary_functions_agree_across_levels_and_with_the_standard_library() {
    let x: Vec<f64> = (1..2000)
        .map(|i| (f64::from(i) - 1000.0) * 0.03701)
        .filter(|&x| x != 0.0)
        .collect();
    let at = |level| {
        let mut out = vec![[0.0; 6]; x.len()];
        run_at(level, Elementary(&x, &mut out));
        out
    };
    let values = at(Level::Baseline);
    for level in [Level::Avx2, Level::Avx512] {
        assert!(
            values
                .iter()
                .flatten()
                .zip(at(level).iter().flatten())
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
    }
    for (x, v) in x.iter().zip(&values) {
        assert!((v[0] / x.exp() - 1.0).abs() < 5e-16, "exp({x})");
        assert!(
            (v[1] - x.abs().ln()).abs() < 4.5e-16 * x.abs().ln().abs().max(1.0),
            "ln({x})"
        );
        // Two evaluations of the upper tail, fitted apart, and the derivative's identity m' = x m - 1/sqrt(2 pi).
        assert!(
            (v[4] / v[3] - 1.0).abs() * (-0.5 * x * x).exp().max(1e-7) < 6e-16,
            "mills({x})"
        );
        let slope = math::INV_SQRT_2PI - x.abs() * v[3];
        assert!((v[5] - slope).abs() < 3e-16, "slope({x})");
    }
    // Abramowitz and Stegun, tables 26.1 and 26.2.
    assert!((math::normal_cdf(1.0) - 0.841_344_746_068_542_9).abs() < 2e-16);
    assert!((math::normal_cdf(-5.0) / 2.866_515_718_791_939e-7 - 1.0).abs() < 2e-15);
    assert_eq!(math::exp2(0.0), 1.0);
    assert_eq!(math::ln(1.0), 0.0);
    assert!(math::exp(-1e9) > 0.0 && math::exp(1e9) < f64::INFINITY);
}

#[test]
fn no_time_or_no_vol_is_intrinsic_on_the_forward() {
    for (years, vol) in [(0.0, 0.2), (-1.0, 0.2), (0.5, 0.0), (0.5, -0.1), (0.0, 0.0)] {
        for strike in [50.0, 99.999, 100.0, 101.0, 400.0] {
            for right in [1, -1] {
                let t = f64::max(years, 0.0);
                let (forward, paid) = (SPOT * (-0.01 * t).exp(), strike * (-0.03 * t).exp());
                let intrinsic = (f64::from(right) * (forward - paid)).max(0.0);
                let got = black::price_one(SPOT, strike, years, 0.03, 0.01, vol, right);
                assert!(
                    (got - intrinsic).abs() <= 1e-15 * strike,
                    "{got} for {intrinsic}"
                );
                assert!(intrinsic > 0.0 || got == 0.0, "{got} where nothing is left");
                let greeks = greeks::black_one(SPOT, strike, years, 0.03, 0.01, vol, right);
                assert_eq!(greeks.price.to_bits(), got.to_bits());
                assert_eq!(
                    (greeks.gamma, greeks.vega, greeks.vanna.abs(), greeks.volga),
                    (0.0, 0.0, 0.0, 0.0)
                );
                let step = if intrinsic > 0.0 {
                    f64::from(right) * (-0.01 * t).exp()
                } else {
                    0.0
                };
                assert!(
                    (greeks.delta - step).abs() < 1e-12 || strike == 100.0,
                    "{greeks:?}"
                );
            }
        }
    }
}

#[test]
fn a_spot_move_to_nothing_leaves_the_put_its_strike() {
    let o = OptionColumns {
        spot: &[SPOT, SPOT],
        strike: &[90.0, 90.0],
        years: &[1.0, 1.0],
        rate: &[0.0, 0.0],
        dividend_yield: &[0.0, 0.0],
        vol: &[0.5, 0.5],
        right: &[1, -1],
    };
    let mut out = [f64::NAN; 4];
    black::price_grid(
        &o,
        Moves::Shared(&[-1.0, -1.5]),
        Moves::Shared(&[0.0, 0.0]),
        0.0,
        2,
        &mut out,
    );
    assert!(out[0] < 1e-250 && out[1] < 1e-250);
    assert_eq!(out[2..], [90.0, 90.0]);
}

#[test]
fn black_on_a_forward_is_black_scholes_with_its_carry() {
    let discount = (-0.04_f64 * 0.75).exp();
    let forward = SPOT * (0.03_f64 * 0.75).exp();
    for right in [1, -1] {
        let a = black::forward_price_one(forward, 110.0, 0.75, 0.3, right, discount);
        let b = black::price_one(SPOT, 110.0, 0.75, 0.04, 0.01, 0.3, right);
        assert!((a - b).abs() < 1e-14 * SPOT);
    }
}

#[test]
fn bachelier_agrees_with_the_textbook() {
    // At the money: deviation / sqrt(2 pi). In the wings: 50-digit values.
    let atm = bachelier::price_one(100.0, 100.0, 1.0, 20.0, -1, 0.5);
    assert!((atm - 0.5 * 20.0 * math::INV_SQRT_2PI).abs() < 1e-15);
    let call = bachelier::price_one(-3.0, 5.0, 0.25, 4.0, 1, 0.99);
    assert!(
        (call / 1.414761169616322e-5 - 1.0).abs() < 1e-13,
        "{call:e}"
    );
    let put = bachelier::price_one(-3.0, 5.0, 0.25, 4.0, -1, 0.99);
    assert!((put - call - 0.99 * 8.0).abs() < 1e-14);
    assert_eq!(bachelier::price_one(7.0, 5.0, 0.0, 4.0, 1, 1.0), 2.0);
    assert_eq!(bachelier::price_one(7.0, 5.0, 1.0, 0.0, -1, 1.0), 0.0);
    assert!(bachelier::price_one(0.0, 1e6, 1.0, 1.0, 1, 1.0) >= 0.0);
}

#[test]
fn implied_vol_names_what_has_none() {
    let one = |price, years, right| implied::black_one(price, SPOT, 90.0, years, 0.02, 0.0, right);
    assert_eq!(one(10.0, 0.5, 1), Err(implied::Status::BelowIntrinsic));
    assert_eq!(one(100.0, 0.5, 1), Err(implied::Status::AboveMaximum));
    assert_eq!(one(90.0, 0.5, -1), Err(implied::Status::AboveMaximum));
    assert_eq!(one(12.0, 0.0, 1), Err(implied::Status::Invalid));
    assert_eq!(one(f64::NAN, 0.5, 1), Err(implied::Status::Invalid));
    assert_eq!(one(0.0, 0.5, -1), Err(implied::Status::BelowIntrinsic));
}

/// Options as markets have them: wings to 12 deviations, minutes to decades.
fn options() -> impl Strategy<Value = (f64, f64, f64, f64, f64, i8)> {
    (
        -4.0..4.0_f64,
        -12.0..3.4_f64,
        -0.02..0.1_f64,
        0.0..0.05_f64,
        -4.0..1.0_f64,
        prop::bool::ANY,
    )
        .prop_map(|(x, log_years, rate, carry, log_vol, call)| {
            (
                SPOT * x.exp(),
                log_years.exp(),
                rate,
                carry,
                log_vol.exp(),
                if call { 1 } else { -1 },
            )
        })
}

proptest! {
    #[test]
    fn bounds_and_parity((strike, years, rate, carry, vol, right) in options()) {
        let p = |right| black::price_one(SPOT, strike, years, rate, carry, vol, right);
        let (forward, paid) = (SPOT * (-carry * years).exp(), strike * (-rate * years).exp());
        let scale = forward.max(paid);
        let price = p(right);
        let (most, least) = if right > 0 { (forward, forward - paid) } else { (paid, paid - forward) };
        prop_assert!(price >= 0.0 && price <= most * (1.0 + 4e-16));
        prop_assert!(price >= least - 1e-15 * scale);
        prop_assert!((p(1) - p(-1) - (forward - paid)).abs() <= 2e-15 * scale);
    }

    #[test]
    fn monotone_in_spot_strike_and_vol((strike, years, rate, carry, vol, right) in options(), up in 1.0001..1.5_f64) {
        let scale = SPOT.max(strike) * (1.0 + (0.02 * years).exp());
        let slack = 2e-15 * scale;
        let p = |spot, strike, vol| black::price_one(spot, strike, years, rate, carry, vol, right);
        let base = p(SPOT, strike, vol);
        prop_assert!(p(SPOT, strike, vol * up) >= base - slack);
        prop_assert!(f64::from(right) * (p(SPOT * up, strike, vol) - base) >= -slack);
        prop_assert!(f64::from(right) * (base - p(SPOT, strike * up, vol)) >= -slack);
    }

    #[test]
    fn implied_vol_inverts_the_price((z, years, rate, carry, vol) in
        (-6.0..6.0_f64, 1e-5..10.0_f64, -0.02..0.1_f64, 0.0..0.05_f64, 0.03..1.2_f64)) {
        let strike = SPOT * (z * vol * years.sqrt()).exp();
        let (forward, paid) = (SPOT * (-carry * years).exp(), strike * (-rate * years).exp());
        let right = if forward < paid { 1 } else { -1 };
        let price = black::price_one(SPOT, strike, years, rate, carry, vol, right);
        let got = implied::black_one(price, SPOT, strike, years, rate, carry, right).unwrap();
        // What the errors of the price and of the moneyness move the vol by.
        let g = greeks::black_one(SPOT, strike, years, rate, carry, vol, right);
        let price_error = (1e-9 * price).min(5e-16 * SPOT.max(strike));
        let noise = (1e-15 * SPOT * g.delta.abs() + price_error) / g.vega;
        prop_assert!((got - vol).abs() <= 1e-12 * vol + noise, "{got} for {vol}");
    }

    #[test]
    fn greeks_are_the_price_s_differences((z, years, rate, carry, vol, call) in (-4.0..4.0_f64, 0.01..5.0_f64, -0.02..0.1_f64, 0.0..0.05_f64, 0.05..2.0_f64, prop::bool::ANY)) {
        let (strike, right) = (SPOT * (z * vol * years.sqrt()).exp(), if call { 1 } else { -1 });
        let p = |spot: f64, rate: f64, vol: f64, years: f64| black::price_one(spot, strike, years, rate, carry, vol, right);
        let g = greeks::black_one(SPOT, strike, years, rate, carry, vol, right);
        let deviation = vol * years.sqrt();
        let close = |got: f64, want: f64, scale: f64| (got - want).abs() <= 2e-4 * scale;
        let hs = 1e-3 * SPOT * deviation.min(1.0);
        let up = greeks::black_one(SPOT + hs, strike, years, rate, carry, vol, right);
        let down = greeks::black_one(SPOT - hs, strike, years, rate, carry, vol, right);
        prop_assert!(close(g.delta, (up.price - down.price) / (2.0 * hs), 1.0));
        prop_assert!(close(g.gamma, (up.delta - down.delta) / (2.0 * hs), 1.0 / (SPOT * deviation.min(1.0))));
        let hv = 1e-3 * vol;
        let more = greeks::black_one(SPOT, strike, years, rate, carry, vol + hv, right);
        let less = greeks::black_one(SPOT, strike, years, rate, carry, vol - hv, right);
        prop_assert!(close(g.vega, (more.price - less.price) / (2.0 * hv), SPOT * years.sqrt()));
        prop_assert!(close(g.vanna, (more.delta - less.delta) / (2.0 * hv), 1.0 / vol));
        prop_assert!(close(g.volga, (more.vega - less.vega) / (2.0 * hv), SPOT * years.sqrt() / vol));
        let ht = 1e-4 * years;
        let theta = (p(SPOT, rate, vol, years - ht) - p(SPOT, rate, vol, years + ht)) / (2.0 * ht);
        prop_assert!(close(g.theta, theta, SPOT * (1.0 + vol / years.sqrt())));
        let rho = (p(SPOT, rate + 1e-5, vol, years) - p(SPOT, rate - 1e-5, vol, years)) / 2e-5;
        prop_assert!(close(g.rho, rho, strike * years * (1.0 + years)));
    }
}
