//! What an account is worth against its maintenance requirement: the intraday margin level of FINRA 4210(a)(17).

/// Equity and maintenance requirement at one moment, in the report's currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    pub equity: f64,
    pub maintenance: f64,
}

impl Level {
    /// The intraday margin level: equity less maintenance requirement, negative for a deficit.
    #[inline]
    pub fn margin(&self) -> f64 {
        self.equity - self.maintenance
    }

    /// Whether the level is lower than another by more than rounding explains. Without the allowance a transaction that
    /// moves money within the account would count as one that lowers the level, or not, by the last bit of a sum.
    #[inline]
    pub fn is_below(&self, other: &Self) -> bool {
        let size = self.size().max(other.size());
        other.margin() - self.margin() > 64.0 * f64::EPSILON * size
    }

    /// How large the numbers are that the level is the difference of.
    #[inline]
    pub(crate) fn size(&self) -> f64 {
        self.equity.abs() + self.maintenance.abs()
    }
}
