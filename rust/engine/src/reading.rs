//! Types from documents, refused in the words of the house: what the reading library says is about Rust.

use std::fmt::Display;

use serde::de::{Deserialize, Deserializer};

use crate::names::hint;
use kernel::error::{Code, MarginError, Result};

/// A type from a document. What does not fit is [`MarginError::InvalidInput`] with its place below `what`.
pub fn read<'de, T: Deserialize<'de>, D>(what: &str, document: D) -> Result<T>
where
    D: Deserializer<'de>,
    D::Error: Display,
{
    serde_path_to_error::deserialize(document).map_err(|e| {
        let refused = refusal(&e.inner().to_string());
        match e.path().to_string().as_str() {
            "." => refused.at(what),
            place => refused.at(place).at(what),
        }
    })
}

/// What is wrong, without its place, from what the reading libraries say of it. The tests below hold their wording.
fn refusal(said: &str) -> MarginError {
    // A reader of text adds where it stopped: the place says it better.
    let said = said.split(" at line ").next().unwrap_or(said);
    let said = said.strip_prefix("TypeError: ").unwrap_or(said);
    let quoted = |text: &str| -> Vec<String> {
        text.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_string)
            .collect()
    };
    let invalid = |message: String| MarginError::InvalidInput(message.into());
    if let Some(rest) = said.strip_prefix("unknown variant ") {
        let mut names = quoted(rest).into_iter();
        let name = names.next().unwrap_or_default();
        let known: Vec<String> = names.collect();
        invalid(format!("'{name}' is not known: {}", choice(&name, &known)))
            .code(Code::UnknownName)
            .value(name)
    } else if let Some(rest) = said.strip_prefix("unknown field ") {
        let mut names = quoted(rest).into_iter();
        let name = names.next().unwrap_or_default();
        let known: Vec<String> = names.collect();
        invalid(format!(
            "no '{name}' is known here: {}",
            choice(&name, &known)
        ))
        .code(Code::UnknownName)
        .value(name)
    } else if said.starts_with("missing field ") {
        let name = quoted(said).into_iter().next().unwrap_or_default();
        invalid(format!("'{name}' has to be given")).code(Code::NotStated)
    } else if said.starts_with("duplicate field ") {
        let name = quoted(said).into_iter().next().unwrap_or_default();
        invalid(format!("'{name}' comes twice"))
            .code(Code::Duplicate)
            .value(name)
    } else if let Some(rest) = said.strip_prefix("invalid type: ") {
        let (found, needed) = rest
            .split_once(", expected ")
            .unwrap_or((rest, "another type"));
        invalid(format!(
            "{} is needed, not {}",
            kind(needed),
            found_text(found)
        ))
        .code(Code::WrongType)
    } else if let Some(rest) = said.strip_prefix("invalid value: ") {
        let (found, needed) = rest
            .split_once(", expected ")
            .unwrap_or((rest, "another value"));
        invalid(format!(
            "{} is needed, not {}",
            kind(needed),
            found_text(found)
        ))
        .code(Code::OutOfRange)
    } else if let Some(rest) = said.strip_prefix("invalid length ") {
        let (found, needed) = rest
            .split_once(", expected ")
            .unwrap_or((rest, "another length"));
        invalid(format!("{} is needed, not one of {found}", kind(needed))).code(Code::WrongShape)
    } else if let Some(rest) = said.strip_prefix("expected sequence of length ") {
        let (needed, found) = rest.split_once(", got ").unwrap_or((rest, "another"));
        invalid(format!("a list of {needed} is needed, not one of {found}")).code(Code::WrongShape)
    } else if let Some((found, needed)) = cast(said) {
        invalid(format!("{needed} is needed, not {found}")).code(Code::WrongType)
    } else if let Some(found) = said.strip_prefix("unsupported type ") {
        invalid(format!("a plain value is needed, not {found}")).code(Code::WrongType)
    } else if said == "dict keys must have type str" {
        invalid("keys are names: text is needed".into()).code(Code::WrongType)
    } else if said == "expected either a str or dict for enum" {
        invalid("a name is needed".into()).code(Code::WrongType)
    } else if said.starts_with("data did not match any variant") {
        invalid("it has none of the forms that are known here".into()).code(Code::WrongType)
    } else {
        invalid(said.to_string())
    }
}

/// What Python says of a value that is of another type: what it is, and what is needed.
fn cast(said: &str) -> Option<(&str, &'static str)> {
    let said = said.strip_prefix("unexpected type: ").unwrap_or(said);
    if let Some(found) = said.strip_prefix("must be real number, not ") {
        return Some((found, "a number"));
    }
    let (found, rest) = said.strip_prefix('\'')?.split_once("' object ")?;
    let needed = match rest {
        "cannot be interpreted as an integer" => "a whole number",
        "is not an instance of 'Mapping'" | "is not an instance of 'dict'" => "a mapping",
        "is not an instance of 'Sequence'" | "is not an instance of 'list'" => "a list",
        "is not an instance of 'str'" => "text",
        "is not iterable" => "a list",
        _ => return None,
    };
    Some((found, needed))
}

fn choice(name: &str, known: &[String]) -> String {
    match known {
        [] => "nothing is".to_string(),
        known => format!(
            "use {}{}",
            match known {
                [one] => one.clone(),
                [first @ .., last] => format!("{} or {last}", first.join(", ")),
                [] => unreachable!("matched above"),
            },
            hint(name, known.iter().map(String::as_str))
        ),
    }
}

/// What is needed, as people say it.
fn kind(needed: &str) -> String {
    let needed = needed.trim();
    match needed {
        "f64" | "f32" => "a number".to_string(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_string(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0".to_string(),
        "a string" | "a borrowed string" | "string" => "text".to_string(),
        "a boolean" => "true or false".to_string(),
        "a sequence" => "a list".to_string(),
        "a map" => "an object".to_string(),
        "unit" | "null" => "nothing".to_string(),
        _ => match needed.rsplit_once(' ') {
            Some(("a tuple of size" | "an array of length", size)) => format!("a list of {size}"),
            _ if needed.starts_with("struct ") || needed.starts_with("internally tagged") => {
                "an object".to_string()
            }
            _ if needed.contains("enum ") => "a name".to_string(),
            _ if needed.starts_with("tuple ") => "a list".to_string(),
            _ => needed.to_string(),
        },
    }
}

/// What was found, as people say it.
fn found_text(found: &str) -> String {
    let inner = |text: &str| text.trim_matches('`').to_string();
    match found.split_once(' ') {
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer" | "boolean", value)) => inner(value),
        Some(("floating", rest)) => inner(rest.strip_prefix("point ").unwrap_or(rest)),
        _ => match found {
            "map" => "an object".to_string(),
            "sequence" => "a list".to_string(),
            "null" | "unit value" => "nothing".to_string(),
            other => other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::read;
    use kernel::error::Code;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Terms {
        right: Right,
        strike: f64,
        #[serde(default)]
        lots: u32,
        #[serde(default)]
        pair: (f64, f64),
        #[serde(default)]
        words: Vec<String>,
        #[serde(default)]
        flag: bool,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Right {
        Call,
        Put,
    }

    /// The wording of the reading libraries is theirs to change: nothing of it may show.
    #[test]
    fn every_refusal_is_in_plain_words() {
        let good = json!({"right": "call", "strike": 1.0});
        assert!(read::<Terms, _>("terms", &good).is_ok());
        let table: &[(&str, Value, Code, &str)] = &[
            (
                "right",
                json!("cal"),
                Code::UnknownName,
                "terms: right: 'cal' is not known: use call or put; did you mean 'call'?",
            ),
            ("right", json!(1), Code::WrongType, "terms: right: "),
            (
                "strik",
                json!(1),
                Code::UnknownName,
                "no 'strik' is known here: use right, strike",
            ),
            (
                "strike",
                json!("x"),
                Code::WrongType,
                "terms: strike: a number is needed, not the text \"x\"",
            ),
            (
                "strike",
                json!(null),
                Code::WrongType,
                "terms: strike: a number is needed, not nothing",
            ),
            (
                "strike",
                json!([1]),
                Code::WrongType,
                "a number is needed, not a list",
            ),
            (
                "strike",
                json!({}),
                Code::WrongType,
                "a number is needed, not an object",
            ),
            (
                "strike",
                json!(true),
                Code::WrongType,
                "a number is needed, not true",
            ),
            (
                "lots",
                json!(-1),
                Code::OutOfRange,
                "a whole number from 0 is needed, not -1",
            ),
            (
                "lots",
                json!(1.5),
                Code::WrongType,
                "a whole number from 0 is needed, not 1.5",
            ),
            (
                "pair",
                json!([1.0]),
                Code::WrongShape,
                "a list of 2 is needed, not one of 1",
            ),
            (
                "words",
                json!([1]),
                Code::WrongType,
                "terms: words[0]: text is needed, not 1",
            ),
            (
                "words",
                json!("a"),
                Code::WrongType,
                "a list is needed, not the text \"a\"",
            ),
            (
                "flag",
                json!(1),
                Code::WrongType,
                "true or false is needed, not 1",
            ),
        ];
        for (key, value, code, words) in table {
            let mut bad = good.clone();
            bad[*key] = value.clone();
            let error = read::<Terms, _>("terms", &bad).unwrap_err();
            assert!(error.message().contains(words), "{key} {value}: {error}");
            assert_eq!(error.why(), *code, "{error}");
            let place = error.whereabouts().expect("a place");
            assert!(place.starts_with("terms"), "{place}");
            for library in [
                "variant", "field", "struct", "enum", "expected", "`", "f64", "u32",
            ] {
                assert!(!error.message().contains(library), "{error}");
            }
        }
        let error = read::<Terms, _>("terms", &json!({"right": "call"})).unwrap_err();
        assert_eq!(error.message(), "terms: 'strike' has to be given");
        assert_eq!(error.why(), Code::NotStated);
        let error = read::<Terms, _>("terms", &json!(5)).unwrap_err();
        assert_eq!(error.message(), "terms: an object is needed, not 5");
    }
}
