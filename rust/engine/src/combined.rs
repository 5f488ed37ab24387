//! Several rulebooks over one account: each contract belongs to exactly one of them, and the requirements add.
//!
//! Stock on Reg T beside futures on SPAN, two parameter files, or two halves of a hedge that may not offset.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::account::{AccountView, Positions};
use crate::cells::{Cells, RiskArrays};
use crate::contract::{Contract, Contracts};
use crate::market::Market;
use crate::profits::Profits;
use crate::report::{Currencies, Ledger, LineText, ParameterInfo};
use crate::seam::{
    self, Frame, Grouping, Methodology, Outcome, Prepared, Quoted, Recompute, Resolved, Rulebook,
    Scratch,
};
use kernel::error::Result;
use kernel::fail;

const NAME: &str = "Combined";

/// Says whether a part claims a contract.
pub type Claim = Box<dyn Fn(&Contract) -> Result<bool> + Send + Sync>;

/// Parts in the order given; scopes of a part's lines are prefixed with its rulebook's name.
pub struct Combined {
    parts: Vec<(Claim, Arc<dyn Methodology>)>,
    info: ParameterInfo,
}

/// One part's share of a table.
struct Share {
    table: Arc<Contracts>,
    /// For each row of this part, its row in the whole table.
    whole: Vec<u32>,
    /// For each row of the whole table, its row in this part.
    row: Vec<Option<u32>>,
}

impl Combined {
    pub fn new(parts: Vec<(Claim, Arc<dyn Methodology>)>) -> Result<Self> {
        if parts.is_empty() {
            fail!(InvalidInput: OutOfRange; "combined: at least one part is needed");
        }
        let info = joined(parts.iter().map(|part| part.1.parameters()));
        Ok(Self { parts, info })
    }

    fn shares(&self, contracts: &Contracts) -> Result<Vec<Share>> {
        let mut owner = Vec::with_capacity(contracts.len());
        for (row, contract) in contracts.iter() {
            let mut claimed = Vec::new();
            for (part, (claim, _)) in self.parts.iter().enumerate() {
                if claim(contract)
                    .map_err(|e| e.at(format!("combined: part {part}: '{}'", contract.id())))?
                {
                    claimed.push(part);
                }
            }
            match claimed[..] {
                [part] => owner.push(part),
                [] => fail!(
                    NotApplicable,
                    "combined: contracts row {row}: no part claims '{}'",
                    contract.id()
                ),
                [first, second, ..] => fail!(
                    InvalidInput: Contradiction;
                    "combined: contracts row {row}: parts {first} and {second} both claim '{}'",
                    contract.id()
                ),
            }
        }
        (0..self.parts.len())
            .map(|part| {
                let own = |row: u32| owner[row as usize] == part;
                let mut rows: Vec<u32> = (0..contracts.len() as u32).filter(|&r| own(r)).collect();
                // An option needs its future's terms even where another part margins the future.
                let mut referenced: Vec<u32> = rows
                    .iter()
                    .filter_map(|&r| contracts.underlying_row(r))
                    .filter(|&u| !own(u))
                    .collect();
                referenced.sort_unstable();
                referenced.dedup();
                rows.extend(referenced);
                let table = Contracts::new(
                    rows.iter()
                        .map(|&r| contracts.rows()[r as usize].clone())
                        .collect(),
                )?;
                let mut row = vec![None; contracts.len()];
                for (i, &r) in rows.iter().enumerate().filter(|&(_, &r)| own(r)) {
                    row[r as usize] = Some(i as u32);
                }
                Ok(Share {
                    table,
                    whole: rows,
                    row,
                })
            })
            .collect()
    }
}

/// The parts' parameters as one; what no part has stays empty.
pub(crate) fn joined<'a>(parts: impl Iterator<Item = &'a ParameterInfo>) -> ParameterInfo {
    let parts: Vec<&ParameterInfo> = parts.collect();
    let join = |of: fn(&ParameterInfo) -> &str| {
        let all: Vec<&str> = parts.iter().map(|part| of(part)).collect();
        all.join(" + ")
    };
    let superseded: Vec<&str> = parts
        .iter()
        .map(|part| part.superseded_by.as_str())
        .filter(|by| !by.is_empty())
        .collect();
    ParameterInfo {
        name: join(|p| &p.name),
        version: join(|p| &p.version),
        effective: join(|p| &p.effective),
        source: join(|p| &p.source),
        digest: join(|p| &p.digest),
        superseded_by: superseded.join(" + "),
    }
}

impl Methodology for Combined {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    /// Those of the parts; which contracts each claims is a function, of which nothing can be said.
    fn digest(&self) -> String {
        let parts: Vec<String> = self.parts.iter().map(|part| part.1.digest()).collect();
        parts.join(" + ")
    }

    /// Each part says so of its share.
    fn covers_adjusted(&self) -> bool {
        true
    }

    fn resolve(&self, contracts: &Arc<Contracts>, on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        let parts = self.parts.iter().zip(self.shares(contracts)?);
        let parts = parts
            .map(|((_, methodology), share)| {
                Ok(ResolvedPart {
                    name: methodology.name().to_string(),
                    resolved: seam::place(&**methodology, &share.table, on)?,
                    share,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(ResolvedWhole {
            contracts: contracts.clone(),
            parts,
        }))
    }
}

/// One part's share, resolved by its rulebook.
struct ResolvedPart {
    name: String,
    share: Share,
    resolved: Arc<dyn Resolved>,
}

struct ResolvedWhole {
    contracts: Arc<Contracts>,
    parts: Vec<ResolvedPart>,
}

impl Resolved for ResolvedWhole {
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        let parts: Vec<_> = self
            .parts
            .iter()
            .map(|part| part.resolved.clone().at(market))
            .collect::<Result<_>>()?;
        let cells = self.whole(&parts, |quoted| quoted.cells());
        // Where every part is priced from its cells, so is the whole.
        let mut same = parts
            .iter()
            .map(|quoted| Arc::ptr_eq(quoted.cells(), quoted.priced_from()));
        let priced_from = if same.all(|same| same) {
            cells.clone()
        } else {
            self.whole(&parts, |quoted| quoted.priced_from())
        };
        Ok(Box::new(QuotedWhole {
            market: market.cloned(),
            cells,
            priced_from,
            parts,
            whole: self,
        }))
    }
}

impl ResolvedWhole {
    /// Cells of the parts, one part after the other, in the rows of the whole table.
    fn whole(
        &self,
        parts: &[Box<dyn Quoted>],
        cells: impl Fn(&dyn Quoted) -> &Arc<Cells>,
    ) -> Arc<Cells> {
        let mut all = Cells::default();
        for (at, (part, quoted)) in self.parts.iter().zip(parts).enumerate() {
            let own = cells(quoted.as_ref());
            let whole = |row: u32| part.share.whole[row as usize];
            for block in &own.blocks {
                let mut block = block.clone();
                block.scope = format!("{at}/{}", block.scope);
                block.renumber(whole);
                all.blocks.push(block);
            }
            let notes = own
                .notes
                .iter()
                .map(|(row, note)| (whole(*row), note.clone()));
            all.notes.extend(notes);
        }
        Arc::new(all)
    }
}

struct QuotedWhole {
    whole: Arc<ResolvedWhole>,
    market: Option<Arc<Market>>,
    parts: Vec<Box<dyn Quoted>>,
    cells: Arc<Cells>,
    priced_from: Arc<Cells>,
}

impl Quoted for QuotedWhole {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn priced_from(&self) -> &Arc<Cells> {
        &self.priced_from
    }

    fn compile(self: Box<Self>, arrays: RiskArrays) -> Result<Arc<dyn Prepared>> {
        let market = self.market.as_deref();
        let mut blocks = arrays.blocks.into_iter();
        let mut currencies: Option<Currencies> = None;
        let mut parts = Vec::new();
        for (part, quoted) in self.whole.parts.iter().zip(self.parts) {
            let row_of: BTreeMap<u32, u32> =
                (0..).zip(&part.share.whole).map(|(i, &w)| (w, i)).collect();
            // Blocks stand in the order of the parts' cells.
            let mut own = RiskArrays {
                notes: quoted.cells().notes.clone(),
                ..RiskArrays::default()
            };
            for cells in &quoted.cells().blocks {
                let Some(block) = blocks.next() else {
                    fail!(CalculationError, "combined: a part's arrays are missing");
                };
                let mut block = Arc::unwrap_or_clone(block);
                block.scope.clone_from(&cells.scope);
                for contract in &mut block.contract {
                    *contract = row_of[contract];
                }
                own.blocks.push(Arc::new(block));
            }
            let prepared = quoted.compile(own)?;
            let theirs = prepared.currencies();
            let all = currencies.get_or_insert_with(|| Currencies::new(theirs.report()));
            let rate = match market {
                _ if theirs.report() == all.report() => 1.0,
                Some(market) => market.fx(theirs.report(), all.report())?,
                None => fail!(
                    MissingData: MissingPrice;
                    "combined: no market to convert {} into {}",
                    theirs.report(),
                    all.report()
                ),
            };
            let currency = (0..theirs.len())
                .map(|c| all.add(theirs.name(c), theirs.fx(c) * rate))
                .collect();
            parts.push(Part {
                name: part.name.clone(),
                prepared,
                row: part.share.row.clone(),
                currency,
                rate,
            });
        }
        let whole = Whole {
            frame: Frame {
                methodology: NAME.into(),
                parameters: joined(parts.iter().map(|part| part.prepared.parameters())),
                valuation: market.map(|m| m.snapshot().valuation.clone()),
                contracts: self.whole.contracts.clone(),
                currencies: currencies.expect("there is at least one part"),
            },
            parts,
        };
        Ok(seam::compiled(whole, Recompute::open))
    }
}

struct Part {
    name: String,
    prepared: Arc<dyn Prepared>,
    row: Vec<Option<u32>>,
    /// For each of the part's currencies, the whole's.
    currency: Vec<usize>,
    rate: f64,
}

struct Whole {
    frame: Frame,
    parts: Vec<Part>,
}

#[derive(Default)]
struct PartScratch {
    contract: Vec<u32>,
    quantity: Vec<i64>,
    short: Vec<i64>,
    scratch: Scratch,
}

impl Part {
    /// The account's positions that are this part's, in the part's own rows.
    fn select<'a>(
        &self,
        account: AccountView<'a>,
        scratch: &'a mut PartScratch,
    ) -> (AccountView<'a>, &'a mut Scratch) {
        scratch.contract.clear();
        scratch.quantity.clear();
        scratch.short.clear();
        for (i, &contract) in account.positions.contract.iter().enumerate() {
            if let Some(row) = self.row[contract as usize] {
                scratch.contract.push(row);
                scratch.quantity.push(account.positions.quantity[i]);
                scratch.short.extend(account.positions.short.map(|s| s[i]));
            }
        }
        let positions = Positions {
            contract: &scratch.contract,
            quantity: &scratch.quantity,
            short: account.positions.short.map(|_| scratch.short.as_slice()),
        };
        (
            AccountView {
                positions,
                terms: account.terms,
            },
            &mut scratch.scratch,
        )
    }
}

/// Passes a part's lines on under its name and in the whole's currencies.
struct Prefixed<'a, L: ?Sized> {
    ledger: &'a mut L,
    part: &'a Part,
}

impl<L: Ledger + ?Sized> Ledger for Prefixed<'_, L> {
    fn line(
        &mut self,
        currency: usize,
        initial: f64,
        maintenance: f64,
        text: &dyn Fn() -> LineText,
    ) {
        self.ledger
            .line(self.part.currency[currency], initial, maintenance, &|| {
                let mut text = text();
                text.scope = format!("{}: {}", self.part.name, text.scope);
                text
            });
    }
}

impl Rulebook for Whole {
    type Scratch = Vec<PartScratch>;

    /// The parts admit their own shares.
    const GROSS: bool = true;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut Self::Scratch,
        ledger: &mut L,
    ) -> Result<Outcome> {
        scratch.resize_with(self.parts.len(), Default::default);
        let (mut net_option_value, mut pairing_gap) = (0.0, None);
        for (part, scratch) in self.parts.iter().zip(scratch) {
            let (own, inner) = part.select(account, scratch);
            if own.positions.is_empty() {
                continue;
            }
            let outcome = part
                .prepared
                .charge_to(own, inner, &mut Prefixed { ledger, part })?;
            net_option_value += outcome.net_option_value * part.rate;
            if let Some(gap) = outcome.pairing_gap {
                *pairing_gap.get_or_insert(0.0) += gap * part.rate;
            }
        }
        Ok(Outcome {
            net_option_value,
            worst_scenario: None,
            pairing_gap,
        })
    }

    fn grouping(&self) -> Option<Grouping> {
        let parts = self.parts.iter();
        Grouping::joined(
            self.frame.contracts.len(),
            parts.map(|p| (p.name.as_str(), p.prepared.grouping(), &p.row[..])),
        )
    }

    /// Those of the parts, under their names; a part without scenarios has none for its contracts.
    fn profits(&self) -> Result<Vec<Profits>> {
        let mut found = Vec::new();
        for part in &self.parts {
            let mut whole = vec![None; part.prepared.contracts().len()];
            for (row, own) in part.row.iter().enumerate() {
                if let Some(own) = own {
                    whole[*own as usize] = Some(row as u32);
                }
            }
            for own in part.prepared.profits()? {
                let mut set = Profits::new(
                    format!("{}: {}", part.name, own.scope),
                    &own.currency,
                    own.labels.clone(),
                );
                for (row, profit) in own
                    .contracts
                    .iter()
                    .zip(own.profit.chunks(own.labels.len()))
                {
                    // What an option of the part is written on may be another part's.
                    if let Some(row) = whole[*row as usize] {
                        set.push(row, profit.iter().copied());
                    }
                }
                found.push(set);
            }
        }
        Ok(found)
    }

    fn scenario_label(&self, scenario: u32) -> String {
        // Parts have scenarios of their own, which their lines name; the whole has none.
        format!("scenario {scenario}")
    }

    fn details(&self, account: AccountView<'_>) -> Result<Value> {
        let mut details = Map::new();
        for (i, part) in self.parts.iter().enumerate() {
            let mut scratch = PartScratch::default();
            let (own, _) = part.select(account, &mut scratch);
            if !own.positions.is_empty() {
                details.insert(
                    format!("{i}: {}", part.name),
                    part.prepared.margin(own)?.details,
                );
            }
        }
        Ok(Value::Object(details))
    }
}
