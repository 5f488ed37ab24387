//! How a volatility moves in a scenario: base shocks scaled by time to expiry, floors, skews.

use serde::{Deserialize, Serialize};

use super::scenario::VolMove;
use engine::bounds;
use kernel::error::Result;
use kernel::fail;
use kernel::float::{larger, smaller};

/// The largest shock of a volatility before it is scaled by time. Larger ones are percentages by mistake.
const MAX_SHOCK: f64 = 10.0;

fn thirty() -> f64 {
    30.0
}

/// The venue's law. Shocks are fractions of the volatility, or added to it where `absolute`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VolLaw {
    /// Shock up at the pivot.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Shock"))]
    pub up: f64,
    /// Shock down at the pivot, as a positive number.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Shock"))]
    pub down: f64,
    /// Powers of (pivot / days) up to and beyond the pivot.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub power_short: f64,
    /// Power of (pivot / days) beyond the pivot.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub power_long: f64,
    /// Days to expiry at which the shocks are as stated.
    #[serde(default = "thirty")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "engine::schema::units::DaysOfYear")
    )]
    pub pivot_days: f64,
    /// Least days to expiry that the law sees.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Days"))]
    pub floor_days: f64,
    /// Days added before the law is applied.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "engine::schema::units::DaysOffset")
    )]
    pub days_offset: f64,
    /// The volatility is at least this after a shock up.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Vol"))]
    pub min_up: f64,
    /// Whether shocks are added to the volatility instead of being fractions of it.
    #[serde(default)]
    pub absolute: bool,
    /// (days, shock both ways): replaces the law where a venue publishes nodes; linear between, flat beyond.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<(engine::schema::units::DaysOffset, engine::schema::units::Signed)>")
    )]
    pub nodes: Vec<(f64, f64)>,
    /// The law of skew scenarios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<Skew>,
}

/// Derive's skew scenarios: the cap of a multiplier and the moneyness where it is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Skew {
    /// Largest change of a volatility's multiplier in `skew_linear`, without its part of time.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub linear_cap: f64,
    /// Added to that, per root of the years to expiry.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub linear_slope: f64,
    /// Largest change of a volatility's multiplier in `skew_absolute`, without its part of time.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub absolute_cap: f64,
    /// Added to that, per root of the years to expiry.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub absolute_slope: f64,
    /// Least log-moneyness at which the largest change is reached.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub min_kstar: f64,
    /// Standard deviations to the log-moneyness at which it is reached.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub width: f64,
    /// Volatility that the standard deviation is made of.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::VolMove"))]
    pub vol_static: f64,
    /// Added to that volatility, per root of the years to expiry.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub vol_scale: f64,
}

/// The law at one expiry.
#[derive(Debug, Clone, Copy)]
pub struct Shock {
    up: f64,
    down: f64,
    min_up: f64,
    absolute: bool,
}

impl VolLaw {
    pub fn check(&self) -> Result<()> {
        if self.nodes.first().is_some_and(|n| n.0 > 0.0)
            || !self.nodes.is_sorted_by(|a, b| a.0 < b.0)
        {
            fail!(InvalidInput, "vol.nodes start at 0 days and ascend");
        }
        for (name, shock) in [("up", self.up), ("down", self.down)] {
            if !(0.0..=MAX_SHOCK).contains(&shock) {
                fail!(
                InvalidInput: OutOfRange, place format_args!("vol.{name}"), value shock;
                "vol.{name} is {shock}: a fraction between 0 and {MAX_SHOCK} is needed (0.5 is 50 %)"
                                );
            }
        }
        bounds::vol("vol.min_up", self.min_up)?;
        for (name, power) in [
            ("power_short", self.power_short),
            ("power_long", self.power_long),
        ] {
            if !power.is_finite() {
                fail!(
                InvalidInput: NotFinite, place format_args!("vol.{name}"), value power;
                "vol.{name} is {power}: a finite number is needed"
                                );
            }
        }
        if self.pivot_days <= 0.0 || self.floor_days < 0.0 {
            fail!(
                InvalidInput: OutOfRange;
                "vol.pivot_days must be positive and vol.floor_days not negative"
            );
        }
        Ok(())
    }

    /// The time factor. At expiry with no floor a volatility has nothing left to act on, and the factor is zero.
    fn scale(&self, days: f64) -> f64 {
        let days = days + self.days_offset;
        let floored = larger(days, self.floor_days);
        if floored <= 0.0 {
            return 0.0;
        }
        let power = if days <= self.pivot_days {
            self.power_short
        } else {
            self.power_long
        };
        (self.pivot_days / floored).powf(power)
    }

    fn node(&self, days: f64) -> f64 {
        let after = self.nodes.partition_point(|n| n.0 < days);
        if after == 0 {
            return self.nodes[0].1;
        }
        let (x0, y0) = self.nodes[after - 1];
        match self.nodes.get(after) {
            Some(&(x1, y1)) => y0 + (y1 - y0) * (days - x0) / (x1 - x0),
            None => y0,
        }
    }

    /// The law at an expiry `days` away.
    pub fn at(&self, days: f64) -> Shock {
        let (up, down) = if self.nodes.is_empty() {
            let scale = self.scale(days);
            (self.up * scale, self.down * scale)
        } else {
            let node = self.node(days);
            (node, node)
        };
        Shock {
            up,
            down,
            min_up: self.min_up,
            absolute: self.absolute,
        }
    }

    /// The factor of a skew scenario on the volatility of a strike.
    pub fn skewed(&self, vol: VolMove, forward: f64, strike: f64, years: f64) -> Result<f64> {
        let Some(skew) = &self.skew else {
            fail!(
                InvalidInput,
                "the rules have a skew scenario but no vol.skew"
            );
        };
        let root = years.sqrt();
        let wide = root * skew.width * (skew.vol_static + root * skew.vol_scale);
        let kstar = larger(wide, skew.min_kstar);
        let log = (strike / forward).ln();
        let (z, cap) = match vol {
            VolMove::SkewLinear => (log, skew.linear_slope * root + skew.linear_cap),
            VolMove::SkewAbsolute => (log.abs(), skew.absolute_slope * root + skew.absolute_cap),
            VolMove::Down | VolMove::Same | VolMove::Up => return Ok(1.0),
        };
        let slope = z * cap / kstar;
        let change = if z >= 0.0 {
            smaller(slope, cap)
        } else {
            larger(slope, -cap)
        };
        Ok(if change > -1.0 { 1.0 + change } else { 0.0 })
    }
}

impl Shock {
    /// Multipliers up and down as the venue reports them (1 + shock, 1 - shock, not below zero).
    pub fn multipliers(&self) -> (f64, f64) {
        (
            1.0 + self.up,
            if self.down < 1.0 {
                1.0 - self.down
            } else {
                0.0
            },
        )
    }

    /// What is added to a volatility by an operation that is not a skew.
    pub fn change(&self, vol: f64, operation: VolMove) -> f64 {
        match operation {
            VolMove::Up => {
                let moved = if self.absolute {
                    vol + self.up
                } else {
                    vol * (1.0 + self.up)
                };
                larger(moved, self.min_up) - vol
            }
            VolMove::Down => {
                let moved = if self.absolute {
                    vol - self.down
                } else {
                    vol * (1.0 - self.down)
                };
                larger(moved, 0.0) - vol
            }
            VolMove::Same | VolMove::SkewLinear | VolMove::SkewAbsolute => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deribit() -> VolLaw {
        VolLaw {
            up: 0.5,
            down: 0.25,
            power_short: 0.3,
            power_long: 0.13,
            pivot_days: 30.0,
            min_up: 0.5,
            ..VolLaw::default()
        }
    }

    #[test]
    fn shocks_grow_towards_expiry_and_have_a_floor() {
        let law = deribit();
        assert_eq!(law.at(30.0).change(0.6, VolMove::Up), 0.6 * 1.5 - 0.6);
        assert!(law.at(7.0).change(0.6, VolMove::Up) > 0.3);
        assert_eq!(law.at(60.0).change(0.2, VolMove::Up), 0.5 - 0.2);
        assert_eq!(law.at(0.01).change(0.6, VolMove::Down), -0.6);
        assert_eq!(law.at(0.0).change(0.6, VolMove::Up), 0.6 - 0.6);
    }

    #[test]
    fn nodes_are_linear_between_and_flat_beyond() {
        let law = VolLaw {
            nodes: vec![(0.0, 0.5), (30.0, 0.35), (60.0, 0.25)],
            ..deribit()
        };
        assert!((law.at(15.0).change(1.0, VolMove::Down) + 0.425).abs() < 1e-15);
        assert!((law.at(600.0).change(1.0, VolMove::Down) + 0.25).abs() < 1e-15);
    }
}
