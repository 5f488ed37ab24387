//! Names that nobody knows: refused with what they were meant to be.

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
    fail!(
        InvalidInput: UnknownName, place format_args!("{place}: {part}"), value name;
        "{place}: {part}: no {what} is called '{name}'{}",
        hint(name, known())
    )
}

/// The known name that takes the fewest letters added, left out or changed, capitals aside; the first of several. None
/// where that would change more than half of it: a hint that is a guess helps nobody.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    known
        .into_iter()
        .map(|known| (changes(&wanted, known), known))
        .min_by_key(|&(changes, _)| changes)
        .filter(|&(changes, known)| changes * 2 <= known.chars().count().max(wanted.len()))
        .map(|(_, known)| known)
}

/// A hint to put behind a message: `; did you mean 'SPX'?`, or nothing.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |known| format!("; did you mean '{known}'?"))
}

/// Letters added, left out or changed between two names.
fn changes(from: &[char], to: &str) -> usize {
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{nearest, refuse_unknown};

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        let known = ["spot", "dividend_yield", "price", "call", "SPX"];
        let near = |name| nearest(name, known);
        assert_eq!(near("spots"), Some("spot"));
        assert_eq!(near("dividend_yields"), Some("dividend_yield"));
        assert_eq!(
            near("SXP"),
            Some("SPX"),
            "two letters of three changed places"
        );
        assert_eq!(near("CALL"), Some("call"));
        assert_eq!(near("zzzzzz"), None);
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        let known = || ["SPX", "NDX"].into_iter();
        assert!(refuse_unknown("update", "spot", "symbol", "SPX", known).is_ok());
        let error = refuse_unknown("update", "spot", "symbol", "SXP", known).unwrap_err();
        assert_eq!(
            error.message(),
            "update: spot: no symbol is called 'SXP'; did you mean 'SPX'?"
        );
        assert_eq!(error.whereabouts(), Some("update: spot"));
    }
}
