//! From a parameter set and a table of contracts to a [`Program`]: commodities and periods here, contracts in
//! `terms.rs`, spreads in `spreads.rs`.

mod spreads;
mod terms;

pub(super) use terms::is_premium;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::model::*;
use super::options::{Anov, Options};
use super::program::*;
use engine::contract::Contracts;
use engine::report::Currencies;
use engine::scan::{self, WIDTH};
use kernel::error::Result;
use kernel::fail;

/// Where a contract id of a parameter set is found.
pub(super) fn rows_by_id(file: &SpanFile) -> HashMap<String, u32> {
    (0..file.contracts.len())
        .map(|row| (file.contract_id(row), row as u32))
        .collect()
}

/// The row of the parameter set for each contract of the table: by the contract's id, or its alias `span`.
pub(super) fn match_rows(
    file: &SpanFile,
    ids: &HashMap<String, u32>,
    contracts: &Contracts,
) -> Result<Vec<u32>> {
    let mut rows = Vec::with_capacity(contracts.len());
    let mut missing = Vec::new();
    for (_, contract) in contracts.iter() {
        let alias = contract.terms().aliases.get("span");
        match alias
            .and_then(|a| ids.get(a))
            .or_else(|| ids.get(contract.id()))
        {
            Some(row) => rows.push(*row),
            None => missing.push(contract.id().to_string()),
        }
    }
    if !missing.is_empty() {
        let more = if missing.len() > 5 {
            format!(" and {} more", missing.len() - 5)
        } else {
            String::new()
        };
        missing.truncate(5);
        fail!(
            MissingData,
            "{}: no contract {}{more}: use ids as the file's contracts() lists them, or set the alias 'span'",
            file.info.file,
            missing.join(", ")
        );
    }
    Ok(rows)
}

struct Compiler<'a> {
    file: &'a SpanFile,
    options: &'a Options,
    /// Period slots by (commodity, period).
    slots: HashMap<(u32, String), u32>,
    /// (exchange, family, contract number or period) to row.
    by_number: HashMap<(&'a str, &'a str, String), u32>,
    /// Cell of each period slot.
    cell_of: Vec<u32>,
    program: Program,
    values: Vec<f64>,
    currencies: Currencies,
    fx: Vec<Option<f64>>,
    /// (part, leg, ratio) of combinations split into positions: their arrays follow the contracts' own.
    split: Vec<(usize, usize, f64)>,
}

/// Compiles a parameter set for the rows of a table.
pub(super) fn compile(
    file: &SpanFile,
    options: &Options,
    rows: &[u32],
) -> Result<(Program, Currencies)> {
    options.check()?;
    let base = match &options.base_currency {
        Some(currency) => currency.clone(),
        None => file
            .commodities
            .first()
            .map_or_else(|| "USD".to_string(), |c| c.currency.clone()),
    };
    let blocks = file.width().div_ceil(WIDTH).max(1);
    let mut compiler = Compiler {
        file,
        options,
        slots: HashMap::new(),
        by_number: HashMap::new(),
        cell_of: Vec::new(),
        program: Program {
            points: file.points.clone(),
            blocks,
            rows: Vec::new(),
            terms: Vec::with_capacity(rows.len()),
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
        values: Vec::with_capacity((rows.len() + 1) * blocks * WIDTH),
        currencies: Currencies::new(&base),
        fx: Vec::new(),
        split: Vec::new(),
    };
    if file.points.is_empty() {
        fail!(InvalidInput, "{}: no scan points", file.info.file);
    }
    compiler.index_combinations();
    compiler.periods(rows);
    for commodity in 0..file.commodities.len() {
        compiler.commodity(commodity as u32, &base)?;
    }
    for &row in rows {
        compiler.contract(row as usize)?;
    }
    compiler.split_rows();
    compiler.spreads()?;
    compiler.program.rows = scan::rows_from(&compiler.values);
    Ok((compiler.program, compiler.currencies))
}

impl<'a> Compiler<'a> {
    fn index_combinations(&mut self) {
        let file = self.file;
        let combined = file.series.iter().any(|s| {
            matches!(
                file.families[s.family as usize].kind,
                ContractKind::Combination | ContractKind::OptionOnCombination
            )
        });
        if !combined {
            return;
        }
        for (row, number) in file.contracts.number.iter().enumerate() {
            let (series, family) = (file.series_of(row), file.family_of(row));
            if !family.kind.is_option() {
                let key = if *number == 0 {
                    series.period.clone()
                } else {
                    number.to_string()
                };
                self.by_number
                    .insert((&family.exchange, &family.id, key), row as u32);
            }
        }
    }

    /// Signed (row, ratio) of a combination's legs; an option on a combination has its combination's legs.
    fn legs(&self, row: usize) -> Option<Vec<(usize, f64)>> {
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

    /// One slot per (commodity, period) that a contract of the table or a merging leg may need, in period order.
    fn periods(&mut self, rows: &[u32]) {
        let file = self.file;
        let mut names: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        for &row in rows {
            let row = row as usize;
            let legs = if self.by_number.is_empty() {
                Vec::new()
            } else {
                self.legs(row).unwrap_or_default()
            };
            for r in legs.iter().map(|l| l.0).chain([row]) {
                if let Some(commodity) = file.family_of(r).commodity {
                    names
                        .entry(commodity)
                        .or_default()
                        .insert(file.series_of(r).delta_period.clone());
                }
            }
        }
        self.share_periods(&mut names);
        for (commodity, cc) in file.commodities.iter().enumerate() {
            let commodity = commodity as u32;
            for name in names.remove(&commodity).unwrap_or_default() {
                let slot = self.program.periods.len() as u32;
                let in_delivery = cc.spot_rates.iter().any(|s| s.period == name);
                self.program.periods.push(Period {
                    name: name.clone(),
                    in_delivery,
                });
                self.slots.insert((commodity, name), slot);
            }
        }
    }

    /// The legs of a scanning-based spread get the same periods, because one takes over the deltas of the others;
    /// what one spread brings in, the next may pass on.
    fn share_periods(&self, names: &mut BTreeMap<u32, BTreeSet<String>>) {
        let file = self.file;
        let spreads = file.super_spreads.iter().chain(&file.inter_spreads);
        let groups: Vec<Vec<u32>> = spreads
            .chain(&file.exchange_spreads)
            .filter(|s| s.scanning)
            .map(|s| {
                s.legs
                    .iter()
                    .filter_map(|l| self.leg_commodity(l))
                    .collect()
            })
            .collect();
        let mut changed = true;
        while changed {
            changed = false;
            for legs in &groups {
                let all: BTreeSet<String> = legs
                    .iter()
                    .filter_map(|c| names.get(c))
                    .flatten()
                    .cloned()
                    .collect();
                for commodity in legs {
                    let own = names.entry(*commodity).or_default();
                    if own.len() != all.len() {
                        own.clone_from(&all);
                        changed = true;
                    }
                }
            }
        }
    }

    fn leg_commodity(&self, leg: &Leg) -> Option<u32> {
        let own = |c: &Commodity| {
            c.code == leg.commodity
                && (leg.organisation.is_empty() || c.organisation == leg.organisation)
        };
        self.file.commodities.iter().position(own).map(|i| i as u32)
    }

    fn commodity(&mut self, index: u32, base: &str) -> Result<()> {
        let file = self.file;
        let cc = &file.commodities[index as usize];
        let own: Vec<u32> = (0..self.program.periods.len() as u32)
            .filter(|&p| {
                self.slots
                    .get(&(index, self.program.periods[p as usize].name.clone()))
                    == Some(&p)
            })
            .collect();
        let range = (
            own.first().copied().unwrap_or(0),
            own.last().map_or(0, |l| l + 1),
        );
        let name = |p: u32| self.program.periods[p as usize].name.as_str();
        let tier_of = |tiers: &[Tier], p: u32| tiers.iter().position(|t| t.holds(name(p)));
        // A cell for every pair of scanning and inter-commodity tier that has a period.
        let mut cells: Vec<(Option<usize>, Option<usize>)> = Vec::new();
        let first_cell = self.program.cells as u32;
        let mut cell_of = Vec::new();
        for &p in &own {
            let key = (tier_of(&cc.scan_tiers, p), tier_of(&cc.inter_tiers, p));
            let at = cells.iter().position(|c| *c == key).unwrap_or_else(|| {
                cells.push(key);
                cells.len() - 1
            });
            cell_of.push(first_cell + at as u32);
        }
        let slots = |tiers: &[Tier], scan: bool, whole: bool| {
            let mut out = Vec::new();
            let every = TierSlots {
                number: 0,
                cells: (0..cells.len() as u32).map(|c| first_cell + c).collect(),
                periods: own.clone(),
            };
            if whole {
                out.push(every.clone());
            }
            for (i, tier) in tiers.iter().enumerate() {
                let of = |c: &(Option<usize>, Option<usize>)| {
                    if scan { c.0 == Some(i) } else { c.1 == Some(i) }
                };
                out.push(TierSlots {
                    number: tier.number,
                    cells: (0..cells.len())
                        .filter(|&c| of(&cells[c]))
                        .map(|c| first_cell + c as u32)
                        .collect(),
                    periods: own
                        .iter()
                        .copied()
                        .filter(|&p| tier.holds(name(p)))
                        .collect(),
                });
            }
            if out.is_empty() {
                out.push(every);
            }
            out
        };
        let money = 10_f64.powi(cc.risk_exponent);
        let fx = file.fx(&cc.currency, base);
        self.fx.push(fx);
        let currency = self.currencies.add(&cc.currency, fx.unwrap_or(f64::NAN));
        let levels = [cc.levels.member, cc.levels.hedger, cc.levels.speculator].map(|own| {
            let level = self.options.level.unwrap_or(own);
            (level.initial, level.maintenance)
        });
        let commodity = CommoditySlots {
            code: cc.code.clone(),
            currency,
            currency_name: cc.currency.clone(),
            fx: self.currencies.fx(currency),
            cells: (first_cell, first_cell + cells.len() as u32),
            periods: range,
            scan_tiers: slots(&cc.scan_tiers, true, false),
            inter_tiers: slots(&cc.inter_tiers, false, true),
            intra_tiers: slots(&cc.intra_tiers, false, true),
            spreads: Vec::new(),
            spots: cc
                .spot_rates
                .iter()
                .filter_map(|s| {
                    Some((
                        *self.slots.get(&(index, s.period.clone()))?,
                        s.spread * money,
                        s.outright * money,
                    ))
                })
                .collect(),
            som: cc
                .som_tiers
                .iter()
                .map(|t| (t.number, t.rate.unwrap_or(0.0) * money))
                .collect(),
            som_first: self.program.som_slots as u32,
            som_max: cc.som_method == SomMethod::Max,
            basis: cc.basis.as_ref().map_or(0.0, |b| b.1 * money),
            wfpr: cc.wfpr,
            capped: match self.options.anov {
                Anov::File => cc.cap_anov,
                Anov::Capped => true,
                Anov::Pooled => false,
            },
            levels,
        };
        self.cell_of.extend(cell_of);
        self.program.cells += cells.len();
        self.program.som_slots += cc.som_tiers.len();
        self.program.commodities.push(commodity);
        Ok(())
    }
}
