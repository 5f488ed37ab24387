//! An account under a rulebook and its house's rules: the rulebook's lines as they are, and what the house asks more.
//!
//! Of every position a house asks the largest amount that any of its rules does. Rules stand in one order (percentages,
//! concentration, per contract, the stricter rulebook); the line of each is what it adds to those before it:
//!
//! ```text
//! asked[p][k]   = max over the rules 1..k of what they ask of position p
//! held[g][0]    = sum of the rulebook's lines of group g
//! held[g][k]    = max(held[g][k-1], sum of asked[p][k] over the positions of g)
//! line k of g   = held[g][k] - held[g][k-1]
//! ```
//!
//! Where a rulebook writes lines of stock apart from others, the two are compared apart: an option's premium is no cover
//! for a percentage of stock.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::asked::{Asked, Asks, Shares, rate};
use crate::account::{AccountView, Positions};
use crate::contract::Kind;
use crate::profits::Profits;
use crate::report::{Currencies, Ledger, LineText};
use crate::seam::{Frame, Grouping, Outcome, Prepared, Rulebook, Scratch, Separation};
use kernel::error::Result;
use kernel::fail;

/// What two sums of the same money may be apart by their rounding alone, as a fraction: no line is written for it.
const ROUNDING: f64 = 1e-12;

/// Initial and maintenance.
type Pair = [f64; 2];

/// A rulebook with stricter parameters than the base, under the name of its lines.
pub(super) struct Strict {
    pub(super) name: String,
    pub(super) prepared: Arc<dyn Prepared>,
}

pub(super) struct Book {
    pub(super) frame: Frame,
    pub(super) base: Arc<dyn Prepared>,
    pub(super) strict: Option<Strict>,
    /// The base's own, or all as one group.
    pub(super) grouping: Grouping,
    pub(super) asked: Asked,
}

#[derive(Default)]
pub(super) struct HouseScratch {
    base: Scratch,
    strict: Scratch,
    /// Slots of the positions' groups, ascending: two for every group, stock and the rest.
    touched: Vec<u32>,
    /// By slot: what is required so far.
    held: Vec<Pair>,
    /// By slot: what the rules so far ask.
    sums: Vec<Pair>,
    /// By position: what the rules so far ask, long and short.
    asked: Vec<[Pair; 2]>,
    /// By underlying: market value held long and short.
    values: Vec<Pair>,
}

fn raise(most: &mut Pair, value: Pair) -> bool {
    let mut raised = false;
    for (most, value) in most.iter_mut().zip(value) {
        if value > *most {
            *most = value;
            raised = true;
        }
    }
    raised
}

impl Book {
    /// The slot of a row: with the other contracts of its group, or with stock and funds where they stand apart.
    fn slot(&self, row: u32) -> usize {
        let group = self.grouping.of_row(row);
        let is_stock = matches!(
            self.frame.contracts.rows()[row as usize].kind(),
            Kind::Stock | Kind::Etf
        );
        2 * group as usize + usize::from(self.grouping.splits(group) && !is_stock)
    }

    /// Long and short value of every underlying held in the rows that a rule names, and the whole they are a share of.
    fn values(&self, rule: &Shares, positions: Positions<'_>, values: &mut Vec<Pair>) -> f64 {
        values.resize(self.asked.symbols, [0.0; 2]);
        for &row in positions.contract {
            values[self.asked.symbol[row as usize] as usize] = [0.0; 2];
        }
        let mut whole = 0.0;
        for (i, &row) in positions.contract.iter().enumerate() {
            let at = row as usize;
            let value = self.asked.value[at];
            let sides = [positions.long(i), positions.short(i)].map(|lots| lots as f64 * value);
            if rule.counted[at] {
                whole += sides[0] + sides[1];
            }
            if rule.named[at] {
                let own = &mut values[self.asked.symbol[at] as usize];
                own[0] += sides[0];
                own[1] += sides[1];
            }
        }
        rule.equity.unwrap_or(whole)
    }

    /// Raises what is asked of the positions to what a rule asks; whether it asks more of any.
    fn ask(
        &self,
        asks: &Asks,
        positions: Positions<'_>,
        values: &mut Vec<Pair>,
        asked: &mut [[Pair; 2]],
    ) -> bool {
        let whole = match asks {
            Asks::PerLot(_) => 0.0,
            Asks::Shares(rule) => self.values(rule, positions, values),
        };
        let mut raised = false;
        for (i, &row) in positions.contract.iter().enumerate() {
            let at = row as usize;
            let sides = [positions.long(i), positions.short(i)].map(|lots| lots as f64);
            let per_lot = match asks {
                Asks::PerLot(rows) => rows[at],
                Asks::Shares(rule) if rule.named[at] && whole > 0.0 => {
                    let own = values[self.asked.symbol[at] as usize];
                    let tiers = [&rule.rule.long, &rule.rule.short];
                    std::array::from_fn(|side| {
                        rate(tiers[side], own[side] / whole).map(|r| r * self.asked.value[at])
                    })
                }
                Asks::Shares(_) => continue,
            };
            for side in 0..2 {
                let amount = per_lot[side].map(|own| own * sides[side]);
                raised |= raise(&mut asked[i][side], amount);
            }
        }
        raised
    }
}

/// The difference of a line that raises what is held, and what is held then.
fn top_up<L: Ledger + ?Sized>(
    held: &mut Pair,
    asked: Pair,
    ledger: &mut L,
    text: impl Fn() -> LineText,
) {
    let above: Pair = std::array::from_fn(|k| {
        let above = asked[k] - held[k];
        if above > ROUNDING * asked[k] {
            above
        } else {
            0.0
        }
    });
    if above != [0.0; 2] {
        ledger.line(0, above[0], above[1], &text);
        raise(held, asked);
    }
}

/// Passes lines on as they are, and sums them by group: the words of every line are made for it, also where only numbers
/// are asked.
struct Sorted<'a, L: ?Sized> {
    /// None where the lines are only summed.
    ledger: Option<&'a mut L>,
    grouping: &'a Grouping,
    currencies: &'a Currencies,
    held: &'a mut [Pair],
    /// A scope that no group has.
    lost: Option<String>,
}

impl<L: Ledger + ?Sized> Ledger for Sorted<'_, L> {
    fn line(
        &mut self,
        currency: usize,
        initial: f64,
        maintenance: f64,
        text: &dyn Fn() -> LineText,
    ) {
        if let Some(ledger) = &mut self.ledger {
            ledger.line(currency, initial, maintenance, text);
        }
        let text = text();
        let Some(group) = self.grouping.of_scope(&text.scope) else {
            self.lost = Some(text.scope);
            return;
        };
        let apart = self.grouping.splits(group) && !self.grouping.is_stock(group, &text.component);
        let held = &mut self.held[2 * group as usize + usize::from(apart)];
        let fx = self.currencies.fx(currency);
        held[0] += initial * fx;
        held[1] += maintenance * fx;
    }
}

impl<L: ?Sized> Sorted<'_, L> {
    fn found(self) -> Result<()> {
        match self.lost {
            Some(scope) => fail!(
                CalculationError,
                "house: a line of '{scope}' is of no group of the rulebook's"
            ),
            None => Ok(()),
        }
    }
}

/// A ledger for lines that are only summed.
enum NoLedger {}

impl Ledger for NoLedger {
    fn line(&mut self, _: usize, _: f64, _: f64, _: &dyn Fn() -> LineText) {
        match *self {}
    }
}

impl Rulebook for Book {
    type Scratch = HouseScratch;

    /// The base admits the account.
    const GROSS: bool = true;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut HouseScratch,
        ledger: &mut L,
    ) -> Result<Outcome> {
        let positions = account.positions;
        let slots = 2 * self.grouping.len();
        scratch.touched.clear();
        for &row in positions.contract {
            let first = 2 * self.grouping.of_row(row);
            scratch.touched.extend([first, first + 1]);
        }
        scratch.touched.sort_unstable();
        scratch.touched.dedup();
        let HouseScratch {
            base,
            strict,
            touched,
            held,
            sums,
            asked,
            values,
        } = scratch;
        let clear = |sums: &mut Vec<Pair>| {
            sums.resize(slots, [0.0; 2]);
            for &slot in touched.iter() {
                sums[slot as usize] = [0.0; 2];
            }
        };
        clear(held);
        let mut sorted = Sorted {
            ledger: Some(&mut *ledger),
            grouping: &self.grouping,
            currencies: &self.frame.currencies,
            held,
            lost: None,
        };
        let outcome = self.base.charge_to(account, base, &mut sorted)?;
        sorted.found()?;
        asked.clear();
        asked.resize(positions.len(), [[0.0; 2]; 2]);
        let text = |slot: u32, name: &str| LineText::new(self.grouping.name(slot / 2), name);
        for rule in &self.asked.rules {
            if !self.ask(&rule.asks, positions, values, asked) {
                continue;
            }
            clear(sums);
            for (&row, sides) in positions.contract.iter().zip(asked.iter()) {
                let sum = &mut sums[self.slot(row)];
                for side in sides {
                    sum[0] += side[0];
                    sum[1] += side[1];
                }
            }
            for &slot in touched.iter() {
                let at = slot as usize;
                top_up(&mut held[at], sums[at], ledger, || text(slot, &rule.name));
            }
        }
        if let Some(Strict { name, prepared }) = &self.strict {
            clear(sums);
            let mut sorted = Sorted::<NoLedger> {
                ledger: None,
                grouping: &self.grouping,
                currencies: prepared.currencies(),
                held: sums,
                lost: None,
            };
            prepared.charge_to(account, strict, &mut sorted)?;
            sorted.found()?;
            let whole = |sums: &[Pair], at: usize| -> Pair {
                std::array::from_fn(|k| sums[at][k] + sums[at + 1][k])
            };
            for &slot in touched.iter().filter(|&&slot| slot % 2 == 0) {
                let at = slot as usize;
                let mut own = whole(held, at);
                top_up(&mut own, whole(sums, at), ledger, || text(slot, name));
            }
        }
        Ok(outcome)
    }

    /// The rule determines these levels by its own maintenance; floors over lines need not be sums of parts.
    fn intraday(&self, account: AccountView<'_>) -> Result<&Separation> {
        self.base.intraday(account)?;
        fail!(
            NotApplicable,
            "{}: FINRA 4210(d)(2) determines intraday margin levels by the rule's own maintenance: ask the rulebook under the house",
            self.frame.methodology
        );
    }

    fn scenario_label(&self, scenario: u32) -> String {
        self.base.scenario_label(scenario)
    }

    fn profits(&self) -> Result<Vec<Profits>> {
        self.base.profits()
    }

    /// The base's own, and under `house` the shares that rules of concentration looked at.
    fn details(&self, account: AccountView<'_>) -> Result<Value> {
        let mut details = match self.base.margin(account)?.details {
            Value::Object(details) => details,
            Value::Null => Map::new(),
            other => Map::from_iter([("base".to_string(), other)]),
        };
        let mut rules = Map::new();
        for rule in &self.asked.rules {
            let Asks::Shares(shares) = &rule.asks else {
                continue;
            };
            let mut values = Vec::new();
            let whole = self.values(shares, account.positions, &mut values);
            let mut own = Map::new();
            for &row in account.positions.contract {
                if shares.named[row as usize] && whole > 0.0 {
                    let [long, short] = values[self.asked.symbol[row as usize] as usize];
                    own.insert(
                        self.frame.contracts.root_symbol(row).to_string(),
                        json!({"long": long / whole, "short": short / whole}),
                    );
                }
            }
            rules.insert(rule.name.clone(), json!({"whole": whole, "shares": own}));
        }
        let compared = if self.grouping.is_whole() {
            "account"
        } else {
            "group"
        };
        let house = json!({"compared": compared, "concentration": rules});
        details.insert("house".to_string(), house);
        Ok(Value::Object(details))
    }
}
