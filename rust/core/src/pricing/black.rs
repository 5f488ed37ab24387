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

use super::math::{density, exp, greater, lesser, ln, ln_ratio, mills_grid};
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

/// t - h and t + h of the module's text: `x` = ln(F/K), `inverse` = 1/v, `half` = v/2.
#[inline(always)]
fn distances(x: f64, inverse: f64, half: f64) -> (f64, f64) {
    let h = lesser(x.abs() * inverse, FAR);
    (half - h, half + h)
}

/// Value above intrinsic: `smaller` = min(F, K), `weight` = exp(-d^2/2), the Mills ratios of |d| and of t + h.
#[inline(always)]
fn value_above(d: f64, weight: f64, near: (f64, f64), far: (f64, f64), smaller: f64) -> f64 {
    let inside = d > 0.0;
    let p_near = if inside { -near.0 } else { near.0 };
    let base = if inside { smaller } else { 0.0 };
    // Two plain products: they cancel exactly where near and far meet, which is what makes zero deviation exact.
    let numerator = p_near * far.1 - far.0 * near.1;
    greater(
        (smaller * weight).mul_add(numerator / (near.1 * far.1), base),
        0.0,
    )
}

#[inline(always)]
pub(super) fn time_value(x: f64, inverse: f64, half: f64, smaller: f64) -> f64 {
    let (d, far) = distances(x, inverse, half);
    value_above(d, density(d), mills_grid(d.abs()), mills_grid(far), smaller)
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
        let mut block = Block::new();
        let mut deviations = Deviations::new();
        let mut scratch = Scratch::new();
        let mut cells = [0.0; ROWS];
        for start in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - start);
            let padded = rows.next_multiple_of(LANES);
            block.fill(&o.rows(start, rows), 0.0);
            deviations.fill(&block, &[0.0; ROWS], padded);
            scratch.prices(
                &mut cells,
                &block,
                &deviations,
                OneMove {
                    factor: 1.0,
                    log: 0.0,
                },
                padded,
            );
            self.out[start..][..rows].copy_from_slice(&cells[..rows]);
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
/// Rows are padded to a multiple of this, so that no vector is cut short.
const LANES: usize = 8;
/// Scenarios per block.
const COLUMNS: usize = simd::TURNED;
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
                level,
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
    level: simd::Level,
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
            level,
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
        let mut turned = [0.0; ROWS * COLUMNS];
        let mut deviations = [Deviations::new(); COLUMNS];
        let mut scratch = Scratch::new();
        let shared_prices = SharedPrices::new(price_moves, first, columns);
        let shared_vols = SharedVols::new(vol_moves, first, columns);

        for start in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - start);
            // Whole vectors: the rows past the last are computed and dropped.
            let padded = rows.next_multiple_of(LANES);
            block.fill(&o.rows(start, rows), roll);

            match (&shared_vols, vol_moves) {
                (Some(shared), _) => {
                    for (k, deviations) in deviations[..shared.count].iter_mut().enumerate() {
                        deviations.fill(&block, &[shared.moves[k]; ROWS], padded);
                    }
                }
                (None, Moves::PerRow(table) | Moves::Shared(table)) => {
                    for (k, deviations) in deviations[..columns].iter_mut().enumerate() {
                        deviations.fill(
                            &block,
                            &column(table, start, rows, scenarios, first + k),
                            padded,
                        );
                    }
                }
            }

            for j in 0..columns {
                let deviations =
                    &deviations[shared_vols.as_ref().map_or(j, |shared| shared.group[j])];
                match (&shared_prices, price_moves) {
                    (Some(shared), _) => {
                        let spots = OneMove {
                            factor: shared.factor[j],
                            log: shared.log[j],
                        };
                        scratch.prices(&mut cells[j], &block, deviations, spots, padded);
                    }
                    (None, Moves::PerRow(table) | Moves::Shared(table)) => {
                        let mut own = column(table, start, rows, scenarios, first + j);
                        let mut log = [0.0; ROWS];
                        for l in 0..ROWS {
                            own[l] = factor(own[l]);
                            log[l] = ln(own[l]);
                        }
                        let spots = OwnMoves {
                            factor: &own,
                            log: &log,
                        };
                        scratch.prices(&mut cells[j], &block, deviations, spots, padded);
                    }
                }
            }

            if columns == COLUMNS {
                simd::turn(
                    level,
                    &cells,
                    rows,
                    &mut out[start * scenarios + first..],
                    scenarios,
                );
            } else {
                simd::turn(level, &cells, rows, &mut turned, COLUMNS);
                for (l, row) in turned.chunks_exact(COLUMNS).take(rows).enumerate() {
                    out[(start + l) * scenarios + first..][..columns]
                        .copy_from_slice(&row[..columns]);
                }
            }
        }
    }
}

/// 1/v and v/2 of a block of rows under one vol move.
#[derive(Clone, Copy)]
struct Deviations {
    inverse: [f64; ROWS],
    half: [f64; ROWS],
}

impl Deviations {
    fn new() -> Self {
        Self {
            inverse: [0.0; ROWS],
            half: [0.0; ROWS],
        }
    }

    #[inline(always)]
    fn fill(&mut self, block: &Block, vol_moves: &[f64; ROWS], count: usize) {
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
struct Scratch {
    d: [f64; ROWS],
    far: [f64; ROWS],
    weight: [f64; ROWS],
    p_near: [f64; ROWS],
    q_near: [f64; ROWS],
    p_far: [f64; ROWS],
    q_far: [f64; ROWS],
}

impl Scratch {
    fn new() -> Self {
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
    fn prices(
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
trait SpotMoves: Copy {
    fn factor(&self, row: usize) -> f64;
    fn log(&self, row: usize) -> f64;
}

/// The same factor for every row.
#[derive(Clone, Copy)]
struct OneMove {
    factor: f64,
    log: f64,
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
struct OwnMoves<'a> {
    factor: &'a [f64; ROWS],
    log: &'a [f64; ROWS],
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
