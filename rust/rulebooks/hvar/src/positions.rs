//! What is held of each netting set, and the memory of one account's requirement.

use super::risk::RiskScratch;
use super::rules::parts::SideSums;
use super::tail::Held;
use engine::account::AccountView;

/// Working memory of one account.
#[derive(Debug, Default)]
pub(super) struct HvarScratch {
    pub(super) positions: Vec<SetPositions>,
    /// Whether anything is held of each netting set.
    pub(super) held: Vec<bool>,
    pub(super) risk: RiskScratch,
    /// Of every part: its risk and its worst scenario.
    pub(super) parts: Vec<(f64, u32)>,
    /// Of every netting set: what its products need alone, where offsets between them are granted in part.
    pub(super) gross: Vec<Option<f64>>,
    pub(super) totals: Vec<f64>,
    pub(super) sides: SideSums,
}

/// Which positions net with each other: all of them, or one side of a gross account, whose two sides are portfolios
/// that do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Net,
    Long,
    Short,
}

impl Side {
    pub(super) fn of(account: AccountView<'_>) -> &'static [Self] {
        match account.positions.short {
            None => &[Self::Net],
            Some(_) => &[Self::Long, Self::Short],
        }
    }

    pub(super) fn scope(self, own: &str) -> String {
        match self {
            Self::Net => own.to_string(),
            Self::Long => format!("long/{own}"),
            Self::Short => format!("short/{own}"),
        }
    }
}

/// What is held of one netting set.
#[derive(Debug, Default, Clone)]
pub(super) struct SetPositions {
    pub(super) row: Vec<u32>,
    pub(super) lots: Vec<f64>,
}

impl SetPositions {
    pub(super) fn held(&self) -> Held<'_> {
        Held {
            row: &self.row,
            lots: &self.lots,
        }
    }

    pub(super) fn clear(&mut self) {
        self.row.clear();
        self.lots.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.row.is_empty()
    }

    pub(super) fn slice(&self, own: std::ops::Range<usize>) -> Self {
        Self {
            row: self.row[own.clone()].to_vec(),
            lots: self.lots[own].to_vec(),
        }
    }

    /// Some of the rows.
    pub(super) fn only(&self, keep: impl Fn(u32) -> bool) -> Self {
        let own = self
            .row
            .iter()
            .zip(&self.lots)
            .filter(|(row, _)| keep(**row));
        let (row, lots) = own.unzip();
        Self { row, lots }
    }
}
