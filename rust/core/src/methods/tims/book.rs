//! Netting, offsets, minimums: from arrays to the requirement of an account.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::arrays::{SCAN, labels, overlay_points, scan_points};
use super::inputs::placements;
use super::live::LiveBook;
use super::parameters::{MinimumLevel, POINTS, Parameters};
use crate::account::{AccountView, Positions};
use crate::cells::RiskArrays;
use crate::contract::{Contracts, Kind};
use crate::error::Result;
use crate::fail;
use crate::live::Live;
use crate::market::Market;
use crate::methods::{Frame, Outcome, Rulebook};
use crate::report::{Currencies, Ledger, LineText, ParameterInfo};
use crate::simd::{self, Kernel};

/// Array columns per contract: ten points in a block of sixteen, so that a row is two cache lines.
pub(super) const WIDTH: usize = 16;

/// TIMS compiled for one table of contracts and one market.
pub(super) struct Book {
    pub(super) frame: Frame,
    minimum_level: MinimumLevel,
    /// Profit and loss per lot at the ten points, `WIDTH` columns a contract.
    pub(super) scan: Vec<[f64; WIDTH]>,
    pub(super) terms: Vec<ContractTerms>,
    /// In the order of their portfolio groups, so that every group is a run.
    class_groups: Vec<ClassGroup>,
    product_groups: Vec<Group>,
    portfolio_groups: Vec<Group>,
    pub(super) overlays: Vec<Overlay>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ContractTerms {
    pub(super) class_group: u32,
    /// Money per lot, at least.
    pub(super) minimum: f64,
    /// Option value per lot; zero for what carries none.
    pub(super) option_value: f64,
    contracts_per_lot: f64,
    is_option: bool,
    /// The largest of the absolute values above and of the ten points.
    pub(super) largest: f64,
}

impl ContractTerms {
    /// Long minimums do not exceed the market value of long options.
    pub(super) fn long_minimum(&self) -> f64 {
        if self.is_option && self.option_value < self.minimum {
            self.option_value
        } else {
            self.minimum
        }
    }

    /// The part of a class group's minimum that one contract's holding makes.
    #[inline]
    pub(super) fn minimum_of(&self, long: f64, short: f64) -> f64 {
        short * self.minimum + long * self.long_minimum()
    }
}

struct ClassGroup {
    name: String,
    product_group: u32,
    labels: Arc<[String]>,
}

struct Group {
    name: String,
    offset: f64,
    /// Of a product group: its portfolio group.
    parent: u32,
}

pub(super) struct Overlay {
    name: String,
    floor_per_short_option: f64,
    width: usize,
    /// Profit and loss per lot, `width` columns a contract.
    profit: Vec<f64>,
    labels: Vec<Arc<[String]>>,
}

/// Sums of one class group.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) profit: [f64; WIDTH],
    pub(super) option_value: f64,
    pub(super) minimum: f64,
    short_options: f64,
    pub(super) held: bool,
}

#[derive(Default)]
pub(super) struct TimsScratch {
    pub(super) tallies: Vec<Tally>,
    /// Class groups held, ascending.
    pub(super) touched: Vec<u32>,
    pub(super) overlay: Vec<f64>,
}

impl TimsScratch {
    pub(super) fn net_option_value(&self) -> f64 {
        self.touched.iter().fold(0.0, |sum, &class| {
            sum + self.tallies[class as usize].option_value
        })
    }
}

/// Adds positions to the tallies of their class groups in ascending contract order: of all, or of `only`.
struct TallyPass<'a> {
    book: &'a Book,
    positions: Positions<'a>,
    only: Option<&'a [u32]>,
    scratch: &'a mut TimsScratch,
}

impl Kernel for TallyPass<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for i in 0..self.positions.len() {
            let row = self.positions.contract[i] as usize;
            let terms = &self.book.terms[row];
            if self
                .only
                .is_some_and(|only| !only.contains(&terms.class_group))
            {
                continue;
            }
            let tally = &mut self.scratch.tallies[terms.class_group as usize];
            if !tally.held {
                tally.held = true;
                if self.only.is_none() {
                    self.scratch.touched.push(terms.class_group);
                }
            }
            let quantity = self.positions.net(i) as f64;
            let profit = &self.book.scan[row];
            for (sum, profit) in tally.profit.iter_mut().zip(profit) {
                *sum = quantity.mul_add(*profit, *sum);
            }
            tally.option_value = quantity.mul_add(terms.option_value, tally.option_value);
            let (long, short) = (
                self.positions.long(i) as f64,
                self.positions.short(i) as f64,
            );
            tally.minimum += terms.minimum_of(long, short);
            if terms.is_option {
                tally.short_options += short * terms.contracts_per_lot;
            }
        }
    }
}

impl Book {
    pub(super) fn compile(
        parameters: &Parameters,
        info: &ParameterInfo,
        contracts: &Arc<Contracts>,
        market: Option<&Arc<Market>>,
        arrays: RiskArrays,
    ) -> Result<Self> {
        let placements = placements(parameters, contracts);
        let keys: Vec<Place> = placements
            .iter()
            .map(|p| Place::of(parameters, &p.class_group))
            .collect();
        let mut places = keys.clone();
        places.sort();
        places.dedup();
        let mut book = Self {
            frame: Frame {
                methodology: "OCC TIMS".into(),
                parameters: info.clone(),
                valuation: market.map(|m| m.snapshot().valuation.clone()),
                contracts: contracts.clone(),
                currencies: Currencies::new(&parameters.currency),
            },
            minimum_level: parameters.minimum_level,
            scan: vec![[0.0; WIDTH]; contracts.len()],
            terms: Vec::with_capacity(contracts.len()),
            class_groups: Vec::new(),
            product_groups: Vec::new(),
            portfolio_groups: Vec::new(),
            overlays: Vec::new(),
        };
        book.add_groups(parameters, &places);
        let mut value = vec![None; contracts.len()];
        for block in arrays.blocks.iter().filter(|b| b.scope == SCAN) {
            for (i, &row) in block.contract.iter().enumerate() {
                book.scan[row as usize][..POINTS].copy_from_slice(block.row(i));
                value[row as usize] = Some(block.value[i]);
            }
        }
        for ((row, contract), key) in contracts.iter().zip(&keys) {
            let scale = contract.value_per_lot();
            if let Some(given) = parameters.theoretical.get(contract.id()) {
                for (column, profit) in book.scan[row as usize].iter_mut().zip(given.profit) {
                    *column = profit * contract.terms().lot;
                }
                value[row as usize] = given.price.map(|p| p * scale);
            }
            let is_option = contract.kind() == Kind::Option;
            // The mark where one is quoted, else what the model or OCC says.
            let quoted = market
                .and_then(|m| m.price(contracts, row))
                .map(|p| p * scale);
            let option_value = match (is_option, quoted.or(value[row as usize])) {
                (false, _) => 0.0,
                (true, Some(value)) => value,
                (true, None) => fail!(
                    MissingData,
                    "tims: no closing price for '{}': give it in the theoretical values or in market.price",
                    contract.id()
                ),
            };
            let class_group = places
                .binary_search(key)
                .expect("every key was put into places") as u32;
            book.terms.push(ContractTerms {
                class_group,
                minimum: placements[row as usize].minimum * contract.terms().lot,
                option_value,
                contracts_per_lot: contract.terms().lot,
                is_option,
                largest: 0.0,
            });
            let terms = book.terms.last_mut().expect("just pushed");
            terms.largest = book.scan[row as usize]
                .iter()
                .chain([&terms.minimum, &terms.option_value])
                .fold(0.0, |a, b| if b.abs() > a { b.abs() } else { a });
        }
        book.add_overlays(parameters, &arrays)?;
        Ok(book)
    }

    fn add_groups(&mut self, parameters: &Parameters, places: &[Place]) {
        for (i, place) in places.iter().enumerate() {
            let before = i.checked_sub(1).map(|i| &places[i]);
            let new_portfolio = before.is_none_or(|b| b.portfolio != place.portfolio);
            if new_portfolio {
                let name = &place.portfolio.name;
                let offset = parameters
                    .portfolio_groups
                    .get(name)
                    .map_or(1.0, |g| g.offset);
                self.portfolio_groups.push(Group {
                    name: name.clone(),
                    offset,
                    parent: 0,
                });
            }
            if new_portfolio || before.is_none_or(|b| b.product != place.product) {
                let name = &place.product.name;
                let offset = parameters
                    .product_groups
                    .get(name)
                    .map_or(1.0, |g| g.offset);
                let parent = self.portfolio_groups.len() as u32 - 1;
                self.product_groups.push(Group {
                    name: name.clone(),
                    offset,
                    parent,
                });
            }
            self.class_groups.push(ClassGroup {
                name: place.class.clone(),
                product_group: self.product_groups.len() as u32 - 1,
                labels: labels(&scan_points(parameters, &place.class)),
            });
        }
    }

    fn add_overlays(&mut self, parameters: &Parameters, arrays: &RiskArrays) -> Result<()> {
        for overlay in &parameters.overlays {
            let points: Vec<_> = self
                .class_groups
                .iter()
                .map(|g| overlay_points(parameters, overlay, &g.name))
                .collect();
            let width = points.iter().map(Vec::len).max().unwrap_or(0);
            let mut profit = vec![0.0; width * self.terms.len()];
            for block in arrays.blocks.iter().filter(|b| b.scope == overlay.name) {
                for (i, &row) in block.contract.iter().enumerate() {
                    let from = row as usize * width;
                    profit[from..from + block.scenarios].copy_from_slice(block.row(i));
                }
            }
            if let Some(id) = parameters
                .theoretical
                .keys()
                .find(|id| self.frame.contracts.index_of(id).is_ok())
                && width > 0
            {
                fail!(
                    Unsupported,
                    "tims: overlay '{}' stresses points that OCC's values of '{id}' do not hold: leave the values out to have it repriced",
                    overlay.name
                );
            }
            self.overlays.push(Overlay {
                name: overlay.name.clone(),
                floor_per_short_option: overlay.floor_per_short_option,
                width,
                profit,
                labels: points.iter().map(|p| labels(p)).collect(),
            });
        }
        Ok(())
    }

    /// Nets the account's positions per class group, in ascending contract order.
    pub(super) fn tally(&self, account: AccountView<'_>, scratch: &mut TimsScratch) {
        scratch
            .tallies
            .resize(self.class_groups.len(), Tally::default());
        for &group in &scratch.touched {
            scratch.tallies[group as usize] = Tally::default();
        }
        scratch.touched.clear();
        simd::run(TallyPass {
            book: self,
            positions: account.positions,
            only: None,
            scratch: &mut *scratch,
        });
        scratch.touched.sort_unstable();
    }

    /// Nets some class groups again, whose tallies are clear; which groups are held is the caller's to keep.
    pub(super) fn tally_classes(
        &self,
        account: AccountView<'_>,
        classes: &[u32],
        scratch: &mut TimsScratch,
    ) {
        simd::run(TallyPass {
            book: self,
            positions: account.positions,
            only: Some(classes),
            scratch,
        });
    }

    /// The portfolio group of a class group.
    pub(super) fn portfolio(&self, class: u32) -> u32 {
        self.product_groups[self.class_groups[class as usize].product_group as usize].parent
    }

    /// Whether a portfolio group holds one class group only.
    pub(super) fn is_single(&self, portfolio: u32) -> bool {
        let from = self.first_class(portfolio);
        self.first_class(portfolio + 1) - from == 1
    }

    fn first_class(&self, portfolio: u32) -> usize {
        self.class_groups
            .partition_point(|g| self.product_groups[g.product_group as usize].parent < portfolio)
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
            let own: &[f64; POINTS] = scratch.tallies[class as usize].profit[..POINTS]
                .try_into()
                .expect("ten of sixteen columns");
            add_offset(&mut profit, own, offset);
        }
        profit
    }

    /// What per-contract minimums add to a portfolio group, at the level where they bind.
    fn minimum_charges(
        &self,
        sum: &PortfolioSum<'_>,
        scratch: &TimsScratch,
        mut charge: impl FnMut(&str, f64),
    ) {
        let minimum = |classes: &[u32]| {
            classes
                .iter()
                .map(|&c| scratch.tallies[c as usize].minimum)
                .fold(0.0, |a, b| a + b)
        };
        let mut compare = |name: &str, classes: &[u32], loss: f64| {
            let short = minimum(classes) - loss;
            if short > 0.0 {
                charge(name, short);
            }
        };
        let product = |g: u32| self.class_groups[g as usize].product_group;
        match self.minimum_level {
            MinimumLevel::ClassGroup => {
                for class in sum.classes.chunks(1) {
                    let (loss, _) = worst(&self.product_profit(class, scratch));
                    compare(&self.class_groups[class[0] as usize].name, class, loss);
                }
            }
            MinimumLevel::ProductGroup => {
                for classes in sum.classes.chunk_by(|&a, &b| product(a) == product(b)) {
                    let (loss, _) = worst(&self.product_profit(classes, scratch));
                    compare(
                        &self.product_groups[product(classes[0]) as usize].name,
                        classes,
                        loss,
                    );
                }
            }
            MinimumLevel::PortfolioGroup => {
                compare(&sum.group.name, sum.classes, worst(&sum.profit).0)
            }
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
        self.minimum_charges(sum, scratch, |name, short| {
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
                overlay.floor_per_short_option * scratch.tallies[class as usize].short_options;
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

/// The point of the portfolio group with the largest loss; the first of equals.
#[derive(Clone, Copy, Default)]
pub(super) struct AccountWorst(Option<(f64, usize)>);

impl AccountWorst {
    pub(super) fn take(&mut self, own: (f64, usize)) {
        if self.0.is_none_or(|(largest, _)| own.0 > largest) {
            self.0 = Some(own);
        }
    }

    pub(super) fn scenario(self) -> Option<u32> {
        self.0.filter(|w| w.0 > 0.0).map(|w| w.1 as u32)
    }
}

/// A group's name, and whether it stands for one class group (or product group) that no file puts into a group:
/// such a group never shares with a defined group of the same name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct GroupName {
    name: String,
    alone: bool,
}

/// A class group and the groups above it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    portfolio: GroupName,
    product: GroupName,
    class: String,
}

impl Place {
    fn of(parameters: &Parameters, class_group: &str) -> Self {
        let defined = |name: &String| GroupName {
            name: name.clone(),
            alone: false,
        };
        let product = parameters
            .class_groups
            .get(class_group)
            .and_then(|g| g.product_group.as_ref());
        let portfolio = product
            .and_then(|p| parameters.product_groups.get(p))
            .and_then(|g| g.portfolio_group.as_ref());
        let own = GroupName {
            name: class_group.to_string(),
            alone: true,
        };
        let product_name = product.map_or_else(|| own.clone(), defined);
        let alone = GroupName {
            name: product_name.name.clone(),
            alone: true,
        };
        Self {
            portfolio: portfolio.map_or(alone, defined),
            product: product_name,
            class: class_group.to_string(),
        }
    }
}

/// Losses count in full, gains for `offset` of themselves.
fn add_offset(sum: &mut [f64; POINTS], profit: &[f64; POINTS], offset: f64) {
    for (sum, &p) in sum.iter_mut().zip(profit) {
        *sum += if p < 0.0 { p } else { offset * p };
    }
}

/// The largest loss, not below zero, and the lowest point that has it.
pub(super) fn worst(profit: &[f64; POINTS]) -> (f64, usize) {
    let mut at = 0;
    for k in 1..POINTS {
        if profit[k] < profit[at] {
            at = k;
        }
    }
    (if profit[at] < 0.0 { -profit[at] } else { 0.0 }, at)
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
        })
    }

    fn live(self: Arc<Self>) -> Box<dyn Live> {
        Box::new(LiveBook::new(self))
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
                        "profit": &tally.profit[..POINTS],
                        "largest_loss": loss,
                        "worst_point": point,
                        "minimum": tally.minimum,
                        "binding": if tally.minimum > loss { "minimum" } else { "scan" },
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
        Ok(json!({"class_groups": class_groups, "portfolio_groups": portfolio_groups}))
    }
}
