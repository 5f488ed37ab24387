//! Marks and vols by contract id, shared by the snapshots that do not change them, and by row of a table.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::contract::{ContractIndex, Contracts};

/// Marks or vols by contract id. A copy shares them until it changes them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quotes(Arc<BTreeMap<String, f64>>);

impl Quotes {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over other quotes of the same or of more contracts.
    pub(crate) fn restate(&mut self, change: &BTreeMap<String, f64>) {
        if !change.is_empty() {
            let all = Arc::make_mut(&mut self.0);
            all.extend(change.iter().map(|(id, &value)| (id.clone(), value)));
        }
    }

    /// Whether both are one map, and so equal. Different ones may be equal too.
    pub(super) fn shares(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Quotes {
    type Target = BTreeMap<String, f64>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<BTreeMap<String, f64>> for Quotes {
    fn from(quotes: BTreeMap<String, f64>) -> Self {
        Self(Arc::new(quotes))
    }
}

impl Serialize for Quotes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quotes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

/// Quotes by row of one table, so that nobody looks ids up again.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    contracts: Arc<Contracts>,
    pub(super) price: ByRow,
    pub(super) vol: ByRow,
}

/// One quote for each row; NaN, which is no quote, where there is none.
#[derive(Debug, Clone)]
pub(super) struct ByRow(Arc<[f64]>);

impl ByRow {
    fn new(contracts: &Contracts, quote: impl Fn(ContractIndex) -> Option<f64>) -> Self {
        let rows = 0..contracts.len() as ContractIndex;
        Self(rows.map(|row| quote(row).unwrap_or(f64::NAN)).collect())
    }

    pub(super) fn get(&self, row: ContractIndex) -> Option<f64> {
        Some(self.0[row as usize]).filter(|quote| !quote.is_nan())
    }

    /// After other quotes by id.
    fn after(&self, contracts: &Contracts, change: &BTreeMap<String, f64>) -> Self {
        if change.is_empty() {
            return self.clone();
        }
        let mut rows = self.0.to_vec();
        for (id, &quote) in change {
            if let Ok(row) = contracts.index_of(id)
                && contracts.rows()[row as usize].id() == id
            {
                rows[row as usize] = quote;
            }
        }
        Self(rows.into())
    }
}

impl Rows {
    pub(super) fn new(
        contracts: &Arc<Contracts>,
        price: impl Fn(ContractIndex) -> Option<f64>,
        vol: impl Fn(ContractIndex) -> Option<f64>,
    ) -> Self {
        Self {
            price: ByRow::new(contracts, price),
            vol: ByRow::new(contracts, vol),
            contracts: contracts.clone(),
        }
    }

    pub(super) fn are_of(&self, contracts: &Contracts) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.contracts), contracts)
    }

    /// After other prices and vols by id.
    pub(super) fn after(&self, price: &BTreeMap<String, f64>, vol: &BTreeMap<String, f64>) -> Self {
        Self {
            price: self.price.after(&self.contracts, price),
            vol: self.vol.after(&self.contracts, vol),
            contracts: self.contracts.clone(),
        }
    }
}
