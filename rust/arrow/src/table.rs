//! Columns by name: found, checked against Arrow's own rules, refused by name.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, GenericStringArray, OffsetSizeTrait};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Schema};
use kernel::error::{Code, MarginError};
use kernel::fail;

type Result<T, E = MarginError> = std::result::Result<T, E>;

/// A column of another type than is needed.
pub(crate) fn wrong_type(name: &str, needed: &str, found: &DataType) -> MarginError {
    MarginError::InvalidInput(
        format!(
            "arrow: column '{name}': {needed} needed, not {}",
            type_name(found)
        )
        .into(),
    )
    .code(Code::WrongType)
    .place(format_args!("column '{name}'"))
}

/// A type by the name that Arrow's other libraries give it.
pub(crate) fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Boolean => "bool".to_string(),
        DataType::Utf8 => "string".to_string(),
        DataType::LargeUtf8 => "large_string".to_string(),
        DataType::Utf8View => "string_view".to_string(),
        DataType::LargeBinary => "large_binary".to_string(),
        DataType::Float32 => "float".to_string(),
        DataType::Float64 => "double".to_string(),
        DataType::Decimal128(precision, scale) => format!("decimal128({precision}, {scale})"),
        DataType::Dictionary(_, values) => format!("dictionary of {}", type_name(values)),
        DataType::Timestamp(unit, None) => format!("timestamp[{unit}]"),
        DataType::Timestamp(unit, Some(zone)) => format!("timestamp[{unit}, tz={zone}]"),
        other => other.to_string().to_lowercase(),
    }
}

/// What Arrow itself refuses, in our own terms.
pub fn refused(error: &ArrowError) -> MarginError {
    let kind = match error {
        ArrowError::ExternalError(inner) => inner.to_string(),
        other => other.to_string(),
    };
    MarginError::InvalidInput(format!("arrow: the table cannot be read: {kind}").into())
        .code(Code::Damaged)
}

/// Where a column stands in a schema; one name twice is refused.
pub(crate) fn place(schema: &Schema, name: &str) -> Result<usize> {
    let mut found = (schema.fields().iter().enumerate()).filter(|(_, f)| f.name() == name);
    let Some((at, _)) = found.next() else {
        let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        fail!(
            MissingData: MissingParameter, place format_args!("column '{name}'");
            "arrow: there is no column '{name}': the table has {}",
            names.join(", ")
        );
    };
    if found.next().is_some() {
        fail!(
            InvalidInput: Duplicate, place format_args!("column '{name}'");
            "arrow: there is more than one column '{name}'"
        );
    }
    Ok(at)
}

/// Checks that the buffers are what they say: another program has filled them. The values of a dictionary are checked once:
/// `known` are those checked last.
pub(crate) fn check(name: &str, column: &ArrayRef, known: &mut Option<ArrayData>) -> Result<()> {
    let damaged = |error: ArrowError| {
        MarginError::InvalidInput(
            format!("arrow: column '{name}' is no valid Arrow data: {error}").into(),
        )
        .code(Code::Damaged)
        .place(format_args!("column '{name}'"))
    };
    match column.data_type() {
        DataType::Utf8 => check_text(column.as_string::<i32>()).map_err(damaged),
        DataType::LargeUtf8 => check_text(column.as_string::<i64>()).map_err(damaged),
        // The codes are checked where they are read.
        DataType::Dictionary(..) => {
            let values = column.as_any_dictionary().values();
            let data = values.to_data();
            if known.as_ref().is_none_or(|known| !known.ptr_eq(&data)) {
                data.validate_full().map_err(damaged)?;
                *known = Some(data);
            }
            Ok(())
        }
        _ => column.to_data().validate_full().map_err(damaged),
    }
}

/// Checks the rows of a column of text, and nothing beside them: batches may be slices of one long column, which Arrow's own
/// check would read from its beginning for each of them.
fn check_text<O: OffsetSizeTrait>(text: &GenericStringArray<O>) -> Result<(), ArrowError> {
    let refused = |why: &str| Err(ArrowError::InvalidArgumentError(why.to_string()));
    let (offsets, bytes) = (text.value_offsets(), text.value_data());
    let first = offsets
        .first()
        .map_or(0, |o| o.to_usize().unwrap_or(usize::MAX));
    let last = offsets
        .last()
        .map_or(0, |o| o.to_usize().unwrap_or(usize::MAX));
    let ascends = offsets.windows(2).fold(true, |all, o| all & (o[0] <= o[1]));
    let Some(own) = bytes.get(first..last).filter(|_| ascends) else {
        return refused("its offsets do not ascend within its data");
    };
    if own.is_ascii() {
        return Ok(());
    }
    let Ok(own) = std::str::from_utf8(own) else {
        return refused("its text is not UTF-8");
    };
    if offsets
        .iter()
        .any(|o| !own.is_char_boundary(o.as_usize() - first))
    {
        return refused("its text begins or ends within a character");
    }
    Ok(())
}
