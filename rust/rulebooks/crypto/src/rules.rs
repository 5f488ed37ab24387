//! The rules of Derive's standard manager, as data.

use serde::{Deserialize, Serialize};

use super::pmrm::Shortfall;

/// Option formulas. Shares are of spot; `mm_put_mark` and `put_offset` are multiples of mark and maintenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionRules {
    pub max: f64,
    pub min: f64,
    pub mm_call: f64,
    pub mm_put: f64,
    pub mm_put_mark: f64,
    pub unpaired_im: f64,
    pub unpaired_mm: f64,
    pub put_offset: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerpRules {
    pub im: f64,
    pub mm: f64,
}

/// Share of the coin's value that counts as margin, and what is left of that for initial margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseRules {
    pub factor: f64,
    pub im_scale: f64,
}

/// Initial margin asked where the least confidence of an oracle is below these thresholds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfidenceRules {
    pub perp: f64,
    pub option: f64,
    pub base: f64,
    pub factor: f64,
}

/// The rules of one underlying.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SrmRules {
    pub option: OptionRules,
    pub perp: PerpRules,
    pub base: BaseRules,
    pub depeg: Shortfall,
    pub confidence: ConfidenceRules,
}
