//! What can be held: contracts, and the table of contracts a rulebook is prepared for.

pub mod deliverable;
mod identifier;
mod ids;
pub mod terms;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use once_cell::race::OnceBox;
use sha2::{Digest, Sha256};

use self::deliverable::Delivers;
use crate::bounds;
use crate::time::{Expiry, Settles};
use kernel::error::{Code, MarginError, Result};
use kernel::fail;
use kernel::float::larger;

pub use self::deliverable::{Basket, Deliverable};
pub(crate) use self::identifier::check_identifier;
pub use self::identifier::check_name;
pub use self::ids::Ids;
pub use self::terms::{Exercise, Kind, Premium, Right, Settlement, Terms};

/// The row of a contract in its [`Contracts`] table, as given.
pub type ContractIndex = u32;

/// A checked contract. Immutable; its terms are read through [`Contract::terms`].
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    terms: Terms,
    expiry: Option<Expiry>,
    /// What an adjusted option delivers.
    delivery: Option<Basket>,
}

impl Contract {
    /// Checks the terms, resolves the expiry and derives an id where none was given.
    pub fn new(terms: Terms) -> Result<Self> {
        Self::with_expiry(terms, None)
    }

    /// The same, where the expiry that the terms state is known already, as it is for most rows of a table.
    pub(crate) fn with_expiry(mut terms: Terms, expiry: Option<Expiry>) -> Result<Self> {
        match Self::check(&mut terms, expiry) {
            Ok((expiry, delivery)) => Ok(Self {
                terms,
                expiry,
                delivery,
            }),
            Err(error) => {
                let name = if terms.id.is_empty() {
                    &terms.underlying
                } else {
                    &terms.id
                };
                Err(error.at(format!("contract '{name}'")))
            }
        }
    }

    fn check(terms: &mut Terms, known: Option<Expiry>) -> Result<(Option<Expiry>, Option<Basket>)> {
        check_identifier("underlying", &terms.underlying)?;
        check_identifier("currency", &terms.currency)?;
        for (what, text) in [
            ("multiplier_unit", &terms.multiplier_unit),
            ("venue", &terms.venue),
        ] {
            if let Some(text) = text {
                check_identifier(what, text)?;
            }
        }
        for (vendor, alias) in &terms.aliases {
            check_identifier("vendor of an alias", vendor)?;
            check_identifier("alias", alias)?;
        }
        bounds::positive("lot", terms.lot)?;
        let dated = matches!(terms.kind, Kind::Option | Kind::Future);
        let option = terms.kind == Kind::Option;
        let kind = terms.kind.name();
        match terms.multiplier {
            Some(multiplier) => bounds::positive("multiplier", multiplier)?,
            None if dated || terms.kind == Kind::Perpetual => fail!(
                MissingData: NotStated;
                "the {kind} has no multiplier: state how many units of '{}' one contract is for",
                terms.underlying
            ),
            None => terms.multiplier = Some(1.0),
        }
        if dated != terms.expiry.is_some() {
            if dated {
                fail!(InvalidInput: NotStated; "the {kind} has no expiry");
            }
            fail!(InvalidInput: Contradiction; "a {kind} has no expiry date");
        }
        if option != terms.right.is_some()
            || option != terms.strike.is_some()
            || option != terms.exercise.is_some()
        {
            if option {
                fail!(
                    InvalidInput: NotStated;
                    "an option states its right (call or put), strike and exercise (european or american)"
                );
            }
            fail!(
                InvalidInput: Contradiction;
                "right, strike and exercise belong to options, not to a {kind}"
            );
        }
        if let Some(strike) = terms.strike {
            bounds::finite("strike", strike)?;
        }
        let delivery = Self::check_delivery(terms)?;
        bounds::per_lot(
            "multiplier, lot, strike and deliverable: the contract",
            largest_lot(terms),
        )?;
        let expiry = match &terms.expiry {
            None => None,
            Some(_) if known.is_some() => known,
            Some(text) => Some(Expiry::parse(
                text,
                terms.settles,
                terms.exchange.as_deref(),
            )?),
        };
        if terms.id.is_empty() {
            terms.id = Self::derive_id(terms, delivery.as_ref());
        }
        check_identifier("id", &terms.id)?;
        Ok((expiry, delivery))
    }

    /// What an adjusted option delivers. A standard contract has one form, however it was written: its multipliers left
    /// out, its deliverable a word.
    fn check_delivery(terms: &mut Terms) -> Result<Option<Basket>> {
        if terms.kind != Kind::Option {
            let kind = terms.kind.name();
            for (what, given) in [
                ("strike_multiplier", terms.strike_multiplier.is_some()),
                ("premium_multiplier", terms.premium_multiplier.is_some()),
                (
                    "a deliverable of shares and cash",
                    matches!(terms.deliverable, Some(Deliverable::Basket(_))),
                ),
            ] {
                if given {
                    fail!(InvalidInput: Contradiction, place what; "{what} belongs to options, not to a {kind}");
                }
            }
            return Ok(None);
        }
        let multiplier = terms.multiplier.unwrap_or(1.0);
        let delivers = Delivers {
            underlying: &terms.underlying,
            multiplier,
            strike_multiplier: terms.strike_multiplier,
            premium_multiplier: terms.premium_multiplier,
            deliverable: terms.deliverable.as_ref(),
        };
        let delivery = delivers.adjusted()?;
        for given in [&mut terms.strike_multiplier, &mut terms.premium_multiplier] {
            if *given == Some(multiplier) {
                *given = None;
            }
        }
        if delivery.is_none() && matches!(terms.deliverable, Some(Deliverable::Basket(_))) {
            terms.deliverable = Some(Deliverable::Shares);
        }
        Ok(delivery)
    }

    fn derive_id(terms: &Terms, delivery: Option<&Basket>) -> String {
        let mut id = terms.underlying.clone();
        match terms.kind {
            Kind::Spot | Kind::Stock | Kind::Etf | Kind::Index => {}
            Kind::Perpetual => id.push_str(" perpetual"),
            Kind::Future | Kind::Option => {
                if let Some(expiry) = &terms.expiry {
                    let _ = write!(id, " {expiry}");
                }
                match terms.settles {
                    Some(Settles::Am) => id.push_str(" am"),
                    Some(Settles::Pm) | None => {}
                }
                match (terms.strike, terms.right) {
                    (Some(strike), Some(right)) => {
                        let _ = write!(
                            id,
                            " {strike} {}",
                            if right == Right::Call { "call" } else { "put" }
                        );
                    }
                    _ => id.push_str(" future"),
                }
                if let Some(basket) = delivery {
                    let _ = write!(id, " for {basket}");
                }
            }
        }
        id
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub fn id(&self) -> &str {
        &self.terms.id
    }

    pub fn kind(&self) -> Kind {
        self.terms.kind
    }

    pub fn underlying(&self) -> &str {
        &self.terms.underlying
    }

    pub fn currency(&self) -> &str {
        &self.terms.currency
    }

    /// The currency prices are quoted in: coin-settled contracts are quoted in dollars.
    pub fn quote_currency(&self) -> &str {
        match self.terms.settlement {
            Settlement::Inverse => "USD",
            Settlement::Linear => &self.terms.currency,
        }
    }

    pub fn expiry(&self) -> Option<&Expiry> {
        self.expiry.as_ref()
    }

    /// Right, strike, exercise and expiry of an option; `None` for anything else.
    pub fn option(&self) -> Option<OptionTerms<'_>> {
        Some(OptionTerms {
            right: self.terms.right?,
            strike: self.terms.strike?,
            exercise: self.terms.exercise?,
            expiry: self.expiry.as_ref()?,
        })
    }

    /// So many lots in contracts. The lots of a lot that divides 1, as 0.001 does, are divided by as many as 1 has: that
    /// gives the decimal number itself, where a product would be off in its last place.
    pub fn quantity(&self, lots: i64) -> f64 {
        let lot = self.terms.lot;
        let in_one = (1.0 / lot).round();
        if lot < 1.0 && 1.0 / in_one == lot {
            lots as f64 / in_one
        } else {
            lots as f64 * lot
        }
    }

    /// Units of the underlying, or of the multiplier's unit, per contract.
    pub fn multiplier(&self) -> f64 {
        self.terms
            .multiplier
            .expect("set when the terms were checked")
    }

    /// What the strike is multiplied by: what is paid for the deliverable.
    pub fn strike_multiplier(&self) -> f64 {
        let given = self.terms.strike_multiplier;
        given.unwrap_or_else(|| self.multiplier())
    }

    /// What a quoted price is multiplied by.
    pub fn premium_multiplier(&self) -> f64 {
        let given = self.terms.premium_multiplier;
        given.unwrap_or_else(|| self.multiplier())
    }

    /// What one contract of an adjusted option delivers, for its strike times [`Self::strike_multiplier`]; `None` for a
    /// standard contract, which delivers [`Self::multiplier`] units of its underlying or is paid in cash by them.
    pub fn delivery(&self) -> Option<&Basket> {
        self.delivery.as_ref()
    }

    /// Whether the multiplier counts money, a face value, and not units of the underlying.
    pub fn counts_money(&self) -> bool {
        let counted = self.terms.multiplier_unit.as_deref();
        counted.is_some_and(|unit| unit != "coin" && unit != self.underlying())
    }

    /// Money per lot for a move of one in the quoted price.
    pub fn value_per_lot(&self) -> f64 {
        self.premium_multiplier() * self.terms.lot
    }
}

/// Money per lot at a price of one, or at the strike where that is above it.
fn largest_lot(terms: &Terms) -> f64 {
    let multiplier = terms.multiplier.unwrap_or(1.0);
    let strike = terms.strike.unwrap_or(1.0).abs().max(1.0);
    let delivered = match &terms.deliverable {
        Some(Deliverable::Basket(basket)) => basket.shares.values().sum::<f64>() + basket.cash,
        _ => multiplier,
    };
    [
        terms.strike_multiplier.unwrap_or(multiplier) * strike,
        terms.premium_multiplier.unwrap_or(multiplier),
        delivered,
    ]
    .into_iter()
    .fold(0.0, |most, own| larger((own * terms.lot).abs(), most))
}

/// What makes an option an option.
#[derive(Debug, Clone, Copy)]
pub struct OptionTerms<'a> {
    pub right: Right,
    pub strike: f64,
    pub exercise: Exercise,
    pub expiry: &'a Expiry,
}

/// A table of contracts with unique ids. Accounts and prepared rulebooks refer to its rows.
#[derive(Debug)]
pub struct Contracts {
    rows: Vec<Arc<Contract>>,
    ids: Ids,
    underlying: Vec<Option<ContractIndex>>,
    /// The row of the largest lot: what it is worth at a price of one, or at its strike.
    largest: Option<(f64, ContractIndex)>,
    has_face_values: bool,
    /// Made by whoever asks first, and waited for by nobody: a fork in the middle leaves no lock behind. So is everything
    /// that is made once.
    digest: OnceBox<[u8; 32]>,
    earliest: OnceBox<Option<Timestamp>>,
    roots: OnceBox<Roots>,
}

/// The root symbols of a table, numbered, and which every row has.
pub(crate) struct Roots {
    pub(crate) number: HashMap<String, u32>,
    pub(crate) of_row: Vec<u32>,
    /// Whether any row delivers a basket of its own.
    pub(crate) baskets: bool,
}

impl Contracts {
    pub fn new(rows: Vec<Arc<Contract>>) -> Result<Arc<Self>> {
        if rows.len() > u32::MAX as usize {
            fail!(
                InvalidInput: TooLarge;
                "a table of contracts holds at most {} rows",
                u32::MAX
            );
        }
        let mut ids = Ids::with_capacity(rows.len());
        for (i, contract) in rows.iter().enumerate() {
            if let Err(first) = ids.push(contract.id()) {
                fail!(
                    InvalidInput: Duplicate;
                    "contracts row {i}: id '{}' is already row {first}: ids are unique in a table",
                    contract.id()
                );
            }
        }
        // Rows are by underlying as a rule: most ask what the one before asked.
        let mut last = ("", None);
        let underlying = rows.iter().enumerate().map(|(i, c)| {
            if last.0 != c.underlying() {
                last = (c.underlying(), ids.row(c.underlying()));
            }
            last.1.filter(|&u| u as usize != i)
        });
        let underlying: Vec<Option<u32>> = underlying.collect();
        for (i, contract) in rows.iter().enumerate() {
            let on_future = underlying[i].is_some_and(|u| rows[u as usize].kind() == Kind::Future);
            if let Some(strike) = contract.terms().strike
                && strike <= 0.0
                && !on_future
            {
                fail!(
                    InvalidInput: OutOfRange, place format_args!("contract '{}': strike", contract.id()), value strike;
                    "contracts row {i}: contract '{}': strike is {strike}: only an option on a future of the same table may have a strike of zero or less",
                    contract.id()
                );
            }
        }
        let largest = (0_u32..)
            .zip(&rows)
            .map(|(row, c)| (largest_lot(c.terms()), row))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let has_face_values = rows.iter().any(|c| c.counts_money());
        Ok(Arc::new(Self {
            rows,
            ids,
            largest,
            has_face_values,
            underlying,
            digest: OnceBox::new(),
            earliest: OnceBox::new(),
            roots: OnceBox::new(),
        }))
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn get(&self, index: ContractIndex) -> Option<&Arc<Contract>> {
        self.rows.get(index as usize)
    }

    pub fn rows(&self) -> &[Arc<Contract>] {
        &self.rows
    }

    pub fn iter(&self) -> impl Iterator<Item = (ContractIndex, &Contract)> {
        self.rows
            .iter()
            .enumerate()
            .map(|(i, c)| (i as u32, c.as_ref()))
    }

    /// The rows by id.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    pub fn index_of(&self, id: &str) -> Result<ContractIndex> {
        match self.ids.row(id) {
            Some(row) => Ok(row),
            None => fail!(
                MissingData: MissingContract;
                "contract '{id}' is not in the prepared table of {} contracts: add it and prepare again",
                self.len()
            ),
        }
    }

    /// The contract whose lot is worth most at a price of one or at its strike, and that.
    pub(crate) fn largest_lot(&self) -> Option<(&Contract, f64)> {
        let (lot, row) = self.largest?;
        Some((&self.rows[row as usize], lot))
    }

    /// Whether any is sized in money: it holds the more coins the lower the price.
    pub(crate) fn has_face_values(&self) -> bool {
        self.has_face_values
    }

    /// The row of the contract this one is written on, where that is in the table itself.
    pub fn underlying_row(&self, index: ContractIndex) -> Option<ContractIndex> {
        self.underlying[index as usize]
    }

    /// The symbol whose price moves a contract: for an option on a future, the future's own underlying.
    pub fn root_symbol(&self, index: ContractIndex) -> &str {
        match self.underlying[index as usize] {
            Some(row) if self.rows[row as usize].kind() != Kind::Option => {
                self.rows[row as usize].underlying()
            }
            _ => self.rows[index as usize].underlying(),
        }
    }

    pub(crate) fn roots(&self) -> &Roots {
        self.roots.get_or_init(|| {
            let mut roots = Roots {
                number: HashMap::new(),
                of_row: Vec::with_capacity(self.rows.len()),
                baskets: self.rows.iter().any(|c| c.delivery().is_some()),
            };
            for row in 0..self.rows.len() as ContractIndex {
                let symbol = self.root_symbol(row);
                let number = match roots.number.get(symbol) {
                    Some(&number) => number,
                    None => {
                        let next = roots.number.len() as u32;
                        roots.number.insert(symbol.to_string(), next);
                        next
                    }
                };
                roots.of_row.push(number);
            }
            Box::new(roots)
        })
    }

    /// The earliest expiry of any row; none where nothing expires.
    pub(crate) fn earliest_expiry(&self) -> Option<Timestamp> {
        *self.earliest.get_or_init(|| {
            let expiries = self.rows.iter().filter_map(|c| c.expiry());
            Box::new(expiries.map(|e| e.instant).min())
        })
    }

    /// SHA-256 of the terms of every row in order: two tables with one digest are the same table.
    pub fn digest(&self) -> &[u8; 32] {
        self.digest.get_or_init(|| {
            let mut hash = Sha256::new();
            for contract in &self.rows {
                let text = serde_json::to_vec(&contract.terms).expect("terms are plain data");
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(&text);
            }
            Box::new(hash.finalize().into())
        })
    }

    /// The row a position refers to; its terms must be the table's.
    pub fn resolve(&self, contract: &Arc<Contract>) -> Result<ContractIndex> {
        let index = self.index_of(contract.id())?;
        let own = &self.rows[index as usize];
        if !Arc::ptr_eq(own, contract) && own != contract {
            return Err(MarginError::InvalidInput(format!(
                "contract '{}' of the position has other terms than the prepared contract of that id",
                contract.id()
            ).into()).code(Code::OtherTable));
        }
        Ok(index)
    }
}

#[cfg(test)]
mod tests;
