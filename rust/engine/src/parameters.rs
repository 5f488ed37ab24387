//! Parameter sets as data: shipped presets, a user's changes on top, and the digest that names the result.
//!
//! What single numbers may be is said by [`crate::bounds`], in each rulebook's `check`.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::names::hint;
use crate::reading::read;
use crate::report::ParameterInfo;
use kernel::error::{MarginError, Result};
use kernel::fail;
use kernel::float::hex;

/// The default of a factor that is usually left out.
pub fn one() -> f64 {
    1.0
}

/// The default of a switch that is usually on.
pub fn yes() -> bool {
    true
}

/// Numeric tables too large for a document, by name: shape and row-major values.
pub type Attachments = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

/// The named preset of a shipped list, as a document, with what it extends under it.
fn preset(list: &str, name: &str) -> Result<Value> {
    let presets: Vec<Value> = serde_json::from_str(list).expect("shipped presets are JSON");
    let known: Vec<String> = presets
        .iter()
        .filter_map(|p| p["name"].as_str().map(str::to_string))
        .collect();
    let Some(mut found) = presets.into_iter().find(|p| p["name"] == name) else {
        fail!(
            InvalidInput: UnknownName, place "preset", value name;
            "unknown preset '{name}': use one of {}{}",
            known.join(", "),
            hint(name, known.iter().map(String::as_str))
        );
    };
    // A preset may state what it changes of another.
    let Some(base) = found.as_object_mut().and_then(|f| f.remove("extends")) else {
        return Ok(found);
    };
    let mut document = preset(list, base.as_str().expect("shipped presets extend by name"))?;
    merge(
        document.as_object_mut().expect("presets are objects"),
        found.as_object().expect("presets are objects"),
    );
    Ok(document)
}

/// What a shipped parameter set says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shipped {
    pub name: String,
    pub version: String,
    /// The day it took effect.
    pub effective: String,
    pub source: String,
    /// What its place in a rulebook's history is called: sets of a family follow one another by date.
    #[serde(default)]
    pub family: Option<String>,
    /// How well each part is known, by part.
    #[serde(default)]
    pub grades: BTreeMap<String, String>,
}

/// What the sets of a shipped list say of themselves.
pub fn shipped(list: &str) -> Vec<Shipped> {
    let presets: Vec<Value> = serde_json::from_str(list).expect("shipped presets are JSON");
    let names = presets.iter().filter_map(|p| p["name"].as_str());
    let whole = names.map(|name| preset(list, name).expect("it is there"));
    whole
        .map(|own| serde_json::from_value(own).expect("shipped presets say what they are"))
        .collect()
}

/// Objects merge key by key; anything else replaces.
pub fn merge(base: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (key, change) in changes {
        match (base.get_mut(key), change) {
            (Some(Value::Object(own)), Value::Object(inner)) => merge(own, inner),
            _ => {
                base.insert(key.clone(), change.clone());
            }
        }
    }
}

/// A rulebook's parameters from `{"preset": name, ...changes}`, checked against their type, unknown keys refused; and
/// where they come from, under a digest of what they are in the end.
///
/// `list` is the rulebook's shipped presets as JSON, `default` the one taken where none is named. Whether the numbers
/// make sense is for the rulebook to check.
pub fn resolve<T: DeserializeOwned + Serialize>(
    list: &str,
    default: &str,
    document: &Value,
) -> Result<(T, ParameterInfo)> {
    let Value::Object(changes) = document else {
        fail!(
            InvalidInput: WrongType;
            "a rulebook's parameters are an object, not {document}"
        );
    };
    let mut changes = changes.clone();
    let name = match changes.remove("preset") {
        None => default.to_string(),
        Some(Value::String(name)) => name,
        Some(other) => fail!(InvalidInput: WrongType; "preset: a name is needed, not {other}"),
    };
    let mut document = preset(list, &name)?;
    let changed = !changes.is_empty();
    merge(
        document.as_object_mut().expect("presets are objects"),
        &changes,
    );
    let info_of = |key: &str| document[key].as_str().unwrap_or_default().to_string();
    let mut info = ParameterInfo {
        name: info_of("name"),
        version: info_of("version"),
        effective: info_of("effective"),
        source: info_of("source"),
        digest: String::new(),
        superseded_by: String::new(),
    };
    if changed {
        info.name.push_str(" (changed)");
    }
    let Value::Object(fields) = &mut document else {
        unreachable!("presets are objects")
    };
    for key in ["name", "version", "effective", "source"] {
        fields.remove(key);
    }
    let parameters: T = read(&format!("parameters of preset '{name}'"), &document)?;
    info.digest = digest(&parameters)?;
    Ok((parameters, info))
}

/// SHA-256 of a parameter set's JSON, in hexadecimal: fields in the order of their type, maps in the order of their keys.
pub fn digest<T: Serialize>(parameters: &T) -> Result<String> {
    let text = serde_json::to_vec(parameters)
        .map_err(|e| MarginError::CalculationError(e.to_string().into()))?;
    Ok(hex(&Sha256::digest(&text)))
}
