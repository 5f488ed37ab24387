//! A prepared rulebook with what it was made of: when the market moves, only what the move touches is repriced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use once_cell::race::OnceBox;
use serde::{Deserialize, Serialize};

use crate::account::AccountView;
use crate::cells::{self, Block, Cells, OptionPlace, RiskArrays, RiskBlock, VolMoves};
use crate::contract::{ContractIndex, Contracts};
use crate::explained::explained;
use crate::live::Money;
use crate::market::{Curve, Forward, Market, fx};
use crate::names;
use crate::report::MarginReport;

pub use crate::market::Marks;
use crate::seam::{self, Before, Methodology, Prepared, Resolved};
use kernel::error::Result;
use kernel::{fail, interrupt, simd};

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
            (&mut snapshot.dividend_yield, &self.dividend_yield),
        ] {
            own.extend(change.iter().map(|(k, &v)| (k.clone(), v)));
        }
        snapshot.price.restate(&self.price);
        snapshot.vol.restate(&self.vol);
        fx::restate(&mut snapshot.fx, &self.fx);
        snapshot
            .rate
            .extend(self.rate.iter().map(|(k, v)| (k.clone(), v.clone())));
        for forward in &self.forward {
            snapshot
                .forward
                .retain(|f| (&f.underlying, &f.expiry) != (&forward.underlying, &forward.expiry));
            snapshot.forward.push(forward.clone());
        }
        // A mark that was kept once is of another time until it is given anew.
        let marks = match market.marks() {
            Marks::Keep if !self.restates_all(market) => Marks::Keep,
            _ => self.marks,
        };
        let moved = market.moved(snapshot, &self.price, &self.vol)?;
        Ok(moved.with_marks(marks))
    }

    /// Whether every mark of a market is given anew.
    fn restates_all(&self, market: &Market) -> bool {
        let is_new = |id: &str| self.price.contains_key(id);
        let (column, _) = market.columns();
        market.snapshot().price.keys().all(|id| is_new(id))
            && column.is_none_or(|c| c.contracts.rows().iter().all(|own| is_new(own.id())))
    }

    /// Refuses names that neither a contract of the table nor the market before the change knows: a change of a
    /// misspelt name would change nothing, and old prices would go on.
    fn refuse_unknown(&self, prepared: &dyn Prepared, market: &Market) -> Result<()> {
        let (contracts, before) = (prepared.contracts(), market.snapshot());
        let symbols = || {
            let rows = contracts.iter();
            let own =
                rows.flat_map(|(row, c)| [c.underlying(), contracts.root_symbol(row), c.id()]);
            own.chain(before.spot.keys().map(String::as_str))
                .chain(before.dividend_yield.keys().map(String::as_str))
        };
        let forwards = self.forward.iter().map(|f| &f.underlying);
        for (what, name) in [
            ("spot", &self.spot),
            ("dividend_yield", &self.dividend_yield),
        ]
        .into_iter()
        .flat_map(|(what, own)| own.keys().map(move |name| (what, name)))
        .chain(forwards.map(|name| ("forward", name)))
        {
            if !before.spot.contains_key(name) {
                names::refuse_unknown("update", what, "symbol", name, symbols)?;
            }
        }
        let ids = |own: &'static str| {
            let quoted = if own == "vol" {
                &before.vol
            } else {
                &before.price
            };
            let ids = contracts.iter().map(|(_, c)| c.id());
            ids.chain(quoted.keys().map(String::as_str))
        };
        for (what, own) in [("price", &self.price), ("vol", &self.vol)] {
            for id in own.keys().filter(|id| contracts.index_of(id).is_err()) {
                names::refuse_unknown("update", what, "contract", id, || ids(what))?;
            }
        }
        let report = prepared.currencies();
        let currencies = || {
            let rows = contracts.iter();
            let own = rows.flat_map(|(row, c)| {
                let root = contracts.root_symbol(row);
                [c.currency(), c.quote_currency(), c.underlying(), root]
            });
            own.chain(report.names())
                .chain(before.rate.keys().map(String::as_str))
                .chain(market.rates().names())
        };
        for currency in self.rate.keys() {
            names::refuse_unknown("update", "rate", "currency", currency, currencies)?;
        }
        for currency in fx::Rates::new(&self.fx)?.names() {
            names::refuse_unknown("update", "fx", "currency", currency, currencies)?;
        }
        Ok(())
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
                    MissingData: MissingForward;
                    "update: the forward of '{}' for {} is not that of the moved spot: give its new value in the same \
                     update, or marks=\"keep\"",
                    forward.underlying,
                    forward.expiry
                );
            }
        }
        // Few symbols move as a rule: a table is searched by their names, not the market by the table's.
        let symbols = after.spot.keys().map(String::as_str);
        let symbols: BTreeSet<&str> = symbols.filter(|symbol| moved(symbol)).collect();
        let forwards = before.forward != after.forward;
        let forward = |market: &Market, row: ContractIndex| {
            let expiry = contracts.rows()[row as usize].expiry()?;
            market.forward(contracts.root_symbol(row), expiry)
        };
        let roots = contracts.roots();
        let mut root_moved = vec![false; roots.number.len()];
        for number in symbols.iter().filter_map(|s| roots.number.get(*s)) {
            root_moved[*number as usize] = true;
        }
        let delivers_moved = |row: ContractIndex| {
            let basket = contracts.rows()[row as usize].delivery();
            basket.is_some_and(|b| b.shares.keys().any(|s| symbols.contains(s.as_str())))
        };
        let id = |row: ContractIndex| contracts.rows()[row as usize].id();
        let stale = |row: ContractIndex| {
            (root_moved[roots.of_row[row as usize] as usize]
                || (roots.baskets && delivers_moved(row))
                || (forwards && forward(old, row) != forward(new, row)))
                && !self.price.contains_key(id(row))
                && old.price(contracts, row).is_some()
        };
        let rows = 0..contracts.len() as ContractIndex;
        let mut stale = rows.filter(|&row| stale(row));
        if let Some(first) = stale.next() {
            fail!(
                MissingData: MissingVol;
                "update: the quoted price of '{}'{} is not that of the moved market: give new prices in the same update \
                 (mc.pricing.price values an option at its vol), or marks=\"keep\"",
                id(first),
                match stale.count() {
                    0 => String::new(),
                    more => format!(" (and {more} more)"),
                }
            );
        }
        Ok(())
    }
}

/// A prepared rulebook with what it was made of: its placed table, its market, and the arrays it was compiled from.
pub struct Preparation {
    pub methodology: Arc<dyn Methodology>,
    pub market: Option<Arc<Market>>,
    pub prepared: Arc<dyn Prepared>,
    resolved: Arc<dyn Resolved>,
    /// The date the table is placed on.
    on: Option<Date>,
    cells: Arc<Cells>,
    arrays: RiskArrays,
    /// Rows priced to make this, and rows in all.
    pub repriced: (usize, usize),
    money: OnceBox<Arc<Money>>,
}

impl Preparation {
    /// Places the table, prices what the rulebook needs on up to `threads` threads, and compiles it: the only way to a
    /// [`Prepared`].
    pub fn new(
        methodology: Arc<dyn Methodology>,
        contracts: &Arc<Contracts>,
        market: Option<Arc<Market>>,
        threads: usize,
    ) -> Result<Self> {
        simd::check_environment()?;
        let market = market.map(|market| market.with_rows_of(contracts));
        if let Some(market) = &market {
            market.check_table(contracts)?;
        }
        let on = market.as_ref().map(|m| m.date());
        let resolved = seam::place(&*methodology, contracts, on)?;
        Self::quote(methodology, resolved, on, market, None, threads)
    }

    /// The placed table under a market. Rows that `old` has with equal inputs are not priced again, and what is compiled of
    /// them may be shared.
    fn quote(
        methodology: Arc<dyn Methodology>,
        resolved: Arc<dyn Resolved>,
        on: Option<Date>,
        market: Option<Arc<Market>>,
        old: Option<&Self>,
        threads: usize,
    ) -> Result<Self> {
        let quoted = resolved.clone().at(market.as_ref())?;
        let cells = quoted.cells().clone();
        let rows = cells.blocks.iter().map(Block::rows).sum();
        let (arrays, priced) = match old {
            None => (cells::price(&cells, threads)?, rows),
            Some(old) => reprice(&cells, (&old.cells, &old.arrays), threads)?,
        };
        let priced_from = quoted.priced_from().clone();
        let prepared = match old {
            None => quoted.compile(arrays.clone())?,
            Some(old) => quoted.recompile(
                arrays.clone(),
                Before {
                    prepared: old.prepared.as_ref(),
                    arrays: &old.arrays,
                },
            )?,
        };
        Ok(Self {
            prepared: explained(prepared, &priced_from, market.as_ref()),
            methodology,
            market,
            resolved,
            on,
            cells,
            arrays,
            repriced: (priced, rows),
            money: OnceBox::new(),
        })
    }

    /// The margin of one account, explained, its positions valued at the market's marks. Nothing is known of haircuts
    /// here: [`MarginReport::cash_balance_required`] is `None` with collateral.
    pub fn margin(&self, account: AccountView<'_>) -> Result<MarginReport> {
        let mut report = self.prepared.margin(account)?;
        report.cash_balance_required =
            self.money()
                .cash_balance_required(report.requirement, account, None);
        Ok(report)
    }

    /// Payment terms under this market, shared by the accounts opened on it.
    pub fn money(&self) -> Arc<Money> {
        self.money
            .get_or_init(|| Box::new(Money::new(self.prepared.as_ref(), self.market.as_deref())))
            .clone()
    }

    /// The same rulebook after a change of the market: a new preparation, equal to the last bit to one made from the
    /// whole new market. Rows whose inputs are unchanged keep their arrays. A spot or forward that moves without the
    /// prices quoted on it is [`MarginError::MissingData`](kernel::error::MarginError), unless [`Marks::Keep`].
    pub fn update(&self, change: &MarketChange, threads: usize) -> Result<Self> {
        match &self.market {
            Some(market) => {
                change.refuse_unknown(self.prepared.as_ref(), market)?;
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

    /// The same rulebook under another market, rows with equal inputs not priced again, the table placed again only
    /// where the date is another.
    pub fn with_market(&self, market: Arc<Market>, threads: usize) -> Result<Self> {
        simd::check_environment()?;
        let contracts = self.prepared.contracts();
        let market = market.with_rows_of(contracts);
        market.check_table(contracts)?;
        let on = Some(market.date());
        let resolved = if on == self.on {
            self.resolved.clone()
        } else {
            seam::place(&*self.methodology, contracts, on)?
        };
        Self::quote(
            self.methodology.clone(),
            resolved,
            on,
            Some(market),
            Some(self),
            threads,
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
            && (Arc::ptr_eq(&self.scenarios.labels, &other.scenarios.labels)
                || self.scenarios.labels == other.scenarios.labels)
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

/// Arrays of cells, taking over what is unchanged; and how many rows were priced.
fn reprice(
    cells: &Cells,
    (old, arrays): (&Cells, &RiskArrays),
    threads: usize,
) -> Result<(RiskArrays, usize)> {
    let same_blocks = cells.blocks.len() == old.blocks.len();
    let mut result = RiskArrays {
        notes: cells.notes.clone(),
        ..RiskArrays::default()
    };
    let mut priced = 0;
    for (i, block) in cells.blocks.iter().enumerate() {
        interrupt::check()?;
        let known = (same_blocks && block.matches(&old.blocks[i]))
            .then(|| (&old.blocks[i], &arrays.blocks[i]));
        let (own, count) = reprice_block(block, known, threads)?;
        priced += count;
        result.blocks.push(own);
    }
    Ok((result, priced))
}

/// One block's arrays, taking over what is unchanged, all of them where nothing moved; and how many rows were priced.
fn reprice_block(
    block: &Block,
    old: Option<(&Block, &Arc<RiskBlock>)>,
    threads: usize,
) -> Result<(Arc<RiskBlock>, usize)> {
    let moved: Vec<usize> = (0..block.rows())
        .filter(|&row| old.is_none_or(|(cells, _)| !block.row_equals(row, cells)))
        .collect();
    if let Some((_, arrays)) = old
        && moved.is_empty()
    {
        return Ok((arrays.clone(), 0));
    }
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
        return Ok((fresh, moved.len()));
    };
    let mut result = RiskBlock::clone(arrays);
    for (i, &row) in moved.iter().enumerate() {
        result.value[row] = fresh.value[i];
        result.pnl[row * fresh.scenarios..(row + 1) * fresh.scenarios]
            .copy_from_slice(fresh.row(i));
    }
    Ok((Arc::new(result), moved.len()))
}
