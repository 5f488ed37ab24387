//! A table of contracts compiled: arrays, terms, and the hierarchy of groups with their offsets.

use std::sync::Arc;

use super::arrays::{SCAN, labels, overlay_points, scan_points};
use super::inputs::placements;
use super::parameters::{MinimumLevel, POINTS, Parameters};
use crate::cells::RiskArrays;
use crate::contract::{Contracts, Kind};
use crate::error::Result;
use crate::fail;
use crate::market::Market;
use crate::methods::Frame;
use crate::report::{Currencies, ParameterInfo};

/// Array columns per contract: ten points in a block of sixteen, so that a row is two cache lines.
pub(super) const WIDTH: usize = 16;

/// TIMS compiled for one table of contracts and one market.
pub(super) struct Book {
    pub(super) frame: Frame,
    pub(super) minimum_level: MinimumLevel,
    /// Profit and loss per lot at the ten points, `WIDTH` columns a contract.
    pub(super) scan: Vec<[f64; WIDTH]>,
    pub(super) terms: Vec<ContractTerms>,
    /// In the order of their portfolio groups, so that every group is a run.
    pub(super) class_groups: Vec<ClassGroup>,
    pub(super) product_groups: Vec<Group>,
    pub(super) portfolio_groups: Vec<Group>,
    pub(super) overlays: Vec<Overlay>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ContractTerms {
    pub(super) class_group: u32,
    /// Money per lot, at least.
    pub(super) minimum: f64,
    /// Option value per lot; zero for what carries none.
    pub(super) option_value: f64,
    pub(super) contracts_per_lot: f64,
    pub(super) is_option: bool,
    /// The largest of the absolute values above and of the ten points.
    pub(super) largest: f64,
}

impl ContractTerms {
    /// Long minimums do not exceed the market value of long options.
    #[inline(always)]
    pub(super) fn long_minimum(&self) -> f64 {
        if self.is_option && self.option_value < self.minimum {
            self.option_value
        } else {
            self.minimum
        }
    }

    /// The part of a class group's minimum that one contract's holding makes.
    #[inline(always)]
    pub(super) fn minimum_of(&self, long: f64, short: f64) -> f64 {
        short * self.minimum + long * self.long_minimum()
    }
}

pub(super) struct ClassGroup {
    pub(super) name: String,
    pub(super) product_group: u32,
    pub(super) labels: Arc<[String]>,
}

pub(super) struct Group {
    pub(super) name: String,
    pub(super) offset: f64,
    /// Of a product group: its portfolio group.
    pub(super) parent: u32,
}

pub(super) struct Overlay {
    pub(super) name: String,
    pub(super) floor_per_short_option: f64,
    pub(super) width: usize,
    /// Profit and loss per lot, `width` columns a contract.
    pub(super) profit: Vec<f64>,
    pub(super) labels: Vec<Arc<[String]>>,
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
