//! The ledger's lines of a portfolio whose steps are done.

use super::compiled::{Book, Part};
use super::levels::levelled;
use crate::program::CommoditySlots;
use crate::steps::{Held, State};
use engine::report::{Ledger, LineText};
use kernel::error::Result;
use kernel::fail;
use kernel::float::larger;

impl Book {
    /// Writes the lines; net option value, and the greatest scan risk with its scenario.
    pub(crate) fn lines<L: Ledger + ?Sized>(
        &self,
        kind: usize,
        part: Part,
        state: &State,
        ledger: &mut L,
    ) -> Result<(f64, Option<(f64, usize)>)> {
        let long_only = state.long_only();
        let (mut initial, mut maintenance, mut value) = (0.0, 0.0, 0.0);
        let mut worst: Option<(f64, usize)> = None;
        for &c in &state.touched {
            let (cc, held) = (
                &self.program.commodities[c as usize],
                &state.held[c as usize],
            );
            let (sum_i, sum_m) = self.commodity_lines(cc, held, kind, part, long_only, ledger);
            initial += sum_i * cc.fx;
            maintenance += sum_m * cc.fx;
            value += held.amounts.nov * cc.fx;
            let scan = held.amounts.scan * cc.fx;
            if worst.is_none_or(|w| scan > w.0) {
                worst = Some((scan, held.active));
            }
        }
        // Numbers near the largest there are add up to infinities.
        if !(initial.is_finite() && maintenance.is_finite() && value.is_finite()) {
            fail!(
                CalculationError: NoNumber;
                "{}: the requirement is not a finite number: its parameters or the positions are too large",
                self.info.file
            );
        }
        // Option value in excess of all risk is not paid out. Between commodities it is pooled, as JPX's worked examples
        // have it (jpx.co.jp/english/derivatives/rules/margin/outline/examples.html); `capAnov` keeps it apart.
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
        held: &Held,
        kind: usize,
        part: Part,
        long_only: bool,
        ledger: &mut L,
    ) -> (f64, f64) {
        let a = &held.amounts;
        let (fi, fm) = cc.levels[kind];
        let (i, m) = (
            levelled(cc, a, long_only, fi),
            levelled(cc, a, long_only, fm),
        );
        let (mut sum_i, mut sum_m) = (0.0, 0.0);
        let mut line = |name, initial, maintenance, scan: bool| {
            // The scan line is there even where the risk is nothing: it names the scenario.
            if initial == 0.0 && maintenance == 0.0 && !scan {
                return;
            }
            sum_i += initial;
            sum_m += maintenance;
            ledger.line(cc.currency, initial, maintenance, &|| {
                let text = LineText::new(part.scope(&cc.code), name);
                if scan {
                    text.in_scenario(self.point_label(held.active))
                } else {
                    text
                }
            });
        };
        for (at, (name, amount)) in a.terms().into_iter().enumerate() {
            line(name, fi * amount, fm * amount, at == 0);
        }
        for ((name, initial), (_, maintenance)) in i.lines().into_iter().zip(m.lines()) {
            line(name, initial, maintenance, false);
        }
        (sum_i, sum_m)
    }
}
