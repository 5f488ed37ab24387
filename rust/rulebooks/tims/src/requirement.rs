//! Offsets, minimums, overlays: from netted class groups to the requirement and its explanation.

use serde_json::{Map, Value, json};

use super::book::{Book, Group, Overlay};
use super::netting::TimsScratch;
use super::parameters::{MinimumLevel, POINTS};
use engine::account::AccountView;
use engine::profits::Profits;
use engine::report::{Ledger, LineText};
use engine::seam::{Frame, Grouping, Outcome, Rulebook};
use kernel::error::Result;

impl Book {
    /// The portfolio group of a class group.
    pub(super) fn portfolio(&self, class: u32) -> u32 {
        self.class_groups[class as usize].portfolio_group
    }

    /// Whether a portfolio group holds one class group only.
    pub(super) fn is_single(&self, portfolio: u32) -> bool {
        let from = self.first_class(portfolio);
        self.first_class(portfolio + 1) - from == 1
    }

    fn first_class(&self, portfolio: u32) -> usize {
        self.class_groups
            .partition_point(|g| g.portfolio_group < portfolio)
    }

    /// The requirement of every portfolio group the account touches.
    pub(super) fn groups<'a>(
        &'a self,
        scratch: &'a TimsScratch,
    ) -> impl Iterator<Item = PortfolioSum<'a>> {
        scratch
            .touched
            .chunk_by(move |&a, &b| self.portfolio(a) == self.portfolio(b))
            .map(move |classes| self.portfolio_sum(self.portfolio(classes[0]), classes, scratch))
    }

    pub(super) fn portfolio_sum<'a>(
        &'a self,
        index: u32,
        classes: &'a [u32],
        scratch: &'a TimsScratch,
    ) -> PortfolioSum<'a> {
        let group = &self.portfolio_groups[index as usize];
        if let [class] = classes {
            // Nothing to offset.
            return PortfolioSum {
                group,
                classes,
                profit: *scratch.tallies[*class as usize].profit(),
            };
        }
        let product = |g: u32| self.class_groups[g as usize].product_group;
        let products = classes.chunk_by(move |&a, &b| product(a) == product(b));
        let single = products.clone().count() == 1;
        let mut profit = [0.0; POINTS];
        for own in products {
            let offset = if single { 1.0 } else { group.offset };
            add_offset(&mut profit, &self.product_profit(own, scratch), offset);
        }
        PortfolioSum {
            group,
            classes,
            profit,
        }
    }

    /// A class group's gain counts only for the product group's offset against other class groups' losses.
    fn product_profit(&self, classes: &[u32], scratch: &TimsScratch) -> [f64; POINTS] {
        let group =
            &self.product_groups[self.class_groups[classes[0] as usize].product_group as usize];
        let offset = if classes.len() == 1 {
            1.0
        } else {
            group.offset
        };
        let mut profit = [0.0; POINTS];
        for &class in classes {
            add_offset(
                &mut profit,
                scratch.tallies[class as usize].profit(),
                offset,
            );
        }
        profit
    }

    /// What per-contract minimums add to a portfolio group, at the level where they bind.
    fn minimum_charges(
        &self,
        sum: &PortfolioSum<'_>,
        loss: f64,
        scratch: &TimsScratch,
        mut charge: impl FnMut(&str, f64),
    ) {
        let minimum = |classes: &[u32]| {
            classes
                .iter()
                .map(|&c| scratch.tallies[c as usize].minimum())
                .fold(0.0, |a, b| a + b)
        };
        let mut compare = |name: &str, classes: &[u32], loss: f64| {
            let short = minimum(classes) - loss;
            if short > 0.0 {
                charge(name, short);
            }
        };
        let product = |g: u32| self.class_groups[g as usize].product_group;
        // A portfolio group of one class group has the loss of it, at every level.
        let own_loss = |classes: &[u32]| match sum.classes.len() {
            1 => loss,
            _ => worst(&self.product_profit(classes, scratch)).0,
        };
        match self.minimum_level {
            MinimumLevel::ClassGroup => {
                for class in sum.classes.chunks(1) {
                    let name = &self.class_groups[class[0] as usize].name;
                    compare(name, class, own_loss(class));
                }
            }
            MinimumLevel::ProductGroup => {
                for classes in sum.classes.chunk_by(|&a, &b| product(a) == product(b)) {
                    let loss = own_loss(classes);
                    compare(
                        &self.product_groups[product(classes[0]) as usize].name,
                        classes,
                        loss,
                    );
                }
            }
            MinimumLevel::PortfolioGroup => compare(&sum.group.name, sum.classes, loss),
        }
    }

    /// Writes one portfolio group's lines and returns its largest loss and where.
    pub(super) fn charge_group<L: Ledger + ?Sized>(
        &self,
        sum: &PortfolioSum<'_>,
        account: AccountView<'_>,
        scratch: &TimsScratch,
        losses: &mut Vec<f64>,
        ledger: &mut L,
    ) -> (f64, usize) {
        let scope = &sum.group.name;
        let (loss, point) = worst(&sum.profit);
        ledger.line(0, loss, loss, &|| {
            let label = &self.class_groups[sum.classes[0] as usize].labels[point];
            LineText::new(scope, "scan risk").in_scenario(label.as_str())
        });
        let mut requirement = loss;
        self.minimum_charges(sum, loss, scratch, |name, short| {
            requirement += short;
            ledger.line(0, short, short, &|| {
                LineText::new(name, "minimum per contract")
            });
        });
        for overlay in &self.overlays {
            let own = self.overlay_requirement(overlay, sum.classes, account, scratch, losses);
            let above = own - requirement;
            if above > 0.0 {
                requirement += above;
                ledger.line(0, above, above, &|| {
                    LineText::new(scope, overlay.name.as_str())
                });
            }
        }
        (loss, point)
    }

    /// A house's own requirement for a portfolio group: each class group's worst stress or floor, added up.
    fn overlay_requirement(
        &self,
        overlay: &Overlay,
        classes: &[u32],
        account: AccountView<'_>,
        scratch: &TimsScratch,
        losses: &mut Vec<f64>,
    ) -> f64 {
        let mut total = 0.0;
        for &class in classes {
            losses.clear();
            losses.resize(overlay.width, 0.0);
            for i in 0..account.positions.len() {
                let row = account.positions.contract[i] as usize;
                if self.terms[row].class_group == class {
                    let quantity = -(account.positions.net(i) as f64);
                    let profit = &overlay.profit[row * overlay.width..(row + 1) * overlay.width];
                    for (sum, p) in losses.iter_mut().zip(profit) {
                        *sum = quantity.mul_add(*p, *sum);
                    }
                }
            }
            let scan = losses.iter().fold(0.0, |a, &b| if b > a { b } else { a });
            let floor =
                overlay.floor_per_short_option * scratch.tallies[class as usize].short_options();
            total += if floor > scan { floor } else { scan };
        }
        total
    }
}

pub(super) struct PortfolioSum<'a> {
    group: &'a Group,
    pub(super) classes: &'a [u32],
    profit: [f64; POINTS],
}

/// The point of the largest loss where every portfolio group that loses has the same one; groups at different points
/// have none in common, and their lines say which is whose.
#[derive(Clone, Copy, Default)]
pub(super) enum AccountWorst {
    #[default]
    NoLoss,
    Point(usize),
    PerGroup,
}

impl AccountWorst {
    pub(super) fn take(&mut self, (loss, point): (f64, usize)) {
        if loss > 0.0 {
            *self = match *self {
                Self::NoLoss => Self::Point(point),
                Self::Point(own) if own == point => Self::Point(point),
                _ => Self::PerGroup,
            };
        }
    }

    pub(super) fn scenario(self) -> Option<u32> {
        match self {
            Self::Point(point) => Some(point as u32),
            _ => None,
        }
    }
}

/// Losses count in full, gains for `offset` of themselves.
fn add_offset(sum: &mut [f64; POINTS], profit: &[f64; POINTS], offset: f64) {
    for k in 0..POINTS {
        let p = profit[k];
        sum[k] += if p < 0.0 { p } else { offset * p };
    }
}

/// The largest loss, not below zero, and the lowest point that has it. No branches: losses are not predictable.
pub(super) fn worst(profit: &[f64; POINTS]) -> (f64, usize) {
    // Halves against each other: a chain of nine comparisons would wait for each one.
    let lower = |a: f64, b: f64| if b < a { b } else { a };
    let half: [f64; POINTS / 2] = std::array::from_fn(|k| lower(profit[k], profit[k + POINTS / 2]));
    let least = lower(
        lower(lower(half[0], half[1]), lower(half[2], half[3])),
        half[4],
    );
    let mut at = 0;
    for k in (0..POINTS).rev() {
        at = if profit[k] == least { k } else { at };
    }
    (if least < 0.0 { -least } else { 0.0 }, at)
}

impl Rulebook for Book {
    type Scratch = TimsScratch;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut TimsScratch,
        ledger: &mut L,
    ) -> Result<Outcome> {
        self.tally(account, scratch);
        let mut losses = std::mem::take(&mut scratch.overlay);
        let mut worst = AccountWorst::default();
        for sum in self.groups(scratch) {
            let own = self.charge_group(&sum, account, scratch, &mut losses, ledger);
            worst.take(own);
        }
        scratch.overlay = losses;
        Ok(Outcome {
            net_option_value: scratch.net_option_value(),
            worst_scenario: worst.scenario(),
            pairing_gap: None,
        })
    }

    fn grouping(&self) -> Option<Grouping> {
        self.group()
    }

    fn profits(&self) -> Result<Vec<Profits>> {
        Ok(self.scan_profits())
    }

    fn scenario_label(&self, scenario: u32) -> String {
        // An ordinal over every class group's own range; lines name the move itself.
        match scenario {
            0..5 => format!("down {}/5", 5 - scenario),
            _ => format!("up {}/5", scenario - 4),
        }
    }

    fn details(&self, account: AccountView<'_>) -> Result<Value> {
        let mut scratch = TimsScratch::default();
        self.tally(account, &mut scratch);
        let mut class_groups = Map::new();
        let mut portfolio_groups = Map::new();
        for sum in self.groups(&scratch) {
            let mut members = Vec::new();
            for &class in sum.classes {
                let group = &self.class_groups[class as usize];
                let tally = &scratch.tallies[class as usize];
                let (loss, point) = worst(&self.product_profit(&[class], &scratch));
                let product = &self.product_groups[group.product_group as usize];
                members.push(group.name.clone());
                class_groups.insert(
                    group.name.clone(),
                    json!({
                        "points": &*group.labels,
                        "profit": tally.profit(),
                        "largest_loss": loss,
                        "worst_point": point,
                        "minimum": tally.minimum(),
                        "binding": if tally.minimum() > loss { "minimum" } else { "scan" },
                        "product_group": product.name,
                        "product_group_offset": product.offset,
                    }),
                );
            }
            let (loss, point) = worst(&sum.profit);
            let mut entry = json!({
                "class_groups": members,
                "offset": sum.group.offset,
                "profit": sum.profit,
                "largest_loss": loss,
                "worst_point": point,
            });
            let mut stress = Map::new();
            let mut losses = Vec::new();
            for overlay in &self.overlays {
                let own =
                    self.overlay_requirement(overlay, sum.classes, account, &scratch, &mut losses);
                let points: Vec<&[String]> = sum
                    .classes
                    .iter()
                    .map(|&c| &*overlay.labels[c as usize])
                    .collect();
                stress.insert(
                    overlay.name.clone(),
                    json!({"requirement": own, "points": points}),
                );
            }
            if !stress.is_empty() {
                entry["overlays"] = Value::Object(stress);
            }
            portfolio_groups.insert(sum.group.name.clone(), entry);
        }
        let held = account.positions.contract.iter();
        let borrowed: Map<String, Value> = held
            .filter_map(|row| {
                let id = self.frame.contracts.rows()[*row as usize].id();
                Some((id.to_string(), json!(self.notes.get(row)?)))
            })
            .collect();
        let mut details =
            json!({"class_groups": class_groups, "portfolio_groups": portfolio_groups});
        if !borrowed.is_empty() {
            details["borrowed_vols"] = Value::Object(borrowed);
        }
        Ok(details)
    }
}
