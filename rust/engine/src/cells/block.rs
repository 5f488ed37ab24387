//! What is repriced, as columns, and what comes of it.

use std::sync::Arc;

use kernel::pricing::OptionColumns;

use super::tree_cell::TreeCell;
use crate::contract::ContractIndex;

/// Everything a rulebook wants repriced.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    pub blocks: Vec<Block>,
    /// What had to be assumed of a contract because the market does not say it, for reports of accounts that hold it.
    pub notes: Vec<(ContractIndex, String)>,
}

/// The scenarios of a block. A scenario is known by its index; the label is for people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scenarios {
    pub labels: Arc<[String]>,
    /// Moves of the underlying as fractions of its price; as amounts where the block is normal.
    pub price: Vec<f64>,
    /// Moves added to the volatility: one per scenario, or a row-major table over the block's options
    /// (European rows, then American, then trees).
    pub vol: VolMoves,
    /// Years by which time moves on.
    pub roll: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum VolMoves {
    Shared(Vec<f64>),
    PerOption(Vec<f64>),
    /// Few different moves per option: `group[scenario]` is a column of the row-major table of `width` columns.
    Grouped {
        group: Vec<usize>,
        width: usize,
        table: Vec<f64>,
    },
}

impl VolMoves {
    /// The moves of one option; empty where all options share theirs.
    pub(crate) fn of(&self, option: usize, scenarios: usize) -> &[f64] {
        let (table, width) = match self {
            Self::Shared(_) => return &[],
            Self::PerOption(table) => (table, scenarios),
            Self::Grouped { table, width, .. } => (table, *width),
        };
        &table[option * width..(option + 1) * width]
    }

    /// The move of one option in one scenario.
    pub(super) fn at(&self, option: usize, scenario: usize, scenarios: usize) -> f64 {
        match self {
            Self::Shared(moves) => moves[scenario],
            Self::PerOption(table) => table[option * scenarios + scenario],
            Self::Grouped {
                group,
                width,
                table,
            } => table[option * width + group[scenario]],
        }
    }
}

impl Default for VolMoves {
    fn default() -> Self {
        Self::Shared(Vec::new())
    }
}

/// Rows that share one list of scenarios.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub scope: String,
    pub scenarios: Scenarios,
    pub linear: Vec<LinearCell>,
    /// European exercise, no cash dividends: the closed formula.
    pub european: OptionCells,
    /// American exercise, no cash dividends: collocation of the exercise boundary. Rows of one expiry are best kept
    /// together: they share boundaries.
    pub american: OptionCells,
    pub trees: Vec<TreeCell>,
    /// Of options whose `spot` is a forward: the rate their `scale` discounts with, by option; zero where it does not.
    /// Empty where `spot` is the underlying's own price.
    pub forward_rates: Vec<f64>,
    /// European options by Bachelier's formula: `spot` is a forward of any sign, price moves are amounts, volatilities
    /// are in the price's units. There is nothing else in such a block.
    pub is_normal: bool,
}

/// The list of a block an option is in, and its row there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionPlace {
    European(usize),
    American(usize),
    Tree(usize),
}

impl Block {
    pub fn rows(&self) -> usize {
        self.linear.len() + self.european.len() + self.american.len() + self.trees.len()
    }

    /// The contracts of all rows, in order.
    pub(crate) fn contracts(&self) -> impl Iterator<Item = ContractIndex> {
        let linear = self.linear.iter().map(|c| c.contract);
        linear.chain(self.options().map(|o| o.0))
    }

    /// The options' contracts, and where they are.
    pub(crate) fn options(&self) -> impl Iterator<Item = (ContractIndex, OptionPlace)> {
        let count = self.european.len() + self.american.len() + self.trees.len();
        (0..count).map(|option| {
            let place = self.place(option);
            let contract = match place {
                OptionPlace::European(i) => self.european.contract[i],
                OptionPlace::American(i) => self.american.contract[i],
                OptionPlace::Tree(i) => self.trees[i].contract,
            };
            (contract, place)
        })
    }

    /// Where an option, counted over all of them, is kept.
    pub(crate) fn place(&self, option: usize) -> OptionPlace {
        match option.checked_sub(self.european.len()) {
            None => OptionPlace::European(option),
            Some(i) if i < self.american.len() => OptionPlace::American(i),
            Some(i) => OptionPlace::Tree(i - self.american.len()),
        }
    }

    /// An option's number, counted over all of them.
    pub(crate) fn index(&self, option: OptionPlace) -> usize {
        match option {
            OptionPlace::European(i) => i,
            OptionPlace::American(i) => self.european.len() + i,
            OptionPlace::Tree(i) => self.european.len() + self.american.len() + i,
        }
    }

    pub(crate) fn years(&self, option: OptionPlace) -> f64 {
        match option {
            OptionPlace::European(i) => self.european.years[i],
            OptionPlace::American(i) => self.american.years[i],
            OptionPlace::Tree(i) => self.trees[i].years,
        }
    }

    pub(crate) fn scale(&self, option: OptionPlace) -> f64 {
        match option {
            OptionPlace::European(i) => self.european.scale[i],
            OptionPlace::American(i) => self.american.scale[i],
            OptionPlace::Tree(i) => self.trees[i].scale,
        }
    }

    /// The same block over other rows of a table.
    pub(crate) fn renumber(&mut self, row: impl Fn(ContractIndex) -> ContractIndex) {
        for cell in &mut self.linear {
            cell.contract = row(cell.contract);
        }
        let columns = [&mut self.european.contract, &mut self.american.contract];
        for contract in columns.into_iter().flatten() {
            *contract = row(*contract);
        }
        for cell in &mut self.trees {
            cell.contract = row(cell.contract);
        }
    }
}

/// Something whose value moves one for one with its own price: stock, ETF, future.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearCell {
    pub contract: ContractIndex,
    pub price: f64,
    /// Money per lot for a move of one in the price.
    pub scale: f64,
}

/// Options on a spot with a continuous yield as columns; the exercise is that of the list they are in. `base` replaces
/// the model's own value at no move where the profit and loss is measured from a mark.
#[derive(Debug, Clone, Default)]
pub struct OptionCells {
    pub contract: Vec<ContractIndex>,
    pub spot: Vec<f64>,
    pub strike: Vec<f64>,
    pub years: Vec<f64>,
    pub rate: Vec<f64>,
    pub dividend_yield: Vec<f64>,
    pub vol: Vec<f64>,
    pub right: Vec<i8>,
    pub scale: Vec<f64>,
    pub base: Vec<Option<f64>>,
}

impl OptionCells {
    pub fn len(&self) -> usize {
        self.contract.len()
    }

    pub fn is_empty(&self) -> bool {
        self.contract.is_empty()
    }

    /// Every input of one row.
    pub(crate) fn row(&self, i: usize) -> ([f64; 7], i8, Option<f64>) {
        let numbers = [
            self.spot[i],
            self.strike[i],
            self.years[i],
            self.rate[i],
            self.dividend_yield[i],
            self.vol[i],
            self.scale[i],
        ];
        (numbers, self.right[i], self.base[i])
    }

    /// Some rows, in the order given.
    pub fn select(&self, rows: &[u32]) -> Self {
        fn of<T: Copy>(column: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| column[row as usize]).collect()
        }
        Self {
            contract: of(&self.contract, rows),
            spot: of(&self.spot, rows),
            strike: of(&self.strike, rows),
            years: of(&self.years, rows),
            rate: of(&self.rate, rows),
            dividend_yield: of(&self.dividend_yield, rows),
            vol: of(&self.vol, rows),
            right: of(&self.right, rows),
            scale: of(&self.scale, rows),
            base: of(&self.base, rows),
        }
    }

    /// Adds a row of other columns.
    pub(crate) fn push_row(&mut self, from: &Self, i: usize) {
        self.contract.push(from.contract[i]);
        self.spot.push(from.spot[i]);
        self.strike.push(from.strike[i]);
        self.years.push(from.years[i]);
        self.rate.push(from.rate[i]);
        self.dividend_yield.push(from.dividend_yield[i]);
        self.vol.push(from.vol[i]);
        self.right.push(from.right[i]);
        self.scale.push(from.scale[i]);
        self.base.push(from.base[i]);
    }

    pub fn columns(&self) -> OptionColumns<'_> {
        OptionColumns {
            spot: &self.spot,
            strike: &self.strike,
            years: &self.years,
            rate: &self.rate,
            dividend_yield: &self.dividend_yield,
            vol: &self.vol,
            right: &self.right,
        }
    }
}

/// Profit and loss per lot, in each row's settlement currency, for every block of [`Cells`] in its order.
#[derive(Debug, Clone, Default)]
pub struct RiskArrays {
    pub blocks: Vec<Arc<RiskBlock>>,
    /// Those of the [`Cells`].
    pub notes: Vec<(ContractIndex, String)>,
}

/// One block's arrays: linear rows, then European, then American, then trees.
#[derive(Debug, Clone)]
pub struct RiskBlock {
    pub scope: String,
    pub contract: Vec<ContractIndex>,
    /// Value per lot with nothing moved.
    pub value: Vec<f64>,
    /// Row-major `(rows, scenarios)`; gains are positive.
    pub pnl: Vec<f64>,
    pub scenarios: usize,
}

impl RiskBlock {
    pub fn row(&self, row: usize) -> &[f64] {
        &self.pnl[row * self.scenarios..(row + 1) * self.scenarios]
    }
}
