//! Contracts from columns: a chain or a clearing house's table without an object per row in between.

mod form;
mod written;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::form::{Form, TermColumns, TextColumn};
pub use self::written::Distinct;
use self::written::Writer;
use crate::contract::terms::each_term;
use crate::contract::{
    Contract, Contracts, Deliverable, Exercise, Kind, Premium, Right, Settlement, Terms,
};
use crate::names::hint;
use crate::reading::read;
use crate::time::{Expiry, Settles};
use kernel::error::{Code, MarginError, Result};
use kernel::{fail, interrupt};

/// A type of terms: how its values are read from columns.
trait TermValue: Sized {
    const FORM: Form;
    /// What is read of the columns once, for all rows.
    type Column<'a>;
    fn column<'a>(columns: &'a TermColumns, name: &str) -> Result<Self::Column<'a>>;
    /// The value of a row; `None` where it is left out.
    fn at(column: &Self::Column<'_>, row: usize) -> Option<Self>;
    /// Adds the value to a column that is written.
    fn write(&self, column: &mut Writer);
}

/// A column's entry for a row: one entry holds for all.
fn entry<T>(column: &[T], row: usize) -> &T {
    &column[if column.len() == 1 { 0 } else { row }]
}

impl TextColumn {
    fn at(&self, row: usize) -> Option<&str> {
        let code = *entry(&self.codes, row);
        Some(self.values[code as usize].as_str()).filter(|t| !t.is_empty())
    }
}

impl TermValue for String {
    const FORM: Form = Form::Text;
    type Column<'a> = Option<&'a TextColumn>;

    fn column<'a>(columns: &'a TermColumns, name: &str) -> Result<Self::Column<'a>> {
        Ok(columns.text.get(name))
    }

    fn at(column: &Self::Column<'_>, row: usize) -> Option<Self> {
        (*column)?.at(row).map(str::to_string)
    }

    fn write(&self, column: &mut Writer) {
        column.text(self);
    }
}

impl TermValue for f64 {
    const FORM: Form = Form::Number;
    type Column<'a> = Option<&'a [f64]>;

    fn column<'a>(columns: &'a TermColumns, name: &str) -> Result<Self::Column<'a>> {
        Ok(columns.numbers.get(name).map(Vec::as_slice))
    }

    fn at(column: &Self::Column<'_>, row: usize) -> Option<Self> {
        column.map(|column| *entry(column, row))
    }

    fn write(&self, column: &mut Writer) {
        column.number(*self);
    }
}

impl TermValue for bool {
    const FORM: Form = Form::Flag;
    type Column<'a> = Option<&'a [bool]>;

    fn column<'a>(columns: &'a TermColumns, name: &str) -> Result<Self::Column<'a>> {
        Ok(columns.flags.get(name).map(Vec::as_slice))
    }

    fn at(column: &Self::Column<'_>, row: usize) -> Option<Self> {
        column.map(|column| *entry(column, row))
    }

    fn write(&self, column: &mut Writer) {
        column.flag(*self);
    }
}

impl TermValue for BTreeMap<String, String> {
    const FORM: Form = Form::Named;
    type Column<'a> = Option<&'a BTreeMap<String, TextColumn>>;

    fn column<'a>(columns: &'a TermColumns, name: &str) -> Result<Self::Column<'a>> {
        Ok(columns.named.get(name))
    }

    fn at(column: &Self::Column<'_>, row: usize) -> Option<Self> {
        let named = (*column)?.iter();
        Some(
            named
                .filter_map(|(name, text)| Some((name.clone(), text.at(row)?.to_string())))
                .collect(),
        )
    }

    fn write(&self, column: &mut Writer) {
        column.named(self);
    }
}

/// A column of text of which each distinct value is parsed once.
struct Choices<'a, T> {
    codes: &'a [u32],
    values: Vec<Option<T>>,
}

impl<'a, T: DeserializeOwned + Clone> Choices<'a, T> {
    fn of(columns: &'a TermColumns, name: &str) -> Result<Option<Self>> {
        let Some(column) = columns.text.get(name) else {
            return Ok(None);
        };
        let parse = |text: &String| {
            if text.is_empty() {
                return Ok(None);
            }
            read(
                &format!("contracts: column '{name}'"),
                &Value::String(text.clone()),
            )
            .map(Some)
        };
        Ok(Some(Self {
            codes: &column.codes,
            values: column.values.iter().map(parse).collect::<Result<_>>()?,
        }))
    }

    fn at(&self, row: usize) -> Option<T> {
        self.values[*entry(self.codes, row) as usize].clone()
    }
}

macro_rules! choices {
    ($($type:ty: $form:ident $word:expr;)*) => {$(
        impl TermValue for $type {
            const FORM: Form = Form::$form;
            type Column<'a> = Option<Choices<'a, Self>>;

            fn column<'a>(columns: &'a TermColumns, name: &str) -> Result<Self::Column<'a>> {
                Choices::of(columns, name)
            }

            fn at(column: &Self::Column<'_>, row: usize) -> Option<Self> {
                column.as_ref()?.at(row)
            }

            fn write(&self, column: &mut Writer) {
                let word: fn(&Self) -> String = $word;
                column.text(&word(self));
            }
        }
    )*};
}
choices!(
    Kind: Text word;
    Right: Text word;
    Exercise: Text word;
    Settlement: Text word;
    Premium: Text word;
    Settles: Text word;
    Deliverable: Words Deliverable::to_string;
);

/// A choice as documents write it.
fn word<T: Serialize>(choice: &T) -> String {
    match serde_json::to_value(choice) {
        Ok(Value::String(word)) => word,
        other => unreachable!("choices are words, not {other:?}"),
    }
}

impl<T: TermValue> TermValue for Option<T> {
    const FORM: Form = T::FORM;
    type Column<'a> = T::Column<'a>;

    fn column<'a>(columns: &'a TermColumns, name: &str) -> Result<Self::Column<'a>> {
        T::column(columns, name)
    }

    fn at(column: &Self::Column<'_>, row: usize) -> Option<Self> {
        T::at(column, row).map(Some)
    }

    fn write(&self, column: &mut Writer) {
        match self {
            Some(value) => value.write(column),
            None => column.leave_out(),
        }
    }
}

macro_rules! columns {
    ($($(#[$attribute:meta])* $name:ident: $type:ty,)*) => {
        /// Every term and its form, in the order documents have them.
        pub const FORMS: &[(&str, Form)] = &[$((stringify!($name), <$type as TermValue>::FORM),)*];

        /// Every term's column, read.
        struct Read<'a> {
            $($name: <$type as TermValue>::Column<'a>,)*
        }

        impl<'a> Read<'a> {
            fn new(columns: &'a TermColumns) -> Result<Self> {
                Ok(Self {
                    $($name: <$type>::column(columns, stringify!($name))?,)*
                })
            }

            /// The columns of a table: from them comes the same table, to its digest.
            fn of(contracts: &Contracts) -> TermColumns {
                let mut columns = TermColumns::default();
                $(
                    let mut column = Writer::default();
                    for contract in contracts.rows() {
                        contract.terms().$name.write(&mut column);
                    }
                    column.done(stringify!($name), <$type>::FORM, &mut columns);
                )*
                columns
            }

            /// Sets the terms that a row states.
            fn set(&self, row: usize, terms: &mut Terms) {
                $(if let Some(value) = <$type>::at(&self.$name, row) {
                    terms.$name = value;
                })*
            }
        }
    };
}
each_term!(columns);

/// Whether a term is true or false.
pub fn is_flag(name: &str) -> bool {
    FORMS.contains(&(name, Form::Flag))
}

/// Whether documents may write a term as an object that columns have in words.
pub fn is_words(name: &str) -> bool {
    FORMS.contains(&(name, Form::Words))
}

impl Read<'_> {
    fn terms(&self, row: usize) -> Result<Terms> {
        let missing = |name: &str| {
            MarginError::MissingData(format!("contracts row {row}: {name} is missing").into())
                .code(Code::NotStated)
        };
        let kind = Kind::at(&self.kind, row).ok_or_else(|| missing("kind"))?;
        let mut terms = Terms::new(kind, String::new(), String::new());
        self.set(row, &mut terms);
        for (name, text) in [
            ("underlying", &terms.underlying),
            ("currency", &terms.currency),
        ] {
            if text.is_empty() {
                return Err(missing(name));
            }
        }
        // Strikes of rows that are no options are padding, and what would multiply them.
        if kind != Kind::Option {
            terms.strike = None;
            terms.strike_multiplier = None;
            terms.premium_multiplier = None;
        }
        Ok(terms)
    }
}

impl TermColumns {
    /// The columns of a table: [`Self::contracts`] makes the same table of them, to its digest.
    pub fn of(contracts: &Contracts) -> Self {
        Read::of(contracts)
    }

    /// The table, or the first row that is not a contract.
    pub fn contracts(&self) -> Result<Arc<Contracts>> {
        let count = self.count()?;
        let read = Read::new(self)?;
        let mut expiries = Expiries::default();
        let mut rows = Vec::with_capacity(count);
        for row in 0..count {
            if row.is_multiple_of(256) {
                interrupt::check()?;
            }
            let terms = read.terms(row)?;
            let expiry = expiries.of(self, &terms, row);
            rows.push(Arc::new(
                Contract::with_expiry(terms, expiry)
                    .map_err(|e| e.at(format!("contracts row {row}")))?,
            ));
        }
        Contracts::new(rows)
    }

    fn count(&self) -> Result<usize> {
        for (what, form, names) in [
            ("text", &[Form::Text, Form::Words][..], names(&self.text)),
            ("number", &[Form::Number], names(&self.numbers)),
            ("true-or-false", &[Form::Flag], names(&self.flags)),
            ("named", &[Form::Named], names(&self.named)),
        ] {
            let known = || FORMS.iter().filter(|f| form.contains(&f.1)).map(|f| f.0);
            if let Some(unknown) = names.iter().find(|n| !known().any(|k| k == **n)) {
                fail!(
                    InvalidInput: UnknownName, place "contracts", value *unknown;
                    "contracts: unknown {what} column '{unknown}': known are {}{}",
                    known().collect::<Vec<_>>().join(", "),
                    hint(unknown, known())
                );
            }
        }
        let named = self.named.iter().flat_map(|(name, inner)| {
            let column = move |(key, c)| (format!("{name}.{key}"), c);
            inner.iter().map(column)
        });
        let text: Vec<(String, &TextColumn)> = self
            .text
            .iter()
            .map(|(name, c)| (name.clone(), c))
            .chain(named)
            .collect();
        let lengths = || {
            let text = text.iter().map(|(name, c)| (name, c.codes.len()));
            text.chain(self.numbers.iter().map(|(name, c)| (name, c.len())))
                .chain(self.flags.iter().map(|(name, c)| (name, c.len())))
        };
        let count = lengths().map(|l| l.1).max().unwrap_or(0);
        if let Some((name, length)) = lengths().find(|&(_, l)| l != 1 && l != count) {
            fail!(
                InvalidInput: WrongShape;
                "contracts: column '{name}' has {length} rows where others have {count}"
            );
        }
        for (name, column) in &text {
            if let Some(row) = column
                .codes
                .iter()
                .position(|&c| c as usize >= column.values.len())
            {
                fail!(
                    InvalidInput,
                    "contracts row {row}: column '{name}' refers to a value that is not there"
                );
            }
        }
        Ok(count)
    }
}

/// The expiries of a table, which are few: each is found once.
#[derive(Default)]
struct Expiries {
    known: HashMap<[u32; 3], Option<Expiry>, RandomState>,
}

impl Expiries {
    /// The expiry of a row; `None` where it has none, or one that is refused where the contract is made.
    fn of(&mut self, columns: &TermColumns, terms: &Terms, row: usize) -> Option<Expiry> {
        let code = |name: &str| columns.text.get(name).map_or(0, |c| *entry(&c.codes, row));
        let text = terms.expiry.as_ref()?;
        let key = ["expiry", "settles", "exchange"].map(code);
        let own = || Expiry::parse(text, terms.settles, terms.exchange.as_deref()).ok();
        self.known.entry(key).or_insert_with(own).clone()
    }
}

fn names<T>(columns: &BTreeMap<String, T>) -> Vec<&str> {
    columns.keys().map(String::as_str).collect()
}

#[cfg(test)]
mod tests;
