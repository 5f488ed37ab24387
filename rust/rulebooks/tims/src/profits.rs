//! Profits at the scan points and at a house's overlay points, by class group.

use super::book::Book;
use super::parameters::POINTS;
use engine::profits::Profits;

impl Book {
    /// A set for every class group, then one for each of its overlays.
    pub(super) fn scan_profits(&self) -> Vec<Profits> {
        let currency = self.frame.currencies.report();
        let rows = |class: usize| {
            let own = self.class_of.iter().enumerate();
            own.filter(move |own| *own.1 as usize == class)
                .map(|own| own.0)
        };
        let mut found = Vec::new();
        for (class, group) in self.class_groups.iter().enumerate() {
            let mut set = Profits::new(group.name.clone(), currency, group.labels.clone());
            for row in rows(class) {
                set.push(row as u32, self.scan[row].0[..POINTS].iter().copied());
            }
            found.push(set);
            for overlay in self.overlays.iter().filter(|o| o.width > 0) {
                let labels = overlay.labels[class].clone();
                let points = labels.len();
                let scope = format!("{}: {}", group.name, overlay.name);
                let mut set = Profits::new(scope, currency, labels);
                for row in rows(class) {
                    let own = &overlay.profit[row * overlay.width..][..points];
                    set.push(row as u32, own.iter().copied());
                }
                found.push(set);
            }
        }
        found
    }
}
