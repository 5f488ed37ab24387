//! A house's rules over any rulebook: what a broker asks more, in lines of its own.
//!
//! The rulebook's lines stay as they are, so that the regulatory number stays auditable; a house can only ask more.
//!
//! | what | file |
//! |---|---|
//! | the rules as data | `rules.rs` |
//! | which contracts a rule is about, on a date | `placed.rs` |
//! | what it asks of a lot under one market | `asked.rs` |
//! | lines of an account | `book.rs` |

mod asked;
mod book;
mod placed;
pub mod rules;

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Map, Value};

use self::asked::Asked;
use self::book::{Book, Strict};
use self::rules::Rules;
use crate::cells::{Cells, RiskArrays};
use crate::combined;
use crate::contract::{Contracts, check_name};
use crate::market::Market;
use crate::report::ParameterInfo;
use crate::seam::{self, Frame, Grouping, Methodology, Prepared, Quoted, Recompute, Resolved};
use crate::securities::declared::Declared;
use crate::securities::{self, Securities};
use kernel::error::{MarginError, Result};
use kernel::fail;

/// The shipped rules of houses, as each published them; `own` has none.
pub const PRESETS: &str = include_str!("../../presets/house.json");

/// The JSON Schema of the parameters, from their types.
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Rules)
}

/// What a house's own rules are called, and where they come from.
const WHENCE: [&str; 3] = ["title", "date", "source"];

/// A house over a rulebook.
pub struct House {
    name: String,
    base: Arc<dyn Methodology>,
    strict: Option<(String, Arc<dyn Methodology>)>,
    rules: Arc<Rules>,
    securities: Arc<Securities>,
    own: ParameterInfo,
    info: ParameterInfo,
}

impl House {
    /// From `{"preset": ..., ...rules}`, where rules that are no preset's say whose they are by `title`, `date` and
    /// `source`. `stricter` builds the base rulebook with other parameters.
    pub fn new(
        base: Arc<dyn Methodology>,
        document: &Map<String, Value>,
        stricter: impl FnOnce(&Map<String, Value>) -> Result<Arc<dyn Methodology>>,
    ) -> Result<Self> {
        let mut document = document.clone();
        let whence = WHENCE.map(|key| document.remove(key));
        let is_own = !document.contains_key("preset");
        let (rules, securities, mut own) =
            securities::resolve::<Rules>(PRESETS, "own", &Value::Object(document))
                .map_err(|e| e.at("house"))?;
        rules.check()?;
        match whence {
            [None, None, None] if !is_own => {}
            [Some(title), Some(date), Some(source)] => {
                let [title, date, source] = [
                    text("title", title)?,
                    text("date", date)?,
                    text("source", source)?,
                ];
                check_name("house: name", &title)?;
                if let Err(e) = date.parse::<Date>() {
                    fail!(InvalidInput: BadTime, place "house: date", value date.as_str();
                        "house: date '{date}': the day its rules were published is needed, 2026-11-20: {e}");
                }
                own.name = title;
                own.version.clone_from(&date);
                own.effective = date;
                own.source = source;
            }
            _ => fail!(
                MissingData: NotStated, place "house";
                "house: whose rules these are, of which day and from which text has to be said: give name, date and source"
            ),
        }
        let strict = match &rules.stricter {
            None => None,
            Some(rule) => {
                let at = |e: MarginError| e.at(format!("house: rule '{}'", rule.name));
                if rule.parameters.contains_key("name") {
                    fail!(InvalidInput: Contradiction, place format_args!("house: rule '{}'", rule.name);
                        "house: rule '{}': its parameters are those of the rulebook below, which has its name already", rule.name);
                }
                Some((rule.name.clone(), stricter(&rule.parameters).map_err(at)?))
            }
        };
        Ok(Self {
            name: format!("{} with {}", base.name(), own.name),
            info: combined::joined([base.parameters(), &own].into_iter()),
            base,
            strict,
            rules: Arc::new(rules),
            securities,
            own,
        })
    }
}

fn text(what: &str, value: Value) -> Result<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Ok(text),
        other => {
            fail!(InvalidInput: WrongType, place format_args!("house: {what}"); "house: {what}: a text is needed, not {other}")
        }
    }
}

impl Methodology for House {
    fn name(&self) -> &str {
        &self.name
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    fn digest(&self) -> String {
        format!("{} + {}", self.base.digest(), self.own.digest)
    }

    fn covers_adjusted(&self) -> bool {
        self.base.covers_adjusted()
    }

    fn resolve(&self, contracts: &Arc<Contracts>, on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        let base = seam::place(&*self.base, contracts, on)?;
        let strict = match &self.strict {
            None => None,
            Some((name, strict)) => Some((name.clone(), seam::place(&**strict, contracts, on)?)),
        };
        let declared = Declared::new(&self.securities, contracts, on)?;
        Ok(Arc::new(ResolvedHouse {
            name: self.name.clone(),
            own: self.own.clone(),
            placed: placed::place(&self.rules, &self.securities, contracts, &declared)?,
            rules: self.rules.clone(),
            contracts: contracts.clone(),
            base,
            strict,
        }))
    }
}

/// A table that the base covers, and the rules that are about its rows.
struct ResolvedHouse {
    name: String,
    own: ParameterInfo,
    rules: Arc<Rules>,
    placed: Vec<Vec<bool>>,
    contracts: Arc<Contracts>,
    base: Arc<dyn Resolved>,
    strict: Option<(String, Arc<dyn Resolved>)>,
}

impl Resolved for ResolvedHouse {
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        let base = self.base.clone().at(market)?;
        let strict = match &self.strict {
            None => None,
            Some((_, strict)) => Some(strict.clone().at(market)?),
        };
        // The base's cells first, then those of the stricter rulebook under scopes of their own.
        let cells = match &strict {
            Some(strict) if !strict.cells().blocks.is_empty() => {
                let mut cells = (**base.cells()).clone();
                for block in &strict.cells().blocks {
                    let mut block = block.clone();
                    block.scope = format!("stricter/{}", block.scope);
                    cells.blocks.push(block);
                }
                Arc::new(cells)
            }
            _ => base.cells().clone(),
        };
        Ok(Box::new(QuotedHouse {
            market: market.cloned(),
            cells,
            base,
            strict,
            house: self,
        }))
    }
}

struct QuotedHouse {
    house: Arc<ResolvedHouse>,
    market: Option<Arc<Market>>,
    cells: Arc<Cells>,
    base: Box<dyn Quoted>,
    strict: Option<Box<dyn Quoted>>,
}

impl Quoted for QuotedHouse {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn priced_from(&self) -> &Arc<Cells> {
        self.base.priced_from()
    }

    fn compile(self: Box<Self>, mut arrays: RiskArrays) -> Result<Arc<dyn Prepared>> {
        let house = &self.house;
        let market = self.market.as_deref();
        let mut more = arrays.blocks.split_off(self.base.cells().blocks.len());
        let base = self.base.compile(arrays)?;
        let strict = match (self.strict, &house.strict) {
            (Some(quoted), Some((name, _))) => {
                for (block, cells) in more.iter_mut().zip(&quoted.cells().blocks) {
                    Arc::make_mut(block).scope.clone_from(&cells.scope);
                }
                let arrays = RiskArrays {
                    blocks: more,
                    notes: quoted.cells().notes.clone(),
                };
                Some(Strict {
                    name: name.clone(),
                    prepared: quoted.compile(arrays)?,
                })
            }
            _ => None,
        };
        let rows = house.contracts.len();
        let report = base.currencies().report();
        let book = Book {
            frame: Frame {
                methodology: house.name.clone(),
                parameters: combined::joined([base.parameters(), &house.own].into_iter()),
                valuation: market.map(|m| m.snapshot().valuation.clone()),
                contracts: house.contracts.clone(),
                currencies: base.currencies().clone(),
            },
            asked: Asked::compile(
                &house.rules,
                &house.placed,
                &house.contracts,
                market,
                report,
            )?,
            grouping: base.grouping().unwrap_or_else(|| Grouping::whole(rows)),
            base,
            strict,
        };
        Ok(seam::compiled(book, Recompute::open))
    }
}
