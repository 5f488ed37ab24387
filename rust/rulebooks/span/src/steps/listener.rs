//! What the steps tell while they run: the explanation hears the numbers that are charged and computes none of its own.

use super::group::Group;
use super::risk::Risk;
use crate::program::SpreadSlots;

/// One leg of a delta-based spread that has formed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormedLeg {
    pub(crate) commodity: u32,
    pub(crate) deltas: f64,
    pub(crate) amount: f64,
}

/// The delivery charge of one period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeliveryCharge {
    pub(crate) period: u32,
    /// The period's net delta, and of it what spreads have used and what is left outright.
    pub(crate) delta: f64,
    pub(crate) used: f64,
    pub(crate) left: f64,
    /// Money for either part.
    pub(crate) spread: f64,
    pub(crate) outright: f64,
}

/// The short option minimum of one tier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShortOptions {
    pub(crate) tier: u32,
    pub(crate) calls: f64,
    pub(crate) puts: f64,
    pub(crate) minimum: f64,
}

/// Hears of every spread formed and of every amount that is a sum over periods or tiers; the numbers alone need no
/// listener.
pub(crate) trait Listener {
    fn formed(
        &mut self,
        group: Group,
        spread: &SpreadSlots,
        count: f64,
        legs: &mut dyn Iterator<Item = FormedLeg>,
    );
    fn scanned(
        &mut self,
        group: Group,
        spread: &SpreadSlots,
        legs: &mut dyn Iterator<Item = u32>,
        target: u32,
        combined: &[f64],
        risk: Risk,
    );
    fn delivered(&mut self, commodity: u32, charge: DeliveryCharge);
    fn short_options(&mut self, commodity: u32, tier: ShortOptions);
}

/// Hears nothing.
pub(crate) struct Silent;

impl Listener for Silent {
    #[inline(always)]
    fn formed(
        &mut self,
        _: Group,
        _: &SpreadSlots,
        _: f64,
        _: &mut dyn Iterator<Item = FormedLeg>,
    ) {
    }
    #[inline(always)]
    fn scanned(
        &mut self,
        _: Group,
        _: &SpreadSlots,
        _: &mut dyn Iterator<Item = u32>,
        _: u32,
        _: &[f64],
        _: Risk,
    ) {
    }
    #[inline(always)]
    fn delivered(&mut self, _: u32, _: DeliveryCharge) {}
    #[inline(always)]
    fn short_options(&mut self, _: u32, _: ShortOptions) {}
}
