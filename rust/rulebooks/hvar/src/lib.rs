//! VaR and expected-shortfall margin by historical simulation: plain, filtered, stressed, blended, with the charges of
//! clearing houses as data. Presets have a clearing house's shape; they are not certified by any.
//!
//! | what | file |
//! |---|---|
//! | netting sets, histories, options as data | `parameters.rs` |
//! | components as data | `component.rs` |
//! | dated tables and returns | `history.rs` |
//! | volatility filters | `filter.rs` |
//! | sets of scenarios and their moves | `scenarios.rs` |
//! | ranks and weights of every named measure | `measure.rs`, `parametric.rs` |
//! | every contract's place, every component's returns | `layout.rs` |
//! | the prices they need under a market | `cells.rs`, `normal.rs`, `exchange.rs` |
//! | losses in blocks of 16 scenarios, running tails | `tail.rs` |
//! | a measure on a book | `risk.rs` |
//! | floors, flat rates, liquidity and other charges | `stages.rs`, `rules/`, `charges.rs`, `rounding.rs` |
//! | compiled netting sets, the requirement | `book.rs`, `positions.rs`, `requirement.rs`, `offset.rs` |
//! | tails, dates and attribution | `explain.rs` |
//! | losses kept between trades | `live.rs` |
//! | margins through time | `rolling.rs` |

mod book;
mod cells;
mod charges;
mod component;
mod exchange;
mod explain;
mod filter;
mod history;
mod layout;
mod live;
mod measure;
mod normal;
mod offset;
mod parameters;
mod parametric;
mod positions;
mod profits;
mod requirement;
mod risk;
pub mod rolling;
mod rounding;
mod rules;
mod scenarios;
mod stages;
mod tail;

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;
use sha2::{Digest, Sha256};

use book::Book;
pub use component::{Component, Role, Scaling};
pub use filter::{Filter, Model, Seed, Target};
use history::History;
use layout::{Layout, Table};
use live::LiveBook;
pub use measure::Measure;
pub use parameters::{
    FxFactor, HistoryKind, HistoryTable, NettingSet, OffsetCap, OptionFloor, OptionModel,
    Parameters, ReturnRule,
};
pub use parametric::Variance;
pub use rules::contracts::{Daily, Depth, Sides, Ticks};
pub use rules::liquidity::Threshold;
pub use stages::{Rule, Stage};

use engine::cells::{Cells, RiskArrays};
use engine::contract::Contracts;
use engine::market::Market;
use engine::parameters::Attachments;
use engine::report::ParameterInfo;
use engine::seam::{self, Before, Methodology, Prepared, Quoted, Resolved};
use kernel::error::Result;
use kernel::fail;
use kernel::float::hex;

/// The shipped parameter sets.
pub const PRESETS: &str = include_str!("../presets/hvar.json");

/// Clearing houses whose descriptions are public without the numbers or formulas that a preset needs.
const ABSENT: &[(&str, &str)] = &[
    (
        "occ-stans",
        "its simulated scenarios are not public; give your own as a history of kind returns, with a component for each \
         level",
    ),
    (
        "asx-hsvar",
        "its levels and look-backs are not public; state them in components",
    ),
    (
        "bme",
        "its look-back and holding period differ by product; state them in components",
    ),
    (
        "euronext-eq",
        "its level and look-back are not public; state them in components",
    ),
    (
        "iceu-cds",
        "credit spread scenarios and their simulation are not public",
    ),
    (
        "nasdaq-oms2",
        "its window method between correlated underlyings is not modelled; its valuation points can be a history of \
         kind returns under order_ceil",
    ),
];

/// One VaR or expected-shortfall margin with its parameters and its dated history.
#[derive(Debug, Clone)]
pub struct HistoricalVar {
    parameters: Arc<Parameters>,
    histories: Arc<[History]>,
    info: ParameterInfo,
}

impl HistoricalVar {
    /// From `{"preset": "plain", ...changes}` and one table of numbers for each entry of `histories`, rows by factors.
    pub fn new(document: &Value, tables: &Attachments) -> Result<Self> {
        if let Some(name) = document.get("preset").and_then(Value::as_str)
            && let Some((_, why)) = ABSENT.iter().find(|(absent, _)| *absent == name)
        {
            fail!(Unsupported, "hvar: there is no preset '{name}': {why}");
        }
        let (parameters, mut info) =
            engine::parameters::resolve::<Parameters>(PRESETS, "plain", document)?;
        parameters.check()?;
        let histories = History::all(&parameters, tables)?;
        info.digest = with_tables(&info.digest, tables);
        Ok(Self {
            parameters: Arc::new(parameters),
            histories: histories.into(),
            info,
        })
    }
}

/// The digest of a document together with its tables.
fn with_tables(document: &str, tables: &Attachments) -> String {
    let mut hash = Sha256::new();
    hash.update(document);
    for (name, (shape, values)) in tables {
        hash.update(format!("{name} {shape:?} "));
        for value in values {
            hash.update(value.to_le_bytes());
        }
    }
    hex(&hash.finalize())
}

/// The methodology a document describes, with its tables of history.
/// The JSON Schema of the parameters, from their types.
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Parameters)
}

pub fn build(document: &Value, tables: &Attachments) -> Result<Arc<dyn Methodology>> {
    Ok(Arc::new(HistoricalVar::new(document, tables)?))
}

impl Methodology for HistoricalVar {
    fn name(&self) -> &'static str {
        "Historical VaR"
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    fn resolve(&self, contracts: &Arc<Contracts>, _on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        let Self {
            parameters,
            histories,
            info,
        } = self.clone();
        Ok(Arc::new(Table {
            layout: Layout::new(&parameters, &histories, contracts)?,
            contracts: contracts.clone(),
            parameters,
            histories,
            info,
        }))
    }
}

impl Resolved for Table {
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        let Some(market) = market else {
            fail!(
                MissingData: MissingHistory;
                "hvar: a market is needed: scenarios move today's prices"
            );
        };
        market.refuse_expired(&self.contracts)?;
        Ok(Box::new(Moved {
            cells: Arc::new(cells::cells(&self, market)?),
            market: market.clone(),
            table: self,
        }))
    }
}

/// A table under one market, and its prices in every scenario as cells.
struct Moved {
    table: Arc<Table>,
    market: Arc<Market>,
    cells: Arc<Cells>,
}

impl Quoted for Moved {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn compile(self: Box<Self>, arrays: RiskArrays) -> Result<Arc<dyn Prepared>> {
        let book = Book::compile(&self.table, &self.market, &arrays, None)?;
        Ok(seam::compiled(book, LiveBook::open))
    }

    fn recompile(
        self: Box<Self>,
        arrays: RiskArrays,
        before: Before<'_>,
    ) -> Result<Arc<dyn Prepared>> {
        let old = before.prepared.rulebook().downcast_ref();
        let old = old.map(|book| (book, before.arrays));
        let book = Book::compile(&self.table, &self.market, &arrays, old)?;
        Ok(seam::compiled(book, LiveBook::open))
    }
}
