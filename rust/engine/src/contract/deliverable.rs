//! What an option delivers when it is exercised: cash, its own units, or after a corporate action a basket of shares and
//! cash. Since September 2007 adjustments mostly leave strike and premium multiplied by 100 and change the basket alone
//! (OCC by-laws; Options Disclosure Document).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::identifier::check_identifier;
use crate::bounds;
use kernel::error::Result;
use kernel::fail;

/// Shares of a standard contract, and what adjustments leave strike and premium multiplied by.
const UNIT_OF_TRADING: f64 = 100.0;

/// The term as it is written: `cash`, `shares` (of the underlying, as many as the multiplier says), or a basket.
#[derive(Debug, Clone, PartialEq)]
pub enum Deliverable {
    Cash,
    Shares,
    Basket(Basket),
}

/// Shares by symbol, and cash in the contract's currency, for one contract.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basket {
    #[serde(default)]
    pub shares: BTreeMap<String, f64>,
    #[serde(default)]
    pub cash: f64,
}

impl Basket {
    fn of_one(symbol: &str, shares: f64) -> Self {
        Self {
            shares: BTreeMap::from([(symbol.to_string(), shares)]),
            cash: 0.0,
        }
    }

    fn check(&self) -> Result<()> {
        for (symbol, &shares) in &self.shares {
            check_identifier("symbol of a deliverable", symbol)?;
            bounds::positive(format_args!("deliverable: shares of '{symbol}'"), shares)?;
        }
        bounds::not_negative("deliverable: cash", self.cash)?;
        if self.shares.is_empty() && self.cash == 0.0 {
            fail!(InvalidInput: NotStated, place "deliverable"; "deliverable is neither shares nor cash: say what exercise delivers");
        }
        Ok(())
    }

    /// The symbol and shares, where one security is all there is beside cash.
    pub fn one_security(&self) -> Option<(&str, f64)> {
        match self.shares.len() {
            1 => self.shares.iter().next().map(|(s, &n)| (s.as_str(), n)),
            _ => None,
        }
    }
}

impl fmt::Display for Basket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (symbol, shares)) in self.shares.iter().enumerate() {
            let before = if i > 0 { " and " } else { "" };
            let noun = if *shares == 1.0 { "share" } else { "shares" };
            write!(f, "{before}{shares} {noun} of {symbol}")?;
        }
        if self.cash != 0.0 || self.shares.is_empty() {
            let before = if self.shares.is_empty() { "" } else { " and " };
            write!(f, "{before}{} in cash", self.cash)?;
        }
        Ok(())
    }
}

impl fmt::Display for Deliverable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cash => f.write_str("cash"),
            Self::Shares => f.write_str("shares"),
            Self::Basket(basket) => basket.fmt(f),
        }
    }
}

impl Deliverable {
    /// From words: `cash`, `shares`, or such as `28 shares of AAPL and $10 in cash`. Anything else is refused.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "cash" => return Ok(Self::Cash),
            "shares" => return Ok(Self::Shares),
            _ => {}
        }
        let mut basket = Basket::default();
        let mut has_cash = false;
        for part in text
            .split(" and ")
            .flat_map(|part| part.trim_end_matches(',').split(", "))
        {
            if let Some((symbol, shares)) = shares_of(part) {
                if basket.shares.insert(symbol.to_string(), shares).is_some() {
                    fail!(InvalidInput: Duplicate, place "deliverable", value symbol; "deliverable '{text}' names '{symbol}' twice");
                }
            } else if let Some(cash) = cash_of(part).filter(|_| !has_cash) {
                (basket.cash, has_cash) = (cash, true);
            } else {
                fail!(InvalidInput: BadText, place "deliverable", value text;
                    "deliverable '{text}' is not understood: 'cash', 'shares' (of the underlying), words such as '28 shares of AAPL and $10 in cash', or {{\"shares\": {{symbol: number}}, \"cash\": amount}}");
            }
        }
        Ok(Self::Basket(basket))
    }
}

/// `150 shares of MNO`.
fn shares_of(part: &str) -> Option<(&str, f64)> {
    let (count, rest) = part.split_once(' ')?;
    let symbol = rest
        .strip_prefix("shares of ")
        .or_else(|| rest.strip_prefix("share of "))?;
    let plain = !symbol.is_empty() && !symbol.contains(' ');
    plain.then_some((symbol, number(count)?))
}

/// `$10 in cash`, `10 in cash`, `$10 cash`.
fn cash_of(part: &str) -> Option<f64> {
    let (amount, rest) = part.split_once(' ')?;
    let amount = amount.strip_prefix('$').unwrap_or(amount);
    matches!(rest, "in cash" | "cash").then(|| number(amount))?
}

/// A decimal number: digits, with a point among them at most.
fn number(text: &str) -> Option<f64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (digits && text.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// The terms of an option that say what it delivers and what its strike and premium are multiplied by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivers<'a> {
    pub(crate) underlying: &'a str,
    pub(crate) multiplier: f64,
    pub(crate) strike_multiplier: Option<f64>,
    pub(crate) premium_multiplier: Option<f64>,
    pub(crate) deliverable: Option<&'a Deliverable>,
}

impl Delivers<'_> {
    /// What is delivered where that, or a multiplier, is not the standard; `None` for a standard option.
    pub(crate) fn adjusted(&self) -> Result<Option<Basket>> {
        for (what, given) in [
            ("strike_multiplier", self.strike_multiplier),
            ("premium_multiplier", self.premium_multiplier),
        ] {
            if let Some(value) = given {
                bounds::positive(what, value)?;
            }
        }
        let standard = Basket::of_one(self.underlying, self.multiplier);
        let basket = match self.deliverable {
            Some(Deliverable::Basket(basket)) => {
                basket.check()?;
                basket.clone()
            }
            Some(Deliverable::Cash | Deliverable::Shares) | None => standard.clone(),
        };
        let own = |given: Option<f64>| given.is_none_or(|given| given == self.multiplier);
        if basket == standard && own(self.strike_multiplier) && own(self.premium_multiplier) {
            return Ok(None);
        }
        if !basket.shares.is_empty() && !basket.shares.contains_key(self.underlying) {
            fail!(InvalidInput: Contradiction, place "deliverable";
                "the option is on '{}' and delivers {basket}: name a security that is delivered as its underlying", self.underlying);
        }
        // A count of shares where the multiplier of strike and premium is meant says nothing about either.
        let counts_shares = basket.shares.values().any(|&n| n == self.multiplier);
        if counts_shares
            && self.multiplier != UNIT_OF_TRADING
            && (self.strike_multiplier.is_none() || self.premium_multiplier.is_none())
        {
            fail!(InvalidInput: NotStated, place "strike_multiplier";
                "the multiplier {} is the number of shares in '{basket}', not what strike and premium are multiplied by: state strike_multiplier and premium_multiplier (100 each where an adjustment changed the deliverable alone)",
                self.multiplier);
        }
        Ok(Some(basket))
    }
}

impl Serialize for Deliverable {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Basket(basket) => basket.serialize(serializer),
            word => serializer.collect_str(word),
        }
    }
}

impl<'de> Deserialize<'de> for Deliverable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = Deliverable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or an object of shares and cash")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Self::Value, E> {
                Deliverable::parse(text).map_err(|e| E::custom(e.message()))
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                map: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                Basket::deserialize(MapAccessDeserializer::new(map)).map(Deliverable::Basket)
            }
        }

        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_where_they_are_clear_and_refused_otherwise() {
        let basket = |shares: &[(&str, f64)], cash: f64| {
            let shares = shares.iter().map(|&(s, n)| (s.to_string(), n)).collect();
            Deliverable::Basket(Basket { shares, cash })
        };
        for (text, read) in [
            ("cash", Deliverable::Cash),
            ("shares", Deliverable::Shares),
            ("150 shares of MNO", basket(&[("MNO", 150.0)], 0.0)),
            ("1 share of BRK.B", basket(&[("BRK.B", 1.0)], 0.0)),
            (
                "28 shares of AAPL and $10 in cash",
                basket(&[("AAPL", 28.0)], 10.0),
            ),
            (
                "100 shares of XYZ, 12.5 shares of ABC, and 4.25 in cash",
                basket(&[("ABC", 12.5), ("XYZ", 100.0)], 4.25),
            ),
            ("$52.00 cash", basket(&[], 52.0)),
        ] {
            let found = Deliverable::parse(text).unwrap();
            assert_eq!(found, read, "{text}");
            // As it is written again, it is read again.
            assert_eq!(Deliverable::parse(&found.to_string()).unwrap(), read);
            let document = serde_json::to_value(&found).unwrap();
            assert_eq!(
                serde_json::from_value::<Deliverable>(document).unwrap(),
                read
            );
        }
        for text in [
            "",
            "Cash",
            "150",
            "150 MNO",
            "150 shares",
            "150 shares of",
            "150 shares of ",
            "-5 shares of MNO",
            "1e3 shares of MNO",
            "1,000 shares of MNO",
            ".5 shares of MNO",
            "1.2.3 shares of MNO",
            "inf shares of MNO",
            "150 shares of MNO or cash",
            "150 shares of MNO and",
            "150 shares of MNO and 100 shares of MNO",
            "$10 in cash and $5 in cash",
            "28 shares of AAPL, less $10 in cash",
            "gold",
        ] {
            let error = Deliverable::parse(text).unwrap_err();
            assert!(error.message().contains(text), "{error}");
        }
    }

    #[test]
    fn only_what_differs_from_the_standard_is_adjusted() {
        let read = |text: &str| Deliverable::parse(text).unwrap();
        let of = |deliverable: Option<&str>, multiplier, strike, premium| {
            let deliverable = deliverable.map(read);
            let delivers = Delivers {
                underlying: "XYZ",
                multiplier,
                strike_multiplier: strike,
                premium_multiplier: premium,
                deliverable: deliverable.as_ref(),
            };
            delivers.adjusted()
        };
        for (text, multiplier) in [
            (None, 100.0),
            (Some("cash"), 100.0),
            (Some("shares"), 10.0),
            (Some("100 shares of XYZ"), 100.0),
            (Some("150 shares of XYZ"), 150.0),
        ] {
            assert_eq!(of(text, multiplier, None, None).unwrap(), None, "{text:?}");
            let stated = of(text, multiplier, Some(multiplier), Some(multiplier));
            assert_eq!(stated.unwrap(), None, "{text:?}");
        }
        for (text, multiplier, strike, shares) in [
            (Some("150 shares of XYZ"), 100.0, None, 150.0),
            (Some("shares"), 150.0, Some(100.0), 150.0),
            (None, 150.0, Some(100.0), 150.0),
            (Some("100 shares of XYZ and 5 in cash"), 100.0, None, 100.0),
        ] {
            let premium = strike;
            let found = of(text, multiplier, strike, premium).unwrap();
            assert_eq!(found.unwrap().shares["XYZ"], shares, "{text:?}");
        }
        for (text, multiplier, word) in [
            ("28 shares of XYZ and 10 in cash", 28.0, "strike_multiplier"),
            ("100 shares of ABC", 100.0, "name a security"),
            ("0 shares of XYZ", 100.0, "must be positive"),
            ("0 in cash", 100.0, "neither shares nor cash"),
        ] {
            let error = of(Some(text), multiplier, None, None).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
        assert!(of(None, 100.0, Some(0.0), None).is_err());
        assert!(of(None, 100.0, None, Some(f64::NAN)).is_err());
    }
}
