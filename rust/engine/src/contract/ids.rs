//! The ids of a table of contracts: from a text to its row, for tables of millions and columns of hundreds of millions.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Ids in one text, one after another: a search touches three places in memory, however many rows there are.
#[derive(Debug, Default)]
pub struct Ids {
    text: String,
    /// Where each id ends in the text.
    end: Vec<usize>,
    rows: HashTable<u32>,
    hasher: RandomState,
}

/// An id within the text.
fn slice<'a>(text: &'a str, end: &[usize], row: usize) -> &'a str {
    let start = if row == 0 { 0 } else { end[row - 1] };
    &text[start..end[row]]
}

impl Ids {
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self {
            end: Vec::with_capacity(rows),
            rows: HashTable::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Adds the id of the next row, or gives the row that has it already.
    pub(super) fn push(&mut self, id: &str) -> Result<(), u32> {
        let (text, end, hasher) = (&self.text, &self.end, &self.hasher);
        let entry = self.rows.entry(
            hasher.hash_one(id.as_bytes()),
            |&row| slice(text, end, row as usize) == id,
            |&row| hasher.hash_one(slice(text, end, row as usize).as_bytes()),
        );
        match entry {
            Entry::Occupied(first) => Err(*first.get()),
            Entry::Vacant(place) => {
                place.insert(self.end.len() as u32);
                self.text.push_str(id);
                self.end.push(self.text.len());
                Ok(())
            }
        }
    }

    /// The row of an id.
    #[inline]
    pub fn row(&self, id: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(id.as_bytes());
        let is_it = |&row: &u32| slice(&self.text, &self.end, row as usize) == id;
        self.rows.find(hash, is_it).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_its_row_and_no_other_text_has_one() {
        let mut ids = Ids::with_capacity(0);
        for row in 0..5_000_u32 {
            ids.push(&format!("X {row}")).unwrap();
        }
        assert_eq!(ids.push("X 17"), Err(17));
        for row in 0..5_000_u32 {
            assert_eq!(ids.row(&format!("X {row}")), Some(row));
        }
        for other in ["", "X", "X 5000", "X 1X 2", "x 1"] {
            assert_eq!(ids.row(other), None, "{other}");
        }
    }
}
