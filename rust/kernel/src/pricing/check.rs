//! What is refused at the door of the kernels, by row: they compute on and would hide it (`max` drops NaN).

use super::lanes::WIDTH;
use super::math::SIGN_BIT;
use super::{BLOCK, OptionColumns, RowCopy};
use crate::error::Result;
use crate::fail;
use crate::simd::{self, Kernel};

/// The least price of an underlying or strike that is accepted: the logarithm needs normal numbers.
pub const LEAST_PRICE: f64 = 1e-300;

/// The largest lognormal volatility: 1,000 %. Larger ones are percentages by mistake.
pub const MAX_VOL: f64 = 10.0;

/// The largest rate or yield either way that prices are made for: 500 %. Larger ones are percentages by mistake.
pub const MAX_CARRY: f64 = 5.0;

/// What the caller calls the six columns of numbers, in the order of [`RowCopy::floats`].
pub type Names = [&'static str; 6];

/// Of options on a spot.
pub const SPOT: Names = ["spot", "strike", "years", "rate", "dividend_yield", "vol"];

/// Refuses options that no formula prices, naming the first such row; rows are counted from `first_row`.
///
/// Spot and strike must be positive, years not negative, vol from zero to [`MAX_VOL`], rate and yield at most
/// [`MAX_CARRY`] either way, every number finite, right +1 or -1.
pub fn options(o: &OptionColumns, names: &Names, first_row: usize) -> Result<()> {
    let [spot, strike, years, rate, dividend_yield, vol] = names;
    for i in 0..o.spot.len() {
        let row = first_row + i;
        positive(spot, row, o.spot[i])?;
        positive(strike, row, o.strike[i])?;
        not_negative(years, row, o.years[i])?;
        annual(rate, row, o.rate[i], -MAX_CARRY, MAX_CARRY)?;
        annual(
            dividend_yield,
            row,
            o.dividend_yield[i],
            -MAX_CARRY,
            MAX_CARRY,
        )?;
        annual(vol, row, o.vol[i], 0.0, MAX_VOL)?;
        right(row, o.right[i])?;
    }
    Ok(())
}

/// As [`options`] for the normal model: forwards in the place of spots and strikes of either sign, vols in price units of
/// at least zero. The yield is not looked at.
pub fn normal(o: &OptionColumns, names: &Names, first_row: usize) -> Result<()> {
    let [forward, strike, years, rate, _, vol] = names;
    for i in 0..o.spot.len() {
        let row = first_row + i;
        finite(forward, row, o.spot[i])?;
        finite(strike, row, o.strike[i])?;
        not_negative(years, row, o.years[i])?;
        annual(rate, row, o.rate[i], -MAX_CARRY, MAX_CARRY)?;
        not_negative(vol, row, o.vol[i])?;
        right(row, o.right[i])?;
    }
    Ok(())
}

/// Refuses a right that is neither +1 nor -1, by row.
pub fn rights(column: &[i8], first_row: usize) -> Result<()> {
    if column
        .iter()
        .fold(true, |sound, &r| sound & (r == 1 || r == -1))
    {
        return Ok(());
    }
    column
        .iter()
        .enumerate()
        .try_for_each(|(i, &value)| right(first_row + i, value))
}

/// Refuses moves that are not finite, and price moves below -1 (a spot below zero), by row and scenario.
pub fn moves(
    name: &str,
    values: &[f64],
    scenarios: usize,
    first_row: usize,
    least: f64,
) -> Result<()> {
    if values
        .iter()
        .fold(true, |sound, &m| sound & (m >= least) & (m < f64::INFINITY))
    {
        return Ok(());
    }
    for (i, &value) in values.iter().enumerate() {
        if !(value >= least && value < f64::INFINITY) {
            let (row, scenario) = (first_row + i / scenarios.max(1), i % scenarios.max(1));
            fail!(
                InvalidInput: NotFinite;
                "{name}, row {row}, scenario {scenario}: {value} is not a number of at least {least}"
            );
        }
    }
    Ok(())
}

fn positive(name: &str, row: usize, value: f64) -> Result<()> {
    if !(LEAST_PRICE..f64::INFINITY).contains(&value) {
        fail!(
        InvalidInput: NotFinite, place format_args!("row {row}: {name}"), value value;
        "row {row}: {name} is {value}; it must be a positive finite number"
                );
    }
    Ok(())
}

fn finite(name: &str, row: usize, value: f64) -> Result<()> {
    if !value.is_finite() {
        fail!(
        InvalidInput: NotFinite, place format_args!("row {row}: {name}"), value value;
        "row {row}: {name} is {value}; it must be a finite number"
                );
    }
    Ok(())
}

fn not_negative(name: &str, row: usize, value: f64) -> Result<()> {
    if !(0.0..f64::INFINITY).contains(&value) {
        fail!(
        InvalidInput: NotFinite, place format_args!("row {row}: {name}"), value value;
        "row {row}: {name} is {value}; it must be a finite number of at least zero"
                );
    }
    Ok(())
}

fn annual(name: &str, row: usize, value: f64, least: f64, most: f64) -> Result<()> {
    if !(least..=most).contains(&value) {
        fail!(
        InvalidInput: OutOfRange, place format_args!("row {row}: {name}"), value value;
        "row {row}: {name} is {value}; an annual fraction between {least} and {most} is needed (0.18 is 18 %)"
                );
    }
    Ok(())
}

fn right(row: usize, value: i8) -> Result<()> {
    if value != 1 && value != -1 {
        fail!(
        InvalidInput: OutOfRange, place format_args!("row {row}: right"), value value;
        "row {row}: right is {value}; it must be +1 for a call or -1 for a put"
                );
    }
    Ok(())
}

/// Added to the bits of a number, it carries into the sign bit where the exponent is that of infinity or NaN.
const CARRY: u64 = 1 << 52;

/// Whether every row of a copy is surely sound, those of an earlier block that are still in it included: without
/// branches, for the loops of kernels. Some sound rows do not pass (years of -0.0, say): [`options`] decides about those.
#[inline(always)]
pub fn sound(copy: &RowCopy) -> bool {
    // A sum is finite only if all its terms are; no sign may be set of what must not be negative, nor of a bound's bits
    // less those of what it bounds: the bits of numbers without a sign are in the order of the numbers, NaN last.
    let (mut sum, mut signs, mut rights) = ([0.0; WIDTH], [0; WIDTH], [0; WIDTH]);
    let [spot, strike, years, rate, dividend_yield, vol] = &copy.floats;
    for first in (0..BLOCK).step_by(WIDTH) {
        for l in 0..WIDTH {
            let row = first + l;
            let (above, strike_above) = (spot[row] - LEAST_PRICE, strike[row] - LEAST_PRICE);
            let (years, vol) = (years[row], vol[row]);
            let below = |bound: f64, value: f64| bound.to_bits().wrapping_sub(value.to_bits());
            let carry =
                below(MAX_CARRY, rate[row].abs()) | below(MAX_CARRY, dividend_yield[row].abs());
            sum[l] += (above + strike_above) + years;
            signs[l] |= above.to_bits() | strike_above.to_bits() | years.to_bits();
            signs[l] |= vol.to_bits() | below(MAX_VOL, vol) | carry;
            // +1 and -1 are the bytes that, plus one, are 2 and 0.
            rights[l] |= (copy.right[row] as u8).wrapping_add(1) & !2;
        }
    }
    let (mut sign, mut right) = (0, 0);
    for l in 0..WIDTH {
        let sum = sum[l].to_bits();
        sign |= signs[l] | (sum ^ sum.wrapping_add(CARRY));
        right |= rights[l];
    }
    sign & SIGN_BIT == 0 && right == 0
}

/// Whether every number is finite.
pub fn all_finite(numbers: &[f64]) -> bool {
    struct Carries<'a>(&'a [f64]);
    impl Kernel for Carries<'_> {
        type Output = u64;

        #[inline(always)]
        fn run(self) -> u64 {
            let carry = |v: f64| (v.to_bits() & !SIGN_BIT).wrapping_add(CARRY);
            let mut carries = [0; WIDTH];
            let eights = self.0.chunks_exact(WIDTH);
            let rest = eights.remainder();
            for eight in eights {
                for (own, &v) in carries.iter_mut().zip(eight) {
                    *own |= carry(v);
                }
            }
            for (own, &v) in carries.iter_mut().zip(rest) {
                *own |= carry(v);
            }
            carries.iter().fold(0, |all, own| all | own)
        }
    }
    simd::run(Carries(numbers)) & SIGN_BIT == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_is_found_wherever_it_is() {
        for count in [0, 1, 7, 8, 9, 40, 41] {
            let usual: Vec<f64> = (0..count).map(|i| i as f64 - 4.0).collect();
            assert!(all_finite(&usual));
            for at in 0..count {
                for (value, is_finite) in [
                    (f64::NAN, false),
                    (-f64::NAN, false),
                    (f64::INFINITY, false),
                    (f64::NEG_INFINITY, false),
                    (f64::MAX, true),
                    (f64::MIN, true),
                    (-0.0, true),
                    (5e-324, true),
                ] {
                    let mut column = usual.clone();
                    column[at] = value;
                    assert_eq!(all_finite(&column), is_finite, "{value} at {at} of {count}");
                }
            }
        }
    }

    #[test]
    fn no_unsound_row_passes_for_sound() {
        assert!(sound(&RowCopy::default()));
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let never = [nan, -nan, inf, -inf];
        for row in 0..BLOCK {
            for column in 0..6 {
                let others: &[f64] = match column {
                    0 | 1 => &[0.0, -0.0, -1.0, 1e-301, 5e-324, -f64::MAX],
                    2 => &[-1e-300, -1.0, -f64::MAX],
                    5 => &[-1e-300, -1.0, -f64::MAX, MAX_VOL + 1e-14, 18.0],
                    _ => &[MAX_CARRY + 1e-15, -MAX_CARRY - 1e-15, 150.0, -f64::MAX],
                };
                for &bad in never.iter().chain(others) {
                    let mut copy = RowCopy::default();
                    copy.floats[column][row] = bad;
                    assert!(!sound(&copy), "column {column}, row {row}: {bad}");
                }
                let good = match column {
                    3 | 4 => [-MAX_CARRY, MAX_CARRY],
                    5 => [0.0, MAX_VOL],
                    _ => [LEAST_PRICE, 1e9],
                };
                for value in good {
                    let mut copy = RowCopy::default();
                    copy.floats[column][row] = value;
                    assert!(sound(&copy), "column {column}, row {row}: {value}");
                }
            }
            for bad in [0, 2, -2, 3, i8::MIN, i8::MAX] {
                let mut copy = RowCopy::default();
                copy.right[row] = bad;
                assert!(!sound(&copy), "right, row {row}: {bad}");
            }
        }
    }

    #[test]
    fn the_first_unsound_row_is_named() {
        let good = [1.0; 9];
        let right = [1_i8; 9];
        let sound = OptionColumns {
            spot: &good,
            strike: &good,
            years: &good,
            rate: &good,
            dividend_yield: &good,
            vol: &good,
            right: &right,
        };
        options(&sound, &SPOT, 0).unwrap();
        let with = |value: f64| {
            let mut column = good;
            column[7] = value;
            column
        };
        let message = |o: &OptionColumns| options(o, &SPOT, 100).unwrap_err().message().to_string();
        for value in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e-310] {
            let column = with(value);
            assert!(
                message(&OptionColumns {
                    spot: &column,
                    ..sound
                })
                .contains("row 107: spot is")
            );
            assert!(
                message(&OptionColumns {
                    strike: &column,
                    ..sound
                })
                .contains("row 107: strike is")
            );
        }
        for value in [f64::NAN, f64::INFINITY, -1e-9] {
            let column = with(value);
            assert!(
                message(&OptionColumns {
                    years: &column,
                    ..sound
                })
                .contains("row 107: years is")
            );
            assert!(
                message(&OptionColumns {
                    vol: &column,
                    ..sound
                })
                .contains("row 107: vol is")
            );
        }
        let column = with(f64::NEG_INFINITY);
        assert!(
            message(&OptionColumns {
                rate: &column,
                ..sound
            })
            .contains("row 107: rate is")
        );
        assert!(
            message(&OptionColumns {
                dividend_yield: &column,
                ..sound
            })
            .contains("dividend_yield is")
        );
        let mut wrong = right;
        wrong[2] = 0;
        assert!(
            message(&OptionColumns {
                right: &wrong,
                ..sound
            })
            .contains("row 102: right is 0")
        );
        assert!(
            moves("price_moves", &[0.0, -1.5], 2, 3, -1.0)
                .unwrap_err()
                .message()
                .contains("row 3, scenario 1")
        );
    }
}
