//! The groups of spreads, each formed in its own step.

/// Which group of spreads a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Super,
    Intra,
    Inter,
    Exchange,
}

impl Group {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Super => "super",
            Self::Intra => "intra",
            Self::Inter => "inter",
            Self::Exchange => "exchange",
        }
    }
}
