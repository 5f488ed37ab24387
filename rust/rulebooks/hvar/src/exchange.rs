//! Exchange rates as risk factors: a contract in another currency also moves with the rate of its money.
//!
//! In a scenario where the rate is `k` times today's, something paid for is worth `k (value + gain)`: it gains
//! `k gain + (k - 1) value`. A future, or an option whose premium is paid like one, is worth nothing until it moves, and
//! gains `k gain`.

use super::layout::View;
use super::parameters::{FxFactor, Parameters, ReturnRule};
use engine::contract::{Contract, Kind, Premium};
use kernel::error::Result;
use kernel::fail;

/// Each scenario's exchange rate over today's; `None` where the currency's rate stays where it is.
pub(super) fn ratios(
    parameters: &Parameters,
    view: &View<'_>,
    currency: &str,
    today: f64,
) -> Result<Option<Vec<f64>>> {
    let (factor, level, inverse) = match parameters.fx_map.get(currency) {
        Some(FxFactor::Direct(factor)) => (factor, today, false),
        Some(FxFactor::Inverse(factor)) => (factor, 1.0 / today, true),
        None => return Ok(None),
    };
    let rule = parameters.rule(factor)?;
    let mut ratios = view.moves(&view.series(factor, rule)?)?;
    for (scenario, ratio) in ratios.iter_mut().enumerate() {
        let moved = match rule {
            ReturnRule::Relative | ReturnRule::Log => 1.0 + *ratio,
            ReturnRule::Absolute => (level + *ratio) / level,
            ReturnRule::Displaced(by) => (level + (level + by) * *ratio) / level,
        };
        if moved <= 0.0 {
            fail!(
                CalculationError: NoNumber;
                "hvar: factor '{factor}' takes the exchange rate of {currency} to or below zero in scenario {}",
                scenario + 1
            );
        }
        *ratio = if inverse { 1.0 / moved } else { moved };
    }
    Ok(Some(ratios))
}

/// Whether the contract's own value is at risk, and not only what it gains.
pub(super) fn is_asset(contract: &Contract) -> bool {
    match contract.kind() {
        Kind::Future | Kind::Perpetual => false,
        Kind::Option => contract.terms().premium == Premium::Upfront,
        Kind::Spot | Kind::Stock | Kind::Etf | Kind::Index => true,
    }
}
