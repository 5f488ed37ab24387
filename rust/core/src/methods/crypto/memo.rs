//! The last table and market a rulebook was asked about, brought to each other.

use std::sync::Arc;

use super::arrays::{self, UnitPlan};
use super::instruments::{Resolved, resolve};
use super::layout::Layout;
use super::parameters::Parameters;
use crate::contract::Contracts;
use crate::error::Result;
use crate::market::Market;

/// The last table seen, and the last market on it: a rulebook is asked for cells and arrays of the same two, and a
/// market is usually the next snapshot of the same table.
#[derive(Debug, Default)]
pub(super) struct Memo {
    layout: Option<(Arc<Layout>, Vec<Arc<UnitPlan>>)>,
    market: Option<(Arc<Market>, Arc<Resolved>)>,
}

impl Memo {
    pub(super) fn resolve(
        &mut self,
        parameters: &Parameters,
        contracts: &Arc<Contracts>,
        market: &Arc<Market>,
    ) -> Result<Arc<Resolved>> {
        let (layout, plans) = match &self.layout {
            Some(known) if Arc::ptr_eq(&known.0.contracts, contracts) => known.clone(),
            _ => {
                let layout = Arc::new(Layout::new(parameters, contracts)?);
                let mut plans = Vec::with_capacity(layout.units.len());
                for unit in &layout.units {
                    plans.extend(arrays::plan(parameters, unit)?);
                }
                *self = Self {
                    layout: Some((layout.clone(), plans.clone())),
                    market: None,
                };
                (layout, plans)
            }
        };
        if let Some((known, resolved)) = &self.market
            && Arc::ptr_eq(known, market)
        {
            return Ok(resolved.clone());
        }
        let resolved = Arc::new(Resolved {
            plans,
            ..resolve(parameters, &layout, market)?
        });
        self.market = Some((market.clone(), resolved.clone()));
        Ok(resolved)
    }
}
