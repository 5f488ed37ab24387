//! Everything that is asked of a rule, as one value: a rule that leaves a part out does not compile.
//!
//! Every answer is required, also "nothing". No rule has a slope: an account with stages keeps no sums between trades.

use serde_json::Value;

use engine::account::AccountView;
use engine::bounds;
use engine::contract::Contract;
use kernel::error::Result;

/// One rule's answers.
pub(crate) struct Parts<'a> {
    /// Refuses numbers that cannot be.
    pub(crate) check: Result<()>,
    /// Contracts it margins in the scenarios' place, by id or underlying symbol.
    pub(crate) takes: Vec<&'a str>,
    /// What it reads of a contract; `None` where it reads no contract of its own.
    pub(crate) row: Option<RowOf<'a>>,
    /// Earlier stages whose sum it reads, by name.
    pub(crate) of: &'a [String],
    pub(crate) amount: Amount,
    /// What a report says beside the lines; `None` where they say all.
    pub(crate) explain: Option<Explain>,
}

impl<'a> Parts<'a> {
    /// A rule of what the account stands at and of what was charged before: it reads no contract, and its line says all.
    pub(crate) fn of_account(
        check: Result<()>,
        of: &'a [String],
        amount: impl Fn(&Running<'_>) -> f64 + Send + Sync + 'static,
    ) -> Self {
        Self {
            check,
            takes: Vec::new(),
            row: None,
            of,
            amount: Amount::OfAccount(Box::new(amount)),
            explain: None,
        }
    }
}

/// What a rule keeps of a contract: the group it falls into, and two numbers of the rule's own, such as its rates for
/// long and short.
pub(crate) type Row = (u32, f64, f64);

pub(crate) type RowOf<'a> = Box<dyn Fn(&Listed<'_>) -> Result<Option<Row>> + 'a>;

pub(crate) type Explain = Box<dyn Fn(&Books<'_>) -> Option<Value> + Send + Sync>;

/// Sums of a group's long and short side: working memory.
pub(crate) type SideSums = Vec<(u32, f64, f64)>;

/// How a rule's amount follows, for one account.
pub(crate) enum Amount {
    OfAccount(Box<OfAccount>),
    OfContracts(Box<OfContracts>),
    /// Writes lines of its own, each with its scope, and returns their sum.
    InLines(Box<InLines>),
}

type OfAccount = dyn Fn(&Running<'_>) -> f64 + Send + Sync;
type OfContracts = dyn Fn(&Books<'_>, &mut SideSums) -> f64 + Send + Sync;
type InLines = dyn Fn(&Books<'_>, &mut SideSums, &mut dyn FnMut(&str, f64)) -> f64 + Send + Sync;

/// A contract as a rule reads it.
pub(crate) struct Listed<'a> {
    /// Its row in the table of contracts.
    pub(crate) at: usize,
    pub(crate) contract: &'a Contract,
    /// Its id, and the symbol it is written on: a rule may speak of either.
    pub(crate) keys: [&'a str; 2],
    pub(crate) worth: Worth,
}

/// What stages know of one contract, per lot, in the report's currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Worth {
    pub(crate) value: f64,
    /// Money for a move of one in the price.
    pub(crate) units: f64,
    pub(crate) is_covered: bool,
}

/// An account, and what a rule keeps of the contracts in it.
pub(crate) struct Books<'a> {
    pub(crate) account: AccountView<'a>,
    pub(crate) worth: &'a [Worth],
    pub(crate) rows: &'a [Option<Row>],
}

/// The account's values that several stages read.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    pub(crate) gross_long: f64,
    pub(crate) gross_short: f64,
    pub(crate) net: f64,
    /// Value plus cash: what has been gained since the positions were paid for.
    pub(crate) mark: f64,
}

/// What stands before a stage.
pub(crate) struct Running<'a> {
    pub(crate) standing: &'a Standing,
    /// Everything charged so far.
    pub(crate) sum: f64,
    /// The stages that the rule names.
    pub(crate) of: f64,
}

/// Finite numbers at or above zero, each with its word.
pub(crate) fn not_negative<'a>(numbers: impl IntoIterator<Item = (&'a str, f64)>) -> Result<()> {
    numbers
        .into_iter()
        .try_for_each(|(what, value)| bounds::not_negative(what, value))
}
