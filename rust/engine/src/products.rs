//! What a root stands for: the dated product table that turns option symbols into contract terms.
//!
//! The shipped table is `presets/products.json`. It is extended, never guessed from: a root that is in no table is
//! `MissingData`. Plain equity options (100 shares, American, PM) are declared by name with [`ProductTable::with_equities`].

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use once_cell::race::OnceBox;
use serde::{Deserialize, Serialize};

use crate::contract::deliverable::Delivers;
use crate::contract::{Contract, Deliverable, Exercise, Kind, Premium, Settlement, Terms};
use crate::dated::Period;
use crate::securities::{Securities, Security, SecurityKind};
use crate::symbols::{OsiSymbol, check_root};
use crate::time::Settles;
use kernel::error::{MarginError, Result};
use kernel::fail;

/// The terms of all options of one root whose expiry lies between `from` and `to`, both included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductTerms {
    pub root: String,
    pub underlying: String,
    pub kind: Kind,
    pub exercise: Exercise,
    pub settles: Settles,
    /// Units of the underlying per contract; what strike and premium are multiplied by, where nothing else is said.
    pub multiplier: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strike_multiplier: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub premium_multiplier: Option<f64>,
    pub currency: String,
    /// A row of `presets/exchanges.json`: its zone and settlement times apply.
    pub exchange: String,
    /// `cash`, `shares`, or the basket that an adjusted contract delivers.
    pub deliverable: Deliverable,
    #[serde(default)]
    pub from: Option<Date>,
    #[serde(default)]
    pub to: Option<Date>,
    pub source: String,
}

impl ProductTerms {
    /// A standard United States equity option: American, 100 shares, PM.
    pub fn equity(root: &str) -> Result<Self> {
        check_root(root)?;
        if looks_adjusted(root) {
            fail!(
                InvalidInput: NotStated;
                "root '{root}' ends in a digit, which marks an adjusted or mini contract: state its full terms ({ADJUSTED_FIELDS})"
            );
        }
        if let Some(index) = index_of(root) {
            fail!(
                InvalidInput: NotStated;
                "root '{root}' is for options on the index '{}', which are no equity options: state its full terms (exercise, settlement hour, multiplier)",
                index.symbol
            );
        }
        Ok(Self {
            root: root.to_string(),
            underlying: root.to_string(),
            kind: Kind::Stock,
            exercise: Exercise::American,
            settles: Settles::Pm,
            multiplier: 100.0,
            strike_multiplier: None,
            premium_multiplier: None,
            currency: "USD".to_string(),
            exchange: "us".to_string(),
            deliverable: Deliverable::Shares,
            from: None,
            to: None,
            source: "declared by the user as a standard equity option (OCC: 100 shares, American)"
                .to_string(),
        })
    }

    fn expiries(&self) -> Period {
        Period {
            from: self.from,
            to: self.to,
        }
    }

    fn check(&self) -> Result<()> {
        check_root(&self.root)?;
        for (what, text) in [
            ("underlying", &self.underlying),
            ("currency", &self.currency),
            ("exchange", &self.exchange),
            ("source", &self.source),
        ] {
            if text.trim().is_empty() {
                fail!(InvalidInput: BadText; "{what} is empty");
            }
        }
        if !matches!(self.kind, Kind::Stock | Kind::Etf | Kind::Index) {
            fail!(
                InvalidInput: BadText;
                "kind {:?}: an option symbol stands for an option on a stock, etf or index",
                self.kind
            );
        }
        if !(self.multiplier.is_finite() && self.multiplier > 0.0) {
            fail!(
                InvalidInput: OutOfRange;
                "multiplier is {}: it must be positive",
                self.multiplier
            );
        }
        let delivers = Delivers {
            underlying: &self.underlying,
            multiplier: self.multiplier,
            strike_multiplier: self.strike_multiplier,
            premium_multiplier: self.premium_multiplier,
            deliverable: Some(&self.deliverable),
        };
        delivers.adjusted()?;
        self.expiries().check()
    }
}

/// The index that a root's options are on, by the table of securities: its own symbol, or with the letter of weekly (`SPXW`)
/// or of afternoon series (`NDXP`).
fn index_of(root: &str) -> Option<&'static Security> {
    let plain = root.strip_suffix(['W', 'P']).unwrap_or(root);
    let index = |symbol: &str| {
        let known = Securities::shipped().iter();
        known
            .filter(|s| s.kind == SecurityKind::Index)
            .find(|s| s.symbol == symbol)
    };
    index(root).or_else(|| index(plain))
}

/// Options expired on Saturdays until this date, on Fridays from then on.
fn end_of_saturdays() -> Date {
    jiff::civil::date(2015, 2, 15)
}

/// What a row for an adjusted root says beyond its root, for those who have to write one.
const ADJUSTED_FIELDS: &str = "underlying, kind, exercise, settles, multiplier, strike_multiplier, premium_multiplier, currency, exchange, source, and deliverable as {\"shares\": {symbol: number}, \"cash\": amount}";

/// Adjusted (`AAPL1`) and mini (`AAPL7`) roots end in a digit.
fn looks_adjusted(root: &str) -> bool {
    root.ends_with(|c: char| c.is_ascii_digit())
}

/// An immutable table of products by root. Extending gives a new table.
#[derive(Debug, Clone, Default)]
pub struct ProductTable {
    rows: BTreeMap<String, Vec<ProductTerms>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductFile {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "version")]
    _version: String,
    #[serde(rename = "effective")]
    _effective: Date,
    #[serde(rename = "source")]
    _source: String,
    #[serde(default, rename = "columns")]
    _columns: Option<String>,
    products: Vec<ProductTerms>,
}

impl ProductTable {
    /// The table shipped with this version.
    pub fn shipped() -> &'static Self {
        static SHIPPED: OnceBox<ProductTable> = OnceBox::new();
        SHIPPED.get_or_init(|| {
            let table = Self::from_json(include_str!("../presets/products.json"));
            Box::new(
                table.expect("presets/products.json is part of the build and follows ProductFile"),
            )
        })
    }

    /// A table in the shape of `presets/products.json`.
    pub fn from_json(text: &str) -> Result<Self> {
        let file: ProductFile = serde_json::from_str(text)
            .map_err(|e| MarginError::ParseError(format!("product table: {e}").into()))?;
        Self::default().extended(file.products)
    }

    /// This table and more rows. Two rows of one root for one expiry date are an error.
    pub fn extended(&self, rows: impl IntoIterator<Item = ProductTerms>) -> Result<Self> {
        let mut table = self.clone();
        for terms in rows {
            terms
                .check()
                .map_err(|e| e.at(format!("product '{}'", terms.root)))?;
            let known = table.rows.entry(terms.root.clone()).or_default();
            if let Some(other) = known
                .iter()
                .find(|o| o.expiries().overlaps(terms.expiries()))
            {
                fail!(
                    InvalidInput: Duplicate;
                    "product '{}': its expiries {} overlap those of the row that is there already ({}); two definitions for one date",
                    terms.root,
                    terms.expiries(),
                    other.expiries()
                );
            }
            known.push(terms);
        }
        Ok(table)
    }

    /// This table and standard equity options on the named stocks: American, 100 shares, PM, in dollars.
    pub fn with_equities<'a>(&self, roots: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let rows: Result<Vec<_>> = roots.into_iter().map(ProductTerms::equity).collect();
        self.extended(rows?)
    }

    /// The terms of a symbol's product, or what is missing.
    pub fn terms(&self, symbol: &OsiSymbol) -> Result<&ProductTerms> {
        let root = &symbol.root;
        if symbol.expiry.weekday() == Weekday::Saturday && symbol.expiry >= end_of_saturdays() {
            fail!(
                InvalidInput: BadText;
                "option '{symbol}' expires on a Saturday, {}: options do so on Fridays since February 2015, here {}",
                symbol.expiry,
                symbol
                    .expiry
                    .yesterday()
                    .map_or_else(|e| e.to_string(), |d| d.to_string())
            );
        }
        let Some(rows) = self.rows.get(root) else {
            if looks_adjusted(root) {
                fail!(
                    MissingData: MissingProduct;
                    "root '{root}' of option '{symbol}' is in no product table; it ends in a digit, which marks an adjusted or mini contract: add a row with {ADJUSTED_FIELDS}"
                );
            }
            if let Some(index) = index_of(root) {
                fail!(
                    MissingData: MissingProduct;
                    "root '{root}' of option '{symbol}' is in no product table: it is for options on the index '{}' ({}): add its terms (exercise, settlement hour, multiplier)",
                    index.symbol,
                    index.source
                );
            }
            fail!(
                MissingData: MissingProduct;
                "root '{root}' of option '{symbol}' is in no product table: if it is for options on a stock or fund, declare it as a standard equity option; add the terms of any other, such as one on an index"
            );
        };
        match rows
            .iter()
            .find(|terms| terms.expiries().covers(symbol.expiry))
        {
            Some(terms) => Ok(terms),
            None => fail!(
                MissingData: MissingProduct;
                "root '{root}' is in the product table for expiries {}, not for {} of option '{symbol}': add a row for that date",
                rows.iter()
                    .map(|r| r.expiries().to_string())
                    .collect::<Vec<_>>()
                    .join(" and "),
                symbol.expiry
            ),
        }
    }

    /// The contract a symbol stands for. Its id is the symbol without blanks; its alias `osi` the canonical spelling.
    pub fn contract(&self, symbol: &OsiSymbol) -> Result<Contract> {
        let terms = self.terms(symbol)?;
        Contract::new(Terms {
            id: symbol.compact(),
            kind: Kind::Option,
            underlying: terms.underlying.clone(),
            right: Some(symbol.right),
            strike: Some(symbol.strike()),
            expiry: Some(symbol.expiry.to_string()),
            settles: Some(terms.settles),
            exchange: Some(terms.exchange.clone()),
            exercise: Some(terms.exercise),
            multiplier: Some(terms.multiplier),
            multiplier_unit: None,
            strike_multiplier: terms.strike_multiplier,
            premium_multiplier: terms.premium_multiplier,
            settlement: Settlement::Linear,
            premium: Premium::Upfront,
            currency: terms.currency.clone(),
            lot: 1.0,
            deliverable: Some(terms.deliverable.clone()),
            listed: true,
            venue: None,
            aliases: BTreeMap::from([("osi".to_string(), symbol.to_string())]),
        })
    }

    /// Every row, by root and then in the order of definition.
    pub fn iter(&self) -> impl Iterator<Item = &ProductTerms> {
        self.rows.values().flatten()
    }
}

#[cfg(test)]
mod tests;
