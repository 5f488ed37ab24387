//! Names, and what a wrong one was meant to be.

use kernel::error::Result;
use kernel::fail;

/// Refuses a name that is none of `known`, with the nearest of those: `place` and `part` say where it stands, `what` is
/// what it should name.
pub fn refuse_unknown<'a, N: Iterator<Item = &'a str>>(
    place: &str,
    part: &str,
    what: &str,
    name: &str,
    known: impl Fn() -> N,
) -> Result<()> {
    if known().any(|known| known == name) {
        return Ok(());
    }
    match nearest(name, known()) {
        Some(meant) => fail!(
            InvalidInput,
            "{place}: {part}: no {what} is called '{name}'; the nearest is '{meant}'"
        ),
        None => fail!(
            InvalidInput,
            "{place}: {part}: no {what} is called '{name}'"
        ),
    }
}

/// The known name that takes the fewest letters added, left out or changed; the first of several.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.min_by_key(|known| changes(name, known))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_said() {
        let known = || ["SPX", "NDX"].into_iter();
        assert!(refuse_unknown("update", "spot", "symbol", "SPX", known).is_ok());
        let error = refuse_unknown("update", "spot", "symbol", "SXP", known).unwrap_err();
        assert_eq!(
            error.message(),
            "update: spot: no symbol is called 'SXP'; the nearest is 'SPX'"
        );
        let none = || std::iter::empty();
        assert!(refuse_unknown("update", "spot", "symbol", "SXP", none).is_err());
    }
}
