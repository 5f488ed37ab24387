//! Offsets between products in part: EMIR RTS 153/2013 Article 27 (4).
//!
//! With `g` the sum of what each product of a netting set needs alone and `m` what they need together, at most a share
//! of `g - m` is granted: the margin is `max(m, g - share (g - m))`.

use std::collections::BTreeMap;

use super::book::{Book, SetBook};
use super::parameters::{OffsetCap, Parameters};
use super::requirement::{SetPositions, Side};
use super::risk::RiskScratch;
use engine::contract::{ContractIndex, Contracts};
use engine::report::Totals;
use kernel::error::Result;

/// The products of one netting set.
#[derive(Debug, Default)]
pub(super) struct Products {
    pub(super) names: Vec<String>,
    /// By row of the netting set.
    of: Vec<u32>,
}

impl Products {
    /// Products in the order of their names; none where offsets are granted in full.
    pub(super) fn new(
        parameters: &Parameters,
        contracts: &Contracts,
        members: &[ContractIndex],
    ) -> Self {
        let Some(OffsetCap { products, .. }) = &parameters.offset_cap else {
            return Self::default();
        };
        let names = members.iter().map(|&row| {
            let keys = [
                contracts.rows()[row as usize].id(),
                contracts.root_symbol(row),
            ];
            let named = keys.iter().find_map(|k| products.get(*k));
            named.map_or(keys[1], String::as_str)
        });
        let mut numbers: BTreeMap<&str, u32> = names.clone().map(|name| (name, 0)).collect();
        for (number, own) in numbers.values_mut().enumerate() {
            *own = number as u32;
        }
        Self {
            of: names.map(|name| numbers[name]).collect(),
            names: numbers.into_keys().map(str::to_string).collect(),
        }
    }
}

impl Book {
    /// The sum of what the products of every netting set need alone, where offsets between them are granted in part.
    pub(super) fn gross(
        &self,
        positions: &[SetPositions],
        scratch: &mut RiskScratch,
        out: &mut Vec<Option<f64>>,
    ) -> Result<()> {
        out.clear();
        if self.offset_share.is_none() {
            out.resize(self.sets.len(), None);
            return Ok(());
        }
        for (set, positions) in self.sets.iter().zip(positions) {
            let alone = self.alone(set, positions, scratch)?;
            out.push(Some(alone.iter().fold(0.0, |sum, own| sum + own.1)));
        }
        Ok(())
    }

    /// What each product held needs alone, in order: (product, margin).
    pub(super) fn alone(
        &self,
        set: &SetBook,
        positions: &SetPositions,
        scratch: &mut RiskScratch,
    ) -> Result<Vec<(usize, f64)>> {
        let mut out = Vec::new();
        let mut parts = vec![(0.0, 0); self.parts];
        for product in 0..set.products.names.len() {
            let own = positions.only(|row| set.products.of[row as usize] as usize == product);
            if own.is_empty() {
                continue;
            }
            self.measure_set(set, &own, &mut parts, scratch)?;
            let margin = self.charge_set(set, Side::Net, &parts, None, &mut Totals::default());
            out.push((product, margin));
        }
        Ok(out)
    }
}
