//! OCC's Theoretical Intermarket Margin System for customer portfolio margin (FINRA 4210(g), Cboe 10.4).
//!
//! The price of each underlying moves over ten points; nothing else does. Profits and losses net within a class
//! group, partly across class groups of a product group and product groups of a portfolio group, never otherwise.
//!
//! | rule | file |
//! |---|---|
//! | ranges, points, groups, offsets, minimums, overlays as data | `parameters.rs` |
//! | OCC's parameter files | `occ.rs` |
//! | what a security is on a date | `rust/engine/src/securities.rs` |
//! | which product, class group and minimum a contract has, what may not be portfolio margined | `placement.rs` |
//! | day count, dividends, carry, implied volatility | `rust/engine/src/inputs/` |
//! | sticky moneyness | `curves.rs` |
//! | which prices are needed | `arrays.rs` |
//! | the hierarchy compiled | `book.rs` |
//! | what of it another market changes | `moved.rs` |
//! | the columns of a contract | `row.rs` |
//! | netting within a class group | `netting.rs` |
//! | offsets, minimums, overlays, the requirement | `requirement.rs` |
//! | sums kept between trades, open orders | `live.rs` |

mod arrays;
mod book;
mod curves;
mod live;
mod moved;
mod netting;
pub mod occ;
pub mod parameters;
mod placement;
mod profits;
mod requirement;
mod row;

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;

use book::Book;
use live::LiveBook;
use parameters::Base;
pub use parameters::Parameters;
use placement::Placements;

use engine::cells::{Cells, RiskArrays};
use engine::contract::Contracts;
use engine::inputs::Inputs;
use engine::market::Market;
use engine::parameters::Attachments;
use engine::report::ParameterInfo;
use engine::seam::{self, Before, Methodology, Prepared, Quoted, Resolved};
use engine::securities::declared::Declared;
use engine::securities::{self, Securities};
use kernel::error::Result;
use kernel::fail;

/// The shipped parameter sets.
pub const PRESETS: &str = include_str!("../presets/tims.json");

/// TIMS with one set of parameters.
#[derive(Debug, Clone)]
pub struct Tims {
    parameters: Arc<Parameters>,
    securities: Arc<Securities>,
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
        let (parameters, securities, info) =
            securities::resolve::<Parameters>(PRESETS, "occ-cpm", document)?;
        parameters.check()?;
        Ok(Self {
            parameters: Arc::new(parameters),
            securities,
            info,
        })
    }
}

/// The JSON Schema of the parameters, from their types.
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Parameters)
}

pub fn build(document: &Value, _: &Attachments) -> Result<Arc<dyn Methodology>> {
    Ok(Arc::new(Tims::new(document)?))
}

impl Methodology for Tims {
    fn name(&self) -> &'static str {
        "OCC TIMS"
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    fn covers_adjusted(&self) -> bool {
        true
    }

    fn resolve(&self, contracts: &Arc<Contracts>, on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        let declared = Declared::new(&self.securities, contracts, on)?;
        let placements = Placements::new(&self.parameters, contracts, &declared)?;
        placements.refuse_uncovered(&self.parameters, contracts)?;
        declared.refuse_conflicts()?;
        let theoretical = &self.parameters.theoretical;
        let given = |row: u32| theoretical.contains_key(contracts.rows()[row as usize].id());
        Placements::refuse_baskets(contracts, given)?;
        placements.refuse_unranged(&self.parameters, contracts, given)?;
        Ok(Arc::new(Table {
            parameters: self.parameters.clone(),
            info: self.info.clone(),
            contracts: contracts.clone(),
            placements: Arc::new(placements),
        }))
    }
}

/// A table of contracts placed.
struct Table {
    parameters: Arc<Parameters>,
    info: ParameterInfo,
    contracts: Arc<Contracts>,
    placements: Arc<Placements>,
}

impl Resolved for Table {
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        let (parameters, contracts) = (&self.parameters, &self.contracts);
        if let Some(market) = market {
            market.refuse_expired(contracts)?;
        }
        let given = |row: u32| {
            parameters
                .theoretical
                .contains_key(contracts.rows()[row as usize].id())
        };
        let mut inputs = Inputs::resolve(
            parameters.valuation(),
            contracts,
            market.map(Arc::as_ref),
            given,
        )?;
        inputs.refuse_negative_prices(contracts)?;
        if parameters.base == Base::Theoretical {
            inputs.options.base.fill(None);
        }
        let cells = arrays::cells(parameters, contracts, &self.placements, &inputs);
        Ok(Box::new(Inputted {
            market: market.cloned(),
            cells: Arc::new(cells),
            table: self,
        }))
    }
}

/// A placed table and the prices it needs under one market.
struct Inputted {
    table: Arc<Table>,
    market: Option<Arc<Market>>,
    cells: Arc<Cells>,
}

impl Quoted for Inputted {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn compile(self: Box<Self>, arrays: RiskArrays) -> Result<Arc<dyn Prepared>> {
        let table = &self.table;
        let book = Book::compile(
            &table.parameters,
            &table.info,
            &table.contracts,
            &table.placements,
            self.market.as_ref(),
            arrays,
        )?;
        Ok(seam::compiled(book, LiveBook::open))
    }

    fn recompile(
        self: Box<Self>,
        arrays: RiskArrays,
        before: Before<'_>,
    ) -> Result<Arc<dyn Prepared>> {
        let Table {
            parameters,
            placements,
            ..
        } = &*self.table;
        let market = self.market.as_ref();
        let book = before.prepared.rulebook().downcast_ref::<Book>();
        let moved = book.map(|b| b.moved(parameters, placements, market, before.arrays, &arrays));
        match moved.transpose()?.flatten() {
            Some(book) => Ok(seam::compiled(book, LiveBook::open)),
            None => self.compile(arrays),
        }
    }
}
