//! What is known of a file while its records are read.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::*;

/// A contract's key in records 81 to 84 and B: exchange, product, type, future period, option period.
pub(super) type SeriesKey = (String, String, ContractKind, String, String);

/// A product: exchange, code, type.
pub(super) type FamilyKey = (String, String, ContractKind);

/// Record P: how a product's prices are read.
#[derive(Clone, Default)]
pub(super) struct Terms {
    pub(super) locator: i32,
    pub(super) strike_locator: i32,
    pub(super) alignment: u8,
    pub(super) strike_alignment: u8,
    pub(super) cvf: f64,
    pub(super) cabinet: f64,
    pub(super) currency: String,
    pub(super) exercise: String,
    pub(super) value_method: String,
    pub(super) name: String,
}

/// Record B: what the contracts of one period share.
#[derive(Clone, Default)]
pub(super) struct Base {
    pub(super) vol: f64,
    pub(super) scan: ScanRange,
    pub(super) rate: Option<f64>,
    pub(super) years: Option<f64>,
    pub(super) lookahead: Option<f64>,
    pub(super) scale: f64,
    pub(super) settlement: String,
    pub(super) model: String,
    pub(super) dividend_yield: f64,
    pub(super) cvf: Option<f64>,
}

/// A file while its records are read.
#[derive(Default)]
pub(super) struct Pa2 {
    pub(super) file: SpanFile,
    pub(super) exchanges: HashSet<String>,
    pub(super) codes: HashMap<String, usize>,
    /// Products to (commodity, array factor, futures style).
    pub(super) families: BTreeMap<FamilyKey, (u32, f64, bool)>,
    pub(super) terms: HashMap<FamilyKey, Terms>,
    pub(super) bases: HashMap<SeriesKey, Base>,
    pub(super) contracts: Vec<Contract>,
    /// The last first half's key, as bytes of its line.
    pub(super) last_key: Vec<u8>,
    /// The first contracts by key, as many as a second half far from its first has made necessary.
    pub(super) by_key: HashMap<(SeriesKey, i8, String), usize>,
    /// (exchange, product, period) to legs of a combination.
    pub(super) legs: HashMap<(String, String, String), Vec<UnderlyingRef>>,
    /// Option-on-combination product to combination product.
    pub(super) option_links: HashMap<String, String>,
    pub(super) adjustment: HashMap<String, [f64; 3]>,
    pub(super) ratio: HashMap<String, [f64; 3]>,
    pub(super) initial_file: bool,
    pub(super) extreme: Option<(f64, f64)>,
    pub(super) unknown: BTreeMap<String, u64>,
}

/// Records 81 and 83: the first half of a contract's array.
pub(super) struct Contract {
    pub(super) key: SeriesKey,
    pub(super) right: i8,
    pub(super) strike: String,
    pub(super) array: Vec<f64>,
    pub(super) high_price: Option<String>,
    pub(super) line: usize,
    pub(super) finished: Option<Finished>,
}

/// Records 82 and 84: what comes with the second half.
pub(super) struct Finished {
    pub(super) delta: f64,
    pub(super) vol: f64,
    pub(super) price: Option<String>,
    pub(super) price_negative: bool,
    pub(super) strike_negative: bool,
    pub(super) cvf: Option<f64>,
}
