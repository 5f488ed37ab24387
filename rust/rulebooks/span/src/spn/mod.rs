//! Reads `.spn` XML 4.00 into a [`SpanFile`], by PC-SPAN's schema of risk parameter files.
//!
//! | part | file |
//! |---|---|
//! | XML: elements, text, places | `xml.rs` |
//! | decimal numbers | `numbers.rs` |
//! | values of elements, what is not read | `reader.rs` |
//! | scan points | `points.rs` |
//! | families, series, contracts with their arrays | `families.rs` |
//! | commodities: methods, rates, levels, links | `commodity.rs` |
//! | tiers, spreads and their legs | `spreads.rs` |

mod commodity;
mod families;
mod numbers;
mod points;
mod reader;
mod spreads;
mod xml;

use self::reader::{RateClass, Spn};
use self::xml::Child;
use crate::model::*;
use crate::unique::check_unique;
use kernel::error::Result;
use kernel::fail;

/// Parses a decompressed `.spn` document. `name` is the file's name for messages.
pub fn parse(data: &[u8], name: &str) -> Result<SpanFile> {
    let mut spn = Spn::new(data, name)?;
    spn.root()?;
    spn.xml.finish()?;
    spn.done()
}

impl<'a> Spn<'a> {
    fn root(&mut self) -> Result<()> {
        if self.xml.root()? != b"spanFile" {
            return self.xml.fail("the document is not a spanFile");
        }
        let mut organisations = 0;
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"fileFormat", v) => {
                    self.file.info.format = format!("spn {}", self.text(v, "fileFormat")?);
                }
                Child::Leaf(b"created", v) => self.file.info.created = self.text(v, "created")?,
                Child::Node(b"pointInTime") => {
                    organisations += 1;
                    if organisations > 1 {
                        return self.xml.fail("two points in time in one file: split it");
                    }
                    self.point_in_time()?;
                }
                other => self.other(other, "spanFile")?,
            }
        }
        if organisations == 0 {
            return self.xml.fail("no pointInTime");
        }
        Ok(())
    }

    fn point_in_time(&mut self) -> Result<()> {
        let mut seen = false;
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"date", v) => self.file.info.business_date = self.text(v, "date")?,
                Child::Leaf(b"isSetl", v) => self.file.info.settlement = self.flag(v, "isSetl")?,
                Child::Leaf(b"setlQualifier" | b"run" | b"time", v) => {
                    let word = self.text(v, "run")?;
                    let run = &mut self.file.info.run;
                    if !run.is_empty() {
                        run.push(' ');
                    }
                    run.push_str(&word);
                }
                Child::Node(b"clearingOrg") => {
                    if seen {
                        return self
                            .xml
                            .fail("two clearing organisations in one file: split it");
                    }
                    seen = true;
                    self.clearing_org()?;
                }
                other => self.other(other, "pointInTime")?,
            }
        }
        Ok(())
    }

    fn clearing_org(&mut self) -> Result<()> {
        let (mut days, mut year) = (None, None);
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"ec", v) => self.file.info.organisation = self.text(v, "ec")?,
                Child::Leaf(b"isContractScale", v) => {
                    self.file.contract_scale = self.flag(v, "isContractScale")?
                }
                Child::Leaf(b"capAnov", v) => self.file.cap_anov = self.flag(v, "capAnov")?,
                Child::Leaf(b"oopDeltaMeth", v) => self.delta_method(v)?,
                Child::Leaf(b"lookAheadYears", v) => {
                    self.file.lookahead = Some(self.number(v, "lookAheadYears")?)
                }
                Child::Leaf(b"lookAheadDays", v) => days = Some(self.number(v, "lookAheadDays")?),
                Child::Leaf(b"daysPerYear", v) => year = Some(self.number(v, "daysPerYear")?),
                Child::Node(b"curConv") => self.currency_rate()?,
                Child::Node(b"pbRateDef") => self.rate_class()?,
                Child::Node(b"pointDef") => self.point_def()?,
                Child::Node(b"exchange") => self.exchange()?,
                Child::Node(b"ccDef") => self.commodity()?,
                Child::Node(b"superSpreads") => {
                    self.file.super_spreads = self.spreads("superSpreads")?
                }
                Child::Node(b"interSpreads") => {
                    self.file.inter_spreads = self.spreads("interSpreads")?
                }
                Child::Node(b"interClearSpreads") => {
                    self.file.exchange_spreads = self.clear_spreads()?
                }
                // Some extracts put families directly under the organisation.
                other => self.family(other, "")?,
            }
        }
        if self.file.lookahead.is_none()
            && let (Some(days), Some(year)) = (days, year)
            && year > 0.0
        {
            self.file.lookahead = Some(days / year);
        }
        Ok(())
    }

    /// Options on physicals have their delta in their own period; no other method is published.
    fn delta_method(&mut self, value: &[u8]) -> Result<()> {
        match value.trim_ascii() {
            b"" | b"PERIOD" | b"NONE" => Ok(()),
            other => {
                let other = String::from_utf8_lossy(other).into_owned();
                fail!(
                    Unsupported,
                    "{}: oopDeltaMeth '{other}': only PERIOD is documented",
                    self.file.info.file
                )
            }
        }
    }

    fn currency_rate(&mut self) -> Result<()> {
        let mut rate = CurrencyRate {
            from: String::new(),
            to: String::new(),
            factor: f64::NAN,
        };
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"fromCur", v) => rate.from = self.text(v, "fromCur")?,
                Child::Leaf(b"toCur", v) => rate.to = self.text(v, "toCur")?,
                Child::Leaf(b"factor", v) => rate.factor = self.number(v, "factor")?,
                other => self.other(other, "curConv")?,
            }
        }
        if rate.from.is_empty() || rate.to.is_empty() || rate.factor.is_nan() || rate.factor <= 0.0
        {
            return self
                .xml
                .fail("curConv needs fromCur, toCur and a positive factor");
        }
        self.file.rates.push(rate);
        Ok(())
    }

    fn rate_class(&mut self) -> Result<()> {
        let mut class = RateClass {
            class: String::new(),
            account: String::new(),
            maintenance: false,
        };
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"r", v) => class.class = self.text(v, "r")?,
                Child::Leaf(b"acctType", v) => class.account = self.text(v, "acctType")?,
                Child::Leaf(b"isM", v) => class.maintenance = self.flag(v, "isM")?,
                Child::Leaf(b"isCust" | b"pbc", _) => {}
                other => self.other(other, "pbRateDef")?,
            }
        }
        self.rate_classes.push(class);
        Ok(())
    }

    fn exchange(&mut self) -> Result<()> {
        let mut name = String::new();
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"exch", v) => name = self.text(v, "exch")?,
                other => self.family(other, &name)?,
            }
        }
        Ok(())
    }

    fn done(mut self) -> Result<SpanFile> {
        if self.file.points.is_empty() {
            self.file.points = standard_points(3.0, 0.33);
        }
        // Rows read before the first array could not know its width.
        let size = self.file.contracts.len() * self.file.points.len();
        if self.file.contracts.array.len() != size {
            return self
                .xml
                .fail("contracts without arrays precede the list of scan points");
        }
        if let Some((at, list)) = self
            .point_lists
            .iter()
            .find(|(_, p)| p.len() != self.file.points.len())
        {
            return Err(self.xml.error(
                *at,
                &format!(
                    "scan points of different number ({}) in one file",
                    list.len()
                ),
            ));
        }
        if self.file.delta_points.is_empty() {
            self.file.delta_points = standard_delta_points();
        }
        commodity::link(&mut self)?;
        check_unique(&self.file)?;
        self.file.unknown = self.unknown;
        Ok(self.file)
    }
}
