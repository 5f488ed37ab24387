//! The rows of the program: capacities, balance and expiry order of the spreads, their maximum loss.

use super::super::rules::{Right, Series};
use super::super::simplex::Simplex;
use super::Member;
use super::Program;

impl Program {
    /// Writes the linear program. Costs are scaled to about one.
    pub fn load(&mut self, table: &[Series], simplex: &mut Simplex) {
        let mut scale = 1e-300;
        for change in self
            .members
            .iter()
            .map(|m| m.change)
            .chain(self.columns.iter().map(|c| c.change))
        {
            if change.abs() > scale {
                scale = change.abs();
            }
        }
        self.scale = scale;
        self.cost.clear();
        self.lower.clear();
        self.upper.clear();
        for _ in 0..self.spreads {
            self.cost.push(1.0);
            self.upper.push(f64::INFINITY);
        }
        for m in &self.members {
            self.cost.push(m.change / scale);
            self.upper.push(self.items[m.item as usize].count);
        }
        for c in &self.columns {
            self.cost.push(c.change / scale);
            let mut most = f64::INFINITY;
            for &(item, amount) in c.parts() {
                let fits = (self.items[item as usize].count / amount + 1e-9).floor();
                if fits < most {
                    most = fits;
                }
            }
            self.upper.push(most);
        }
        self.lower.resize(self.cost.len(), 0.0);
        simplex.start(&self.cost, &self.lower, &self.upper, self.spreads);
        self.capacities(simplex);
        for spread in 0..self.spreads as u32 {
            self.spread_rows(spread, table, simplex);
        }
        simplex.settle();
    }

    fn capacities(&self, simplex: &mut Simplex) {
        let (first_member, first_column) = (self.spreads, self.spreads + self.members.len());
        for (i, item) in self.items.iter().enumerate() {
            let i = i as u32;
            let users = self.members.iter().filter(|m| m.item == i).count()
                + self
                    .columns
                    .iter()
                    .filter(|c| c.parts().iter().any(|p| p.0 == i))
                    .count();
            if users < 2 {
                continue; // the variable's own bound says it
            }
            let whole = item.count.fract() == 0.0
                && self
                    .columns
                    .iter()
                    .all(|c| c.parts().iter().all(|p| p.0 != i || p.1.fract() == 0.0));
            let row = simplex.row(item.count, false, whole);
            for (k, m) in self.members.iter().enumerate() {
                if m.item == i {
                    row[first_member + k] = 1.0;
                }
            }
            for (k, c) in self.columns.iter().enumerate() {
                for &(part, amount) in c.parts() {
                    if part == i {
                        row[first_column + k] = amount;
                    }
                }
            }
        }
    }

    fn spread_rows(&mut self, spread: u32, table: &[Series], simplex: &mut Simplex) {
        for right in [Right::Call, Right::Put] {
            self.balance_rows(spread, right, table, simplex);
        }
        // The loss is piecewise linear in the level and bends down only at the strikes of longs: those and zero.
        let mut levels = std::mem::take(&mut self.levels);
        levels.clear();
        levels.push(0.0);
        levels.extend(
            self.members
                .iter()
                .filter(|m| m.spread == spread)
                .filter_map(|m| {
                    let item = &self.items[m.item as usize];
                    item.long.then(|| table[item.row].strike)
                }),
        );
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        for &level in &levels {
            let losing = self.members.iter().any(|m| {
                let item = &self.items[m.item as usize];
                m.spread == spread && !item.long && table[item.row].intrinsic(level) > 0.0
            });
            if !losing {
                continue;
            }
            let row = simplex.row(0.0, false, false);
            row[spread as usize] = -1.0;
            for (k, m) in self.members.iter().enumerate() {
                if m.spread == spread {
                    let item = &self.items[m.item as usize];
                    let value = table[item.row].intrinsic(level) / self.scale;
                    row[self.spreads + k] = if item.long { -value } else { value };
                }
            }
        }
        self.levels = levels;
    }

    /// Equal long and short units, and at every expiry enough longs that last as long (Hall's condition).
    fn balance_rows(&self, spread: u32, right: Right, table: &[Series], simplex: &mut Simplex) {
        let mut of_right = self.members.iter().filter(|m| {
            m.spread == spread && table[self.items[m.item as usize].row].right == right
        });
        let Some(first) = of_right.next() else { return };
        let expiry = |m: &Member| table[self.items[m.item as usize].row].expiry;
        let mut earliest = expiry(first);
        let mut even = true;
        let mut unit = table[self.items[first.item as usize].row].units;
        for m in of_right {
            if expiry(m) < earliest {
                earliest = expiry(m);
            }
            let units = table[self.items[m.item as usize].row].units;
            even &= units == unit;
            if units > unit {
                unit = units;
            }
        }
        let mut cut = earliest;
        loop {
            let row = simplex.row(0.0, cut == earliest, even);
            let mut next = i64::MAX;
            for (k, m) in self.members.iter().enumerate() {
                let item = &self.items[m.item as usize];
                let s = &table[item.row];
                if m.spread != spread || s.right != right {
                    continue;
                }
                if s.expiry >= cut {
                    let units = s.units / unit;
                    row[self.spreads + k] = if item.long { -units } else { units };
                }
                if !item.long && s.expiry > cut && s.expiry < next {
                    next = s.expiry;
                }
            }
            if next == i64::MAX {
                return;
            }
            cut = next;
        }
    }

    /// Maximum loss of one spread with these member counts (indexed like `members`), in dollars, not below zero.
    pub fn maximum_loss(&self, spread: u32, counts: &[f64], table: &[Series]) -> f64 {
        let mut worst = 0.0;
        let inside = |k: usize| self.members[k].spread == spread && counts[k] > 0.0;
        for at in 0..=self.members.len() {
            let level = if at == self.members.len() {
                0.0
            } else if inside(at) {
                self.series(self.members[at].item as usize, table).strike
            } else {
                continue;
            };
            let mut loss = 0.0;
            for (k, m) in self.members.iter().enumerate() {
                if inside(k) {
                    let item = &self.items[m.item as usize];
                    let value = counts[k] * table[item.row].intrinsic(level);
                    loss += if item.long { -value } else { value };
                }
            }
            if loss > worst {
                worst = loss;
            }
        }
        worst
    }

    /// Whether the member counts of a spread meet every condition, in exact small numbers.
    pub fn balanced(&self, counts: &[f64], table: &[Series]) -> bool {
        for (k, m) in self.members.iter().enumerate() {
            let cut = self.series(m.item as usize, table);
            if counts[k] == 0.0 {
                continue;
            }
            let (mut all, mut late) = (0.0, 0.0);
            for (j, o) in self.members.iter().enumerate() {
                let item = &self.items[o.item as usize];
                let s = &table[item.row];
                if o.spread == m.spread && s.right == cut.right {
                    let units = counts[j] * s.units * if item.long { 1.0 } else { -1.0 };
                    all += units;
                    if s.expiry >= cut.expiry {
                        late += units;
                    }
                }
            }
            if all.abs() > 1e-6 || late < -1e-6 {
                return false;
            }
        }
        true
    }
}
