//! From a parameter set and a table of contracts to a [`Program`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::model::*;
use super::options::{Anov, Options};
use super::program::*;
use crate::contract::Contracts;
use crate::error::Result;
use crate::fail;
use crate::report::Currencies;
use crate::scan::{self, WIDTH};

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
        for spread in file
            .super_spreads
            .iter()
            .chain(&file.inter_spreads)
            .chain(&file.exchange_spreads)
        {
            if !spread.scanning {
                continue;
            }
            let legs: Vec<u32> = spread
                .legs
                .iter()
                .filter_map(|l| self.leg_commodity(l))
                .collect();
            let all: BTreeSet<String> = legs
                .iter()
                .filter_map(|c| names.get(c))
                .flatten()
                .cloned()
                .collect();
            for commodity in legs {
                names
                    .entry(commodity)
                    .or_default()
                    .extend(all.iter().cloned());
            }
        }
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

    /// A row's array in the commodity's money, appended to the values; the rate converts currencies.
    fn append(&mut self, row: usize, factor: f64) {
        let file = self.file;
        self.values
            .extend(file.array(row).iter().map(|a| a * factor));
        let width = self.program.blocks * WIDTH;
        self.values
            .resize(self.values.len().next_multiple_of(width), 0.0);
    }

    fn factor(&self, row: usize) -> Option<f64> {
        let family = self.file.family_of(row);
        let cc = &self.file.commodities[family.commodity? as usize];
        let fx = self.file.fx(&family.currency, &cc.currency)?;
        let scale = if self.file.contract_scale {
            family.scale
        } else {
            1.0
        };
        Some(10_f64.powi(cc.risk_exponent) * fx * scale)
    }

    fn part(&self, row: usize, delta: f64) -> Option<Part> {
        let (series, family) = (self.file.series_of(row), self.file.family_of(row));
        let commodity = family.commodity?;
        let period = *self.slots.get(&(commodity, series.delta_period.clone()))?;
        let per_lot = family.scale * series.scale;
        Some(Part {
            commodity,
            cell: self.cell_of[period as usize],
            period,
            row: NONE,
            delta: delta * per_lot,
            range: self.range(row, per_lot),
        })
    }

    fn split_rows(&mut self) {
        for (part, leg, ratio) in std::mem::take(&mut self.split) {
            self.program.parts[part].row = (self.values.len() / WIDTH) as u32;
            // `contract` checked that the leg has a rate and an array.
            let factor = self.factor(leg).unwrap_or(f64::NAN);
            self.append(leg, factor * ratio);
        }
    }

    /// Price scan range per delta, in the commodity's money.
    fn range(&self, row: usize, per_lot: f64) -> f64 {
        let (series, family) = (self.file.series_of(row), self.file.family_of(row));
        let value = self.file.contracts.value[row];
        match series.scan.price_money(value) {
            Some((up, down)) if per_lot != 0.0 => {
                let exponent = family
                    .commodity
                    .map_or(0, |c| self.file.commodities[c as usize].risk_exponent);
                (if up > down { up } else { down }) * 10_f64.powi(exponent) / per_lot.abs()
            }
            _ => 0.0,
        }
    }

    fn contract(&mut self, row: usize) -> Result<()> {
        let file = self.file;
        let family = file.family_of(row);
        let mut terms = Terms {
            commodity: 0,
            cell: 0,
            period: 0,
            som: NONE,
            parts: (0, 0),
            problem: NONE,
            is_call: file.contracts.right[row] > 0,
            premium: false,
            spot: false,
            delta: 0.0,
            value: 0.0,
            weight: 0.0,
            range: 0.0,
        };
        let mut trouble = self.terms(row, &mut terms).err();
        let mut own_array = trouble.is_none();
        if own_array
            && matches!(
                family.kind,
                ContractKind::Combination | ContractKind::OptionOnCombination
            )
        {
            match self.combination(row, &mut terms) {
                Ok(positions) => own_array = !positions,
                Err(why) => trouble = Some(why),
            }
        }
        match self.factor(row) {
            Some(factor) if own_array => self.append(row, factor),
            _ => self
                .values
                .resize(self.values.len() + self.program.blocks * WIDTH, 0.0),
        }
        if let Some(why) = trouble {
            self.program
                .problems
                .push(format!("{}: {why}", file.contract_id(row)));
            terms.problem = self.program.problems.len() as u32 - 1;
        }
        self.program.terms.push(terms);
        Ok(())
    }

    /// Fills a contract's terms; the reason where it cannot be margined.
    fn terms(&self, row: usize, terms: &mut Terms) -> std::result::Result<(), String> {
        let file = self.file;
        let (series, family) = (file.series_of(row), file.family_of(row));
        let Some(commodity) = family.commodity else {
            return Err(format!(
                "product {} belongs to no combined commodity of {}",
                family.code, file.info.file
            ));
        };
        let cc = &file.commodities[commodity as usize];
        if let Some(what) = &cc.unsupported {
            return Err(format!(
                "commodity {} uses {what}, which is not implemented",
                cc.code
            ));
        }
        if file
            .array(row)
            .iter()
            .chain([&file.contracts.delta[row]])
            .any(|v| !v.is_finite())
        {
            return Err(format!("{} has no risk array for it", file.info.file));
        }
        if self.fx[commodity as usize].is_none() {
            return Err(format!(
                "no currency rate from {} to {}",
                cc.currency,
                self.currencies.report()
            ));
        }
        if self.factor(row).is_none() {
            return Err(format!(
                "no currency rate from {} to {}",
                family.currency, cc.currency
            ));
        }
        let slot = self.slots[&(commodity, series.delta_period.clone())];
        if !cc.scan_tiers.is_empty() && !cc.scan_tiers.iter().any(|t| t.holds(&series.delta_period))
        {
            return Err(format!(
                "period {} is in none of the scanning tiers of {}",
                series.delta_period, cc.code
            ));
        }
        let per_lot = family.scale * series.scale;
        terms.commodity = commodity;
        terms.period = slot;
        terms.cell = self.cell_of[slot as usize];
        terms.delta = file.contracts.delta[row] * per_lot;
        terms.range = self.range(row, per_lot);
        terms.weight = family.scale;
        terms.spot = family.kind == ContractKind::Physical
            && cc
                .basis
                .as_ref()
                .is_none_or(|(product, _)| product.is_empty() || *product == family.code);
        if family.kind.is_option() {
            let tier = cc
                .som_tiers
                .iter()
                .position(|t| t.holds(&series.delta_period));
            if let Some(tier) = tier {
                terms.som = self.program.commodities[commodity as usize].som_first + tier as u32;
            }
            // Futures-style options are marked to market: their value is paid already and counts nowhere.
            if is_premium(&family.value_method) {
                let value = file.contracts.value[row];
                if value.is_nan() {
                    return Err("its price is missing, and option value counts".into());
                }
                terms.premium = true;
                // `factor` found this rate above.
                terms.value = value * file.fx(&family.currency, &cc.currency).unwrap_or(f64::NAN);
            }
        }
        Ok(())
    }

    /// Splits positions (futures combinations, split or modified split) or deltas (all others) over the legs; true
    /// where the legs' arrays stand for the combination's own.
    fn combination(&mut self, row: usize, terms: &mut Terms) -> std::result::Result<bool, String> {
        let family = self.file.family_of(row);
        let cc = &self.file.commodities[terms.commodity as usize];
        let legs = self
            .legs(row)
            .filter(|l| !l.is_empty())
            .ok_or("its legs are not in the file")?;
        let positions = family.kind == ContractKind::Combination
            && matches!(
                cc.combination,
                CombinationMethod::Split | CombinationMethod::ModifiedSplit
            );
        let own_delta = self.file.contracts.delta[row] * family.scale;
        terms.delta = 0.0;
        let first = self.program.parts.len() as u32;
        for (leg, ratio) in legs {
            let leg_delta = self.file.contracts.delta[leg];
            let usable = self.factor(leg).is_some()
                && self
                    .file
                    .array(leg)
                    .iter()
                    .chain([&leg_delta])
                    .all(|v| v.is_finite());
            let delta = if positions {
                ratio * leg_delta
            } else {
                own_delta * ratio * leg_delta
            };
            let part = self.part(leg, delta).filter(|_| usable);
            let Some(part) = part else {
                return Err(format!(
                    "its leg {} cannot be margined",
                    self.file.contract_id(leg)
                ));
            };
            if positions {
                self.split.push((self.program.parts.len(), leg, ratio));
            }
            self.program.parts.push(part);
        }
        terms.parts = (first, self.program.parts.len() as u32);
        Ok(positions)
    }

    fn spreads(&mut self) -> Result<()> {
        let file = self.file;
        for (index, cc) in file.commodities.iter().enumerate() {
            let money = 10_f64.powi(cc.risk_exponent);
            let mut own = Vec::new();
            for spread in &cc.spreads {
                let place = format!(
                    "{}: commodity {}, spread {}",
                    file.info.file, cc.code, spread.priority
                );
                let compiled = self
                    .spread(spread, Some(index as u32))
                    .map_err(|e| e.at(&place))?;
                own.extend(compiled.map(|mut s| {
                    if s.method != ChargeMethod::Weighted {
                        s.scale_money(money);
                    }
                    s
                }));
            }
            own.sort_by_key(|s| s.priority);
            self.program.commodities[index].spreads = own;
        }
        let between = |spreads: &[Spread]| -> Result<Vec<SpreadSlots>> {
            let mut out = Vec::new();
            for spread in spreads {
                let place = format!(
                    "{}: inter-commodity spread {}",
                    file.info.file, spread.priority
                );
                out.extend(self.spread(spread, None).map_err(|e| e.at(place))?);
            }
            out.sort_by_key(|s| s.priority);
            Ok(out)
        };
        let super_spreads = between(&file.super_spreads)?;
        let inter_spreads = between(&file.inter_spreads)?;
        let exchange_spreads = between(&file.exchange_spreads)?;
        self.program.tiers = self
            .program
            .commodities
            .iter()
            .map(|c| c.inter_tiers.len())
            .sum();
        self.program.scanning = super_spreads
            .iter()
            .chain(&inter_spreads)
            .chain(&exchange_spreads)
            .any(|s| s.scanning);
        self.program.super_spreads = super_spreads;
        self.program.inter_spreads = inter_spreads;
        self.program.exchange_spreads = exchange_spreads;
        Ok(())
    }

    /// A spread's legs as slots; none where it can never form with this table's contracts.
    fn spread(&self, spread: &Spread, own: Option<u32>) -> Result<Option<SpreadSlots>> {
        let mut legs: Vec<LegSlots> = Vec::with_capacity(spread.legs.len());
        if spread.legs.len() > 16 {
            fail!(
                Unsupported,
                "a spread of {} legs: at most 16 are read",
                spread.legs.len()
            );
        }
        for leg in &spread.legs {
            let commodity = own.or_else(|| self.leg_commodity(leg));
            let Some(commodity) = commodity else {
                // A commodity of another organisation, or one that was delisted: a scanning spread can do without.
                if spread.scanning {
                    if leg.required && !leg.target || leg.target && spread.target_required {
                        return Ok(None);
                    }
                    continue;
                }
                return Ok(None);
            };
            let cc = &self.program.commodities[commodity as usize];
            let tiers = if own.is_some() {
                &cc.intra_tiers
            } else {
                &cc.inter_tiers
            };
            let number = |t: &TierSlots| t.number == leg.tier;
            // Tier 0 is the file's own tier 0 where it has one, else the whole commodity: the last match serves both.
            let Some(tier) = tiers.iter().rposition(number) else {
                fail!(
                    ParseError,
                    "leg {}: the commodity has no tier {}",
                    leg.commodity,
                    leg.tier
                );
            };
            let periods = match &leg.period {
                None => tiers[tier].periods.clone(),
                Some(period) => self
                    .slots
                    .get(&(commodity, period.clone()))
                    .copied()
                    .into_iter()
                    .collect(),
            };
            let weight_tier = cc.inter_tiers.iter().rposition(number).unwrap_or(0);
            legs.push(LegSlots {
                commodity,
                tier: weight_tier,
                periods,
                ratio: leg.ratio,
                need: 0.0,
                side: f64::from(leg.side),
                rate: leg.rate,
                required: leg.required,
                target: leg.target,
            });
        }
        if !spread.scanning && legs.iter().any(|l| l.periods.is_empty()) || legs.is_empty() {
            return Ok(None);
        }
        for i in 0..legs.len() {
            let same = |l: &&LegSlots| {
                l.commodity == legs[i].commodity
                    && l.periods == legs[i].periods
                    && l.side == legs[i].side
            };
            legs[i].need = legs.iter().filter(same).map(|l| l.ratio).sum();
        }
        let months: Vec<i64> = spread
            .legs
            .iter()
            .filter_map(|l| {
                l.period
                    .as_deref()
                    .or_else(|| self.tier_start(l))
                    .and_then(month_number)
            })
            .collect();
        let span = months
            .iter()
            .max()
            .zip(months.iter().min())
            .map_or(0, |(a, b)| a - b);
        Ok(Some(SpreadSlots {
            priority: spread.priority,
            method: spread.method,
            rate: spread.rate,
            two_sided: legs.iter().any(|l| l.side > 0.0) && legs.iter().any(|l| l.side < 0.0),
            legs,
            scanning: spread.scanning,
            target_required: spread.target_required,
            minimum_legs: spread.minimum_legs,
            point_rules: spread.point_rules.clone(),
            months: span as f64,
            per_month: spread.per_month,
            unsupported: spread.unsupported.clone(),
        }))
    }

    fn tier_start(&self, leg: &Leg) -> Option<&'a str> {
        let cc = self
            .file
            .commodities
            .iter()
            .find(|c| c.code == leg.commodity)?;
        cc.intra_tiers
            .iter()
            .find(|t| t.number == leg.tier)
            .map(|t| t.start.as_str())
    }
}

fn month_number(period: &str) -> Option<i64> {
    let year: i64 = period.get(..4)?.parse().ok()?;
    let month: i64 = period.get(4..6)?.parse().ok()?;
    Some(year * 12 + month)
}

/// Whether an option's value counts: anything but the futures styles.
pub(super) fn is_premium(value_method: &str) -> bool {
    !matches!(value_method, "FUT" | "FUTDA" | "F")
}
