//! A prepared rulebook with what it was made of: when the market moves, only what the move touches is repriced.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::cells::{self, Block, Cells, OptionPlace, RiskArrays, RiskBlock, VolMoves};
use crate::contract::{ContractIndex, Contracts};
use crate::error::Result;
use crate::fail;
use crate::greeks;
use crate::live::Money;
use crate::market::{Curve, Forward, Market};
use crate::methods::{Methodology, Prepared};

/// What becomes of quotes whose underlying moves without them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marks {
    /// They are refused: the change has to bring new ones.
    #[default]
    Refuse,
    /// They stay as they are, and so does the value they give to holdings.
    Keep,
}

/// What changed in a market; everything else stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarketChange {
    pub valuation: Option<String>,
    pub spot: BTreeMap<String, f64>,
    pub price: BTreeMap<String, f64>,
    pub vol: BTreeMap<String, f64>,
    pub rate: BTreeMap<String, Curve>,
    pub dividend_yield: BTreeMap<String, f64>,
    pub fx: BTreeMap<String, f64>,
    /// Replaces the forwards of the same underlying and expiry.
    pub forward: Vec<Forward>,
    pub marks: Marks,
}

impl MarketChange {
    /// The market after the change, checked as any other.
    pub fn apply(&self, market: &Market) -> Result<Market> {
        let mut snapshot = market.snapshot().clone();
        if let Some(valuation) = &self.valuation {
            snapshot.valuation.clone_from(valuation);
        }
        for (own, change) in [
            (&mut snapshot.spot, &self.spot),
            (&mut snapshot.price, &self.price),
            (&mut snapshot.vol, &self.vol),
            (&mut snapshot.dividend_yield, &self.dividend_yield),
            (&mut snapshot.fx, &self.fx),
        ] {
            own.extend(change.iter().map(|(k, &v)| (k.clone(), v)));
        }
        snapshot
            .rate
            .extend(self.rate.iter().map(|(k, v)| (k.clone(), v.clone())));
        for forward in &self.forward {
            snapshot
                .forward
                .retain(|f| (&f.underlying, &f.expiry) != (&forward.underlying, &forward.expiry));
            snapshot.forward.push(forward.clone());
        }
        let (price, vol) = market.columns();
        Market::with_columns(snapshot, price.cloned(), vol.cloned())
    }

    /// Refuses quotes that belong to a spot or forward as it was before the change: they would value holdings at a
    /// market that is gone. New prices alone move nothing else.
    fn refuse_stale(&self, contracts: &Contracts, old: &Market, new: &Market) -> Result<()> {
        if self.marks == Marks::Keep || (self.spot.is_empty() && self.forward.is_empty()) {
            return Ok(());
        }
        let (before, after) = (old.snapshot(), new.snapshot());
        let moved = |symbol: &str| before.spot.get(symbol) != after.spot.get(symbol);
        for forward in before.forward.iter().filter(|f| moved(&f.underlying)) {
            let same =
                |f: &Forward| (&f.underlying, &f.expiry) == (&forward.underlying, &forward.expiry);
            if !self.forward.iter().any(same) {
                fail!(
                    MissingData,
                    "update: the forward of '{}' for {} is not that of the moved spot: give its new value in the same \
                     update, or marks=\"keep\"",
                    forward.underlying,
                    forward.expiry
                );
            }
        }
        let forward = |market: &Market, row: ContractIndex| {
            let expiry = contracts.rows()[row as usize].expiry()?;
            market.forward(contracts.root_symbol(row), expiry)
        };
        let stale = |row: ContractIndex, id: &str| {
            !self.price.contains_key(id)
                && (moved(contracts.root_symbol(row)) || forward(old, row) != forward(new, row))
                && old.price(contracts, row).is_some()
        };
        let mut stale = contracts.iter().filter(|(row, c)| stale(*row, c.id()));
        if let Some((_, first)) = stale.next() {
            fail!(
                MissingData,
                "update: the quoted price of '{}'{} is not that of the moved market: give new prices in the same update \
                 (mc.pricing.price values an option at its vol), or marks=\"keep\"",
                first.id(),
                match stale.count() {
                    0 => String::new(),
                    more => format!(" (and {more} more)"),
                }
            );
        }
        Ok(())
    }
}

/// A prepared rulebook, its market, and the arrays it was compiled from.
pub struct Preparation {
    pub methodology: Arc<dyn Methodology>,
    pub market: Option<Arc<Market>>,
    pub prepared: Arc<dyn Prepared>,
    cells: Arc<Cells>,
    arrays: RiskArrays,
    /// Rows priced to make this, and rows in all.
    pub repriced: (usize, usize),
    money: OnceLock<Arc<Money>>,
}

impl Preparation {
    pub fn new(
        methodology: Arc<dyn Methodology>,
        contracts: &Arc<Contracts>,
        market: Option<Arc<Market>>,
        threads: usize,
    ) -> Result<Self> {
        let cells = methodology.cells(contracts, market.as_ref())?;
        let arrays = cells::price(&cells, threads)?;
        let rows = cells.blocks.iter().map(Block::rows).sum();
        Self::compile(methodology, contracts, market, cells, arrays, (rows, rows))
    }

    fn compile(
        methodology: Arc<dyn Methodology>,
        contracts: &Arc<Contracts>,
        market: Option<Arc<Market>>,
        cells: Cells,
        arrays: RiskArrays,
        repriced: (usize, usize),
    ) -> Result<Self> {
        let prepared = methodology.compile(contracts, market.as_ref(), arrays.clone())?;
        let cells = Arc::new(cells);
        let prepared = greeks::attach(prepared, &cells, market.as_ref());
        Ok(Self {
            methodology,
            market,
            prepared,
            cells,
            arrays,
            repriced,
            money: OnceLock::new(),
        })
    }

    /// Payment terms under this market, shared by the accounts opened on it.
    pub fn money(&self) -> Arc<Money> {
        self.money
            .get_or_init(|| Money::new(self.prepared.as_ref(), self.market.as_deref()))
            .clone()
    }

    /// The same rulebook after a change of the market: a new preparation, equal to the last bit to one made from the
    /// whole new market. Rows whose inputs are unchanged keep their arrays. A spot or forward that moves without the
    /// prices quoted on it is [`MarginError::MissingData`](crate::error::MarginError), unless [`Marks::Keep`].
    pub fn update(&self, change: &MarketChange, threads: usize) -> Result<Self> {
        match &self.market {
            Some(market) => {
                let moved = change.apply(market)?;
                change.refuse_stale(self.prepared.contracts(), market, &moved)?;
                self.with_market(Arc::new(moved), threads)
            }
            None => fail!(
                NotApplicable,
                "update: the rulebook carries the exchange's own arrays: prepare it from the next file"
            ),
        }
    }

    /// The same rulebook under another market, rows with equal inputs not priced again.
    pub fn with_market(&self, market: Arc<Market>, threads: usize) -> Result<Self> {
        let contracts = self.prepared.contracts();
        let cells = self.methodology.cells(contracts, Some(&market))?;
        let same_blocks = cells.blocks.len() == self.cells.blocks.len();
        let mut arrays = RiskArrays {
            notes: cells.notes.clone(),
            ..RiskArrays::default()
        };
        let (mut priced, mut rows) = (0, 0);
        for (i, block) in cells.blocks.iter().enumerate() {
            let old = (same_blocks && block.matches(&self.cells.blocks[i]))
                .then(|| (&self.cells.blocks[i], self.arrays.blocks[i].as_ref()));
            let (own, count) = reprice(block, old, threads)?;
            priced += count;
            rows += block.rows();
            arrays.blocks.push(Arc::new(own));
        }
        Self::compile(
            self.methodology.clone(),
            contracts,
            Some(market),
            cells,
            arrays,
            (priced, rows),
        )
    }
}

impl Block {
    /// Whether rows of two blocks stand for the same contracts under the same scenarios, whatever their prices.
    fn matches(&self, other: &Self) -> bool {
        let contracts = |b: &Self| -> Vec<u32> { b.contracts().collect() };
        let shape = |b: &Self| {
            (
                b.linear.len(),
                b.european.len(),
                b.american.len(),
                b.trees.len(),
            )
        };
        self.scope == other.scope
            && self.is_normal == other.is_normal
            && shape(self) == shape(other)
            && self.scenarios.price == other.scenarios.price
            && self.scenarios.roll == other.scenarios.roll
            && self.scenarios.labels == other.scenarios.labels
            && match (&self.scenarios.vol, &other.scenarios.vol) {
                (VolMoves::Shared(a), VolMoves::Shared(b)) => a == b,
                (VolMoves::PerOption(a), VolMoves::PerOption(b)) => a.len() == b.len(),
                (VolMoves::Grouped { group: a, .. }, VolMoves::Grouped { group: b, .. }) => a == b,
                _ => false,
            }
            && contracts(self) == contracts(other)
    }

    fn vol_row(&self, option: usize) -> &[f64] {
        self.scenarios.vol.of(option, self.scenarios.price.len())
    }

    /// Whether a row's own inputs are those of the same row of a matching block.
    fn row_equals(&self, row: usize, other: &Self) -> bool {
        let Some(option) = row.checked_sub(self.linear.len()) else {
            return self.linear[row] == other.linear[row];
        };
        if self.vol_row(option) != other.vol_row(option) {
            return false;
        }
        match self.place(option) {
            OptionPlace::European(i) => self.european.row(i) == other.european.row(i),
            OptionPlace::American(i) => self.american.row(i) == other.american.row(i),
            OptionPlace::Tree(i) => self.trees[i] == other.trees[i],
        }
    }

    /// A block of some rows only, in their order.
    fn select(&self, rows: &[usize]) -> Self {
        let mut part = Self {
            scope: self.scope.clone(),
            scenarios: self.scenarios.clone(),
            is_normal: self.is_normal,
            ..Self::default()
        };
        let mut vol = Vec::new();
        for &row in rows {
            let Some(option) = row.checked_sub(self.linear.len()) else {
                part.linear.push(self.linear[row]);
                continue;
            };
            vol.extend_from_slice(self.vol_row(option));
            match self.place(option) {
                OptionPlace::European(i) => part.european.push_row(&self.european, i),
                OptionPlace::American(i) => part.american.push_row(&self.american, i),
                OptionPlace::Tree(i) => part.trees.push(self.trees[i].clone()),
            }
        }
        match &mut part.scenarios.vol {
            VolMoves::Shared(_) => {}
            VolMoves::PerOption(table) | VolMoves::Grouped { table, .. } => *table = vol,
        }
        part
    }
}

/// One block's arrays, taking over what is unchanged; and how many rows were priced.
fn reprice(
    block: &Block,
    old: Option<(&Block, &RiskBlock)>,
    threads: usize,
) -> Result<(RiskBlock, usize)> {
    let moved: Vec<usize> = (0..block.rows())
        .filter(|&row| old.is_none_or(|(cells, _)| !block.row_equals(row, cells)))
        .collect();
    let fresh = cells::price(
        &Cells {
            blocks: vec![block.select(&moved)],
            ..Cells::default()
        },
        threads,
    )?;
    let Some(fresh) = fresh.blocks.into_iter().next() else {
        fail!(CalculationError, "a block was not priced");
    };
    let Some((_, arrays)) = old else {
        return Ok((Arc::unwrap_or_clone(fresh), moved.len()));
    };
    let mut result = arrays.clone();
    for (i, &row) in moved.iter().enumerate() {
        result.value[row] = fresh.value[i];
        result.pnl[row * fresh.scenarios..(row + 1) * fresh.scenarios]
            .copy_from_slice(fresh.row(i));
    }
    Ok((result, moved.len()))
}
