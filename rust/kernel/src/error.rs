//! The one error type of the core: a kind, a code, where it happened, the value refused, and a message that says all of
//! it and what to do.

use std::fmt;

/// What went wrong. The binding maps each variant to the Python exception of the same name, exhaustively.
#[derive(Debug, Clone, PartialEq)]
pub enum MarginError {
    /// A value that no rulebook could accept: NaN, a negative strike, a duplicate id, a naive timestamp.
    InvalidInput(Fault),
    /// A file or document that does not follow its format; the message carries file and line or byte offset.
    ParseError(Fault),
    /// Something the calculation needs was not given: a vol, a rate, a product definition.
    MissingData(Fault),
    /// A rule that exists but is not implemented here.
    Unsupported(Fault),
    /// A rulebook was handed something it does not cover.
    NotApplicable(Fault),
    /// The numbers were accepted but the calculation could not be completed.
    CalculationError(Fault),
    /// The calculation was told to stop before it ended: see [`crate::interrupt`].
    Interrupted(Fault),
}

pub type Result<T> = std::result::Result<T, MarginError>;

/// What an error says. Boxed: a result that is not an error stays small.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault(Box<Parts>);

#[derive(Debug, Clone, PartialEq)]
struct Parts {
    message: String,
    code: Option<Code>,
    place: Option<String>,
    value: Option<Value>,
}

/// A value that was refused.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Number(f64),
    Whole(i64),
    Text(String),
}

macro_rules! codes {
    ($($(#[doc = $about:literal])+ $name:ident = $text:literal,)+) => {
        /// Why something was refused, for programs: messages may be reworded, codes keep their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[doc = $about])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code as programs read it.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What the code means, in a sentence.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($about),+),)+ }
            }
        }
    };
}

codes! {
    /// A value no rulebook could accept, for a reason that no other code names.
    InvalidInput = "invalid_input",
    /// A value of another type than is needed.
    WrongType = "wrong_type",
    /// A NaN or an infinity.
    NotFinite = "not_finite",
    /// A number outside its bounds.
    OutOfRange = "out_of_range",
    /// A quantity that is not a whole number of lots, or a count that is not whole.
    NotWhole = "not_whole",
    /// A word, argument, parameter, symbol, id or preset that is none of those known.
    UnknownName = "unknown_name",
    /// Something that has to be stated and was left out.
    NotStated = "not_stated",
    /// Values that do not fit each other.
    Contradiction = "contradiction",
    /// Something that may come once and came twice.
    Duplicate = "duplicate",
    /// Text that does not have the form it needs: a symbol, an id, a number in a document.
    BadText = "bad_text",
    /// What is no date or instant, or a time that cannot be.
    BadTime = "bad_time",
    /// Arrays or columns of another length or shape than is needed.
    WrongShape = "wrong_shape",
    /// A table of contracts or a market that is not the one in use.
    OtherTable = "other_table",
    /// A file or document that breaks its format.
    BadFormat = "bad_format",
    /// A file or document that ends too early or is damaged.
    Damaged = "damaged",
    /// A file or document that is larger or deeper than any real one.
    TooLarge = "too_large",
    /// A format of a version that this build does not read.
    OtherVersion = "other_version",
    /// A file that cannot be opened or read.
    Unreadable = "unreadable",
    /// Something the calculation needs that no other code names.
    MissingData = "missing_data",
    /// A contract that is not in the table.
    MissingContract = "missing_contract",
    /// A symbol without terms in the product table.
    MissingProduct = "missing_product",
    /// A spot price that was not given.
    MissingSpot = "missing_spot",
    /// A forward or a future's price that was not given.
    MissingForward = "missing_forward",
    /// A mark that was not given.
    MissingPrice = "missing_price",
    /// A volatility that was not given.
    MissingVol = "missing_vol",
    /// An interest rate that was not given.
    MissingRate = "missing_rate",
    /// An exchange rate that was not given.
    MissingFx = "missing_fx",
    /// A parameter of the rulebook that was not given, or has no row for this contract.
    MissingParameter = "missing_parameter",
    /// A past price or return that was not given.
    MissingHistory = "missing_history",
    /// A rule that exists and is not implemented.
    Unsupported = "unsupported",
    /// Something the rulebook does not cover.
    NotCovered = "not_covered",
    /// A calculation that could not be completed.
    NotCompleted = "not_completed",
    /// A result that is no number.
    NoNumber = "no_number",
    /// A processor state, set by another library, that changes results.
    ProcessorState = "processor_state",
    /// An account that a fork or a failure left half way: open it again.
    Reopen = "reopen",
    /// Other threads changed the account each time the work was done: try again.
    Busy = "busy",
    /// Work that was told to stop.
    Interrupted = "interrupted",
}

impl<T: Into<String>> From<T> for Fault {
    fn from(message: T) -> Self {
        Self(Box::new(Parts {
            message: message.into(),
            code: None,
            place: None,
            value: None,
        }))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

macro_rules! whole {
    ($($type:ty)+) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::Whole(i64::try_from(value).unwrap_or(i64::MAX))
            }
        })+
    };
}

whole! { i8 i64 u32 usize }

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl MarginError {
    fn fault(&self) -> &Fault {
        match self {
            Self::InvalidInput(fault)
            | Self::ParseError(fault)
            | Self::MissingData(fault)
            | Self::Unsupported(fault)
            | Self::NotApplicable(fault)
            | Self::CalculationError(fault)
            | Self::Interrupted(fault) => fault,
        }
    }

    fn parts(&mut self) -> &mut Parts {
        match self {
            Self::InvalidInput(fault)
            | Self::ParseError(fault)
            | Self::MissingData(fault)
            | Self::Unsupported(fault)
            | Self::NotApplicable(fault)
            | Self::CalculationError(fault)
            | Self::Interrupted(fault) => &mut fault.0,
        }
    }

    /// What, where, and what to do, for people.
    pub fn message(&self) -> &str {
        &self.fault().0.message
    }

    /// The name of the variant, which is that of the exception in Python.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InvalidInput(_) => "InvalidInput",
            Self::ParseError(_) => "ParseError",
            Self::MissingData(_) => "MissingData",
            Self::Unsupported(_) => "Unsupported",
            Self::NotApplicable(_) => "NotApplicable",
            Self::CalculationError(_) => "CalculationError",
            Self::Interrupted(_) => "Interrupted",
        }
    }

    /// Why, for programs; where no code was given, that of the kind.
    pub fn why(&self) -> Code {
        self.fault().0.code.unwrap_or(match self {
            Self::InvalidInput(_) => Code::InvalidInput,
            Self::ParseError(_) => Code::BadFormat,
            Self::MissingData(_) => Code::MissingData,
            Self::Unsupported(_) => Code::Unsupported,
            Self::NotApplicable(_) => Code::NotCovered,
            Self::CalculationError(_) => Code::NotCompleted,
            Self::Interrupted(_) => Code::Interrupted,
        })
    }

    /// The argument, contract, file and line or row that is meant, outermost first: `market: rate of USD`.
    pub fn whereabouts(&self) -> Option<&str> {
        self.fault().0.place.as_deref()
    }

    /// The value that was refused.
    pub fn refused(&self) -> Option<&Value> {
        self.fault().0.value.as_ref()
    }

    /// The same error with where it happened put in front of the message, and of the place it names.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        let parts = self.parts();
        parts.message = format!("{place}: {}", parts.message);
        parts.place = Some(match parts.place.take() {
            Some(inner) => format!("{place}: {inner}"),
            None => place.to_string(),
        });
        self
    }

    /// The same error in other words.
    #[must_use]
    pub fn say(mut self, message: String) -> Self {
        self.parts().message = message;
        self
    }

    /// The same error with a code.
    #[must_use]
    pub fn code(mut self, code: Code) -> Self {
        self.parts().code = Some(code);
        self
    }

    /// The same error with its place, where the message has it already.
    #[must_use]
    pub fn place(mut self, place: impl fmt::Display) -> Self {
        self.parts().place = Some(place.to_string());
        self
    }

    /// The same error with the value it refuses, where the message has it already.
    #[must_use]
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.parts().value = Some(value.into());
        self
    }
}

impl fmt::Display for MarginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for MarginError {}

/// The house's only way to fail: `fail!(InvalidInput, "text {}", a)`, where a program may want to know more
/// `fail!(InvalidInput: OutOfRange, place "rate of USD", value rate; "text {}", a)`. The text says both again.
#[macro_export]
macro_rules! fail {
    ($kind:ident $(: $code:ident)? $(, place $place:expr)? $(, value $value:expr)?; $($arg:tt)*) => {
        return Err($crate::error::MarginError::$kind(format!($($arg)*).into())
            $(.code($crate::error::Code::$code))?
            $(.place($place))?
            $(.value($value))?)
    };
    ($kind:ident, $($arg:tt)*) => {
        return Err($crate::error::MarginError::$kind(format!($($arg)*).into()))
    };
}
