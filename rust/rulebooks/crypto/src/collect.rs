//! One pass over an account's positions: cells and sums of every unit it touches, and of one more trade.

use super::book::Book;
use super::charges::Sums;
use super::instruments::Class;
use super::lanes::Lane;
use super::parameters::{Model, SpotTreatment};
use super::sums::{BookScratch, RowTerms};
use engine::account::AccountView;

impl Book {
    /// Collects cells and sums of every unit the account touches, or of those of `only`.
    pub(super) fn collect(
        &self,
        account: AccountView<'_>,
        only: Option<&[u32]>,
        scratch: &mut BookScratch,
    ) {
        let positions = account.positions;
        self.clear(only, positions.len(), scratch);
        let wanted = |unit: u32| only.is_none_or(|units| units.contains(&unit));
        for i in 0..positions.len() {
            let row = &self.rows[positions.contract[i] as usize];
            if wanted(row.unit) {
                self.add(row, positions.net(i) as f64, scratch);
            }
        }
        for (u, unit) in self.units.iter().enumerate() {
            // A manager's account may hold collateral alone.
            let empty = !scratch.sums[u].held && self.parameters.model != Model::Pmrm;
            if empty || !wanted(u as u32) {
                continue;
            }
            for (i, source) in unit.lanes.iter().enumerate() {
                let lane = &mut scratch.lanes[unit.first_lane + i];
                lane.sum(unit.table(*source), unit.sources.width);
            }
        }
    }

    fn clear(&self, only: Option<&[u32]>, positions: usize, scratch: &mut BookScratch) {
        if only.is_none() || scratch.sums.len() != self.units.len() {
            let last = self.units.last();
            let lanes = last.map_or(0, |u| u.first_lane + u.lanes.len());
            let expiries = last.map_or(0, |u| u.first_expiry + u.expiries.len());
            let strikes = last.map_or(0, |u| u.first_strike + u.layout.strikes.len());
            scratch.lanes.resize_with(lanes, Lane::default);
            scratch.sums.resize(self.units.len(), Sums::default());
            for (column, len) in [
                (&mut scratch.rolls, expiries),
                (&mut scratch.gross, expiries),
                (&mut scratch.marks, expiries),
                (
                    &mut scratch.strikes,
                    if self.nets_strikes { strikes } else { 0 },
                ),
            ] {
                column.resize(len, 0.0);
            }
        }
        for (u, unit) in self.units.iter().enumerate() {
            if only.is_some_and(|units| !units.contains(&(u as u32))) {
                continue;
            }
            scratch.sums[u] = Sums::default();
            for lane in &mut scratch.lanes[unit.first_lane..][..unit.lanes.len()] {
                lane.clear(positions);
            }
            for column in [&mut scratch.rolls, &mut scratch.gross, &mut scratch.marks] {
                column[unit.first_expiry..][..unit.expiries.len()].fill(0.0);
            }
            if self.nets_strikes {
                scratch.strikes[unit.first_strike..][..unit.layout.strikes.len()].fill(0.0);
            }
        }
    }

    /// Adds `q` lots of a row to its unit's sums and lane; the lane is not summed up yet.
    #[inline]
    fn add(&self, row: &RowTerms, q: f64, scratch: &mut BookScratch) {
        let unit = &self.units[row.unit as usize];
        let sums = &mut scratch.sums[row.unit as usize];
        sums.held = true;
        if self.is_collateral(row) {
            sums.spot_value += q * row.value;
            return;
        }
        scratch.lanes[unit.first_lane + row.lane as usize].push(
            row.offset,
            q * row.scale,
            q * row.coin_mark,
        );
        row.add(q, sums);
        if row.class != Class::Spot {
            scratch.rolls[unit.first_expiry + row.expiry as usize] += q * row.roll;
        }
        if row.class == Class::Option {
            let at = unit.first_expiry + row.expiry as usize;
            scratch.gross[at] += (q * row.coins).abs();
            scratch.marks[at] += q * row.value;
            if self.nets_strikes {
                scratch.strikes[unit.first_strike + row.strike as usize] += q * row.coins;
            }
        }
    }

    /// Whether a holding is cover only, and in no scenario.
    #[inline]
    pub(super) fn is_collateral(&self, row: &RowTerms) -> bool {
        row.class == Class::Spot && self.parameters.spot == SpotTreatment::CollateralOnly
    }
}

impl BookScratch {
    /// Takes over the sums of one unit.
    pub(super) fn load(&mut self, book: &Book, u: usize, from: &Self) {
        if self.sums.len() != book.units.len() {
            book.clear(None, 0, self);
        }
        // Named one by one: a sum that is forgotten here does not compile.
        let Self {
            lanes,
            sums,
            rolls,
            gross,
            // Nets by strike are not kept, marks by expiry are a manager's.
            strikes: _,
            marks: _,
            // Working memory of one unit's charge.
            expiries: _,
            pnl: _,
            raw: _,
        } = from;
        let unit = &book.units[u];
        self.sums[u] = sums[u];
        let own = unit.first_lane..unit.first_lane + unit.lanes.len();
        for (lane, from) in self.lanes[own.clone()].iter_mut().zip(&lanes[own]) {
            lane.load(from, unit.sources.width);
        }
        let expiries = unit.first_expiry..unit.first_expiry + unit.expiries.len();
        self.rolls[expiries.clone()].copy_from_slice(&rolls[expiries.clone()]);
        self.gross[expiries.clone()].copy_from_slice(&gross[expiries]);
    }

    /// Trades one more contract of a unit whose sums are complete; not where a charge nets by strike.
    pub(super) fn trade(&mut self, book: &Book, row: &RowTerms, before: f64, lots: f64) {
        let unit = &book.units[row.unit as usize];
        let sums = &mut self.sums[row.unit as usize];
        if book.is_collateral(row) {
            sums.held = true;
            sums.spot_value += lots * row.value;
            return;
        }
        row.remove(before, sums);
        row.add(before + lots, sums);
        sums.held = true;
        let lane = &mut self.lanes[unit.first_lane + row.lane as usize];
        let width = unit.sources.width;
        let table = unit.table(unit.lanes[row.lane as usize]);
        lane.add(
            &table[row.offset as usize..][..width],
            lots * row.scale,
            lots * row.coin_mark,
        );
        let at = unit.first_expiry + row.expiry as usize;
        if row.class != Class::Spot {
            self.rolls[at] += lots * row.roll;
        }
        if row.class == Class::Option {
            self.gross[at] += (row.coins * (before + lots)).abs() - (row.coins * before).abs();
        }
    }
}
