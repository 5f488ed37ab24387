//! `margincore._core`: conversions and classes, no finance.

mod account;
mod american;
mod arrays;
mod build;
mod columns;
mod contract;
mod errors;
mod hvar;
mod live;
mod market;
mod methods;
mod prepared;
mod pricing;
mod products;
mod report;
mod span;
mod values;

use pyo3::prelude::*;

/// The engine.
#[pymodule]
mod _core {
    use super::*;

    #[pymodule_export]
    use crate::account::{Account, Accounts, Position};
    #[pymodule_export]
    use crate::american::{
        american_greeks, american_grid, american_implied, escrowed, quadratic_prices, tree_greeks,
        tree_grid, tree_implied,
    };
    #[pymodule_export]
    use crate::build::build_info;
    #[pymodule_export]
    use crate::contract::{Contract, Contracts};
    #[pymodule_export]
    use crate::errors::{
        CalculationError, InvalidInput, MarginError, MissingData, NotApplicable, ParseError,
        Unsupported,
    };
    #[pymodule_export]
    use crate::hvar::{hvar_measure, hvar_rolling};
    #[pymodule_export]
    use crate::live::{Decision, Limit, LiveAccount, Order, WhatIf};
    #[pymodule_export]
    use crate::market::Market;
    #[pymodule_export]
    use crate::methods::{Methodology, read_parameters, rulebooks};
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
    use crate::span::{SpanFile, span_risk_array, span_settlement_price};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
