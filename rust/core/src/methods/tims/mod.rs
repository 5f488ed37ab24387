//! OCC's Theoretical Intermarket Margin System for customer portfolio margin (FINRA 4210(g), Cboe 10.4).
//!
//! The price of each underlying moves over ten points; nothing else does. Profits and losses net within a class
//! group, partly across class groups of a product group and product groups of a portfolio group, never otherwise.
//!
//! | rule | file |
//! |---|---|
//! | ranges, points, groups, offsets, minimums, overlays as data | `parameters.rs` |
//! | OCC's parameter files | `occ.rs` |
//! | day count, dividends, implied volatility, sticky strike or moneyness | `inputs.rs` |
//! | which prices are needed | `arrays.rs` |
//! | the hierarchy compiled | `book.rs` |
//! | netting within a class group | `netting.rs` |
//! | offsets, minimums, overlays, the requirement | `requirement.rs` |
//! | sums kept between trades, open orders | `live.rs` |

mod arrays;
mod book;
pub(super) mod inputs;
mod live;
mod netting;
pub mod occ;
pub mod parameters;
mod requirement;

use std::sync::Arc;

use serde_json::Value;

pub use parameters::Parameters;

use super::registry::Attachments;
use super::{Methodology, Prepared};
use crate::cells::{Cells, RiskArrays};
use crate::contract::Contracts;
use crate::error::Result;
use crate::market::Market;
use crate::report::ParameterInfo;

/// The shipped parameter sets.
pub const PRESETS: &str = include_str!("../../../presets/tims.json");

/// TIMS with one set of parameters.
#[derive(Debug, Clone)]
pub struct Tims {
    parameters: Arc<Parameters>,
    info: ParameterInfo,
}

impl Tims {
    /// From `{"preset": "occ-cpm", ...changes}`.
    pub fn new(document: &Value) -> Result<Self> {
        let (parameters, info) =
            super::parameters::resolve::<Parameters>(PRESETS, "occ-cpm", document)?;
        parameters.check()?;
        Ok(Self {
            parameters: Arc::new(parameters),
            info,
        })
    }
}

pub(super) fn build(document: &Value, _: &Attachments) -> Result<Arc<dyn Methodology>> {
    Ok(Arc::new(Tims::new(document)?))
}

impl Methodology for Tims {
    fn name(&self) -> &'static str {
        "OCC TIMS"
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    fn cells(&self, contracts: &Arc<Contracts>, market: Option<&Arc<Market>>) -> Result<Cells> {
        if let Some(market) = market {
            market.refuse_expired(contracts)?;
        }
        let instruments = inputs::resolve(&self.parameters, contracts, market.map(Arc::as_ref))?;
        Ok(arrays::cells(&self.parameters, contracts, instruments))
    }

    fn compile(
        &self,
        contracts: &Arc<Contracts>,
        market: Option<&Arc<Market>>,
        arrays: RiskArrays,
    ) -> Result<Arc<dyn Prepared>> {
        Ok(Arc::new(book::Book::compile(
            &self.parameters,
            &self.info,
            contracts,
            market,
            arrays,
        )?))
    }
}
