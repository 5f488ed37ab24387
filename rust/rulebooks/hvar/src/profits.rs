//! Profits in the scenarios of every component, set by set.

use super::book::Book;
use engine::profits::Profits;

impl Book {
    /// In the report's currency, before positions are rounded. A component whose risk is given has no scenarios.
    pub(super) fn scenario_profits(&self) -> Vec<Profits> {
        let currency = self.frame.currencies.report();
        let mut found = Vec::new();
        for set in &self.sets {
            for component in &set.components {
                let mut first = 0;
                for (i, part) in component.parts.iter().enumerate() {
                    let count = part.table.scenarios;
                    let scope = match component.parts.len() {
                        1 => format!("{}: {}", set.name, component.name),
                        _ => format!("{}: {}: set {}", set.name, component.name, i + 1),
                    };
                    let labels = component.labels[first..first + count].into();
                    let mut own = Profits::new(scope, currency, labels);
                    for (row, &contract) in set.contracts.iter().enumerate() {
                        // A zero stays a positive one.
                        own.push(contract, (0..count).map(|s| 0.0 - part.table.get(row, s)));
                    }
                    found.push(own);
                    first += count;
                }
            }
        }
        found
    }
}
