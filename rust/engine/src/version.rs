//! Versions of what is written: a reader takes those it knows and refuses others by their number.

use std::fmt::Display;
use std::ops::RangeInclusive;

use kernel::error::Result;
use kernel::fail;

/// The version of documents: of reports, decisions, what-ifs and comparisons, and of what is evaluated. Raised where
/// a document that could be read no longer can.
pub const DOCUMENT: u32 = 1;

/// Refuses `what`, which was written as version `found`, where a build reads the `known` versions only.
pub fn check(what: impl Display, found: u64, known: RangeInclusive<u32>) -> Result<()> {
    let (oldest, newest) = (u64::from(*known.start()), u64::from(*known.end()));
    let remedy = match found {
        0 => "versions count from 1, it is damaged",
        _ if found > newest => "upgrade margincore",
        _ if found < oldest => "read it with the margincore that wrote it, or make it again",
        _ => return Ok(()),
    };
    let reads = if oldest == newest {
        format!("version {newest}")
    } else {
        format!("versions {oldest} to {newest}")
    };
    fail!(
        ParseError: OtherVersion, value found as i64;
        "{what}: written as version {found}; this build reads {reads}: {remedy}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_not_known_is_refused_with_the_right_remedy() {
        assert_eq!(check("x", 1, 1..=1), Ok(()));
        assert_eq!(check("x", 2, 2..=3), Ok(()));
        let said = |found, known| check("x", found, known).unwrap_err().to_string();
        assert_eq!(
            said(3, 1..=2),
            "x: written as version 3; this build reads versions 1 to 2: upgrade margincore"
        );
        assert_eq!(
            said(1, 2..=2),
            "x: written as version 1; this build reads version 2: read it with the margincore that wrote it, or make \
             it again"
        );
        assert!(said(0, 1..=1).ends_with("versions count from 1, it is damaged"));
    }
}
