//! A file's contracts as contract terms, and several files as one.

use std::collections::BTreeMap;

use crate::model::*;
use crate::unique::check_unique;
use engine::contract::{Exercise, Kind, Premium, Right, Settlement, Terms};
use engine::time::Settles;
use kernel::error::Result;
use kernel::fail;

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

/// Several clearing organisations as one parameter set, so that inter-exchange spreads find both sides.
pub fn merge(files: Vec<SpanFile>) -> Result<SpanFile> {
    let mut files = files.into_iter();
    let Some(mut all) = files.next() else {
        fail!(InvalidInput, "no files to merge")
    };
    for file in files {
        if file.points.len() != all.points.len()
            || file
                .points
                .iter()
                .zip(&all.points)
                .any(|(a, b)| a.paired != b.paired)
        {
            fail!(
                Unsupported,
                "{} and {}: different scan points: use one methodology for each (methods.Combined)",
                all.info.file,
                file.info.file
            );
        }
        if file.contract_scale != all.contract_scale {
            fail!(
                Unsupported,
                "{} and {}: contract scale in one, delta scale in the other",
                all.info.file,
                file.info.file
            );
        }
        if file.info.business_date != all.info.business_date {
            fail!(
                InvalidInput,
                "{} is of {}, {} of {}",
                all.info.file,
                all.info.business_date,
                file.info.file,
                file.info.business_date
            );
        }
        for cc in &file.commodities {
            if all.commodity(&cc.code).is_some() {
                fail!(
                    Unsupported,
                    "commodity {} is in two of the files: use one methodology for each (methods.Combined)",
                    cc.code
                );
            }
        }
        let (families, series, commodities) = (
            all.families.len() as u32,
            all.series.len() as u32,
            all.commodities.len() as u32,
        );
        let rows = all.contracts.len() as u32;
        all.families
            .extend(file.families.into_iter().map(|f| Family {
                commodity: f.commodity.map(|c| c + commodities),
                ..f
            }));
        all.series.extend(file.series.into_iter().map(|s| Series {
            family: s.family + families,
            first: s.first + rows,
            ..s
        }));
        all.contracts
            .series
            .extend(file.contracts.series.into_iter().map(|s| s + series));
        all.contracts.right.extend(file.contracts.right);
        all.contracts.strike.extend(file.contracts.strike);
        all.contracts.price.extend(file.contracts.price);
        all.contracts.value.extend(file.contracts.value);
        all.contracts.vol.extend(file.contracts.vol);
        all.contracts.delta.extend(file.contracts.delta);
        all.contracts.array.extend(file.contracts.array);
        all.contracts.number.extend(file.contracts.number);
        all.commodities.extend(file.commodities);
        all.super_spreads.extend(file.super_spreads);
        all.inter_spreads.extend(file.inter_spreads);
        all.exchange_spreads.extend(file.exchange_spreads);
        let known = |rates: &[CurrencyRate], r: &CurrencyRate| {
            rates.iter().any(|k| k.from == r.from && k.to == r.to)
        };
        for rate in file.rates {
            if !known(&all.rates, &rate) {
                all.rates.push(rate);
            }
        }
        for (what, count) in file.unknown {
            *all.unknown.entry(what).or_insert(0) += count;
        }
        for (own, other) in [
            (&mut all.info.file, file.info.file),
            (&mut all.info.organisation, file.info.organisation),
            (&mut all.info.digest, file.info.digest),
            (&mut all.info.run, file.info.run),
        ] {
            own.push_str(" + ");
            own.push_str(&other);
        }
    }
    check_unique(&all)?;
    Ok(all)
}
