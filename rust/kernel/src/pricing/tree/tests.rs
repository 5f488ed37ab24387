use super::*;

const ESCROWED: DividendTreatment = DividendTreatment::Escrowed;
const SPOT_DROP: DividendTreatment = DividendTreatment::SpotDrop;

fn option(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    q: f64,
    vol: f64,
    right: i8,
) -> TreeInputs<'static> {
    TreeInputs {
        spot,
        strike,
        years,
        rate,
        dividend_yield: q,
        vol,
        right,
        dividends: &[],
    }
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!(
        (a - b).abs() <= tolerance,
        "{a} is not within {tolerance} of {b}"
    );
}

/// The textbook induction, node by node, with escrowed dividends.
fn textbook(o: &TreeInputs<'_>, american: bool, n: usize) -> f64 {
    let dt = o.years / n as f64;
    let up = (o.vol * dt.sqrt()).exp();
    let p = (((o.rate - o.dividend_yield) * dt).exp() - 1.0 / up) / (up - 1.0 / up);
    let escrow = |t: f64| -> f64 {
        if t >= o.years * (1.0 - 1e-12) {
            return 0.0;
        }
        o.dividends
            .iter()
            .filter(|d| d.0 >= t && d.0 <= o.years)
            .map(|d| d.1 * ((o.dividend_yield - o.rate) * (d.0 - t)).exp())
            .sum()
    };
    let base = o.spot - escrow(0.0);
    let sign = f64::from(o.right);
    let exercised = |m: usize, i: usize| {
        sign * (base * up.powi(2 * i as i32 - m as i32) + escrow(m as f64 * dt) - o.strike)
    };
    let mut v: Vec<f64> = (0..=n).map(|i| exercised(n, i).max(0.0)).collect();
    for m in (0..n).rev() {
        for i in 0..=m {
            let held = (-o.rate * dt).exp() * (p * v[i + 1] + (1.0 - p) * v[i]);
            v[i] = if american {
                held.max(exercised(m, i))
            } else {
                held
            };
        }
    }
    v[0]
}

#[test]
fn hull_example_21_1() {
    // Hull, Options, Futures, and Other Derivatives, example 21.1: 5 steps give 4.49; 500 steps give 4.283.
    let put = option(50.0, 50.0, 5.0 / 12.0, 0.10, 0.0, 0.40, -1);
    close(
        price(&put, true, Scheme::Crr, 5, ESCROWED).unwrap(),
        4.49,
        0.005,
    );
    close(
        price(&put, true, Scheme::Crr, 500, ESCROWED).unwrap(),
        4.283,
        0.0005,
    );
}

#[test]
fn hull_example_21_5_escrowed_dividend() {
    // Hull: dividend of 2.06 in 3.5 months, spot 52; the tree of 5 steps gives 4.44.
    let put = TreeInputs {
        dividends: &[(3.5 / 12.0, 2.06)],
        ..option(52.0, 50.0, 5.0 / 12.0, 0.10, 0.0, 0.40, -1)
    };
    close(
        price(&put, true, Scheme::Crr, 5, ESCROWED).unwrap(),
        4.44,
        0.005,
    );
}

#[test]
fn agrees_with_the_textbook_induction() {
    let dividends: &[(f64, f64)] = &[(-0.1, 3.0), (0.1, 1.0), (0.35, 1.5), (2.5, 9.0)];
    for right in [1, -1] {
        for (spot, vol, years, rate, q) in [
            (90.0, 0.2, 0.5, 0.05, 0.01),
            (110.0, 0.6, 2.0, 0.01, 0.07),
            (100.0, 0.35, 0.1, -0.01, 0.0),
        ] {
            for dividends in [&[], dividends] {
                for n in [1, 2, 3, 4, 5, 50, 201] {
                    for american in [true, false] {
                        let o = TreeInputs {
                            dividends,
                            ..option(spot, 100.0, years, rate, q, vol, right)
                        };
                        let ours = price(&o, american, Scheme::Crr, n, ESCROWED).unwrap();
                        close(ours, textbook(&o, american, n), 1e-11);
                    }
                }
            }
        }
    }
}

#[test]
fn many_trees_give_the_bits_of_one() {
    let dividends: &[(f64, f64)] = &[(0.1, 1.0), (0.35, 1.5)];
    let spots: Vec<f64> = (0..11).map(|i| 85.0 + 3.0 * f64::from(i)).collect();
    for scheme in [Scheme::Crr, Scheme::LeisenReimer, Scheme::Trinomial] {
        for treatment in [ESCROWED, SPOT_DROP] {
            let o = TreeInputs {
                dividends,
                ..option(100.0, 100.0, 0.6, 0.03, 0.0, 0.3, 1)
            };
            let mut out = [0.0; 11];
            price_spots(&o, &spots, true, scheme, 101, treatment, &mut out).unwrap();
            for (spot, value) in spots.iter().zip(out) {
                let alone = price(
                    &TreeInputs { spot: *spot, ..o },
                    true,
                    scheme,
                    101,
                    treatment,
                )
                .unwrap();
                assert_eq!(alone.to_bits(), value.to_bits());
            }
        }
    }
}

#[test]
fn treatments_meet_where_dividends_vanish_and_drop_converges() {
    let o = option(100.0, 105.0, 0.75, 0.04, 0.0, 0.3, 1);
    let none = price(&o, true, Scheme::Crr, 200, ESCROWED).unwrap();
    let tiny = TreeInputs {
        dividends: &[(0.3, 1e-9)],
        ..o
    };
    close(
        price(&tiny, true, Scheme::Crr, 200, SPOT_DROP).unwrap(),
        none,
        1e-8,
    );
    close(
        price(&tiny, true, Scheme::Crr, 200, ESCROWED).unwrap(),
        none,
        1e-8,
    );
    let escrowed_at_expiry = TreeInputs {
        dividends: &[(0.75, 4.0)],
        ..o
    };
    let put = TreeInputs {
        right: -1,
        ..escrowed_at_expiry
    };
    let gap = price(&escrowed_at_expiry, false, Scheme::Crr, 50, ESCROWED).unwrap()
        - price(&put, false, Scheme::Crr, 50, ESCROWED).unwrap();
    close(gap, 100.0 - 109.0 * (-0.04 * 0.75_f64).exp(), 1e-11);
    // A drop at expiry moves the strike: a European call on S - D is a call with strike K + D.
    let at_expiry = TreeInputs {
        dividends: &[(0.75, 4.0)],
        ..o
    };
    let moved = price(
        &TreeInputs { strike: 109.0, ..o },
        false,
        Scheme::Crr,
        1001,
        SPOT_DROP,
    )
    .unwrap();
    close(
        price(&at_expiry, false, Scheme::Crr, 1001, SPOT_DROP).unwrap(),
        moved,
        4e-3,
    );
    // Convergence in the number of steps, with the interpolation at the drop.
    let quarterly = TreeInputs {
        dividends: &[(0.1, 1.2), (0.35, 1.2), (0.6, 1.2)],
        ..o
    };
    let coarse = price(&quarterly, true, Scheme::Crr, 400, SPOT_DROP).unwrap();
    let fine = price(&quarterly, true, Scheme::Crr, 3200, SPOT_DROP).unwrap();
    close(coarse, fine, 6e-3);
}

#[test]
fn low_vol_high_carry_stays_between_its_bounds() {
    for scheme in [Scheme::Crr, Scheme::LeisenReimer, Scheme::Trinomial] {
        for vol in [0.0, 1e-12, 1e-6, 1e-3, 0.01, 0.05] {
            for (rate, q) in [(0.2, 0.0), (0.0, 0.2), (-0.05, 0.1), (0.0, 0.0)] {
                for right in [1, -1] {
                    for strike in [50.0, 99.999, 100.0, 130.0] {
                        let o = option(100.0, strike, 2.0, rate, q, vol, right);
                        let american = price(&o, true, scheme, 51, ESCROWED).unwrap();
                        let european = price(&o, false, scheme, 51, ESCROWED).unwrap();
                        let sign = f64::from(right);
                        let forward = sign
                            * (100.0 * (-q * 2.0_f64).exp() - strike * (-rate * 2.0_f64).exp());
                        assert!(
                            european >= forward.max(0.0) - 1e-9,
                            "{o:?} {european} {forward}"
                        );
                        assert!(
                            american >= european - 1e-12 && american >= sign * (100.0 - strike),
                            "{o:?}"
                        );
                        assert!(american.is_finite());
                    }
                }
            }
        }
    }
}

#[test]
fn expired_is_intrinsic() {
    for years in [0.0, -1.0] {
        close(
            price(
                &option(90.0, 100.0, years, 0.05, 0.0, 0.3, -1),
                true,
                Scheme::Crr,
                50,
                ESCROWED,
            )
            .unwrap(),
            10.0,
            0.0,
        );
        close(
            price(
                &option(90.0, 100.0, years, 0.05, 0.0, 0.3, 1),
                false,
                Scheme::LeisenReimer,
                50,
                ESCROWED,
            )
            .unwrap(),
            0.0,
            0.0,
        );
    }
}

#[test]
fn implied_vol_reprices_the_mark() {
    let dividends: &[(f64, f64)] = &[(0.1, 0.5)];
    for scheme in [Scheme::Crr, Scheme::LeisenReimer] {
        for right in [1, -1] {
            for vol in [0.05, 0.2, 0.9, 3.0] {
                let o = TreeInputs {
                    dividends,
                    ..option(100.0, 103.0, 0.4, 0.05, 0.0, vol, right)
                };
                let mark = price(&o, true, scheme, 100, ESCROWED).unwrap();
                let solved = implied_vol(&o, mark, true, scheme, 100, ESCROWED).unwrap();
                let again = price(
                    &TreeInputs { vol: solved, ..o },
                    true,
                    scheme,
                    100,
                    ESCROWED,
                )
                .unwrap();
                close(again, mark, 1e-13 * 100.0);
                close(solved, vol, 1e-9);
            }
        }
    }
    let deep = option(50.0, 100.0, 0.4, 0.05, 0.0, 0.2, -1);
    assert!(implied_vol(&deep, 50.0, true, Scheme::Crr, 100, ESCROWED).is_err());
    assert!(implied_vol(&deep, 101.0, true, Scheme::Crr, 100, ESCROWED).is_err());
}

#[test]
fn refuses_what_no_option_has() {
    let good = option(100.0, 100.0, 1.0, 0.05, 0.0, 0.2, 1);
    let bad = [
        TreeInputs {
            spot: f64::NAN,
            ..good
        },
        TreeInputs {
            strike: 0.0,
            ..good
        },
        TreeInputs { vol: -0.1, ..good },
        TreeInputs { vol: 100.0, ..good },
        TreeInputs {
            years: f64::INFINITY,
            ..good
        },
        TreeInputs { right: 0, ..good },
        TreeInputs {
            dividends: &[(0.5, -1.0)],
            ..good
        },
        TreeInputs {
            dividends: &[(0.5, 1.0), (0.25, 1.0)],
            ..good
        },
        TreeInputs {
            dividends: &[(0.5, 105.0), (0.75, 1.0)],
            ..good
        },
    ];
    for o in bad {
        assert!(
            price(&o, true, Scheme::Crr, 100, ESCROWED).is_err(),
            "{o:?}"
        );
    }
    assert!(price(&good, true, Scheme::Crr, 0, ESCROWED).is_err());
}

/// Low-discrepancy options: a month to two years, vols of 15-80 %, rates of 0-10 %, two dividends within the life.
fn with_dividends(i: u32) -> (TreeInputs<'static>, [(f64, f64); 2]) {
    let u = |root: f64| (f64::from(i) * root).fract();
    let years = 0.08 * 25.0_f64.powf(u(0.414_213_562_373));
    let vol = 0.15 + 0.65 * u(0.732_050_807_569);
    let spot = 100.0 * ((3.0 * u(0.236_067_977_5) - 1.5) * vol * years.sqrt()).exp();
    let first = years * (0.05 + 0.4 * u(0.645_751_311_065));
    let second = first + years * 0.5 * u(0.316_624_790_355);
    let q = if i.is_multiple_of(3) { 0.02 } else { 0.0 };
    let right = if i.is_multiple_of(2) { 1 } else { -1 };
    let o = option(spot, 100.0, years, 0.1 * u(0.872_983_346_2), q, vol, right);
    (o, [(first, 0.5 + u(0.123_105_625_6)), (second, 1.5)])
}

#[test]
fn trinomial_is_what_trees_converge_to() {
    // The binomial trees' own error, with neighbouring numbers of steps averaged, is what the bounds allow for.
    let (mut largest, mut of_crr) = (0.0_f64, 0.0_f64);
    for i in 1..=24 {
        let (o, dividends) = with_dividends(i);
        let o = TreeInputs {
            dividends: &dividends,
            ..o
        };
        let at = |scheme, steps| price(&o, true, scheme, steps, ESCROWED).unwrap();
        let limit = 0.5 * (at(Scheme::Crr, 3000) + at(Scheme::Crr, 3001));
        if limit > 0.05 {
            largest = largest.max((at(Scheme::Trinomial, 400) / limit - 1.0).abs());
            of_crr = of_crr.max((at(Scheme::Crr, 400) / limit - 1.0).abs());
        }
    }
    assert!(largest < 1e-3, "{largest}, {of_crr}");
    assert!(largest < 0.25 * of_crr, "{largest}, {of_crr}");
}

/// Relative errors where the price exceeds 0.01 % of the strike: nine in ten within 1e-4, all within 5e-4.
fn mostly_within_a_ten_thousandth(errors: &[f64]) {
    let beyond = errors.iter().filter(|e| **e > 1e-4).count();
    let largest = errors.iter().copied().fold(0.0, f64::max);
    assert!(
        10 * beyond <= errors.len() && largest < 5e-4,
        "{beyond} of {} beyond 1e-4, largest {largest}",
        errors.len()
    );
}

#[test]
fn trinomial_converges() {
    let mut errors = Vec::new();
    for i in 1..=60 {
        let (o, dividends) = with_dividends(i);
        let o = TreeInputs {
            dividends: &dividends,
            ..o
        };
        let at = |steps| price(&o, true, Scheme::Trinomial, steps, ESCROWED).unwrap();
        let limit = at(3200);
        errors.push((at(400) - limit).abs() / limit.max(0.01));
    }
    mostly_within_a_ten_thousandth(&errors);
}

#[test]
fn trinomial_without_dividends_is_the_collocation() {
    use crate::pricing::american::{Mode, price_one};
    let mut errors = Vec::new();
    for i in 1..=60 {
        let (o, _) = with_dividends(i);
        let value = price(&o, true, Scheme::Trinomial, 400, ESCROWED).unwrap();
        let exact = price_one(
            o.spot,
            o.strike,
            o.years,
            o.rate,
            o.dividend_yield,
            o.vol,
            o.right,
            Mode::Precise,
        )
        .unwrap();
        errors.push((value - exact).abs() / exact.max(0.01));
    }
    mostly_within_a_ten_thousandth(&errors);
}

#[test]
fn a_curve_has_the_price_and_differences_of_it() {
    let (mut delta_errors, mut gamma_errors) = (Vec::new(), Vec::new());
    let dividends: Vec<_> = (1..=24).map(with_dividends).collect();
    for (i, (o, dividends)) in dividends.iter().enumerate() {
        let o = TreeInputs { dividends, ..*o };
        let at = |move_by: f64, steps| {
            let o = TreeInputs {
                spot: o.spot + move_by,
                ..o
            };
            price(&o, true, Scheme::Trinomial, steps, ESCROWED).unwrap()
        };
        // Beside another that has fewer levels.
        let short = TreeInputs { years: 0.01, ..o };
        let curve = curves(&[short, o], 400, ESCROWED).unwrap()[1];
        assert_eq!(curve.price.to_bits(), at(0.0, 400).to_bits(), "{i}");
        let deviation = o.spot * o.vol * o.years.sqrt();
        // By less, the error of the finer lattice itself shows in the second difference.
        let h = 0.03 * deviation;
        let (low, middle, high) = (at(-h, 3200), at(0.0, 3200), at(h, 3200));
        let gamma = (high - 2.0 * middle + low) / (h * h);
        delta_errors.push((curve.delta - (high - low) / (2.0 * h)).abs());
        gamma_errors.push((curve.gamma - gamma).abs() * deviation);
    }
    // One lies next to the exercise boundary, where gamma jumps.
    for (mut errors, most, largest) in [(delta_errors, 1e-4, 2e-3), (gamma_errors, 5e-3, 0.2)] {
        errors.sort_by(f64::total_cmp);
        assert!(errors[22] < most && errors[23] < largest, "{errors:?}");
    }
    let expired = option(100.0, 90.0, 0.0, 0.05, 0.0, 0.2, 1);
    assert!(curves(&[expired], 400, ESCROWED).is_err());
    assert!(curves(&[with_dividends(1).0], 0, ESCROWED).is_err());
}

#[test]
fn a_call_takes_the_dividend_of_its_last_day() {
    // Exercise just before expiry is worth the dividend more; nothing else pays here.
    let o = TreeInputs {
        dividends: &[(0.5, 3.0)],
        ..option(100.0, 80.0, 0.5, 0.0, 0.0, 0.1, 1)
    };
    let value = price(&o, true, Scheme::Trinomial, 200, ESCROWED).unwrap();
    let moved = option(97.0, 77.0, 0.5, 0.0, 0.0, 0.1, 1);
    let european = price(&moved, false, Scheme::Trinomial, 200, ESCROWED).unwrap();
    close(value, european, 1e-6);
    let dropped = price(&o, true, Scheme::Trinomial, 200, SPOT_DROP).unwrap();
    let kept = price(
        &option(100.0, 80.0, 0.5, 0.0, 0.0, 0.1, 1),
        false,
        Scheme::Trinomial,
        200,
        ESCROWED,
    );
    close(dropped, kept.unwrap(), 1e-6);
}
