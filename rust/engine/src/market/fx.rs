//! Exchange rates: the one reader of pairs, which everybody asks.
//!
//! A pair is written `EUR/USD` or, in three letters each, `EURUSD`: units of the second currency for one of the first. It
//! holds both ways.

use std::collections::BTreeMap;

use crate::bounds;
use kernel::error::Result;
use kernel::fail;

/// Exchange rates as they were stated, pairs in the order of their text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rates(Vec<Stated>);

#[derive(Debug, Clone, PartialEq)]
struct Stated {
    from: String,
    to: String,
    rate: f64,
}

impl Rates {
    /// Rates by pair. A pair under both spellings has one rate.
    pub fn new(written: &BTreeMap<String, f64>) -> Result<Self> {
        let mut stated: Vec<Stated> = Vec::with_capacity(written.len());
        for (text, &rate) in written {
            bounds::positive(format_args!("fx '{text}'"), rate)?;
            let Some((from, to)) = pair(text) else {
                fail!(
                    InvalidInput: BadText;
                    "fx '{text}' is not a pair: write it like EURUSD or BTC/USD"
                );
            };
            if let Some(first) = stated.iter().find(|s| s.from == from && s.to == to)
                && first.rate != rate
            {
                fail!(
                InvalidInput: Duplicate, place format_args!("fx '{text}'"), value rate;
                "fx '{text}' is {rate}, and '{from}/{to}' {}: one pair has one rate",
                                    first.rate
                                );
            }
            stated.push(Stated {
                from: from.into(),
                to: to.into(),
                rate,
            });
        }
        Ok(Self(stated))
    }

    /// Units of `to` for one of `from`; `None` where no pair of the two is stated.
    pub fn rate(&self, from: &str, to: &str) -> Option<f64> {
        rate(self.0.iter().map(|s| (&*s.from, &*s.to, s.rate)), from, to)
    }

    /// The names in the pairs, some of them more than once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|s| [&*s.from, &*s.to])
    }
}

/// Units of `to` for one of `from` by rates stated as `(from, to, rate)`: one for itself, the rate of the pair, or the
/// inverse of the rate of the opposite pair.
pub fn rate<'a>(
    stated: impl Iterator<Item = (&'a str, &'a str, f64)> + Clone,
    from: &str,
    to: &str,
) -> Option<f64> {
    if from == to {
        return Some(1.0);
    }
    let find = |from: &str, to: &str| {
        let mut stated = stated.clone();
        stated.find(|s| s.0 == from && s.1 == to).map(|s| s.2)
    };
    find(from, to).or_else(|| find(to, from).map(|rate| 1.0 / rate))
}

/// States rates anew: what was said of a pair before, in either spelling and direction, is forgotten.
pub fn restate(written: &mut BTreeMap<String, f64>, change: &BTreeMap<String, f64>) {
    for text in change.keys() {
        if let Some((from, to)) = pair(text) {
            written.retain(|own, _| {
                pair(own).is_none_or(|own| own != (from, to) && own != (to, from))
            });
        }
    }
    written.extend(change.iter().map(|(text, &rate)| (text.clone(), rate)));
}

/// The two names of a pair.
fn pair(text: &str) -> Option<(&str, &str)> {
    match text.split_once('/') {
        Some((a, b)) if !a.is_empty() && !b.is_empty() => Some((a, b)),
        None if text.len() == 6 && text.is_ascii() => Some(text.split_at(3)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
        pairs.iter().map(|&(p, r)| (p.to_string(), r)).collect()
    }

    #[test]
    fn a_pair_is_read_in_both_spellings_and_directions() {
        for (text, value) in [
            ("EURUSD", 1.25),
            ("EUR/USD", 1.25),
            ("USDEUR", 0.8),
            ("USD/EUR", 0.8),
        ] {
            let rates = Rates::new(&written(&[(text, value)])).unwrap();
            assert_eq!(rates.rate("EUR", "USD"), Some(1.25), "{text}");
            assert_eq!(rates.rate("USD", "EUR"), Some(0.8), "{text}");
            assert_eq!(rates.rate("USD", "USD"), Some(1.0));
            assert_eq!(rates.rate("USD", "JPY"), None);
        }
        let both = Rates::new(&written(&[("EURUSD", 1.25), ("USDEUR", 0.75)])).unwrap();
        assert_eq!(both.rate("USD", "EUR"), Some(0.75));
        assert_eq!(both.rate("EUR", "USD"), Some(1.25));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for (pairs, word) in [
            (written(&[("EURUSD", 0.0)]), "positive"),
            (written(&[("EURUSD", f64::NAN)]), "finite"),
            (written(&[("EURUS", 1.0)]), "not a pair"),
            (written(&[("/USD", 1.0)]), "not a pair"),
            (
                written(&[("EUR/USD", 1.1), ("EURUSD", 1.2)]),
                "one pair has one rate",
            ),
        ] {
            let error = Rates::new(&pairs).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
        assert!(Rates::new(&written(&[("EUR/USD", 1.1), ("EURUSD", 1.1)])).is_ok());
    }

    #[test]
    fn a_restated_pair_forgets_its_other_spellings() {
        let mut own = written(&[("EUR/USD", 1.1), ("USDEUR", 0.9), ("BTC/USD", 7e4)]);
        restate(&mut own, &written(&[("EURUSD", 1.2)]));
        assert_eq!(own, written(&[("EURUSD", 1.2), ("BTC/USD", 7e4)]));
    }
}
