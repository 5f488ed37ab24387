//! No contract twice in one parameter set.

use std::collections::HashSet;

use crate::model::SpanFile;
use kernel::error::Result;
use kernel::fail;

/// Two contracts of one name would make the requirement depend on which is found first: two days in one file, or a
/// day code that was dropped.
pub(crate) fn check_unique(file: &SpanFile) -> Result<()> {
    let mut seen = HashSet::new();
    let mut strikes: Vec<(i8, u64)> = Vec::new();
    for series in &file.series {
        let family = &file.families[series.family as usize];
        let key = (
            &family.exchange,
            &family.code,
            family.kind,
            &series.period,
            &series.delta_period,
        );
        if !seen.insert(key) {
            fail!(
                ParseError: Duplicate;
                "{}: {} {} {} is in the file twice",
                file.info.file,
                family.code,
                family.kind.code(),
                series.period
            );
        }
        strikes.clear();
        let rows = series.first as usize..(series.first + series.count) as usize;
        strikes.extend(rows.map(|r| (file.contracts.right[r], file.contracts.strike[r].to_bits())));
        strikes.sort_unstable();
        if let Some(pair) = strikes.windows(2).find(|w| w[0] == w[1]) {
            fail!(
                ParseError: Duplicate;
                "{}: {} {} {}: strike {} is in the file twice",
                file.info.file,
                family.code,
                family.kind.code(),
                series.period,
                f64::from_bits(pair[0].1)
            );
        }
    }
    Ok(())
}
