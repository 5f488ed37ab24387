//! Which columns a table of positions has, and what they mean.

use std::collections::BTreeMap;

use arrow_schema::Schema;
use engine::account::AccountTerms;
use engine::names::hint;
use kernel::error::Result;
use kernel::fail;

use crate::table::{is_pandas_index, place};

/// The columns of a table with a row per position. What is left out is looked for under the names it usually has.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// Labels of accounts; else `account` or `account_id`.
    pub account: Option<String>,
    /// Ids of contracts, or their rows in the table; else `contract` or `contract_id`.
    pub contract: Option<String>,
    /// Signed quantities in contracts; else `quantity`, where no other column of amounts is there or named.
    pub quantity: Option<String>,
    /// Signed whole lots; else `lots`.
    pub lots: Option<String>,
    /// Long and short quantities in contracts, both unsigned; else `long` and `short`.
    pub long: Option<String>,
    pub short: Option<String>,
    /// Amounts of cash by currency, collateral by asset, and the kind: of the account, the same on each of its rows.
    pub cash: BTreeMap<String, String>,
    pub collateral: BTreeMap<String, String>,
    pub kind: Option<String>,
    /// Columns that are passed over.
    pub ignore: Vec<String>,
}

/// How much of a contract a row holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Amount {
    Quantity(usize),
    Lots(usize),
    Sides(usize, usize),
}

/// Where the columns stand in a schema.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) account: usize,
    pub(crate) contract: usize,
    pub(crate) amount: Amount,
    pub(crate) cash: Vec<(String, usize)>,
    pub(crate) collateral: Vec<(String, usize)>,
    pub(crate) kind: Option<usize>,
}

impl Places {
    /// Every column that is read.
    pub(crate) fn all(&self) -> Vec<usize> {
        let mut all = vec![self.account, self.contract];
        match self.amount {
            Amount::Quantity(at) | Amount::Lots(at) => all.push(at),
            Amount::Sides(long, short) => all.extend([long, short]),
        }
        all.extend(self.cash.iter().map(|c| c.1));
        all.extend(self.collateral.iter().map(|c| c.1));
        all.extend(self.kind);
        all
    }
}

impl Columns {
    /// Finds the columns; a column that none of them is is refused, as what it says would be left out of the margin.
    pub(crate) fn places(&self, schema: &Schema, is_gross: bool) -> Result<Places> {
        let has = |name: &str| schema.fields().iter().any(|f| f.name() == name);
        let named = |given: &Option<String>, usual: &[&str]| -> Result<usize> {
            if let Some(name) = given {
                return place(schema, name);
            }
            let found: Vec<&&str> = usual.iter().filter(|name| has(name)).collect();
            match found[..] {
                [one] => place(schema, one),
                [] => place(schema, usual[0]),
                [first, second, ..] => fail!(
                    InvalidInput: Contradiction, place format_args!("column '{second}'");
                    "arrow: there are the columns '{first}' and '{second}': name the one that is meant, as {}=",
                    usual[0]
                ),
            }
        };
        self.check_keys()?;
        let account = named(&self.account, &["account", "account_id"])?;
        let contract = named(&self.contract, &["contract", "contract_id"])?;
        let amount = self.amount(schema, has)?;
        if is_gross && !matches!(amount, Amount::Sides(..)) {
            fail!(
                InvalidInput: Contradiction;
                "arrow: gross accounts keep long and short apart: give the two columns, long= and short="
            );
        }
        let keyed = |columns: &BTreeMap<String, String>| -> Result<Vec<(String, usize)>> {
            let own = columns.iter();
            own.map(|(key, name)| Ok((key.clone(), place(schema, name)?)))
                .collect()
        };
        let places = Places {
            account,
            contract,
            amount,
            cash: keyed(&self.cash)?,
            collateral: keyed(&self.collateral)?,
            kind: match &self.kind {
                Some(name) => Some(place(schema, name)?),
                None => None,
            },
        };
        self.refuse_unknown(schema, &places)?;
        Ok(places)
    }

    /// Currencies and assets are names as an account has them.
    fn check_keys(&self) -> Result<()> {
        let keys = |columns: &BTreeMap<String, String>| {
            let keys = columns.keys().map(|key| (key.clone(), 0.0));
            keys.collect()
        };
        let terms = AccountTerms {
            cash: keys(&self.cash),
            collateral: keys(&self.collateral),
            kind: None,
        };
        terms.check().map_err(|e| e.at("arrow"))
    }

    fn amount(&self, schema: &Schema, has: impl Fn(&str) -> bool) -> Result<Amount> {
        let sides = |long: &str, short: &str| {
            Ok(Amount::Sides(place(schema, long)?, place(schema, short)?))
        };
        match (&self.quantity, &self.lots, &self.long, &self.short) {
            (Some(name), None, None, None) => Ok(Amount::Quantity(place(schema, name)?)),
            (None, Some(name), None, None) => Ok(Amount::Lots(place(schema, name)?)),
            (None, None, Some(long), Some(short)) => sides(long, short),
            (None, None, None, None) => {
                let usual = (has("quantity"), has("lots"), has("long") && has("short"));
                match usual {
                    (true, false, false) => Ok(Amount::Quantity(place(schema, "quantity")?)),
                    (false, true, false) => Ok(Amount::Lots(place(schema, "lots")?)),
                    (false, false, true) => sides("long", "short"),
                    (false, false, false) => place(schema, "quantity").map(Amount::Quantity),
                    _ => fail!(
                        InvalidInput: Contradiction;
                        "arrow: more than one of the columns quantity, lots, and long and short is there: name what is meant, and ignore= the others"
                    ),
                }
            }
            _ => fail!(
                InvalidInput: Contradiction;
                "arrow: name the column of quantity, or that of lots, or those of long and short: one of the three"
            ),
        }
    }

    fn refuse_unknown(&self, schema: &Schema, places: &Places) -> Result<()> {
        let used = places.all();
        let mut once = used.clone();
        once.sort_unstable();
        if let Some(twice) = once.windows(2).find(|w| w[0] == w[1]) {
            let name = schema.field(twice[0]).name();
            fail!(
                InvalidInput: Contradiction, place format_args!("column '{name}'");
                "arrow: column '{name}' is named for two things"
            );
        }
        for name in &self.ignore {
            let at = place(schema, name)?;
            if used.contains(&at) {
                fail!(
                    InvalidInput: Contradiction, place format_args!("column '{name}'");
                    "arrow: column '{name}' is read, and ignore= says that it is passed over"
                );
            }
        }
        for (at, field) in schema.fields().iter().enumerate() {
            let name = field.name();
            if used.contains(&at) || self.ignore.contains(name) || is_pandas_index(name) {
                continue;
            }
            let known = ["account", "contract", "quantity", "lots", "long", "short"];
            fail!(
                InvalidInput: UnknownName, place format_args!("column '{name}'"), value name.as_str();
                "arrow: column '{name}' is not known, and what it says would be left out: name it (cash={{\"USD\": \"{name}\"}}, collateral=, kind=) or pass over it (ignore=[\"{name}\"]){}",
                hint(name, known)
            );
        }
        Ok(())
    }
}
