//! Where the contracts of a table stand in the hierarchy: found once per symbol, not once per contract.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::parameters::{Ineligible, Parameters, Range};
use engine::contract::{Basket, ContractIndex, Contracts, Kind};
use engine::inputs::list;
use engine::securities::declared::{Declared, Known, refuse_unknown_funds};
use engine::securities::{Class, Security, SecurityKind};
use kernel::error::Result;
use kernel::fail;

/// A symbol of the table, and its terms by the parameters and the table of securities.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) class_group: String,
    /// The market move adjustment factor: signed leverage.
    pub(super) factor: f64,
    minimum: Option<f64>,
    minimum_rate: f64,
    standing: Standing,
    otherwise: Otherwise,
}

/// The range of a class group that the parameters state none for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Otherwise {
    Default,
    Broad,
    /// No public text gives one.
    Missing,
    /// All of the value.
    Full,
}

/// Whether a symbol may be portfolio margined.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Standing {
    Eligible,
    /// An exchange-traded note.
    Note,
    /// Not by OCC's file, the user's word or the table of securities.
    Excluded,
    /// A fund whose leverage nobody states.
    Unknown,
}

impl Placed {
    fn new(parameters: &Parameters, symbol: &str, known: Known<'_>) -> Self {
        let stated = parameters.products.get(symbol);
        let security = match known {
            Known::Security(security) => Some(security),
            Known::Stock | Known::Fund | Known::Undeclared => None,
        };
        let group = stated.and_then(|p| p.class_group.as_deref());
        let factor = stated.and_then(|p| p.factor);
        let eligible = stated
            .and_then(|p| p.eligible)
            .or(security.map(|s| s.portfolio_margin))
            .unwrap_or(true);
        let unknown = matches!(known, Known::Fund) && group.is_none() && factor.is_none();
        let class_group = group
            .or(security.map(Security::group))
            .unwrap_or(symbol)
            .to_string();
        Self {
            otherwise: if parameters.unranged.contains(&class_group) {
                Otherwise::Missing
            } else {
                security.map_or(Otherwise::Default, range_of)
            },
            class_group,
            factor: factor.or(security.map(Security::leverage)).unwrap_or(1.0),
            minimum: stated.and_then(|p| p.minimum),
            minimum_rate: parameters.minimum_rate,
            standing: match security.map(|s| s.kind) {
                _ if unknown => Standing::Unknown,
                _ if eligible => Standing::Eligible,
                Some(SecurityKind::Etn) => Standing::Note,
                _ => Standing::Excluded,
            },
        }
    }

    fn barred(&self) -> bool {
        matches!(self.standing, Standing::Note | Standing::Excluded)
    }

    /// Money per contract, at least; none for stock.
    pub(super) fn minimum(&self, kind: Kind, multiplier: f64) -> f64 {
        match kind {
            Kind::Option | Kind::Future => self.minimum.unwrap_or(self.minimum_rate * multiplier),
            _ => 0.0,
        }
    }
}

/// Equities, narrow indexes and what is held like them move by the default range, broad indexes by theirs; of volatility,
/// currencies, bonds and unclassed indexes no public text says how far they move.
fn range_of(security: &Security) -> Otherwise {
    match security.class {
        Some(Class::Equity | Class::Narrow | Class::Commodity) => Otherwise::Default,
        Some(Class::Broad) => Otherwise::Broad,
        Some(Class::Currency | Class::Rate | Class::Volatility) => Otherwise::Missing,
        None => match security.kind {
            SecurityKind::Index | SecurityKind::Future => Otherwise::Missing,
            _ => Otherwise::Default,
        },
    }
}

/// The products of a table, and each row's.
pub(super) struct Placements {
    pub(super) products: Vec<Placed>,
    of_row: Vec<u32>,
    /// The ranges of class groups that the parameters state none for.
    otherwise: BTreeMap<String, Otherwise>,
}

impl Placements {
    pub(super) fn new(
        parameters: &Parameters,
        contracts: &Contracts,
        declared: &Declared<'_>,
    ) -> Result<Self> {
        let mut placements = Self {
            products: Vec::new(),
            of_row: Vec::with_capacity(contracts.len()),
            otherwise: BTreeMap::new(),
        };
        // A future and a stock may have one symbol.
        let mut found: HashMap<(&str, bool), u32> = HashMap::new();
        let mut last = (("", false), 0);
        for (row, contract) in contracts.iter() {
            let on_future = contract.kind() == Kind::Future
                || contracts
                    .underlying_row(row)
                    .is_some_and(|u| contracts.rows()[u as usize].kind() == Kind::Future);
            let key = (contracts.root_symbol(row), on_future);
            // Tables list a symbol's contracts together.
            if key != last.0 || placements.of_row.is_empty() {
                let index = match found.get(&key) {
                    Some(&index) => index,
                    None => {
                        let known = declared.of(row).map_err(|e| e.at("tims"))?;
                        placements.add(Placed::new(parameters, key.0, known))
                    }
                };
                found.insert(key, index);
                last = (key, index);
            }
            let mut index = last.1;
            if parameters.ineligible == Ineligible::Full
                && placements.products[index as usize].barred()
            {
                index = placements.add_in_full(index, contract.id());
            }
            placements.of_row.push(index);
        }
        Ok(placements)
    }

    fn add(&mut self, placed: Placed) -> u32 {
        // The strictest word on a group counts for all of it.
        let group = placed.class_group.clone();
        let otherwise = self.otherwise.entry(group).or_insert(placed.otherwise);
        if *otherwise == Otherwise::Broad || placed.otherwise == Otherwise::Missing {
            *otherwise = placed.otherwise;
        }
        self.products.push(placed);
        self.products.len() as u32 - 1
    }

    /// A contract alone, at all of its value.
    fn add_in_full(&mut self, symbol: u32, id: &str) -> u32 {
        let placed = Placed {
            class_group: format!("{id} (in full)"),
            factor: 1.0,
            standing: Standing::Eligible,
            otherwise: Otherwise::Full,
            ..self.products[symbol as usize].clone()
        };
        self.add(placed)
    }

    pub(super) fn refuse_uncovered(
        &self,
        parameters: &Parameters,
        contracts: &Contracts,
    ) -> Result<()> {
        let named = |standing: Standing| -> Vec<&str> {
            let rows = contracts.iter();
            rows.filter(|(row, _)| self.of(*row).standing == standing)
                .map(|(_, c)| c.id())
                .collect()
        };
        let notes = named(Standing::Note);
        if !notes.is_empty() {
            fail_barred(
                parameters,
                "exchange-traded notes, and options on them, are not eligible for portfolio margin since 16 August 2019 (FINRA Regulatory Notice 19-21)",
                &notes,
            )?;
        }
        let excluded = named(Standing::Excluded);
        if !excluded.is_empty() {
            fail_barred(
                parameters,
                "not eligible for portfolio margin, by the parameters or the table of securities",
                &excluded,
            )?;
        }
        let uncovered: Vec<&str> = contracts
            .iter()
            .filter(|(_, c)| {
                !matches!(
                    c.kind(),
                    Kind::Stock | Kind::Etf | Kind::Future | Kind::Option
                ) || c.currency() != parameters.currency
                    || c.counts_money()
            })
            .map(|(_, c)| c.id())
            .collect();
        if uncovered.is_empty() {
            return Ok(());
        }
        fail!(
            NotApplicable,
            "tims covers stocks, ETFs, futures and options in {}, sized in units of their underlying, not: {}",
            parameters.currency,
            list(&uncovered)
        )
    }

    /// Refuses options that are to be repriced and whose deliverable moves by more than one security's points, or by none.
    pub(super) fn refuse_baskets(
        contracts: &Contracts,
        given: impl Fn(ContractIndex) -> bool,
    ) -> Result<()> {
        let baskets = contracts.iter().filter(|(row, c)| {
            let several = |b: &Basket| b.one_security().is_none();
            c.delivery().is_some_and(several) && !given(*row)
        });
        let ids: Vec<&str> = baskets.map(|(_, c)| c.id()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let ids = list(&ids);
        fail!(Unsupported, place &ids;
            "tims: options that deliver several securities, or cash alone, are not repriced: give OCC's theoretical values for {ids}")
    }

    /// Refuses contracts that are to be repriced and of which nobody knows how far they move: funds without a stated
    /// leverage, class groups without a range.
    pub(super) fn refuse_unranged(
        &self,
        parameters: &Parameters,
        contracts: &Contracts,
        given: impl Fn(ContractIndex) -> bool,
    ) -> Result<()> {
        let repriced: BTreeSet<usize> = (0..contracts.len() as ContractIndex)
            .filter(|&row| !given(row))
            .map(|row| self.product(row))
            .collect();
        let unknown = |row: &ContractIndex| {
            self.of(*row).standing == Standing::Unknown && repriced.contains(&self.product(*row))
        };
        let funds = (0..contracts.len() as ContractIndex).filter(unknown);
        refuse_unknown_funds(
            "tims",
            &funds.map(|row| contracts.root_symbol(row)).collect(),
        )?;
        for product in repriced {
            let placed = &self.products[product];
            let otherwise = self.otherwise[&placed.class_group];
            if otherwise == Otherwise::Missing
                && parameters.stated_range(&placed.class_group).is_none()
            {
                fail!(
                    MissingData: NotStated;
                    "tims: no public text gives the range of class group {}: state it in class_groups, or read OCC's files",
                    placed.class_group
                );
            }
        }
        Ok(())
    }

    /// A class group's range.
    pub(super) fn range(&self, parameters: &Parameters, class_group: &str) -> Range {
        parameters.stated_range(class_group).unwrap_or_else(|| {
            match self.otherwise.get(class_group) {
                Some(Otherwise::Broad) => parameters.broad_range,
                Some(Otherwise::Full) => Range {
                    down: -1.0,
                    up: 1.0,
                },
                Some(Otherwise::Default | Otherwise::Missing) | None => parameters.default_range,
            }
        })
    }

    /// The index of a row's product.
    pub(super) fn product(&self, row: ContractIndex) -> usize {
        self.of_row[row as usize] as usize
    }

    pub(super) fn of(&self, row: ContractIndex) -> &Placed {
        &self.products[self.product(row)]
    }
}

/// The refusal of what may not be portfolio margined, by what was asked to become of it.
fn fail_barred(parameters: &Parameters, why: &str, ids: &[&str]) -> Result<()> {
    if parameters.ineligible == Ineligible::Strategy {
        fail!(
            Unsupported,
            "tims: {why}: {}: ineligible='strategy' is the work of another rulebook: margin them by Reg T beside TIMS, as two parts of Combined",
            list(ids)
        );
    }
    fail!(
        NotApplicable,
        "tims: {why}: {}: margin them by Reg T beside TIMS, as two parts of Combined, or at all of their value with ineligible='full'",
        list(ids)
    )
}
