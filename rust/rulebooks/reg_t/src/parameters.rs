//! The rulebook's parameters as data: percentages by class, what is said of underlyings, house switches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::question::Method;
use super::rules::{MAX_SHORT, Numbers};
use engine::bounds;
use kernel::error::Result;
use kernel::fail;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    Margin,
    Cash,
}

/// How "expires on or before" reads for two options of one date that settle at different hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExpiryOrder {
    /// By expiration date, the rule's words.
    Date,
    /// By the instant of settlement: a morning-settled long does not protect an evening-settled short.
    Instant,
}

/// Percentages of a class of underlyings, as fractions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Share of the underlying's value in the requirement of a short option, before what is out of the money is
    /// taken off.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Share"))]
    pub base: f64,
    /// Least share of the underlying's value, of a put of the strike's.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Share"))]
    pub minimum: f64,
    /// `base` of options over the counter; that of listed ones where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Share>")
    )]
    pub otc_base: Option<f64>,
    /// `minimum` of options over the counter; that of listed ones where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Share>")
    )]
    pub otc_minimum: Option<f64>,
    /// Whether options on it settle in cash.
    #[serde(default)]
    pub cash_settled: bool,
    /// Stock of the class has no loan value.
    #[serde(default)]
    pub non_margin: bool,
    /// How far the percentages can be trusted.
    #[serde(default)]
    pub grade: String,
}

/// What a user or a house says of one symbol: each in place of what the table of securities says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Stated {
    /// The class whose percentages it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Leverage of a leveraged or inverse fund; its size counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Multiple>")
    )]
    pub leverage: Option<f64>,
    /// The full-value index of a reduced-value one, and the divisor between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What the full-value index is divided by: 10 for a tenth.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Positive>")
    )]
    pub divisor: Option<f64>,
    /// The index a fund tracks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracks: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The kind of an account that states none: 12 CFR 220.4 or 220.8.
    pub account_kind: AccountKind,
    pub pairing: Method,
    /// Nodes of the search per component of the book.
    pub node_limit: u64,
    /// The report's currency; the rule's dollar amounts are in it.
    pub currency: String,
    pub expiry_order: ExpiryOrder,
    /// Whether the initial requirement is at least the maintenance requirement (4210(b)).
    pub initial_at_least_maintenance: bool,
    /// The class of a symbol that is held as stock and listed nowhere.
    pub stock_class: String,
    /// The class of any other symbol listed nowhere; absent, such symbols are missing data.
    pub default_class: Option<String>,
    pub numbers: Numbers,
    /// Percentages by class of underlying.
    pub classes: BTreeMap<String, Class>,
    /// What is said of single symbols.
    pub underlyings: BTreeMap<String, Stated>,
    /// How far the statements behind the parameters can be trusted.
    pub grades: BTreeMap<String, String>,
}

impl Parameters {
    pub fn check(&self) -> Result<()> {
        self.numbers.check()?;
        let known = |what: &str, class: &str| {
            if !self.classes.contains_key(class) {
                fail!(
                    MissingData: MissingParameter;
                    "reg t: {what} names the class '{class}', which is not defined in classes"
                );
            }
            Ok(())
        };
        known("stock_class", &self.stock_class)?;
        if let Some(class) = &self.default_class {
            known("default_class", class)?;
        }
        for (name, class) in &self.classes {
            let percentages = [
                Some(class.base),
                Some(class.minimum),
                class.otc_base,
                class.otc_minimum,
            ];
            for value in percentages.into_iter().flatten() {
                let what = format_args!("reg t: class '{name}': a percentage");
                bounds::share(what, value, MAX_SHORT)?;
            }
        }
        for (symbol, stated) in &self.underlyings {
            if let Some(class) = &stated.class {
                known(&format!("underlying '{symbol}'"), class)?;
            }
            if let Some(leverage) = stated.leverage {
                bounds::positive(
                    format_args!("reg t: size of the leverage of '{symbol}'"),
                    leverage.abs(),
                )?;
            }
            if let Some(divisor) = stated.divisor {
                bounds::positive(format_args!("reg t: divisor of '{symbol}'"), divisor)?;
            }
            if let Some(full) = &stated.of
                && self.underlyings.get(full).is_some_and(|u| u.of.is_some())
            {
                fail!(
                    InvalidInput: Contradiction;
                    "reg t: '{symbol}' is a reduced '{full}', which is itself reduced"
                );
            }
        }
        Ok(())
    }
}
