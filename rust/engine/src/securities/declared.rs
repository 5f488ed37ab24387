//! What a table of contracts says of its symbols, beside what the table of securities knows of them.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use super::{Securities, Security, SecurityKind};
use crate::contract::{ContractIndex, Contracts, Kind};
use kernel::error::Result;
use kernel::fail;

/// What is known of one symbol.
#[derive(Debug, Clone, Copy)]
pub enum Known<'a> {
    /// A row of the table of securities.
    Security(&'a Security),
    /// Declared as a stock in the table of contracts, and in no row.
    Stock,
    /// Declared as a fund, and in no row: nobody knows its leverage.
    Fund,
    /// In no row and declared as nothing, such as the underlying of an option held alone.
    Undeclared,
}

/// The securities of a date, beside the stocks and funds that a table of contracts declares.
pub struct Declared<'a> {
    securities: &'a Securities,
    contracts: &'a Contracts,
    on: Option<Date>,
    kinds: HashMap<&'a str, Kind>,
}

impl<'a> Declared<'a> {
    /// Refuses a symbol that the table of contracts declares both as a stock and as a fund.
    pub fn new(
        securities: &'a Securities,
        contracts: &'a Contracts,
        on: Option<Date>,
    ) -> Result<Self> {
        let mut kinds = HashMap::new();
        for (row, contract) in contracts.iter() {
            let kind = contract.kind();
            if matches!(kind, Kind::Stock | Kind::Etf)
                && kinds
                    .insert(contract.underlying(), kind)
                    .is_some_and(|other| other != kind)
            {
                fail!(
                    InvalidInput,
                    "contracts row {row}: '{}' is declared as a stock and as a fund",
                    contract.underlying()
                );
            }
        }
        Ok(Self {
            securities,
            contracts,
            on,
            kinds,
        })
    }

    /// What moves a contract's price.
    pub fn of(&self, row: ContractIndex) -> Result<Known<'a>> {
        let contract = &self.contracts.rows()[row as usize];
        let root = self
            .contracts
            .underlying_row(row)
            .map_or(contract, |row| &self.contracts.rows()[row as usize]);
        let symbol = self.contracts.root_symbol(row);
        if root.kind() == Kind::Future {
            // A future may also be on a security itself: a single-stock future, an index by its own symbol.
            if let Some(future) = self.securities.future(symbol, self.on)? {
                return Ok(Known::Security(future));
            }
        }
        self.symbol(symbol)
    }

    /// What a symbol is that is no future, such as one that an adjusted option delivers.
    pub fn symbol(&self, symbol: &str) -> Result<Known<'a>> {
        Ok(match self.securities.facts(symbol, self.on)? {
            Some(security) => Known::Security(security),
            None => match self.kinds.get(symbol) {
                Some(Kind::Stock) => Known::Stock,
                Some(_) => Known::Fund,
                None => Known::Undeclared,
            },
        })
    }

    /// Refuses contracts whose kind is not what the table of securities says: a note or a fund held as a stock would lose
    /// its leverage, a stock held as a fund would seem to have some.
    pub fn refuse_conflicts(&self) -> Result<()> {
        for (row, contract) in self.contracts.iter() {
            let (Kind::Stock | Kind::Etf, Known::Security(security)) =
                (contract.kind(), self.of(row)?)
            else {
                continue;
            };
            if security.is_fund() == (contract.kind() == Kind::Etf)
                && security.kind != SecurityKind::Index
            {
                continue;
            }
            let (held, what) = (contract.kind().name(), name(security.kind));
            fail!(
                InvalidInput,
                "contracts row {row}: '{}' is held as {held}, and the table of securities knows it as {what} ({}): declare it as that, or replace its row in the table",
                contract.underlying(),
                security.source
            );
        }
        Ok(())
    }
}

fn name(kind: SecurityKind) -> &'static str {
    match kind {
        SecurityKind::Stock | SecurityKind::Adr => "a stock",
        SecurityKind::Etf => "a fund (etf)",
        SecurityKind::Etn => "a note (an etf by its contract)",
        SecurityKind::Index => "an index, which nobody can hold",
        SecurityKind::Future => "a future",
    }
}

/// Refuses funds that nobody knows, all at once.
pub fn refuse_unknown_funds(rulebook: &str, symbols: &BTreeSet<&str>) -> Result<()> {
    let Some(first) = symbols.first() else {
        return Ok(());
    };
    let all: Vec<&str> = symbols.iter().copied().collect();
    fail!(
        MissingData: NotStated;
        "{rulebook}: the table of securities does not know the funds {}: leverage and what it tracks decide a fund's margin: state both, \
         Securities().extended([{{'symbol': '{first}', 'kind': 'etf', 'tracks': ..., 'leverage': ..., 'class': ..., 'source': ...}}]), and give that table to the rulebook as securities",
        all.join(", ")
    )
}
