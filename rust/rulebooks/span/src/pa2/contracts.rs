//! Contracts with their arrays: records 81 to 84.

use std::collections::HashMap;

use super::super::model::*;
use super::line::Line;
use super::price::settlement_price;
use super::{Base, Pa2, SeriesKey};
use kernel::error::Result;
use kernel::fail;

pub(super) struct Contract {
    key: SeriesKey,
    right: i8,
    strike: String,
    array: Vec<f64>,
    high_price: Option<String>,
    line: usize,
    finished: Option<Finished>,
}

struct Finished {
    delta: f64,
    vol: f64,
    price: Option<String>,
    price_negative: bool,
    strike_negative: bool,
    cvf: Option<f64>,
}

/// What names a contract in records 81 to 84: columns 3 to 54.
fn key_bytes<'a>(line: &Line<'a>) -> &'a [u8] {
    line.bytes.get(2..54).unwrap_or_default()
}

impl Pa2 {
    fn key(line: &Line<'_>) -> Result<Option<(SeriesKey, i8, String)>> {
        let Some(kind) = line.kind(26)? else {
            return Ok(None);
        };
        let right = match line.byte(29) {
            b'C' => 1,
            b'P' => -1,
            b' ' => 0,
            _ => return line.fail("right", "C, P or blank is expected"),
        };
        if kind.is_option() != (right != 0) {
            return line.fail("right", "an option has a right, other contracts have none");
        }
        let future = line.period(30, 35, 36, "future month")?;
        let option = line.period(39, 44, 45, "option month")?;
        let strike = if right == 0 {
            String::new()
        } else {
            line.text(48, 54, "strike")?
        };
        Ok(Some((
            (
                line.text(3, 5, "exchange")?,
                line.text(6, 15, "product")?,
                kind,
                future,
                option,
            ),
            right,
            strike,
        )))
    }

    fn values(line: &Line<'_>, count: usize, digits: usize, out: &mut Vec<f64>) -> Result<()> {
        for i in 0..count {
            let from = 55 + i * (digits + 1);
            match line.signed(from, from + digits - 1, 0, from + digits, "array value")? {
                Some(value) => out.push(value),
                None => return line.fail("array value", "it is blank"),
            }
        }
        Ok(())
    }

    pub(super) fn first_half(&mut self, line: &Line<'_>, digits: usize) -> Result<()> {
        let Some(id) = Self::key(line)? else {
            *self
                .unknown
                .entry(format!("contract type {}", line.text(26, 28, "type")?))
                .or_insert(0) += 1;
            return Ok(());
        };
        let mut array = Vec::with_capacity(16);
        Self::values(line, 9, digits, &mut array)?;
        let (at, flag) = if digits == 5 { (109, 123) } else { (136, 150) };
        let high_price = (line.byte(flag) == b'Y')
            .then(|| line.text(at, at + 13, "high-precision price"))
            .transpose()?;
        self.contracts.push(Contract {
            key: id.0,
            right: id.1,
            strike: id.2,
            array,
            high_price,
            line: line.number,
            finished: None,
        });
        self.last_key.clear();
        self.last_key.extend_from_slice(key_bytes(line));
        Ok(())
    }

    /// The contract whose first half came before: on the line before as a rule, else wherever it was. None for
    /// contract types that are not read.
    fn first_half_of(&mut self, line: &Line<'_>) -> Result<Option<usize>> {
        if !self.contracts.is_empty() && self.last_key == key_bytes(line) {
            return Ok(Some(self.contracts.len() - 1));
        }
        let Some(id) = Self::key(line)? else {
            return Ok(None);
        };
        for (index, contract) in self.contracts.iter().enumerate().skip(self.by_key.len()) {
            let key = (
                contract.key.clone(),
                contract.right,
                contract.strike.clone(),
            );
            if self.by_key.insert(key, index).is_some() {
                return line.fail("contract", "the same contract is in the file twice");
            }
        }
        match self.by_key.get(&id) {
            Some(&index) => Ok(Some(index)),
            None => line.fail(
                "record",
                "the second half of an array whose first half (81 or 83) is missing",
            ),
        }
    }

    pub(super) fn second_half(&mut self, line: &Line<'_>, digits: usize) -> Result<()> {
        let Some(index) = self.first_half_of(line)? else {
            return Ok(());
        };
        let contract = &mut self.contracts[index];
        if contract.finished.is_some() {
            return line.fail("contract", "the same contract is in the file twice");
        }
        Self::values(line, 7, digits, &mut contract.array)?;
        // Everything after the array is 21 columns further right in record 84.
        let at = |column: usize| if digits == 5 { column } else { column + 21 };
        let vol_exponent = line
            .signed(at(135), at(136), 0, at(137), "volatility exponent")?
            .unwrap_or(0.0);
        let cvf_exponent = line
            .signed(
                at(152),
                at(153),
                0,
                at(154),
                "contract value factor exponent",
            )?
            .unwrap_or(0.0);
        let price = line.text(at(111), at(117), "settlement price")?;
        contract.finished = Some(Finished {
            delta: line
                .signed(at(97), at(101), 4, at(102), "composite delta")?
                .unwrap_or(0.0),
            vol: line
                .number(at(103), at(110), 6, "implied volatility")?
                .unwrap_or(0.0)
                * 10_f64.powi(vol_exponent as i32),
            price: Some(price).filter(|p| !p.is_empty()),
            price_negative: line.byte(at(118)) == b'-',
            strike_negative: line.byte(at(119)) == b'-',
            cvf: line
                .number(at(138), at(151), 7, "contract value factor")?
                .filter(|c| *c != 0.0)
                .map(|c| c * 10_f64.powi(cvf_exponent as i32)),
        });
        Ok(())
    }

    pub(super) fn rows(
        &mut self,
        name: &str,
        index: &HashMap<(String, String, ContractKind), u32>,
    ) -> Result<()> {
        self.contracts
            .sort_by(|a, b| a.key.cmp(&b.key).then_with(|| a.line.cmp(&b.line)));
        let contracts = std::mem::take(&mut self.contracts);
        for group in contracts.chunk_by(|a, b| a.key == b.key) {
            let (exchange, code, kind, future, option) = &group[0].key;
            let family_key = (exchange.clone(), code.clone(), *kind);
            let Some(&family) = index.get(&family_key) else {
                *self
                    .unknown
                    .entry("contracts of products no commodity claims".into())
                    .or_insert(0) += group.len() as u64;
                continue;
            };
            let factor = self.families[&family_key].1;
            let terms = self.terms.get(&family_key);
            let base = self
                .bases
                .get(&group[0].key)
                .cloned()
                .unwrap_or_else(|| Base {
                    scale: 1.0,
                    ..Base::default()
                });
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
            let table = &mut self.file.contracts;
            let mut series = Series {
                family,
                period: period.clone(),
                delta_period: delta_period.clone(),
                settlement_date: base.settlement,
                years: base.years,
                cvf: base.cvf.or(terms.map(|t| t.cvf)).unwrap_or(0.0),
                svf: 1.0,
                scale: base.scale,
                vol: base.vol,
                rate: base.rate,
                dividend_yield: base.dividend_yield,
                lookahead: base.lookahead,
                scan: base.scan,
                underlying,
                first: table.len() as u32,
                count: group.len() as u32,
            };
            series.svf = series.cvf;
            for contract in group {
                let place = format!("{name}: line {}", contract.line);
                let Some(done) = &contract.finished else {
                    fail!(
                        ParseError,
                        "{place}: an array whose second half (82 or 84) is missing"
                    );
                };
                let cvf = done.cvf.unwrap_or(series.cvf);
                let digits = contract.high_price.as_ref().or(done.price.as_ref());
                let price = match (digits, terms) {
                    (Some(digits), Some(terms)) if digits.bytes().any(|d| d != b'9') => {
                        let price = settlement_price(digits, terms.locator, terms.alignment)
                            .map_err(|e| e.at(&place))?;
                        if done.price_negative { -price } else { price }
                    }
                    _ => f64::NAN,
                };
                let strike = match terms {
                    Some(terms) if contract.right != 0 => {
                        let strike = settlement_price(
                            &contract.strike,
                            terms.strike_locator,
                            terms.strike_alignment,
                        )
                        .map_err(|e| e.at(&place))?;
                        if done.strike_negative {
                            -strike
                        } else {
                            strike
                        }
                    }
                    None if contract.right != 0 => {
                        fail!(
                            ParseError,
                            "{place}: strike: product {code} has no record P to place its decimals"
                        )
                    }
                    _ => 0.0,
                };
                table.series.push(self.file.series.len() as u32);
                table.right.push(contract.right);
                table.strike.push(strike);
                table.price.push(price);
                table.value.push(price * cvf);
                table.vol.push(done.vol);
                table.delta.push(done.delta);
                table.number.push(0);
                table
                    .array
                    .extend(contract.array.iter().map(|a| a * factor + 0.0));
            }
            if self.file.families[family as usize].model.is_empty() {
                self.file.families[family as usize].model = base.model;
            }
            self.file.series.push(series);
        }
        Ok(())
    }
}
