//! Reads CME's expanded fixed-width format (U2, `.pa2`) into a [`SpanFile`].
//!
//! Positions are 1-based and inclusive, as the layout pages print them; lines may be cut on the right.

mod contracts;
mod line;
mod price;
mod spreads;

use std::collections::{BTreeMap, HashMap, HashSet};

pub use price::settlement_price;

use self::contracts::Contract;
use self::line::Line;
use super::model::*;
use super::spn::check_unique;
use kernel::error::Result;
use kernel::fail;

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
    /// The last first half's key, as bytes of its line.
    last_key: Vec<u8>,
    /// The first contracts by key, as many as a second half far from its first has made necessary.
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
            b"3 " => spreads::intra_tiers(self, line),
            b"C " => spreads::tier_spread(self, line),
            b"E " => spreads::series_spread(self, line),
            b"4 " => spreads::delivery(self, line),
            b"6 " => spreads::inter_spread(self, line),
            b"S " => spreads::tiers(self, line),
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
}
