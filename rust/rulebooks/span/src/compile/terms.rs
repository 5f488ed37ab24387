//! Contracts: their arrays in the commodity's money, their deltas, option value and minimums; combinations' legs.

use super::compiler::Compiler;
use crate::model::*;
use crate::program::*;
use engine::scan::WIDTH;
use kernel::error::Result;
use kernel::fail;

impl Compiler<'_> {
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
        Some(10_f64.powi(cc.risk_exponent) * fx * scale * self.lot(family)?)
    }

    /// The file's contracts in one lot of the account's; none where lots are asked for and the product has none.
    fn lot(&self, family: &Family) -> Option<f64> {
        let lots = &self.options.lot_sizes;
        if lots.is_empty() {
            Some(1.0)
        } else {
            lots.get(&family.code).copied()
        }
    }

    fn part(&self, row: usize, delta: f64) -> Option<Part> {
        let (series, family) = (self.file.series_of(row), self.file.family_of(row));
        let commodity = family.commodity?;
        let period = *self.slots.get(&(commodity, series.delta_period.clone()))?;
        let per_lot = family.scale * series.scale * self.lot(family)?;
        Some(Part {
            commodity,
            cell: self.cell_of[period as usize],
            period,
            row: NONE,
            delta: delta * per_lot,
            range: self.range(row),
        })
    }

    pub(super) fn split_rows(&mut self) {
        for (part, leg, ratio) in std::mem::take(&mut self.split) {
            self.program.parts[part].row = (self.values.len() / WIDTH) as u32;
            // `contract` checked that the leg has a rate and an array.
            let factor = self.factor(leg).unwrap_or(f64::NAN);
            self.append(leg, factor * ratio);
        }
    }

    /// Price scan range per delta, in the commodity's money. Where the family's link scales contracts, it scales the
    /// range and the delta alike.
    fn range(&self, row: usize) -> f64 {
        let (series, family) = (self.file.series_of(row), self.file.family_of(row));
        let Some(cc) = family.commodity.map(|c| &self.file.commodities[c as usize]) else {
            return 0.0;
        };
        let per_delta = if self.file.contract_scale {
            series.scale
        } else {
            series.scale * family.scale
        };
        let value = self.file.contracts.value[row];
        let range = series.scan.price_money(value);
        match range.zip(self.file.fx(&family.currency, &cc.currency)) {
            Some(((up, down), fx)) if per_delta != 0.0 => {
                (if up > down { up } else { down }) * 10_f64.powi(cc.risk_exponent) * fx
                    / per_delta.abs()
            }
            _ => 0.0,
        }
    }

    pub(super) fn contract(&mut self, row: usize) -> Result<()> {
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
            self.program.problems.push(why.at(file.contract_id(row)));
            terms.problem = self.program.problems.len() as u32 - 1;
        }
        self.program.terms.push(terms);
        Ok(())
    }

    /// A contract's commodity; the reason where it cannot be margined.
    fn margined(&self, row: usize) -> Result<u32> {
        let file = self.file;
        let (series, family) = (file.series_of(row), file.family_of(row));
        let Some(commodity) = family.commodity else {
            fail!(
                MissingData: MissingProduct;
                "product {} belongs to no combined commodity of {}",
                family.code,
                file.info.file
            );
        };
        let cc = &file.commodities[commodity as usize];
        if let Some(what) = &cc.unsupported {
            fail!(
                Unsupported,
                "commodity {} uses {what}, which is not implemented",
                cc.code
            );
        }
        if !self.options.lot_sizes.is_empty() {
            if matches!(
                family.kind,
                ContractKind::Combination | ContractKind::OptionOnCombination
            ) {
                fail!(
                    Unsupported,
                    "combinations in lots: leave lot_sizes out and count contracts"
                );
            }
            if self.lot(family).is_none() {
                fail!(
                    MissingData,
                    "no lot size for '{}' in lot_sizes",
                    family.code
                );
            }
        }
        if file
            .array(row)
            .iter()
            .chain([&file.contracts.delta[row]])
            .any(|v| !v.is_finite())
        {
            fail!(MissingData: MissingParameter; "{} has no risk array for it", file.info.file);
        }
        if self.fx[commodity as usize].is_none() {
            fail!(
                MissingData: MissingParameter;
                "no currency rate from {} to {}",
                cc.currency,
                self.currencies.report()
            );
        }
        if self.factor(row).is_none() {
            fail!(
                MissingData: MissingParameter;
                "no currency rate from {} to {}",
                family.currency,
                cc.currency
            );
        }
        if !cc.scan_tiers.is_empty() && !cc.scan_tiers.iter().any(|t| t.holds(&series.delta_period))
        {
            fail!(
                MissingData: MissingParameter;
                "period {} is in none of the scanning tiers of {}",
                series.delta_period,
                cc.code
            );
        }
        Ok(commodity)
    }

    /// Fills a contract's terms; the reason where it cannot be margined.
    fn terms(&self, row: usize, terms: &mut Terms) -> Result<()> {
        let file = self.file;
        let commodity = self.margined(row)?;
        let (series, family) = (file.series_of(row), file.family_of(row));
        let cc = &file.commodities[commodity as usize];
        let slot = self.slots[&(commodity, series.delta_period.clone())];
        let lot = self.lot(family).unwrap_or(f64::NAN);
        let per_lot = family.scale * series.scale * lot;
        terms.commodity = commodity;
        terms.period = slot;
        terms.cell = self.cell_of[slot as usize];
        terms.delta = file.contracts.delta[row] * per_lot;
        terms.range = self.range(row);
        terms.weight = family.scale * lot;
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
            if family.is_premium() {
                let value = file.contracts.value[row];
                if value.is_nan() {
                    fail!(MissingData: MissingPrice; "its price is missing, and option value counts");
                }
                terms.premium = true;
                // `factor` found this rate above.
                terms.value =
                    value * file.fx(&family.currency, &cc.currency).unwrap_or(f64::NAN) * lot;
            }
        }
        Ok(())
    }

    /// Splits positions (futures combinations, split or modified split) or deltas (all others) over the legs; true
    /// where the legs' arrays stand for the combination's own.
    fn combination(&mut self, row: usize, terms: &mut Terms) -> Result<bool> {
        let family = self.file.family_of(row);
        let cc = &self.file.commodities[terms.commodity as usize];
        let Some(legs) = self.legs(row).filter(|l| !l.is_empty()) else {
            fail!(MissingData: MissingParameter; "its legs are not in the file");
        };
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
                fail!(
                    MissingData,
                    "its leg {} cannot be margined",
                    self.file.contract_id(leg)
                );
            };
            if positions {
                self.split.push((self.program.parts.len(), leg, ratio));
            }
            self.program.parts.push(part);
        }
        terms.parts = (first, self.program.parts.len() as u32);
        Ok(positions)
    }
}
