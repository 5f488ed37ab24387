//! What the underlyings of a table are on a date: the table of securities, and what the parameters say otherwise.

use std::collections::{BTreeMap, BTreeSet};

use super::parameters::{Parameters, Stated};
use engine::contract::Contracts;
use engine::securities::declared::{Declared, Known, refuse_unknown_funds};
use engine::securities::{Class, Security, SecurityKind};
use kernel::error::{MarginError, Result};
use kernel::fail;

/// What one underlying is to the rules.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Underlying {
    /// The class whose percentages it takes.
    pub(super) class: String,
    /// Size of the leverage of a leveraged or inverse fund.
    pub(super) leverage: f64,
    /// The full-value index of a reduced-value one, and the divisor between them.
    pub(super) of: Option<String>,
    pub(super) divisor: f64,
    /// The index whose options a fund may cover: none for a leveraged or inverse one.
    pub(super) tracks: Option<String>,
}

/// What a table's contracts are on.
pub(super) struct Underlyings {
    pub(super) of_row: Vec<Underlying>,
    /// What adjusted options deliver beside their underlying, by symbol.
    pub(super) delivered: BTreeMap<String, Underlying>,
}

/// What every row's underlying is, and what else options deliver, or what is missing.
pub(super) fn resolve(
    parameters: &Parameters,
    contracts: &Contracts,
    declared: &Declared<'_>,
) -> Result<Underlyings> {
    let mut unknown = BTreeSet::new();
    let mut of_row = Vec::with_capacity(contracts.len());
    let mut delivered = BTreeMap::new();
    for (row, contract) in contracts.iter() {
        let at = |e: MarginError| e.at(format!("'{}'", contract.id()));
        let symbol = contracts.root_symbol(row);
        let known = declared.of(row).map_err(|e| e.at("reg t"))?;
        if let Some(found) = one(parameters, symbol, known, &mut unknown).map_err(at)? {
            of_row.push(found);
        }
        let shares = contract
            .delivery()
            .into_iter()
            .flat_map(|b| b.shares.keys());
        for own in shares.filter(|own| *own != symbol && *own != contract.underlying()) {
            let known = declared.symbol(own).map_err(|e| e.at("reg t"))?;
            if let Some(found) = one(parameters, own, known, &mut unknown).map_err(at)? {
                delivered.insert(own.clone(), found);
            }
        }
    }
    refuse_unknown_funds("reg t", &unknown)?;
    Ok(Underlyings { of_row, delivered })
}

/// What one symbol is; nothing where it is a fund of which nobody has said more, which then is `unknown`.
fn one<'a>(
    parameters: &Parameters,
    symbol: &'a str,
    known: Known<'_>,
    unknown: &mut BTreeSet<&'a str>,
) -> Result<Option<Underlying>> {
    let nothing = Stated::default();
    let stated = parameters.underlyings.get(symbol).unwrap_or(&nothing);
    if matches!(known, Known::Fund) && stated.class.is_none() && stated.leverage.is_none() {
        unknown.insert(symbol);
        return Ok(None);
    }
    let security = match known {
        Known::Security(security) => Some(security),
        Known::Stock | Known::Fund | Known::Undeclared => None,
    };
    let default = match known {
        Known::Security(security) => class_of(parameters, security),
        Known::Stock => Some(parameters.stock_class.as_str()),
        Known::Undeclared => parameters.default_class.as_deref(),
        Known::Fund => Some("etf"),
    };
    let Some(class) = stated.class.as_deref().or(default) else {
        fail!(
            MissingData: MissingParameter;
            "reg t: what '{symbol}' is decides its percentages: say so in underlyings, for example \
             {{'{symbol}': {{'class': 'equity'}}}}, with one of the classes {}",
            parameters
                .classes
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        );
    };
    if !parameters.classes.contains_key(class) {
        fail!(
            MissingData: MissingParameter;
            "reg t: '{symbol}' is of the class '{class}', which is not defined in classes"
        );
    }
    let leverage = stated
        .leverage
        .or(security.map(Security::leverage))
        .unwrap_or(1.0);
    let tracked = |kind: SecurityKind| {
        security
            .filter(|s| s.kind == kind)
            .and_then(|s| s.tracks.clone())
    };
    let tracks = stated.tracks.clone().or_else(|| tracked(SecurityKind::Etf));
    Ok(Some(Underlying {
        class: class.to_string(),
        leverage: leverage.abs(),
        of: stated.of.clone().or_else(|| tracked(SecurityKind::Index)),
        divisor: stated
            .divisor
            .or(security.and_then(|s| s.divisor))
            .unwrap_or(1.0),
        // SR-CBOE-2022-058 lets a fund cover an index option by value: its value has to follow the index, once.
        tracks: tracks.filter(|_| leverage == 1.0),
    }))
}

/// The percentages a security takes; `None` where no text says what it is.
fn class_of<'a>(parameters: &'a Parameters, security: &Security) -> Option<&'a str> {
    match (security.kind, security.class) {
        (SecurityKind::Stock | SecurityKind::Adr, _) => Some(&parameters.stock_class),
        (SecurityKind::Etf | SecurityKind::Etn, Some(Class::Broad)) => Some("broad_etf"),
        (SecurityKind::Etf | SecurityKind::Etn, _) => Some("etf"),
        (SecurityKind::Index, Some(Class::Broad)) => Some("broad_index"),
        (SecurityKind::Index, Some(Class::Narrow | Class::Equity)) => Some("narrow_index"),
        (SecurityKind::Index, Some(Class::Volatility)) => Some("volatility_index"),
        (SecurityKind::Index, Some(Class::Currency)) => Some("currency"),
        (SecurityKind::Index, Some(Class::Rate)) => Some("interest_rate"),
        (SecurityKind::Index, Some(Class::Commodity) | None) | (SecurityKind::Future, _) => None,
    }
}
