//! Where the contracts of a table stand in the hierarchy: found once per symbol, not once per contract.

use std::collections::HashMap;

use super::parameters::{Parameters, Product};
use engine::contract::{Basket, ContractIndex, Contracts, Kind};
use engine::inputs::list;
use kernel::error::Result;
use kernel::fail;

/// A symbol of the table and OCC's terms for it.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) product: Product,
    minimum_rate: f64,
}

impl Placed {
    /// Money per contract, at least; none for stock.
    pub(super) fn minimum(&self, kind: Kind, multiplier: f64) -> f64 {
        match kind {
            Kind::Option | Kind::Future => self
                .product
                .minimum
                .unwrap_or(self.minimum_rate * multiplier),
            _ => 0.0,
        }
    }
}

/// The products of a table, and each row's.
pub(super) struct Placements {
    pub(super) products: Vec<Placed>,
    of_row: Vec<u32>,
}

impl Placements {
    pub(super) fn new(parameters: &Parameters, contracts: &Contracts) -> Self {
        let mut products = Vec::new();
        let mut known = HashMap::new();
        let mut of_row = Vec::with_capacity(contracts.len());
        let mut last = ("", 0);
        for row in 0..contracts.len() as ContractIndex {
            let symbol = contracts.root_symbol(row);
            // Tables list a symbol's contracts together.
            if symbol != last.0 || of_row.is_empty() {
                let index = *known.entry(symbol).or_insert_with(|| {
                    products.push(Placed {
                        product: parameters.product(symbol),
                        minimum_rate: parameters.minimum_rate,
                    });
                    products.len() as u32 - 1
                });
                last = (symbol, index);
            }
            of_row.push(last.1);
        }
        Self { products, of_row }
    }

    pub(super) fn refuse_uncovered(
        &self,
        parameters: &Parameters,
        contracts: &Contracts,
    ) -> Result<()> {
        let uncovered: Vec<&str> = contracts
            .iter()
            .filter(|(row, c)| {
                !matches!(
                    c.kind(),
                    Kind::Stock | Kind::Etf | Kind::Future | Kind::Option
                ) || c.currency() != parameters.currency
                    || c.counts_money()
                    || !self.of(*row).product.eligible
            })
            .map(|(_, c)| c.id())
            .collect();
        if uncovered.is_empty() {
            return Ok(());
        }
        fail!(
            NotApplicable,
            "tims covers eligible stocks, ETFs, futures and options in {}, sized in units of their underlying, not: {}",
            parameters.currency,
            list(&uncovered)
        )
    }

    /// Refuses options that are to be repriced and whose deliverable moves by more than one security's points, or by none.
    pub(super) fn refuse_baskets(
        contracts: &Contracts,
        given: impl Fn(ContractIndex) -> bool,
    ) -> Result<()> {
        let baskets = contracts.iter().filter(|(row, c)| {
            let several = |b: &Basket| b.one_security().is_none();
            c.delivery().is_some_and(several) && !given(*row)
        });
        let ids: Vec<&str> = baskets.map(|(_, c)| c.id()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let ids = list(&ids);
        fail!(Unsupported, place &ids;
            "tims: options that deliver several securities, or cash alone, are not repriced: give OCC's theoretical values for {ids}")
    }

    /// Refuses contracts that are to be repriced and whose class group has no range.
    pub(super) fn refuse_unranged(
        &self,
        parameters: &Parameters,
        contracts: &Contracts,
        given: impl Fn(ContractIndex) -> bool,
    ) -> Result<()> {
        let mut checked = vec![false; self.products.len()];
        for row in 0..contracts.len() as ContractIndex {
            let product = self.product(row);
            if !checked[product] && !given(row) {
                parameters.check_range(&self.products[product].product.class_group)?;
                checked[product] = true;
            }
        }
        Ok(())
    }

    /// The index of a row's product.
    pub(super) fn product(&self, row: ContractIndex) -> usize {
        self.of_row[row as usize] as usize
    }

    pub(super) fn of(&self, row: ContractIndex) -> &Placed {
        &self.products[self.product(row)]
    }
}
