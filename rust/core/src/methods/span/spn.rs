//! Reads `.spn` XML 4.00 into a [`SpanFile`].

use std::collections::{BTreeMap, HashMap, HashSet};

use super::model::*;
use super::spn_commodity;
use super::xml::{Child, Reader};
use crate::error::Result;

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

pub(super) struct Spn<'a> {
    pub(super) xml: Reader<'a>,
    pub(super) file: SpanFile,
    /// (exchange, family number) to (commodity, scale, combination method, option delta method).
    pub(super) links: HashMap<(String, String), (u32, f64, String)>,
    pub(super) rate_classes: Vec<RateClass>,
    unknown: BTreeMap<String, u64>,
    point_lists: Vec<(usize, Vec<ScanPoint>)>,
}

/// `pbRateDef`: which rate class serves which account type and level.
pub(super) struct RateClass {
    pub(super) class: String,
    pub(super) account: String,
    pub(super) maintenance: bool,
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
    pub(super) fn text(&self, value: &[u8], field: &str) -> Result<String> {
        self.xml.text(value, field)
    }

    pub(super) fn number(&self, value: &[u8], field: &str) -> Result<f64> {
        self.xml.number(value, field)
    }

    pub(super) fn flag(&self, value: &[u8], field: &str) -> Result<bool> {
        match value.trim_ascii() {
            b"0" | b"false" | b"N" => Ok(false),
            b"1" | b"true" | b"Y" => Ok(true),
            _ => self.xml.fail(&format!(
                "{field}: '{}' is not a flag",
                String::from_utf8_lossy(value)
            )),
        }
    }

    pub(super) fn whole(&self, value: &[u8], field: &str) -> Result<i64> {
        let number = self.number(value, field)?;
        if number.fract() != 0.0 || number.abs() > 9.0e15 {
            return self
                .xml
                .fail(&format!("{field}: {number} is not a whole number"));
        }
        Ok(number as i64)
    }

    /// Counts an element that is not read, and reads past it.
    pub(super) fn other(&mut self, child: Child<'a>, parent: &str) -> Result<()> {
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
                && year > 0.0 {
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
                crate::fail!(
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

    pub(super) fn point_def(&mut self) -> Result<()> {
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

    fn family(&mut self, child: Child<'a>, exchange: &str) -> Result<()> {
        let Child::Node(tag) = child else {
            return self.other(child, "exchange");
        };
        let kind = match tag {
            b"phyPf" => ContractKind::Physical,
            b"futPf" => ContractKind::Future,
            b"cmbPf" => ContractKind::Combination,
            b"oofPf" => ContractKind::OptionOnFuture,
            b"oopPf" => ContractKind::OptionOnPhysical,
            b"oocPf" => ContractKind::OptionOnCombination,
            _ => return self.other(child, "exchange"),
        };
        let index = self.file.families.len() as u32;
        self.file.families.push(Family {
            exchange: exchange.into(),
            id: String::new(),
            code: String::new(),
            name: String::new(),
            kind,
            currency: String::new(),
            cvf: 0.0,
            cabinet: 0.0,
            exercise: String::new(),
            model: String::new(),
            value_method: String::new(),
            commodity: None,
            scale: 1.0,
            delta_method: String::new(),
        });
        while let Some(child) = self.xml.child()? {
            let (xml, family) = (&self.xml, &mut self.file.families[index as usize]);
            match child {
                Child::Leaf(b"pfId", v) => family.id = xml.text(v, "pfId")?,
                Child::Leaf(b"pfCode", v) => family.code = xml.text(v, "pfCode")?,
                Child::Leaf(b"name", v) => family.name = xml.text(v, "name")?,
                Child::Leaf(b"currency", v) => family.currency = xml.text(v, "currency")?,
                Child::Leaf(b"cvf", v) => family.cvf = xml.number(v, "cvf")?,
                Child::Leaf(b"cab", v) => family.cabinet = xml.number(v, "cab")?,
                Child::Leaf(b"exercise", v) => family.exercise = xml.text(v, "exercise")?,
                Child::Leaf(b"priceModel", v) => family.model = xml.text(v, "priceModel")?,
                Child::Leaf(b"valueMeth", v) => family.value_method = xml.text(v, "valueMeth")?,
                Child::Node(b"phy" | b"fut" | b"cmb") if !kind.is_option() => self.single(index)?,
                Child::Node(b"series") if kind.is_option() => self.series(index)?,
                other => self.other(other, "family")?,
            }
        }
        Ok(())
    }

    fn new_series(&self, family: u32) -> Series {
        Series {
            family,
            period: String::new(),
            delta_period: String::new(),
            settlement_date: String::new(),
            years: None,
            cvf: self.file.families[family as usize].cvf,
            svf: 1.0,
            scale: 1.0,
            vol: 0.0,
            rate: None,
            dividend_yield: 0.0,
            lookahead: self.file.lookahead,
            scan: ScanRange::default(),
            underlying: Vec::new(),
            first: self.file.contracts.len() as u32,
            count: 0,
        }
    }

    /// What futures, physicals and series have in common; false where the element is none of it.
    fn shared(&mut self, series: &mut Series, child: Child<'a>) -> Result<bool> {
        match child {
            Child::Leaf(b"pe", v) => series.period = self.text(v, "pe")?,
            Child::Leaf(b"setlDate", v) => series.settlement_date = self.text(v, "setlDate")?,
            Child::Leaf(b"t", v) => series.years = Some(self.number(v, "t")?),
            Child::Leaf(b"cvf", v) => series.cvf = self.number(v, "cvf")?,
            Child::Leaf(b"svf", v) => series.svf = self.number(v, "svf")?,
            Child::Leaf(b"sc", v) => series.scale = self.number(v, "sc")?,
            Child::Node(b"undC") => {
                let underlying = self.underlying()?;
                series.underlying.push(underlying);
            }
            Child::Node(b"intrRate") => series.rate = Some(self.value("intrRate")?),
            Child::Node(b"divRate") => series.dividend_yield = self.value("divRate")?,
            Child::Node(b"scanRate") => self.scan_range(&mut series.scan)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn value(&mut self, parent: &str) -> Result<f64> {
        let mut value = 0.0;
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"val", v) => value = self.number(v, "val")?,
                // Continuous compounding on an annual rate is the only convention seen.
                Child::Leaf(b"rl" | b"cpm" | b"exm" | b"r", _) => {}
                other => self.other(other, parent)?,
            }
        }
        Ok(value)
    }

    fn underlying(&mut self) -> Result<UnderlyingRef> {
        let mut u = UnderlyingRef {
            exchange: String::new(),
            family: String::new(),
            contract: String::new(),
            sign: 1.0,
            ratio: 1.0,
        };
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"exch", v) => u.exchange = self.text(v, "exch")?,
                Child::Leaf(b"pfId", v) => u.family = self.text(v, "pfId")?,
                Child::Leaf(b"cId", v) => u.contract = self.text(v, "cId")?,
                Child::Leaf(b"s", v) => u.sign = if v.trim_ascii() == b"A" { 1.0 } else { -1.0 },
                Child::Leaf(b"i", v) => u.ratio = self.number(v, "i")?,
                other => self.other(other, "undC")?,
            }
        }
        Ok(u)
    }

    fn scan_range(&mut self, range: &mut ScanRange) -> Result<()> {
        let mut read = ScanRange::default();
        let mut class = String::from("1");
        while let Some(child) = self.xml.child()? {
            let Child::Leaf(name, v) = child else {
                self.other(child, "scanRate")?;
                continue;
            };
            let slot = match name {
                b"r" => {
                    class = self.text(v, "r")?;
                    continue;
                }
                b"priceScan" => &mut read.price,
                b"priceScanPct" => &mut read.price_percent,
                b"volScan" => &mut read.vol,
                b"volScanPct" => &mut read.vol_percent,
                b"priceScanDown" => &mut read.price_down,
                b"priceScanDownPct" => &mut read.price_down_percent,
                b"volScanDown" => &mut read.vol_down,
                b"volScanDownPct" => &mut read.vol_down_percent,
                _ => {
                    self.other(child, "scanRate")?;
                    continue;
                }
            };
            *slot = Some(self.xml.number(v, "scanRate")?);
        }
        if class == "1" || *range == ScanRange::default() {
            *range = read;
        }
        Ok(())
    }

    /// A future, physical or combination: one contract, its own series.
    fn single(&mut self, family: u32) -> Result<()> {
        let mut series = self.new_series(family);
        let mut row = Row::default();
        while let Some(child) = self.xml.child()? {
            if !self.contract_field(&mut row, child)? && !self.shared(&mut series, child)? {
                self.other(child, "contract")?;
            }
        }
        series.vol = row.vol;
        self.push(&row, &series)?;
        self.push_series(series)
    }

    fn series(&mut self, family: u32) -> Result<()> {
        let mut series = self.new_series(family);
        // Options come after the terms they share.
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Node(b"opt") => {
                    let mut row = Row {
                        vol: series.vol,
                        ..Row::default()
                    };
                    while let Some(child) = self.xml.child()? {
                        if !self.contract_field(&mut row, child)? {
                            self.other(child, "opt")?;
                        }
                    }
                    if row.right == 0 || row.strike.is_nan() {
                        return self.xml.fail("an option without right or strike");
                    }
                    self.push(&row, &series)?;
                }
                Child::Leaf(b"v", v) => series.vol = self.number(v, "v")?,
                other => {
                    if !self.shared(&mut series, other)? {
                        self.other(other, "series")?;
                    }
                }
            }
        }
        self.push_series(series)
    }

    fn contract_field(&mut self, row: &mut Row, child: Child<'a>) -> Result<bool> {
        match child {
            Child::Leaf(b"o", v) => {
                row.right = match v {
                    b"C" => 1,
                    b"P" => -1,
                    _ => return self.xml.fail("o: an option is C or P"),
                }
            }
            Child::Leaf(b"k", v) => row.strike = self.number(v, "k")?,
            Child::Leaf(b"p", v) if v.trim_ascii() == b"CAB" => row.cabinet = true,
            Child::Leaf(b"p", b"") => {}
            Child::Leaf(b"p", v) => row.price = self.number(v, "p")?,
            Child::Leaf(b"v", v) => row.vol = self.number(v, "v")?,
            Child::Leaf(b"val", v) => row.value = self.number(v, "val")?,
            Child::Leaf(b"cvf", v) if row.right != 0 => row.cvf = Some(self.number(v, "cvf")?),
            Child::Leaf(b"cId", v) => row.number = self.number(v, "cId").map_or(0, |n| n as u64),
            Child::Leaf(b"d", _) => {}
            Child::Node(b"ra") => self.array(row)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `ra`: the array goes straight into the table; a second rate class's is read past.
    fn array(&mut self, row: &mut Row) -> Result<()> {
        if row.has_array {
            *self
                .unknown
                .entry("ra of another rate class".into())
                .or_insert(0) += 1;
            return self.xml.skip();
        }
        let first = self.file.contracts.array.len();
        let limit = if self.file.points.is_empty() {
            16
        } else {
            self.file.points.len()
        };
        loop {
            self.xml.numbers(&mut self.file.contracts.array, limit)?;
            match self.xml.child()? {
                None => break,
                Some(Child::Leaf(b"d", v)) => row.delta = self.number(v, "d")?,
                Some(Child::Leaf(b"r", _)) => {}
                Some(other) => self.other(other, "ra")?,
            }
        }
        let count = self.file.contracts.array.len() - first;
        if self.file.points.is_empty() && count == 16 {
            // The file defines no scan points: the standard 16, whose pairing is all that margin needs.
            self.file.points = standard_points(3.0, 0.33);
            self.unknown.insert(
                "pointDef missing: the standard 16 points are used".into(),
                1,
            );
        }
        if count != self.file.points.len() {
            return self.xml.fail(&format!(
                "an array of {count} values where the file has {} points",
                self.file.points.len()
            ));
        }
        row.has_array = true;
        Ok(())
    }

    fn push(&mut self, row: &Row, series: &Series) -> Result<()> {
        let cabinet = self.file.families[series.family as usize].cabinet;
        let width = self.file.points.len();
        let table = &mut self.file.contracts;
        if table.len() >= u32::MAX as usize {
            return self.xml.fail("more contracts than a table holds");
        }
        table.series.push(self.file.series.len() as u32);
        table.right.push(row.right);
        table
            .strike
            .push(if row.right == 0 { 0.0 } else { row.strike });
        table.price.push(row.price);
        table.value.push(if row.cabinet {
            cabinet
        } else if row.value.is_nan() {
            row.price * row.cvf.unwrap_or(series.cvf)
        } else {
            row.value
        });
        table.vol.push(row.vol);
        table
            .delta
            .push(if row.has_array { row.delta } else { f64::NAN });
        table.number.push(row.number);
        if !row.has_array {
            table.array.resize(table.len() * width, f64::NAN);
        }
        Ok(())
    }

    fn push_series(&mut self, mut series: Series) -> Result<()> {
        if series.period.is_empty() {
            return self.xml.fail("a contract or series without a period");
        }
        series.count = self.file.contracts.len() as u32 - series.first;
        series.delta_period.clone_from(&series.period);
        self.file.series.push(series);
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
        spn_commodity::link(&mut self)?;
        check_unique(&self.file)?;
        self.file.unknown = self.unknown;
        Ok(self.file)
    }
}

struct Row {
    right: i8,
    strike: f64,
    price: f64,
    value: f64,
    vol: f64,
    delta: f64,
    cvf: Option<f64>,
    cabinet: bool,
    has_array: bool,
    number: u64,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            right: 0,
            strike: f64::NAN,
            price: f64::NAN,
            value: f64::NAN,
            vol: 0.0,
            delta: f64::NAN,
            cvf: None,
            cabinet: false,
            has_array: false,
            number: 0,
        }
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
            crate::fail!(
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
            crate::fail!(
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
