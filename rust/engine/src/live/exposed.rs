//! Open orders as a rulebook sees them.

use crate::account::Effect;
use crate::contract::ContractIndex;
use crate::seam::Exposure;
use kernel::error::{MarginError, Result};

/// What may still be filled, with what only enumeration needs. Made anew when an order or a mark changes, so that a check
/// reads it only.
#[derive(Debug, Clone, Default)]
pub(super) struct Exposed {
    list: Vec<Exposure>,
    fills: Vec<Fills>,
    /// Why what an order would cost is not known.
    error: Option<MarginError>,
}

#[derive(Debug, Clone, Copy)]
struct Fills {
    effect: Option<Effect>,
    all_or_none: bool,
}

/// One order, filled as far as a set of fills has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fill {
    pub(super) contract: ContractIndex,
    /// Signed.
    pub(super) lots: i64,
    pub(super) effect: Option<Effect>,
    pub(super) cost: f64,
}

impl Exposed {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.fills.clear();
        self.error = None;
    }

    /// Adds signed lots of an order, at what a complete fill of them costs.
    pub(super) fn add(
        &mut self,
        contract: ContractIndex,
        lots: i64,
        cost: Result<f64>,
        effect: Option<Effect>,
        all_or_none: bool,
    ) {
        match cost {
            Ok(cost) => {
                self.list.push(Exposure {
                    contract,
                    lots,
                    cost,
                });
                self.fills.push(Fills {
                    effect,
                    all_or_none,
                });
            }
            Err(error) => self.error = Some(error),
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.error.is_none()
    }

    /// The orders, or why what one of them would cost is not known.
    pub(super) fn list(&self) -> Result<&[Exposure]> {
        match &self.error {
            Some(error) => Err(error.clone()),
            None => Ok(&self.list),
        }
    }

    pub(super) fn has(&self, contract: ContractIndex) -> bool {
        self.list.iter().any(|e| e.contract == contract)
    }

    /// How many sets of fills the orders have.
    pub(super) fn sets(&self) -> u64 {
        (0..self.list.len()).fold(1_u64, |n, i| n.saturating_mul(self.choices(i)))
    }

    /// How many ways an order may fill, no fill among them.
    fn choices(&self, order: usize) -> u64 {
        if self.fills[order].all_or_none {
            2
        } else {
            self.list[order].lots.unsigned_abs().saturating_add(1)
        }
    }

    /// The fills of one of [`Self::sets`]: its number written in a digit for every order.
    pub(super) fn set(&self, set: u64) -> impl Iterator<Item = Fill> {
        let mut rest = set;
        self.list.iter().enumerate().map(move |(i, exposure)| {
            let (whole, choices) = (exposure.lots.unsigned_abs(), self.choices(i));
            let filled = if self.fills[i].all_or_none {
                rest % 2 * whole
            } else {
                rest % choices
            };
            rest /= choices;
            Fill {
                contract: exposure.contract,
                lots: filled as i64 * exposure.lots.signum(),
                effect: self.fills[i].effect,
                cost: exposure.cost * (filled as f64 / whole as f64),
            }
        })
    }
}
