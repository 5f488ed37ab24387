//! What tables of positions have for columns, and what accounts of columns are besides their positions.

use std::collections::{BTreeMap, HashSet};

use margincore::account as core;
use margincore::arrow::{AccountLabels, Columns};
use margincore::contract::{Contracts, check_name};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBool, PyDict, PyInt, PyString, PyTuple};

use crate::arguments::{items, wrong_type};
use crate::columns::{numbers, whole_numbers};
use crate::errors::{invalid, raise};
use crate::values::from_python;

/// Columns of a table of positions, as arguments name them.
pub(crate) struct Named<'a, 'py> {
    pub(crate) account: Option<&'a str>,
    pub(crate) contract: Option<&'a str>,
    pub(crate) quantity: Option<&'a str>,
    pub(crate) lots: Option<&'a str>,
    pub(crate) long: Option<&'a str>,
    pub(crate) short: Option<&'a str>,
    pub(crate) cash: Option<&'a Bound<'py, PyAny>>,
    pub(crate) collateral: Option<&'a Bound<'py, PyAny>>,
    pub(crate) kind: Option<&'a str>,
    pub(crate) ignore: Option<&'a Bound<'py, PyAny>>,
}

impl Named<'_, '_> {
    pub(crate) fn read(&self, what: &str) -> PyResult<Columns> {
        let own = |name: Option<&str>| name.map(str::to_string);
        Ok(Columns {
            account: own(self.account),
            contract: own(self.contract),
            quantity: own(self.quantity),
            lots: own(self.lots),
            long: own(self.long),
            short: own(self.short),
            cash: given(&format!("{what}: cash"), self.cash)?,
            collateral: given(&format!("{what}: collateral"), self.collateral)?,
            kind: own(self.kind),
            ignore: given(&format!("{what}: ignore"), self.ignore)?,
        })
    }
}

/// An argument that may be left out.
pub(crate) fn given<T: Default + serde::de::DeserializeOwned>(
    what: &str,
    value: Option<&Bound<'_, PyAny>>,
) -> PyResult<T> {
    value.map_or_else(|| Ok(T::default()), |value| from_python(what, value))
}

/// How much each row holds.
pub(crate) enum Held {
    Net(Vec<i64>),
    Gross(Vec<[i64; 2]>),
}

/// The columns of how much each row holds, as arguments name them.
pub(crate) struct Amounts<'a, 'py> {
    pub(crate) quantity: Option<&'a Bound<'py, PyAny>>,
    pub(crate) lots: Option<&'a Bound<'py, PyAny>>,
    pub(crate) long: Option<&'a Bound<'py, PyAny>>,
    pub(crate) short: Option<&'a Bound<'py, PyAny>>,
    pub(crate) gross: bool,
}

impl Amounts<'_, '_> {
    /// The lots of each row, whose contracts are rows of a table.
    pub(crate) fn read(&self, contracts: &Contracts, rows: &[u32]) -> PyResult<Held> {
        match (self.quantity, self.lots, self.long, self.short) {
            (Some(quantity), None, None, None) if !self.gross => {
                let quantity = numbers("accounts: quantity", "numbers are", quantity)?;
                if quantity.len() != rows.len() {
                    return Err(invalid(format!(
                        "accounts: columns of different lengths: contract {}, quantity {}",
                        rows.len(),
                        quantity.len()
                    )));
                }
                let lots = rows
                    .iter()
                    .zip(quantity)
                    .enumerate()
                    .map(|(row, (&at, quantity))| {
                        // A row that is not there is refused with the others.
                        let Some(contract) = contracts.get(at) else {
                            return Ok(0);
                        };
                        core::lots(
                            contract,
                            format_args!("accounts row {row}: quantity"),
                            quantity,
                        )
                    });
                Ok(Held::Net(
                    lots.collect::<margincore::Result<_>>().map_err(raise)?,
                ))
            }
            (None, Some(lots), None, None) if !self.gross => {
                Ok(Held::Net(whole_numbers("accounts: lots", lots)?))
            }
            (None, None, Some(long), Some(short)) => {
                let long: Vec<i64> = side("long", long)?;
                let short: Vec<i64> = side("short", short)?;
                if long.len() != short.len() {
                    return Err(invalid(format!(
                        "accounts: columns of different lengths: long {}, short {}",
                        long.len(),
                        short.len()
                    )));
                }
                let sides = long.into_iter().zip(short);
                Ok(if self.gross {
                    Held::Gross(sides.map(|(l, s)| [l, s]).collect())
                } else {
                    Held::Net(sides.map(|(l, s)| l - s).collect())
                })
            }
            _ => Err(invalid(
                "accounts: give quantity, or lots, or long and short; gross accounts have long and short",
            )),
        }
    }
}

/// The lots of one side, none below zero.
fn side(name: &str, lots: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
    let lots: Vec<i64> = whole_numbers(&format!("accounts: {name}"), lots)?;
    match lots
        .iter()
        .position(|lots| !(0..=core::MAX_LOTS).contains(lots))
    {
        None => Ok(lots),
        Some(row) => Err(invalid(format!(
            "accounts: {name} row {row} is {} lots: 0 to 2^53 are accepted",
            lots[row]
        ))),
    }
}

/// What accounts are besides their positions: one set of terms for all of them, or one each.
pub(crate) fn terms_of(
    count: usize,
    kind: Option<&Bound<'_, PyAny>>,
    cash: Option<&Bound<'_, PyAny>>,
    collateral: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<core::AccountTerms>> {
    let mut terms = vec![core::AccountTerms::default()];
    let each = |terms: &mut Vec<core::AccountTerms>| {
        if terms.len() == 1 {
            let one = terms[0].clone();
            terms.resize(count, one);
        }
    };
    match kind {
        None => {}
        Some(kind) if kind.is_instance_of::<PyString>() => terms[0].kind = Some(kind.extract()?),
        Some(kinds) => {
            let kinds: Vec<Option<String>> = from_python("accounts: kind", kinds)?;
            if kinds.len() != count {
                return Err(of_other_length("kind", kinds.len(), count));
            }
            each(&mut terms);
            for (terms, kind) in terms.iter_mut().zip(kinds) {
                terms.kind = kind;
            }
        }
    }
    for (what, amounts) in [("cash", cash), ("collateral", collateral)] {
        let Some(amounts) = amounts else { continue };
        let amounts = amounts.cast::<PyDict>().map_err(|_| {
            invalid(format!(
                "accounts: {what}: columns by name are needed, such as {{\"USD\": array}}"
            ))
        })?;
        for (name, column) in amounts {
            let name: String = name.extract()?;
            let column = numbers(
                &format!("accounts: {what} of {name}"),
                "numbers are",
                &column,
            )?;
            if column.len() != count {
                return Err(of_other_length(
                    &format!("{what} of {name}"),
                    column.len(),
                    count,
                ));
            }
            each(&mut terms);
            for (terms, &amount) in terms.iter_mut().zip(column.iter()) {
                if !amount.is_nan() {
                    let own = if what == "cash" {
                        &mut terms.cash
                    } else {
                        &mut terms.collateral
                    };
                    own.insert(name.clone(), amount);
                }
            }
        }
    }
    Ok(terms)
}

fn of_other_length(what: &str, found: usize, count: usize) -> PyErr {
    invalid(format!(
        "accounts: {what}: {found} entries for {count} accounts"
    ))
}

/// The terms as the arguments that [`terms_of`] reads.
pub(crate) fn set_terms(state: &Bound<'_, PyDict>, terms: &[core::AccountTerms]) -> PyResult<()> {
    let py = state.py();
    if let [one] = terms
        && one.cash.is_empty()
        && one.collateral.is_empty()
    {
        return match &one.kind {
            Some(kind) => state.set_item("kind", kind),
            None => Ok(()),
        };
    }
    let kinds: Vec<Option<&str>> = terms.iter().map(|t| t.kind.as_deref()).collect();
    state.set_item("kind", kinds)?;
    type Amounts = fn(&core::AccountTerms) -> &BTreeMap<String, f64>;
    let parts: [(&str, Amounts); 2] = [("cash", |t| &t.cash), ("collateral", |t| &t.collateral)];
    for (what, own) in parts {
        let mut columns: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (account, one) in terms.iter().enumerate() {
            for (name, &amount) in own(one) {
                let column = columns.entry(name);
                column.or_insert_with(|| vec![f64::NAN; terms.len()])[account] = amount;
            }
        }
        let columns = columns
            .into_iter()
            .map(|(name, column)| (name, column.into_pyarray(py)));
        state.set_item(what, columns.into_py_dict(py)?)?;
    }
    Ok(())
}

/// Labels as they are given: text that is what it looks like, or whole numbers; no two alike.
pub(crate) fn given_labels<'py>(
    labels: &Bound<'py, PyAny>,
    count: usize,
) -> PyResult<Bound<'py, PyTuple>> {
    let py = labels.py();
    let labels: Vec<_> = items(
        "accounts: labels",
        "one text or whole number per account",
        labels,
    )?
    .collect::<PyResult<_>>()?;
    if labels.len() != count {
        return Err(of_other_length("labels", labels.len(), count));
    }
    let mut seen = HashSet::new();
    for (account, label) in labels.iter().enumerate() {
        let place = format!("accounts: label of account {account}");
        let key = if let Ok(text) = label.cast::<PyString>() {
            check_name(&place, text.to_str()?).map_err(raise)?;
            (text.to_string(), true)
        } else if label.is_instance_of::<PyInt>() && !label.is_instance_of::<PyBool>() {
            (label.to_string(), false)
        } else {
            return Err(crate::arguments::named(
                wrong_type("text or a whole number", label),
                &place,
            ));
        };
        if !seen.insert(key) {
            return Err(invalid(format!(
                "{place}: {label} is that of another account too"
            )));
        }
    }
    PyTuple::new(py, labels)
}

/// Labels as Python has them.
pub(crate) fn tuple<'py>(py: Python<'py>, labels: AccountLabels) -> PyResult<Bound<'py, PyTuple>> {
    match labels {
        AccountLabels::Whole(labels) => PyTuple::new(py, labels),
        AccountLabels::Text(labels) => PyTuple::new(py, labels),
    }
}
