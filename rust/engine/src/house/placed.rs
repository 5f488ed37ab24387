//! Which contracts of a table each rule is about, on a date.

use std::collections::BTreeSet;

use super::rules::{FOLLOWED, Named, Rules, Unknown};
use crate::contract::{ContractIndex, Contracts, Kind};
use crate::names::hint;
use crate::securities::declared::{Declared, Known};
use crate::securities::{Class, Securities, Security, SecurityKind};
use kernel::error::Result;
use kernel::fail;

/// For every rule, in the order of [`Rules::named`], whether it is about a row. Rules of percentages are about stock and
/// funds, those per contract about options: rows of other kinds are nobody's.
pub(super) fn place(
    rules: &Rules,
    securities: &Securities,
    contracts: &Contracts,
    declared: &Declared<'_>,
) -> Result<Vec<Vec<bool>>> {
    if rules.unknown_symbols == Unknown::Refuse {
        refuse_unknown_symbols(rules, securities, contracts)?;
    }
    let of_options = rules.percentages.len() + rules.concentration.len();
    let placed = rules.named().enumerate().map(|(at, (name, named))| {
        let row = |(row, kind): (ContractIndex, Kind)| {
            let concerned = match kind {
                Kind::Stock | Kind::Etf => at < of_options,
                Kind::Option => at >= of_options,
                Kind::Spot | Kind::Index | Kind::Future | Kind::Perpetual => false,
            };
            Ok(concerned
                && covers(named, contracts, row, declared)
                    .map_err(|e| e.at(format!("house: rule '{name}'")))?)
        };
        contracts.iter().map(|(r, c)| row((r, c.kind()))).collect()
    });
    placed.collect()
}

fn covers(
    named: &Named,
    contracts: &Contracts,
    row: ContractIndex,
    declared: &Declared<'_>,
) -> Result<bool> {
    let symbol = contracts.root_symbol(row);
    let by_symbol = named.symbols.is_empty() || named.symbols.iter().any(|s| s == symbol);
    if !by_symbol || (named.classes.is_empty() && named.leverage.is_none()) {
        return Ok(by_symbol);
    }
    let known = declared.of(row)?;
    let by_class = named.classes.is_empty()
        || match words(known) {
            [Some(kind), _] if named.classes.iter().any(|c| c == kind) => true,
            [_, Some(followed)] => named.classes.iter().any(|c| c == followed),
            [Some(_), None] if !named.classes.iter().any(|c| is_followed(c)) => false,
            [_, None] => return unknown(symbol, "class"),
        };
    let by_leverage = match (named.leverage, known) {
        (None, _) => true,
        (Some(size), Known::Security(security)) => security.leverage().abs() == size,
        (Some(size), Known::Stock) => size == 1.0,
        (Some(_), Known::Fund | Known::Undeclared) => return unknown(symbol, "leverage"),
    };
    Ok(by_class && by_leverage)
}

fn is_followed(class: &str) -> bool {
    FOLLOWED.contains(&class)
}

/// The words for a security's kind and for what it follows, as far as anybody says.
fn words(known: Known<'_>) -> [Option<&'static str>; 2] {
    match known {
        Known::Security(security) => [Some(kind(security)), followed(security)],
        Known::Stock => [Some("stock"), Some("equity")],
        Known::Fund => [Some("etf"), None],
        Known::Undeclared => [None, None],
    }
}

fn kind(security: &Security) -> &'static str {
    match security.kind {
        SecurityKind::Stock | SecurityKind::Adr => "stock",
        SecurityKind::Etf => "etf",
        SecurityKind::Etn => "etn",
        SecurityKind::Index => "index",
        SecurityKind::Future => "future",
    }
}

fn followed(security: &Security) -> Option<&'static str> {
    let Some(class) = security.class else {
        let is_stock = matches!(security.kind, SecurityKind::Stock | SecurityKind::Adr);
        return is_stock.then_some("equity");
    };
    Some(match class {
        Class::Equity => "equity",
        Class::Narrow => "narrow",
        Class::Broad => "broad",
        Class::Commodity => "commodity",
        Class::Currency => "currency",
        Class::Rate => "rate",
        Class::Volatility => "volatility",
    })
}

fn unknown(symbol: &str, what: &str) -> Result<bool> {
    fail!(
        MissingData: NotStated, place what, value symbol;
        "the {what} of '{symbol}' decides whether it applies, and the table of securities does not say it: \
         Securities().extended([{{'symbol': '{symbol}', 'kind': ..., 'class': ..., 'source': ...}}]), and give that table to House as securities"
    )
}

/// Refuses a symbol that is in neither table: a slip would leave what it was meant for without the rule.
fn refuse_unknown_symbols(
    rules: &Rules,
    securities: &Securities,
    contracts: &Contracts,
) -> Result<()> {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for (name, named) in rules.named() {
        if named.symbols.is_empty() {
            continue;
        }
        if known.is_empty() {
            known.extend(securities.iter().map(|s| s.symbol.as_str()));
            known.extend((0..contracts.len() as u32).map(|row| contracts.root_symbol(row)));
        }
        if let Some(symbol) = named.symbols.iter().find(|s| !known.contains(s.as_str())) {
            fail!(
                InvalidInput: UnknownName, place format_args!("house: rule '{name}': symbols"), value symbol.as_str();
                "house: rule '{name}': no contract of the table is on '{symbol}', and the table of securities does not know it{}: \
                 unknown_symbols='skip' lets rules name more than a table holds",
                hint(symbol, known.iter().copied())
            );
        }
    }
    Ok(())
}
