//! Rulebooks by name: one line each.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Methodology, tims};
use crate::error::Result;
use crate::fail;

/// Numeric tables too large for a document, by name: shape and row-major values.
pub type Attachments = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

type Build = fn(&Value, &Attachments) -> Result<Arc<dyn Methodology>>;

const RULEBOOKS: &[(&str, Build)] = &[("tims", tims::build)];

/// Builds a rulebook from its name and its parameters as a document.
pub fn build(name: &str, parameters: &Value, attachments: &Attachments) -> Result<Arc<dyn Methodology>> {
    match RULEBOOKS.iter().find(|r| r.0 == name) {
        Some((_, build)) => build(parameters, attachments),
        None => fail!(InvalidInput, "unknown rulebook '{name}': use one of {}", names().join(", ")),
    }
}

/// The rulebooks this build has.
pub fn names() -> Vec<&'static str> {
    RULEBOOKS.iter().map(|r| r.0).collect()
}
