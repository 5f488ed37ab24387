//! What an order does to the intraday margin level: the block before execution that FINRA 4210(d)(2) allows.

use super::level::Level;
use kernel::error::Result;

/// The intraday margin level without a fill and with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fall {
    pub(super) before: Level,
    pub(super) after: Level,
}

impl Fall {
    /// Of pairs of levels, without a fill and with it, the pair nearest to a deficit.
    pub(super) fn between(before: &Result<[Level; 2]>, after: &Result<[Level; 2]>) -> Result<Self> {
        let (before, after) = (before.clone()?, after.clone()?);
        let [alone, filled] = [0, 1].map(|i| Self {
            before: before[i],
            after: after[i],
        });
        Ok(if filled.room() < alone.room() {
            filled
        } else {
            alone
        })
    }

    /// How much further the level might fall before a deficit is created, or one that is there increased.
    pub(super) fn room(&self) -> f64 {
        self.after.margin() - self.before.margin().min(0.0)
    }

    /// Whether the fill creates a deficit or increases one; also where that cannot be compared.
    pub(super) fn is_blocked(&self) -> bool {
        let is_covered = self.after.margin() >= 0.0;
        let is_no_lower = !self.after.is_below(&self.before) && self.after.margin().is_finite();
        !(is_covered || is_no_lower)
    }
}
