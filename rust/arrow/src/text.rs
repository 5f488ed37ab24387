//! A column of text in whichever form Arrow has it: offsets of 32 or 64 bits, views, or codes of a dictionary.

use arrow_array::cast::AsArray;
use arrow_array::types::ArrowDictionaryKeyType;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, LargeStringArray, StringArray, StringViewArray,
    downcast_dictionary_array,
};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_schema::DataType;
use kernel::error::Result;
use kernel::fail;

use crate::table::wrong_type;

/// Text of a row each.
pub(crate) enum Plain<'a> {
    Small(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
}

impl<'a> Plain<'a> {
    pub(crate) fn of(array: &'a dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => Some(Self::Small(array.as_string())),
            DataType::LargeUtf8 => Some(Self::Large(array.as_string())),
            DataType::Utf8View => Some(Self::View(array.as_string_view())),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn at(&self, row: usize) -> &'a str {
        match self {
            Self::Small(text) => text.value(row),
            Self::Large(text) => text.value(row),
            Self::View(text) => text.value(row),
        }
    }
}

/// The codes of a dictionary's rows, 0 where there is none; codes beyond its values are refused.
pub(crate) fn codes(name: &str, array: &dyn Array) -> Result<Vec<u32>> {
    fn own<K: ArrowDictionaryKeyType>(name: &str, array: &DictionaryArray<K>) -> Result<Vec<u32>> {
        let (keys, count) = (array.keys(), array.values().len());
        let mut out = Vec::with_capacity(keys.len());
        let mut most = 0;
        for &key in keys.values() {
            let key = key.as_usize();
            most = most.max(key);
            out.push(key as u32);
        }
        if most >= count || most > u32::MAX as usize {
            // What stands under a null may be anything.
            for (row, code) in out.iter_mut().enumerate() {
                if keys.is_null(row) {
                    *code = 0;
                } else if keys.value(row).as_usize() >= count {
                    fail!(
                        InvalidInput: Damaged, place format_args!("column '{name}'");
                        "arrow: column '{name}' is no valid Arrow data: the code of row {row} is not among the {count} values of its dictionary"
                    );
                }
            }
        }
        Ok(out)
    }
    downcast_dictionary_array!(
        array => own(name, array),
        _ => Err(wrong_type(name, "a dictionary", array.data_type()))
    )
}

/// Which rows hold nothing, whether by the row itself or by its value.
pub(crate) fn nulls(array: &ArrayRef) -> Option<NullBuffer> {
    array.logical_nulls().filter(|nulls| nulls.null_count() > 0)
}

/// Whether a column is of text, coded or not.
pub(crate) fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}
