//! Reads `.spn` XML 4.00 into a [`SpanFile`].

mod commodity;
mod families;
mod numbers;
mod spreads;
mod xml;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::xml::{Child, Reader};
use super::model::*;
use kernel::error::Result;

/// Names and terms that no step of the margin reads.
const IGNORED: &[&str] = &[
    "name",
    "symbol",
    "group",
    "priceDl",
    "priceFmt",
    "strikeDl",
    "strikeFmt",
    "setlMeth",
    "priceMeth",
    "volSrc",
    "pq",
    "alias",
    "uom",
    "uomQty",
    "contractSize",
    "finalizeMeth",
    "isNetMargin",
    "definitions",
    "tick",
    "venue",
    "fdot",
    "ldot",
    "pfAlias",
    "positionsAllowed",
    "tradeMeth",
    "arrayPrecision",
    "applyBasisRisk",
    "undPf",
    "positionable",
    "dvas",
    "priceType",
    "exerciseDef",
    "pfType",
    "custUseLov",
    "useLovPct",
    "businessFunction",
];

struct Spn<'a> {
    xml: Reader<'a>,
    file: SpanFile,
    /// (exchange, family number) to (commodity, scale, combination method, option delta method).
    links: HashMap<(String, String), (u32, f64, String)>,
    rate_classes: Vec<RateClass>,
    unknown: BTreeMap<String, u64>,
    point_lists: Vec<(usize, Vec<ScanPoint>)>,
}

/// `pbRateDef`: which rate class serves which account type and level.
struct RateClass {
    class: String,
    account: String,
    maintenance: bool,
}

/// Parses a decompressed `.spn` document. `name` is the file's name for messages.
pub fn parse(data: &[u8], name: &str) -> Result<SpanFile> {
    let mut spn = Spn {
        xml: Reader::new(data, name)?,
        file: SpanFile {
            info: FileInfo {
                file: name.into(),
                ..FileInfo::default()
            },
            ..SpanFile::default()
        },
        links: HashMap::new(),
        rate_classes: Vec::new(),
        unknown: BTreeMap::new(),
        point_lists: Vec::new(),
    };
    spn.root()?;
    spn.xml.finish()?;
    spn.done()
}

impl<'a> Spn<'a> {
    fn text(&self, value: &[u8], field: &str) -> Result<String> {
        self.xml.text(value, field)
    }

    fn number(&self, value: &[u8], field: &str) -> Result<f64> {
        self.xml.number(value, field)
    }

    fn flag(&self, value: &[u8], field: &str) -> Result<bool> {
        match value.trim_ascii() {
            b"0" | b"false" | b"N" => Ok(false),
            b"1" | b"true" | b"Y" => Ok(true),
            _ => self.xml.fail(&format!(
                "{field}: '{}' is not a flag",
                String::from_utf8_lossy(value)
            )),
        }
    }

    fn whole(&self, value: &[u8], field: &str) -> Result<i64> {
        let number = self.number(value, field)?;
        if number.fract() != 0.0 || number.abs() > 9.0e15 {
            return self
                .xml
                .fail(&format!("{field}: {number} is not a whole number"));
        }
        Ok(number as i64)
    }

    /// Counts an element that is not read, and reads past it.
    fn other(&mut self, child: Child<'a>, parent: &str) -> Result<()> {
        let name = match child {
            Child::Leaf(name, _) => name,
            Child::Node(name) => {
                self.xml.skip()?;
                name
            }
        };
        let name = String::from_utf8_lossy(name);
        if !IGNORED.contains(&name.as_ref()) {
            *self.unknown.entry(format!("{parent}/{name}")).or_insert(0) += 1;
        }
        Ok(())
    }

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
                kernel::fail!(
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

    fn multiple(&mut self) -> Result<f64> {
        let mut value = f64::NAN;
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"mult", v) => value = self.number(v, "mult")?,
                Child::Leaf(b"numerator" | b"denominator" | b"defType", _) => {}
                other => self.other(other, "scanDef")?,
            }
        }
        if value.is_nan() {
            self.xml.fail("no mult")
        } else {
            Ok(value)
        }
    }

    fn point_def(&mut self) -> Result<()> {
        let (mut class, mut points, mut deltas) = (String::new(), Vec::new(), Vec::new());
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"r", v) => class = self.text(v, "r")?,
                Child::Node(kind @ (b"scanPointDef" | b"deltaPointDef")) => {
                    let (mut number, mut price, mut vol, mut weight, mut paired) =
                        (0, f64::NAN, 0.0, f64::NAN, None);
                    while let Some(child) = self.xml.child()? {
                        match child {
                            Child::Leaf(b"point", v) => number = self.whole(v, "point")?,
                            Child::Leaf(b"weight", v) => weight = self.number(v, "weight")?,
                            Child::Leaf(b"pairedPoint", v) => {
                                paired = Some(self.whole(v, "pairedPoint")?)
                            }
                            Child::Node(b"priceScanDef") => price = self.multiple()?,
                            Child::Node(b"volScanDef") => vol = self.multiple()?,
                            other => self.other(other, "scanPointDef")?,
                        }
                    }
                    if price.is_nan() || weight.is_nan() {
                        return self.xml.fail("a scan point without price move or weight");
                    }
                    if kind == b"deltaPointDef" {
                        deltas.push(DeltaPoint { price, weight });
                    } else {
                        if number != points.len() as i64 + 1 {
                            return self
                                .xml
                                .fail(&format!("scan point {number} is out of order"));
                        }
                        let paired = paired.unwrap_or(number);
                        if !(1..=1024).contains(&paired) {
                            return self.xml.fail(&format!(
                                "scan point {number} is paired with point {paired}"
                            ));
                        }
                        points.push(ScanPoint {
                            price,
                            vol,
                            weight,
                            paired: paired as usize - 1,
                        });
                    }
                }
                other => self.other(other, "pointDef")?,
            }
        }
        if points.len() > 1024 || points.iter().any(|p| p.paired >= points.len()) {
            return self.xml.fail(
                "a list of scan points that is too long or pairs with a point it does not have",
            );
        }
        self.point_lists.push((self.xml.offset(), points.clone()));
        if self.file.points.is_empty() || class == "1" && self.file.series.is_empty() {
            self.file.points = points;
            if !deltas.is_empty() {
                self.file.delta_points = deltas;
            }
        }
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

/// Two contracts of one name would make the requirement depend on which is found first: two days in one file, or a
/// day code that was dropped.
pub(super) fn check_unique(file: &SpanFile) -> Result<()> {
    let mut seen = HashSet::new();
    let mut strikes: Vec<(i8, u64)> = Vec::new();
    for series in &file.series {
        let family = &file.families[series.family as usize];
        let key = (
            &family.exchange,
            &family.code,
            family.kind,
            &series.period,
            &series.delta_period,
        );
        if !seen.insert(key) {
            kernel::fail!(
                ParseError,
                "{}: {} {} {} is in the file twice",
                file.info.file,
                family.code,
                family.kind.code(),
                series.period
            );
        }
        strikes.clear();
        let rows = series.first as usize..(series.first + series.count) as usize;
        strikes.extend(rows.map(|r| (file.contracts.right[r], file.contracts.strike[r].to_bits())));
        strikes.sort_unstable();
        if let Some(pair) = strikes.windows(2).find(|w| w[0] == w[1]) {
            kernel::fail!(
                ParseError,
                "{}: {} {} {}: strike {} is in the file twice",
                file.info.file,
                family.code,
                family.kind.code(),
                series.period,
                f64::from_bits(pair[0].1)
            );
        }
    }
    Ok(())
}
