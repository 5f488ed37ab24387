//! Instants, expiries and the day counts that rulebooks choose from.
//!
//! An instant always carries its zone; a date alone becomes an instant through `presets/exchanges.json`.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use once_cell::race::OnceBox;
use serde::{Deserialize, Serialize};

use crate::names::hint;
use kernel::error::{Code, MarginError, Result};
use kernel::fail;

/// When an option or future settles on its expiry date: at the open (`am`) or at the close (`pm`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Settles {
    Am,
    Pm,
}

/// The moment after which a contract no longer exists, and the calendar date it is named by.
#[derive(Debug, Clone, PartialEq)]
pub struct Expiry {
    pub instant: Timestamp,
    pub date: Date,
    pub zone: TimeZone,
}

/// The exchange assumed for a date that names none: United States listed options, New York time.
pub const DEFAULT_EXCHANGE: &str = "us";

#[derive(Deserialize)]
struct HoursOf<Zone> {
    zone: Zone,
    am: Time,
    pm: Time,
}

#[derive(Deserialize)]
struct ExchangeTable {
    exchanges: BTreeMap<String, HoursOf<String>>,
}

/// Hours by exchange, with their zones: the zones' own table has a lock, which is asked here only.
fn hours() -> &'static BTreeMap<String, HoursOf<TimeZone>> {
    static HOURS: OnceBox<BTreeMap<String, HoursOf<TimeZone>>> = OnceBox::new();
    HOURS.get_or_init(|| {
        let table: ExchangeTable = serde_json::from_str(include_str!("../presets/exchanges.json"))
            .expect("presets/exchanges.json is part of the build and follows ExchangeTable");
        let zoned = |(name, hours): (String, HoursOf<String>)| {
            let zone = TimeZone::get(&hours.zone).expect("zones of exchanges are in the build");
            let HoursOf { am, pm, .. } = hours;
            (name, HoursOf { zone, am, pm })
        };
        Box::new(table.exchanges.into_iter().map(zoned).collect())
    })
}

/// The exchanges whose hours are known, by name.
pub fn exchanges() -> impl Iterator<Item = &'static str> {
    hours().keys().map(String::as_str)
}

/// Parses an instant such as `2026-11-20T16:00:00-05:00` or `...Z`. A timestamp without an offset is refused.
pub fn parse_instant(text: &str) -> Result<Zoned> {
    let timestamp: Timestamp = text.parse().map_err(|_| {
        MarginError::InvalidInput(format!(
            "'{text}' is not an instant with a zone: write it like 2026-11-20T16:00:00-05:00 or 2026-11-20T21:00:00Z"
        ).into()).code(Code::BadTime).value(text)
    })?;
    let pieces = jiff::fmt::temporal::Pieces::parse(text).map_err(|e| {
        MarginError::InvalidInput(format!("'{text}': {e}").into())
            .code(Code::BadTime)
            .value(text)
    })?;
    let zone = match pieces.to_numeric_offset() {
        Some(offset) => TimeZone::fixed(offset),
        None => TimeZone::UTC,
    };
    Ok(timestamp.to_zoned(zone))
}

pub fn parse_date(text: &str) -> Result<Date> {
    match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => Ok(date),
        _ => fail!(
            InvalidInput: BadTime;
            "'{text}' is not a date: write it like 2026-12-18"
        ),
    }
}

impl Expiry {
    /// An instant with its zone, or a date with `settles` and an exchange of `presets/exchanges.json`.
    pub fn parse(text: &str, settles: Option<Settles>, exchange: Option<&str>) -> Result<Self> {
        if text.contains('T') {
            if settles.is_some() || exchange.is_some() {
                fail!(
                    InvalidInput: Duplicate;
                    "expiry '{text}' is an instant already: leave settles and exchange out"
                );
            }
            let zoned = parse_instant(text)?;
            return Ok(Self {
                instant: zoned.timestamp(),
                date: zoned.date(),
                zone: zoned.time_zone().clone(),
            });
        }
        let date = parse_date(text)?;
        let Some(settles) = settles else {
            fail!(
                InvalidInput: NotStated;
                "expiry '{text}' is a date: say settles=\"am\" or \"pm\", or give an instant"
            );
        };
        Self::on(date, settles, exchange)
    }

    /// The settlement instant of a date on an exchange.
    pub fn on(date: Date, settles: Settles, exchange: Option<&str>) -> Result<Self> {
        let name = exchange.unwrap_or(DEFAULT_EXCHANGE);
        let Some(hours) = hours().get(name) else {
            let known: Vec<&str> = exchanges().collect();
            fail!(InvalidInput: UnknownName, place "exchange", value name; "unknown exchange '{name}': use one of {}{}", known.join(", "), hint(name, known.iter().copied()));
        };
        let zone = &hours.zone;
        let time = match settles {
            Settles::Am => hours.am,
            Settles::Pm => hours.pm,
        };
        let zoned = date.to_datetime(time).to_zoned(zone.clone()).map_err(|e| {
            MarginError::InvalidInput(format!("expiry {date}: {e}").into()).code(Code::BadTime)
        })?;
        Ok(Self {
            instant: zoned.timestamp(),
            date,
            zone: zone.clone(),
        })
    }

    /// Whole calendar days from the valuation's date, in the contract's zone, to the expiry date.
    pub fn days_from(&self, valuation: Timestamp) -> i32 {
        let today = valuation.to_zoned(self.zone.clone()).date();
        today.until(self.date).map_or(0, |span| span.get_days())
    }

    /// Seconds from the valuation to the expiry instant; negative once expired.
    pub fn seconds_from(&self, valuation: Timestamp) -> f64 {
        self.instant.duration_since(valuation).as_secs_f64()
    }

    /// Expired means the valuation lies after the expiry; at the expiry a contract is worth its intrinsic value.
    pub fn is_before(&self, valuation: Timestamp) -> bool {
        self.instant < valuation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_needs_a_zone() {
        assert!(parse_instant("2026-11-20T16:00:00").is_err());
        assert!(parse_instant("2026-11-20").is_err());
        let zoned = parse_instant("2026-11-20T22:30:00-05:00").unwrap();
        assert_eq!(zoned.date().to_string(), "2026-11-20");
        assert_eq!(zoned.timestamp().to_string(), "2026-11-21T03:30:00Z");
    }

    #[test]
    fn a_date_settles_in_its_exchange_s_zone_through_daylight_saving() {
        let winter = Expiry::parse("2026-12-18", Some(Settles::Am), None).unwrap();
        assert_eq!(winter.instant.to_string(), "2026-12-18T14:30:00Z");
        let summer = Expiry::parse("2026-06-18", Some(Settles::Pm), Some("us")).unwrap();
        assert_eq!(summer.instant.to_string(), "2026-06-18T20:00:00Z");
        assert!(Expiry::parse("2026-12-18", None, None).is_err());
        assert!(Expiry::parse("2026-12-18", Some(Settles::Am), Some("atlantis")).is_err());
        assert!(Expiry::parse("20261218", Some(Settles::Am), None).is_err());
    }

    #[test]
    fn days_are_counted_on_the_contract_s_calendar() {
        let expiry = Expiry::parse("2026-12-18", Some(Settles::Pm), None).unwrap();
        // Already the 21st in UTC, still the 20th in New York.
        let late = parse_instant("2026-11-20T23:30:00-05:00")
            .unwrap()
            .timestamp();
        assert_eq!(expiry.days_from(late), 28);
        assert!(!expiry.is_before(expiry.instant));
    }
}
