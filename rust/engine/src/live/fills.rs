//! The worst that fills of open orders may do.

use crate::report::Requirement;
use crate::seam::WorstCase;

/// The largest values over the fills of open orders.
#[derive(Debug, Clone, Copy)]
pub(super) struct FillsCase {
    pub(super) requirement: f64,
    /// What the excess over the initial requirement loses at most, and what that over maintenance does.
    pub(super) drain: f64,
    pub(super) maintenance_drain: f64,
}

impl FillsCase {
    /// Of no open orders.
    pub(super) fn of(requirement: Requirement) -> Self {
        Self {
            requirement: requirement.initial,
            drain: requirement.initial,
            maintenance_drain: requirement.maintenance,
        }
    }
}

impl From<WorstCase> for FillsCase {
    /// A closed form says nothing of maintenance; rulebooks that have one have the same for both, or less for maintenance.
    fn from(case: WorstCase) -> Self {
        Self {
            requirement: case.requirement,
            drain: case.drain,
            maintenance_drain: case.drain,
        }
    }
}
