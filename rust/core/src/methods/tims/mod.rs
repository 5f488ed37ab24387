//! OCC's Theoretical Intermarket Margin System for customer portfolio margin (FINRA 4210(g), Cboe 10.4).
//!
//! The price of each underlying moves over ten points; nothing else does. Profits and losses net within a class
//! group, partly across class groups of a product group and product groups of a portfolio group, never otherwise.
//!
//! | rule | file |
//! |---|---|
//! | ranges, points, groups, offsets, minimums, overlays as data | `parameters.rs` |
//! | OCC's parameter files | `occ.rs` |
//! | which product, class group and minimum a contract has | `placement.rs` |
//! | day count, dividends, carry, implied volatility | `../inputs.rs` |
//! | sticky moneyness | `curves.rs` |
//! | which prices are needed | `arrays.rs` |
//! | the hierarchy compiled | `book.rs` |
//! | netting within a class group | `netting.rs` |
//! | offsets, minimums, overlays, the requirement | `requirement.rs` |
//! | sums kept between trades, open orders | `live.rs` |

mod arrays;
mod book;
mod curves;
mod live;
mod netting;
pub mod occ;
pub mod parameters;
mod placement;
mod requirement;

use std::sync::Arc;

use serde_json::Value;

use parameters::Base;
pub use parameters::Parameters;
use placement::Placements;

use super::registry::Attachments;
use super::{Methodology, Prepared};
use crate::cells::{Cells, RiskArrays};
use crate::contract::Contracts;
use crate::error::Result;
use crate::fail;
use crate::market::Market;
use crate::methods::inputs::Inputs;
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
        if document.get("baskets").is_some() {
            fail!(
                Unsupported,
                "tims: stock baskets against index options are not implemented: leave them out to margin the shares by their own class groups"
            );
        }
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
        let placements = Placements::new(&self.parameters, contracts);
        let market = market.map(Arc::as_ref);
        placements.refuse_uncovered(&self.parameters, contracts)?;
        let theoretical = &self.parameters.theoretical;
        let given = |row: u32| {
            !theoretical.is_empty() && theoretical.contains_key(contracts.rows()[row as usize].id())
        };
        placements.refuse_unranged(&self.parameters, contracts, given)?;
        let mut inputs = Inputs::resolve(self.parameters.valuation(), contracts, market, given)?;
        inputs.refuse_negative_prices(contracts)?;
        if self.parameters.base == Base::Theoretical {
            inputs.options.base.fill(None);
        }
        Ok(arrays::cells(
            &self.parameters,
            contracts,
            &placements,
            &inputs,
        ))
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
