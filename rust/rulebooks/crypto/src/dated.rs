//! Presets of a family: one rulebook's parameters as they were from a date on, chosen by name, by date, or by the
//! valuation they are used at.

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;

use super::parameters::Parameters;
use engine::report::ParameterInfo;
use kernel::error::Result;
use kernel::fail;

/// The shipped parameter sets, one list per venue family.
pub const PRESETS: &[&str] = &[
    include_str!("../presets/crypto_deribit.json"),
    include_str!("../presets/crypto_venues.json"),
    include_str!("../presets/crypto_derive.json"),
];

/// The family whose parameters are taken where a document names none.
const DEFAULT: &str = "deribit-pm";
/// What `on` says where the valuation's own date is to choose.
const VALUATION: &str = "valuation";

/// A checked parameter set and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) parameters: Arc<Parameters>,
    pub(super) info: ParameterInfo,
}

/// A preset of a family, by the day it took effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Dated {
    effective: Date,
    name: String,
}

/// Which parameters a rulebook has.
#[derive(Debug)]
enum Choice {
    /// Those that were asked for, and the presets of their family that came after them, oldest first.
    Stated { version: Version, later: Vec<Dated> },
    /// Those of a family in force at the valuation, oldest first.
    AtValuation(Vec<(Dated, Version)>),
}

/// A rulebook's parameters, before a valuation is known.
#[derive(Debug)]
pub(super) struct Chosen {
    choice: Choice,
    info: ParameterInfo,
}

/// Every shipped preset, with `family` and `succeeded_by` taken out: they are not parameters.
///
/// A preset's `family` is the rulebook it is one dated version of. One that is `succeeded_by` a family is older than
/// the dates its venue states, and is chosen by name alone.
struct Shipped {
    list: String,
    /// Name, family and date of those of a family, and of those succeeded by one.
    family: Vec<(String, Dated)>,
    before: Vec<(String, Dated)>,
}

impl Shipped {
    fn new() -> Self {
        let mut all: Vec<Value> = Vec::new();
        for list in PRESETS {
            let mut presets: Vec<Value> =
                serde_json::from_str(list).expect("shipped presets are JSON lists");
            all.append(&mut presets);
        }
        let (mut family, mut before) = (Vec::new(), Vec::new());
        for preset in all.iter_mut().filter_map(Value::as_object_mut) {
            for (key, members) in [("family", &mut family), ("succeeded_by", &mut before)] {
                let Some(of) = preset.remove(key) else {
                    continue;
                };
                let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
                let dated = Dated {
                    effective: text(&preset["effective"])
                        .parse()
                        .expect("dated presets say when they took effect"),
                    name: text(&preset["name"]),
                };
                members.push((text(&of), dated));
            }
        }
        Self {
            list: Value::Array(all).to_string(),
            family,
            before,
        }
    }

    /// A family's presets, oldest first; none where there is no such family.
    fn members(&self, family: &str) -> Vec<Dated> {
        let own = self.family.iter().filter(|(f, _)| f == family);
        let mut dated: Vec<Dated> = own.map(|(_, dated)| dated.clone()).collect();
        dated.sort();
        dated
    }

    /// The presets that came after one, oldest first.
    fn after(&self, name: &str) -> Vec<Dated> {
        let mut all = self.family.iter().chain(&self.before);
        let Some((family, own)) = all.find(|(_, dated)| dated.name == name) else {
            return Vec::new();
        };
        let mut later = self.members(family);
        later.retain(|d| d.effective > own.effective);
        later
    }

    /// A preset with a document's changes, checked.
    fn build(&self, preset: &str, document: &Value) -> Result<Version> {
        let mut document = document.clone();
        if let Some(fields) = document.as_object_mut() {
            fields.insert("preset".into(), preset.into());
        }
        let (parameters, info) =
            engine::parameters::resolve::<Parameters>(&self.list, preset, &document)?;
        parameters.check()?;
        Ok(Version {
            parameters: Arc::new(parameters),
            info,
        })
    }
}

/// The last of a family's presets that took effect by a date.
fn in_force<'a, T>(
    family: &str,
    dated: &'a [T],
    of: impl Fn(&T) -> &Dated,
    date: Date,
) -> Result<&'a T> {
    let Some(found) = dated.iter().rfind(|d| of(d).effective <= date) else {
        let first = of(&dated[0]);
        fail!(
            MissingData: MissingParameter;
            "'{family}' on {date}: the first parameters known are of {}; older ones are presets by name",
            first.effective
        );
    };
    Ok(found)
}

impl Chosen {
    /// From a document: a preset by its name, or a family's name with a date or the word `valuation` under `on`. A
    /// family's name alone is that of the valuation too, unless a preset has the same.
    pub(super) fn new(document: &Value) -> Result<Self> {
        let shipped = Shipped::new();
        let mut document = document.clone();
        let on = document.as_object_mut().and_then(|d| d.remove("on"));
        let named = match document.get("preset") {
            None => DEFAULT,
            Some(Value::String(name)) => name,
            Some(other) => {
                fail!(InvalidInput: WrongType, place "preset"; "preset: a name is needed, not {other}")
            }
        }
        .to_string();
        let members = shipped.members(&named);
        let is_preset = shipped.family.iter().any(|(_, dated)| dated.name == named);
        let stated = match on {
            None if members.is_empty() || is_preset => named,
            None => return Self::at_valuation(&shipped, &named, members, &document),
            Some(_) if members.is_empty() => {
                let mut families: Vec<&str> =
                    shipped.family.iter().map(|(f, _)| f.as_str()).collect();
                families.dedup();
                fail!(
                    InvalidInput: BadTime, place "preset", value named;
                    "no dated presets of '{named}': there are {}",
                    families.join(", ")
                );
            }
            Some(Value::String(on)) if on == VALUATION => {
                return Self::at_valuation(&shipped, &named, members, &document);
            }
            Some(on) => {
                let Some(date) = on.as_str().and_then(|d| d.parse().ok()) else {
                    fail!(
                        InvalidInput: BadTime, place "on";
                        "on: {on} is not a date such as \"2026-03-31\", nor \"{VALUATION}\""
                    );
                };
                in_force(&named, &members, |d| d, date)?.name.clone()
            }
        };
        let version = shipped.build(&stated, &document)?;
        Ok(Self {
            info: version.info.clone(),
            choice: Choice::Stated {
                version,
                later: shipped.after(&stated),
            },
        })
    }

    fn at_valuation(
        shipped: &Shipped,
        family: &str,
        members: Vec<Dated>,
        document: &Value,
    ) -> Result<Self> {
        let versions = members
            .into_iter()
            .map(|dated| {
                let version = shipped.build(&dated.name, document)?;
                Ok((dated, version))
            })
            .collect::<Result<Vec<_>>>()?;
        let each = |of: fn(&ParameterInfo) -> &str| -> Vec<&str> {
            versions.iter().map(|(_, v)| of(&v.info)).collect()
        };
        let changed = if versions[0].1.info.name == versions[0].0.name {
            ""
        } else {
            " (changed)"
        };
        let info = ParameterInfo {
            name: format!("{family}{changed}"),
            version: "in force at the valuation".into(),
            effective: each(|i| &i.effective).join(", "),
            source: each(|i| &i.source).join("; "),
            digest: engine::parameters::digest(&each(|i| &i.digest))?,
            superseded_by: String::new(),
        };
        Ok(Self {
            choice: Choice::AtValuation(versions),
            info,
        })
    }

    /// Which parameters these are; those of the valuation are known once there is one.
    pub(super) fn info(&self) -> &ParameterInfo {
        &self.info
    }

    /// The venue's name, the same in every version.
    pub(super) fn venue(&self) -> &str {
        match &self.choice {
            Choice::Stated { version, .. } => &version.parameters.venue,
            Choice::AtValuation(versions) => &versions[0].1.parameters.venue,
        }
    }

    /// The parameters for a valuation, which say when it lies after those that replaced them.
    pub(super) fn at(&self, on: Option<Date>) -> Result<Version> {
        match (&self.choice, on) {
            (Choice::Stated { version, later }, on) => {
                let mut version = version.clone();
                let newest = on.and_then(|on| later.iter().rfind(|d| d.effective <= on));
                if let Some(Dated { effective, name }) = newest {
                    version.info.superseded_by = format!("{name} ({effective})");
                }
                Ok(version)
            }
            (Choice::AtValuation(versions), Some(on)) => {
                let family = &self.info.name;
                Ok(in_force(family, versions, |(d, _)| d, on)?.1.clone())
            }
            (Choice::AtValuation(_), None) => {
                fail!(MissingData, "{}: a market is needed", self.venue())
            }
        }
    }
}
