//! A table of contracts compiled: arrays, terms, and the hierarchy of groups with their offsets.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::arrays::{SCAN, labels, overlay_points, scan_points};
use super::parameters::{MinimumLevel, POINTS, Parameters};
use super::placement::Placements;
use super::row::{LONG_MINIMUM, OPTION_VALUE, Row, SHORT_MINIMUM, SHORT_OPTIONS, Sides};
use engine::bounds;
use engine::cells::RiskArrays;
use engine::contract::{Contracts, Kind};
use engine::market::Market;
use engine::report::{Currencies, ParameterInfo};
use engine::seam::{Frame, Grouping};
use kernel::error::Result;
use kernel::{fail, interrupt};

/// TIMS compiled for one table of contracts and one market.
#[derive(Clone)]
pub(super) struct Book {
    pub(super) frame: Frame,
    pub(super) minimum_level: MinimumLevel,
    /// Per lot: profit and loss at the ten points, and what [`super::netting`] sums beside them.
    pub(super) scan: Vec<Row>,
    pub(super) sides: Sides,
    pub(super) class_of: Vec<u32>,
    pub(super) terms: Vec<ContractTerms>,
    /// In the order of their portfolio groups, so that every group is a run.
    pub(super) class_groups: Vec<ClassGroup>,
    pub(super) product_groups: Vec<Group>,
    pub(super) portfolio_groups: Vec<Group>,
    pub(super) overlays: Vec<Overlay>,
    /// Contracts whose volatility is another's.
    pub(super) notes: BTreeMap<u32, String>,
    /// What it was compiled from, beside its arrays.
    pub(super) placements: Arc<Placements>,
    pub(super) market: Option<Arc<Market>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ContractTerms {
    pub(super) class_group: u32,
    /// Money per short lot, at least.
    pub(super) minimum: f64,
    /// Money per long lot, at least: not above the market value of an option.
    pub(super) long_minimum: f64,
    /// Option value per lot; zero for what carries none.
    pub(super) option_value: f64,
    /// The largest of the absolute values above and of the ten points.
    pub(super) largest: f64,
}

impl ContractTerms {
    /// The part of a class group's minimum that one contract's holding makes.
    #[inline(always)]
    pub(super) fn minimum_of(&self, long: f64, short: f64) -> f64 {
        short * self.minimum + long * self.long_minimum
    }
}

#[derive(Clone)]
pub(super) struct ClassGroup {
    pub(super) name: String,
    pub(super) product_group: u32,
    pub(super) portfolio_group: u32,
    pub(super) labels: Arc<[String]>,
}

#[derive(Clone)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) offset: f64,
}

#[derive(Clone)]
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
        placements: &Arc<Placements>,
        market: Option<&Arc<Market>>,
        arrays: RiskArrays,
    ) -> Result<Self> {
        let keys: Vec<Place> = placements
            .products
            .iter()
            .map(|p| Place::of(parameters, &p.class_group))
            .collect();
        let mut places = keys.clone();
        places.sort();
        places.dedup();
        let class_group: Vec<u32> = keys
            .iter()
            .map(|key| {
                places
                    .binary_search(key)
                    .expect("every key was put into places") as u32
            })
            .collect();
        let mut book = Self {
            frame: Frame {
                methodology: "OCC TIMS".into(),
                parameters: info.clone(),
                valuation: market.map(|m| m.snapshot().valuation.clone()),
                contracts: contracts.clone(),
                currencies: Currencies::new(&parameters.currency),
            },
            minimum_level: parameters.minimum_level,
            scan: vec![Row::default(); contracts.len()],
            sides: Sides::default(),
            class_of: (0..contracts.len() as u32)
                .map(|row| class_group[placements.product(row)])
                .collect(),
            terms: Vec::with_capacity(contracts.len()),
            class_groups: Vec::new(),
            product_groups: Vec::new(),
            portfolio_groups: Vec::new(),
            overlays: Vec::new(),
            notes: arrays.notes.iter().cloned().collect(),
            placements: placements.clone(),
            market: market.cloned(),
        };
        book.add_groups(parameters, placements, &places);
        let mut value = vec![None; contracts.len()];
        for block in arrays.blocks.iter().filter(|b| b.scope == SCAN) {
            for (i, &row) in block.contract.iter().enumerate() {
                book.scan[row as usize].0[..POINTS].copy_from_slice(block.row(i));
                value[row as usize] = Some(block.value[i]);
            }
        }
        for row in 0..contracts.len() as u32 {
            if row.is_multiple_of(256) {
                interrupt::check()?;
            }
            let terms = book.finish_row(parameters, row, value[row as usize])?;
            book.terms.push(terms);
        }
        book.add_overlays(parameters, &arrays)?;
        Ok(book)
    }

    /// The columns of a contract beside the points that were priced, and its terms; `value` is what the model says a lot is
    /// worth.
    pub(super) fn finish_row(
        &mut self,
        parameters: &Parameters,
        row: u32,
        mut value: Option<f64>,
    ) -> Result<ContractTerms> {
        let contract = &self.frame.contracts.rows()[row as usize];
        let columns = &mut self.scan[row as usize].0;
        let scale = contract.value_per_lot();
        if !parameters.theoretical.is_empty()
            && let Some(given) = parameters.theoretical.get(contract.id())
        {
            for (column, profit) in columns.iter_mut().zip(given.profit) {
                *column = profit * contract.terms().lot;
            }
            value = given.price.map(|p| p * scale);
        }
        let is_option = contract.kind() == Kind::Option;
        // The mark where one is quoted, else what the model or OCC says.
        let market = self.market.as_ref();
        let quoted = market
            .and_then(|m| m.price(&self.frame.contracts, row))
            .map(|p| p * scale);
        let option_value = match (is_option, quoted.or(value)) {
            (false, _) => 0.0,
            (true, Some(value)) => {
                let what = format_args!("tims: the closing price of '{}'", contract.id());
                bounds::mark(what, contract.kind().name(), value)?;
                value
            }
            (true, None) => fail!(
                MissingData: MissingPrice;
                "tims: no closing price for '{}': give it in the theoretical values or in market.price",
                contract.id()
            ),
        };
        let placed = self.placements.of(row);
        let minimum = placed.minimum(contract.kind(), contract.premium_multiplier());
        let minimum = minimum * contract.terms().lot;
        let long_minimum = if is_option && option_value < minimum {
            option_value
        } else {
            minimum
        };
        columns[OPTION_VALUE] = option_value;
        columns[LONG_MINIMUM] = long_minimum;
        columns[SHORT_MINIMUM] = minimum;
        let largest = columns
            .iter()
            .fold(0.0, |a, b| if b.abs() > a { b.abs() } else { a });
        if is_option {
            columns[SHORT_OPTIONS] = contract.terms().lot;
        }
        Ok(ContractTerms {
            class_group: self.class_of[row as usize],
            minimum,
            long_minimum,
            option_value,
            largest,
        })
    }

    /// Lines are of portfolio groups, those of minimums of groups inside them.
    pub(super) fn group(&self) -> Option<Grouping> {
        let portfolio = |class: u32| self.class_groups[class as usize].portfolio_group;
        let names: Vec<String> = (self.portfolio_groups.iter())
            .map(|group| group.name.clone())
            .collect();
        let inside = self.class_groups.iter().flat_map(|class| {
            let product = &self.product_groups[class.product_group as usize].name;
            [class.name.clone(), product.clone()].map(|name| (name, class.portfolio_group))
        });
        let scopes: Vec<(String, u32)> = names.iter().cloned().zip(0..).chain(inside).collect();
        Grouping::new(
            names,
            vec![&[]; self.portfolio_groups.len()],
            self.class_of
                .iter()
                .map(|&class| portfolio(class))
                .collect(),
            scopes,
        )
    }

    fn add_groups(&mut self, parameters: &Parameters, placements: &Placements, places: &[Place]) {
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
                });
            }
            if new_portfolio || before.is_none_or(|b| b.product != place.product) {
                let name = &place.product.name;
                let offset = parameters
                    .product_groups
                    .get(name)
                    .map_or(1.0, |g| g.offset);
                self.product_groups.push(Group {
                    name: name.clone(),
                    offset,
                });
            }
            self.class_groups.push(ClassGroup {
                name: place.class.clone(),
                product_group: self.product_groups.len() as u32 - 1,
                portfolio_group: self.portfolio_groups.len() as u32 - 1,
                labels: labels(&scan_points(parameters, placements, &place.class)),
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
