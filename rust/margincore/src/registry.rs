//! Rulebooks by name: one line each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{crypto, hvar, reg_t, span, tims};
use engine::house::House;
use engine::names::hint;
use engine::parameters::{self, Attachments};
use engine::seam::Methodology;
use kernel::error::Result;
use kernel::fail;

type Build = fn(&Value, &Attachments) -> Result<Arc<dyn Methodology>>;

/// Name, how it is built, and its shipped parameter sets as lists of JSON.
const RULEBOOKS: &[(&str, Build, &[&str])] = &[
    ("crypto", crypto::build, crypto::PRESETS),
    (
        "house",
        |document, attachments| house(document, None, attachments),
        &[engine::house::PRESETS],
    ),
    ("hvar", hvar::build, &[hvar::PRESETS]),
    ("reg-t", reg_t::build, &[reg_t::PRESETS]),
    // Its parameters are an exchange's files.
    ("span", span::build, &[]),
    ("span-like", span::like::build, &[span::like::PRESETS]),
    ("tims", tims::build, &[tims::PRESETS]),
];

/// The shipped parameter sets of a rulebook, without their parameters; none for a name that is no rulebook's.
pub fn presets(name: &str) -> Vec<parameters::Shipped> {
    let lists = RULEBOOKS
        .iter()
        .find(|r| r.0 == name)
        .map_or(&[][..], |r| r.2);
    lists
        .iter()
        .flat_map(|list| parameters::shipped(list))
        .collect()
}

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
        Some((_, build, _)) => build(parameters, attachments),
        None => fail!(
            InvalidInput: UnknownName, place "methodology", value name;
            "unknown rulebook '{name}': use one of {}{}",
            names().join(", "),
            hint(name, names())
        ),
    }
}

/// A house over a rulebook: over `given`, or over the one its `base` describes, `{"name": ..., ...parameters}`.
pub fn house(
    document: &Value,
    given: Option<Arc<dyn Methodology>>,
    attachments: &Attachments,
) -> Result<Arc<dyn Methodology>> {
    let Value::Object(document) = document else {
        fail!(InvalidInput: WrongType; "a rulebook's parameters are an object, not {document}");
    };
    let mut document = document.clone();
    let described = document.remove("base");
    let build_base = |more: &Map<String, Value>| match described.clone() {
        Some(Value::Object(mut base)) => {
            let Some(Value::String(name)) = base.remove("name") else {
                fail!(MissingData: NotStated, place "house: base"; "house: base: name is missing: over which rulebook?");
            };
            parameters::merge(&mut base, more);
            build(&name, &Value::Object(base), attachments).map_err(|e| e.at("house: base"))
        }
        Some(other) => {
            fail!(InvalidInput: WrongType, place "house: base"; "house: base: a rulebook as an object is needed, not {other}")
        }
        None if given.is_some() => fail!(
            NotApplicable,
            "the rulebook under it is not built from a document, which could be stricter"
        ),
        None => fail!(
            MissingData: NotStated, place "house: base";
            "house: base is missing: over which rulebook?"
        ),
    };
    let base = match &given {
        Some(base) => base.clone(),
        None => build_base(&Map::new())?,
    };
    Ok(Arc::new(House::new(base, &document, build_base)?))
}

/// The rulebooks this build has.
pub fn names() -> Vec<&'static str> {
    RULEBOOKS.iter().map(|r| r.0).collect()
}
