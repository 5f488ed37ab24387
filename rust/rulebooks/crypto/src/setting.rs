//! What everything that is compiled starts from: the rules, the table, one market's numbers.

use std::sync::Arc;

use super::instruments::Instruments;
use super::parameters::Parameters;
use engine::contract::Contracts;
use engine::market::Market;
use engine::report::{Currencies, ParameterInfo};
use engine::seam::Frame;

/// The rules, the table and one market's numbers.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) parameters: &'a Arc<Parameters>,
    pub(super) info: &'a ParameterInfo,
    pub(super) contracts: &'a Arc<Contracts>,
    pub(super) market: &'a Market,
    pub(super) inputs: &'a Instruments,
}

impl Setting<'_> {
    /// What a report says of them, in these currencies.
    pub(super) fn frame(&self, currencies: Currencies) -> Frame {
        Frame {
            methodology: self.parameters.venue.clone(),
            parameters: self.info.clone(),
            valuation: Some(self.market.snapshot().valuation.clone()),
            contracts: self.contracts.clone(),
            currencies,
        }
    }
}
