//! Families, series and contracts with their arrays.

use super::reader::Spn;
use super::xml::Child;
use crate::model::*;
use kernel::error::Result;
use kernel::interrupt;

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

impl<'a> Spn<'a> {
    pub(super) fn family(&mut self, child: Child<'a>, exchange: &str) -> Result<()> {
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
        if table.len().is_multiple_of(64) {
            interrupt::check()?;
        }
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
}
