//! The reader of a `.spn` document: values of its elements, and what no step of the margin reads.

use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;

use super::xml::{Child, Reader};
use crate::model::*;
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

/// A document while it is read, and what is known of it so far.
pub(super) struct Spn<'a> {
    pub(super) xml: Reader<'a>,
    pub(super) file: SpanFile,
    /// (exchange, family number) to (commodity, scale, combination method, option delta method).
    pub(super) links: HashMap<(String, String), (u32, f64, String)>,
    pub(super) rate_classes: Vec<RateClass>,
    pub(super) unknown: BTreeMap<String, u64>,
    pub(super) point_lists: Vec<(usize, Vec<ScanPoint>)>,
}

/// `pbRateDef`: which rate class serves which account type and level.
pub(super) struct RateClass {
    pub(super) class: String,
    pub(super) account: String,
    pub(super) maintenance: bool,
}

impl<'a> Spn<'a> {
    pub(super) fn new(data: &'a [u8], name: &'a str) -> Result<Self> {
        Ok(Self {
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
        })
    }

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

    pub(super) fn unsigned(&self, value: &[u8], field: &str) -> Result<u32> {
        match u32::try_from(self.whole(value, field)?) {
            Ok(number) => Ok(number),
            Err(_) => self.xml.fail(&format!("{field} is negative or too large")),
        }
    }

    /// What a word stands for in the model; none where it is no word of it.
    pub(super) fn named<T: DeserializeOwned>(&self, value: &[u8]) -> Option<T> {
        std::str::from_utf8(value.trim_ascii()).ok().and_then(named)
    }
}
