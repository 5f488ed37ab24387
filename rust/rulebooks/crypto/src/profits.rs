//! Profits in the scenarios of every unit: what its sum takes of each contract.

use super::book::Book;
use super::parameters::Model;
use engine::profits::Profits;
use kernel::error::Result;
use kernel::fail;

impl Book {
    /// In the unit's currency, before dampening, offsets by spot and shares of gains, which are of sums.
    pub(super) fn unit_profits(&self) -> Result<Vec<Profits>> {
        if self.parameters.model == Model::Pmrm {
            fail!(
                Unsupported,
                "{}: its manager weighs scenarios by expiry, which no profit of a contract shows",
                self.parameters.venue
            );
        }
        let sets = self.units.iter().enumerate().map(|(u, unit)| {
            let name = self.frame.currencies.name(unit.currency);
            let plan = &unit.plan;
            let mut set = Profits::new(unit.label(), name, plan.labels.clone());
            let own = |row: &&super::sums::RowTerms| row.unit as usize == u;
            for (contract, row) in self.rows.iter().enumerate().filter(|r| own(&r.1)) {
                if self.is_collateral(row) {
                    continue;
                }
                // The first two lanes hold what is no option.
                let is_option = row.lane >= 2;
                let table = unit.table(unit.lanes[row.lane as usize]);
                let cells = &table[row.offset as usize..][..plan.scenarios.len()];
                let profit = cells.iter().enumerate().map(|(s, cell)| {
                    let (of_pnl, of_mark) = plan.options[s];
                    if is_option {
                        row.scale * cell * of_pnl + row.coin_mark * of_mark
                    } else {
                        row.scale * cell * plan.others[s]
                    }
                });
                set.push(contract as u32, profit);
            }
            set
        });
        Ok(sets.collect())
    }
}
