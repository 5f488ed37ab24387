//! Offsets between products in part: EMIR RTS 153/2013 Article 27 (4).
//!
//! With `g` the sum of what each product of a netting set needs alone and `m` what they need together, at most a share
//! of `g - m` is granted: the margin is `max(m, g - share (g - m))`.

use std::collections::BTreeMap;

use super::parameters::{OffsetCap, Parameters};
use engine::contract::{ContractIndex, Contracts};

/// The products of one netting set.
#[derive(Debug, Default)]
pub(super) struct Products {
    pub(super) names: Vec<String>,
    /// By row of the netting set.
    pub(super) of: Vec<u32>,
}

impl Products {
    /// Products in the order of their names; none where offsets are granted in full.
    pub(super) fn new(
        parameters: &Parameters,
        contracts: &Contracts,
        members: &[ContractIndex],
    ) -> Self {
        let Some(OffsetCap { products, .. }) = &parameters.offset_cap else {
            return Self::default();
        };
        let names = members.iter().map(|&row| {
            let keys = [
                contracts.rows()[row as usize].id(),
                contracts.root_symbol(row),
            ];
            let named = keys.iter().find_map(|k| products.get(*k));
            named.map_or(keys[1], String::as_str)
        });
        let mut numbers: BTreeMap<&str, u32> = names.clone().map(|name| (name, 0)).collect();
        for (number, own) in numbers.values_mut().enumerate() {
            *own = number as u32;
        }
        Self {
            of: names.map(|name| numbers[name]).collect(),
            names: numbers.into_keys().map(str::to_string).collect(),
        }
    }
}
