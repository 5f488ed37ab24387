//! The columns of a table of contracts, by form.

use std::collections::BTreeMap;

/// A column of text: for each row, which of the few distinct values it holds.
#[derive(Debug, Clone, Default)]
pub struct TextColumn {
    pub codes: Vec<u32>,
    pub values: Vec<String>,
}

/// The terms of many contracts by name. A column of one entry holds for every row; empty text means left out.
#[derive(Debug, Clone, Default)]
pub struct TermColumns {
    pub text: BTreeMap<String, TextColumn>,
    pub numbers: BTreeMap<String, Vec<f64>>,
    pub flags: BTreeMap<String, Vec<bool>>,
    /// Columns of text by a name within the term: aliases by vendor.
    pub named: BTreeMap<String, BTreeMap<String, TextColumn>>,
}

/// In which of the [`TermColumns`] a term stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Number,
    /// True or false.
    Flag,
    /// Text by a name within the term.
    Named,
    /// Text, or what a document writes as an object: among the columns of text, as words.
    Words,
}
