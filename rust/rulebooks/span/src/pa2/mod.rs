//! Reads CME's expanded fixed-width format (U2, `.pa2`) into a [`SpanFile`].
//!
//! Positions are 1-based and inclusive, as the layout pages print them; lines may be cut on the right.
//!
//! | records | file |
//! |---|---|
//! | 0 header, T currencies, 1 exchanges, Y links; which record goes where | here |
//! | 2, B, P, Z, X: commodities, products, combinations | `products.rs` |
//! | 3, C, E, 4, 6, S: tiers, spreads, delivery, minimums | `spreads.rs` |
//! | 81 to 84: arrays | `contracts.rs`, and from them `rows.rs` |
//! | fields of a line | `line.rs` |
//! | settlement prices | `price.rs` |
//! | what is known so far | `reader.rs` |

mod contracts;
mod line;
mod price;
mod products;
mod reader;
mod rows;
mod spreads;

use std::collections::HashMap;

pub use price::settlement_price;

use self::line::Line;
use self::reader::{FamilyKey, Pa2};
use crate::model::*;
use crate::unique::check_unique;
use kernel::error::Result;
use kernel::{fail, interrupt};

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
            ParseError: Damaged;
            "{name}: the last line has no end: the file is cut short"
        );
    }
    for (number, bytes) in data.split(|b| *b == b'\n').enumerate() {
        if number.is_multiple_of(256) {
            interrupt::check()?;
        }
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

    fn done(mut self, name: &str) -> Result<SpanFile> {
        if self.file.info.format.is_empty() {
            fail!(
                ParseError: Damaged;
                "{name}: the file is empty: no header (record 0)"
            );
        }
        let (multiplier, cover) = self.extreme.unwrap_or((3.0, 0.33));
        self.file.points = standard_points(multiplier, cover);
        self.file.delta_points = standard_delta_points();
        self.levels();
        let index = self.families();
        self.rows(name, &index)?;
        check_unique(&self.file)?;
        self.file.unknown = self.unknown;
        Ok(self.file)
    }

    /// Factors of records 3 (initial to maintenance) and 4 (adjustment) by account kind. The file's numbers are of the
    /// maintenance level, or of the initial one where the header says so.
    fn levels(&mut self) {
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
    }

    /// Adds the products that a commodity claims; their places.
    fn families(&mut self) -> HashMap<FamilyKey, u32> {
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
        index
    }
}
