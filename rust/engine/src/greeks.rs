//! Sensitivities of an account per underlying, from the inputs its rulebook prices options with.
//!
//! Every explained report has them ([`crate::explained`]): no rulebook computes its own.
//! Options have the greeks of the model, volatility, rate and carry they were priced with; everything else moves one
//! for one with its price. Values are sums over the positions, positive for what a long holding gains:
//!
//! | field | per | of |
//! |---|---|---|
//! | `delta` | 1.00 of the underlying's price | so many units of the underlying, long |
//! | `gamma` | 1.00 of the underlying's price | the delta |
//! | `vega` | 1.00 of volatility (a hundred vol points) | money |
//! | `theta` | year of time passing, the market unchanged | money |
//! | `rho` | 1.00 of the interest rate, the yield unchanged | money |
//!
//! Money is in `currency`, that of the underlying's price (coin-settled contracts are valued in dollars). The price an
//! option on a future, or on a forward, depends on is that future's or forward's; their sum is over different prices, as
//! vega is over different volatilities: all of an underlying's moving alike. An option on a future or forward feels a
//! rate in its discount only, and none where the rulebook values it without one.

use std::collections::BTreeMap;
use std::sync::Arc;

use once_cell::race::OnceBox;

use crate::account::AccountView;
use crate::cells::{Cells, OptionPlace};
use crate::contract::{ContractIndex, Contracts, Kind};
use crate::market::Market;
use crate::report::UnderlyingGreeks;
use kernel::error::Result;
use kernel::pricing::greeks::Greeks;

/// What the sensitivities of a prepared rulebook's accounts are taken from.
pub(crate) struct Sensitivities {
    contracts: Arc<Contracts>,
    cells: Arc<Cells>,
    market: Arc<Market>,
    places: OnceBox<Vec<Option<Place>>>,
}

/// Where the cells have a contract.
#[derive(Clone, Copy)]
enum Place {
    /// An option's block, and where it is there.
    Option(u32, OptionPlace),
    /// Money per lot for a move of one in the price of anything else.
    Linear(f64),
}

impl Sensitivities {
    pub(crate) fn new(contracts: Arc<Contracts>, cells: Arc<Cells>, market: Arc<Market>) -> Self {
        Self {
            contracts,
            cells,
            market,
            places: OnceBox::new(),
        }
    }

    /// Each contract's first place: stresses on top of a rule price it again.
    fn places(&self) -> &[Option<Place>] {
        self.places.get_or_init(|| {
            let mut places = vec![None; self.contracts.len()];
            for (b, block) in self.cells.blocks.iter().enumerate() {
                for cell in &block.linear {
                    places[cell.contract as usize].get_or_insert(Place::Linear(cell.scale));
                }
                for (contract, place) in block.options() {
                    places[contract as usize].get_or_insert(Place::Option(b as u32, place));
                }
            }
            Box::new(places)
        })
    }

    /// The sensitivities of an account, by underlying.
    pub(crate) fn of(&self, account: AccountView<'_>) -> Result<Vec<UnderlyingGreeks>> {
        let contracts = &self.contracts;
        let mut sums: BTreeMap<(&str, &str), UnderlyingGreeks> = BTreeMap::new();
        // The options of a block, by (position, place), are valued together.
        let mut held: BTreeMap<u32, Vec<(usize, OptionPlace)>> = BTreeMap::new();
        let mut own: Vec<Option<(Greeks, f64)>> = vec![None; account.positions.len()];
        for (i, &row) in account.positions.contract.iter().enumerate() {
            let units = match self.places()[row as usize] {
                Some(Place::Option(block, place)) => {
                    held.entry(block).or_default().push((i, place));
                    continue;
                }
                Some(Place::Linear(units)) => units,
                None if contracts.rows()[row as usize].kind() == Kind::Option => continue,
                None => units(contracts, row, &self.market)?,
            };
            let greeks = Greeks {
                delta: 1.0,
                ..Greeks::default()
            };
            own[i] = Some((greeks, units));
        }
        for (block, options) in held {
            let block = &self.cells.blocks[block as usize];
            let places: Vec<OptionPlace> = options.iter().map(|o| o.1).collect();
            let on_future: Vec<bool> = options
                .iter()
                .map(|o| is_on_future(contracts, account.positions.contract[o.0]))
                .collect();
            for (&(i, place), greeks) in options.iter().zip(block.greeks(&places, &on_future)?) {
                own[i] = Some((greeks, block.scale(place)));
            }
        }
        for (i, &row) in account.positions.contract.iter().enumerate() {
            let contract = &contracts.rows()[row as usize];
            let key = (contracts.root_symbol(row), contract.quote_currency());
            let sum = sums.entry(key).or_insert_with(|| UnderlyingGreeks {
                underlying: key.0.to_string(),
                currency: key.1.to_string(),
                ..UnderlyingGreeks::default()
            });
            let Some((greeks, scale)) = own[i] else {
                sum.excluded.push(contract.id().to_string());
                continue;
            };
            let size = account.positions.net(i) as f64 * scale;
            sum.delta = size.mul_add(greeks.delta, sum.delta);
            sum.gamma = size.mul_add(greeks.gamma, sum.gamma);
            sum.vega = size.mul_add(greeks.vega, sum.vega);
            sum.theta = size.mul_add(greeks.theta, sum.theta);
            sum.rho = size.mul_add(greeks.rho, sum.rho);
        }
        Ok(sums.into_values().collect())
    }
}

/// Whether an option is priced on a future, which a rate does not move.
fn is_on_future(contracts: &Contracts, row: ContractIndex) -> bool {
    let underlying = contracts.underlying_row(row);
    underlying.is_some_and(|u| contracts.rows()[u as usize].kind() == Kind::Future)
}

/// Units of the underlying in one lot of what is no option and has no cell. A contract whose size is in money holds
/// fewer the higher the price.
fn units(contracts: &Contracts, row: ContractIndex, market: &Market) -> Result<f64> {
    let contract = &contracts.rows()[row as usize];
    Ok(if contract.counts_money() {
        contract.value_per_lot() / market.linear_price(contracts, row)?
    } else {
        contract.value_per_lot()
    })
}
