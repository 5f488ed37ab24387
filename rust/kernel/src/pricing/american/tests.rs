use super::rows::{Route, Row};
use super::*;
use crate::pricing::black;
use crate::pricing::greeks::GreekColumns;
use crate::pricing::implied::{PriceColumns, Status};
use crate::pricing::tree::{self, DividendTreatment, Scheme, TreeInputs};

const MODES: [Mode; 3] = [Mode::Fast, Mode::Standard, Mode::Precise];

/// Spot, strike, days, rate, yield, vol, right, and the price by QuantLib 1.44, `QdFpAmericanEngine`, high precision
/// scheme, actual/365.
#[allow(clippy::type_complexity)]
const QUANTLIB: [(f64, f64, f64, f64, f64, f64, i8, f64); 12] = [
    (100.0, 100.0, 365.0, 0.05, 0.0, 0.2, -1, 6.090370606535343),
    (100.0, 100.0, 365.0, 0.05, 0.02, 0.2, -1, 6.660686230722923),
    (100.0, 100.0, 365.0, 0.02, 0.06, 0.25, 1, 8.21339697534478),
    (80.0, 100.0, 73.0, 0.04, 0.0, 0.35, -1, 20.139325958859725),
    (120.0, 100.0, 730.0, 0.03, 0.05, 0.4, 1, 32.07019888863482),
    (
        100.0,
        90.0,
        7.0,
        0.05,
        0.0,
        0.15,
        -1,
        5.5592620680884965e-08,
    ),
    (100.0, 105.0, 30.0, 0.01, 0.08, 0.6, 1, 4.587868609545424),
    (95.0, 100.0, 182.0, 0.08, 0.03, 0.1, -1, 5.082634016099161),
    (100.0, 130.0, 365.0, 0.05, 0.05, 0.3, 1, 3.4203770687961117),
    (60.0, 100.0, 1825.0, 0.03, 0.0, 0.45, -1, 47.441562997402905),
    (100.0, 100.0, 1.0, 0.05, 0.01, 0.3, -1, 0.6214090127195733),
    (150.0, 100.0, 365.0, 0.06, 0.02, 0.8, -1, 16.591807138542304),
];

/// Columns that own their values.
#[derive(Default, Clone)]
struct Table {
    spot: Vec<f64>,
    strike: Vec<f64>,
    years: Vec<f64>,
    rate: Vec<f64>,
    dividend_yield: Vec<f64>,
    vol: Vec<f64>,
    right: Vec<i8>,
}

impl Table {
    fn push(&mut self, spot: f64, strike: f64, years: f64, rate: f64, q: f64, vol: f64, right: i8) {
        self.spot.push(spot);
        self.strike.push(strike);
        self.years.push(years);
        self.rate.push(rate);
        self.dividend_yield.push(q);
        self.vol.push(vol);
        self.right.push(right);
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

    fn len(&self) -> usize {
        self.spot.len()
    }

    fn prices(&self, mode: Mode) -> Vec<f64> {
        let mut out = vec![0.0; self.len()];
        price(&self.columns(), mode, &mut out).unwrap();
        out
    }
}

/// A spread of options over all three methods, from a fixed linear congruential generator.
fn spread(count: usize) -> Table {
    let mut state = 12345_u64;
    let mut uniform = |low: f64, high: f64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * ((state >> 11) as f64 / (1_u64 << 53) as f64)
    };
    let mut table = Table::default();
    for i in 0..count {
        let strike = 100.0;
        let spot = strike * uniform(-0.5, 0.5).exp();
        let years = uniform(-6.5, 1.2).exp();
        let rate = if i % 7 == 0 {
            0.0
        } else {
            uniform(-0.01, 0.09)
        };
        let q = if i % 3 == 0 {
            0.0
        } else {
            uniform(-0.01, 0.07)
        };
        let vol = uniform(-4.0, 0.3).exp();
        table.push(
            spot,
            strike,
            years,
            rate,
            q,
            vol,
            if i % 2 == 0 { 1 } else { -1 },
        );
    }
    table
}

#[test]
fn agrees_with_quantlib() {
    let mut table = Table::default();
    for (spot, strike, days, rate, q, vol, right, _) in QUANTLIB {
        table.push(spot, strike, days / 365.0, rate, q, vol, right);
    }
    for (mode, tolerance) in [
        (Mode::Fast, 1.5e-3),
        (Mode::Standard, 1e-4),
        (Mode::Precise, 1e-5),
    ] {
        for (ours, row) in table.prices(mode).iter().zip(QUANTLIB) {
            // Relative, where the price exceeds 0.01 % of the strike.
            let scale = row.7.max(1e-4 * row.1);
            assert!(
                (ours - row.7).abs() < tolerance * scale,
                "{mode:?} {row:?}: {ours}"
            );
        }
    }
}

#[test]
fn agrees_with_the_tree_by_any_method() {
    let table = spread(300);
    let values = table.prices(Mode::Standard);
    for i in 0..table.len() {
        let row = Row::new(&table.columns(), i);
        let inputs = TreeInputs {
            spot: row.spot,
            strike: row.strike,
            years: row.years,
            rate: row.rate,
            dividend_yield: row.dividend_yield,
            vol: row.vol,
            right: row.right,
            dividends: &[],
        };
        let tree = tree::price(
            &inputs,
            true,
            Scheme::LeisenReimer,
            401,
            DividendTreatment::Escrowed,
        )
        .unwrap();
        assert!(
            (values[i] - tree).abs() < 2e-4 * row.spot.max(row.strike),
            "{row:?} {} {tree}",
            values[i]
        );
    }
}

#[test]
fn between_its_bounds() {
    let table = spread(2000);
    let mut european = vec![0.0; table.len()];
    black::price(&table.columns(), &mut european);
    for mode in MODES {
        let values = table.prices(mode);
        for i in 0..table.len() {
            let row = Row::new(&table.columns(), i);
            let value = values[i];
            let exercised = f64::from(row.right) * (row.spot - row.strike);
            // A tree is above the European tree, which is not quite Black's price.
            let room = if row.route(mode) == Route::Tree {
                2e-5
            } else {
                1e-13
            } * row.strike;
            assert!(
                value.is_finite() && value >= 0.0 && value >= exercised,
                "{row:?} {value}"
            );
            assert!(
                value >= european[i] - room,
                "{row:?} {value} {}",
                european[i]
            );
            let (paid, most) = if row.right > 0 {
                (row.dividend_yield, row.spot)
            } else {
                (row.rate, row.strike)
            };
            assert!(
                value <= most * (-paid * row.years).exp().max(1.0) + 1e-12,
                "{row:?} {value}"
            );
        }
    }
}

#[test]
fn standard_is_within_a_ten_thousandth_of_precise() {
    let mut table = Table::default();
    // Low-discrepancy options: a week to two years, vols of 10-80 %, rates of 0.1-8 %, half the puts without a yield.
    for i in 1..=3000 {
        let u = |root: f64| (f64::from(i) * root).fract();
        let years = (7.0 / 365.0) * (730.0_f64 / 7.0).powf(u(0.414_213_562_373));
        let (rate, vol) = (
            0.001 + 0.079 * u(0.732_050_807_569),
            0.1 + 0.7 * u(0.236_067_977_5),
        );
        let spot = 100.0 * (0.6 * u(0.645_751_311_065) - 0.3).exp();
        let q = if i % 2 == 0 {
            0.06 * u(0.316_624_790_355)
        } else {
            0.0
        };
        table.push(
            spot,
            100.0,
            years,
            rate,
            q,
            vol,
            if i % 4 == 0 { 1 } else { -1 },
        );
    }
    let (standard, precise) = (table.prices(Mode::Standard), table.prices(Mode::Precise));
    for (i, (got, want)) in standard.iter().zip(&precise).enumerate() {
        assert!(
            *want <= 0.01 || (got / want - 1.0).abs() <= 1e-4,
            "row {i}: {got} for {want}"
        );
    }
}

/// With hardly any interest an American put is a European one and at most the interest on its strike.
#[test]
fn hardly_any_interest_is_worth_hardly_anything() {
    let mut table = Table::default();
    for i in 0..2000 {
        let u = |root: f64| (f64::from(i) * root).fract();
        let rate = 10_f64.powf(-14.0 + 11.0 * u(0.618_033_988_75));
        let spot = 100.0 * (0.6 * u(0.645_751_311_065) - 0.3).exp();
        let years = 0.01 + 2.0 * u(0.414_213_562_373);
        table.push(
            spot,
            100.0,
            years,
            rate,
            0.0,
            0.1 + 0.7 * u(0.236_067_977_5),
            -1,
        );
    }
    let mut european = vec![0.0; table.len()];
    black::price(&table.columns(), &mut european);
    for mode in MODES {
        for (i, price) in table.prices(mode).into_iter().enumerate() {
            let interest = 100.0 * (table.rate[i] * table.years[i]);
            let least = european[i].max(100.0 - table.spot[i]);
            assert!(
                price >= least - 1e-12 && price <= european[i] + interest + 1e-12,
                "{mode:?}, row {i}: {price}, European {}, interest {interest}",
                european[i]
            );
        }
    }
}

#[test]
fn calls_are_puts_with_the_roles_exchanged() {
    let table = spread(500);
    let mut mirror = Table::default();
    for i in 0..table.len() {
        let row = Row::new(&table.columns(), i);
        mirror.push(
            row.strike,
            row.spot,
            row.years,
            row.dividend_yield,
            row.rate,
            row.vol,
            -row.right,
        );
    }
    let (values, mirrored) = (table.prices(Mode::Standard), mirror.prices(Mode::Standard));
    for i in 0..table.len() {
        let row = Row::new(&table.columns(), i);
        if row.route(Mode::Standard) == Route::Collocation {
            assert!(
                (values[i] - mirrored[i]).abs() < 1e-12 * (row.spot + row.strike),
                "{row:?}"
            );
        }
    }
}

#[test]
fn monotone_in_spot_strike_vol_and_time() {
    let steps = 60;
    let values = |of: &dyn Fn(f64, &mut Table)| -> Vec<f64> {
        let mut table = Table::default();
        for i in 0..steps {
            of(f64::from(i) / f64::from(steps), &mut table);
        }
        table.prices(Mode::Standard)
    };
    for right in [1, -1] {
        for (rate, q) in [(0.05, 0.0), (0.03, 0.06), (0.04, 0.04)] {
            let sign = f64::from(right);
            let spot = values(&|x, t| t.push(60.0 + 90.0 * x, 100.0, 0.7, rate, q, 0.3, right));
            let strike = values(&|x, t| t.push(100.0, 60.0 + 90.0 * x, 0.7, rate, q, 0.3, right));
            let vol = values(&|x, t| t.push(100.0, 105.0, 0.7, rate, q, 0.08 + x, right));
            let time = values(&|x, t| t.push(100.0, 105.0, 0.01 + 3.0 * x, rate, q, 0.3, right));
            for i in 1..steps as usize {
                assert!(
                    sign * (spot[i] - spot[i - 1]) >= -1e-9,
                    "spot {right} {rate} {q} {i}"
                );
                assert!(
                    sign * (strike[i] - strike[i - 1]) <= 1e-9,
                    "strike {right} {rate} {q} {i}"
                );
                assert!(vol[i] - vol[i - 1] >= -1e-9, "vol {right} {rate} {q} {i}");
                assert!(
                    time[i] - time[i - 1] >= -1e-9,
                    "time {right} {rate} {q} {i}"
                );
            }
        }
    }
}

#[test]
fn limits_of_time_vol_and_moneyness() {
    let mut table = Table::default();
    for right in [1, -1] {
        for (rate, q) in [
            (0.05, 0.0),
            (0.05, 0.02),
            (0.0, 0.05),
            (0.02, 0.02),
            (-0.01, 0.02),
            (-0.01, -0.03),
        ] {
            for strike in [1e-3, 50.0, 100.0, 200.0, 1e6] {
                for (years, vol) in [
                    (0.0, 0.3),
                    (1e-9, 0.3),
                    (1e-4, 0.3),
                    (1.0, 0.0),
                    (1.0, 1e-9),
                    (1.0, 1e-4),
                    (0.1, 9.0),
                ] {
                    table.push(100.0, strike, years, rate, q, vol, right);
                }
            }
        }
    }
    for mode in [Mode::Fast, Mode::Standard] {
        for (i, value) in table.prices(mode).into_iter().enumerate() {
            let row = Row::new(&table.columns(), i);
            let exercised = (f64::from(row.right) * (row.spot - row.strike)).max(0.0);
            assert!(value.is_finite() && value >= exercised, "{row:?} {value}");
            if row.years <= 1e-9 {
                assert!(value - exercised < 1e-3, "{row:?} {value}");
            }
        }
    }
}

#[test]
fn levels_agree_bit_for_bit() {
    let table = spread(200);
    let moves = [-0.15, 0.0, 0.06];
    let vols = [0.0, 0.0, 0.02];
    for sharing in [Sharing::PerOption, Sharing::PerExpiry] {
        let at = |level| {
            let mut out = vec![0.0; table.len() * 3];
            let (moves, vols) = (Moves::Shared(&moves), Moves::Shared(&vols));
            price_grid_at(
                level,
                &table.columns(),
                Mode::Fast,
                sharing,
                moves,
                vols,
                0.0,
                3,
                &mut out,
            )
            .unwrap();
            out.into_iter().map(f64::to_bits).collect::<Vec<_>>()
        };
        let baseline = at(Level::Baseline);
        assert_eq!(baseline, at(Level::Avx2));
        assert_eq!(baseline, at(Level::Avx512));
    }
}

#[test]
fn a_grid_has_the_bits_of_prices_and_the_order_of_rows_does_not_matter() {
    let table = spread(150);
    let n = table.len();
    let moves: Vec<f64> = (0..n * 4).map(|i| -0.2 + 0.05 * (i % 9) as f64).collect();
    let vols: Vec<f64> = (0..n * 4)
        .map(|i| if i % 4 < 2 { 0.0 } else { 0.03 })
        .collect();
    let mut grid = vec![0.0; n * 4];
    let roll = 1e-3;
    let (m, v) = (Moves::PerRow(&moves), Moves::PerRow(&vols));
    price_grid(
        &table.columns(),
        Mode::Standard,
        Sharing::PerOption,
        m,
        v,
        roll,
        4,
        &mut grid,
    )
    .unwrap();
    let mut moved = Table::default();
    for cell in (0..n * 4).rev() {
        let row = Row::new(&table.columns(), cell / 4);
        let spot = row.spot * (1.0 + moves[cell]);
        moved.push(
            spot,
            row.strike,
            row.years - roll,
            row.rate,
            row.dividend_yield,
            row.vol + vols[cell],
            row.right,
        );
    }
    let values = moved.prices(Mode::Standard);
    for cell in 0..n * 4 {
        let (a, b) = (grid[cell], values[n * 4 - 1 - cell]);
        let row = Row::new(&table.columns(), cell / 4);
        // The European kernel adds the logarithms of spot and move.
        assert!(
            a.to_bits() == b.to_bits() || (a - b).abs() < 1e-12 * (row.spot + row.strike),
            "{row:?} {a} {b}"
        );
    }
}

#[test]
fn a_shared_boundary_is_as_good_as_its_own() {
    let mut table = Table::default();
    for i in 0..200 {
        let strike = 60.0 + 0.4 * f64::from(i);
        for right in [1, -1] {
            table.push(
                100.0,
                strike,
                0.5,
                0.045,
                0.015,
                0.08 + 0.004 * f64::from(i),
                right,
            );
        }
    }
    let moves: Vec<f64> = (-5..=5).map(|i| 0.03 * f64::from(i)).collect();
    let at = |sharing| {
        let mut out = vec![0.0; table.len() * 11];
        let still = [0.0; 11];
        let (m, v) = (Moves::Shared(&moves), Moves::Shared(&still));
        price_grid(
            &table.columns(),
            Mode::Standard,
            sharing,
            m,
            v,
            0.0,
            11,
            &mut out,
        )
        .unwrap();
        out
    };
    for (a, b) in at(Sharing::PerOption).iter().zip(at(Sharing::PerExpiry)) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

#[test]
fn greeks_agree_with_the_price_and_the_equation() {
    let table = spread(200);
    let n = table.len();
    let mut c: [Vec<f64>; 8] = std::array::from_fn(|_| vec![0.0; n]);
    let [price, delta, gamma, vega, theta, rho, vanna, volga] = &mut c;
    let out = GreekColumns {
        price,
        delta,
        gamma,
        vega,
        theta,
        rho,
        vanna,
        volga,
    };
    greeks(&table.columns(), Mode::Precise, out).unwrap();
    assert!(c.iter().flatten().all(|x| x.is_finite()));
    let later = 1e-4;
    for i in 0..n {
        let row = Row::new(&table.columns(), i);
        if row.route(Mode::Precise) != Route::Collocation || row.years < 0.05 || row.vol < 0.1 {
            continue;
        }
        let at = |years: f64| {
            price_one(
                row.spot,
                row.strike,
                years,
                row.rate,
                row.dividend_yield,
                row.vol,
                row.right,
                Mode::Precise,
            )
            .unwrap()
        };
        let decay = (at(row.years * (1.0 - later)) - at(row.years * (1.0 + later)))
            / (2.0 * later * row.years);
        assert!(
            (decay - c[4][i]).abs() < 2e-2 + 2e-2 * decay.abs(),
            "{row:?} theta {} {decay}",
            c[4][i]
        );
        let sign = f64::from(row.right);
        assert!(
            sign * c[1][i] >= -1e-9 && sign * c[1][i] <= 1.0 + 1e-6,
            "{row:?} delta {}",
            c[1][i]
        );
        assert!(
            c[2][i] >= -1e-6 && c[3][i] >= -1e-6,
            "{row:?} gamma {} vega {}",
            c[2][i],
            c[3][i]
        );
    }
}

#[test]
fn implied_vol_inverts_the_price() {
    let table = spread(400);
    let n = table.len();
    let o = table.columns();
    let values = table.prices(Mode::Standard);
    let (mut vol, mut status) = (vec![0.0; n], vec![Status::Ok; n]);
    let quotes = PriceColumns {
        price: &values,
        spot: o.spot,
        strike: o.strike,
        years: o.years,
        rate: o.rate,
        dividend_yield: o.dividend_yield,
        right: o.right,
    };
    implied_vol(
        &quotes,
        Mode::Standard,
        Sharing::PerOption,
        &mut vol,
        &mut status,
    )
    .unwrap();
    let mut found = 0;
    for i in 0..n {
        let row = Row::new(&o, i);
        if status[i] == Status::Ok {
            found += 1;
            let again = price_one(
                row.spot,
                row.strike,
                row.years,
                row.rate,
                row.dividend_yield,
                vol[i],
                row.right,
                Mode::Standard,
            )
            .unwrap();
            assert!(
                (again - values[i]).abs() < 2e-5 * row.strike,
                "{row:?} {again} {}",
                values[i]
            );
        } else {
            let Row {
                spot,
                strike,
                years,
                rate,
                dividend_yield,
                right,
                ..
            } = row;
            let least = implied::without_vol(spot, strike, years, rate, dividend_yield, right);
            assert!(values[i] - least < 1e-12 * spot, "{row:?} {:?}", status[i]);
        }
    }
    assert!(found > n / 2, "{found} of {n}");
}

#[test]
fn a_row_of_high_rates_is_not_below_its_european_price() {
    // Carry is 1.26 vols and the rate as good as nothing: the put is never exercised early.
    let (spot, years, rate, dividend_yield, vol) = (
        108.52314478948277,
        2.3250072559660517,
        2.154e-10,
        0.041891,
        0.050556,
    );
    let american = price_one(
        spot,
        100.0,
        years,
        rate,
        dividend_yield,
        vol,
        -1,
        Mode::Standard,
    )
    .unwrap();
    let european =
        crate::pricing::black::price_one(spot, 100.0, years, rate, dividend_yield, vol, -1);
    assert!(
        american >= european * (1.0 - 1e-13),
        "{american} {european}"
    );
    assert!(american - european < 1e-6);
}

#[test]
fn refuses_what_no_option_has() {
    let mut good = Table::default();
    good.push(100.0, 100.0, 1.0, 0.05, 0.0, 0.2, 1);
    let mut out = [0.0];
    price(&good.columns(), Mode::Standard, &mut out).unwrap();
    let spoil: [fn(&mut Table); 6] = [
        |t| t.spot[0] = f64::NAN,
        |t| t.strike[0] = 0.0,
        |t| t.vol[0] = -0.1,
        |t| t.years[0] = f64::INFINITY,
        |t| t.rate[0] = 1e4,
        |t| t.right[0] = 0,
    ];
    for f in spoil {
        let mut bad = good.clone();
        f(&mut bad);
        assert!(price(&bad.columns(), Mode::Standard, &mut out).is_err());
    }
    let m = Moves::Shared(&[0.0]);
    let sharing = Sharing::PerOption;
    assert!(
        price_grid(
            &good.columns(),
            Mode::Fast,
            sharing,
            m,
            m,
            0.0,
            2,
            &mut [0.0; 2]
        )
        .is_err()
    );
}
