//! The rules of Derive's standard manager, as data.

use serde::{Deserialize, Serialize};

use super::pmrm::Shortfall;
use engine::bounds;
use kernel::error::Result;

/// The largest factor from one margin to another. Larger ones are percentages by mistake.
pub(super) const MAX_FACTOR: f64 = 5.0;

/// Option formulas. Shares are of spot; `mm_put_mark` and `put_offset` are multiples of mark and maintenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OptionRules {
    /// Share of spot asked as initial margin of a short option at the money, less the distance out of it.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub max: f64,
    /// Least share of spot asked as initial margin of a short option.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub min: f64,
    /// Share of spot asked as maintenance of a short call, beside its mark.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub mm_call: f64,
    /// Share of spot asked as maintenance of a short put, beside its mark.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub mm_put: f64,
    /// Maintenance of a short put is at least this share of its mark, beside the mark.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub mm_put_mark: f64,
    /// Initial margin of a short call that no long one covers, as a multiple of the expiry's forward.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Factor"))]
    pub unpaired_im: f64,
    /// Maintenance of a short call that no long one covers, as a multiple of the expiry's forward.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Factor"))]
    pub unpaired_mm: f64,
    /// Initial margin of a short put is at least this multiple of its maintenance.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Factor"))]
    pub put_offset: f64,
}

/// Shares of a perpetual's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PerpRules {
    /// Initial margin as a share of the perpetual's value.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub im: f64,
    /// Maintenance margin as a share of the perpetual's value.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub mm: f64,
}

/// Share of the coin's value that counts as margin, and what is left of that for initial margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BaseRules {
    /// Share of the coin's value that counts as maintenance margin.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub factor: f64,
    /// Multiple of that share that counts as initial margin.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub im_scale: f64,
}

/// Initial margin asked where the least confidence of an oracle is below these thresholds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfidenceRules {
    /// Least confidence, of spot and perpetual, below which perpetuals are charged.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub perp: f64,
    /// Least confidence, of an expiry's feeds, below which its short options are charged.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub option: f64,
    /// Least confidence of spot below which coin held is charged.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub base: f64,
    /// Charge per missing confidence, as a multiple of the notional.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub factor: f64,
}

/// The rules of one underlying.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SrmRules {
    pub option: OptionRules,
    pub perp: PerpRules,
    pub base: BaseRules,
    pub depeg: Shortfall,
    pub confidence: ConfidenceRules,
}

impl SrmRules {
    pub(super) fn check(&self, key: &str) -> Result<()> {
        let (option, base, confidence) = (&self.option, &self.base, &self.confidence);
        for (name, share) in [
            ("option.max", option.max),
            ("option.min", option.min),
            ("option.mm_call", option.mm_call),
            ("option.mm_put", option.mm_put),
            ("option.mm_put_mark", option.mm_put_mark),
            ("perp.im", self.perp.im),
            ("perp.mm", self.perp.mm),
            ("base.factor", base.factor),
            ("base.im_scale", base.im_scale),
            ("confidence.perp", confidence.perp),
            ("confidence.option", confidence.option),
            ("confidence.base", confidence.base),
        ] {
            bounds::fraction(format_args!("rules of '{key}': {name}"), share)?;
        }
        for (name, factor) in [
            ("option.unpaired_im", option.unpaired_im),
            ("option.unpaired_mm", option.unpaired_mm),
            ("option.put_offset", option.put_offset),
        ] {
            bounds::factor(format_args!("rules of '{key}': {name}"), factor, MAX_FACTOR)?;
        }
        Ok(())
    }
}
