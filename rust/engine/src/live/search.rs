//! Searches over trades: how much fits a limit, which trade costs least, what would cut the requirement.

use super::account::LiveAccount;
use super::intraday::Fall;
use super::level::Level;
use super::order::{Limit, Side};
use super::trade::Trade;
use crate::account::MAX_LOTS;
use crate::bounds;
use crate::contract::ContractIndex;
use kernel::error::Result;
use kernel::{fail, interrupt, parallel, simd};

/// Lots beyond which a search without its own bound does not look.
pub const MOST: i64 = 100_000;

/// A single trade that lowers the requirement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hedge {
    pub contract: ContractIndex,
    pub lots: i64,
    pub requirement: f64,
    /// Negative: how much it takes off.
    pub change: f64,
}

/// A trade of growing size held against a limit.
struct Probe<'a> {
    account: &'a mut LiveAccount,
    contract: ContractIndex,
    sign: i64,
    limit: &'a Limit,
    price: f64,
    fees_per_lot: f64,
    /// The intraday margin levels without the trade, where the limit asks for them.
    levels: Option<Result<[Level; 2]>>,
}

impl Probe<'_> {
    /// How far the tighter limit is away (negative: broken), and how exact that number is.
    fn slack(&mut self, lots: i64) -> Result<(f64, f64)> {
        interrupt::check()?;
        let signed = lots * self.sign;
        let trade = (lots != 0).then(|| Trade::new(self.contract, signed));
        let fees = self.fees_per_lot * lots as f64;
        let own = self.account.assess(trade, self.price, fees)?;
        let mut slack = f64::INFINITY;
        let mut size = own.worst.abs();
        if let Some(most) = self.limit.max_requirement {
            slack = most - own.worst;
        }
        if let Some(least) = self.limit.min_excess {
            let excess = own.excess?;
            size += excess.abs() + own.after.net_option_value.abs();
            size += self
                .account
                .money()
                .notional(self.contract, lots, self.price)?;
            if excess - least < slack {
                slack = excess - least;
            }
        }
        if let Some(before) = &self.levels {
            let fall = Fall::between(before, &own.levels)?;
            size += fall.before.size() + fall.after.size();
            // What a check lets pass as no more than rounding passes here.
            let room = if fall.is_blocked() {
                fall.room()
            } else {
                fall.room().max(0.0)
            };
            if room < slack {
                slack = room;
            }
        }
        let band = self.account.band_after(self.contract, signed)?;
        Ok((slack, 4.0 * band + 64.0 * f64::EPSILON * size))
    }

    fn passes(&mut self, lots: i64) -> Result<bool> {
        Ok(self.slack(lots)?.0 >= 0.0)
    }

    /// Passes by more than rounding could explain.
    fn surely(&mut self, lots: i64) -> Result<bool> {
        let (slack, band) = self.slack(lots)?;
        Ok(slack > band)
    }

    /// The largest lots of `from..=most` that surely pass, where such lots are one interval starting at `from`.
    fn last_sure(&mut self, from: i64, most: i64) -> Result<i64> {
        let (mut low, mut step) = (from, 1_i64);
        while low < most {
            let next = low.saturating_add(step).min(most);
            if !self.surely(next)? {
                break;
            }
            low = next;
            step = step.saturating_mul(2);
        }
        let mut high = low.saturating_add(step).min(most + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.surely(middle)? {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The lots of least distance to breaking a convex limit.
    fn best(&mut self, most: i64) -> Result<i64> {
        let (mut low, mut high) = (0_i64, most);
        while high - low > 2 {
            let third = (high - low) / 3;
            let (a, b) = (low + third, high - third);
            if self.slack(a)?.0 < self.slack(b)?.0 {
                low = a;
            } else {
                high = b;
            }
        }
        let mut best = (f64::NEG_INFINITY, low);
        for lots in low..=high {
            let slack = self.slack(lots)?.0;
            if slack > best.0 {
                best = (slack, lots);
            }
        }
        Ok(best.1)
    }
}

impl LiveAccount {
    fn probe<'a>(
        &'a mut self,
        contract: ContractIndex,
        side: Side,
        limit: &'a Limit,
        price: Option<f64>,
        fees_per_lot: f64,
        most: i64,
    ) -> Result<Probe<'a>> {
        limit.validate()?;
        bounds::finite("fees", fees_per_lot)?;
        if contract as usize >= self.prepared().contracts().len() {
            fail!(InvalidInput: OutOfRange; "contract row {contract} is not in the table");
        }
        if !(0..=MAX_LOTS / 2).contains(&most) {
            fail!(
InvalidInput: OutOfRange, place "most", value most;
"most is {most}: 0 to 2^52 lots are accepted");
        }
        let levels = if limit.block_intraday_deficit {
            self.prepared().intraday(self.view())?;
            Some(self.levels()?)
        } else {
            None
        };
        let price = match price.or_else(|| self.money().mark(contract)) {
            Some(price) => price,
            None if limit.min_excess.is_none() && levels.is_none() => 0.0,
            None => fail!(
                MissingData: MissingPrice;
                "contract row {contract}: no mark: give the price the trade would be done at"
            ),
        };
        bounds::finite("price", price)?;
        Ok(Probe {
            account: self,
            contract,
            sign: if side == Side::Buy { 1 } else { -1 },
            limit,
            price,
            fees_per_lot,
            levels,
        })
    }

    /// The largest number of lots such that every fill from nothing to all of it passes the limit; `None` where the
    /// account breaks it already. At most `most`.
    ///
    /// Where the requirement is convex in the lots, a bisection finds the lots that pass by more than rounding, and
    /// single steps settle the rest; elsewhere every number of lots is tried in turn.
    pub fn max_quantity(
        &mut self,
        contract: ContractIndex,
        side: Side,
        limit: &Limit,
        price: Option<f64>,
        fees_per_lot: f64,
        most: i64,
    ) -> Result<Option<i64>> {
        let convex = self.book.is_convex(contract);
        let mut probe = self.probe(contract, side, limit, price, fees_per_lot, most)?;
        if !probe.passes(0)? {
            return Ok(None);
        }
        let mut lots = if convex && probe.surely(0)? {
            probe.last_sure(0, most)?
        } else {
            0
        };
        while lots < most && probe.passes(lots + 1)? {
            lots += 1;
        }
        Ok(Some(lots))
    }

    /// The largest number of lots whose complete fill passes the limit, whatever smaller fills do; `None` where none
    /// does, not even no trade.
    pub fn max_quantity_complete(
        &mut self,
        contract: ContractIndex,
        side: Side,
        limit: &Limit,
        price: Option<f64>,
        fees_per_lot: f64,
        most: i64,
    ) -> Result<Option<i64>> {
        let convex = self.book.is_convex(contract);
        let mut probe = self.probe(contract, side, limit, price, fees_per_lot, most)?;
        if !convex {
            for lots in (0..=most).rev() {
                if probe.passes(lots)? {
                    return Ok(Some(lots));
                }
            }
            return Ok(None);
        }
        let from = if probe.surely(0)? {
            0
        } else {
            probe.best(most)?
        };
        let mut found = probe.passes(from)?.then_some(from);
        let mut lots = from;
        if probe.surely(from)? {
            lots = probe.last_sure(from, most)?;
            found = Some(lots);
        }
        while lots < most {
            lots += 1;
            let (slack, band) = probe.slack(lots)?;
            if slack >= 0.0 {
                found = Some(lots);
            } else if slack < -band {
                break;
            }
        }
        Ok(found)
    }

    /// The requirement after each candidate trade alone, each with the bits of a fresh margin.
    pub fn rank(&self, candidates: &[(ContractIndex, i64)], threads: usize) -> Result<Vec<f64>> {
        simd::check_environment()?;
        let (prepared, book, view) = (self.prepared(), self.book.positions(), self.view());
        let count = prepared.contracts().len();
        let mut out = vec![0.0; candidates.len()];
        parallel::chunks(&mut out, 1, threads, 2048, |first, out| {
            let mut live = prepared.clone().live();
            live.keep(view)?;
            let mut next = book.clone();
            for (i, result) in out.iter_mut().enumerate() {
                interrupt::check()?;
                let (contract, lots) = candidates[first + i];
                let mut one = || -> Result<f64> {
                    if contract as usize >= count {
                        fail!(
                            InvalidInput: OutOfRange;
                            "contract row {contract} of a table of {count}"
                        );
                    }
                    next.assign(book);
                    next.trade(contract, lots, None)?;
                    Ok(live
                        .requirement(next.view(view.terms), &[contract])?
                        .initial)
                };
                *result = one().map_err(|e| e.at(format!("candidate {}", first + i)))?;
                if !result.is_finite() {
                    fail!(
                        CalculationError: NoNumber;
                        "candidate {}: the requirement is not a finite number",
                        first + i
                    );
                }
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// The best single trade in each contract and direction, of at most `most` lots, largest reduction first. With a
    /// limit, trades after which its `max_requirement` holds come before the others.
    pub fn hedges(&mut self, limit: Option<&Limit>, count: usize, most: i64) -> Result<Vec<Hedge>> {
        if !(1..=MOST).contains(&most) {
            fail!(
            InvalidInput: OutOfRange, place "most", value most;
            "most is {most}: 1 to {MOST} lots are accepted"
                        );
        }
        let before = self.requirement().initial;
        let mut found = Vec::new();
        for contract in 0..self.prepared().contracts().len() as u32 {
            interrupt::check()?;
            let (long, short) = self.book.positions().sides(contract);
            for sign in [1_i64, -1] {
                let mut best = (before, 0_i64);
                if self.book.is_convex(contract) {
                    let (mut low, mut high) = (0, most);
                    while high - low > 2 {
                        let third = (high - low) / 3;
                        let (a, b) = (low + third, high - third);
                        if self.margin_after(contract, sign * a)?
                            > self.margin_after(contract, sign * b)?
                        {
                            low = a;
                        } else {
                            high = b;
                        }
                    }
                    for lots in low.max(1)..=high {
                        self.better(contract, sign * lots, &mut best)?;
                    }
                } else {
                    let closing = if sign > 0 { short } else { long };
                    let doubling = (0..17).map(|k| 1_i64 << k).take_while(|&l| l <= most);
                    for lots in doubling.chain([closing]).filter(|&l| l > 0 && l <= most) {
                        self.better(contract, sign * lots, &mut best)?;
                    }
                }
                if best.1 != 0 {
                    found.push(Hedge {
                        contract,
                        lots: best.1,
                        requirement: best.0,
                        change: best.0 - before,
                    });
                }
            }
        }
        let breaks = |h: &Hedge| {
            limit
                .and_then(|l| l.max_requirement)
                .is_some_and(|most| h.requirement > most)
        };
        found.sort_by(|a, b| {
            breaks(a)
                .cmp(&breaks(b))
                .then(a.requirement.total_cmp(&b.requirement))
                .then(a.lots.abs().cmp(&b.lots.abs()))
                .then(a.contract.cmp(&b.contract))
        });
        found.truncate(count);
        Ok(found)
    }

    fn better(&mut self, contract: ContractIndex, lots: i64, best: &mut (f64, i64)) -> Result<()> {
        let after = self.what_if(&[Trade::new(contract, lots)])?.after.initial;
        if after < best.0 {
            *best = (after, lots);
        }
        Ok(())
    }
}
