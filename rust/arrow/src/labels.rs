//! What accounts are called: text or whole numbers, which come back as they were given.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::hash::BuildHasher;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use engine::contract::check_name;
use foldhash::quality::RandomState;
use kernel::error::{Code, MarginError, Result};
use kernel::fail;

use crate::table::wrong_type;
use crate::text::{Plain, codes, nulls};
use crate::whole::integers;

/// One account's label, borrowed from its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Label<'a> {
    Whole(i128),
    Text(&'a str),
}

/// One account's label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum OwnLabel {
    Whole(i128),
    Text(String),
}

impl Label<'_> {
    /// A name that prints like another is refused: blanks around it, a character that nobody sees.
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Whole(_) => Ok(()),
            Self::Text(text) => check_name("account", text),
        }
    }

    pub(crate) fn to_owned(self) -> OwnLabel {
        match self {
            Self::Whole(number) => OwnLabel::Whole(number),
            Self::Text(text) => OwnLabel::Text(text.to_string()),
        }
    }
}

impl OwnLabel {
    pub(crate) fn borrowed(&self) -> Label<'_> {
        match self {
            Self::Whole(number) => Label::Whole(*number),
            Self::Text(text) => Label::Text(text),
        }
    }
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "account {number}"),
            Self::Text(text) => write!(f, "account '{text}'"),
        }
    }
}

/// What accounts are called, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountLabels {
    Whole(Vec<i128>),
    Text(Vec<String>),
}

/// The labels of a column's rows.
pub(crate) struct Labels<'a> {
    /// For each row, which of the values it is; `None` where each row has its own.
    codes: Option<Vec<u32>>,
    values: Values<'a>,
    rows: usize,
}

enum Values<'a> {
    Text(Plain<'a>),
    Whole(Cow<'a, [i64]>),
    /// Those that need not fit 64 bits.
    Wide(Vec<i128>),
}

impl<'a> Labels<'a> {
    /// Nulls are refused: an account has a name.
    pub(crate) fn read(name: &str, column: &'a ArrayRef) -> Result<Self> {
        if let Some(nulls) = nulls(column) {
            let row = (0..column.len()).position(|row| nulls.is_null(row));
            fail!(
                InvalidInput: NotStated, place format_args!("column '{name}'");
                "arrow: column '{name}' row {}: null where an account's id is needed",
                row.expect("there is a null")
            );
        }
        let rows = column.len();
        let (codes, plain) = match column.as_any_dictionary_opt() {
            Some(coded) => (Some(codes(name, column.as_ref())?), coded.values()),
            None => (None, column),
        };
        Ok(Self {
            codes,
            values: Values::read(name, plain)?,
            rows,
        })
    }

    #[inline]
    pub(crate) fn at(&self, row: usize) -> Label<'_> {
        let row = self.codes.as_ref().map_or(row, |c| c[row] as usize);
        match &self.values {
            Values::Text(text) => Label::Text(text.at(row)),
            Values::Whole(numbers) => Label::Whole(numbers[row].into()),
            Values::Wide(numbers) => Label::Whole(numbers[row]),
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> AccountLabels {
        let mut whole = Vec::new();
        let mut text = Vec::new();
        for row in 0..self.rows {
            match self.at(row) {
                Label::Whole(number) => whole.push(number),
                Label::Text(own) => text.push(own.to_string()),
            }
        }
        match self.values {
            Values::Text(_) => AccountLabels::Text(text),
            Values::Whole(_) | Values::Wide(_) => AccountLabels::Whole(whole),
        }
    }

    /// The rows, after the first, at which another account begins than the row before has.
    pub(crate) fn breaks(&self) -> Vec<usize> {
        let rows = 1..self.rows;
        match (&self.codes, &self.values) {
            // Two codes may stand for one value.
            (Some(codes), _) => rows
                .filter(|&i| codes[i] != codes[i - 1] && self.at(i) != self.at(i - 1))
                .collect(),
            (None, Values::Whole(numbers)) => {
                rows.filter(|&i| numbers[i] != numbers[i - 1]).collect()
            }
            (None, Values::Wide(numbers)) => {
                rows.filter(|&i| numbers[i] != numbers[i - 1]).collect()
            }
            (None, Values::Text(Plain::Small(text))) => rows
                .filter(|&i| text.value(i) != text.value(i - 1))
                .collect(),
            (None, Values::Text(text)) => rows.filter(|&i| text.at(i) != text.at(i - 1)).collect(),
        }
    }
}

impl<'a> Values<'a> {
    fn read(name: &str, column: &'a ArrayRef) -> Result<Self> {
        if let Some(text) = Plain::of(column.as_ref()) {
            return Ok(Self::Text(text));
        }
        if let DataType::Decimal128(_, 0) = column.data_type() {
            let values = column.as_primitive::<Decimal128Type>().values();
            return Ok(Self::Wide(values.to_vec()));
        }
        if column.data_type() == &DataType::UInt64 {
            let values = column.as_primitive::<arrow_array::types::UInt64Type>();
            let values = values.values().iter().map(|&v| i128::from(v));
            return Ok(Self::Wide(values.collect()));
        }
        match integers(column.as_ref()) {
            Some(values) => Ok(Self::Whole(values)),
            None => Err(wrong_type(
                name,
                "text or whole numbers are",
                column.data_type(),
            )),
        }
    }
}

/// In which order the rows of a stream come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The rows of an account stand together, the accounts in any order: 16 bytes an account are kept to tell.
    Grouped,
    /// The rows of an account stand together, the accounts ascend: nothing is kept.
    Ascending,
    /// Any: all rows are kept.
    Any,
}

/// The accounts that were closed because another began: one that returns would have two requirements.
pub(crate) struct Closed {
    order: Order,
    /// Labels under a key of this stream's own: whole numbers as they are, texts by 128 bits of two hashes.
    seen: HashSet<u128, RandomState>,
    hashers: [RandomState; 2],
}

impl Closed {
    pub(crate) fn new(order: Order) -> Self {
        Self {
            order,
            seen: HashSet::default(),
            hashers: [RandomState::default(), RandomState::default()],
        }
    }

    /// Notes an account that begins after `before`; refuses one that has been.
    pub(crate) fn begin(&mut self, label: Label<'_>, before: Option<Label<'_>>) -> Result<()> {
        let advice = match self.order {
            Order::Any => return Ok(()),
            Order::Ascending => {
                if before.is_none_or(|before| before < label) {
                    return Ok(());
                }
                "sort the rows by account, or say order=\"grouped\" or \"any\""
            }
            Order::Grouped => {
                let key = match label {
                    Label::Whole(number) => number as u128,
                    Label::Text(text) => {
                        let [low, high] = self.hashers.each_ref().map(|h| h.hash_one(text));
                        u128::from(high) << 64 | u128::from(low)
                    }
                };
                if self.seen.insert(key) {
                    return Ok(());
                }
                "its rows have to stand together: cluster or sort them by account, or say order=\"any\""
            }
        };
        let how = match self.order {
            Order::Ascending => "comes after one that is greater",
            _ => "returns after another account had begun",
        };
        Err(
            MarginError::InvalidInput(format!("{label} {how}: {advice}").into())
                .code(Code::Contradiction)
                .place(label),
        )
    }
}
