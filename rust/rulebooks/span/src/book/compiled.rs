//! SPAN compiled for one table of contracts, and the working memory of a requirement.

use std::any::Any;
use std::sync::Arc;

use crate::exposure;
use crate::model::FileInfo;
use crate::options::kind_index;
use crate::program::Program;
use crate::steps::{Side, State};
use engine::account::AccountView;
use engine::seam::Frame;
use kernel::error::Result;

/// SPAN compiled for one table of contracts.
pub(crate) struct Book {
    pub(crate) frame: Frame,
    pub(crate) program: Program,
    pub(crate) info: FileInfo,
    /// Charges beside SPAN, such as an exposure margin.
    pub(crate) exposure: Option<exposure::Compiled>,
    /// What the arrays were made from, for who made them to know again; none where they are a file's own.
    pub(crate) made: Option<Arc<dyn Any + Send + Sync>>,
}

/// Working memory of a requirement.
#[derive(Debug, Default)]
pub(crate) struct Working {
    pub(crate) state: State,
    pub(super) side: Side,
    /// Exposure by symbol.
    pub(crate) exposure: Vec<f64>,
}

/// Which part of an account a portfolio is: all of it, or one side of a gross account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Net,
    Long,
    Short,
}

impl Part {
    /// Under which name lines of a commodity, or of the account, stand.
    pub(super) fn scope(self, name: &str) -> String {
        match self {
            Self::Net => name.to_string(),
            Self::Long => format!("{name} long"),
            Self::Short => format!("{name} short"),
        }
    }
}

impl Book {
    /// The account's row in a commodity's levels.
    pub(crate) fn kind(&self, account: AccountView<'_>) -> Result<usize> {
        kind_index(
            account
                .terms
                .kind
                .as_deref()
                .unwrap_or(&self.program.options.account_kind),
        )
    }

    /// A scan point in words, from its number in the file.
    pub(super) fn point_label(&self, scenario: usize) -> String {
        let point = self.program.points[scenario];
        let cover = if point.weight == 1.0 {
            String::new()
        } else {
            format!(", {} covered", point.weight)
        };
        format!(
            "point {}: price {:+.4} ranges, vol {:+} ranges{cover}",
            scenario + 1,
            point.price,
            point.vol
        )
    }
}
