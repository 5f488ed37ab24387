//! Crypto venues: one scenario engine, venues as data (`presets/crypto_*.json`).
//!
//! A venue is a list of scenarios, a law by which volatilities move, charges beside the scan and two factors; Derive's
//! managers aggregate values per expiry instead, and the exchanges' standard margin is a formula per position.
//!
//! | part | file |
//! |---|---|
//! | the rulebook as data | `parameters.rs`, `scenario.rs`, `vol.rs`, `feeds.rs` |
//! | contracts and market as numbers | `layout.rs`, `plan.rs` (the table alone), `instruments.rs` (a market) |
//! | cells to price, rows to sum | `arrays.rs`, `lanes.rs` |
//! | charges beside the scan | `charges.rs` |
//! | the scan compiled, summed, aggregated, charged | `compile.rs`, `sums.rs`, `collect.rs`, `book.rs`, `charging.rs` |
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
pub mod pmrm;
pub mod rules;
pub mod scenario;
pub mod srm;
mod standard;
mod sums;
pub mod vol;

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;

use book::Book;
use instruments::Instruments;
use layout::Layout;
use live::LiveBook;
use parameters::Model;
pub use parameters::Parameters;
use plan::UnitPlan;

use engine::cells::{Cells, RiskArrays};
use engine::contract::Contracts;
use engine::market::Market;
use engine::parameters::Attachments;
use engine::report::ParameterInfo;
use engine::seam::{self, Methodology, Prepared, Quoted, Recompute, Resolved};
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
            InvalidInput,
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
            InvalidInput,
            "no dated presets of '{family}': there are {}",
            families.join(", ")
        );
    };
    match dated.iter().rfind(|p| effective(p) <= date.to_string()) {
        Some(found) => Ok(found["name"].clone()),
        None => fail!(
            MissingData,
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
        let layout = Layout::new(&self.parameters, contracts)?;
        let mut plans = Vec::with_capacity(layout.units.len());
        for unit in &layout.units {
            plans.extend(plan::plan(&self.parameters, unit)?);
        }
        Ok(Arc::new(Planned {
            parameters: self.parameters.clone(),
            info: self.info.clone(),
            layout: Arc::new(layout),
            plans,
        }))
    }
}

/// A table of contracts in its units, and each unit's scenarios.
struct Planned {
    parameters: Arc<Parameters>,
    info: ParameterInfo,
    layout: Arc<Layout>,
    plans: Vec<Arc<UnitPlan>>,
}

impl Resolved for Planned {
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        let Some(market) = market else {
            fail!(MissingData, "{}: a market is needed", self.parameters.venue);
        };
        let instruments = Instruments {
            plans: self.plans.clone(),
            ..instruments::resolve(&self.parameters, &self.layout, market)?
        };
        let cells = match self.parameters.model {
            Model::Scenario | Model::Pmrm => arrays::cells(&instruments)?,
            Model::Standard | Model::Srm => Cells::default(),
        };
        Ok(Box::new(Inputted {
            market: market.clone(),
            instruments,
            cells: Arc::new(cells),
            planned: self,
        }))
    }
}

/// A planned table with one market's instruments.
struct Inputted {
    planned: Arc<Planned>,
    market: Arc<Market>,
    instruments: Instruments,
    cells: Arc<Cells>,
}

impl Quoted for Inputted {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn compile(self: Box<Self>, arrays: RiskArrays) -> Result<Arc<dyn Prepared>> {
        let Planned {
            parameters,
            info,
            layout,
            ..
        } = &*self.planned;
        let (contracts, market, instruments) = (&layout.contracts, &self.market, &self.instruments);
        Ok(match parameters.model {
            Model::Scenario => seam::compiled(
                Book::compile(parameters, info, contracts, market, instruments, &arrays)?,
                LiveBook::open,
            ),
            // A manager's account is one unit: nothing stays as it was.
            Model::Pmrm => seam::compiled(
                Book::compile(parameters, info, contracts, market, instruments, &arrays)?,
                Recompute::open,
            ),
            Model::Standard => seam::compiled(
                standard::Standard::compile(parameters, info, contracts, market, instruments)?,
                Recompute::open,
            ),
            Model::Srm => seam::compiled(
                srm::Srm::compile(parameters, info, contracts, market, instruments)?,
                Recompute::open,
            ),
        })
    }
}
