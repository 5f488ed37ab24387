//! The three steps to a prepared table: the rules of its units, one market's inputs, the rulebook compiled.

use std::sync::Arc;

use super::arrays;
use super::book::Book;
use super::dated::Version;
use super::instruments::{self, Instruments};
use super::layout::Layout;
use super::live::LiveBook;
use super::parameters::Parameters;
use super::plan::Plans;
use super::setting::Setting;
use super::srm::Srm;
use super::standard::Standard;
use engine::cells::{Cells, RiskArrays};
use engine::contract::Contracts;
use engine::market::Market;
use engine::report::ParameterInfo;
use engine::seam::{self, Prepared, Quoted, Recompute, Resolved};
use kernel::error::Result;
use kernel::fail;

/// A table of contracts in its units, and the rules of each: all that is known before any market.
pub(super) struct Planned {
    parameters: Arc<Parameters>,
    info: ParameterInfo,
    layout: Layout,
    plans: Plans,
}

impl Planned {
    pub(super) fn new(
        Version { parameters, info }: Version,
        contracts: &Arc<Contracts>,
    ) -> Result<Self> {
        let layout = Layout::new(&parameters, contracts)?;
        Ok(Self {
            plans: Plans::new(&parameters, &layout)?,
            parameters,
            info,
            layout,
        })
    }
}

impl Resolved for Planned {
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        let Some(market) = market else {
            fail!(MissingData, "{}: a market is needed", self.parameters.venue);
        };
        let inputs = instruments::resolve(&self.parameters, &self.layout, market)?;
        let cells = match &self.plans {
            Plans::Scenario(plans) | Plans::Pmrm(plans) => arrays::cells(&inputs, plans)?,
            Plans::Standard(_) | Plans::Srm(_) => Cells::default(),
        };
        Ok(Box::new(Inputted {
            market: market.clone(),
            inputs,
            cells: Arc::new(cells),
            planned: self,
        }))
    }
}

/// A planned table with one market's inputs.
struct Inputted {
    planned: Arc<Planned>,
    market: Arc<Market>,
    inputs: Instruments,
    cells: Arc<Cells>,
}

impl Quoted for Inputted {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn compile(self: Box<Self>, arrays: RiskArrays) -> Result<Arc<dyn Prepared>> {
        let setting = Setting {
            parameters: &self.planned.parameters,
            info: &self.planned.info,
            contracts: &self.planned.layout.contracts,
            market: &self.market,
            inputs: &self.inputs,
        };
        Ok(match &self.planned.plans {
            Plans::Scenario(plans) => {
                seam::compiled(Book::compile(setting, plans, &arrays)?, LiveBook::open)
            }
            // A manager's account is one unit: nothing stays as it was.
            Plans::Pmrm(plans) => {
                seam::compiled(Book::compile(setting, plans, &arrays)?, Recompute::open)
            }
            Plans::Standard(rules) => {
                seam::compiled(Standard::compile(setting, rules)?, Recompute::open)
            }
            Plans::Srm(rules) => seam::compiled(Srm::compile(setting, rules)?, Recompute::open),
        })
    }
}
