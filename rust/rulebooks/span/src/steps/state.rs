//! Working memory, and the loading of positions into vectors and deltas.
//!
//! A contract's delta is its composite delta times the scales of its family's link (`sc` of `pfLink`) and of its series
//! (record B, columns 86 to 91); deltas net within the month of the underlying future (`oopDeltaMeth` PERIOD: of the
//! option, where the underlying is physical). `compile/terms.rs` has multiplied them.

use super::amounts::Amounts;
use crate::program::{NONE, Program, Terms};
use engine::account::Positions;
use engine::scan::{Row, WIDTH};
use kernel::error::Result;
use kernel::float::larger;
use kernel::simd::{self, Kernel};

/// One commodity of a portfolio: its amounts, and where it stands between the steps.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    pub(crate) amounts: Amounts,
    /// The scenario of the scan risk.
    pub(crate) active: usize,
    /// Spreads formed within the commodity.
    pub(crate) intra_spreads: f64,
    /// Contracts of the spot product, long and short alike.
    pub(super) spot_position: f64,
    pub(super) long_only: bool,
    pub(super) touched: bool,
    /// Its vector is [`State::merged`] since a scanning-based spread, and its net delta `merged_net`.
    pub(super) merged: bool,
    pub(super) merged_net: f64,
    /// Its risk and deltas have moved to the target of such a spread.
    pub(super) moved: bool,
}

/// Working memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// Cells by stride of whole 16-wide blocks.
    pub(super) vectors: Vec<f64>,
    pub(super) merged: Vec<f64>,
    pub(super) one: Vec<f64>,
    pub(crate) original: Vec<f64>,
    pub(crate) left: Vec<f64>,
    pub(super) used_intra: Vec<f64>,
    pub(super) used_inter: Vec<f64>,
    pub(super) range: Vec<f64>,
    pub(super) som_calls: Vec<f64>,
    pub(super) som_puts: Vec<f64>,
    /// Weighted futures price risk by commodity and tier; NaN where not yet known.
    pub(super) weights: Vec<f64>,
    pub(crate) held: Vec<Held>,
    /// The commodities held, in order.
    pub(crate) touched: Vec<u32>,
    pub(super) tier_first: Vec<u32>,
    pub(super) joined: Joined,
}

/// A scanning-based spread's legs while they are brought together.
#[derive(Debug, Clone, Default)]
pub(super) struct Joined {
    /// Which of the spread's legs are held.
    pub(super) legs: Vec<usize>,
    /// Their vectors in the target's currency, one after another.
    pub(super) columns: Vec<f64>,
    pub(super) combined: Vec<f64>,
    pub(super) losses: Vec<f64>,
}

/// The long or the short side of a gross account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    contract: Vec<u32>,
    quantity: Vec<i64>,
}

impl Side {
    /// Takes over one side of positions that keep long and short apart.
    pub(crate) fn assign(&mut self, positions: Positions<'_>, long: bool) {
        self.contract.clear();
        self.quantity.clear();
        for i in 0..positions.len() {
            let lots = if long {
                positions.long(i)
            } else {
                -positions.short(i)
            };
            if lots != 0 {
                self.contract.push(positions.contract[i]);
                self.quantity.push(lots);
            }
        }
    }

    pub(crate) fn positions(&self) -> Positions<'_> {
        Positions {
            contract: &self.contract,
            quantity: &self.quantity,
            short: None,
        }
    }
}

/// Adds every position's array to its cell, in position order; arrays of some commodities only.
struct Load<'a, F: Fn(u32) -> bool> {
    program: &'a Program,
    positions: Positions<'a>,
    of: F,
    vectors: &'a mut [f64],
}

impl<F: Fn(u32) -> bool> Kernel for Load<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let blocks = self.program.blocks;
        for (&contract, &quantity) in self.positions.contract.iter().zip(self.positions.quantity) {
            let q = quantity as f64;
            let terms = &self.program.terms[contract as usize];
            if (self.of)(terms.commodity) {
                add(
                    &self.program.rows,
                    contract as usize * blocks,
                    q,
                    self.vectors,
                    terms.cell as usize * blocks,
                    blocks,
                );
            }
            for part in &self.program.parts[Program::range(terms.parts)] {
                if part.row != NONE && (self.of)(part.commodity) {
                    add(
                        &self.program.rows,
                        part.row as usize,
                        q,
                        self.vectors,
                        part.cell as usize * blocks,
                        blocks,
                    );
                }
            }
        }
    }
}

#[inline(always)]
fn add(rows: &[Row], row: usize, q: f64, vectors: &mut [f64], cell: usize, blocks: usize) {
    for b in 0..blocks {
        let source = &rows[row + b].0;
        let at = (cell + b) * WIDTH;
        let Some(sum) = vectors[at..].first_chunk_mut::<WIDTH>() else {
            unreachable!("cells are whole blocks")
        };
        for k in 0..WIDTH {
            sum[k] = q.mul_add(source[k], sum[k]);
        }
    }
}

impl State {
    /// Sizes the memory for a program; a no-op when warm.
    fn fit(&mut self, program: &Program) {
        let stride = program.blocks * WIDTH;
        let (tiers, scanning) = (program.tiers, program.scanning);
        if self.vectors.len() == program.cells * stride
            && self.left.len() == program.periods.len()
            && self.held.len() == program.commodities.len()
            && self.weights.len() == tiers
            && self.som_calls.len() == program.som_slots
            && self.merged.is_empty() != scanning
        {
            return;
        }
        *self = Self {
            vectors: vec![0.0; program.cells * stride],
            merged: vec![
                0.0;
                if scanning {
                    program.commodities.len() * stride
                } else {
                    0
                }
            ],
            one: vec![0.0; stride],
            original: vec![0.0; program.periods.len()],
            left: vec![0.0; program.periods.len()],
            used_intra: vec![0.0; program.periods.len()],
            used_inter: vec![0.0; program.periods.len()],
            range: vec![0.0; program.periods.len()],
            som_calls: vec![0.0; program.som_slots],
            som_puts: vec![0.0; program.som_slots],
            weights: vec![f64::NAN; tiers],
            held: vec![Held::default(); program.commodities.len()],
            touched: Vec::with_capacity(program.commodities.len()),
            tier_first: program
                .commodities
                .iter()
                .scan(0, |first, c| {
                    let own = *first;
                    *first += c.inter_tiers.len() as u32;
                    Some(own)
                })
                .collect(),
            joined: Joined::default(),
        };
    }

    /// Whether the portfolio is nothing but long premium-style options.
    pub(crate) fn long_only(&self) -> bool {
        self.touched
            .iter()
            .all(|&c| self.held[c as usize].long_only)
    }

    fn touch(&mut self, program: &Program, commodity: u32) {
        let held = &mut self.held[commodity as usize];
        if held.touched {
            return;
        }
        *held = Held {
            touched: true,
            long_only: true,
            ..Held::default()
        };
        self.touched.push(commodity);
        let cc = &program.commodities[commodity as usize];
        let cells = Program::range(cc.cells);
        let stride = program.blocks * WIDTH;
        self.vectors[cells.start * stride..cells.end * stride].fill(0.0);
        for list in [
            &mut self.original,
            &mut self.left,
            &mut self.used_intra,
            &mut self.used_inter,
            &mut self.range,
        ] {
            list[Program::range(cc.periods)].fill(0.0);
        }
        let som = cc.som_first as usize..cc.som_first as usize + cc.som.len();
        self.som_calls[som.clone()].fill(0.0);
        self.som_puts[som].fill(0.0);
        let first = self.tier_first[commodity as usize] as usize;
        self.weights[first..first + cc.inter_tiers.len()].fill(f64::NAN);
    }

    fn move_delta(&mut self, period: u32, delta: f64, range: f64) {
        let p = period as usize;
        self.original[p] += delta;
        self.range[p] = larger(range, self.range[p]);
    }

    /// Adds positions, long and short netted, to vectors and deltas; nothing is spread yet.
    pub(crate) fn load(&mut self, program: &Program, positions: Positions<'_>) -> Result<()> {
        self.clear(program);
        self.enter(program, positions, |_| true)
    }

    /// As [`Self::load`], for positions that differ from those of `kept` in the commodities of `fresh` only: the others
    /// are taken over.
    pub(crate) fn reload(
        &mut self,
        program: &Program,
        positions: Positions<'_>,
        kept: &Self,
        fresh: &[u32],
    ) -> Result<()> {
        self.clear(program);
        for &commodity in kept.touched.iter().filter(|c| !fresh.contains(c)) {
            self.take(program, kept, commodity);
        }
        self.enter(program, positions, |c| fresh.contains(&c))
    }

    fn clear(&mut self, program: &Program) {
        for &commodity in &self.touched {
            self.held[commodity as usize].touched = false;
        }
        self.touched.clear();
        self.fit(program);
    }

    /// Takes over one commodity as another state has loaded and scanned it.
    fn take(&mut self, program: &Program, kept: &Self, commodity: u32) {
        self.touched.push(commodity);
        self.held[commodity as usize] = kept.held[commodity as usize];
        let cc = &program.commodities[commodity as usize];
        let stride = program.blocks * WIDTH;
        let (cells, periods) = (Program::range(cc.cells), Program::range(cc.periods));
        let cells = cells.start * stride..cells.end * stride;
        let som = cc.som_first as usize..cc.som_first as usize + cc.som.len();
        let first = self.tier_first[commodity as usize] as usize;
        for (own, other, at) in [
            (&mut self.vectors, &kept.vectors, cells),
            (&mut self.original, &kept.original, periods.clone()),
            (&mut self.range, &kept.range, periods.clone()),
            (&mut self.som_calls, &kept.som_calls, som.clone()),
            (&mut self.som_puts, &kept.som_puts, som),
            (
                &mut self.weights,
                &kept.weights,
                first..first + cc.inter_tiers.len(),
            ),
        ] {
            own[at.clone()].copy_from_slice(&other[at]);
        }
        self.used_intra[periods.clone()].fill(0.0);
        self.used_inter[periods].fill(0.0);
    }

    /// Adds what positions have in some commodities; then every delta is there to be spread.
    fn enter(
        &mut self,
        program: &Program,
        positions: Positions<'_>,
        of: impl Fn(u32) -> bool,
    ) -> Result<()> {
        for (&contract, &quantity) in positions.contract.iter().zip(positions.quantity) {
            let terms: &Terms = &program.terms[contract as usize];
            if terms.problem != NONE {
                return Err(program.problems[terms.problem as usize].clone());
            }
            let q = quantity as f64;
            for part in &program.parts[Program::range(terms.parts)] {
                if of(part.commodity) {
                    self.touch(program, part.commodity);
                }
            }
            if of(terms.commodity) {
                self.touch(program, terms.commodity);
                self.move_delta(terms.period, q * terms.delta, terms.range);
            }
            for part in &program.parts[Program::range(terms.parts)] {
                if of(part.commodity) {
                    self.move_delta(part.period, q * part.delta, part.range);
                }
            }
            if !of(terms.commodity) {
                continue;
            }
            let held = &mut self.held[terms.commodity as usize];
            held.amounts.nov += q * terms.value;
            held.long_only &= terms.premium && quantity > 0;
            if terms.spot {
                held.spot_position += q.abs();
            }
            // Record 4, columns 63 to 69, per short option. That the family's scale weighs it is inferred.
            if quantity < 0 && terms.som != NONE {
                let counts = if terms.is_call {
                    &mut self.som_calls
                } else {
                    &mut self.som_puts
                };
                counts[terms.som as usize] -= q * terms.weight;
            }
        }
        self.touched.sort_unstable();
        simd::run(Load {
            program,
            positions,
            of,
            vectors: &mut self.vectors,
        });
        for &commodity in &self.touched {
            for p in Program::range(program.commodities[commodity as usize].periods) {
                self.left[p] = self.original[p];
            }
        }
        Ok(())
    }
}
