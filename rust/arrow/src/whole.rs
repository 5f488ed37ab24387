//! Columns of numbers: whole ones of any of Arrow's types, decimals that are whole, and real ones.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, DecimalType, Float32Type, Float64Type, Int64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, downcast_integer_array};
use arrow_schema::DataType;
use kernel::error::{Code, MarginError, Result};

use crate::table::wrong_type;

/// The numbers of a column; what stands under a null may be anything.
pub(crate) enum Numbers<'a> {
    /// Those beyond 64 bits are the most that there is: larger than any quantity.
    Whole(Cow<'a, [i64]>),
    Real(Cow<'a, [f64]>),
}

impl<'a> Numbers<'a> {
    /// The numbers of a column. Decimals are whole where all of them are.
    pub(crate) fn read(name: &str, column: &'a ArrayRef) -> Result<Self> {
        if column.data_type().is_integer() {
            return Ok(Self::Whole(
                integers(column.as_ref()).expect("it is of integers"),
            ));
        }
        match column.data_type() {
            DataType::Float64 => {
                let values = column.as_primitive::<Float64Type>().values();
                Ok(Self::Real(Cow::Borrowed(values)))
            }
            DataType::Float32 => {
                let values = column.as_primitive::<Float32Type>().values();
                let values = values.iter().map(|&v| f64::from(v));
                Ok(Self::Real(values.collect()))
            }
            DataType::Decimal32(_, scale) => Ok(decimals::<Decimal32Type>(column, *scale)),
            DataType::Decimal64(_, scale) => Ok(decimals::<Decimal64Type>(column, *scale)),
            DataType::Decimal128(_, scale) => Ok(decimals::<Decimal128Type>(column, *scale)),
            other => Err(wrong_type(name, "a number is", other)),
        }
    }

    /// A row's amount, which need not be whole.
    pub(crate) fn amount(&self, row: usize) -> f64 {
        match self {
            Self::Whole(values) => values[row] as f64,
            Self::Real(values) => values[row],
        }
    }
}

/// A column of integers as 64 bits; what does not fit is the most or least that does.
pub(crate) fn integers(column: &dyn Array) -> Option<Cow<'_, [i64]>> {
    if column.data_type() == &DataType::Int64 {
        return Some(Cow::Borrowed(column.as_primitive::<Int64Type>().values()));
    }
    macro_rules! own {
        ($array:expr) => {
            $array
                .values()
                .iter()
                .map(|&v| i64::try_from(v).unwrap_or(i64::MAX))
                .collect()
        };
    }
    downcast_integer_array!(
        column => Some(own!(column)),
        _ => None
    )
}

/// Decimals of a scale: whole numbers, where each of them is one.
fn decimals<T: DecimalType>(column: &ArrayRef, scale: i8) -> Numbers<'static>
where
    <T as ArrowPrimitiveType>::Native: Into<i128>,
{
    let values = column.as_primitive::<T>().values();
    let unit = 10_i128.checked_pow(u32::from(scale.unsigned_abs()));
    let unit = unit.unwrap_or(i128::MAX);
    let whole = |value: i128| -> Option<i64> {
        let value = if scale < 0 {
            value.saturating_mul(unit)
        } else if value % unit == 0 {
            value / unit
        } else {
            return None;
        };
        let most = if value < 0 { i64::MIN } else { i64::MAX };
        Some(i64::try_from(value).unwrap_or(most))
    };
    let is_null = |row: usize| column.is_null(row);
    let all: Option<Vec<i64>> = (values.iter().enumerate())
        .map(|(row, &v)| whole(v.into()).or_else(|| is_null(row).then_some(0)))
        .collect();
    match all {
        Some(all) => Numbers::Whole(Cow::Owned(all)),
        None => Numbers::Real(
            values
                .iter()
                .map(|&v| Into::<i128>::into(v) as f64 / unit as f64)
                .collect(),
        ),
    }
}

/// A null where a number is needed.
pub(crate) fn missing(name: &str) -> MarginError {
    MarginError::InvalidInput(format!("column '{name}': null where a number is needed").into())
        .code(Code::NotStated)
        .place(format_args!("column '{name}'"))
}
