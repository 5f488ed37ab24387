//! Rulebooks by name: one line each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::{crypto, hvar, reg_t, span, tims};
use engine::names::hint;
use engine::parameters::Attachments;
use engine::seam::Methodology;
use kernel::error::Result;
use kernel::fail;

type Build = fn(&Value, &Attachments) -> Result<Arc<dyn Methodology>>;

const RULEBOOKS: &[(&str, Build)] = &[
    ("crypto", crypto::build),
    ("hvar", hvar::build),
    ("reg-t", reg_t::build),
    ("span", span::build),
    ("span-like", span::like::build),
    ("tims", tims::build),
];

/// Reads the files an exchange publishes into a document of parameters.
type Read = fn(&BTreeMap<String, PathBuf>) -> Result<Value>;

const READERS: &[(&str, Read)] = &[("span", span::read_named), ("tims", tims::occ::read_named)];

/// The parameters in an exchange's files, by the rulebook's name; the files are named by what they hold.
pub fn read(name: &str, files: &BTreeMap<String, PathBuf>) -> Result<Value> {
    match READERS.iter().find(|r| r.0 == name) {
        Some((_, read)) => read(files),
        None => fail!(InvalidInput: UnknownName; "rulebook '{name}' reads no parameter files"),
    }
}

/// Builds a rulebook from its name and its parameters as a document.
pub fn build(
    name: &str,
    parameters: &Value,
    attachments: &Attachments,
) -> Result<Arc<dyn Methodology>> {
    match RULEBOOKS.iter().find(|r| r.0 == name) {
        Some((_, build)) => build(parameters, attachments),
        None => fail!(
            InvalidInput: UnknownName, place "methodology", value name;
            "unknown rulebook '{name}': use one of {}{}",
            names().join(", "),
            hint(name, names())
        ),
    }
}

/// The rulebooks this build has.
pub fn names() -> Vec<&'static str> {
    RULEBOOKS.iter().map(|r| r.0).collect()
}
