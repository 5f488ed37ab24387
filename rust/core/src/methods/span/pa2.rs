//! Reads CME's expanded fixed-width format (U2, `.pa2`) into a [`SpanFile`].
//!
//! Positions are 1-based and inclusive, as the layout pages print them; lines may be cut on the right.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::model::*;
use super::pa2_records::Line;
use super::pa2_spreads;
use super::spn::check_unique;
use crate::error::Result;
use crate::fail;

/// A contract's key in records 81 to 84 and B: exchange, product, type, future period, option period.
type SeriesKey = (String, String, ContractKind, String, String);

#[derive(Clone, Default)]
struct Terms {
    locator: i32,
    strike_locator: i32,
    alignment: u8,
    strike_alignment: u8,
    cvf: f64,
    cabinet: f64,
    currency: String,
    exercise: String,
    value_method: String,
    name: String,
}

#[derive(Clone, Default)]
struct Base {
    vol: f64,
    scan: ScanRange,
    rate: Option<f64>,
    years: Option<f64>,
    lookahead: Option<f64>,
    scale: f64,
    settlement: String,
    model: String,
    dividend_yield: f64,
    cvf: Option<f64>,
}

struct Contract {
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

#[derive(Default)]
pub(super) struct Pa2 {
    pub(super) file: SpanFile,
    pub(super) exchanges: HashSet<String>,
    pub(super) codes: HashMap<String, usize>,
    /// (exchange, product, kind) to (commodity, array factor, futures style).
    families: BTreeMap<(String, String, ContractKind), (u32, f64, bool)>,
    terms: HashMap<(String, String, ContractKind), Terms>,
    bases: HashMap<SeriesKey, Base>,
    contracts: Vec<Contract>,
    by_key: HashMap<(SeriesKey, i8, String), usize>,
    /// (exchange, product, period) to legs of a combination.
    legs: HashMap<(String, String, String), Vec<UnderlyingRef>>,
    /// Option-on-combination product to combination product.
    option_links: HashMap<String, String>,
    pub(super) adjustment: HashMap<String, [f64; 3]>,
    pub(super) ratio: HashMap<String, [f64; 3]>,
    initial_file: bool,
    extreme: Option<(f64, f64)>,
    unknown: BTreeMap<String, u64>,
}

/// Parses a decompressed `.pa2` file.
pub fn parse(data: &[u8], name: &str) -> Result<SpanFile> {
    let mut pa2 = Pa2 {
        file: SpanFile {
            info: FileInfo {
                file: name.into(),
                ..FileInfo::default()
            },
            ..SpanFile::default()
        },
        ..Pa2::default()
    };
    if !data.is_empty() && data.last() != Some(&b'\n') {
        fail!(
            ParseError,
            "{name}: the last line has no end: the file is cut short"
        );
    }
    for (number, bytes) in data.split(|b| *b == b'\n').enumerate() {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.is_empty() {
            continue;
        }
        if bytes.len() > 512 || !bytes.is_ascii() || bytes.iter().any(|b| *b < b' ') {
            fail!(
                ParseError,
                "{name}: line {}: not a line of an expanded SPAN file",
                number + 1
            );
        }
        pa2.record(&Line {
            bytes,
            number: number + 1,
            file: name,
        })?;
    }
    pa2.done(name)
}

impl Pa2 {
    fn record(&mut self, line: &Line<'_>) -> Result<()> {
        let kind = &line.bytes[..line.bytes.len().min(2)];
        if self.file.info.format.is_empty() && kind != b"0 " {
            return line.fail("record", "the file does not begin with a header (record 0)");
        }
        match kind {
            b"0 " | b"0" => self.header(line),
            b"T " => self.currency(line),
            b"1 " => {
                self.exchanges.insert(line.text(3, 5, "exchange")?);
                Ok(())
            }
            b"2 " => self.commodity(line),
            b"3 " => pa2_spreads::intra_tiers(self, line),
            b"C " => pa2_spreads::tier_spread(self, line),
            b"E " => pa2_spreads::series_spread(self, line),
            b"4 " => pa2_spreads::delivery(self, line),
            b"6 " => pa2_spreads::inter_spread(self, line),
            b"S " => pa2_spreads::tiers(self, line),
            b"B " => self.base(line),
            b"P " => self.product(line),
            b"81" => self.first_half(line, 5),
            b"83" => self.first_half(line, 8),
            b"82" => self.second_half(line, 5),
            b"84" => self.second_half(line, 8),
            b"Z " => self.combination_leg(line),
            b"X " => self.combination_method(line),
            b"Y " => {
                let combination = line.text(3, 12, "combination product")?;
                self.option_links
                    .insert(line.text(13, 22, "option product")?, combination);
                Ok(())
            }
            // Groups carry no number the margin needs; V adjusts daily settlement of some futures.
            b"5 " | b"V " => Ok(()),
            other => {
                *self
                    .unknown
                    .entry(format!("record {}", String::from_utf8_lossy(other).trim()))
                    .or_insert(0) += 1;
                Ok(())
            }
        }
    }

    fn header(&mut self, line: &Line<'_>) -> Result<()> {
        if !self.file.info.format.is_empty() {
            return line.fail("record", "a second header: two files in one");
        }
        let format = line.text(36, 37, "format")?;
        if format != "U2" {
            fail!(
                Unsupported,
                "{}: line {}: format '{format}': only the expanded format U2 is read",
                line.file,
                line.number
            );
        }
        let info = &mut self.file.info;
        info.format = "expanded U2".into();
        info.organisation = line.text(3, 8, "exchange complex")?;
        info.business_date = line.text(9, 16, "business date")?;
        info.settlement = line.byte(17) == b'S';
        info.run = format!(
            "{}{}",
            line.byte(17) as char,
            line.text(18, 19, "file identifier")?
        )
        .trim()
        .to_string();
        info.created = format!(
            "{}{}",
            line.text(24, 31, "creation date")?,
            line.text(32, 35, "creation time")?
        );
        self.file.cap_anov = line.byte(39) == b'Y';
        self.initial_file = line.byte(75) == b'I';
        Ok(())
    }

    fn currency(&mut self, line: &Line<'_>) -> Result<()> {
        let factor = line
            .number(11, 20, 6, "conversion multiplier")?
            .unwrap_or(0.0);
        if factor <= 0.0 {
            return line.fail("conversion multiplier", "it must be positive");
        }
        self.file.rates.push(CurrencyRate {
            from: line.text(3, 5, "from")?,
            to: line.text(7, 9, "to")?,
            factor,
        });
        Ok(())
    }

    fn commodity(&mut self, line: &Line<'_>) -> Result<()> {
        let code = line.text(7, 12, "combined commodity")?;
        let exchange = line.text(3, 5, "exchange")?;
        let futures_style = line.byte(18) == b'F';
        let index = match self.codes.get(&code) {
            Some(index) => *index,
            None => {
                let combination = match line.byte(20) {
                    b'S' => CombinationMethod::Split,
                    b'M' => CombinationMethod::ModifiedSplit,
                    _ => CombinationMethod::DeltaSplit,
                };
                self.file.commodities.push(Commodity {
                    code: code.clone(),
                    name: code.clone(),
                    organisation: self.file.info.organisation.clone(),
                    currency: line.text(14, 16, "currency")?,
                    risk_exponent: line.number(13, 13, 0, "risk exponent")?.unwrap_or(0.0) as i32,
                    cap_anov: line.byte(19) == b'Y',
                    combination,
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

    fn base(&mut self, line: &Line<'_>) -> Result<()> {
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

    fn product(&mut self, line: &Line<'_>) -> Result<()> {
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

    fn first_half(&mut self, line: &Line<'_>, digits: usize) -> Result<()> {
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
        let index = self.contracts.len();
        self.contracts.push(Contract {
            key: id.0.clone(),
            right: id.1,
            strike: id.2.clone(),
            array,
            high_price,
            line: line.number,
            finished: None,
        });
        if self.by_key.insert(id, index).is_some() {
            return line.fail("contract", "the same contract is in the file twice");
        }
        Ok(())
    }

    fn second_half(&mut self, line: &Line<'_>, digits: usize) -> Result<()> {
        let Some(id) = Self::key(line)? else {
            return Ok(());
        };
        let Some(&index) = self.by_key.get(&id) else {
            return line.fail(
                "record",
                "the second half of an array whose first half (81 or 83) is missing",
            );
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

    fn combination_leg(&mut self, line: &Line<'_>) -> Result<()> {
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

    fn combination_method(&mut self, line: &Line<'_>) -> Result<()> {
        let method = match line.byte(3) {
            b'S' => CombinationMethod::Split,
            b'D' => CombinationMethod::DeltaSplit,
            b'M' => CombinationMethod::ModifiedSplit,
            _ => return line.fail("combination method", "S, D or M is expected"),
        };
        let product = line.text(4, 13, "combination product")?;
        for ((_, code, kind), (commodity, _, _)) in &self.families {
            if *code == product && *kind == ContractKind::Combination {
                self.file.commodities[*commodity as usize].combination = method;
            }
        }
        Ok(())
    }

    fn done(mut self, name: &str) -> Result<SpanFile> {
        if self.file.info.format.is_empty() {
            fail!(
                ParseError,
                "{name}: the file is empty: no header (record 0)"
            );
        }
        let (multiplier, cover) = self.extreme.unwrap_or((3.0, 0.33));
        self.file.points = standard_points(multiplier, cover);
        self.file.delta_points = standard_delta_points();
        for commodity in &mut self.file.commodities {
            let adjustment = self
                .adjustment
                .get(&commodity.code)
                .copied()
                .unwrap_or([1.0; 3]);
            let ratio = self.ratio.get(&commodity.code).copied().unwrap_or([1.0; 3]);
            let level = |i: usize| {
                if self.initial_file {
                    Level {
                        initial: adjustment[i],
                        maintenance: adjustment[i] / ratio[i],
                    }
                } else {
                    Level {
                        initial: adjustment[i] * ratio[i],
                        maintenance: adjustment[i],
                    }
                }
            };
            commodity.levels = Levels {
                member: level(0),
                hedger: level(1),
                speculator: level(2),
            };
            commodity.spreads.sort_by_key(|s| s.priority);
        }
        let mut index = HashMap::new();
        for ((exchange, code, kind), (commodity, _, futures_style)) in &self.families {
            let terms = self
                .terms
                .get(&(exchange.clone(), code.clone(), *kind))
                .cloned()
                .unwrap_or_default();
            let style = if *futures_style { "FUT" } else { "EQTY" };
            let own = self.file.commodities[*commodity as usize].currency.clone();
            index.insert(
                (exchange.clone(), code.clone(), *kind),
                self.file.families.len() as u32,
            );
            self.file.families.push(Family {
                exchange: exchange.clone(),
                id: format!("{code}/{}", kind.code()),
                code: code.clone(),
                name: terms.name,
                kind: *kind,
                currency: if terms.currency.is_empty() {
                    own
                } else {
                    terms.currency
                },
                cvf: terms.cvf,
                cabinet: terms.cabinet,
                exercise: terms.exercise,
                model: String::new(),
                value_method: if terms.value_method.is_empty() && kind.is_option() {
                    style.into()
                } else {
                    terms.value_method
                },
                commodity: Some(*commodity),
                scale: 1.0,
                delta_method: String::new(),
            });
        }
        self.rows(name, &index)?;
        check_unique(&self.file)?;
        self.file.unknown = self.unknown;
        Ok(self.file)
    }

    fn rows(
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

/// Decodes a settlement price: integer digits, a decimal locator and an alignment code.
///
/// `C` is Treasuries (two digits of 32nds, then eighths of a 32nd), `0` grains (last digit eighths of a cent).
pub fn settlement_price(digits: &str, locator: i32, alignment: u8) -> Result<f64> {
    if digits.is_empty() || digits.len() > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        fail!(ParseError, "price '{digits}' is not a number");
    }
    let whole: f64 = digits.parse().expect("digits");
    let eighths = || match digits.as_bytes()[digits.len() - 1] {
        b'0' => Ok(0.0),
        b'1' => Ok(0.125),
        b'2' => Ok(0.25),
        b'3' => Ok(0.375),
        b'5' => Ok(0.5),
        b'6' => Ok(0.625),
        b'7' => Ok(0.75),
        b'8' => Ok(0.875),
        _ => fail!(ParseError, "price '{digits}': eighths never end in 4 or 9"),
    };
    let plain = || {
        if locator >= 0 {
            whole / 10_f64.powi(locator)
        } else {
            whole * 10_f64.powi(-locator)
        }
    };
    match alignment {
        b' ' => Ok(plain()),
        b'C' if locator == 3 => {
            let points = (whole / 1000.0).floor();
            let thirty_seconds = ((whole - points * 1000.0) / 10.0).floor();
            if thirty_seconds > 31.0 {
                fail!(
                    ParseError,
                    "price '{digits}': {thirty_seconds} thirty-seconds"
                );
            }
            Ok(points + (thirty_seconds + eighths()?) / 32.0)
        }
        // Cents and eighths: the locator counts the eighths' digit and the two places to dollars.
        b'0' if locator == 3 => Ok((whole / 10.0).floor() + eighths()?),
        other => fail!(
            Unsupported,
            "price alignment '{}' with locator {locator} is not documented",
            other as char
        ),
    }
}
