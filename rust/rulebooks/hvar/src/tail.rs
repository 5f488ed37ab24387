//! Losses of a book under many scenarios, and the worst of them: 16 columns at a time, never a full sort.
//!
//! Each scenario's loss is one fused chain in ascending contract order. The worst few are kept in order as blocks pass,
//! so most blocks cost one comparison; equal losses stay in the order of their scenarios.

use std::sync::Arc;

use engine::scan::{Row, WIDTH};
use kernel::error::Result;
use kernel::interrupt;
use kernel::simd::{self, Kernel};

/// Deeper tails are selected from the stored losses instead.
pub(super) const DEEPEST: usize = 64;

/// Losses per lot of a netting set's contracts under one set of scenarios, 16 scenarios to a block.
#[derive(Debug, Clone, Default)]
pub(super) struct LossTable {
    /// Block after block, each with one row per contract of the netting set. Columns past `scenarios` hold zeros.
    /// Tables of two markets have them in common until a contract's losses differ.
    blocks: Arc<Vec<Row>>,
    largest: Vec<f64>,
    rows: usize,
    pub(super) scenarios: usize,
}

impl LossTable {
    pub(super) fn new(rows: usize, scenarios: usize) -> Self {
        Self {
            blocks: Arc::new(vec![Row::default(); rows * scenarios.div_ceil(WIDTH)]),
            largest: vec![0.0; rows],
            rows,
            scenarios,
        }
    }

    /// Writes a contract's losses, one for each scenario.
    pub(super) fn put(&mut self, row: usize, losses: impl Iterator<Item = f64>) {
        let blocks = Arc::make_mut(&mut self.blocks);
        let mut largest = 0.0;
        for (s, loss) in losses.enumerate() {
            blocks[s / WIDTH * self.rows + row].0[s % WIDTH] = loss;
            if loss.abs() > largest {
                largest = loss.abs();
            }
        }
        self.largest[row] = largest;
    }

    /// The largest loss or gain of a row.
    pub(super) fn largest(&self, row: usize) -> f64 {
        self.largest[row]
    }

    pub(super) fn get(&self, row: usize, scenario: usize) -> f64 {
        self.blocks[scenario / WIDTH * self.rows + row].0[scenario % WIDTH]
    }

    /// The blocks in scenario order, each with the number of its first scenario and how many it has.
    #[inline(always)]
    fn blocks(&self) -> impl Iterator<Item = (&[Row], usize, usize)> {
        self.blocks
            .chunks_exact(self.rows.max(1))
            .enumerate()
            .map(|(b, rows)| (rows, b * WIDTH, (self.scenarios - b * WIDTH).min(WIDTH)))
    }
}

/// Positions of one netting set: rows of its tables, ascending, and signed lots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) row: &'a [u32],
    pub(super) lots: &'a [f64],
}

#[inline(always)]
fn block_losses(rows: &[Row], held: Held<'_>, unit: f64) -> [f64; WIDTH] {
    let mut sums = [0.0; WIDTH];
    let positions = held.row.iter().zip(held.lots);
    if unit == 0.0 {
        for (&row, &lots) in positions {
            let losses = &rows[row as usize].0;
            for k in 0..WIDTH {
                sums[k] = lots.mul_add(losses[k], sums[k]);
            }
        }
        return sums;
    }
    // Each position's amount is rounded before it is summed: HKSCC, Initial Margin Calculation Guide v1.4, footnotes 20 to
    // 22 and 24 to 26 (market value times return, to whole dollars).
    for (&row, &lots) in positions {
        for (sum, loss) in sums.iter_mut().zip(&rows[row as usize].0) {
            *sum += (lots * loss / unit).round() * unit;
        }
    }
    sums
}

/// Every loss of one book, in scenario order.
pub(super) fn losses(table: &LossTable, held: Held<'_>, unit: f64, out: &mut Vec<f64>) {
    struct All<'a>(&'a LossTable, Held<'a>, f64, &'a mut Vec<f64>);
    impl Kernel for All<'_> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            for (rows, _, count) in self.0.blocks() {
                let sums = block_losses(rows, self.1, self.2);
                self.3.extend_from_slice(&sums[..count]);
            }
        }
    }
    out.clear();
    simd::run(All(table, held, unit, out));
}

/// The worst losses of a book, worst first, with their scenarios. Callers set the depth by the length.
#[derive(Debug)]
pub(super) struct Tail<'a> {
    pub(super) loss: &'a mut [f64],
    pub(super) scenario: &'a mut [u32],
}

impl Tail<'_> {
    /// Empties the tail, which then takes only losses above a bound.
    fn clear(&mut self, bound: f64) {
        self.loss.fill(bound);
        self.scenario.fill(0);
    }

    #[inline(always)]
    fn take(&mut self, sums: &[f64; WIDTH], first: usize, count: usize) {
        let last = self.loss.len() - 1;
        let bound = self.loss[last];
        // One bit for each loss above the mildest kept; columns past the last scenario have none.
        let mut above = 0_u32;
        for (k, &sum) in sums.iter().enumerate() {
            above |= u32::from(sum > bound) << k;
        }
        above &= (1 << count) - 1;
        while above != 0 {
            let k = above.trailing_zeros();
            above &= above - 1;
            let sum = sums[k as usize];
            if sum > self.loss[last] {
                self.insert(sum, first as u32 + k);
            }
        }
    }

    fn insert(&mut self, loss: f64, scenario: u32) {
        let mut at = self.loss.len() - 1;
        while at > 0 && self.loss[at - 1] < loss {
            self.loss[at] = self.loss[at - 1];
            self.scenario[at] = self.scenario[at - 1];
            at -= 1;
        }
        self.loss[at] = loss;
        self.scenario[at] = scenario;
    }

    /// Fills itself from all losses: by running selection, or by partition where the tail is deep.
    pub(super) fn select(&mut self, losses: &[f64], order: &mut Vec<u32>) {
        let depth = self.loss.len();
        if depth <= DEEPEST {
            self.clear(f64::NEG_INFINITY);
            for (b, chunk) in losses.chunks(WIDTH).enumerate() {
                let mut sums = [f64::NEG_INFINITY; WIDTH];
                sums[..chunk.len()].copy_from_slice(chunk);
                self.take(&sums, b * WIDTH, chunk.len());
            }
            return;
        }
        let worse = |&a: &u32, &b: &u32| {
            let (x, y) = (losses[a as usize], losses[b as usize]);
            y.partial_cmp(&x)
                .unwrap_or(std::cmp::Ordering::Equal)
                .then(a.cmp(&b))
        };
        order.clear();
        order.extend(0..losses.len() as u32);
        if depth < order.len() {
            order.select_nth_unstable_by(depth - 1, worse);
        }
        order[..depth].sort_unstable_by(worse);
        for (i, &s) in order[..depth].iter().enumerate() {
            self.scenario[i] = s;
            self.loss[i] = losses[s as usize];
        }
    }
}

/// The tail of one book without storing its losses; at most [`DEEPEST`] deep.
pub(super) fn worst(table: &LossTable, held: Held<'_>, unit: f64, tail: &mut Tail<'_>) {
    struct One<'a, 'b>(&'a LossTable, Held<'a>, f64, &'a mut Tail<'b>);
    impl Kernel for One<'_, '_> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            for (rows, first, count) in self.0.blocks() {
                let sums = block_losses(rows, self.1, self.2);
                self.3.take(&sums, first, count);
            }
        }
    }
    tail.clear(f64::NEG_INFINITY);
    simd::run(One(table, held, unit, tail));
}

/// The tail of kept losses with one more row: a sum and a running selection in one pass. As many losses as the tail is
/// deep lie above `bound`, so that what is below need not be looked at.
pub(super) fn worst_after(
    table: &LossTable,
    losses: &[f64],
    row: usize,
    lots: f64,
    bound: f64,
    tail: &mut Tail<'_>,
) {
    struct More<'a, 'b>(&'a LossTable, &'a [f64], usize, f64, &'a mut Tail<'b>);
    impl Kernel for More<'_, '_> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            for (rows, first, count) in self.0.blocks() {
                let own = &rows[self.2].0;
                let kept = &self.1[first..first + count];
                let mut sums = [f64::NEG_INFINITY; WIDTH];
                if let Ok(kept) = <&[f64; WIDTH]>::try_from(kept) {
                    for k in 0..WIDTH {
                        sums[k] = self.3.mul_add(own[k], kept[k]);
                    }
                } else {
                    for ((sum, &loss), &k) in sums.iter_mut().zip(own).zip(kept) {
                        *sum = self.3.mul_add(loss, k);
                    }
                }
                self.4.take(&sums, first, count);
            }
        }
    }
    tail.clear(bound);
    simd::run(More(table, losses, row, lots, tail));
}

/// The tails of many books: block by block over all of them, so that a block of the table stays in the cache.
/// Book `a` holds positions `start[a] .. start[a + 1]` and owns `depth` entries of `loss` and `scenario`.
pub(super) fn worst_of_many(
    table: &LossTable,
    start: &[usize],
    held: Held<'_>,
    unit: f64,
    depth: usize,
    loss: &mut [f64],
    scenario: &mut [u32],
) -> Result<()> {
    struct Many<'a> {
        table: &'a LossTable,
        start: &'a [usize],
        held: Held<'a>,
        unit: f64,
        depth: usize,
        loss: &'a mut [f64],
        scenario: &'a mut [u32],
    }
    impl Kernel for Many<'_> {
        type Output = Result<()>;
        #[inline(always)]
        fn run(self) -> Result<()> {
            for (rows, first, count) in self.table.blocks() {
                interrupt::check()?;
                let books = self.start.windows(2);
                let tails = self
                    .loss
                    .chunks_exact_mut(self.depth)
                    .zip(self.scenario.chunks_exact_mut(self.depth));
                for (range, (loss, scenario)) in books.zip(tails) {
                    let own = Held {
                        row: &self.held.row[range[0]..range[1]],
                        lots: &self.held.lots[range[0]..range[1]],
                    };
                    let sums = block_losses(rows, own, self.unit);
                    Tail { loss, scenario }.take(&sums, first, count);
                }
            }
            Ok(())
        }
    }
    Tail {
        loss: &mut *loss,
        scenario: &mut *scenario,
    }
    .clear(f64::NEG_INFINITY);
    simd::run(Many {
        table,
        start,
        held,
        unit,
        depth,
        loss,
        scenario,
    })
}
