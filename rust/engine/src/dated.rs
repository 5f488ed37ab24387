//! Rows that hold from one date to another: the same words for every dated table.

use std::fmt;

use jiff::civil::Date;

use kernel::error::Result;
use kernel::fail;

/// From a first to a last date, both included; open where one is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: Option<Date>,
    pub to: Option<Date>,
}

impl Period {
    pub fn check(self) -> Result<()> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            fail!(InvalidInput: OutOfRange; "from {from} lies after to {to}");
        }
        Ok(())
    }

    pub fn covers(self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to)
    }

    pub fn overlaps(self, other: Self) -> bool {
        let starts_before_end = |a: Self, b: Self| match (a.from, b.to) {
            (Some(from), Some(to)) => from <= to,
            _ => true,
        };
        starts_before_end(self, other) && starts_before_end(other, self)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (None, None) => f.write_str("of any date"),
            (Some(from), None) => write!(f, "from {from}"),
            (None, Some(to)) => write!(f, "to {to}"),
            (Some(from), Some(to)) => write!(f, "{from} to {to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_belong_to_the_period() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let period = |from: Option<&str>, to: Option<&str>| Period {
            from: from.map(date),
            to: to.map(date),
        };
        let (before, after) = (
            period(None, Some("2020-12-31")),
            period(Some("2021-01-01"), None),
        );
        assert!(before.covers(date("2020-12-31")) && !before.covers(date("2021-01-01")));
        assert!(!before.overlaps(after) && before.overlaps(period(Some("2020-12-31"), None)));
        assert!(
            period(Some("2021-01-01"), Some("2020-12-31"))
                .check()
                .is_err()
        );
    }
}
