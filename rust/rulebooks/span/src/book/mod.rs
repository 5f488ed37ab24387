//! SPAN as a prepared rulebook.
//!
//! | part | file |
//! |---|---|
//! | the compiled table, the working memory | `compiled.rs` |
//! | amounts at one level: floor, minimum, cap | `levels.rs` |
//! | the ledger's lines | `lines.rs` |
//! | what the report adds to them | `explain.rs` |
//! | scenario profits of contracts | `profits.rs` |

mod compiled;
mod explain;
mod levels;
mod lines;
mod profits;

pub(crate) use compiled::{Book, Part, Working};

use serde_json::{Value, json};

use crate::steps::{Side, Silent, State};
use engine::account::{AccountView, Positions};
use engine::profits::Profits;
use engine::report::Ledger;
use engine::seam::{Frame, Outcome, Rulebook};
use kernel::error::Result;

impl Book {
    /// Margins one netted portfolio: net option value, and the greatest scan risk with its scenario.
    fn portfolio<L: Ledger + ?Sized>(
        &self,
        positions: Positions<'_>,
        kind: usize,
        part: Part,
        state: &mut State,
        ledger: &mut L,
    ) -> Result<(f64, Option<(f64, usize)>)> {
        state.run(&self.program, positions, &mut Silent)?;
        self.lines(kind, part, state, ledger)
    }
}

impl Rulebook for Book {
    type Scratch = Working;

    const GROSS: bool = true;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    /// A gross account's long and short side are two portfolios that do not net; the account owes their sum.
    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        working: &mut Working,
        ledger: &mut L,
    ) -> Result<Outcome> {
        let kind = self.kind(account)?;
        let Working {
            state,
            side,
            exposure,
        } = working;
        let (value, worst) = if account.positions.short.is_none() {
            self.portfolio(account.positions, kind, Part::Net, state, ledger)?
        } else {
            let (mut value, mut worst) = (0.0, None::<(f64, usize)>);
            for part in [Part::Long, Part::Short] {
                side.assign(account.positions, part == Part::Long);
                let own = self.portfolio(side.positions(), kind, part, state, ledger)?;
                value += own.0;
                if own.1.is_some_and(|o| worst.is_none_or(|w| o.0 > w.0)) {
                    worst = own.1;
                }
            }
            (value, worst)
        };
        if let Some(rates) = &self.exposure {
            rates.charge(account, exposure, ledger);
        }
        Ok(Outcome {
            net_option_value: value,
            worst_scenario: worst.map(|w| w.1 as u32),
            pairing_gap: None,
        })
    }

    fn profits(&self) -> Result<Vec<Profits>> {
        Ok(self.array_profits())
    }

    fn scenario_label(&self, scenario: u32) -> String {
        self.point_label(scenario as usize)
    }

    /// Commodities and spreads; those of a gross account under `long` and `short`.
    fn details(&self, account: AccountView<'_>) -> Result<Value> {
        let kind = self.kind(account)?;
        let mut out = if account.positions.short.is_none() {
            self.explain(account.positions, kind)?
        } else {
            let mut side = Side::default();
            let mut sides = json!({});
            for (name, long) in [("long", true), ("short", false)] {
                side.assign(account.positions, long);
                sides[name] = self.explain(side.positions(), kind)?;
            }
            sides
        };
        out["file"] = json!(self.info);
        out["scan_points"] = json!(self.program.points);
        if let Some(exposure) = &self.exposure {
            out["exposure"] = exposure.details(account);
        }
        Ok(out)
    }
}
