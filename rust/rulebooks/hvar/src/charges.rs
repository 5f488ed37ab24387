//! Stages compiled for a table of contracts, and run over an account.

use serde_json::{Map, Value};

use super::rules::parts::{
    Amount, Books, Explain, Listed, Parts, Row, Running, SideSums, Standing, Worth,
};
use super::stages::Stage;
use engine::account::AccountView;
use engine::contract::Contracts;
use engine::report::{Ledger, LineText};
use kernel::error::Result;
use kernel::fail;

/// The name stages call the sum of all netting sets by.
const SCENARIOS: &str = "scenarios";

/// One stage with its tables by contract row.
pub(super) struct Charge {
    name: String,
    /// Empty where the rule reads no contract of its own.
    rows: Vec<Option<Row>>,
    /// Places of the stages it reads within the running totals.
    of: Vec<usize>,
    amount: Amount,
    explain: Option<Explain>,
}

pub(super) fn compile(
    stages: &[Stage],
    contracts: &Contracts,
    worth: &[Worth],
) -> Result<Vec<Charge>> {
    let mut names = vec![SCENARIOS.to_string()];
    let mut charges = Vec::with_capacity(stages.len());
    for stage in stages {
        let charge = Charge::new(stage, contracts, worth, &names)
            .map_err(|e| e.at(format!("hvar: stage '{}'", stage.name)))?;
        if names.contains(&stage.name) {
            fail!(InvalidInput: Duplicate; "hvar: two stages are named '{}'", stage.name);
        }
        names.push(stage.name.clone());
        charges.push(charge);
    }
    Ok(charges)
}

impl Charge {
    fn new(
        stage: &Stage,
        contracts: &Contracts,
        worth: &[Worth],
        names: &[String],
    ) -> Result<Self> {
        // Checked with the parameters; what it takes is left out of the layout.
        let Parts {
            check: _,
            takes: _,
            row,
            of,
            amount,
            explain,
        } = stage.rule.parts();
        let mut rows = Vec::new();
        if let Some(row) = row {
            for (at, contract) in contracts.iter() {
                rows.push(row(&Listed {
                    at: at as usize,
                    contract,
                    keys: [contract.id(), contracts.root_symbol(at)],
                    worth: worth[at as usize],
                })?);
            }
        }
        let place = |name: &String| match names.iter().position(|n| n == name) {
            Some(at) => Ok(at),
            None => fail!(
                InvalidInput: UnknownName;
                "'{name}' is no earlier stage: those are {}",
                names.join(", ")
            ),
        };
        Ok(Self {
            name: stage.name.clone(),
            rows,
            of: of.iter().map(place).collect::<Result<_>>()?,
            amount,
            explain,
        })
    }
}

/// An account as the stages find it.
pub(super) struct Settled<'a> {
    pub(super) account: AccountView<'a>,
    pub(super) worth: &'a [Worth],
    pub(super) standing: Standing,
}

/// Runs the stages; `totals` starts with the sum of all netting sets.
pub(super) fn run<L: Ledger + ?Sized>(
    charges: &[Charge],
    settled: &Settled<'_>,
    totals: &mut Vec<f64>,
    sides: &mut SideSums,
    ledger: &mut L,
) {
    for charge in charges {
        let amount = charge.amount(settled, totals, sides, ledger);
        totals.push(amount);
    }
}

impl Charge {
    /// Writes the stage's lines and returns their sum.
    fn amount<L: Ledger + ?Sized>(
        &self,
        settled: &Settled<'_>,
        totals: &[f64],
        sides: &mut SideSums,
        ledger: &mut L,
    ) -> f64 {
        let books = self.books(settled.account, settled.worth);
        let mut line = |scope: &str, amount: f64| {
            if amount != 0.0 {
                ledger.line(0, amount, amount, &|| {
                    LineText::new(scope, self.name.as_str())
                });
            }
        };
        let amount = match &self.amount {
            Amount::OfAccount(amount) => amount(&Running {
                standing: &settled.standing,
                sum: totals.iter().fold(0.0, |a, t| a + t),
                of: self.of.iter().fold(0.0, |sum, &at| sum + totals[at]),
            }),
            Amount::OfContracts(amount) => amount(&books, sides),
            Amount::InLines(amount) => return amount(&books, sides, &mut line),
        };
        line("account", amount);
        amount
    }

    fn books<'a>(&'a self, account: AccountView<'a>, worth: &'a [Worth]) -> Books<'a> {
        Books {
            account,
            worth,
            rows: &self.rows,
        }
    }
}

/// What stages say beside their lines, by name; nothing where none does.
pub(super) fn explained(
    charges: &[Charge],
    account: AccountView<'_>,
    worth: &[Worth],
) -> Map<String, Value> {
    let own = |charge: &Charge| {
        let explain = charge.explain.as_ref()?;
        let said = explain(&charge.books(account, worth))?;
        Some((charge.name.clone(), said))
    };
    charges.iter().filter_map(own).collect()
}
