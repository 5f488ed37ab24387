//! An account under the rules: lines that add up, and the manual's numbers beside them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::groups::{Group, Leg};
use super::names;
use super::pairing::{Kept, Scratch};
use super::parameters::{AccountKind, Parameters};
use super::question::{Holding, Method, Question, Total};
use super::rules::{Amounts, When};
use super::table::{Builder, Layout, Place, Table};
use engine::account::{AccountView, MAX_LOTS};
use engine::contract::ContractIndex;
use engine::market::Market;
use engine::report::{Ledger, LineText};
use engine::seam::{Frame, Grouping, Outcome, Rulebook, Separation};
use kernel::error::Result;
use kernel::fail;
use kernel::float::larger;

pub(super) struct Book {
    frame: Frame,
    parameters: Parameters,
    pub(super) layout: Arc<Layout>,
    margin: Table,
    cash: Table,
    separation: Arc<Separation>,
    /// What the tables were made from.
    market: Arc<Market>,
}

/// Working memory: the pairing's own, and the totals of both dates.
#[derive(Default)]
pub(super) struct BookScratch {
    pairing: Scratch,
    holdings: Vec<Holding>,
    initial: Vec<Total>,
    maintenance: Vec<Total>,
    /// Of an open account: what was solved for its positions, initial and maintenance; empty otherwise.
    kept: [Kept; 2],
}

impl BookScratch {
    /// Keeps the components of the requirement just charged.
    pub(super) fn keep(&mut self) {
        self.kept[0].keep(&self.pairing, &self.initial);
        self.kept[1].keep(&self.pairing, &self.maintenance);
    }

    pub(super) fn forget(&mut self) {
        self.kept = Default::default();
    }
}

/// A line's component, and its amount.
type Component = (&'static str, fn(&Amounts) -> f64);

const LINES: [Component; 6] = [
    ("long options", |a| a.paid),
    ("short options and spreads", |a| a.short),
    ("stock", |a| a.stock),
    ("stock carried at the strike", |a| a.carried),
    ("premium of short options", |a| -a.proceeds),
    ("short-sale proceeds", |a| -a.short_sale),
];

impl Book {
    /// The table under a market.
    pub(super) fn compile(of: &Builder<'_>, frame: Frame, market: &Arc<Market>) -> Result<Self> {
        let (margin, cash) = of.tables()?;
        let layout = of.numbered.layout.clone();
        Ok(Self {
            frame,
            parameters: of.parameters.clone(),
            separation: Arc::new(layout.separation(&margin)),
            layout,
            margin,
            cash,
            market: market.clone(),
        })
    }

    /// The same table under another market: only what moved is made again. None where the table was placed again, or the
    /// market is of another instant.
    pub(super) fn moved(
        &self,
        of: &Builder<'_>,
        frame: Frame,
        market: &Arc<Market>,
    ) -> Result<Option<Self>> {
        let before = &self.market;
        if !Arc::ptr_eq(&self.layout, &of.numbered.layout)
            || before.valuation() != market.valuation()
            || !market.accepts_marks_of(before.marks())
        {
            return Ok(None);
        }
        let moved = of.moved(&self.market);
        let (margin, cash) = of.moved_tables((&self.margin, &self.cash), moved)?;
        Ok(Some(Self {
            frame,
            parameters: self.parameters.clone(),
            separation: self.separation.clone(),
            layout: self.layout.clone(),
            margin,
            cash,
            market: market.clone(),
        }))
    }

    fn kind(&self, account: AccountView<'_>) -> Result<AccountKind> {
        self.parameters
            .account_kind
            .of(account.terms.kind.as_deref())
    }

    fn question<'a>(&'a self, kind: AccountKind, method: Method, when: When) -> Question<'a> {
        let table = if kind == AccountKind::Cash {
            &self.cash
        } else {
            &self.margin
        };
        Question {
            series: &table.series,
            shares: &table.shares,
            numbers: &table.numbers,
            allowed: table.allowed,
            pairing: method,
            when,
            node_limit: self.parameters.node_limit,
        }
    }

    /// The lots of a stock that every option it covers takes whole multiples of; `None` for options, and where a fund
    /// covers an index by value.
    ///
    /// Shares that stand alone cost so much each, other for long than for short, and what they cover or are protected
    /// by is whole options. Between two multiples the same pairings are open, so that the cheapest of them stays the
    /// cheapest and costs are linear; the larger of initial and maintenance is convex. A search that stops before its
    /// proof may say otherwise; the rule does not.
    pub(super) fn shares_per_cover(&self, contract: ContractIndex) -> Option<i64> {
        let Place::Shares(at) = self.layout.places[contract as usize] else {
            return None;
        };
        let shares = &self.margin.shares[at as usize];
        let mut step = 0;
        for amount in self.margin.series.iter().filter_map(|s| shares.taken_by(s)) {
            let lots = amount / shares.unit;
            if lots.fract() != 0.0 || !(1.0..=MAX_LOTS as f64).contains(&lots) {
                return None;
            }
            step = greatest_common_divisor(step, lots as i64);
        }
        // Without options only zero divides.
        Some(if step == 0 { 2 * MAX_LOTS } else { step })
    }

    /// The holdings in the pairing's terms; their option value is returned.
    fn holdings(
        &self,
        kind: AccountKind,
        account: AccountView<'_>,
        out: &mut Vec<Holding>,
    ) -> Result<f64> {
        let positions = account.positions;
        let mut option_value = 0.0;
        let mut short_stock = Vec::new();
        out.clear();
        for i in 0..positions.len() {
            let row = positions.contract[i];
            let (long, short) = (positions.long(i), positions.short(i));
            match self.layout.places[row as usize] {
                Place::Series(at) => {
                    option_value += self.margin.series[at as usize].mark * (long - short) as f64;
                    out.push(Holding {
                        row: at,
                        stock: false,
                        long,
                        short,
                    });
                }
                Place::Shares(at) => {
                    if kind == AccountKind::Cash && short > 0 {
                        short_stock.push(self.frame.contracts.rows()[row as usize].id());
                    }
                    out.push(Holding {
                        row: at,
                        stock: true,
                        long,
                        short,
                    });
                }
            }
        }
        if !short_stock.is_empty() {
            fail!(
                NotApplicable,
                "a cash account sells no stock short: {}",
                short_stock.join(", ")
            );
        }
        Ok(option_value)
    }

    /// Both dates solved. Where the same program answers both (no stock, no loan value), it is solved once.
    fn solve(&self, kind: AccountKind, method: Method, scratch: &mut BookScratch) -> Result<()> {
        let BookScratch {
            pairing,
            holdings,
            initial,
            maintenance,
            kept,
        } = scratch;
        pairing.solve(
            &self.question(kind, method, When::Initial),
            holdings,
            &kept[0],
            initial,
            None,
        )?;
        if holdings.iter().any(|h| h.stock) {
            pairing.solve(
                &self.question(kind, method, When::Maintenance),
                holdings,
                &kept[1],
                maintenance,
                None,
            )?;
        } else {
            maintenance.clone_from(initial);
        }
        for total in initial.iter().chain(maintenance.iter()) {
            if total.forbidden > 0.0 {
                fail!(
                    NotApplicable,
                    "a cash account holds no uncovered short calls: {} contracts on '{}' have neither stock nor a \
                     European cash-settled spread of one expiry against them",
                    total.forbidden,
                    self.layout.families[total.component as usize]
                );
            }
        }
        Ok(())
    }

    /// How one date comes about, for the report.
    fn explain(&self, kind: AccountKind, when: When, holdings: &[Holding]) -> Result<Value> {
        let mut pairing = Scratch::default();
        let (mut totals, mut groups) = (Vec::new(), Vec::new());
        let question = self.question(kind, self.parameters.pairing, when);
        pairing.solve(
            &question,
            holdings,
            &Kept::default(),
            &mut totals,
            Some(&mut groups),
        )?;
        let mut sum = Amounts::default();
        let (mut bound, mut nodes) = (0.0, 0);
        for total in &totals {
            sum.add(&total.amounts, 1.0);
            bound += total.bound;
            nodes += total.nodes;
        }
        let mut greedy = Vec::new();
        pairing.solve(
            &self.question(kind, Method::Greedy, when),
            holdings,
            &Kept::default(),
            &mut greedy,
            None,
        )?;
        let greedy = match greedy.iter().map(|t| t.forbidden).sum::<f64>() {
            // The greedy matcher leaves calls uncovered that a cash account cannot hold: no number for it.
            forbidden if forbidden > 0.0 => Value::Null,
            _ => json!(greedy.iter().fold(0.0, |s, t| s + t.amounts.equity())),
        };
        let equity = sum.equity();
        let proven = if bound < equity { bound } else { equity };
        let mut named: Vec<Value> = Vec::with_capacity(groups.len());
        for group in &groups {
            named.push(self.group(&question, group));
        }
        Ok(json!({
            "long_cost": sum.paid,
            "short_requirement": sum.short,
            "stock_requirement": sum.stock,
            "margin": sum.short + sum.stock,
            "proceeds": sum.proceeds,
            "gross": sum.gross(),
            "net_deposit": sum.gross() - sum.proceeds,
            "short_sale_proceeds": sum.short_sale,
            "carried_at_strike": sum.carried,
            "equity_required": equity,
            "proven_bound": proven,
            "gap": equity - proven,
            "nodes": nodes,
            "greedy_equity_required": greedy,
            "pairing": named,
        }))
    }

    fn group(&self, question: &Question<'_>, group: &Group) -> Value {
        let id = |stock: bool, row: u32| {
            let rows = if stock {
                &self.layout.shares_rows
            } else {
                &self.layout.series_rows
            };
            self.frame.contracts.rows()[rows[row as usize] as usize]
                .id()
                .to_string()
        };
        let legs = |legs: &[Leg]| -> Vec<Value> {
            legs.iter()
                .map(|l| json!({"contract": id(l.stock, l.row), "quantity": l.quantity}))
                .collect()
        };
        let parts: Vec<Value> = names::strategies(question.series, group)
            .iter()
            .map(|part| json!({"strategy": part.name, "legs": legs(&part.legs)}))
            .collect();
        let strategy = match (parts.len(), &group.kind) {
            (1, _) => parts[0]["strategy"].clone(),
            _ => json!("universal spread"),
        };
        let mut value = json!({
            "strategy": strategy,
            "reason": names::reason(question, group),
            "legs": legs(&group.legs),
            "gross": group.amounts.gross(),
            "equity_required": group.amounts.equity(),
        });
        if parts.len() > 1 {
            value["made_of"] = json!(parts);
        }
        value
    }
}

impl Rulebook for Book {
    type Scratch = BookScratch;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut BookScratch,
        ledger: &mut L,
    ) -> Result<Outcome> {
        let kind = self.kind(account)?;
        let mut holdings = std::mem::take(&mut scratch.holdings);
        let option_value = self.holdings(kind, account, &mut holdings);
        scratch.holdings = holdings;
        let net_option_value = option_value?;
        self.solve(kind, self.parameters.pairing, scratch)?;
        let mut gap = 0.0;
        for (first, second) in scratch.initial.iter().zip(&scratch.maintenance) {
            // The larger of the two: where maintenance raises the initial requirement, its gap is that of both.
            gap += larger(first.gap(), second.gap());
            let scope = &self.layout.families[first.component as usize];
            let (mut initial, mut maintenance) = (0.0, 0.0);
            for (component, part) in LINES {
                let (a, b) = (part(&first.amounts), part(&second.amounts));
                if a != 0.0 || b != 0.0 {
                    ledger.line(0, a, b, &|| LineText::new(scope, component));
                    initial += a;
                    maintenance += b;
                }
            }
            if self.parameters.initial_at_least_maintenance && maintenance > initial {
                ledger.line(0, maintenance - initial, 0.0, &|| {
                    LineText::new(scope, "maintenance above the Regulation T amount")
                });
            }
        }
        Ok(Outcome {
            net_option_value,
            worst_scenario: None,
            pairing_gap: Some(gap),
        })
    }

    fn intraday(&self, account: AccountView<'_>) -> Result<&Separation> {
        if self.kind(account)? == AccountKind::Cash {
            fail!(
                NotApplicable,
                "FINRA 4210(d)(2) determines intraday margin deficits of margin accounts: a cash account has none"
            );
        }
        Ok(&self.separation)
    }

    fn grouping(&self) -> Option<Grouping> {
        self.layout.grouping(&self.margin)
    }

    fn scenario_label(&self, _: u32) -> String {
        String::new()
    }

    fn details(&self, account: AccountView<'_>) -> Result<Value> {
        let kind = self.kind(account)?;
        let mut holdings = Vec::new();
        self.holdings(kind, account, &mut holdings)?;
        let initial = self.explain(kind, When::Initial, &holdings)?;
        let maintenance = self.explain(kind, When::Maintenance, &holdings)?;
        Ok(json!({
            "account_kind": kind,
            "method": self.parameters.pairing,
            "long_cost": initial["long_cost"],
            "short_requirement": initial["short_requirement"],
            "proceeds": initial["proceeds"],
            "gross": initial["gross"],
            "net_deposit": initial["net_deposit"],
            // The manual's maintenance number: on short options and stock, the value of long options left out.
            "maintenance": maintenance["margin"],
            "initial": initial,
            "held": maintenance,
        }))
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}
