//! Several files as one parameter set.

use crate::model::*;
use crate::unique::check_unique;
use kernel::error::Result;
use kernel::fail;

/// Several clearing organisations as one parameter set, so that inter-exchange spreads find both sides.
pub fn merge(files: Vec<SpanFile>) -> Result<SpanFile> {
    let mut files = files.into_iter();
    let Some(mut all) = files.next() else {
        fail!(InvalidInput: NotStated; "no files to merge")
    };
    for file in files {
        check_alike(&all, &file)?;
        add(&mut all, file);
    }
    check_unique(&all)?;
    Ok(all)
}

/// Refuses a file that cannot be one set with the others.
fn check_alike(all: &SpanFile, file: &SpanFile) -> Result<()> {
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
    Ok(())
}

/// Adds a file's families, contracts, commodities and spreads. Every field is named: one that is new and forgotten here
/// does not compile.
fn add(all: &mut SpanFile, file: SpanFile) {
    let SpanFile {
        info,
        // Alike in all the files.
        contract_scale: _,
        points: _,
        // Read where the file was parsed, or by nothing: commodities and series have their own.
        cap_anov: _,
        lookahead: _,
        // The first file's serve: only arrays that are made again read them.
        delta_points: _,
        rates,
        families,
        series,
        contracts,
        commodities,
        super_spreads,
        inter_spreads,
        exchange_spreads,
        unknown,
    } = file;
    let (first_family, first_series, first_commodity, first_row) = (
        all.families.len() as u32,
        all.series.len() as u32,
        all.commodities.len() as u32,
        all.contracts.len() as u32,
    );
    all.families.extend(families.into_iter().map(|f| Family {
        commodity: f.commodity.map(|c| c + first_commodity),
        ..f
    }));
    all.series.extend(series.into_iter().map(|s| Series {
        family: s.family + first_family,
        first: s.first + first_row,
        ..s
    }));
    add_contracts(&mut all.contracts, contracts, first_series);
    all.commodities.extend(commodities);
    all.super_spreads.extend(super_spreads);
    all.inter_spreads.extend(inter_spreads);
    all.exchange_spreads.extend(exchange_spreads);
    for rate in rates {
        let known = |k: &CurrencyRate| k.from == rate.from && k.to == rate.to;
        if !all.rates.iter().any(known) {
            all.rates.push(rate);
        }
    }
    for (what, count) in unknown {
        *all.unknown.entry(what).or_insert(0) += count;
    }
    for (own, other) in [
        (&mut all.info.file, info.file),
        (&mut all.info.organisation, info.organisation),
        (&mut all.info.digest, info.digest),
        (&mut all.info.run, info.run),
    ] {
        own.push_str(" + ");
        own.push_str(&other);
    }
}

/// Adds a table's columns, its series numbered on.
fn add_contracts(all: &mut ContractTable, table: ContractTable, first_series: u32) {
    let ContractTable {
        series,
        right,
        strike,
        price,
        value,
        vol,
        delta,
        array,
        number,
    } = table;
    all.series
        .extend(series.into_iter().map(|s| s + first_series));
    all.right.extend(right);
    all.strike.extend(strike);
    all.price.extend(price);
    all.value.extend(value);
    all.vol.extend(vol);
    all.delta.extend(delta);
    all.array.extend(array);
    all.number.extend(number);
}
