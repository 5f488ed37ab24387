//! A file's contracts as contract terms.

use std::collections::BTreeMap;

use crate::model::*;
use engine::contract::{Exercise, Kind, Premium, Right, Settlement, Terms};
use engine::time::Settles;

/// The terms of one contract of a file, with the id the file's methodology knows it by.
///
/// Dates without an hour settle at the close in UTC. Where the file names no settlement date, the last day of the
/// period's month stands in: margin from a file never reads it.
pub fn terms(file: &SpanFile, row: usize) -> Terms {
    let (series, family) = (file.series_of(row), file.family_of(row));
    let option = family.kind.is_option();
    let kind = match family.kind {
        ContractKind::Physical => Kind::Spot,
        ContractKind::Future | ContractKind::Combination => Kind::Future,
        _ => Kind::Option,
    };
    Terms {
        id: file.contract_id(row),
        kind,
        underlying: family.code.clone(),
        right: match file.contracts.right[row] {
            0 => None,
            r if r > 0 => Some(Right::Call),
            _ => Some(Right::Put),
        },
        strike: option.then(|| file.contracts.strike[row]),
        expiry: (kind != Kind::Spot).then(|| format!("{}T23:59:59Z", expiry_date(series))),
        settles: None::<Settles>,
        exchange: None,
        exercise: option.then(|| {
            if family.exercise.starts_with("AM") {
                Exercise::American
            } else {
                Exercise::European
            }
        }),
        multiplier: (series.cvf > 0.0).then_some(series.cvf),
        multiplier_unit: None,
        strike_multiplier: None,
        premium_multiplier: None,
        settlement: Settlement::Linear,
        premium: if option && !family.is_premium() {
            Premium::FuturesStyle
        } else {
            Premium::Upfront
        },
        currency: family.currency.clone(),
        lot: 1.0,
        deliverable: None,
        listed: true,
        venue: Some(family.exchange.clone()).filter(|e| !e.is_empty()),
        aliases: BTreeMap::new(),
    }
}

fn expiry_date(series: &Series) -> String {
    for text in [&series.settlement_date, &series.period] {
        if text.len() == 8
            && text.bytes().all(|b| b.is_ascii_digit())
            && let Ok(date) = format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..])
                .parse::<jiff::civil::Date>()
        {
            return date.to_string();
        }
    }
    let month = series
        .period
        .get(..6)
        .filter(|m| m.bytes().all(|b| b.is_ascii_digit()));
    month
        .and_then(|m| {
            format!("{}-{}-01", &m[..4], &m[4..])
                .parse::<jiff::civil::Date>()
                .ok()
        })
        .map_or_else(
            || "2999-12-31".into(),
            |first| first.last_of_month().to_string(),
        )
}
