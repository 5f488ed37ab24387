//! A rulebook's choices of valuation, and what a table of contracts resolves to under them.

use serde::{Deserialize, Serialize};

use crate::cells::{Block, OptionCells, TreeCell};
use crate::contract::ContractIndex;
use kernel::pricing::tree::{self, Scheme};

/// How American options are priced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum American {
    /// Spectral collocation of the exercise boundary, and with cash dividends trinomial lattices: what trees converge to.
    /// OCC's published values do not tell them apart.
    #[default]
    Collocation,
    /// Cox-Ross-Rubinstein with `steps` steps: the method OCC names its own a derivation of.
    Tree,
}

/// What becomes of an option whose mark no volatility reprices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoVol {
    /// It is refused by name.
    Refuse,
    /// It has the volatility of the other right at its strike, else of the nearest strike of its expiry, else
    /// `vol_floor`; reports list the options held.
    Borrow,
}

/// A rulebook's choices.
#[derive(Debug, Clone, Copy)]
pub struct Valuation {
    /// Of the rulebook, for messages.
    pub name: &'static str,
    /// How American options are priced.
    pub american: American,
    /// Of the tree by name.
    pub steps: usize,
    /// What becomes of options that no volatility reprices.
    pub no_vol: NoVol,
    /// An annual volatility for options that can borrow none.
    pub vol_floor: Option<f64>,
}

/// What one contract is to the rulebook.
#[derive(Debug, Clone, Copy)]
pub enum Instrument {
    /// Stock, ETF or future: its own price.
    Linear(f64),
    /// A row of the options' columns.
    Option(u32),
    /// Nothing is repriced: values are given, or it is margined otherwise.
    Given,
}

/// How an option is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// By the formula.
    European,
    /// By collocation of the exercise boundary.
    American,
    /// Cash dividends, or the tree by name.
    Tree,
}

/// What the options of one underlying and expiry share.
#[derive(Debug, Clone)]
pub struct Term {
    /// Whole days from the valuation to the expiry date; below zero after it.
    pub days: i32,
    /// Days over 365, not below zero.
    pub years: f64,
    /// Zero rate of the currency to the expiry date.
    pub rate: f64,
    /// Price of the underlying, or of the future the options are written on.
    pub spot: f64,
    /// The underlying's yield, or the one its forward implies; a future's is the rate.
    pub dividend_yield: f64,
    /// Discount of money to the expiry, and of the underlying by its yield.
    pub discount: f64,
    pub carry: f64,
    /// (years, cash) until expiry.
    pub dividends: Vec<(f64, f64)>,
}

/// A table resolved.
pub struct Inputs {
    /// By contract row.
    pub instruments: Vec<Instrument>,
    /// The options in row order. `base` is the market's mark while volatilities are implied.
    pub options: OptionCells,
    /// Of each option, how it is priced.
    pub models: Vec<Model>,
    /// Of each option, whether it may be exercised early.
    pub american: Vec<bool>,
    /// Of each option, its term.
    pub term: Vec<u32>,
    /// One for each underlying (or future) and expiry.
    pub terms: Vec<Term>,
    /// How options with cash dividends, or all American ones, are priced, and by how many steps.
    pub scheme: Scheme,
    pub steps: usize,
    /// Options whose volatility is another's.
    pub notes: Vec<(ContractIndex, String)>,
}

impl Valuation {
    /// How options with cash dividends are priced, and by how many steps.
    pub(super) fn tree(&self) -> (Scheme, usize) {
        match self.american {
            American::Collocation => (Scheme::Trinomial, tree::LATTICE_STEPS),
            American::Tree => (Scheme::Crr, self.steps),
        }
    }
}

impl Inputs {
    /// Puts options into the lists of a block by how they are priced, and says in which order they stand there: that of
    /// the block's moves of volatility.
    pub fn fill(&self, options: Vec<u32>, block: &mut Block) -> Vec<u32> {
        let of = |model: Model| -> Vec<u32> {
            let all = options.iter().copied();
            all.filter(|&o| self.models[o as usize] == model).collect()
        };
        let (european, mut american, trees) =
            (of(Model::European), of(Model::American), of(Model::Tree));
        // The strikes of an expiry share boundaries, and those without a yield share them across underlyings.
        american.sort_by_key(|&option| {
            let o = option as usize;
            let pays = self.options.dividend_yield[o] != 0.0;
            (self.options.years[o].to_bits(), pays, option)
        });
        block.european = self.options.select(&european);
        block.american = self.options.select(&american);
        block.trees = trees.iter().map(|&o| self.tree(o as usize)).collect();
        [european, american, trees].concat()
    }

    /// An option as a tree takes it.
    pub(super) fn tree(&self, option: usize) -> TreeCell {
        let o = &self.options;
        TreeCell {
            contract: o.contract[option],
            spot: o.spot[option],
            strike: o.strike[option],
            years: o.years[option],
            rate: o.rate[option],
            dividend_yield: o.dividend_yield[option],
            vol: o.vol[option],
            right: o.right[option],
            american: self.american[option],
            scheme: self.scheme,
            steps: self.steps,
            dividends: self.terms[self.term[option] as usize].dividends.clone(),
            scale: o.scale[option],
            base: o.base[option],
        }
    }
}

/// Stands for a volatility that the mark has yet to give.
pub const OPEN: f64 = -1.0;
