//! Options with cash dividends, which are escrowed (Hull, section 21.3): American ones on trinomial lattices, and those of a
//! rulebook that names the tree as its model on a Cox-Ross-Rubinstein tree; European ones by the closed formula on the
//! escrowed spot.

use super::tree_cell::TreeCell;
use super::{Block, RiskBlock, Scenarios};
use kernel::error::{MarginError, Result};
use kernel::parallel;
use kernel::pricing::black;
use kernel::pricing::escrowed;
use kernel::pricing::implied;
use kernel::pricing::tree::{self, DividendTreatment, TreeInputs};

pub(super) fn price(block: &Block, result: &mut RiskBlock, threads: usize) -> Result<()> {
    let count = block.scenarios.price.len();
    let width = count + 1;
    let first_option = block.european.len() + block.american.len();
    let mut values = vec![0.0; block.trees.len() * width];
    parallel::chunks(&mut values, width, threads, 1, |first, out| {
        for (row, out) in out.chunks_mut(width).enumerate() {
            let cell = &block.trees[first + row];
            let option = first_option + first + row;
            let vol_move = |s: usize| block.scenarios.vol.at(option, s, count);
            cell.price_into(&block.scenarios, vol_move, out)?;
        }
        Ok(())
    })?;
    for (cell, values) in block.trees.iter().zip(values.chunks(width)) {
        let base = cell.base.unwrap_or(values[0]);
        result.contract.push(cell.contract);
        result.value.push(base * cell.scale);
        result
            .pnl
            .extend(values[1..].iter().map(|v| (v - base) * cell.scale));
    }
    Ok(())
}

impl TreeCell {
    /// The vol at which the cell's own price is `mark`.
    pub(crate) fn implied_vol(&self, mark: f64) -> Result<f64> {
        if !self.american {
            let spot = self.escrowed_spot(self.spot, self.years)?;
            return implied::black_one(
                mark,
                spot,
                self.strike,
                self.years,
                self.rate,
                self.dividend_yield,
                self.right,
            )
            .map_err(|status| MarginError::CalculationError(status.message().into()));
        }
        tree::implied_vol(
            &self.inputs(0.0, 0.0),
            mark,
            self.american,
            self.scheme,
            self.steps,
            DividendTreatment::Escrowed,
        )
    }

    /// What diffuses of a spot: the dividends before expiry are taken off at their present value.
    pub(super) fn escrowed_spot(&self, spot: f64, years: f64) -> Result<f64> {
        let carry = self.rate - self.dividend_yield;
        escrowed::diffusing(spot, &self.dividends, years, carry)
    }

    /// Prices at several spots.
    pub(super) fn price_spots(
        &self,
        vol: f64,
        roll: f64,
        spots: &[f64],
        out: &mut [f64],
    ) -> Result<()> {
        if self.american {
            return tree::price_spots(
                &self.inputs(vol, roll),
                spots,
                true,
                self.scheme,
                self.steps,
                DividendTreatment::Escrowed,
                out,
            );
        }
        let years = self.years - roll;
        for (out, &spot) in out.iter_mut().zip(spots) {
            *out = black::price_one(
                self.escrowed_spot(spot, years)?,
                self.strike,
                years,
                self.rate,
                self.dividend_yield,
                vol,
                self.right,
            );
        }
        Ok(())
    }

    pub(super) fn inputs(&self, vol: f64, roll: f64) -> TreeInputs<'_> {
        TreeInputs {
            spot: self.spot,
            strike: self.strike,
            years: self.years - roll,
            rate: self.rate,
            dividend_yield: self.dividend_yield,
            vol,
            right: self.right,
            dividends: &self.dividends,
        }
    }

    /// The unmoved value, then one per scenario. Scenarios that share a volatility share a call.
    fn price_into(
        &self,
        scenarios: &Scenarios,
        vol_move: impl Fn(usize) -> f64,
        out: &mut [f64],
    ) -> Result<()> {
        self.price_spots(self.vol, 0.0, &[self.spot], &mut out[..1])?;
        let count = scenarios.price.len();
        let mut from = 0;
        while from < count {
            let vol = vol_move(from);
            let to = (from + 1..count)
                .find(|&s| vol_move(s) != vol)
                .unwrap_or(count);
            let spots: Vec<f64> = scenarios.price[from..to]
                .iter()
                .map(|m| self.spot * (1.0 + m))
                .collect();
            let moved = self.vol + vol;
            self.price_spots(
                if moved > 0.0 { moved } else { 0.0 },
                scenarios.roll,
                &spots,
                &mut out[1 + from..=to],
            )?;
            from = to;
        }
        Ok(())
    }
}
