//! Reg T and strategy-based margin: Regulation T (12 CFR 220), FINRA 4210(f)(2), Cboe 10.3, with the cheapest pairing.
//!
//! Every recognised strategy has a fixed formula; which positions are counted together is the account's choice, and
//! the requirement is the least that any choice gives.
//!
//! | rule | file |
//! |---|---|
//! | percentages, classes, house switches as data | `parameters.rs` |
//! | what the underlyings are on a date | `underlyings.rs`, `rust/engine/src/securities.rs` |
//! | what each strategy requires | `rules.rs` |
//! | contracts and market in the rules' terms | `table.rs` |
//! | what options deliver, told apart | `delivery.rs` |
//! | what a solve is asked | `question.rs` |
//! | the pairing as an integer program | `program.rs`, `program/rows.rs` |
//! | its exact solution | `simplex.rs`, `branch.rs` |
//! | components, the two-leg alternative | `pairing.rs` |
//! | the greedy alternative | `greedy.rs` |
//! | the strategies found, as groups of legs | `groups.rs` |
//! | an open account | `live.rs` |
//! | lines and details | `book.rs`, `names.rs` |

mod book;
pub mod branch;
mod delivery;
mod greedy;
mod groups;
mod live;
mod names;
pub mod pairing;
pub mod parameters;
pub mod program;
pub mod question;
pub mod rules;
pub mod simplex;
mod table;
mod underlyings;

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;

use book::Book;
use live::LiveBook;
pub use parameters::Parameters;
use table::{Builder, Numbered};
use underlyings::Underlyings;

use engine::cells::{Cells, RiskArrays};
use engine::contract::Contracts;
use engine::market::Market;
use engine::parameters::Attachments;
use engine::report::{Currencies, ParameterInfo};
use engine::seam::{self, Before, Frame, Methodology, Prepared, Quoted, Resolved};
use engine::securities::declared::Declared;
use engine::securities::{self, Securities};
use kernel::error::Result;
use kernel::fail;

/// The shipped parameter sets.
pub const PRESETS: &str = include_str!("../presets/reg_t.json");

/// Reg T with one set of parameters.
#[derive(Debug, Clone)]
pub struct RegT {
    parameters: Arc<Parameters>,
    securities: Arc<Securities>,
    info: ParameterInfo,
}

impl RegT {
    /// From `{"preset": "reg-t", ...changes}`.
    pub fn new(document: &Value) -> Result<Self> {
        let (parameters, securities, info) =
            securities::resolve::<Parameters>(PRESETS, "reg-t", document)?;
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
    Ok(Arc::new(RegT::new(document)?))
}

impl Methodology for RegT {
    fn name(&self) -> &'static str {
        "Reg T"
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    fn covers_adjusted(&self) -> bool {
        true
    }

    fn resolve(&self, contracts: &Arc<Contracts>, on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        table::refuse_uncovered(&self.parameters, contracts)?;
        let declared = Declared::new(&self.securities, contracts, on)?;
        declared.refuse_conflicts()?;
        let underlyings = underlyings::resolve(&self.parameters, contracts, &declared)?;
        Ok(Arc::new(Covered {
            numbered: Numbered::new(contracts, &underlyings),
            parameters: self.parameters.clone(),
            info: self.info.clone(),
            contracts: contracts.clone(),
            underlyings,
        }))
    }
}

/// A table of contracts that the rules cover, and what each is on.
struct Covered {
    parameters: Arc<Parameters>,
    info: ParameterInfo,
    contracts: Arc<Contracts>,
    underlyings: Underlyings,
    numbered: Numbered,
}

impl Resolved for Covered {
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        let Some(market) = market else {
            fail!(
                MissingData: MissingSpot;
                "reg t: a market with marks and spot prices is needed"
            );
        };
        market.refuse_expired(&self.contracts)?;
        Ok(Box::new(Marked {
            market: market.clone(),
            covered: self,
            cells: Arc::default(),
        }))
    }
}

/// A covered table and its marks: there are no scenarios.
struct Marked {
    covered: Arc<Covered>,
    market: Arc<Market>,
    cells: Arc<Cells>,
}

impl Quoted for Marked {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn compile(self: Box<Self>, _: RiskArrays) -> Result<Arc<dyn Prepared>> {
        let book = Book::compile(&self.builder(), self.frame(), &self.market)?;
        Ok(seam::compiled(book, LiveBook::open))
    }

    fn recompile(
        self: Box<Self>,
        arrays: RiskArrays,
        before: Before<'_>,
    ) -> Result<Arc<dyn Prepared>> {
        let before = before.prepared.rulebook().downcast_ref::<Book>();
        let moved = before.map(|b| b.moved(&self.builder(), self.frame(), &self.market));
        match moved.transpose()?.flatten() {
            Some(book) => Ok(seam::compiled(book, LiveBook::open)),
            None => self.compile(arrays),
        }
    }
}

impl Marked {
    fn builder(&self) -> Builder<'_> {
        Builder {
            parameters: &self.covered.parameters,
            contracts: &self.covered.contracts,
            underlyings: &self.covered.underlyings,
            numbered: &self.covered.numbered,
            market: &self.market,
        }
    }

    fn frame(&self) -> Frame {
        Frame {
            methodology: "Reg T".into(),
            parameters: self.covered.info.clone(),
            valuation: Some(self.market.snapshot().valuation.clone()),
            contracts: self.covered.contracts.clone(),
            currencies: Currencies::new(&self.covered.parameters.currency),
        }
    }
}

#[cfg(test)]
mod tests;
