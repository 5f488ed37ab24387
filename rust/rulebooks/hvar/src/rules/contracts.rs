//! Rules that add up over single contracts: flat rates, rates by side, tick values, costs of closing out.
//!
//! "Guide" is HKSCC's VaR Platform: Initial Margin Calculation Guide v1.4 (October 2025).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::parts::{Amount, Books, Parts, SideSums, not_negative};
use engine::bounds;
use kernel::error::Result;
use kernel::float::larger;

/// Rates on the two sides of a position.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sides {
    /// Rate on what is long.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub long: f64,
    /// Rate on what is short.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub short: f64,
}

/// How a product trades.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Depth {
    /// Between bid and ask, in units of the price.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Step"))]
    pub spread: f64,
    /// Lots of an average day.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Lots"))]
    pub volume: f64,
}

/// How a product trades, and how far it moves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// Volatility of the day's relative return.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Relative"))]
    pub vol: f64,
    /// Lots of an average day.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Lots"))]
    pub volume: f64,
}

/// Minimum price steps of a low-priced product.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ticks {
    /// How many price steps are asked at least.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
    pub ticks: f64,
    /// The price step, in units of the price.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Step"))]
    pub tick: f64,
}

/// Flat rate margin: Guide, section 3.2.4.2.
pub(crate) fn flat_rate<'a>(
    rates: &'a BTreeMap<String, f64>,
    groups: &'a [Vec<String>],
    multiplier: f64,
) -> Parts<'a> {
    let all = rates.values().map(|&r| ("rates", r));
    Parts {
        check: not_negative(all.chain([("multiplier", multiplier)])),
        takes: rates.keys().map(String::as_str).collect(),
        row: Some(Box::new(move |own| {
            Ok(own.keys.iter().find_map(|k| {
                let rate = *rates.get(*k)?;
                let group = groups.iter().position(|g| g.iter().any(|m| m == k));
                Some((group.unwrap_or(groups.len() + own.at) as u32, rate, rate))
            }))
        })),
        of: &[],
        amount: Amount::OfContracts(Box::new(move |books, sides| {
            add_sides(books, sides);
            multiplier * sides.iter().fold(0.0, |sum, s| sum + larger(s.1, s.2))
        })),
        explain: None,
    }
}

/// Rate times value of each group's long and short side; groups in order.
fn add_sides(books: &Books<'_>, sides: &mut SideSums) {
    sides.clear();
    let positions = books.account.positions;
    for i in 0..positions.len() {
        let row = positions.contract[i] as usize;
        let Some((group, long, short)) = books.rows[row] else {
            continue;
        };
        let value = books.worth[row].value;
        let (up, down) = (
            positions.long(i) as f64 * value * long,
            positions.short(i) as f64 * value * short,
        );
        match sides.iter_mut().find(|s| s.0 == group) {
            Some(side) => {
                side.1 += up;
                side.2 += down;
            }
            None => sides.push((group, up, down)),
        }
    }
    sides.sort_unstable_by_key(|s| s.0);
}

/// Corporate action position margin: Guide, section 3.2.4.5.
pub(crate) fn side_rate(rates: &BTreeMap<String, Sides>) -> Parts<'_> {
    Parts {
        check: rates.values().try_for_each(|sides| {
            bounds::finite("long", sides.long)?;
            bounds::finite("short", sides.short)
        }),
        takes: rates.keys().map(String::as_str).collect(),
        row: Some(Box::new(move |own| {
            let sides = own.keys.iter().find_map(|k| rates.get(*k));
            Ok(sides.map(|s| (0, s.long, s.short)))
        })),
        of: &[],
        amount: Amount::OfContracts(Box::new(|books, _| {
            let positions = books.account.positions;
            (0..positions.len()).fold(0.0, |sum, i| {
                let row = positions.contract[i] as usize;
                let Some((_, long, short)) = books.rows[row] else {
                    return sum;
                };
                let value = positions.net(i) as f64 * books.worth[row].value;
                sum + (value * if value < 0.0 { short } else { long }).abs()
            })
        })),
        explain: None,
    }
}

/// Structured product add-on: Guide, section 3.2.4.4.
pub(crate) fn tick_value(products: &BTreeMap<String, Ticks>) -> Parts<'_> {
    let all = products.values();
    Parts {
        check: not_negative(all.flat_map(|p| [("ticks", p.ticks), ("tick", p.tick)])),
        takes: Vec::new(),
        row: Some(Box::new(move |own| {
            let product = own.keys.iter().find_map(|k| products.get(*k));
            Ok(product.map(|p| (0, p.ticks * p.tick, p.ticks * p.tick)))
        })),
        of: &[],
        amount: Amount::OfContracts(Box::new(|books, _| {
            let positions = books.account.positions;
            (0..positions.len()).fold(0.0, |sum, i| {
                let row = positions.contract[i] as usize;
                let Some((_, per_unit, _)) = books.rows[row] else {
                    return sum;
                };
                let lots = (positions.long(i) + positions.short(i)) as f64;
                sum + lots * books.worth[row].units * per_unit
            })
        })),
        explain: None,
    }
}

/// CME's SPAN 2 methodology pages describe it in words; the formula is ours.
pub(crate) fn close_out(products: &BTreeMap<String, Depth>, kappa: f64, beta: f64) -> Parts<'_> {
    let spreads = products.values().map(|p| ("spread", p.spread));
    Parts {
        check: check_volumes(products.iter().map(|(name, p)| (name, p.volume)))
            .and_then(|()| not_negative(spreads.chain([("kappa", kappa), ("beta", beta)]))),
        takes: Vec::new(),
        row: Some(Box::new(move |own| {
            let depth = own.keys.iter().find_map(|k| products.get(*k));
            Ok(depth.map(|d| (0, 0.5 * d.spread * own.worth.units, d.volume)))
        })),
        of: &[],
        amount: Amount::OfContracts(Box::new(move |books, _| {
            of_lots(books, |lots, half, volume| {
                half * lots * (1.0 + kappa * (lots / volume).powf(beta))
            })
        })),
        explain: None,
    }
}

/// The square-root law of market impact.
pub(crate) fn impact(products: &BTreeMap<String, Daily>, scale: f64) -> Parts<'_> {
    let vols = products.values().map(|p| ("vol", p.vol));
    Parts {
        check: check_volumes(products.iter().map(|(name, p)| (name, p.volume)))
            .and_then(|()| not_negative(vols.chain([("scale", scale)]))),
        takes: Vec::new(),
        row: Some(Box::new(move |own| {
            let daily = own.keys.iter().find_map(|k| products.get(*k));
            Ok(daily.map(|d| (0, d.vol * own.worth.value.abs(), d.volume)))
        })),
        of: &[],
        amount: Amount::OfContracts(Box::new(move |books, _| {
            of_lots(books, |lots, value, volume| {
                scale * value * lots * (lots / volume).sqrt()
            })
        })),
        explain: None,
    }
}

/// A sum over contracts of what their net lots cost, by the rule's two numbers of each.
fn of_lots(books: &Books<'_>, cost: impl Fn(f64, f64, f64) -> f64) -> f64 {
    let positions = books.account.positions;
    (0..positions.len()).fold(0.0, |sum, i| {
        match books.rows[positions.contract[i] as usize] {
            Some((_, a, b)) => sum + cost(positions.net(i).unsigned_abs() as f64, a, b),
            None => sum,
        }
    })
}

fn check_volumes<'a>(mut volumes: impl Iterator<Item = (&'a String, f64)>) -> Result<()> {
    volumes
        .try_for_each(|(name, volume)| bounds::positive(format_args!("volume of '{name}'"), volume))
}
