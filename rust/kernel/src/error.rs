//! The one error type of the core: a kind, and a message that says what, where and what to do.

use std::fmt;

/// What went wrong. The binding maps each variant to the Python exception of the same name, exhaustively.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarginError {
    /// A value that no rulebook could accept: NaN, a negative strike, a duplicate id, a naive timestamp.
    InvalidInput(String),
    /// A file or document that does not follow its format; the message carries file and line or byte offset.
    ParseError(String),
    /// Something the calculation needs was not given: a vol, a rate, a product definition.
    MissingData(String),
    /// A rule that exists but is not implemented here.
    Unsupported(String),
    /// A rulebook was handed something it does not cover.
    NotApplicable(String),
    /// The numbers were accepted but the calculation could not be completed.
    CalculationError(String),
    /// The calculation was told to stop before it ended: see [`crate::interrupt`].
    Interrupted(String),
}

pub type Result<T> = std::result::Result<T, MarginError>;

impl MarginError {
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidInput(m)
            | Self::ParseError(m)
            | Self::MissingData(m)
            | Self::Unsupported(m)
            | Self::NotApplicable(m)
            | Self::CalculationError(m)
            | Self::Interrupted(m) => m,
        }
    }

    /// The same kind of error with where it happened put in front of the message.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        let prefix = |m: String| format!("{place}: {m}");
        match self {
            Self::InvalidInput(m) => Self::InvalidInput(prefix(m)),
            Self::ParseError(m) => Self::ParseError(prefix(m)),
            Self::MissingData(m) => Self::MissingData(prefix(m)),
            Self::Unsupported(m) => Self::Unsupported(prefix(m)),
            Self::NotApplicable(m) => Self::NotApplicable(prefix(m)),
            Self::CalculationError(m) => Self::CalculationError(prefix(m)),
            Self::Interrupted(m) => Self::Interrupted(prefix(m)),
        }
    }
}

impl fmt::Display for MarginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for MarginError {}

/// `Err(MarginError::$kind(format!(...)))`, the house's only way to fail.
#[macro_export]
macro_rules! fail {
    ($kind:ident, $($arg:tt)*) => {
        return Err($crate::error::MarginError::$kind(format!($($arg)*)))
    };
}
