//! A house's rules as data: percentages, money per share and per option contract, tiers of concentration.
//!
//! Every rule asks an amount of each position it names; a house asks the largest that any of its rules does.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bounds;
use crate::contract::check_identifier;
use crate::names::refuse_unknown;
use kernel::error::{MarginError, Result};
use kernel::fail;

/// The largest percentage of what is short: 300 %, the most that a stock's range has as a rule.
const MAX_SHORT: f64 = 3.0;

/// The words that name a kind of security, as the table of securities has it.
pub(super) const KINDS: &[&str] = &["stock", "etf", "etn", "index", "future"];

/// The words that say what prices follow.
pub(super) const FOLLOWED: &[&str] = &[
    "equity",
    "narrow",
    "broad",
    "commodity",
    "currency",
    "rate",
    "volatility",
];

/// Which securities a rule is about: all that are named here at once. Nothing said is all of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Named {
    /// Symbols that are named.
    pub symbols: Vec<String>,
    /// Words of [`KINDS`] and [`FOLLOWED`].
    pub classes: Vec<String>,
    /// Size of the leverage of a fund or note.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::schema::units::Times>")
    )]
    pub leverage: Option<f64>,
}

/// A percentage of market value, as a fraction, and money per share: the larger of the two is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Share of market value asked as maintenance: 0.3 is 30 %.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::units::Share"))]
    pub maintenance: f64,
    /// Where it is left out, or less: the maintenance.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::units::Share"))]
    pub initial: f64,
    /// Money per share asked at least.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::units::PerUnit"))]
    pub per_share: f64,
}

/// Percentages of stock and funds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Percentage {
    /// The word in lines and details.
    pub name: String,
    #[serde(default)]
    pub of: Named,
    /// For prices from this one on.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::schema::units::PerUnit>")
    )]
    pub priced_from: Option<f64>,
    /// For prices below this one.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::schema::units::PerUnit>")
    )]
    pub priced_below: Option<f64>,
    #[serde(default)]
    pub long: Option<Rate>,
    #[serde(default)]
    pub short: Option<Rate>,
}

/// Money per option contract, at least.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PerContract {
    /// The word in lines and details.
    pub name: String,
    #[serde(default)]
    pub of: Named,
    /// Money per long option contract, at least.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::units::Amount"))]
    pub long: f64,
    /// Money per short option contract, at least.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::units::Amount"))]
    pub short: f64,
}

/// What one underlying is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Whole {
    /// The market values, long and short, of the stock and funds that the rule names.
    Named,
    /// Those of all stock and funds.
    Securities,
    /// Those of all stock, funds and options.
    Gross,
    /// An amount of equity.
    Equity(#[cfg_attr(feature = "schema", schemars(with = "crate::schema::units::Unit"))] f64),
}

/// From a share on, a percentage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Share from which it applies: 0.5 is half.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::units::Fraction"))]
    pub from: f64,
    /// Share of market value asked as maintenance.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::units::Share"))]
    pub maintenance: f64,
    /// Share of market value asked as initial; where it is left out, or less: the maintenance.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::units::Share"))]
    pub initial: f64,
}

/// Higher percentages for stock and funds on one underlying where they are a large share of the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Concentration {
    /// The word in lines and details.
    pub name: String,
    #[serde(default)]
    pub of: Named,
    pub share_of: Whole,
    /// Percentages of what is long, by its share of the account.
    #[serde(default)]
    pub long: Vec<Tier>,
    /// Percentages of what is short, by its share of the account.
    #[serde(default)]
    pub short: Vec<Tier>,
}

/// The base rulebook's own rules with other parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stricter {
    /// The word in lines and details.
    pub name: String,
    /// Changes to the base rulebook's parameters; the larger requirement of the two is asked.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")
    )]
    pub parameters: Map<String, Value>,
}

/// What becomes of a rule about a symbol that neither the table of contracts nor that of securities has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    Refuse,
    Skip,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Of money per share and per contract, and of a stated equity.
    pub currency: String,
    pub unknown_symbols: Unknown,
    /// Percentages of stock and funds.
    pub percentages: Vec<Percentage>,
    /// Least money per option contract.
    pub contracts: Vec<PerContract>,
    /// Higher percentages where one underlying is a large share of the account.
    pub concentration: Vec<Concentration>,
    pub stricter: Option<Stricter>,
}

impl Rules {
    /// Which securities each rule is about, in the order of the rules.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &Named)> {
        let percentages = self.percentages.iter().map(|r| (r.name.as_str(), &r.of));
        let contracts = self.contracts.iter().map(|r| (r.name.as_str(), &r.of));
        let concentration = self.concentration.iter().map(|r| (r.name.as_str(), &r.of));
        percentages.chain(concentration).chain(contracts)
    }

    pub(super) fn check(&self) -> Result<()> {
        check_identifier("house: currency", &self.currency)?;
        let mut names: Vec<&str> = self.named().map(|(name, _)| name).collect();
        names.extend(self.stricter.iter().map(|s| s.name.as_str()));
        for (i, name) in names.iter().enumerate() {
            check_identifier("house: name of a rule", name)?;
            if names[..i].contains(name) {
                fail!(InvalidInput: Duplicate, place "house: name of a rule", value *name;
                    "house: two rules are called '{name}': lines carry their names");
            }
        }
        if names.is_empty() {
            fail!(InvalidInput: NotStated; "house: no rules: give percentages, contracts, concentration or stricter");
        }
        for (name, named) in self.named() {
            named.check().map_err(|e| said(e, name))?;
        }
        for rule in &self.percentages {
            rule.check().map_err(|e| said(e, &rule.name))?;
        }
        for rule in &self.contracts {
            if rule.long == 0.0 && rule.short == 0.0 {
                fail!(InvalidInput: NotStated, place format_args!("house: rule '{}'", rule.name);
                    "house: rule '{}': money per contract is needed, long or short", rule.name);
            }
            let check = |side, value| {
                bounds::not_negative(format_args!("{side} per contract"), value)?;
                bounds::per_lot(side, value)
            };
            check("long", rule.long)
                .and_then(|()| check("short", rule.short))
                .map_err(|e| said(e, &rule.name))?;
        }
        for rule in &self.concentration {
            rule.check().map_err(|e| said(e, &rule.name))?;
        }
        Ok(())
    }
}

/// An error with the rule it is about in front.
fn said(error: MarginError, rule: &str) -> MarginError {
    error.at(format!("house: rule '{rule}'"))
}

impl Named {
    fn check(&self) -> Result<()> {
        for symbol in &self.symbols {
            check_identifier("symbol", symbol)?;
        }
        let known = || KINDS.iter().chain(FOLLOWED).copied();
        for class in &self.classes {
            refuse_unknown("of", "classes", "class", class, known)?;
        }
        if let Some(leverage) = self.leverage {
            bounds::factor("leverage", leverage, 10.0)?;
        }
        Ok(())
    }
}

fn fraction(side: &str, what: &str, value: f64) -> Result<()> {
    let most = if side == "short" { MAX_SHORT } else { 1.0 };
    bounds::share(format_args!("{side}: {what}"), value, most)
}

impl Percentage {
    fn check(&self) -> Result<()> {
        if self.long.is_none() && self.short.is_none() {
            fail!(InvalidInput: NotStated; "neither long nor short is given: it asks for nothing");
        }
        for (side, rate) in [("long", &self.long), ("short", &self.short)] {
            if let Some(rate) = rate {
                fraction(side, "maintenance", rate.maintenance)?;
                fraction(side, "initial", rate.initial)?;
                bounds::not_negative(format_args!("{side}: per_share"), rate.per_share)?;
                bounds::per_lot(format_args!("{side}: per_share"), rate.per_share)?;
            }
        }
        for (what, price) in [
            ("priced_from", self.priced_from),
            ("priced_below", self.priced_below),
        ] {
            if let Some(price) = price {
                bounds::not_negative(what, price)?;
            }
        }
        if let (Some(from), Some(below)) = (self.priced_from, self.priced_below)
            && from >= below
        {
            fail!(InvalidInput: Contradiction; "priced_from {from} is not below priced_below {below}: no price is between them");
        }
        Ok(())
    }

    pub(super) fn covers(&self, price: f64) -> bool {
        self.priced_from.is_none_or(|from| price >= from)
            && self.priced_below.is_none_or(|below| price < below)
    }
}

impl Concentration {
    fn check(&self) -> Result<()> {
        if let Whole::Equity(amount) = self.share_of {
            bounds::positive("share_of: equity", amount)?;
        }
        if self.long.is_empty() && self.short.is_empty() {
            fail!(InvalidInput: NotStated; "neither long nor short has tiers: it asks for nothing");
        }
        for (side, tiers) in [("long", &self.long), ("short", &self.short)] {
            for tier in tiers {
                bounds::fraction(format_args!("{side}: from"), tier.from)?;
                fraction(side, "maintenance", tier.maintenance)?;
                fraction(side, "initial", tier.initial)?;
            }
            for pair in tiers.windows(2) {
                if pair[1].from <= pair[0].from
                    || pair[1].maintenance < pair[0].maintenance
                    || pair[1].initial.max(pair[1].maintenance)
                        < pair[0].initial.max(pair[0].maintenance)
                {
                    fail!(InvalidInput: Contradiction, place format_args!("{side}: from"), value pair[1].from;
                        "{side}: the tier from {} does not stand above the one from {}: shares rise, and percentages do not fall",
                        pair[1].from, pair[0].from);
                }
            }
        }
        Ok(())
    }
}
