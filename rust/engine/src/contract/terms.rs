//! The terms of a contract: one list, from which the document, the columns ([`crate::columns`]) and their forms come.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::deliverable::Deliverable;
use crate::time::Settles;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Spot,
    Stock,
    Etf,
    Index,
    Future,
    Perpetual,
    Option,
}

impl Kind {
    /// As documents write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Stock => "stock",
            Self::Etf => "etf",
            Self::Index => "index",
            Self::Future => "future",
            Self::Perpetual => "perpetual",
            Self::Option => "option",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    #[serde(alias = "Call", alias = "CALL", alias = "C", alias = "c")]
    Call,
    #[serde(alias = "Put", alias = "PUT", alias = "P", alias = "p")]
    Put,
}

impl Right {
    /// +1 for a call, -1 for a put, as the pricing kernels take it.
    pub fn sign(self) -> i8 {
        match self {
            Self::Call => 1,
            Self::Put => -1,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exercise {
    European,
    American,
}

/// How profit and loss is paid: in the quote currency, or in the base coin at the inverse of its price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Settlement {
    #[default]
    Linear,
    Inverse,
}

/// Whether an option's premium is paid up front or settled like a future's variation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Premium {
    #[default]
    Upfront,
    FuturesStyle,
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

/// The one list of terms, given to a macro of the caller's. A new term is a line here; what else names terms does not
/// compile, or fails a test, until it has it.
macro_rules! each_term {
    ($with:ident) => {
        $with! {
            /// Unique in its table; derived from the other terms where left out.
            #[serde(default, skip_serializing_if = "String::is_empty")]
            id: String,
            kind: Kind,
            /// A symbol, or the id of another contract: an option on a future names its future.
            underlying: String,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            right: Option<Right>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            strike: Option<f64>,
            /// An instant with its zone, or a date together with `settles` (and an exchange).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            expiry: Option<String>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            settles: Option<Settles>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            exchange: Option<String>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            exercise: Option<Exercise>,
            /// Units of the underlying (or of `multiplier_unit`) per contract. Derivatives state it; anything else is its own
            /// unit, 1, unless it says otherwise.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            multiplier: Option<f64>,
            /// What the multiplier counts where that is not the underlying's own unit: `coin` or a currency such as `USD`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            multiplier_unit: Option<String>,
            /// Of an option, what its strike is multiplied by: the multiplier, where it is left out.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            strike_multiplier: Option<f64>,
            /// Of an option, what its price is multiplied by: the multiplier, where it is left out.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            premium_multiplier: Option<f64>,
            #[serde(default)]
            settlement: Settlement,
            #[serde(default)]
            premium: Premium,
            /// The currency profit, loss and premium are paid in.
            currency: String,
            /// The smallest tradable quantity in contracts; quantities are whole numbers of lots.
            #[serde(default = "one")]
            lot: f64,
            /// What exercise delivers; left out, the multiplier's units of the underlying, or their value.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            deliverable: Option<Deliverable>,
            #[serde(default = "yes")]
            listed: bool,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            venue: Option<String>,
            /// The contract's name at other vendors: `{vendor: id}`.
            #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
            aliases: BTreeMap<String, String>,
        }
    };
}
pub(crate) use each_term;

macro_rules! document {
    ($($(#[$attribute:meta])* $name:ident: $type:ty,)*) => {
        /// The terms of one contract, as written in a document. [`Contract::new`](super::Contract::new) checks them.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Terms {
            $($(#[$attribute])* pub $name: $type,)*
        }

        impl Terms {
            /// The names of the terms, in the order documents have them.
            pub const NAMES: &[&str] = &[$(stringify!($name),)*];
        }
    };
}
each_term!(document);

impl Terms {
    /// The terms every contract states; the others as where a document leaves them out.
    pub fn new(kind: Kind, underlying: String, currency: String) -> Self {
        Self {
            id: String::new(),
            kind,
            underlying,
            right: None,
            strike: None,
            expiry: None,
            settles: None,
            exchange: None,
            exercise: None,
            multiplier: None,
            multiplier_unit: None,
            strike_multiplier: None,
            premium_multiplier: None,
            settlement: Settlement::default(),
            premium: Premium::default(),
            currency,
            lot: one(),
            deliverable: None,
            listed: yes(),
            venue: None,
            aliases: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_the_same_in_code_and_documents() {
        let document = serde_json::json!({"kind": "stock", "underlying": "A", "currency": "USD"});
        let read: Terms = serde_json::from_value(document).unwrap();
        assert_eq!(read, Terms::new(Kind::Stock, "A".into(), "USD".into()));
    }
}
