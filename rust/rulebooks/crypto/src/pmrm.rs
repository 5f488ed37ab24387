//! Derive's portfolio managers (PMRM v1 and PMRM_2): one underlying, values per expiry discounted by their sign.
//!
//! Rule: the contracts derivexyz/v2-core, `PMRMLib.sol` and `PMRMLib_2.sol`, whose functions are named at each step.

use serde::{Deserialize, Serialize};

use super::feeds::Feeds;
use super::scenario::Scenario;
use kernel::float::smaller;

/// Static discount on an expiry's value in a scenario, by its sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Discount {
    /// Factor on a value that is positive, before time.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub long_base: f64,
    /// Multiple of the rate at which a positive value is discounted over the time to expiry.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub long_rate_multiple: f64,
    /// Added to that rate.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::VolMove"))]
    pub long_rate_add: f64,
    /// Null where negative values are not discounted (v1).
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Number>")
    )]
    pub short_base: Option<f64>,
    /// Multiple of the rate at which a negative value grows over the time to expiry.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub short_rate_multiple: f64,
    /// Added to that rate.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::VolMove"))]
    pub short_rate_add: f64,
}

/// Loss of an expiry on a move of the forward alone, times `add` + `multiple` * years.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// Move of the forward up, as a fraction of it.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub up: f64,
    /// Move of the forward down, as a fraction of it: negative.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub down: f64,
    /// Weight of the loss at expiry.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::VolMove"))]
    pub add: f64,
    /// Weight of the loss added per year to expiry.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub multiple: f64,
}

/// Shares of spot charged; the initial ones are added to those of maintenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Contingency {
    /// Maintenance charge on perpetuals, as a share of spot per coin.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub perp_mm: f64,
    /// Initial charge on perpetuals, added to the one of maintenance.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub perp_im: f64,
    /// Maintenance charge on short options that no long one covers, as a share of spot per coin.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub option_mm: f64,
    /// Initial charge on those, added to the one of maintenance.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub option_im: f64,
}

/// Initial margin asked where the stable coin or an oracle falls below a threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Shortfall {
    /// Price or confidence below which it is asked.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub threshold: f64,
    /// What is asked per unit below the threshold, or per missing confidence.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub factor: f64,
}

/// The parameters beside scenarios and vol law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PmrmRules {
    pub discount: Discount,
    pub basis: Basis,
    pub contingency: Contingency,
    pub peg: Shortfall,
    pub confidence: Shortfall,
    /// Initial margin is the worst loss times this, before what a cheap stable coin adds.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub im_factor: f64,
    /// Maintenance margin is the worst loss times this.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub mm_factor: f64,
    /// Options are valued with the discount factor of their rate (PMRM_2) or without (v1).
    pub discounted: bool,
    /// v1: the loss factor multiplies the contingencies too, coin held is charged on spot, and collateral
    /// confidence is that of the account.
    #[serde(default)]
    pub factor_on_contingency: bool,
}

/// One expiry as prepared.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExpiryTerms {
    pub(super) static_long: f64,
    pub(super) static_short: f64,
    pub(super) basis_weight: f64,
    /// Least confidence of forward, rate and vol.
    pub(super) confidence: f64,
}

impl ExpiryTerms {
    /// An expiry without options.
    pub(super) const EMPTY: Self = Self {
        static_long: 1.0,
        static_short: 1.0,
        basis_weight: 0.0,
        confidence: 1.0,
    };
}

impl PmrmRules {
    /// Static discounts and weights of one expiry (`_addStaticDiscount`); `rate` is already not negative.
    pub(super) fn expiry(
        &self,
        years: f64,
        rate: f64,
        discount: f64,
        confidence: f64,
    ) -> ExpiryTerms {
        let d = &self.discount;
        let static_long =
            d.long_base * (-years * (rate * d.long_rate_multiple + d.long_rate_add)).exp();
        let static_short = d.short_base.map_or(1.0, |base| {
            let grown = base * (years * (rate * d.short_rate_multiple + d.short_rate_add)).exp();
            smaller(1.0 / discount, grown)
        });
        let basis_weight = self.basis.add + self.basis.multiple * years;
        ExpiryTerms {
            static_long,
            static_short,
            basis_weight,
            confidence,
        }
    }

    /// The charge on a notional whose oracle has this confidence: `_getConfidenceContingency`.
    pub(super) fn distrust(&self, confidence: f64, notional: f64) -> f64 {
        if confidence < self.confidence.threshold {
            (1.0 - confidence) * self.confidence.factor * notional
        } else {
            0.0
        }
    }

    /// What a stable coin below its threshold adds to the initial loss factor.
    pub(super) fn depeg(&self, stable: f64) -> f64 {
        let gap = self.peg.threshold - stable;
        if gap > 0.0 {
            gap * self.peg.factor
        } else {
            0.0
        }
    }
}

/// An account in one underlying, summed up: what the aggregation needs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Holding {
    /// Mark value of the collateral, and the part that moves with the underlying.
    pub(super) collateral: f64,
    pub(super) cancelling: f64,
    /// Charges on collateral: maintenance, added for initial, added for confidence.
    pub(super) collateral_mm: f64,
    pub(super) collateral_im: f64,
    pub(super) collateral_distrust: f64,
    /// Signed coins of perpetuals.
    pub(super) perps: f64,
    pub(super) naked_shorts: f64,
}

/// The numbers of an account in one underlying; losses negative, charges positive.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PmrmRisk {
    pub(super) worst: usize,
    pub(super) worst_pnl: f64,
    pub(super) forward_contingency: f64,
    pub(super) min_span: f64,
    pub(super) option_mtm: f64,
    pub(super) contingency_mm: f64,
    pub(super) contingency_im: f64,
    pub(super) confidence: f64,
    pub(super) im_factor: f64,
    pub(super) mm_factor: f64,
}

/// Profit and loss of the account in every scenario, and the aggregate. `options(group, s)` sums what an expiry's
/// options gain in scenario `s` (after the scenarios: basis up, basis down); `linear(s)` sums what everything undated
/// gains.
pub(super) fn aggregate(
    rules: &PmrmRules,
    feeds: &Feeds,
    underlying: &str,
    spot: f64,
    scenarios: &[Scenario],
    expiries: &[(ExpiryTerms, f64, f64)],
    holding: &Holding,
    options: impl Fn(usize, usize) -> f64,
    linear: impl Fn(usize) -> f64,
    mut pnl: impl FnMut(usize, f64),
) -> PmrmRisk {
    let mut risk = PmrmRisk::default();
    // `_addBasisContingency`.
    let (up, down) = (scenarios.len(), scenarios.len() + 1);
    for (group, &(terms, mark, _)) in expiries.iter().enumerate() {
        risk.option_mtm += mark;
        let mut loss = 0.0;
        for s in [up, down] {
            let change = options(group, s);
            loss = smaller(change, loss);
        }
        risk.forward_contingency += loss * terms.basis_weight;
    }
    // `getScenarioPnL`.
    risk.worst_pnl = f64::INFINITY;
    for (s, scenario) in scenarios.iter().enumerate() {
        let (skew, damp) = (scenario.vol.is_skew(), scenario.weight);
        // A skew turns the smile in place: the price move of its scenario is for spot and perpetuals only.
        let mut total = (linear(s) + holding.cancelling * scenario.price) * damp;
        for (group, &(terms, mark, _)) in expiries.iter().enumerate() {
            let worth = mark + options(group, s);
            let discount = if worth >= 0.0 {
                terms.static_long
            } else {
                terms.static_short
            };
            let change = worth * discount - mark;
            total += if skew { -change.abs() } else { change } * damp;
        }
        pnl(s, total);
        if total < risk.worst_pnl {
            (risk.worst_pnl, risk.worst) = (total, s);
        }
    }
    risk.min_span = smaller(smaller(risk.worst_pnl, risk.forward_contingency), 0.0);

    // `addPrecomputes`, `_addOptionContingency`.
    let c = &rules.contingency;
    let perp_notional = holding.perps.abs() * spot;
    risk.contingency_mm = c.perp_mm * perp_notional
        + c.option_mm * spot * holding.naked_shorts
        + holding.collateral_mm;
    risk.contingency_im = c.perp_im * perp_notional
        + c.option_im * spot * holding.naked_shorts
        + holding.collateral_im;
    let own = account_confidence(feeds, underlying, holding.perps != 0.0);
    risk.confidence = rules.distrust(own, perp_notional) + holding.collateral_distrust;
    for &(terms, _, gross) in expiries {
        risk.confidence += rules.distrust(smaller(terms.confidence, own), gross * spot);
    }
    risk.im_factor = rules.im_factor + rules.depeg(feeds.stable);
    risk.mm_factor = rules.mm_factor;
    risk
}

/// The least confidence of spot and, where one is held, the perpetual.
pub(super) fn account_confidence(feeds: &Feeds, underlying: &str, perp: bool) -> f64 {
    let feed = feeds.of(underlying);
    if perp && feed.perp_confidence < feed.spot_confidence {
        feed.perp_confidence
    } else {
        feed.spot_confidence
    }
}
