//! From a parameter set and a table of contracts to a [`Program`].
//!
//! | part | file |
//! |---|---|
//! | the program so far, and where names are found | `compiler.rs` |
//! | slots of periods | `periods.rs` |
//! | commodities: cells, tiers, rates | `commodity.rs` |
//! | contracts: arrays, deltas, option value, combinations | `terms.rs` |
//! | spreads: legs as slots of periods | `spreads.rs` |

mod commodity;
mod compiler;
mod periods;
mod spreads;
mod terms;

use std::collections::HashMap;

use self::compiler::Compiler;
use crate::model::*;
use crate::options::Options;
use crate::program::*;
use engine::contract::Contracts;
use engine::report::Currencies;
use engine::scan;
use kernel::error::Result;
use kernel::fail;

/// Where a contract id of a parameter set is found.
pub(super) fn rows_by_id(file: &SpanFile) -> HashMap<String, u32> {
    (0..file.contracts.len())
        .map(|row| (file.contract_id(row), row as u32))
        .collect()
}

/// The row of the parameter set for each contract of the table: by the contract's id, or its alias `span`.
pub(super) fn match_rows(
    file: &SpanFile,
    ids: &HashMap<String, u32>,
    contracts: &Contracts,
) -> Result<Vec<u32>> {
    let mut rows = Vec::with_capacity(contracts.len());
    let mut missing = Vec::new();
    for (_, contract) in contracts.iter() {
        let alias = contract.terms().aliases.get("span");
        match alias
            .and_then(|a| ids.get(a))
            .or_else(|| ids.get(contract.id()))
        {
            Some(row) => rows.push(*row),
            None => missing.push(contract.id().to_string()),
        }
    }
    if !missing.is_empty() {
        let more = if missing.len() > 5 {
            format!(" and {} more", missing.len() - 5)
        } else {
            String::new()
        };
        missing.truncate(5);
        fail!(
            MissingData: MissingParameter;
            "{}: no contract {}{more}: use ids as the file's contracts() lists them, or set the alias 'span'",
            file.info.file,
            missing.join(", ")
        );
    }
    Ok(rows)
}

/// Compiles a parameter set for the rows of a table.
pub(super) fn compile(
    file: &SpanFile,
    options: &Options,
    rows: &[u32],
) -> Result<(Program, Currencies)> {
    options.check()?;
    let base = match &options.base_currency {
        Some(currency) => currency.clone(),
        None => file
            .commodities
            .first()
            .map_or_else(|| "USD".to_string(), |c| c.currency.clone()),
    };
    let mut compiler = Compiler::new(file, options, &base, rows.len());
    if file.points.is_empty() {
        fail!(InvalidInput: NotStated; "{}: no scan points", file.info.file);
    }
    compiler.index_combinations();
    compiler.periods(rows);
    for commodity in 0..file.commodities.len() {
        compiler.commodity(commodity as u32, &base);
    }
    for &row in rows {
        compiler.contract(row as usize)?;
    }
    compiler.split_rows();
    compiler.spreads()?;
    compiler.program.rows = scan::rows_from(&compiler.values);
    Ok((compiler.program, compiler.currencies))
}
