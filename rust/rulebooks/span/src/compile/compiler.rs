//! What the compiling of contracts and of spreads share: the program so far, and where names are found in it.

use std::collections::HashMap;

use crate::model::*;
use crate::options::Options;
use crate::program::*;
use engine::report::Currencies;
use engine::scan::WIDTH;

/// A parameter set while it is compiled for some of its rows.
pub(super) struct Compiler<'a> {
    pub(super) file: &'a SpanFile,
    pub(super) options: &'a Options,
    /// Period slots by (commodity, period).
    pub(super) slots: HashMap<(u32, String), u32>,
    /// (exchange, family, contract number or period) to row.
    pub(super) by_number: HashMap<(&'a str, &'a str, String), u32>,
    /// Cell of each period slot.
    pub(super) cell_of: Vec<u32>,
    pub(super) program: Program,
    pub(super) values: Vec<f64>,
    pub(super) currencies: Currencies,
    pub(super) fx: Vec<Option<f64>>,
    /// (part, leg, ratio) of combinations split into positions: their arrays follow the contracts' own.
    pub(super) split: Vec<(usize, usize, f64)>,
}

impl<'a> Compiler<'a> {
    /// Nothing compiled yet; room for `count` contracts.
    pub(super) fn new(file: &'a SpanFile, options: &'a Options, base: &str, count: usize) -> Self {
        let blocks = file.width().div_ceil(WIDTH).max(1);
        Self {
            file,
            options,
            slots: HashMap::new(),
            by_number: HashMap::new(),
            cell_of: Vec::new(),
            program: Program {
                points: file.points.clone(),
                blocks,
                rows: Vec::new(),
                terms: Vec::with_capacity(count),
                parts: Vec::new(),
                problems: Vec::new(),
                commodities: Vec::new(),
                periods: Vec::new(),
                cells: 0,
                som_slots: 0,
                tiers: 0,
                scanning: false,
                super_spreads: Vec::new(),
                inter_spreads: Vec::new(),
                exchange_spreads: Vec::new(),
                options: options.clone(),
            },
            values: Vec::with_capacity((count + 1) * blocks * WIDTH),
            currencies: Currencies::new(base),
            fx: Vec::new(),
            split: Vec::new(),
        }
    }

    /// Signed (row, ratio) of a combination's legs; an option on a combination has its combination's legs.
    pub(super) fn legs(&self, row: usize) -> Option<Vec<(usize, f64)>> {
        let (series, family) = (self.file.series_of(row), self.file.family_of(row));
        let mut legs = Vec::new();
        for u in &series.underlying {
            let leg = *self.by_number.get(&(
                u.exchange.as_str(),
                u.family.as_str(),
                u.contract.clone(),
            ))? as usize;
            if self.file.family_of(leg).kind == ContractKind::Combination
                && family.kind != ContractKind::Combination
            {
                legs.extend(self.legs(leg)?);
            } else {
                legs.push((leg, u.sign * u.ratio));
            }
        }
        Some(legs)
    }

    pub(super) fn leg_commodity(&self, leg: &Leg) -> Option<u32> {
        let own = |c: &Commodity| {
            c.code == leg.commodity
                && (leg.organisation.is_empty() || c.organisation == leg.organisation)
        };
        self.file.commodities.iter().position(own).map(|i| i as u32)
    }
}
