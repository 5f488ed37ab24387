//! Slots of periods, and the legs that combinations are found by.

use std::collections::{BTreeMap, BTreeSet};

use super::compiler::Compiler;
use crate::model::*;
use crate::program::*;

impl Compiler<'_> {
    pub(super) fn index_combinations(&mut self) {
        let file = self.file;
        let combined = file.series.iter().any(|s| {
            matches!(
                file.families[s.family as usize].kind,
                ContractKind::Combination | ContractKind::OptionOnCombination
            )
        });
        if !combined {
            return;
        }
        for (row, number) in file.contracts.number.iter().enumerate() {
            let (series, family) = (file.series_of(row), file.family_of(row));
            if !family.kind.is_option() {
                let key = if *number == 0 {
                    series.period.clone()
                } else {
                    number.to_string()
                };
                self.by_number
                    .insert((&family.exchange, &family.id, key), row as u32);
            }
        }
    }

    /// One slot per (commodity, period) that a contract of the table or a merging leg may need, in period order.
    pub(super) fn periods(&mut self, rows: &[u32]) {
        let file = self.file;
        let mut names: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        for &row in rows {
            let row = row as usize;
            let legs = if self.by_number.is_empty() {
                Vec::new()
            } else {
                self.legs(row).unwrap_or_default()
            };
            for r in legs.iter().map(|l| l.0).chain([row]) {
                if let Some(commodity) = file.family_of(r).commodity {
                    names
                        .entry(commodity)
                        .or_default()
                        .insert(file.series_of(r).delta_period.clone());
                }
            }
        }
        self.share_periods(&mut names);
        for (commodity, cc) in file.commodities.iter().enumerate() {
            let commodity = commodity as u32;
            for name in names.remove(&commodity).unwrap_or_default() {
                let slot = self.program.periods.len() as u32;
                let in_delivery = cc.spot_rates.iter().any(|s| s.period == name);
                self.program.periods.push(Period {
                    name: name.clone(),
                    in_delivery,
                });
                self.slots.insert((commodity, name), slot);
            }
        }
    }

    /// The legs of a scanning-based spread get the same periods, because one takes over the deltas of the others;
    /// what one spread brings in, the next may pass on.
    fn share_periods(&self, names: &mut BTreeMap<u32, BTreeSet<String>>) {
        let file = self.file;
        let spreads = file.super_spreads.iter().chain(&file.inter_spreads);
        let groups: Vec<Vec<u32>> = spreads
            .chain(&file.exchange_spreads)
            .filter(|s| s.scanning)
            .map(|s| {
                s.legs
                    .iter()
                    .filter_map(|l| self.leg_commodity(l))
                    .collect()
            })
            .collect();
        let mut changed = true;
        while changed {
            changed = false;
            for legs in &groups {
                let all: BTreeSet<String> = legs
                    .iter()
                    .filter_map(|c| names.get(c))
                    .flatten()
                    .cloned()
                    .collect();
                for commodity in legs {
                    let own = names.entry(*commodity).or_default();
                    if own.len() != all.len() {
                        own.clone_from(&all);
                        changed = true;
                    }
                }
            }
        }
    }
}
