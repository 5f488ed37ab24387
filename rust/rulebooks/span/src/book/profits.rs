//! Profits in the scenarios of every combined commodity: its contracts' arrays, whose sign is a loss's.

use super::compiled::Book;
use crate::program::{NONE, Program};
use engine::profits::Profits;
use engine::scan::WIDTH;

impl Book {
    /// In the commodity's currency. Of an extreme move, the part that counts. A contract that cannot be margined is in none.
    pub(super) fn array_profits(&self) -> Vec<Profits> {
        let program = &self.program;
        let labels: Vec<String> = (0..program.points.len())
            .map(|s| self.point_label(s))
            .collect();
        let labels: std::sync::Arc<[String]> = labels.into();
        let points = program.points.len();
        let mut sets: Vec<Profits> = (program.commodities.iter())
            .map(|c| Profits::new(c.code.clone(), &c.currency_name, labels.clone()))
            .collect();
        // Of a contract in a commodity: its own array and those of its parts there.
        let mut sums: Vec<(u32, Vec<f64>)> = Vec::new();
        for (contract, terms) in program.terms.iter().enumerate() {
            if terms.problem != NONE {
                continue;
            }
            sums.clear();
            let own = std::iter::once((terms.commodity, (contract * program.blocks) as u32));
            let parts = program.parts[Program::range(terms.parts)].iter();
            for (commodity, first) in own.chain(parts.map(|p| (p.commodity, p.row))) {
                let at = match sums.iter().position(|s| s.0 == commodity) {
                    Some(at) => at,
                    None => {
                        sums.push((commodity, vec![0.0; points]));
                        sums.len() - 1
                    }
                };
                if first == NONE {
                    continue;
                }
                for (s, profit) in sums[at].1.iter_mut().enumerate() {
                    *profit -= program.rows[first as usize + s / WIDTH].0[s % WIDTH];
                }
            }
            for (commodity, profit) in sums.drain(..) {
                sets[commodity as usize].push(contract as u32, profit.into_iter());
            }
        }
        sets
    }
}
