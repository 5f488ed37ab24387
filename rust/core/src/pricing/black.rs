//! Black-Scholes-Merton and Black (1976) prices of European options.
//!
//! Out-of-the-money form: with F and K discounted forward and strike, x = ln(F/K), v = vol sqrt(years),
//! h = |x|/v and t = v/2,
//!
//! ```text
//! price = max(right (F - K), 0) + min(F, K) exp(-(t-h)^2/2) (m(h-t) - m(h+t)),    m(u) = N(-u) exp(u^2/2)
//! ```
//!
//! one exponential and one division per price, the same work for calls and puts, no cancellation between F and K.
//! Time or vol at or below zero gives the intrinsic value on the forward. Prices are never negative and never NaN for
//! finite inputs. Error: below 5e-15 max(spot, strike), and below 1e-9 relative where the price exceeds 1e-12 spot
//! (tested against 50-digit values). `price` and the first scenario of no moves in `price_grid` agree bit for bit.
// Index loops over columns of one length are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

use std::f64::consts::LOG2_E;

use super::math::{exp, exp2, greater, lesser, ln, ln_ratio, mills_grid};
use super::{Moves, OptionColumns};
use crate::simd::{self, Kernel};

/// Distances beyond this many deviations are priced as at it: the density there is 1e-282.
const FAR: f64 = 36.0;
/// Stands for a deviation of zero: h is FAR unless x is zero, and the time value comes out as exactly 0.
const NO_DEVIATION: f64 = 1e-150;
const SIGN_BIT: u64 = 1 << 63;

/// 1/v and v/2 of a deviation v, both in the range [`time_value`] takes.
#[inline(always)]
pub(super) fn reciprocal_and_half(deviation: f64) -> (f64, f64) {
    let v = greater(deviation, NO_DEVIATION);
    (1.0 / v, lesser(0.5 * v, FAR))
}

/// Value above intrinsic: `x` = ln(F/K), `inverse` = 1/v, `half` = v/2, `smaller` = min(F, K).
#[inline(always)]
pub(super) fn time_value(x: f64, inverse: f64, half: f64, smaller: f64) -> f64 {
    let h = lesser(x.abs() * inverse, FAR);
    let d = half - h;
    let near = d.abs();
    let far = half + h;
    let density = smaller * exp2(d * (-0.5 * LOG2_E) * d);
    let (p_near, q_near) = mills_grid(near);
    let (p_far, q_far) = mills_grid(far);
    let inside = d > 0.0;
    let p_near = if inside { -p_near } else { p_near };
    let base = if inside { smaller } else { 0.0 };
    // Two plain products: they cancel exactly where near and far meet, which is what makes zero deviation exact.
    let numerator = p_near * q_far - p_far * q_near;
    greater(density.mul_add(numerator / (q_near * q_far), base), 0.0)
}

/// max(right (F - K), 0), where `sign` is the sign bit of `right`.
#[inline(always)]
pub(super) fn intrinsic(forward: f64, strike: f64, sign: u64) -> f64 {
    greater(f64::from_bits((forward - strike).to_bits() ^ sign), 0.0)
}

/// A right's sign bit: 0 for a call, the sign bit for a put.
#[inline(always)]
pub(super) fn sign_of(right: i8) -> u64 {
    (i64::from(right) as u64) & SIGN_BIT
}

/// What scenarios of one option share.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// Spot and strike, each discounted by its own carry.
    pub(super) forward: f64,
    pub(super) strike: f64,
    /// ln(forward / strike).
    pub(super) moneyness: f64,
    pub(super) root_years: f64,
}

#[inline(always)]
pub(super) fn terms(spot: f64, strike: f64, years: f64, rate: f64, dividend_yield: f64) -> Terms {
    let years = greater(years, 0.0);
    Terms {
        forward: spot * exp(-dividend_yield * years),
        strike: strike * exp(-rate * years),
        moneyness: (rate - dividend_yield).mul_add(years, ln_ratio(spot, strike)),
        root_years: years.sqrt(),
    }
}

#[inline(always)]
fn price_body(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    vol: f64,
    right: i8,
) -> f64 {
    let t = terms(spot, strike, years, rate, dividend_yield);
    let (inverse, half) = reciprocal_and_half(vol * t.root_years);
    time_value(t.moneyness, inverse, half, lesser(t.forward, t.strike))
        + intrinsic(t.forward, t.strike, sign_of(right))
}

#[inline(always)]
fn forward_body(forward: f64, strike: f64, years: f64, vol: f64, right: i8, discount: f64) -> f64 {
    let (inverse, half) = reciprocal_and_half(vol * greater(years, 0.0).sqrt());
    let value = time_value(
        ln_ratio(forward, strike),
        inverse,
        half,
        lesser(forward, strike),
    );
    discount * (value + intrinsic(forward, strike, sign_of(right)))
}

/// Black-Scholes-Merton price of each row, per unit of underlying.
///
/// # Panics
/// If the columns and `out` differ in length.
pub fn price(o: &OptionColumns, out: &mut [f64]) {
    simd::run(Price { o: *o, out });
}

struct Price<'a> {
    o: OptionColumns<'a>,
    out: &'a mut [f64],
}

impl Kernel for Price<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.out.len();
        let o = self.o.exactly(n);
        let out = &mut self.out[..n];
        for i in 0..n {
            out[i] = price_body(
                o.spot[i],
                o.strike[i],
                o.years[i],
                o.rate[i],
                o.dividend_yield[i],
                o.vol[i],
                o.right[i],
            );
        }
    }
}

/// One Black-Scholes-Merton price; the bits of [`price`].
pub fn price_one(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    vol: f64,
    right: i8,
) -> f64 {
    struct One(f64, f64, f64, f64, f64, f64, i8);
    impl Kernel for One {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            price_body(self.0, self.1, self.2, self.3, self.4, self.5, self.6)
        }
    }
    simd::run(One(spot, strike, years, rate, dividend_yield, vol, right))
}

/// One Black (1976) price on a forward, times a discount factor.
pub fn forward_price_one(
    forward: f64,
    strike: f64,
    years: f64,
    vol: f64,
    right: i8,
    discount: f64,
) -> f64 {
    struct One(f64, f64, f64, f64, i8, f64);
    impl Kernel for One {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            forward_body(self.0, self.1, self.2, self.3, self.4, self.5)
        }
    }
    simd::run(One(forward, strike, years, vol, right, discount))
}

/// Black (1976) price of each row on a forward, times its discount factor.
///
/// # Panics
/// If the columns and `out` differ in length.
pub fn forward_price(
    forward: &[f64],
    strike: &[f64],
    years: &[f64],
    vol: &[f64],
    right: &[i8],
    discount: &[f64],
    out: &mut [f64],
) {
    simd::run(ForwardPrice {
        forward,
        strike,
        years,
        vol,
        right,
        discount,
        out,
    });
}

struct ForwardPrice<'a> {
    forward: &'a [f64],
    strike: &'a [f64],
    years: &'a [f64],
    vol: &'a [f64],
    right: &'a [i8],
    discount: &'a [f64],
    out: &'a mut [f64],
}

impl Kernel for ForwardPrice<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.out.len();
        let (forward, strike, years) = (&self.forward[..n], &self.strike[..n], &self.years[..n]);
        let (vol, right, discount) = (&self.vol[..n], &self.right[..n], &self.discount[..n]);
        let out = &mut self.out[..n];
        for i in 0..n {
            out[i] = forward_body(
                forward[i],
                strike[i],
                years[i],
                vol[i],
                right[i],
                discount[i],
            );
        }
    }
}

/// Rows per block: the block's terms and results stay in the first-level cache.
const ROWS: usize = 64;
/// Scenarios per block.
const COLUMNS: usize = 16;
/// A spot move of -100 % or worse leaves this fraction of the spot.
const NO_SPOT: f64 = 1e-300;

/// Prices of each row under each scenario, row-major: `out[row * scenarios + scenario]`.
///
/// `price_moves` are fractions of spot, `vol_moves` are added to vol, `roll` years are taken off the time to expiry.
///
/// # Panics
/// If the columns differ in length, or moves and `out` do not fit them.
pub fn price_grid(
    o: &OptionColumns,
    price_moves: Moves,
    vol_moves: Moves,
    roll: f64,
    scenarios: usize,
    out: &mut [f64],
) {
    price_grid_at(
        simd::level(),
        o,
        price_moves,
        vol_moves,
        roll,
        scenarios,
        out,
    );
}

pub(crate) fn price_grid_at(
    level: simd::Level,
    o: &OptionColumns,
    price_moves: Moves,
    vol_moves: Moves,
    roll: f64,
    scenarios: usize,
    out: &mut [f64],
) {
    let n = o.spot.len();
    assert_eq!(
        out.len(),
        n * scenarios,
        "price_grid: out must hold rows x scenarios"
    );
    price_moves.check(n, scenarios);
    vol_moves.check(n, scenarios);
    if out.is_empty() {
        return;
    }
    for first in (0..scenarios).step_by(COLUMNS) {
        let columns = COLUMNS.min(scenarios - first);
        simd::run_at(
            level,
            Grid {
                o: *o,
                price_moves,
                vol_moves,
                roll,
                scenarios,
                first,
                columns,
                out: &mut *out,
            },
        );
    }
}

/// Prices of all rows for one block of scenarios.
struct Grid<'a> {
    o: OptionColumns<'a>,
    price_moves: Moves<'a>,
    vol_moves: Moves<'a>,
    roll: f64,
    scenarios: usize,
    first: usize,
    columns: usize,
    out: &'a mut [f64],
}

/// Terms of a block of rows, column by column.
struct Block {
    forward: [f64; ROWS],
    strike: [f64; ROWS],
    moneyness: [f64; ROWS],
    root_years: [f64; ROWS],
    vol: [f64; ROWS],
    sign: [u64; ROWS],
}

impl Block {
    /// Rows past the last hold an ordinary option, so that vectors can run over the end.
    fn new() -> Self {
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
    fn fill(&mut self, o: &OptionColumns, roll: f64) {
        let n = o.spot.len();
        let o = o.exactly(n);
        assert!(n <= ROWS);
        for i in 0..n {
            let t = terms(
                o.spot[i],
                o.strike[i],
                o.years[i] - roll,
                o.rate[i],
                o.dividend_yield[i],
            );
            self.forward[i] = t.forward;
            self.strike[i] = t.strike;
            self.moneyness[i] = t.moneyness;
            self.root_years[i] = t.root_years;
            self.vol[i] = o.vol[i];
            self.sign[i] = sign_of(o.right[i]);
        }
    }
}

/// A move's factor on the spot.
#[inline(always)]
fn factor(price_move: f64) -> f64 {
    greater(1.0 + price_move, NO_SPOT)
}

impl Kernel for Grid<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Grid {
            o,
            price_moves,
            vol_moves,
            roll,
            scenarios,
            first,
            columns,
            out,
        } = self;
        let n = o.spot.len();
        let mut block = Block::new();
        let mut cells = [[0.0; ROWS]; COLUMNS];
        let mut inverse = [[0.0; ROWS]; COLUMNS];
        let mut half = [[0.0; ROWS]; COLUMNS];
        let shared_prices = SharedPrices::new(price_moves, first, columns);
        let shared_vols = SharedVols::new(vol_moves, first, columns);

        for start in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - start);
            // Whole vectors: the rows past the last are computed and dropped.
            let padded = rows.next_multiple_of(8);
            block.fill(&o.rows(start, rows), roll);

            let distinct = match &shared_vols {
                Some(shared) => shared.count,
                None => columns,
            };
            for k in 0..distinct {
                let (inverse, half) = (&mut inverse[k], &mut half[k]);
                match (&shared_vols, vol_moves) {
                    (Some(shared), _) => {
                        let vol_move = shared.moves[k];
                        for l in 0..padded {
                            (inverse[l], half[l]) = reciprocal_and_half(
                                (block.vol[l] + vol_move) * block.root_years[l],
                            );
                        }
                    }
                    (None, Moves::PerRow(table) | Moves::Shared(table)) => {
                        let moves = column(table, start, rows, scenarios, first + k);
                        for l in 0..padded {
                            (inverse[l], half[l]) = reciprocal_and_half(
                                (block.vol[l] + moves[l]) * block.root_years[l],
                            );
                        }
                    }
                }
            }

            for j in 0..columns {
                let group = match &shared_vols {
                    Some(shared) => shared.group[j],
                    None => j,
                };
                let (inverse, half, cells) = (&inverse[group], &half[group], &mut cells[j]);
                match (&shared_prices, price_moves) {
                    (Some(shared), _) => {
                        let (m, log_m) = (shared.factor[j], shared.log[j]);
                        for l in 0..padded {
                            let forward = block.forward[l] * m;
                            let strike = block.strike[l];
                            let value = time_value(
                                block.moneyness[l] + log_m,
                                inverse[l],
                                half[l],
                                lesser(forward, strike),
                            );
                            cells[l] = value + intrinsic(forward, strike, block.sign[l]);
                        }
                    }
                    (None, Moves::PerRow(table) | Moves::Shared(table)) => {
                        let moves = column(table, start, rows, scenarios, first + j);
                        for l in 0..padded {
                            let m = factor(moves[l]);
                            let forward = block.forward[l] * m;
                            let strike = block.strike[l];
                            let value = time_value(
                                block.moneyness[l] + ln(m),
                                inverse[l],
                                half[l],
                                lesser(forward, strike),
                            );
                            cells[l] = value + intrinsic(forward, strike, block.sign[l]);
                        }
                    }
                }
            }

            for l in 0..rows {
                let row = &mut out[(start + l) * scenarios + first..][..columns];
                for (j, cell) in row.iter_mut().enumerate() {
                    *cell = cells[j][l];
                }
            }
        }
    }
}

/// Factors on the spot and their logarithms, where every row moves alike.
struct SharedPrices {
    factor: [f64; COLUMNS],
    log: [f64; COLUMNS],
}

impl SharedPrices {
    #[inline(always)]
    fn new(moves: Moves, first: usize, columns: usize) -> Option<Self> {
        let Moves::Shared(list) = moves else {
            return None;
        };
        let mut shared = Self {
            factor: [1.0; COLUMNS],
            log: [0.0; COLUMNS],
        };
        for (j, &price_move) in list[first..first + columns].iter().enumerate() {
            shared.factor[j] = factor(price_move);
            shared.log[j] = ln(shared.factor[j]);
        }
        Some(shared)
    }
}

/// The different vol moves among the scenarios, and which each scenario takes: scan rulebooks have two or three.
struct SharedVols {
    moves: [f64; COLUMNS],
    count: usize,
    group: [usize; COLUMNS],
}

impl SharedVols {
    #[inline(always)]
    fn new(moves: Moves, first: usize, columns: usize) -> Option<Self> {
        let Moves::Shared(list) = moves else {
            return None;
        };
        let mut shared = Self {
            moves: [0.0; COLUMNS],
            count: 0,
            group: [0; COLUMNS],
        };
        for (j, &vol_move) in list[first..first + columns].iter().enumerate() {
            let known = shared.moves[..shared.count]
                .iter()
                .position(|&m| m == vol_move);
            shared.group[j] = known.unwrap_or(shared.count);
            if known.is_none() {
                shared.moves[shared.count] = vol_move;
                shared.count += 1;
            }
        }
        Some(shared)
    }
}

/// One scenario's column of a row-major table of moves, for a block of rows.
#[inline(always)]
fn column(
    table: &[f64],
    start: usize,
    rows: usize,
    scenarios: usize,
    scenario: usize,
) -> [f64; ROWS] {
    let mut values = [0.0; ROWS];
    for (l, value) in values[..rows].iter_mut().enumerate() {
        *value = table[(start + l) * scenarios + scenario];
    }
    values
}
