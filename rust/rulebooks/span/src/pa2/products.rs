//! Commodities and products: records 2, B, P, Z and X.

use super::line::Line;
use super::reader::{Base, Pa2, Terms};
use crate::model::*;
use kernel::error::Result;

impl Pa2 {
    pub(super) fn commodity(&mut self, line: &Line<'_>) -> Result<()> {
        let code = line.text(7, 12, "combined commodity")?;
        let exchange = line.text(3, 5, "exchange")?;
        let futures_style = line.byte(18) == b'F';
        let index = match self.codes.get(&code) {
            Some(index) => *index,
            None => {
                let combination = named(&line.text(20, 20, "combination method")?);
                self.file.commodities.push(Commodity {
                    code: code.clone(),
                    name: code.clone(),
                    organisation: self.file.info.organisation.clone(),
                    currency: line.text(14, 16, "currency")?,
                    risk_exponent: line.number(13, 13, 0, "risk exponent")?.unwrap_or(0.0) as i32,
                    cap_anov: line.byte(19) == b'Y',
                    combination: combination.unwrap_or_default(),
                    ..Commodity::default()
                });
                self.codes.insert(code, self.file.commodities.len() - 1);
                self.file.commodities.len() - 1
            }
        };
        for slot in 0..6 {
            let from = 23 + 16 * slot;
            let product = line.text(from, from + 9, "product code")?;
            if product.is_empty() {
                continue;
            }
            let kind = line.kind(from + 10)?;
            let Some(kind) = kind else {
                *self
                    .unknown
                    .entry(format!("type {}", line.text(from + 10, from + 12, "type")?))
                    .or_insert(0) += 1;
                continue;
            };
            let locator = line
                .number(from + 13, from + 13, 0, "array decimal locator")?
                .unwrap_or(0.0) as i32;
            let decimals = if line.byte(from + 14) == b'-' {
                -locator
            } else {
                locator
            };
            let factor = 10_f64.powi(-decimals);
            self.families.insert(
                (exchange.clone(), product, kind),
                (index as u32, factor, futures_style),
            );
        }
        Ok(())
    }

    pub(super) fn base(&mut self, line: &Line<'_>) -> Result<()> {
        let Some(kind) = line.kind(16)? else {
            return Ok(());
        };
        let key = (
            line.text(3, 5, "exchange")?,
            line.text(6, 15, "commodity")?,
            kind,
            line.period(19, 24, 25, "future month")?,
            line.period(28, 33, 34, "option month")?,
        );
        let scaled =
            |value: f64, exponent: Option<f64>| value * 10_f64.powi(exponent.unwrap_or(0.0) as i32);
        let vol_exponent = line.signed(149, 150, 0, 151, "vol scan range exponent")?;
        let price_exponent = line.signed(166, 167, 0, 168, "price scan range exponent")?;
        let vol = line
            .number(45, 52, 6, "vol scan range")?
            .map(|v| scaled(v, vol_exponent));
        let price = line
            .number(53, 57, 0, "price scan range")?
            .map(|v| scaled(v, price_exponent));
        let mut scan = ScanRange::default();
        if line.byte(165) == b'P' {
            scan.price_percent = price.map(|p| p / 100.0);
        } else {
            scan.price = price;
        }
        // A percent flag quotes percent points: 35.000000 is 35 % of the volatility.
        if line.byte(164) == b'P' {
            scan.vol_percent = vol.map(|v| v / 100.0);
        } else {
            scan.vol = vol;
        }
        if self.extreme.is_none() {
            let multiplier = line.number(58, 62, 3, "extreme move multiplier")?;
            let cover = line.number(63, 67, 4, "extreme move cover")?;
            self.extreme = multiplier.zip(cover).filter(|e| e.0 > 0.0);
        }
        let cvf_exponent = line.signed(143, 144, 0, 145, "contract value factor exponent")?;
        let base = Base {
            vol: scaled(
                line.number(37, 44, 6, "base volatility")?.unwrap_or(0.0),
                line.signed(146, 147, 0, 148, "base volatility exponent")?,
            ),
            scan,
            rate: line.number(68, 72, 4, "interest rate")?,
            years: line.number(73, 79, 6, "time to expiration")?,
            lookahead: line.number(80, 85, 6, "lookahead time")?,
            scale: line
                .number(86, 91, 4, "delta scaling factor")?
                .unwrap_or(1.0),
            settlement: line.text(92, 99, "expiration date")?,
            model: line.text(110, 111, "pricing model")?,
            dividend_yield: line.number(112, 119, 6, "dividend yield")?.unwrap_or(0.0),
            cvf: line
                .number(129, 142, 7, "contract value factor")?
                .filter(|c| *c != 0.0)
                .map(|c| scaled(c, cvf_exponent)),
        };
        self.bases.insert(key, base);
        Ok(())
    }

    pub(super) fn product(&mut self, line: &Line<'_>) -> Result<()> {
        let Some(kind) = line.kind(16)? else {
            return Ok(());
        };
        let exponent = line
            .number(74, 75, 0, "contract value factor exponent")?
            .unwrap_or(0.0) as i32;
        let exponent = if line.byte(73) == b'-' {
            -exponent
        } else {
            exponent
        };
        let terms = Terms {
            locator: line.locator(34, 36, "price decimal locator")?,
            strike_locator: line.locator(37, 39, "strike decimal locator")?,
            alignment: line.byte(40),
            strike_alignment: line.byte(41),
            cvf: line
                .number(42, 55, 7, "contract value factor")?
                .unwrap_or(0.0)
                * 10_f64.powi(exponent),
            cabinet: line.number(56, 63, 2, "cabinet value")?.unwrap_or(0.0),
            currency: line.text(66, 68, "settlement currency")?,
            exercise: line.text(76, 79, "exercise style")?,
            value_method: line.text(117, 121, "valuation")?,
            name: line.text(19, 33, "product name")?,
        };
        self.terms.insert(
            (
                line.text(3, 5, "exchange")?,
                line.text(6, 15, "product")?,
                kind,
            ),
            terms,
        );
        Ok(())
    }

    pub(super) fn combination_leg(&mut self, line: &Line<'_>) -> Result<()> {
        let exchange = line.text(3, 5, "exchange")?;
        let key = (
            exchange.clone(),
            line.text(6, 15, "combination")?,
            line.period(21, 26, 27, "combination month")?,
        );
        let whole = line.number(40, 42, 0, "leg ratio")?.unwrap_or(0.0);
        let part = line.number(64, 67, 4, "leg ratio fraction")?.unwrap_or(0.0);
        let product = line.text(43, 52, "leg product")?;
        let leg = UnderlyingRef {
            exchange,
            family: format!("{product}/{}", line.text(53, 55, "leg type")?),
            contract: line.period(56, 61, 62, "leg month")?,
            sign: if line.side(39)? > 0 { 1.0 } else { -1.0 },
            ratio: whole + part,
        };
        self.legs.entry(key).or_default().push(leg);
        Ok(())
    }

    pub(super) fn combination_method(&mut self, line: &Line<'_>) -> Result<()> {
        let Some(method) = named(&line.text(3, 3, "combination method")?) else {
            return line.fail("combination method", "S, D or M is expected");
        };
        let product = line.text(4, 13, "combination product")?;
        for ((_, code, kind), (commodity, _, _)) in &self.families {
            if *code == product && *kind == ContractKind::Combination {
                self.file.commodities[*commodity as usize].combination = method;
            }
        }
        Ok(())
    }
}
