//! SPAN as a prepared rulebook: the ledger's lines; `explain.rs` has what the report adds to them.

mod explain;

use serde_json::{Value, json};

use super::model::{FileInfo, ScanPoint};
use super::options::kind_index;
use super::program::{CommoditySlots, Program};
use super::steps::{Amounts, Listener, Side, Silent, State};
use engine::account::{AccountView, Positions};
use engine::report::{Ledger, LineText};
use engine::seam::{Frame, Outcome, Rulebook};
use kernel::error::Result;
use kernel::fail;

/// SPAN compiled for one table of contracts.
pub(super) struct Book {
    pub(super) frame: Frame,
    pub(super) program: Program,
    pub(super) info: FileInfo,
    /// Charges beside SPAN, such as an exposure margin.
    pub(super) exposure: Option<super::exposure::Compiled>,
}

/// One commodity's requirement at one level.
#[derive(Debug, Clone, Copy, Default)]
struct Levelled {
    floor: f64,
    som: f64,
    cap: f64,
    unavailable: f64,
}

fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The sum of a commodity's terms before any floor.
fn charges(a: &Amounts) -> f64 {
    a.scan - a.super_credit + a.intra + (a.delivery_spread + a.delivery_outright) + a.basis
        - a.inter_credit
        - a.exchange_credit
}

/// What brings the sum of terms to the requirement, and option value that does not count.
///
/// The factor multiplies max(risk, minimum), never the option value; an account of long options only owes no more than
/// they are worth.
fn levelled(cc: &CommoditySlots, a: &Amounts, long_only: bool, factor: f64) -> Levelled {
    let sum = charges(a);
    let risk = larger(sum, 0.0);
    let requirement = factor * larger(risk, a.som);
    let cap = if long_only && a.nov < requirement {
        a.nov - requirement
    } else {
        0.0
    };
    let level = requirement + cap;
    Levelled {
        floor: factor * (risk - sum),
        som: factor * larger(a.som - risk, 0.0),
        cap,
        unavailable: if cc.capped {
            larger(a.nov - level, 0.0)
        } else {
            0.0
        },
    }
}

/// Working memory of a requirement.
#[derive(Debug, Default)]
pub(super) struct Working {
    pub(super) state: State,
    side: Side,
    /// Exposure by symbol.
    pub(super) exposure: Vec<f64>,
}

/// Which part of an account a portfolio is: all of it, or one side of a gross account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Net,
    Long,
    Short,
}

impl Part {
    fn scope(self, commodity: &str) -> String {
        match self {
            Self::Net => commodity.to_string(),
            Self::Long => format!("{commodity} long"),
            Self::Short => format!("{commodity} short"),
        }
    }
}

impl Book {
    fn steps<T: Listener>(
        &self,
        positions: Positions<'_>,
        state: &mut State,
        listener: &mut T,
    ) -> Result<()> {
        state.run(&self.program, positions, &|a, b| self.fx(a, b), listener)
    }

    /// Units of commodity b's currency for one of a's.
    pub(super) fn fx(&self, a: u32, b: u32) -> f64 {
        let currencies = &self.frame.currencies;
        let currency = |c: u32| self.program.commodities[c as usize].currency;
        let (from, to) = (currency(a), currency(b));
        if from == to {
            1.0
        } else {
            currencies.fx(from) / currencies.fx(to)
        }
    }

    pub(super) fn kind(&self, account: AccountView<'_>) -> Result<usize> {
        kind_index(
            account
                .terms
                .kind
                .as_deref()
                .unwrap_or(&self.program.options.account_kind),
        )
    }

    fn point_label(&self, scenario: usize) -> String {
        label(&self.program.points, scenario)
    }

    /// Margins one netted portfolio: net option value, and the greatest scan risk with its scenario.
    fn portfolio<L: Ledger + ?Sized>(
        &self,
        positions: Positions<'_>,
        kind: usize,
        part: Part,
        state: &mut State,
        ledger: &mut L,
    ) -> Result<(f64, Option<(f64, usize)>)> {
        self.steps(positions, state, &mut Silent)?;
        self.lines(kind, part, state, ledger)
    }

    /// Writes the lines of a portfolio whose steps are done; see [`Self::portfolio`].
    pub(super) fn lines<L: Ledger + ?Sized>(
        &self,
        kind: usize,
        part: Part,
        state: &State,
        ledger: &mut L,
    ) -> Result<(f64, Option<(f64, usize)>)> {
        let currencies = &self.frame.currencies;
        let long_only = state.long_only();
        let (mut initial, mut maintenance, mut value) = (0.0, 0.0, 0.0);
        let mut worst: Option<(f64, usize)> = None;
        for &c in &state.touched {
            let (cc, a) = (
                &self.program.commodities[c as usize],
                &state.amounts[c as usize],
            );
            let fx = currencies.fx(cc.currency);
            let (sum_i, sum_m) = self.commodity_lines(cc, a, kind, part, long_only, ledger);
            initial += sum_i * fx;
            maintenance += sum_m * fx;
            value += a.nov * fx;
            let scan = a.scan * fx;
            if worst.is_none_or(|w| scan > w.0) {
                worst = Some((scan, a.active));
            }
        }
        // Numbers near the largest there are add up to infinities.
        if !(initial.is_finite() && maintenance.is_finite() && value.is_finite()) {
            fail!(
                CalculationError,
                "{}: the requirement is not a finite number: its parameters or the positions are too large",
                self.info.file
            );
        }
        // Option value in excess of all risk is not paid out.
        let floor = (
            larger(value - initial, 0.0),
            larger(value - maintenance, 0.0),
        );
        if floor.0 != 0.0 || floor.1 != 0.0 {
            ledger.line(0, floor.0, floor.1, &|| {
                LineText::new(part.scope("account"), "requirement_floor")
            });
        }
        Ok((value, worst))
    }

    /// Writes one commodity's lines; their sums, initial and maintenance.
    fn commodity_lines<L: Ledger + ?Sized>(
        &self,
        cc: &CommoditySlots,
        a: &Amounts,
        kind: usize,
        part: Part,
        long_only: bool,
        ledger: &mut L,
    ) -> (f64, f64) {
        let (fi, fm) = cc.levels[kind];
        let (i, m) = (
            levelled(cc, a, long_only, fi),
            levelled(cc, a, long_only, fm),
        );
        let both = |amount: f64| (fi * amount, fm * amount);
        let delivery = a.delivery_spread + a.delivery_outright;
        let terms = [
            ("scan", both(a.scan)),
            ("super_credit", both(-a.super_credit)),
            ("intra_commodity", both(a.intra)),
            ("delivery", both(delivery)),
            ("basis", both(a.basis)),
            ("inter_commodity_credit", both(-a.inter_credit)),
            ("inter_exchange_credit", both(-a.exchange_credit)),
            ("risk_floor", (i.floor, m.floor)),
            ("short_option_minimum", (i.som, m.som)),
            ("long_option_cap", (i.cap, m.cap)),
            ("unavailable_option_value", (i.unavailable, m.unavailable)),
        ];
        let (mut sum_i, mut sum_m) = (0.0, 0.0);
        for (at, (name, (initial, maintenance))) in terms.into_iter().enumerate() {
            // The scan line is there even where the risk is nothing: it names the scenario.
            let scan = at == 0;
            if initial == 0.0 && maintenance == 0.0 && !scan {
                continue;
            }
            sum_i += initial;
            sum_m += maintenance;
            ledger.line(cc.currency, initial, maintenance, &|| {
                let text = LineText::new(part.scope(&cc.code), name);
                if scan {
                    text.in_scenario(self.point_label(a.active))
                } else {
                    text
                }
            });
        }
        (sum_i, sum_m)
    }
}

/// A scan point in words, from its number in the file.
fn label(points: &[ScanPoint], scenario: usize) -> String {
    let point = points[scenario];
    let cover = if point.weight == 1.0 {
        String::new()
    } else {
        format!(", {} covered", point.weight)
    };
    format!(
        "point {}: price {:+.4} ranges, vol {:+} ranges{cover}",
        scenario + 1,
        point.price,
        point.vol
    )
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
        })
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
