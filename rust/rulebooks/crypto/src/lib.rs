//! Crypto venues: one scenario engine, venues as data (`presets/crypto_*.json`).
//!
//! A venue is a list of scenarios, a law by which volatilities move, charges beside the scan and two factors; Derive's
//! managers aggregate values per expiry instead, and the exchanges' standard margin is a formula per position.
//!
//! | part | file |
//! |---|---|
//! | which preset, by name, date or valuation | `dated.rs` |
//! | the rulebook as data | `parameters.rs`, `scenario.rs`, `vol.rs`, `feeds.rs` |
//! | the three steps: table, market, compiled | `planned.rs` |
//! | the table as numbers; a market's | `layout.rs`, `plan.rs`; `instruments.rs` |
//! | cells to price, rows to sum | `arrays.rs`, `lanes.rs` |
//! | charges beside the scan | `charges.rs` |
//! | the scan compiled | `setting.rs`, `compile.rs` |
//! | its sums, aggregated and charged | `sums.rs`, `collect.rs`, `book.rs`, `charging.rs` |
//! | Derive's managers | `pmrm.rs`, `manager.rs` |
//! | an open account | `live.rs` |
//! | formulas per position | `standard.rs`, `srm.rs`, `rules.rs` |
//! | currencies and their rates | `currency.rs` |
//! | the venue's own numbers | `details.rs` |

mod arrays;
mod book;
mod charges;
mod charging;
mod collect;
mod compile;
mod currency;
mod dated;
mod details;
pub mod feeds;
mod instruments;
mod lanes;
mod layout;
mod live;
mod manager;
pub mod parameters;
mod plan;
mod planned;
pub mod pmrm;
pub mod profits;
pub mod rules;
pub mod scenario;
mod setting;
pub mod srm;
mod standard;
mod sums;
pub mod vol;

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;

use dated::Chosen;
pub use dated::PRESETS;
pub use parameters::Parameters;
use planned::Planned;

use engine::contract::Contracts;
use engine::parameters::Attachments;
use engine::report::ParameterInfo;
use engine::seam::{Methodology, Resolved};
use kernel::error::Result;

/// A crypto venue with one set of parameters, or with the set in force at each valuation.
#[derive(Debug)]
pub struct Crypto {
    chosen: Chosen,
}

impl Crypto {
    /// From `{"preset": "deribit-pm-2024", ...changes}`; `{"preset": "deribit-pm", "on": "2026-03-31", ...changes}` for
    /// the parameters in force on a date; with `"on": "valuation"`, or no preset, for those in force at each valuation.
    pub fn new(document: &Value) -> Result<Self> {
        Ok(Self {
            chosen: Chosen::new(document)?,
        })
    }
}

/// The JSON Schema of the parameters, from their types.
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Parameters)
}

pub fn build(document: &Value, _: &Attachments) -> Result<Arc<dyn Methodology>> {
    Ok(Arc::new(Crypto::new(document)?))
}

impl Methodology for Crypto {
    fn name(&self) -> &str {
        self.chosen.venue()
    }

    fn parameters(&self) -> &ParameterInfo {
        self.chosen.info()
    }

    fn resolve(&self, contracts: &Arc<Contracts>, on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        Ok(Arc::new(Planned::new(self.chosen.at(on)?, contracts)?))
    }
}
