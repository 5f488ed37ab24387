//! A parameter set compiled for one table of contracts: every name resolved to a slot.

use crate::model::{ChargeMethod, PointRule, ScanPoint, WfprMethod};
use crate::options::Options;
use engine::scan::Row;
use kernel::error::MarginError;

pub(super) const NONE: u32 = u32::MAX;

/// One contract of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) commodity: u32,
    pub(super) cell: u32,
    pub(super) period: u32,
    /// Slot of short-option counts; [`NONE`] for what is not an option or has no tier.
    pub(super) som: u32,
    /// More arrays and deltas, of combinations: a range of [`Program::parts`].
    pub(super) parts: (u32, u32),
    /// Why the contract cannot be margined; [`NONE`] where it can.
    pub(super) problem: u32,
    pub(super) is_call: bool,
    /// A premium-style option: what a long-options-only account holds.
    pub(super) premium: bool,
    pub(super) spot: bool,
    /// Delta per contract, all scales included.
    pub(super) delta: f64,
    /// Option value per contract, in the commodity's currency; 0 where it does not count.
    pub(super) value: f64,
    /// Contracts for the short option minimum.
    pub(super) weight: f64,
    /// Price scan range per delta, in money.
    pub(super) range: f64,
}

/// Another array or delta of a contract.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) commodity: u32,
    pub(super) cell: u32,
    pub(super) period: u32,
    /// First of its rows; [`NONE`] for a delta alone.
    pub(super) row: u32,
    pub(super) delta: f64,
    pub(super) range: f64,
}

#[derive(Debug, Clone)]
pub(super) struct TierSlots {
    pub(super) number: u32,
    pub(super) cells: Vec<u32>,
    pub(super) periods: Vec<u32>,
}

#[derive(Debug, Clone)]
pub(super) struct LegSlots {
    pub(super) commodity: u32,
    /// Row of the commodity's inter-commodity tiers, for its weighted futures price risk.
    pub(super) tier: usize,
    pub(super) periods: Vec<u32>,
    pub(super) ratio: f64,
    /// Ratios of all legs that draw on the same deltas on the same side.
    pub(super) need: f64,
    pub(super) side: f64,
    pub(super) rate: Option<f64>,
    pub(super) required: bool,
    pub(super) target: bool,
}

#[derive(Debug, Clone)]
pub(super) struct SpreadSlots {
    pub(super) priority: u32,
    pub(super) method: ChargeMethod,
    pub(super) rate: f64,
    pub(super) legs: Vec<LegSlots>,
    /// Legs on both sides: such a spread needs long and short deltas.
    pub(super) two_sided: bool,
    pub(super) scanning: bool,
    pub(super) target_required: bool,
    pub(super) minimum_legs: u32,
    pub(super) point_rules: Vec<PointRule>,
    pub(super) months: f64,
    pub(super) per_month: Option<(f64, f64, f64)>,
    pub(super) unsupported: Option<String>,
}

impl SpreadSlots {
    /// Brings a flat spread's rates to money.
    pub(super) fn scale_money(&mut self, money: f64) {
        self.rate *= money;
        for leg in &mut self.legs {
            leg.rate = leg.rate.map(|r| r * money);
        }
        self.per_month = self
            .per_month
            .map(|(v, m, e)| (v * money, m * money, e * money));
    }
}

#[derive(Debug, Clone)]
pub(super) struct CommoditySlots {
    pub(super) code: String,
    pub(super) currency: usize,
    pub(super) currency_name: String,
    /// Units of the report's currency for one of its own.
    pub(super) fx: f64,
    pub(super) cells: (u32, u32),
    pub(super) periods: (u32, u32),
    /// Cells of each scanning tier.
    pub(super) scan_tiers: Vec<TierSlots>,
    /// The whole commodity first, then the file's tiers.
    pub(super) inter_tiers: Vec<TierSlots>,
    pub(super) intra_tiers: Vec<TierSlots>,
    pub(super) spreads: Vec<SpreadSlots>,
    /// (period, rate per delta in spreads, rate per delta outright), in money.
    pub(super) spots: Vec<(u32, f64, f64)>,
    /// Short option minimum rates in money, with their tier number.
    pub(super) som: Vec<(u32, f64)>,
    pub(super) som_first: u32,
    pub(super) som_max: bool,
    pub(super) basis: f64,
    pub(super) wfpr: WfprMethod,
    pub(super) capped: bool,
    /// (initial, maintenance) factors of member, hedger and speculator.
    pub(super) levels: [(f64, f64); 3],
}

#[derive(Debug, Clone)]
pub(super) struct Period {
    pub(super) name: String,
    pub(super) in_delivery: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) points: Vec<ScanPoint>,
    /// 16-wide rows per contract.
    pub(super) blocks: usize,
    pub(super) rows: Vec<Row>,
    pub(super) terms: Vec<Terms>,
    pub(super) parts: Vec<Part>,
    pub(super) problems: Vec<MarginError>,
    pub(super) commodities: Vec<CommoditySlots>,
    pub(super) periods: Vec<Period>,
    pub(super) cells: usize,
    pub(super) som_slots: usize,
    /// Inter-commodity tiers of all commodities.
    pub(super) tiers: usize,
    /// Whether any spread is scanning-based.
    pub(super) scanning: bool,
    pub(super) super_spreads: Vec<SpreadSlots>,
    pub(super) inter_spreads: Vec<SpreadSlots>,
    pub(super) exchange_spreads: Vec<SpreadSlots>,
    pub(super) options: Options,
}

impl Program {
    pub(super) fn range(range: (u32, u32)) -> std::ops::Range<usize> {
        range.0 as usize..range.1 as usize
    }

    /// Units of commodity b's currency for one of a's.
    pub(super) fn fx(&self, a: u32, b: u32) -> f64 {
        let (from, to) = (&self.commodities[a as usize], &self.commodities[b as usize]);
        if from.currency == to.currency {
            1.0
        } else {
            from.fx / to.fx
        }
    }
}
