//! From the records of a file to series and rows of its contracts.

use std::collections::HashMap;

use super::price::settlement_price;
use super::reader::{Base, Contract, FamilyKey, Finished, Pa2, Terms};
use crate::model::*;
use kernel::error::Result;
use kernel::fail;

impl Pa2 {
    /// Adds the contracts in the order of their keys, a series for each.
    pub(super) fn rows(&mut self, name: &str, index: &HashMap<FamilyKey, u32>) -> Result<()> {
        self.contracts
            .sort_by(|a, b| a.key.cmp(&b.key).then_with(|| a.line.cmp(&b.line)));
        let contracts = std::mem::take(&mut self.contracts);
        for group in contracts.chunk_by(|a, b| a.key == b.key) {
            let (exchange, code, kind, _, _) = &group[0].key;
            let product = (exchange.clone(), code.clone(), *kind);
            let Some(&family) = index.get(&product) else {
                *self
                    .unknown
                    .entry("contracts of products no commodity claims".into())
                    .or_insert(0) += group.len() as u64;
                continue;
            };
            let factor = self.families[&product].1;
            let terms = self.terms.get(&product);
            let base = self
                .bases
                .get(&group[0].key)
                .cloned()
                .unwrap_or_else(|| Base {
                    scale: 1.0,
                    ..Base::default()
                });
            let of_family = &mut self.file.families[family as usize].model;
            if of_family.is_empty() {
                of_family.clone_from(&base.model);
            }
            let cvf = base.cvf.or(terms.map(|t| t.cvf)).unwrap_or(0.0);
            let series = self.series(family, group, base, cvf);
            let table = &mut self.file.contracts;
            for contract in group {
                let (done, price, strike) = contract
                    .numbers(terms)
                    .map_err(|e| e.at(format!("{name}: line {}", contract.line)))?;
                table.series.push(self.file.series.len() as u32);
                table.right.push(contract.right);
                table.strike.push(strike);
                table.price.push(price);
                table.value.push(price * done.cvf.unwrap_or(cvf));
                table.vol.push(done.vol);
                table.delta.push(done.delta);
                table.number.push(0);
                table
                    .array
                    .extend(contract.array.iter().map(|a| a * factor + 0.0));
            }
            self.file.series.push(series);
        }
        Ok(())
    }

    /// What the contracts of one key share.
    fn series(&self, family: u32, group: &[Contract], base: Base, cvf: f64) -> Series {
        let (exchange, code, kind, future, option) = &group[0].key;
        let period = if kind.is_option() && !option.is_empty() {
            option
        } else {
            future
        };
        let delta_period = if *kind == ContractKind::OptionOnPhysical || future.is_empty() {
            period
        } else {
            future
        };
        let combination = match kind {
            ContractKind::Combination => Some(code.clone()),
            ContractKind::OptionOnCombination => self.option_links.get(code).cloned(),
            _ => None,
        };
        let underlying = combination
            .and_then(|c| {
                self.legs
                    .get(&(exchange.clone(), c, future.clone()))
                    .cloned()
            })
            .unwrap_or_default();
        Series {
            family,
            period: period.clone(),
            delta_period: delta_period.clone(),
            settlement_date: base.settlement,
            years: base.years,
            cvf,
            svf: cvf,
            scale: base.scale,
            vol: base.vol,
            rate: base.rate,
            dividend_yield: base.dividend_yield,
            lookahead: base.lookahead,
            scan: base.scan,
            underlying,
            first: self.file.contracts.len() as u32,
            count: group.len() as u32,
        }
    }
}

impl Contract {
    /// The second half, the settlement price (NaN where there is none) and the strike.
    fn numbers(&self, terms: Option<&Terms>) -> Result<(&Finished, f64, f64)> {
        let Some(done) = &self.finished else {
            fail!(
                ParseError: Damaged;
                "an array whose second half (82 or 84) is missing"
            );
        };
        // All nines: no price.
        let digits = self.high_price.as_ref().or(done.price.as_ref());
        let price = match (digits, terms) {
            (Some(digits), Some(terms)) if digits.bytes().any(|d| d != b'9') => {
                let price = settlement_price(digits, terms.locator, terms.alignment)?;
                if done.price_negative { -price } else { price }
            }
            _ => f64::NAN,
        };
        let strike = match terms {
            _ if self.right == 0 => 0.0,
            Some(terms) => {
                let strike =
                    settlement_price(&self.strike, terms.strike_locator, terms.strike_alignment)?;
                if done.strike_negative {
                    -strike
                } else {
                    strike
                }
            }
            None => fail!(
                ParseError,
                "strike: product {} has no record P to place its decimals",
                self.key.1
            ),
        };
        Ok((done, price, strike))
    }
}
