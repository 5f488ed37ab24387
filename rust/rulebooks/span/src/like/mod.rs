//! SPAN-like margin without a file: the 16 scenarios over the user's own price and vol scan ranges.
//!
//! The arrays are made here from the market, then margined by the same steps as a file's. No clearing house publishes
//! this; it is named SPAN-like wherever it shows.
//!
//! | part | file |
//! |---|---|
//! | scan ranges and their checks | `parameters.rs` |
//! | contracts as a parameter file has them | `contracts.rs` |

mod contracts;
mod parameters;

pub use parameters::{LikeParameters, PRESETS, Underlying};

use std::cell::OnceCell;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;

use crate::book::Book;
use crate::compile;
use crate::generate::ArrayInputs;
use crate::live::LiveBook;
use crate::model::*;
use engine::cells::{Block, Cells, LinearCell, RiskArrays};
use engine::contract::{Contracts, Exercise};
use engine::market::Market;
use engine::parameters::Attachments;
use engine::report::ParameterInfo;
use engine::seam::{self, Frame, Methodology, Prepared, Quoted, Resolved};
use kernel::error::Result;
use kernel::fail;

/// The rulebook with one set of scan ranges.
#[derive(Debug, Clone)]
pub struct SpanLike {
    parameters: Arc<LikeParameters>,
    info: ParameterInfo,
}

/// The JSON Schema of the parameters, from their types.
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(LikeParameters)
}

pub fn build(document: &Value, _: &Attachments) -> Result<Arc<dyn Methodology>> {
    let (parameters, info) =
        engine::parameters::resolve::<LikeParameters>(PRESETS, "span-like", document)?;
    parameters.check()?;
    Ok(Arc::new(SpanLike {
        parameters: Arc::new(parameters),
        info,
    }))
}

impl Methodology for SpanLike {
    fn name(&self) -> &'static str {
        "SPAN-like"
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    fn resolve(&self, contracts: &Arc<Contracts>, _on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        for (row, contract) in contracts.iter() {
            self.parameters
                .covered(contracts, row)
                .map_err(|e| e.at(format!("'{}'", contract.id())))?;
        }
        Ok(Arc::new(Ranged {
            like: self.clone(),
            contracts: contracts.clone(),
        }))
    }
}

/// A table of contracts that all have scan ranges.
struct Ranged {
    like: SpanLike,
    contracts: Arc<Contracts>,
}

impl Resolved for Ranged {
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        let Some(market) = market else {
            fail!(
                MissingData: MissingParameter;
                "span-like makes its arrays from a market, and there is none"
            );
        };
        market.refuse_expired(&self.contracts)?;
        let inputs = self
            .contracts
            .iter()
            .map(|(row, contract)| {
                self.like
                    .parameters
                    .inputs(&self.contracts, row, market)
                    .map_err(|e| e.at(format!("'{}'", contract.id())))
            })
            .collect::<Result<_>>()?;
        Ok(Box::new(Inputted {
            priced_from: OnceCell::new(),
            cells: Arc::default(),
            market: market.clone(),
            inputs,
            ranged: self,
        }))
    }
}

/// A table with what each contract's array is made from.
struct Inputted {
    ranged: Arc<Ranged>,
    market: Arc<Market>,
    inputs: Vec<ArrayInputs>,
    /// None: the arrays are made by models of their own.
    cells: Arc<Cells>,
    priced_from: OnceCell<Arc<Cells>>,
}

impl Quoted for Inputted {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn priced_from(&self) -> &Arc<Cells> {
        self.priced_from.get_or_init(|| {
            let mut block = Block {
                scope: "options".into(),
                ..Block::default()
            };
            for ((row, contract), inputs) in self.ranged.contracts.iter().zip(&self.inputs) {
                let Some(option) = contract.option() else {
                    block.linear.push(LinearCell {
                        contract: row,
                        price: inputs.underlying,
                        scale: contract.value_per_lot(),
                    });
                    continue;
                };
                if inputs.strike <= 0.0 {
                    continue;
                }
                let cells = match option.exercise {
                    Exercise::European => &mut block.european,
                    Exercise::American => &mut block.american,
                };
                cells.contract.push(row);
                cells.spot.push(inputs.underlying);
                cells.strike.push(inputs.strike);
                cells.years.push(inputs.years);
                cells.rate.push(inputs.rate);
                cells.dividend_yield.push(inputs.dividend_yield);
                cells.vol.push(inputs.vol);
                cells.right.push(inputs.right);
                cells.scale.push(contract.value_per_lot());
                cells.base.push(None);
            }
            Arc::new(Cells {
                blocks: vec![block],
                ..Cells::default()
            })
        })
    }

    fn compile(self: Box<Self>, _: RiskArrays) -> Result<Arc<dyn Prepared>> {
        let Ranged { like, contracts } = &*self.ranged;
        let parameters = &like.parameters;
        let mut file = SpanFile {
            info: FileInfo {
                file: like.info.name.clone(),
                format: "made from scan ranges".into(),
                ..FileInfo::default()
            },
            points: standard_points(parameters.extreme.0, parameters.extreme.1),
            delta_points: standard_delta_points(),
            ..SpanFile::default()
        };
        for ((row, contract), inputs) in contracts.iter().zip(self.inputs) {
            parameters
                .contract(&mut file, contracts, row, inputs, &self.market)
                .map_err(|e| e.at(format!("'{}'", contract.id())))?;
        }
        for cc in &file.commodities {
            if let Ok(fx) = self.market.fx(&cc.currency, &file.commodities[0].currency) {
                file.rates.push(CurrencyRate {
                    from: cc.currency.clone(),
                    to: file.commodities[0].currency.clone(),
                    factor: fx,
                });
            }
        }
        let rows: Vec<u32> = (0..contracts.len() as u32).collect();
        let (program, currencies) = compile::compile(&file, &parameters.options, &rows)?;
        let book = Book {
            frame: Frame {
                methodology: like.name().into(),
                parameters: like.info.clone(),
                valuation: Some(self.market.valuation().to_string()),
                contracts: Arc::clone(contracts),
                currencies,
            },
            program,
            info: file.info,
            exposure: None,
        };
        Ok(seam::compiled(book, LiveBook::open))
    }
}
