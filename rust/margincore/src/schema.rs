//! The JSON Schema of every rulebook's parameters, from the types that read them.
//!
//! `cargo run -p margincore --features schema --example schema` writes `python/margincore/schema/rulebooks.json`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::Schema;
use serde_json::{Map, Value, json};

use crate::{crypto, hvar, reg_t, span, tims};
use engine::{house, securities};

/// How a rulebook's document becomes its parameters.
enum Reading {
    /// Written over a shipped preset, object by object: what is left out of an object stays as it is.
    Over(&'static [&'static str]),
    /// Read as it stands.
    AsItStands,
}

struct Rulebook {
    name: &'static str,
    about: &'static str,
    of: fn() -> Schema,
    reading: Reading,
    /// Whether it asks what symbols are.
    securities: bool,
}

const RULEBOOKS: &[Rulebook] = &[
    Rulebook {
        name: "crypto",
        about: "A crypto venue's margin, by its preset.",
        of: crypto::schema,
        reading: Reading::Over(crypto::PRESETS),
        securities: false,
    },
    Rulebook {
        name: "house",
        about: "A house's own rules over a rulebook, `base`.",
        of: house::schema,
        reading: Reading::Over(&[house::PRESETS]),
        securities: true,
    },
    Rulebook {
        name: "hvar",
        about: "Historical value at risk, expected shortfall, and the charges after them.",
        of: hvar::schema,
        reading: Reading::Over(&[hvar::PRESETS]),
        securities: false,
    },
    Rulebook {
        name: "reg-t",
        about: "Regulation T and FINRA Rule 4210: strategy-based margin.",
        of: reg_t::schema,
        reading: Reading::Over(&[reg_t::PRESETS]),
        securities: true,
    },
    Rulebook {
        name: "span",
        about: "SPAN over a clearing organisation's file, or over parameters in the document.",
        of: span::schema,
        reading: Reading::AsItStands,
        securities: false,
    },
    Rulebook {
        name: "span-like",
        about: "SPAN's method with ranges of one's own.",
        of: span::like::schema,
        reading: Reading::Over(&[span::like::PRESETS]),
        securities: false,
    },
    Rulebook {
        name: "tims",
        about: "OCC TIMS: customer portfolio margin and risk-based haircuts.",
        of: tims::schema,
        reading: Reading::Over(&[tims::PRESETS]),
        securities: true,
    },
];

/// The definitions that documents refer to: `methodology`, `securities`, and each rulebook with the types it is made of.
///
/// A type that changes are written over has a second definition, `....changes`, in which nothing is required.
pub fn rulebooks() -> Value {
    let mut defs = Map::new();
    defs.insert("methodology".into(), union());
    add(&mut defs, "securities", &securities::schema());
    for rulebook in RULEBOOKS {
        add(&mut defs, rulebook.name, &(rulebook.of)());
        rulebook.finish(&mut defs);
    }
    keep_used(&mut defs);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "margincore rulebooks",
        "$comment": "Written from the types by `make parameters`.",
        "$defs": defs,
    })
}

/// One of the rulebooks, as `name` says; venues and parameter sets stand for the rulebook they are of.
fn union() -> Value {
    let branches: Vec<Value> = RULEBOOKS
        .iter()
        .map(|r| json!({"$ref": reference(r.name)}))
        .collect();
    let mapping: Map<String, Value> = RULEBOOKS
        .iter()
        .map(|r| (r.name.to_string(), json!(reference(r.name))))
        .collect();
    json!({
        "description": "a rulebook's name, a preset and changes to its parameters",
        "type": "object",
        "required": ["name"],
        "discriminator": {"propertyName": "name", "mapping": mapping},
        "oneOf": branches,
    })
}

fn reference(name: &str) -> String {
    format!("#/$defs/{name}")
}

/// Adds a generated schema under a name, the types it refers to under names of their own.
fn add(defs: &mut Map<String, Value>, name: &str, schema: &Schema) {
    let mut root = schema.clone().to_value();
    let fields = root
        .as_object_mut()
        .expect("a type with fields is an object");
    fields.remove("$schema");
    fields.remove("title");
    let own = fields.remove("$defs").unwrap_or_else(|| json!({}));
    rename(&mut root, name);
    defs.insert(name.to_string(), root);
    for (inner, mut schema) in own.as_object().cloned().unwrap_or_default() {
        rename(&mut schema, name);
        defs.insert(format!("{name}.{inner}"), schema);
    }
}

/// References to a type of a rulebook have the rulebook in front; descriptions are on one line.
fn rename(schema: &mut Value, rulebook: &str) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), &*value) {
                    ("$ref", Value::String(to)) => {
                        let to = to.trim_start_matches("#/$defs/");
                        *value = json!(reference(&format!("{rulebook}.{to}")));
                    }
                    ("description", Value::String(text)) => {
                        *value = json!(text.split_whitespace().collect::<Vec<_>>().join(" "));
                    }
                    _ => rename(value, rulebook),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|v| rename(v, rulebook)),
        _ => {}
    }
}

impl Rulebook {
    /// Its definition: parameters, and what every document of a rulebook has beside them.
    fn finish(&self, defs: &mut Map<String, Value>) {
        let (mut root, names) = match self.reading {
            Reading::AsItStands => (defs[self.name].clone(), self.names(&[])),
            Reading::Over(lists) => (changes(defs, self.name), self.names(lists)),
        };
        let fields = root.as_object_mut().expect("parameters are an object");
        fields.insert("description".into(), json!(self.about));
        fields.insert("required".into(), json!(["name"]));
        let own = fields["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let mut all = Map::new();
        all.insert(
            "name".into(),
            json!({
                "type": "string",
                "pattern": names.pattern(self.name),
                "description": "The rulebook's name, or a venue's, with @ and a date or a parameter set where one is meant.",
            }),
        );
        if let Reading::Over(_) = self.reading {
            all.insert(
                "preset".into(),
                json!({"enum": names.sets, "description": "The parameter set that the others are changes to."}),
            );
        }
        if self.name == "crypto" {
            all.insert("on".into(), json!({
                "type": "string",
                "pattern": r"^(valuation|\d{4}-\d\d-\d\d)$",
                "description": "A date, for the set of a family that was in force on it; or `valuation`.",
            }));
        }
        if self.name == "house" {
            for (key, about) in [
                ("title", "What the house's own rules are called."),
                ("date", "The day they were published."),
                ("source", "The text they come from."),
            ] {
                all.insert(key.into(), json!({"type": "string", "description": about}));
            }
            all.insert("base".into(), json!({"$ref": reference("methodology"), "description": "The rulebook that the rules are over."}));
        }
        all.extend(own);
        if self.securities {
            all.insert(
                "securities".into(),
                json!({"$ref": reference("securities")}),
            );
        }
        if let Reading::Over(_) = self.reading {
            for (key, about) in [
                ("version", "The version that the report names."),
                (
                    "effective",
                    "The day that the report says the parameters took effect.",
                ),
                (
                    "source",
                    "The text that the report says the parameters come from.",
                ),
            ] {
                all.entry(key)
                    .or_insert_with(|| json!({"type": "string", "description": about}));
            }
        }
        fields.insert("properties".into(), Value::Object(all));
        defs.insert(self.name.into(), root);
    }

    /// The names of its parameter sets and families, and those of the venues they are of.
    fn names(&self, lists: &[&str]) -> Names {
        let mut names = Names::default();
        for list in lists {
            let presets: Vec<Value> = serde_json::from_str(list).expect("shipped presets are JSON");
            for preset in &presets {
                let name = preset["name"].as_str().expect("presets have names");
                names.sets.push(name.to_string());
                names.words.insert(name.to_string());
                if self.name == "crypto" {
                    names
                        .words
                        .extend(name.split('-').next().map(str::to_string));
                    names
                        .words
                        .insert(slug(preset["venue"].as_str().unwrap_or_default()));
                }
            }
            for preset in &presets {
                if let Some(family) = preset["family"].as_str()
                    && !names.sets.iter().any(|s| s == family)
                {
                    names.sets.push(family.to_string());
                }
            }
        }
        // A word that is a rulebook's own name stands for that rulebook.
        names
            .words
            .retain(|word| RULEBOOKS.iter().all(|r| r.name != word));
        names
    }
}

#[derive(Default)]
struct Names {
    sets: Vec<String>,
    words: BTreeSet<String>,
}

impl Names {
    /// `name[@date or @preset]`, a parameter set by its whole name, and a venue as a rulebook.
    fn pattern(&self, name: &str) -> String {
        let words: Vec<&str> = std::iter::once(name)
            .chain(self.words.iter().map(String::as_str))
            .collect();
        format!("^({})(@[A-Za-z0-9._-]+)?$", words.join("|"))
    }
}

/// A venue's name as one word.
fn slug(venue: &str) -> String {
    let word = venue.split_whitespace().next().unwrap_or_default();
    word.to_lowercase().replace('.', "")
}

/// The schema of changes to a type: nothing is required, save inside lists, which are replaced whole. The types it refers
/// to get such a definition too.
fn changes(defs: &mut Map<String, Value>, name: &str) -> Value {
    let mut schema = defs[name].clone();
    let mut met = BTreeSet::new();
    relax(&mut schema, &mut met, false);
    let mut made = BTreeMap::new();
    while let Some(next) = met.iter().find(|n| !made.contains_key(*n)).cloned() {
        let mut inner = defs[&next].clone();
        relax(&mut inner, &mut met, false);
        made.insert(next, inner);
    }
    for (name, schema) in made {
        defs.insert(format!("{name}.changes"), schema);
    }
    schema
}

fn relax(schema: &mut Value, met: &mut BTreeSet<String>, chosen: bool) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    // The one key of a variant says which it is.
    let variant = chosen
        && fields
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|r| r.len() == 1);
    if !variant {
        fields.remove("required");
    }
    if let Some(Value::String(to)) = fields.get_mut("$ref") {
        let name = to.trim_start_matches("#/$defs/").to_string();
        *to = reference(&format!("{name}.changes"));
        met.insert(name);
    }
    for key in ["properties", "additionalProperties"] {
        match fields.get_mut(key) {
            Some(Value::Object(inner)) if key == "properties" => {
                inner.values_mut().for_each(|v| relax(v, met, false));
            }
            Some(inner) => relax(inner, met, false),
            None => {}
        }
    }
    for key in ["oneOf", "anyOf"] {
        for inner in fields
            .get_mut(key)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            relax(inner, met, true);
        }
    }
}

/// Drops definitions that nothing refers to, and changes that are no different from the whole.
fn keep_used(defs: &mut Map<String, Value>) {
    let same: BTreeSet<String> = defs
        .iter()
        .filter_map(|(name, schema)| {
            let whole = name.strip_suffix(".changes")?;
            (defs.get(whole) == Some(schema)).then(|| name.clone())
        })
        .collect();
    fn walk(value: &mut Value, visit: &mut impl FnMut(&mut String)) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value {
                        Value::String(to) if key == "$ref" => visit(to),
                        other => walk(other, visit),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|v| walk(v, visit)),
            _ => {}
        }
    }
    for schema in defs.values_mut() {
        walk(schema, &mut |to| {
            if same.contains(to.trim_start_matches("#/$defs/")) {
                to.truncate(to.len() - ".changes".len());
            }
        });
    }
    let mut used = BTreeSet::from(["methodology".to_string()]);
    let mut next = vec!["methodology".to_string()];
    while let Some(name) = next.pop() {
        walk(&mut defs[&name].clone(), &mut |to| {
            let to = to.trim_start_matches("#/$defs/").to_string();
            if used.insert(to.clone()) {
                next.push(to);
            }
        });
    }
    defs.retain(|name, _| used.contains(name));
}

#[cfg(test)]
mod tests {
    /// `make parameters` writes the file again.
    #[test]
    fn the_shipped_schema_is_what_the_types_say() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../python/margincore/schema/rulebooks.json"
        );
        let shipped = std::fs::read_to_string(path).expect("the schema is in the tree");
        let shipped: serde_json::Value =
            serde_json::from_str(&shipped).expect("the schema is JSON");
        assert!(
            shipped == super::rulebooks(),
            "{path} is not what the types say: `make parameters`"
        );
    }
}
