//! What a number in a rulebook's parameters is: its unit, and the bounds that hold wherever it stands.
//!
//! For the JSON Schema alone: `#[cfg_attr(feature = "schema", schemars(with = "units::Fraction"))]` on a field says it.
//! A bound here is never stricter than the rulebook's own `check`; `tests/python/engine/test_schema.py` asks the reader.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A date as documents write it.
#[derive(Debug)]
pub enum Day {}

impl JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"})
    }
}

/// Unit types: what a field is described as in place of a bare number.
pub mod units {
    use super::{Cow, JsonSchema, Schema, SchemaGenerator, json_schema};
    use crate::bounds::{MAX_CARRY, MAX_VOL};

    macro_rules! units {
        ($($(#[$about:meta])* $name:ident = $unit:literal $(, $bound:literal: $at:expr)*;)*) => {$(
            $(#[$about])*
            #[derive(Debug)]
            pub enum $name {}

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({"type": "number", "x-unit": $unit $(, $bound: $at)*})
                }
            }
        )*};
    }

    units! {
        /// From zero to one: 0.15 is 15 %.
        Fraction = "fraction", "minimum": 0.0, "maximum": 1.0;
        /// A fraction above zero and below one.
        Inner = "fraction", "exclusiveMinimum": 0.0, "exclusiveMaximum": 1.0;
        /// A fraction that may pass the whole: up to three times.
        Share = "fraction", "minimum": 0.0, "maximum": 3.0;
        /// A fraction of the price that it falls by, negative.
        Fall = "fraction", "minimum": -1.0, "maximum": 0.0;
        /// A relative move of a price.
        Move = "fraction", "exclusiveMinimum": -1.0, "maximum": 3.0;
        /// A fraction of either sign and any size.
        Signed = "fraction";
        /// A fraction of zero or more.
        Relative = "fraction", "minimum": 0.0;
        /// A factor on an amount, above zero and up to five.
        Factor = "factor", "exclusiveMinimum": 0.0, "maximum": 5.0;
        /// A level of the risk, above zero and up to ten.
        LevelFactor = "factor", "exclusiveMinimum": 0.0, "maximum": 10.0;
        /// A factor of either sign.
        Multiple = "factor";
        /// A factor of zero or more.
        Times = "factor", "minimum": 0.0;
        /// A multiple of a daily return, from minus ten to ten.
        Leverage = "factor", "minimum": -10.0, "maximum": 10.0;
        /// A positive factor.
        Positive = "factor", "exclusiveMinimum": 0.0;
        /// A power, or another number without a unit.
        Number = "number";
        /// Money of either sign.
        Money = "money";
        /// Money, zero or more.
        Amount = "money", "minimum": 0.0;
        /// Money above zero.
        Unit = "money", "exclusiveMinimum": 0.0;
        /// Money per share or unit of the underlying, zero or more.
        PerUnit = "money per unit", "minimum": 0.0;
        /// A price, of either sign.
        Price = "price";
        /// A price above zero.
        PositivePrice = "price", "exclusiveMinimum": 0.0;
        /// A price or a step of one, zero or more.
        Step = "price", "minimum": 0.0;
        /// A lognormal volatility, or a change of one: an annual fraction.
        Vol = "annual fraction", "minimum": 0.0, "maximum": MAX_VOL;
        /// A volatility above zero and up to five.
        VolFloor = "annual fraction", "exclusiveMinimum": 0.0, "maximum": 5.0;
        /// A change of a volatility, of either sign.
        VolMove = "annual fraction";
        /// A rate that a venue implies from its own futures.
        Rate = "annual fraction", "minimum": -MAX_CARRY, "maximum": MAX_CARRY;
        /// An annual fraction of zero or more.
        Annual = "annual fraction", "minimum": 0.0;
        /// A share of the price, or a volatility, up to ten times.
        Shock = "fraction", "minimum": 0.0, "maximum": 10.0;
        /// Range of a vol scan.
        VolScan = "fraction", "minimum": 0.0, "maximum": 2.0;
        /// Days, zero or more.
        Days = "days", "minimum": 0.0;
        /// Days above zero.
        DaysOfYear = "days", "exclusiveMinimum": 0.0;
        /// Days of either sign.
        DaysOffset = "days";
        /// Years.
        Years = "years";
        /// Seconds.
        Seconds = "seconds";
        /// Units of the underlying.
        Units = "units";
        /// Lots, above zero.
        Lots = "lots", "exclusiveMinimum": 0.0;
        /// A variance, above zero.
        Variance = "variance", "exclusiveMinimum": 0.0;
        /// Numbers of a history: prices, or returns, as its `kind` says.
        Observed = "level or return";
    }
}
