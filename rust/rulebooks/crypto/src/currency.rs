//! What amounts are reported in, and at which rate.

use super::parameters::Parameters;
use engine::contract::Contracts;
use engine::market::Market;
use kernel::error::Result;

/// The currency units are reported in: what the contracts share, or dollars.
pub(super) fn report_currency(parameters: &Parameters, contracts: &Contracts) -> String {
    if let Some(currency) = &parameters.currency {
        return currency.clone();
    }
    match contracts.rows().first().map(|c| c.currency()) {
        Some(first) if contracts.rows().iter().all(|c| c.currency() == first) => first.to_string(),
        _ => "USD".into(),
    }
}

/// Units of `to` for one of `from`: the market's rate, or a coin's own spot price in dollars.
pub(super) fn rate_into(market: &Market, from: &str, to: &str) -> Result<f64> {
    match market.fx(from, to) {
        Ok(rate) => Ok(rate),
        Err(error) if to == "USD" => market.spot(from).map_err(|_| error),
        Err(error) => Err(error),
    }
}
