//! What a security is on a date: what it tracks, its leverage, how rulebooks class it, whether it may be portfolio margined.
//!
//! One table for every rulebook, so that no two of them know different things of a symbol. The shipped one is
//! `presets/securities.json`: each row has the public text it comes from, with its date. It is extended, never guessed
//! from: see [`declared`] for what a symbol is that no row names.

pub mod declared;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use once_cell::race::OnceBox;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bounds;
use crate::contract::check_identifier;
use crate::dated::Period;
use crate::parameters;
use crate::report::ParameterInfo;
use kernel::error::{MarginError, Result};
use kernel::fail;

/// The largest multiple either way: none is listed above five, and at ten a tenth's fall is the whole value. Larger ones
/// are percentages by mistake.
const MAX_LEVERAGE: f64 = 10.0;

/// What is traded under a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SecurityKind {
    Stock,
    Adr,
    Etf,
    /// An exchange-traded note: a debt of its issuer that pays what an index does.
    Etn,
    Index,
    /// The symbol of a future. Stocks may have the same one: `ES` is both.
    Future,
}

/// What the prices of a security follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Class {
    Equity,
    /// A narrow-based or sector index, a theme, a country.
    Narrow,
    /// A broad-based index.
    Broad,
    Commodity,
    Currency,
    /// Bonds and interest rates.
    Rate,
    Volatility,
}

/// What one security is from one date to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// The symbol that it trades under.
    pub symbol: String,
    pub kind: SecurityKind,
    /// The index or security whose return it follows; of a reduced-value index, the full-value one.
    #[serde(default)]
    pub tracks: Option<String>,
    /// The multiple of that return it aims at: -3 is three times the inverse. Funds and notes state it; all else is 1.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::schema::units::Leverage>")
    )]
    pub leverage: Option<f64>,
    /// Absent where no text says.
    #[serde(default)]
    pub class: Option<Class>,
    /// The TIMS class group, where it is not what the security tracks, or the security itself.
    #[serde(default)]
    pub class_group: Option<String>,
    /// Of a reduced-value index: the full value over its own.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<crate::schema::units::Positive>")
    )]
    pub divisor: Option<f64>,
    /// Whether a portfolio margin account may hold it as such.
    #[serde(default = "parameters::yes")]
    pub portfolio_margin: bool,
    /// The first day the row holds; open where left out.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Day>"))]
    pub from: Option<Date>,
    /// The last day the row holds; open where left out.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Day>"))]
    pub to: Option<Date>,
    /// The text the row comes from, with its date.
    pub source: String,
    /// How far that text can be trusted.
    #[serde(default = "stated")]
    pub grade: String,
}

fn stated() -> String {
    "stated by the user".to_string()
}

impl Security {
    /// Signed; 1 for what has none.
    pub fn leverage(&self) -> f64 {
        self.leverage.unwrap_or(1.0)
    }

    /// What nets with it in full: its class group.
    pub fn group(&self) -> &str {
        let group = self.class_group.as_ref().or(self.tracks.as_ref());
        group.unwrap_or(&self.symbol)
    }

    pub fn is_fund(&self) -> bool {
        matches!(self.kind, SecurityKind::Etf | SecurityKind::Etn)
    }

    fn period(&self) -> Period {
        Period {
            from: self.from,
            to: self.to,
        }
    }

    fn check(&self) -> Result<()> {
        check_identifier("symbol", &self.symbol)?;
        for (what, name) in [("tracks", &self.tracks), ("class_group", &self.class_group)] {
            if let Some(name) = name {
                check_identifier(what, name)?;
            }
        }
        if self.source.trim().is_empty() {
            fail!(
                InvalidInput: BadText;
                "source is empty: say which text the row comes from"
            );
        }
        match self.leverage {
            None if self.is_fund() => fail!(
                MissingData: NotStated;
                "leverage is missing: a fund or note states the multiple of what it tracks, 1 for an ordinary one, -1 for an inverse one"
            ),
            Some(leverage) => {
                bounds::finite("leverage", leverage)?;
                if leverage.abs() > MAX_LEVERAGE {
                    fail!(
                        InvalidInput: OutOfRange, place "leverage", value leverage;
                        "leverage is {leverage}: a multiple between -{MAX_LEVERAGE} and {MAX_LEVERAGE} is needed (3 is 300 %)"
                    );
                }
                if leverage == 0.0 {
                    fail!(
                        InvalidInput,
                        "leverage is 0: it follows nothing then; 1 is no leverage"
                    );
                }
                if leverage != 1.0 && !self.is_fund() {
                    fail!(
                        InvalidInput,
                        "leverage {leverage}: only funds and notes have any"
                    );
                }
                if leverage != 1.0 && self.tracks.is_none() {
                    fail!(
                        MissingData: NotStated;
                        "leverage is {leverage} of what? State what it tracks"
                    );
                }
            }
            None => {}
        }
        if let Some(divisor) = self.divisor {
            bounds::positive("divisor", divisor)?;
            if self.kind != SecurityKind::Index || self.tracks.is_none() {
                fail!(
                    InvalidInput: Contradiction;
                    "divisor {divisor}: it belongs to a reduced-value index, which tracks the full-value one"
                );
            }
        }
        self.period().check()
    }
}

type Rows = BTreeMap<String, Vec<Security>>;

/// An immutable table of securities. Extending gives a new table.
#[derive(Debug, Default)]
pub struct Securities {
    /// By symbol.
    rows: Rows,
    /// The symbols of futures, apart.
    futures: Rows,
    /// Made by whoever asks first.
    digest: OnceBox<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecurityFile {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "version")]
    _version: String,
    #[serde(rename = "effective")]
    _effective: Date,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "columns")]
    _columns: String,
    sources: BTreeMap<String, Source>,
    securities: Vec<Security>,
}

/// A public text that rows name by its key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    text: String,
    date: String,
    grade: String,
}

impl Securities {
    /// The table shipped with this version.
    pub fn shipped() -> &'static Arc<Self> {
        static SHIPPED: OnceBox<Arc<Securities>> = OnceBox::new();
        SHIPPED.get_or_init(|| {
            let table = Self::from_json(include_str!("../presets/securities.json"));
            let table = table.expect("presets/securities.json is part of the build");
            Box::new(Arc::new(table))
        })
    }

    /// A table in the shape of `presets/securities.json`, the keys of its sources replaced by their texts.
    pub fn from_json(text: &str) -> Result<Self> {
        let mut file: SecurityFile = serde_json::from_str(text)
            .map_err(|e| MarginError::ParseError(format!("table of securities: {e}").into()))?;
        for row in &mut file.securities {
            let Some(source) = file.sources.get(&row.source) else {
                fail!(
                    MissingData: MissingParameter;
                    "table of securities: '{}': its source '{}' is not among the sources",
                    row.symbol,
                    row.source
                );
            };
            row.grade.clone_from(&source.grade);
            row.source = format!("{} ({})", source.text, source.date);
        }
        Self::default().extended(file.securities)
    }

    /// This table and more rows. Two rows of one symbol for one date are an error.
    pub fn extended(&self, rows: impl IntoIterator<Item = Security>) -> Result<Self> {
        let mut table = self.copied();
        for row in rows {
            row.check()
                .map_err(|e| e.at(format!("security '{}'", row.symbol)))?;
            let known = table.of(row.kind).entry(row.symbol.clone()).or_default();
            if let Some(other) = known.iter().find(|o| o.period().overlaps(row.period())) {
                fail!(
                    InvalidInput: Duplicate;
                    "security '{}': its dates {} overlap those of the row that is there already ({}); give a from or to, or replace the symbol's rows",
                    row.symbol,
                    row.period(),
                    other.period()
                );
            }
            known.push(row);
        }
        Ok(table)
    }

    /// This table with these rows in place of all that it has of their symbols.
    pub fn replaced(&self, rows: impl IntoIterator<Item = Security>) -> Result<Self> {
        let rows: Vec<Security> = rows.into_iter().collect();
        let mut kept = self.copied();
        for row in &rows {
            kept.of(row.kind).remove(&row.symbol);
        }
        kept.extended(rows)
    }

    fn copied(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            futures: self.futures.clone(),
            digest: OnceBox::new(),
        }
    }

    fn of(&mut self, kind: SecurityKind) -> &mut Rows {
        if kind == SecurityKind::Future {
            &mut self.futures
        } else {
            &mut self.rows
        }
    }

    /// What a symbol is on a date; `None` where no row names it. Without a date, only what does not depend on one.
    pub fn facts(&self, symbol: &str, on: Option<Date>) -> Result<Option<&Security>> {
        row(&self.rows, symbol, on)
    }

    /// The same of the symbol of a future.
    pub fn future(&self, symbol: &str, on: Option<Date>) -> Result<Option<&Security>> {
        row(&self.futures, symbol, on)
    }

    /// Every row, by symbol and then in the order of definition.
    pub fn iter(&self) -> impl Iterator<Item = &Security> {
        self.rows.values().chain(self.futures.values()).flatten()
    }

    /// SHA-256 of the rows, in hexadecimal.
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| {
            let rows: Vec<&Security> = self.iter().collect();
            Box::new(parameters::digest(&rows).expect("rows are plain data"))
        })
    }
}

/// The row of a symbol that holds on a date.
fn row<'a>(table: &'a Rows, symbol: &str, on: Option<Date>) -> Result<Option<&'a Security>> {
    let Some(rows) = table.get(symbol) else {
        return Ok(None);
    };
    let periods = || {
        let all: Vec<String> = rows.iter().map(|r| r.period().to_string()).collect();
        all.join(" and ")
    };
    match (on, &rows[..]) {
        (None, [only]) => Ok(Some(only)),
        (None, _) => fail!(
            MissingData: MissingParameter;
            "what '{symbol}' is depends on the date (rows {}): give a market, whose valuation has one",
            periods()
        ),
        (Some(date), _) => match rows.iter().find(|r| r.period().covers(date)) {
            Some(row) => Ok(Some(row)),
            None => fail!(
                MissingData: MissingParameter;
                "'{symbol}' is in the table of securities {}, not on {date}: add a row for that date",
                periods()
            ),
        },
    }
}

/// The JSON Schema of the parameters, from their types.
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Stated)
}

/// The securities part of a rulebook's parameters: rows in place of those that the shipped table has of their symbols, or
/// in place of the whole table.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// False: these rows alone, without the shipped table.
    #[serde(default = "parameters::yes")]
    shipped: bool,
    /// In place of those that the shipped table has of their symbols.
    rows: Vec<Security>,
}

/// A rulebook's parameters as [`parameters::resolve`] gives them, and the table of securities they are used with: the shipped
/// one, changed by the document's `securities`. The digest covers both.
pub fn resolve<T: DeserializeOwned + Serialize>(
    list: &str,
    default: &str,
    document: &Value,
) -> Result<(T, Arc<Securities>, ParameterInfo)> {
    let mut own = document.clone();
    let stated = own.as_object_mut().and_then(|o| o.remove("securities"));
    let (parameters, mut info) = parameters::resolve::<T>(list, default, &own)?;
    let table = match stated {
        None => Securities::shipped().clone(),
        Some(value) => {
            let stated: Stated = serde_json::from_value(value)
                .map_err(|e| MarginError::InvalidInput(format!("securities: {e}").into()))?;
            let base = if stated.shipped {
                Securities::shipped().clone()
            } else {
                Arc::default()
            };
            Arc::new(base.replaced(stated.rows)?)
        }
    };
    if table.digest() != Securities::shipped().digest() && !info.name.ends_with(" (changed)") {
        info.name.push_str(" (changed)");
    }
    info.digest = parameters::digest(&(&info.digest, table.digest()))?;
    Ok((parameters, table, info))
}

#[cfg(test)]
mod tests;
