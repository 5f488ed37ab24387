//! SPAN: exchange files in, PC-SPAN's arithmetic, every component explained.
//!
//! | part | file |
//! |---|---|
//! | one parameter model for all formats | `model/`, `document.rs`, `unique.rs` |
//! | `.spn` XML 4.00 | `spn/` |
//! | CME expanded `.pa2` | `pa2/` |
//! | gz, zip, binary cache; several files as one | `container.rs`, `cache.rs`, `merge.rs` |
//! | contracts of a file as a table | `contracts.rs` |
//! | risk arrays and composite deltas from parameters | `generate/` |
//! | names to slots | `compile/`, `program.rs` |
//! | the requirement's steps | `steps/` |
//! | levels, lines and explanation | `book/` |
//! | an open account | `live.rs` |
//! | SPAN-like margin without a file | `like/` |
//! | exposure margin beside SPAN | `exposure.rs` |
//! | what the rulebook leaves open | `options.rs` |
//!
//! The README beside this crate says which file has which rule, from which source, and what a change must touch.

mod book;
pub mod cache;
mod compile;
pub mod container;
pub mod contracts;
pub mod document;
pub mod exposure;
pub mod generate;
pub mod like;
mod live;
pub mod merge;
pub mod model;
pub mod options;
pub mod pa2;
mod program;
pub mod spn;
mod steps;
mod unique;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Date;
use once_cell::race::OnceBox;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use book::Book;
pub use exposure::Exposure;
use live::LiveBook;
pub use model::SpanFile;
pub use options::Options;

use engine::cells::{Cells, RiskArrays};
use engine::contract::Contracts;
use engine::market::Market;
use engine::parameters::Attachments;
use engine::reading::read;
use engine::report::ParameterInfo;
use engine::seam::{self, Frame, Methodology, Prepared, Quoted, Resolved};
use kernel::error::Result;
use kernel::fail;
use kernel::float::hex;

/// SPAN with one parameter set, its arrays inside.
#[derive(Debug, Clone)]
pub struct Span {
    file: Arc<SpanFile>,
    options: Options,
    exposure: Option<Exposure>,
    info: ParameterInfo,
    ids: OnceBox<HashMap<String, u32>>,
}

/// What the registry builds [`Span`] from.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
struct SpanDocument {
    /// Path of a parameter file or cache; `files` merges several clearing organisations.
    file: Option<PathBuf>,
    /// Paths of files of several clearing organisations, merged.
    files: Vec<PathBuf>,
    /// The digest the files must have, as an earlier report printed it.
    digest: Option<String>,
    parameters: Option<document::ParametersDocument>,
    /// What no public text of SPAN settles.
    options: Options,
    /// A margin beside SPAN, as NSE charges it.
    exposure: Option<Exposure>,
}

impl Span {
    /// From a parsed file. Its contracts are those of [`contracts::table`].
    pub fn new(
        file: impl Into<Arc<SpanFile>>,
        options: Options,
        exposure: Option<Exposure>,
    ) -> Result<Self> {
        let file = file.into();
        options.check()?;
        let info = ParameterInfo {
            name: format!("SPAN {}", file.info.organisation),
            version: format!(
                "{} {}",
                file.info.run,
                if file.info.settlement {
                    "settlement"
                } else {
                    "intraday"
                }
            )
            .trim()
            .to_string(),
            effective: file.info.business_date.clone(),
            source: file.info.file.clone(),
            digest: file.info.digest.clone(),
            superseded_by: String::new(),
        };
        Ok(Self {
            file,
            options,
            exposure,
            info,
            ids: OnceBox::new(),
        })
    }

    /// Reads a `.spn`, `.pa2`, their gz or zip, or a cache.
    pub fn from_file(path: impl AsRef<std::path::Path>) -> Result<Self> {
        Self::new(container::read(path)?, Options::default(), None)
    }

    pub fn file(&self) -> &SpanFile {
        &self.file
    }
}

/// A file's contracts as documents, with where the file came from: `{"file": path}`.
pub fn read_named(files: &std::collections::BTreeMap<String, PathBuf>) -> Result<Value> {
    let Some(path) = files.get("file") else {
        fail!(InvalidInput, "span reads {{\"file\": path}}")
    };
    let file = container::read(path)?;
    let contracts: Vec<_> = (0..file.contracts.len())
        .map(|row| contracts::terms(&file, row))
        .collect();
    Ok(serde_json::json!({"info": file.info, "contracts": contracts}))
}

/// The JSON Schema of the parameters, from their types.
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(SpanDocument)
}

pub fn build(document: &Value, _: &Attachments) -> Result<Arc<dyn Methodology>> {
    let mut document = SpanDocument::read(document)?;
    let mut files = std::mem::take(&mut document.files);
    files.extend(document.file.take());
    let file = match (files.as_slice(), document.parameters.take()) {
        ([], Some(parameters)) => parameters.build()?,
        ([_, ..], None) => read_files(&files)?,
        _ => fail!(InvalidInput: Contradiction; "SPAN needs either a file or parameters"),
    };
    document.build(Arc::new(file))
}

/// The rulebook over a parsed file; the document has its options and exposure.
pub fn over(file: Arc<SpanFile>, document: &Value) -> Result<Arc<dyn Methodology>> {
    let document = SpanDocument::read(document)?;
    if document.file.is_some() || !document.files.is_empty() || document.parameters.is_some() {
        fail!(
            InvalidInput: Contradiction;
            "SPAN over a parsed file takes no other file and no parameters"
        );
    }
    document.build(file)
}

/// One file, or several clearing organisations as one parameter set.
pub fn read_files<P: AsRef<std::path::Path>>(paths: &[P]) -> Result<SpanFile> {
    match paths {
        [path] => container::read(path),
        _ => merge::merge(paths.iter().map(container::read).collect::<Result<_>>()?),
    }
}

impl SpanDocument {
    fn read(document: &Value) -> Result<Self> {
        read("SPAN parameters", document)
    }

    fn build(self, file: Arc<SpanFile>) -> Result<Arc<dyn Methodology>> {
        if let Some(digest) = self.digest
            && digest != file.info.digest
        {
            fail!(
                InvalidInput: OtherTable;
                "{}: its digest is {}, not {digest}: the file has changed",
                file.info.file,
                file.info.digest
            );
        }
        Ok(Arc::new(Span::new(file, self.options, self.exposure)?))
    }
}

impl Methodology for Span {
    fn name(&self) -> &'static str {
        "SPAN"
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    /// That of the parameters is the file's alone.
    fn digest(&self) -> String {
        let said = format!("{:?} {:?}", self.options, self.exposure);
        let mut hash = Sha256::new();
        hash.update(&self.info.digest);
        hash.update(said);
        hex(&hash.finalize())
    }

    /// The exchange's arrays are inside: no market changes anything.
    fn resolve(&self, contracts: &Arc<Contracts>, _on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        let ids = self
            .ids
            .get_or_init(|| Box::new(compile::rows_by_id(&self.file)));
        let rows = compile::match_rows(&self.file, ids, contracts)?;
        let (program, currencies) = compile::compile(&self.file, &self.options, &rows)?;
        let exposure = self
            .exposure
            .as_ref()
            .map(|e| exposure::compile(e, &self.options, &self.file, currencies.report(), &rows))
            .transpose()?;
        let book = Book {
            frame: Frame {
                methodology: self.name().into(),
                parameters: self.info.clone(),
                valuation: Some(self.file.info.business_date.clone()).filter(|d| !d.is_empty()),
                contracts: Arc::clone(contracts),
                currencies,
            },
            program,
            info: self.file.info.clone(),
            exposure,
            made: None,
        };
        Ok(Arc::new(Carried {
            prepared: seam::compiled(book, LiveBook::open),
            cells: Arc::default(),
        }))
    }
}

/// A table of contracts compiled from the exchange's arrays: there is nothing to price.
#[derive(Clone)]
struct Carried {
    prepared: Arc<dyn Prepared>,
    cells: Arc<Cells>,
}

impl Resolved for Carried {
    fn at(self: Arc<Self>, _: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        Ok(Box::new(Self::clone(&self)))
    }
}

impl Quoted for Carried {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn compile(self: Box<Self>, _: RiskArrays) -> Result<Arc<dyn Prepared>> {
        Ok(self.prepared)
    }
}

#[cfg(test)]
mod tests;
