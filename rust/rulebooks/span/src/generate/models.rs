//! PC-SPAN's pricing models, by the codes of record B, columns 110 and 111, and of `priceModel`.

use serde::{Deserialize, Serialize};

use crate::model::named;
use kernel::error::{MarginError, Result};

/// PC-SPAN's pricing models by code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Model {
    /// Black-Scholes: carry r.
    #[serde(rename = "BS")]
    BlackScholes,
    /// Black 76: carry 0.
    #[serde(rename = "B")]
    Black,
    /// Merton: carry r - q.
    #[serde(rename = "M")]
    Merton,
    /// Adesi-Whaley: carry r - q, r and 0.
    #[serde(rename = "W")]
    AdesiWhaley,
    #[serde(rename = "WS")]
    WhaleySpot,
    #[serde(rename = "WB")]
    WhaleyFuture,
    /// Cox-Ross-Rubinstein, American and European.
    #[serde(rename = "CA")]
    TreeAmerican,
    #[serde(rename = "CE")]
    TreeEuropean,
    #[serde(rename = "I")]
    Intrinsic,
    /// Bachelier: the vol is in money; CME's energy options since April 2020.
    #[serde(rename = "N")]
    Normal,
}

impl Model {
    pub fn parse(code: &str) -> Result<Self> {
        named(code).ok_or_else(|| {
            MarginError::Unsupported(
                format!("pricing model '{code}': BS, B, M, W, WS, WB, CA, CE, I and N are known")
                    .into(),
            )
        })
    }

    /// The yield that gives the model its carry.
    pub(super) fn dividend_yield(self, rate: f64, dividend_yield: f64) -> f64 {
        match self {
            Self::BlackScholes | Self::WhaleySpot => 0.0,
            Self::Black | Self::WhaleyFuture => rate,
            _ => dividend_yield,
        }
    }
}
