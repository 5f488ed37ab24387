//! SPAN-like margin without a file: the 16 scenarios over the user's own price and vol scan ranges.
//!
//! The arrays are made here from the market, then margined by the same steps as a file's. No clearing house publishes
//! this; it is named SPAN-like wherever it shows.
//!
//! | part | file |
//! |---|---|
//! | scan ranges and their checks | `parameters.rs` |
//! | what a market says of a table | `quotes.rs` |
//! | arrays and deltas, American options together | `arrays.rs` |
//! | contracts as a parameter file has them | `contracts.rs` |

mod arrays;
mod contracts;
mod parameters;
mod quotes;

pub use parameters::{LikeParameters, PRESETS, Underlying};

use std::cell::OnceCell;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;

use crate::book::Book;
use crate::compile;
use crate::live::LiveBook;
use crate::model::*;
use crate::program::{NONE, Program};
use engine::cells::{Block, Cells, LinearCell, RiskArrays};
use engine::contract::{ContractIndex, Contracts, Exercise};
use engine::market::{Market, Marks};
use engine::parameters::Attachments;
use engine::report::{Currencies, ParameterInfo};
use engine::seam::{self, Before, Frame, Methodology, Prepared, Quoted, Resolved};
use kernel::error::Result;
use kernel::fail;
use quotes::{Quotes, Sharing};

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
            sharing: Sharing::new(contracts),
        }))
    }
}

/// A table of contracts that all have scan ranges.
struct Ranged {
    like: SpanLike,
    contracts: Arc<Contracts>,
    sharing: Sharing,
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
        let parameters = &self.like.parameters;
        Ok(Box::new(Inputted {
            priced_from: OnceCell::new(),
            cells: Arc::default(),
            market: market.clone(),
            quotes: Quotes::new(parameters, &self.sharing, &self.contracts, market)?,
            ranged: self,
        }))
    }
}

/// A table with what each contract's array is made from.
struct Inputted {
    ranged: Arc<Ranged>,
    market: Arc<Market>,
    quotes: Quotes,
    /// None: the arrays are made by models of their own.
    cells: Arc<Cells>,
    priced_from: OnceCell<Arc<Cells>>,
}

/// What a table's arrays were made from.
struct Made {
    parameters: Arc<LikeParameters>,
    quotes: Quotes,
    marks: Marks,
    /// Of the commodities, in their order.
    currencies: Vec<String>,
    rates: Vec<CurrencyRate>,
}

impl Inputted {
    /// Some rows of the table as a parameter file, their arrays made; without currency rates.
    fn file(&self, rows: &[ContractIndex]) -> Result<SpanFile> {
        let Ranged {
            like,
            contracts,
            sharing,
        } = &*self.ranged;
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
        let name = |row: ContractIndex| format!("'{}'", contracts.rows()[row as usize].id());
        let mut inputs = Vec::with_capacity(rows.len());
        for &row in rows {
            let contract = &contracts.rows()[row as usize];
            let own = self.quotes.inputs(parameters, sharing, contracts, row);
            parameters
                .check_inputs(contract, &own, self.quotes.mark(row), &self.market)
                .map_err(|e| e.at(name(row)))?;
            inputs.push(own);
        }
        let made = arrays::make(
            &inputs,
            |i| self.quotes.term(sharing, rows[i]).collocated,
            &file.points,
            &file.delta_points,
            |i| name(rows[i]),
        )?;
        for ((&row, inputs), made) in rows.iter().zip(&inputs).zip(&made) {
            let mark = self.quotes.mark(row);
            parameters
                .contract(&mut file, contracts, row, inputs, mark, made)
                .map_err(|e| e.at(name(row)))?;
        }
        Ok(file)
    }

    /// Units of the first commodity's currency for one of each other commodity's, where the market says so.
    fn rates(&self, currencies: &[String]) -> Vec<CurrencyRate> {
        let rates = currencies.iter().filter_map(|from| {
            let to = &currencies[0];
            Some(CurrencyRate {
                from: from.clone(),
                to: to.clone(),
                factor: self.market.fx(from, to).ok()?,
            })
        });
        rates.collect()
    }

    fn book(self, program: Program, currencies: Currencies, info: FileInfo, of: Rates) -> Book {
        let Ranged {
            like, contracts, ..
        } = &*self.ranged;
        Book {
            frame: Frame {
                methodology: like.name().into(),
                parameters: like.info.clone(),
                valuation: Some(self.market.valuation().to_string()),
                contracts: Arc::clone(contracts),
                currencies,
            },
            program,
            info,
            exposure: None,
            made: Some(Arc::new(Made {
                parameters: like.parameters.clone(),
                quotes: self.quotes,
                marks: self.market.marks(),
                currencies: of.currencies,
                rates: of.rates,
            })),
        }
    }

    /// The program of another market with the rows that moved since; none where more than rows did. What a row's terms
    /// take from a market is its array, delta, value and scan range alone.
    fn patched(&self, before: &Book) -> Result<Option<(Program, Rates)>> {
        let Ranged {
            like,
            contracts,
            sharing,
        } = &*self.ranged;
        let made = before.made.as_ref().and_then(|m| m.downcast_ref::<Made>());
        let Some(made) = made.filter(|made| {
            Arc::ptr_eq(&made.parameters, &like.parameters)
                && Arc::ptr_eq(&before.frame.contracts, contracts)
                && self.market.accepts_marks_of(made.marks)
        }) else {
            return Ok(None);
        };
        let rates = Rates {
            rates: self.rates(&made.currencies),
            currencies: made.currencies.clone(),
        };
        let moved = self.quotes.moved(sharing, &made.quotes);
        if rates.rates != made.rates || moved.len() == contracts.len() {
            return Ok(None);
        }
        let mut program = before.program.clone();
        if moved.is_empty() {
            return Ok(Some((program, rates)));
        }
        let mut file = self.file(&moved)?;
        file.rates.clone_from(&rates.rates);
        let options = crate::options::Options {
            base_currency: Some(before.frame.currencies.report().to_string()),
            ..like.parameters.options.clone()
        };
        let all: Vec<u32> = (0..moved.len() as u32).collect();
        let (part, _) = compile::compile(&file, &options, &all)?;
        for (from, &row) in moved.iter().enumerate() {
            let (terms, own) = (&mut program.terms[row as usize], &part.terms[from]);
            if terms.problem != NONE || own.problem != NONE {
                return Ok(None);
            }
            (terms.delta, terms.value, terms.range) = (own.delta, own.value, own.range);
            let (to, from) = (row as usize * program.blocks, from * part.blocks);
            program.rows[to..to + part.blocks]
                .copy_from_slice(&part.rows[from..from + part.blocks]);
        }
        Ok(Some((program, rates)))
    }
}

/// Currencies of the commodities, and their rates.
struct Rates {
    currencies: Vec<String>,
    rates: Vec<CurrencyRate>,
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
            let Ranged {
                contracts, sharing, ..
            } = &*self.ranged;
            for (row, contract) in contracts.iter() {
                let term = self.quotes.term(sharing, row);
                let Some(option) = contract.option() else {
                    block.linear.push(LinearCell {
                        contract: row,
                        price: term.underlying,
                        scale: contract.value_per_lot(),
                    });
                    continue;
                };
                if option.strike <= 0.0 {
                    continue;
                }
                let cells = match option.exercise {
                    Exercise::European => &mut block.european,
                    Exercise::American => &mut block.american,
                };
                cells.contract.push(row);
                cells.spot.push(term.underlying);
                cells.strike.push(option.strike);
                cells.years.push(term.years);
                cells.rate.push(term.rate);
                cells.dividend_yield.push(term.dividend_yield);
                cells.vol.push(self.quotes.vol(row));
                cells.right.push(option.right.sign());
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
        let rows: Vec<u32> = (0..self.ranged.contracts.len() as u32).collect();
        let mut file = self.file(&rows)?;
        let mut currencies: Vec<String> = Vec::new();
        for cc in &file.commodities {
            if !currencies.contains(&cc.currency) {
                currencies.push(cc.currency.clone());
            }
        }
        let rates = Rates {
            rates: self.rates(&currencies),
            currencies,
        };
        file.rates.clone_from(&rates.rates);
        let options = &self.ranged.like.parameters.options;
        let (program, currencies) = compile::compile(&file, options, &rows)?;
        let book = self.book(program, currencies, file.info, rates);
        Ok(seam::compiled(book, LiveBook::open))
    }

    fn recompile(
        self: Box<Self>,
        arrays: RiskArrays,
        before: Before<'_>,
    ) -> Result<Arc<dyn Prepared>> {
        let Some(before) = before.prepared.rulebook().downcast_ref::<Book>() else {
            return self.compile(arrays);
        };
        match self.patched(before)? {
            None => self.compile(arrays),
            Some((program, rates)) => {
                let (currencies, info) = (before.frame.currencies.clone(), before.info.clone());
                let book = self.book(program, currencies, info, rates);
                Ok(seam::compiled(book, LiveBook::open))
            }
        }
    }
}
