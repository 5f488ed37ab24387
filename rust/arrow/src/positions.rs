//! The rows of a slice as positions: which contract, how much of it, and what is said of the account.

use std::collections::BTreeMap;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_data::ArrayData;
use engine::account::{AccountTerms, MAX_LOTS, lots};
use engine::bounds;
use engine::contract::{ContractIndex, Contracts};
use kernel::error::{Code, MarginError, Result};
use kernel::fail;

use crate::columns::{Amount, Places};
use crate::table::{check, wrong_type};
use crate::text::{Plain, codes, is_text, nulls};
use crate::whole::{Numbers, integers, missing};

/// Stands for no position: the row says something of its account only, or is refused.
pub(crate) const NONE: ContractIndex = ContractIndex::MAX;

/// What a row of positions holds of its contract.
pub(crate) enum Held {
    Net(Vec<i64>),
    Gross(Vec<[i64; 2]>),
}

/// The rows of a slice.
pub(crate) struct Positions<'a> {
    pub(crate) contract: Vec<ContractIndex>,
    pub(crate) held: Held,
    /// What is refused, by row, ascending; its contract is [`NONE`].
    pub(crate) faults: Vec<(usize, MarginError)>,
    terms: Vec<TermColumn<'a>>,
}

/// A column of what accounts are besides their positions.
struct TermColumn<'a> {
    name: String,
    of: Term<'a>,
    nulls: Option<NullBuffer>,
}

enum Term<'a> {
    Cash(String, Numbers<'a>),
    Collateral(String, Numbers<'a>),
    Kind(Vec<Option<String>>, Vec<u32>),
}

/// What is kept between slices: a dictionary is looked up once, however many batches have it.
#[derive(Default)]
pub(crate) struct Memory {
    checked: BTreeMap<usize, Option<ArrayData>>,
    dictionary: Option<(ArrayData, Vec<ContractIndex>)>,
}

impl Memory {
    /// Checks the columns of a batch: whole, as a slice would check its column's text from end to end.
    pub(crate) fn check(&mut self, batch: &RecordBatch, places: &Places) -> Result<()> {
        for at in places.all() {
            let name = batch.schema_ref().field(at).name();
            check(name, batch.column(at), self.checked.entry(at).or_default())?;
        }
        Ok(())
    }
}

/// Reads slices of tables of positions in contracts of a table.
pub(crate) struct Reader<'a> {
    pub(crate) contracts: &'a Contracts,
    pub(crate) is_gross: bool,
    /// Whether every contract's lot is 1, so that quantities are lots.
    pub(crate) is_plain: bool,
}

impl Reader<'_> {
    /// Reads a slice of a batch that was checked.
    pub(crate) fn read<'a>(
        &self,
        batch: &'a RecordBatch,
        places: &Places,
        memory: &mut Memory,
    ) -> Result<Positions<'a>> {
        let name = |at: usize| batch.schema_ref().field(at).name().as_str();
        let contract = batch.column(places.contract);
        let (mut rows, unknown) = self.rows(name(places.contract), contract, memory)?;
        let absent = nulls(contract);
        let mut faults = Vec::new();
        for row in unknown {
            faults.push((row, self.unknown(contract, row)));
        }
        let held = self.held(batch, places, &mut rows, absent.as_ref(), &mut faults)?;
        // Ascending, and of a row that is refused twice the contract first.
        faults.sort_by_key(|f| f.0);
        let mut terms = Vec::new();
        for (currency, at) in &places.cash {
            let numbers = Numbers::read(name(*at), batch.column(*at))?;
            terms.push(TermColumn::new(
                batch,
                *at,
                Term::Cash(currency.clone(), numbers),
            ));
        }
        for (asset, at) in &places.collateral {
            let numbers = Numbers::read(name(*at), batch.column(*at))?;
            terms.push(TermColumn::new(
                batch,
                *at,
                Term::Collateral(asset.clone(), numbers),
            ));
        }
        if let Some(at) = places.kind {
            let (words, codes) = kinds(name(at), batch.column(at))?;
            terms.push(TermColumn::new(batch, at, Term::Kind(words, codes)));
        }
        Ok(Positions {
            contract: rows,
            held,
            faults,
            terms,
        })
    }

    /// The table's rows that a column of ids or rows names, and which of its own rows name none. Nulls are [`NONE`].
    fn rows(
        &self,
        name: &str,
        column: &ArrayRef,
        memory: &mut Memory,
    ) -> Result<(Vec<ContractIndex>, Vec<usize>)> {
        let row_of = |id: &str| self.contracts.ids().row(id).unwrap_or(NONE);
        let mut rows: Vec<ContractIndex> = if let Some(coded) = column.coded_text() {
            let values = coded.values();
            let data = values.to_data();
            let known = memory.dictionary.as_ref();
            if known.is_none_or(|(known, _)| !known.ptr_eq(&data)) {
                let text = Plain::of(values.as_ref()).expect("it is of text");
                let found = (0..values.len()).map(|i| match values.is_null(i) {
                    true => NONE,
                    false => row_of(text.at(i)),
                });
                memory.dictionary = Some((data, found.collect()));
            }
            let (_, found) = memory.dictionary.as_ref().expect("set just above");
            let codes = codes(name, column.as_ref())?;
            codes
                .iter()
                .map(|&code| found.get(code as usize).copied().unwrap_or(NONE))
                .collect()
        } else if let Some(text) = Plain::of(column.as_ref()) {
            match &text {
                Plain::Small(text) => (0..text.len()).map(|i| row_of(text.value(i))).collect(),
                text => (0..column.len()).map(|i| row_of(text.at(i))).collect(),
            }
        } else if let Some(numbers) = integers(column.as_ref()) {
            let count = self.contracts.len() as u64;
            let row = |v: i64| {
                if (v as u64) < count {
                    v as ContractIndex
                } else {
                    NONE
                }
            };
            numbers.iter().map(|&v| row(v)).collect()
        } else {
            return Err(wrong_type(
                name,
                "text (ids) or whole numbers (rows of the table) are",
                column.data_type(),
            ));
        };
        let mut unknown = Vec::new();
        match nulls(column) {
            Some(nulls) => {
                for (row, own) in rows.iter_mut().enumerate() {
                    if nulls.is_null(row) {
                        *own = NONE;
                    } else if *own == NONE {
                        unknown.push(row);
                    }
                }
            }
            None => {
                let own = rows.iter().enumerate();
                unknown.extend(own.filter(|r| *r.1 == NONE).map(|r| r.0));
            }
        }
        Ok((rows, unknown))
    }

    /// Why a row's contract is not in the table.
    fn unknown(&self, column: &ArrayRef, row: usize) -> MarginError {
        let one = column.slice(row, 1);
        let plain = match one.coded_text() {
            Some(coded) => {
                let code = codes("", one.as_ref()).map_or(0, |codes| codes[0]) as usize;
                coded.values().slice(code, 1)
            }
            None => one,
        };
        if let Some(text) = Plain::of(plain.as_ref()) {
            return match self.contracts.index_of(text.at(0)) {
                Err(error) => error
                    .place(format_args!("contract '{}'", text.at(0)))
                    .value(text.at(0)),
                Ok(_) => unreachable!("it was not found"),
            };
        }
        let number = integers(plain.as_ref()).map_or(0, |n| n[0]);
        MarginError::InvalidInput(
            format!(
                "contract row {number} of a table of {}",
                self.contracts.len()
            )
            .into(),
        )
        .code(Code::OutOfRange)
        .value(number)
    }

    /// How much each row holds.
    fn held(
        &self,
        batch: &RecordBatch,
        places: &Places,
        rows: &mut [ContractIndex],
        absent: Option<&NullBuffer>,
        faults: &mut Vec<(usize, MarginError)>,
    ) -> Result<Held> {
        let name = |at: usize| batch.schema_ref().field(at).name().as_str();
        let mut side = |at: usize, unsigned: bool, in_lots: bool| {
            let column = batch.column(at);
            let numbers = Numbers::read(name(at), column)?;
            self.lots(
                name(at),
                column,
                &numbers,
                unsigned,
                in_lots,
                rows,
                absent,
                faults,
            )
        };
        match places.amount {
            Amount::Quantity(at) => side(at, false, false).map(Held::Net),
            Amount::Lots(at) => side(at, false, true).map(Held::Net),
            Amount::Sides(long, short) => {
                let (long, short) = (side(long, true, false)?, side(short, true, false)?);
                let sides = long.into_iter().zip(short);
                Ok(if self.is_gross {
                    Held::Gross(sides.map(|(l, s)| [l, s]).collect())
                } else {
                    Held::Net(sides.map(|(l, s)| l - s).collect())
                })
            }
        }
    }

    /// A column of amounts as whole lots.
    fn lots(
        &self,
        name: &str,
        column: &ArrayRef,
        numbers: &Numbers<'_>,
        unsigned: bool,
        in_lots: bool,
        rows: &mut [ContractIndex],
        absent: Option<&NullBuffer>,
        faults: &mut Vec<(usize, MarginError)>,
    ) -> Result<Vec<i64>> {
        if in_lots && matches!(numbers, Numbers::Real(_)) {
            return Err(wrong_type(name, "whole numbers are", column.data_type()));
        }
        let least = if unsigned { 0 } else { -MAX_LOTS };
        let own_nulls = nulls(column);
        let is_null = |row: usize| own_nulls.as_ref().is_some_and(|n| n.is_null(row));
        // The usual case, without a question per row.
        if let (Numbers::Whole(values), None, None) = (numbers, &own_nulls, absent)
            && (in_lots || self.is_plain)
        {
            let is_within = |most: bool, v: &i64| most & (least..=MAX_LOTS).contains(v);
            if values.iter().fold(true, is_within) {
                return Ok(values.to_vec());
            }
        }
        let one = |row: usize, contract: ContractIndex| -> Result<i64> {
            let what = || format!("column '{name}'");
            let own = match numbers {
                Numbers::Whole(values) if in_lots || self.is_plain => {
                    let value = values[row];
                    if !(-MAX_LOTS..=MAX_LOTS).contains(&value) {
                        fail!(InvalidInput: TooLarge, place what(), value value; "{}: {value} lots: at most 2^53 are accepted", what());
                    }
                    value
                }
                numbers => lots(
                    &self.contracts.rows()[contract as usize],
                    what(),
                    numbers.amount(row),
                )?,
            };
            if own < least {
                fail!(InvalidInput: OutOfRange, place what(), value own; "{}: {own} is below zero: long and short are unsigned", what());
            }
            Ok(own)
        };
        let mut out = vec![0; column.len()];
        for row in 0..column.len() {
            let no_contract = absent.is_some_and(|n| n.is_null(row));
            match (no_contract, is_null(row)) {
                // A row that says something of its account only.
                (true, true) => continue,
                (true, false) => faults.push((row, without_contract())),
                (false, true) => {
                    faults.push((row, missing(name)));
                    rows[row] = NONE;
                }
                (false, false) if rows[row] == NONE => continue,
                (false, false) => match one(row, rows[row]) {
                    Ok(lots) => out[row] = lots,
                    Err(error) => {
                        faults.push((row, error));
                        rows[row] = NONE;
                    }
                },
            }
        }
        Ok(out)
    }
}

/// An amount of nothing.
fn without_contract() -> MarginError {
    let message = "the contract is null and the quantity is not".to_string();
    MarginError::InvalidInput(message.into()).code(Code::NotStated)
}

/// Columns of ids may be coded.
trait CodedText {
    fn coded_text(&self) -> Option<&dyn arrow_array::array::AnyDictionaryArray>;
}

impl CodedText for ArrayRef {
    fn coded_text(&self) -> Option<&dyn arrow_array::array::AnyDictionaryArray> {
        use arrow_array::cast::AsArray;
        self.as_any_dictionary_opt()
            .filter(|coded| is_text(coded.values().data_type()))
    }
}

/// The distinct words of a column of account kinds, and which of them each row has.
fn kinds(name: &str, column: &ArrayRef) -> Result<(Vec<Option<String>>, Vec<u32>)> {
    let word = |text: &Plain<'_>, array: &ArrayRef, i: usize| {
        (!array.is_null(i)).then(|| text.at(i).to_string())
    };
    if let Some(coded) = column.coded_text() {
        let values = coded.values();
        let text = Plain::of(values.as_ref()).expect("it is of text");
        let words = (0..values.len()).map(|i| word(&text, values, i)).collect();
        return Ok((words, codes(name, column.as_ref())?));
    }
    let Some(text) = Plain::of(column.as_ref()) else {
        return Err(wrong_type(name, "text is", column.data_type()));
    };
    let mut words: Vec<Option<String>> = Vec::new();
    let mut codes = Vec::with_capacity(column.len());
    for i in 0..column.len() {
        let own = word(&text, column, i);
        let code = words.iter().position(|w| *w == own).unwrap_or_else(|| {
            words.push(own);
            words.len() - 1
        });
        codes.push(code as u32);
    }
    Ok((words, codes))
}

impl<'a> TermColumn<'a> {
    fn new(batch: &RecordBatch, at: usize, of: Term<'a>) -> Self {
        Self {
            name: batch.schema_ref().field(at).name().clone(),
            of,
            nulls: nulls(batch.column(at)),
        }
    }
}

impl Positions<'_> {
    /// Says in which row of the stream each fault is: `before` rows came before these.
    pub(crate) fn say_rows(&mut self, before: u64) {
        for (row, error) in &mut self.faults {
            *error = error.clone().at(format!("row {}", before + *row as u64));
        }
    }

    /// Whether the table says anything of accounts besides their positions.
    pub(crate) fn has_terms(&self) -> bool {
        !self.terms.is_empty()
    }

    /// Adds what rows say of their account; each has to say the same, or nothing.
    pub(crate) fn state(
        &self,
        rows: std::ops::Range<usize>,
        terms: &mut AccountTerms,
    ) -> Result<()> {
        for column in &self.terms {
            let place = || format!("column '{}'", column.name);
            for row in rows.clone() {
                if column.nulls.as_ref().is_some_and(|n| n.is_null(row)) {
                    continue;
                }
                let (amounts, key, amount) = match &column.of {
                    Term::Kind(words, codes) => {
                        let Some(word) = &words[codes[row] as usize] else {
                            continue;
                        };
                        if let Some(before) = terms.kind.as_ref().filter(|k| *k != word) {
                            fail!(
                                InvalidInput: Contradiction, place place();
                                "{}: '{before}' in one row and '{word}' in another: it is the account's, the same on each of its rows",
                                place()
                            );
                        }
                        terms.kind.get_or_insert_with(|| word.clone());
                        continue;
                    }
                    Term::Cash(key, numbers) => (&mut terms.cash, key, numbers.amount(row)),
                    Term::Collateral(key, numbers) => {
                        (&mut terms.collateral, key, numbers.amount(row))
                    }
                };
                match amounts.get(key) {
                    Some(&before) if before != amount => fail!(
                        InvalidInput: Contradiction, place place();
                        "{}: {before} in one row and {amount} in another: it is the account's, the same on each of its rows",
                        place()
                    ),
                    Some(_) => {}
                    None => {
                        bounds::finite(place(), amount)?;
                        amounts.insert(key.clone(), amount);
                    }
                }
            }
        }
        Ok(())
    }
}
