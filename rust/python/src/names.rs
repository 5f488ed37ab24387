//! Names of arguments, and what a wrong one was meant to be.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::InvalidInput;

/// Refuses arguments whose names are none of `known`, with the nearest of those. A function takes them as `**unknown`,
/// beside all that it knows by name, and leaves that out of the signature it shows: it takes no such argument.
pub(crate) fn refuse_unknown(
    what: &str,
    known: &[&str],
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    match unknown.and_then(|unknown| unknown.iter().next()) {
        None => Ok(()),
        Some((name, _)) => {
            let name: String = name.extract()?;
            let meant = nearest(&name, known);
            Err(InvalidInput::new_err(format!(
                "{what}: no argument is called '{name}'; the nearest is '{meant}'"
            )))
        }
    }
}

/// The known name that takes the fewest letters added, left out or changed; the first of several.
fn nearest<'a>(name: &str, known: &[&'a str]) -> &'a str {
    known
        .iter()
        .copied()
        .min_by_key(|known| changes(name, known))
        .expect("a function with named arguments knows one")
}

/// Letters added, left out or changed between two names.
fn changes(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}
