//! A compiled table under another market: only the contracts that moved are compiled again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::arrays::SCAN;
use super::book::Book;
use super::parameters::{POINTS, Parameters};
use super::placement::Placements;
use super::row::Row;
use engine::cells::{RiskArrays, RiskBlock};
use engine::market::Market;
use kernel::error::Result;

impl Book {
    /// The book of other arrays and marks, to the last bit that of compiling anew. None where the table was placed again
    /// or is priced in other blocks.
    pub(super) fn moved(
        &self,
        parameters: &Parameters,
        placements: &Arc<Placements>,
        market: Option<&Arc<Market>>,
        before: &RiskArrays,
        arrays: &RiskArrays,
    ) -> Result<Option<Self>> {
        let pairs = || before.blocks.iter().zip(&arrays.blocks);
        let alike = |(a, b): (&Arc<RiskBlock>, &Arc<RiskBlock>)| {
            Arc::ptr_eq(a, b)
                || (a.scope == b.scope && a.scenarios == b.scenarios && a.contract == b.contract)
        };
        if !Arc::ptr_eq(&self.placements, placements)
            || self.overlays.iter().any(|o| o.name == SCAN)
            || before.blocks.len() != arrays.blocks.len()
            || !pairs().all(alike)
        {
            return Ok(None);
        }
        let mut book = self.clone();
        book.frame.valuation = market.map(|m| m.snapshot().valuation.clone());
        book.market = market.cloned();
        book.notes = arrays.notes.iter().cloned().collect();
        // Values of the rows to finish; those that no block has are looked up by their marks below.
        let mut moved: BTreeMap<u32, Option<f64>> = BTreeMap::new();
        for (old, new) in pairs().filter(|(a, b)| !Arc::ptr_eq(a, b)) {
            let rows = (0..new.contract.len()).filter(|&i| {
                let differ = |(a, b): (&f64, &f64)| a.to_bits() != b.to_bits();
                differ((&old.value[i], &new.value[i]))
                    || old.row(i).iter().zip(new.row(i)).any(differ)
            });
            let overlay = book.overlays.iter_mut().find(|o| o.name == new.scope);
            let overlay = overlay.filter(|_| new.scope != SCAN);
            if let Some(overlay) = overlay {
                for i in rows {
                    let from = new.contract[i] as usize * overlay.width;
                    overlay.profit[from..from + new.scenarios].copy_from_slice(new.row(i));
                }
                continue;
            }
            for i in rows {
                moved.insert(new.contract[i], Some(new.value[i]));
                book.scan[new.contract[i] as usize] = Row::default();
                book.scan[new.contract[i] as usize].0[..POINTS].copy_from_slice(new.row(i));
            }
        }
        let contracts = self.frame.contracts.clone();
        let mark = |market: Option<&Arc<Market>>, row| {
            market
                .and_then(|m| m.price(&contracts, row))
                .map(f64::to_bits)
        };
        let marked = (0..contracts.len() as u32)
            .filter(|&row| mark(self.market.as_ref(), row) != mark(market, row));
        let marked: Vec<u32> = marked.filter(|row| !moved.contains_key(row)).collect();
        if !marked.is_empty() {
            // A mark may be gone: then the model's value counts again.
            let mut values = vec![None; contracts.len()];
            for block in arrays.blocks.iter().filter(|b| b.scope == SCAN) {
                for (&row, &value) in block.contract.iter().zip(&block.value) {
                    values[row as usize] = Some(value);
                }
            }
            for row in marked {
                book.scan[row as usize].0[POINTS..].fill(0.0);
                moved.insert(row, values[row as usize]);
            }
        }
        for (row, value) in moved {
            book.terms[row as usize] = book.finish_row(parameters, row, value)?;
        }
        Ok(Some(book))
    }
}
