//! `margincore._core`: conversions and classes, no finance.

mod account;
mod account_columns;
mod accounts;
mod american;
mod arguments;
mod arrays;
mod batches;
mod build;
mod capsules;
mod cards;
mod columns;
mod contract;
mod contracts;
mod errors;
mod hvar;
mod live;
mod margins;
mod market;
mod methods;
mod names;
mod normal;
mod pickles;
mod prepared;
mod pricing;
mod products;
mod report;
mod revive;
mod securities;
mod span;
mod term_columns;
mod values;
mod versions;

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The engine.
#[pymodule]
mod _core {
    use super::*;

    #[pymodule_export]
    use crate::account::{Account, Position};
    #[pymodule_export]
    use crate::accounts::Accounts;
    #[pymodule_export]
    use crate::american::{
        american_boundary, american_greeks, american_grid, american_implied, escrowed,
        quadratic_prices, tree_greeks, tree_grid, tree_implied,
    };
    #[pymodule_export]
    use crate::build::build_info;
    #[pymodule_export]
    use crate::contract::Contract;
    #[pymodule_export]
    use crate::contracts::Contracts;
    #[pymodule_export]
    use crate::errors::error_codes;
    #[pymodule_export]
    use crate::hvar::{hvar_measure, hvar_rolling};
    #[pymodule_export]
    use crate::live::{
        Decision, Limit, LiveAccount, Order, WhatIf, intraday_day, intraday_many, read_trades,
    };
    #[pymodule_export]
    use crate::margins::MarginReader;
    #[pymodule_export]
    use crate::market::Market;
    #[pymodule_export]
    use crate::methods::{Methodology, presets, read_parameters, rulebooks};
    #[pymodule_export]
    use crate::names::did_you_mean;
    #[pymodule_export]
    use crate::normal::{normal_greeks, normal_grid, normal_implied, normal_prices};
    #[pymodule_export]
    use crate::prepared::Prepared;
    #[pymodule_export]
    use crate::pricing::{
        common_length, european_greeks, european_grid, european_implied, european_prices,
        implied_statuses,
    };
    #[pymodule_export]
    use crate::products::{OsiSymbol, Products};
    #[pymodule_export]
    use crate::report::{
        Line, MarginBatch, MarginReport, Requirement, UnderlyingGreeks, amount_text, worst_text,
    };
    #[pymodule_export]
    use crate::revive::revive;

    #[pymodule_export]
    use crate::securities::Securities;
    #[pymodule_export]
    use crate::span::{SpanFile, span_risk_array, span_settlement_price};
    #[pymodule_export]
    use crate::values::read_time;
    #[pymodule_export]
    use crate::versions::check_version;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // Made now, under the interpreter lock: the zones' own table must not be locked by another thread at a fork.
        debug_assert!(margincore::time::exchanges().next().is_some());
        tell_forks(module)?;
        crate::errors::export(module)?;
        module.add("__document_version__", margincore::version::DOCUMENT)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// Has every forked child say that it is one: see [`margincore::shared`].
fn tell_forks(module: &Bound<'_, PyModule>) -> PyResult<()> {
    #[pyfunction]
    fn forked() {
        margincore::shared::forked();
    }
    let os = module.py().import("os")?;
    // A system without forks has no such function.
    if let Some(register) = os.getattr_opt("register_at_fork")? {
        let told = PyDict::new(module.py());
        told.set_item("after_in_child", wrap_pyfunction!(forked, module)?)?;
        register.call((), Some(&told))?;
    }
    Ok(())
}
