//! Tables of contracts, in and out: a column per term.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Int32Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, RecordBatch,
    StringArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Schema, TimeUnit};
use engine::columns::{Distinct, FORMS, Form, TermColumns, TextColumn};
use engine::contract::{Contracts, Kind};
use engine::names::hint;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::error::Result;
use kernel::fail;

use crate::table::{check, place, refused, wrong_type};
use crate::text::{Plain, codes, is_text, nulls};
use crate::whole::Numbers;

/// Whole numbers beyond this are not every one a number of the engine.
const EXACT: i64 = 1 << 53;

/// What pandas calls an index without a name where it becomes a column: no data of the table's.
const PANDAS_INDEX: &str = "__index_level_";

/// Reads a table of contracts from record batches.
#[derive(Default)]
pub struct ContractsReader {
    text: HashMap<String, Distinct>,
    columns: TermColumns,
    rows: usize,
    names: Option<Vec<String>>,
}

impl ContractsReader {
    /// Refuses a source whose columns are not terms of contracts.
    pub fn look(&self, source: &Schema) -> Result<()> {
        known(source).map(|_| ())
    }

    /// Takes a batch in: its rows follow those before.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let names = known(batch.schema_ref())?;
        if let Some(before) = &self.names
            && *before != names
        {
            fail!(
                InvalidInput: Contradiction;
                "arrow: a batch has other columns than those before it: {}, not {}",
                names.join(", "), before.join(", ")
            );
        }
        for name in &names {
            let column = batch.column(place(batch.schema_ref(), name)?);
            check(name, column, &mut None)?;
            self.add(name, column, batch)?;
        }
        self.names = Some(names);
        self.rows += batch.num_rows();
        Ok(())
    }

    /// The table.
    pub fn finish(mut self) -> Result<Arc<Contracts>> {
        for (name, column) in self.text {
            let column = column.column();
            match name.split_once('.') {
                Some((term, key)) => {
                    let named = self.columns.named.entry(term.to_string()).or_default();
                    named.insert(key.to_string(), column);
                }
                None => {
                    self.columns.text.insert(name, column);
                }
            }
        }
        if self.rows == 0 {
            return Contracts::new(Vec::new());
        }
        self.columns.contracts()
    }

    fn add(&mut self, name: &str, column: &ArrayRef, batch: &RecordBatch) -> Result<()> {
        let term = name.split_once('.').map_or(name, |n| n.0);
        let (_, form) = FORMS
            .iter()
            .find(|f| f.0 == term)
            .expect("names were looked at");
        match form {
            Form::Number => {
                let own = numbers(name, column, batch, self.rows)?;
                let all = self.columns.numbers.entry(name.to_string()).or_default();
                all.extend(own);
            }
            Form::Flag => {
                let DataType::Boolean = column.data_type() else {
                    return Err(wrong_type(name, "true or false is", column.data_type()));
                };
                refuse_nulls(name, column, self.rows)?;
                let all = self.columns.flags.entry(name.to_string()).or_default();
                all.extend(column.as_boolean().values().iter());
            }
            Form::Text | Form::Words | Form::Named => {
                let own = self.text.entry(name.to_string()).or_default();
                if term == "expiry" && !is_text(column.data_type()) {
                    return dates(name, column, self.rows, own);
                }
                texts(name, column, own)?;
            }
        }
        Ok(())
    }
}

/// The columns that are terms: others are refused, but for the index of pandas.
fn known(schema: &Schema) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for field in schema.fields() {
        let name = field.name();
        let is_index = name.strip_prefix(PANDAS_INDEX).is_some_and(|rest| {
            rest.strip_suffix("__")
                .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        });
        if is_index {
            continue;
        }
        let named = name.split_once('.').map(|n| n.0);
        let is_term = match named {
            Some(term) => FORMS.contains(&(term, Form::Named)),
            None => FORMS
                .iter()
                .any(|&(term, form)| term == name && form != Form::Named),
        };
        if !is_term {
            let terms = || {
                FORMS.iter().map(|f| match f.1 {
                    Form::Named => "aliases.VENDOR",
                    _ => f.0,
                })
            };
            fail!(
                InvalidInput: UnknownName, place name, value name.as_str();
                "arrow: unknown column '{name}': known are {}{}",
                terms().collect::<Vec<_>>().join(", "),
                hint(name, terms())
            );
        }
        names.push(name.clone());
    }
    place(schema, "kind")?;
    Ok(names)
}

/// A column of numbers: null is refused, but where a row has no use for the term.
fn numbers(name: &str, column: &ArrayRef, batch: &RecordBatch, before: usize) -> Result<Vec<f64>> {
    if matches!(column.data_type(), DataType::Null) {
        return blanks(name, &vec![true; column.len()], batch, before);
    }
    let read = Numbers::read(name, column)?;
    let absent = nulls(column);
    if let Numbers::Whole(values) = &read {
        let is_null = |row: usize| absent.as_ref().is_some_and(|n| n.is_null(row));
        let is_beyond = |&(row, v): &(usize, &i64)| !(-EXACT..=EXACT).contains(v) && !is_null(row);
        if let Some((row, value)) = values.iter().enumerate().find(is_beyond) {
            let shown = match column.data_type() {
                DataType::UInt64 => {
                    let own = column.as_primitive::<arrow_array::types::UInt64Type>();
                    own.value(row).to_string()
                }
                _ => value.to_string(),
            };
            fail!(
                InvalidInput: OutOfRange, place format_args!("column '{name}' row {}", before + row), value *value;
                "arrow: column '{name}' row {}: {shown} is out of range", before + row
            );
        }
    }
    let mut values: Vec<f64> = (0..column.len()).map(|row| read.amount(row)).collect();
    if let Some(absent) = &absent {
        let absent: Vec<bool> = absent.iter().map(|is_there| !is_there).collect();
        let instead = blanks(name, &absent, batch, before)?;
        for (row, value) in values
            .iter_mut()
            .enumerate()
            .filter(|(row, _)| absent[*row])
        {
            *value = instead[row];
        }
    }
    Ok(values)
}

/// What stands for nulls: a strike of what is no option is none, multipliers of strike and premium are the multiplier.
fn blanks(name: &str, absent: &[bool], batch: &RecordBatch, before: usize) -> Result<Vec<f64>> {
    let mut needed = vec![true; absent.len()];
    let mut instead = vec![0.0; absent.len()];
    match name {
        "strike" => {
            let kind = batch.column(place(batch.schema_ref(), "kind")?);
            let mut kinds = Distinct::default();
            texts("kind", kind, &mut kinds)?;
            let kinds = kinds.column();
            for (row, needed) in needed.iter_mut().enumerate() {
                *needed = kinds.values[kinds.codes[row] as usize] == "option";
            }
        }
        "strike_multiplier" | "premium_multiplier" => {
            let at = place(batch.schema_ref(), "multiplier")?;
            instead = numbers("multiplier", batch.column(at), batch, before)?;
            needed.fill(false);
        }
        _ => {}
    }
    if let Some(row) = (0..absent.len()).find(|&row| absent[row] && needed[row]) {
        fail!(
            InvalidInput: WrongType, place format_args!("column '{name}' row {}", before + row);
            "arrow: column '{name}' row {}: null where a number is needed", before + row
        );
    }
    Ok(instead)
}

fn refuse_nulls(name: &str, column: &ArrayRef, before: usize) -> Result<()> {
    if let Some(nulls) = nulls(column)
        && let Some(row) = (0..column.len()).find(|&row| nulls.is_null(row))
    {
        fail!(
            InvalidInput: WrongType, place format_args!("column '{name}' row {}", before + row);
            "arrow: column '{name}' row {}: null", before + row
        );
    }
    Ok(())
}

/// Adds a column of text; null is text that is left out.
fn texts(name: &str, column: &ArrayRef, out: &mut Distinct) -> Result<()> {
    if matches!(column.data_type(), DataType::Null) {
        for _ in 0..column.len() {
            out.push("");
        }
        return Ok(());
    }
    if !is_text(column.data_type()) {
        return Err(wrong_type(name, "text is", column.data_type()));
    }
    let absent = nulls(column);
    let is_null = |row: usize| absent.as_ref().is_some_and(|n| n.is_null(row));
    if let Some(coded) = column.as_any_dictionary_opt() {
        let (codes, values) = (codes(name, column.as_ref())?, coded.values());
        let text = Plain::of(values.as_ref()).expect("it is of text");
        let mut known: Vec<Option<u32>> = vec![None; values.len()];
        for (row, &code) in codes.iter().enumerate() {
            if is_null(row) {
                out.push("");
            } else if let Some(own) = known[code as usize] {
                out.again(own);
            } else {
                known[code as usize] = Some(out.push(text.at(code as usize)));
            }
        }
        return Ok(());
    }
    let text = Plain::of(column.as_ref()).expect("it is of text");
    // An id is that of one row: looking for it among the others finds nothing.
    let is_own = name == "id" || name.contains('.');
    for row in 0..column.len() {
        let own = if is_null(row) { "" } else { text.at(row) };
        if is_own {
            out.push_new(own);
        } else {
            out.push(own);
        }
    }
    Ok(())
}

/// Adds a column of dates, as text; timestamps are dates where each is a midnight of no zone.
fn dates(name: &str, column: &ArrayRef, before: usize, out: &mut Distinct) -> Result<()> {
    const DAY: i64 = 86_400;
    const NEEDED: &str = "text or a date is";
    macro_rules! seconds {
        ($type:ty, $one:expr) => {
            Box::new(|row: usize| {
                let value = i64::from(column.as_primitive::<$type>().value(row));
                (value.div_euclid($one), value.rem_euclid($one) == 0)
            })
        };
    }
    // Seconds of a row, and whether there are no fractions of one.
    let second: Box<dyn Fn(usize) -> (i64, bool) + '_> = match column.data_type() {
        DataType::Null => {
            for _ in 0..column.len() {
                out.push("");
            }
            return Ok(());
        }
        DataType::Date32 => Box::new(|row| {
            let days = column.as_primitive::<Date32Type>().value(row);
            (i64::from(days) * DAY, true)
        }),
        DataType::Date64 => seconds!(Date64Type, 1_000),
        DataType::Timestamp(unit, None) => match unit {
            TimeUnit::Second => seconds!(TimestampSecondType, 1),
            TimeUnit::Millisecond => seconds!(TimestampMillisecondType, 1_000),
            TimeUnit::Microsecond => seconds!(TimestampMicrosecondType, 1_000_000),
            TimeUnit::Nanosecond => seconds!(TimestampNanosecondType, 1_000_000_000),
        },
        other => return Err(wrong_type(name, NEEDED, other)),
    };
    let mut known: HashMap<i64, u32> = HashMap::new();
    for row in 0..column.len() {
        if column.is_null(row) {
            out.push("");
            continue;
        }
        let (second, is_whole) = second(row);
        if let Some(&code) = known.get(&second) {
            out.again(code);
            continue;
        }
        let moment = Timestamp::from_second(second).map(|t| t.to_zoned(TimeZone::UTC));
        let place = format!("column '{name}' row {}", before + row);
        let Ok(moment) = moment else {
            fail!(InvalidInput: BadTime, place &place; "arrow: {place}: no date lies so far away");
        };
        if !is_whole || second.rem_euclid(DAY) != 0 {
            let found = moment.datetime();
            fail!(
                InvalidInput: WrongType, place &place, value found.to_string();
                "arrow: {place}: {NEEDED} needed, not the time {found}"
            );
        }
        known.insert(second, out.push(&moment.date().to_string()));
    }
    Ok(())
}

/// A table of contracts as a record batch: a column per term that any row states, null where a row leaves it out.
pub fn contracts(table: &Contracts) -> Result<RecordBatch> {
    let columns = TermColumns::of(table);
    let mut arrays: Vec<(String, ArrayRef)> = Vec::new();
    let mut add = |name: &str, array: ArrayRef| arrays.push((name.to_string(), array));
    for &(name, form) in FORMS {
        match form {
            Form::Text | Form::Words => {
                if let Some(column) = columns.text.get(name) {
                    add(name, text_array(column, name == "id")?);
                }
            }
            Form::Number => {
                if let Some(values) = columns.numbers.get(name) {
                    let is_there = |kind: Kind| name != "strike" || kind == Kind::Option;
                    let rows = table.rows().iter().map(|c| is_there(c.kind()));
                    let nulls = NullBuffer::from_iter(rows);
                    let nulls = (nulls.null_count() > 0).then_some(nulls);
                    add(
                        name,
                        Arc::new(Float64Array::new(values.clone().into(), nulls)),
                    );
                }
            }
            Form::Flag => {
                if let Some(values) = columns.flags.get(name) {
                    add(name, Arc::new(BooleanArray::from(values.clone())));
                }
            }
            Form::Named => {
                for (key, column) in columns.named.get(name).into_iter().flatten() {
                    add(&format!("{name}.{key}"), text_array(column, true)?);
                }
            }
        }
    }
    if table.is_empty() {
        add("kind", Arc::new(StringArray::from(Vec::<&str>::new())));
    }
    RecordBatch::try_from_iter(arrays).map_err(|e| refused(&e))
}

/// A column of text, coded unless most rows have their own; what is left out is null.
fn text_array(column: &TextColumn, is_own: bool) -> Result<ArrayRef> {
    let text = |code: u32| Some(column.values[code as usize].as_str()).filter(|t| !t.is_empty());
    if is_own {
        let mut out = StringBuilder::new();
        column
            .codes
            .iter()
            .for_each(|&code| out.append_option(text(code)));
        return Ok(Arc::new(out.finish()));
    }
    let codes = column.codes.iter();
    let codes: Int32Array = codes.map(|&code| text(code).map(|_| code as i32)).collect();
    let values = StringArray::from_iter_values(&column.values);
    let array = DictionaryArray::<Int32Type>::try_new(codes, Arc::new(values));
    array
        .map(|array| Arc::new(array) as ArrayRef)
        .map_err(|e| refused(&e))
}
