//! Crypto venues: one scenario engine, venues as data (`presets/crypto_*.json`).
//!
//! A venue is a list of scenarios, a law by which volatilities move, charges beside the scan and two factors; Derive's
//! managers aggregate values per expiry instead, and the exchanges' standard margin is a formula per position.
//!
//! | part | file |
//! |---|---|
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

pub use parameters::Parameters;
use planned::Planned;

use engine::contract::Contracts;
use engine::parameters::Attachments;
use engine::report::ParameterInfo;
use engine::seam::{Methodology, Resolved};
use kernel::error::Result;
use kernel::fail;

/// The shipped parameter sets, one list per venue family.
pub const PRESETS: &[&str] = &[
    include_str!("../presets/crypto_deribit.json"),
    include_str!("../presets/crypto_venues.json"),
    include_str!("../presets/crypto_derive.json"),
];

/// A crypto venue with one set of parameters.
#[derive(Debug)]
pub struct Crypto {
    parameters: Arc<Parameters>,
    info: ParameterInfo,
}

/// Every shipped preset in one list, and the document with a family and a date replaced by the preset in force.
///
/// A preset's `family` is the rulebook it is one dated version of.
fn shipped(document: &Value) -> Result<(String, Value)> {
    let mut all: Vec<Value> = Vec::new();
    for list in PRESETS {
        let mut presets: Vec<Value> =
            serde_json::from_str(list).expect("shipped presets are JSON lists");
        all.append(&mut presets);
    }
    let mut document = document.clone();
    if let Some(on) = document.as_object_mut().and_then(|d| d.remove("on")) {
        let family = document["preset"].as_str().unwrap_or_default().to_string();
        document["preset"] = in_force(&all, &family, &on)?;
    }
    for preset in &mut all {
        preset.as_object_mut().and_then(|p| p.remove("family"));
    }
    Ok((Value::Array(all).to_string(), document))
}

/// The name of a family's last preset that took effect by a date.
fn in_force(presets: &[Value], family: &str, on: &Value) -> Result<Value> {
    let Some(date) = on
        .as_str()
        .and_then(|d| d.parse::<jiff::civil::Date>().ok())
    else {
        fail!(
            InvalidInput: BadTime;
            "on: {on} is not a date such as \"2026-03-31\""
        );
    };
    // Dates in ISO form ascend as texts.
    let effective = |p: &Value| p["effective"].as_str().unwrap_or_default().to_string();
    let mut dated: Vec<&Value> = presets.iter().filter(|p| p["family"] == family).collect();
    dated.sort_by_key(|p| effective(p));
    let Some(first) = dated.first() else {
        let mut families: Vec<&str> = presets
            .iter()
            .filter_map(|p| p["family"].as_str())
            .collect();
        families.dedup();
        fail!(
            InvalidInput: BadTime;
            "no dated presets of '{family}': there are {}",
            families.join(", ")
        );
    };
    match dated.iter().rfind(|p| effective(p) <= date.to_string()) {
        Some(found) => Ok(found["name"].clone()),
        None => fail!(
            MissingData: MissingParameter;
            "'{family}' on {date}: the first parameters known are of {}; older ones are presets by name",
            effective(first)
        ),
    }
}

impl Crypto {
    /// From `{"preset": "deribit-pm-2024", ...changes}`, or `{"preset": "deribit-pm", "on": "2026-03-31", ...changes}`
    /// for the parameters in force on a date.
    pub fn new(document: &Value) -> Result<Self> {
        let (list, document) = shipped(document)?;
        let (parameters, info) =
            engine::parameters::resolve::<Parameters>(&list, "deribit-pm-2024", &document)?;
        parameters.check()?;
        Ok(Self {
            parameters: Arc::new(parameters),
            info,
        })
    }
}

pub fn build(document: &Value, _: &Attachments) -> Result<Arc<dyn Methodology>> {
    Ok(Arc::new(Crypto::new(document)?))
}

impl Methodology for Crypto {
    fn name(&self) -> &str {
        &self.parameters.venue
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    fn resolve(&self, contracts: &Arc<Contracts>, _on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        Ok(Arc::new(Planned::new(
            &self.parameters,
            &self.info,
            contracts,
        )?))
    }
}
