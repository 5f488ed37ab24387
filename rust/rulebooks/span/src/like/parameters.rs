//! Scan ranges by underlying, and their checks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::options::Options;
use engine::bounds;
use kernel::error::Result;
use kernel::fail;

pub const PRESETS: &str = include_str!("../../presets/span_like.json");

/// The largest vol scan range, of the vol or absolute. Larger ones are percentages by mistake.
const MAX_VOL_SCAN: f64 = 2.0;

/// How American options are priced. No clearing house's choice: SPAN-like is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum American {
    /// Collocation of the exercise boundary: what trees converge to, and what reports take greeks from.
    #[serde(rename = "collocation")]
    Collocation,
    /// PC-SPAN's code of the Cox-Ross-Rubinstein tree, here of 400 steps: thousands of times slower.
    #[serde(rename = "CA")]
    Tree,
    /// PC-SPAN's code of the quadratic approximation.
    #[serde(rename = "W")]
    AdesiWhaley,
}

/// Scan ranges of one underlying, by root symbol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Underlying {
    /// Price scan range as a fraction of the underlying's price.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Inner"))]
    pub price_scan: f64,
    /// Vol scan range: a fraction of each option's vol, or an amount where `vol_scan_absolute`.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::VolScan"))]
    pub vol_scan: f64,
    /// Whether `vol_scan` is added to the vol, 0.05 being five points, instead of a fraction of it.
    #[serde(default)]
    pub vol_scan_absolute: bool,
    /// Money per short option.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
    pub short_option_minimum: f64,
    /// Money per unit of delta long in one month and short in another.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
    pub calendar_charge: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LikeParameters {
    /// The extreme move as a multiple of the price scan range, and the share of its loss that is charged.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "(engine::schema::units::Times, engine::schema::units::Fraction)")
    )]
    pub extreme: (f64, f64),
    /// Calendar days by which options age in every scenario.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Days"))]
    pub lookahead_days: f64,
    /// Days of a year in time to expiry.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "engine::schema::units::DaysOfYear")
    )]
    pub days_per_year: f64,
    /// Model of American options.
    pub american_model: American,
    /// Scan ranges by root symbol.
    pub underlyings: BTreeMap<String, Underlying>,
    /// What no public text of SPAN settles.
    #[serde(default)]
    pub options: Options,
}

impl LikeParameters {
    /// Refuses numbers that are no scan ranges.
    pub(super) fn check(&self) -> Result<()> {
        self.options.check()?;
        for (name, u) in &self.underlyings {
            if !(u.price_scan > 0.0 && u.price_scan < 1.0) {
                fail!(
                    InvalidInput: OutOfRange;
                    "span-like: {name}: price_scan is {}: a fraction of the price between 0 and 1 is needed (0.06 is 6 %)",
                    u.price_scan
                );
            }
            if !(0.0..=MAX_VOL_SCAN).contains(&u.vol_scan) {
                fail!(
                    InvalidInput: OutOfRange;
                    "span-like: {name}: vol_scan is {}: a fraction between 0 and {MAX_VOL_SCAN} is needed (0.25 is 25 %)",
                    u.vol_scan
                );
            }
            for (what, value) in [
                ("short_option_minimum", u.short_option_minimum),
                ("calendar_charge", u.calendar_charge),
            ] {
                bounds::not_negative(format_args!("span-like: {name}: {what}"), value)?;
            }
        }
        bounds::fraction("span-like: the share of extreme moves", self.extreme.1)?;
        let numbers = [self.extreme.0, self.lookahead_days, self.days_per_year];
        if numbers.iter().any(|v| !v.is_finite() || *v < 0.0) || self.days_per_year <= 0.0 {
            fail!(
                InvalidInput: OutOfRange;
                "span-like: extreme, lookahead_days and days_per_year are finite and not negative"
            );
        }
        Ok(())
    }
}
