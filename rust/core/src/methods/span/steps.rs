//! The requirement, step by step: scan, super spreads, intra-commodity spreads, delivery, inter-commodity spreads,
//! inter-exchange spreads. Works in slots of a [`Program`] and allocates nothing once warm.

use super::model::{ChargeMethod, WfprMethod};
use super::options::PerMonth;
use super::program::{LegSlots, Part, Program, SpreadSlots, Terms};
use crate::account::Positions;
use crate::error::Result;
use crate::fail;
use crate::scan::{Row, WIDTH};
use crate::simd::{self, Kernel};

/// Which group of spreads a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Super,
    Intra,
    Inter,
    Exchange,
}

impl Group {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Super => "super",
            Self::Intra => "intra",
            Self::Inter => "inter",
            Self::Exchange => "exchange",
        }
    }
}

/// Scan risk and its parts, for one vector.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Risk {
    pub(super) scan: f64,
    pub(super) active: usize,
    pub(super) paired: usize,
    pub(super) vol_adjusted: f64,
    pub(super) vol: f64,
    pub(super) time: f64,
    pub(super) price: f64,
}

/// One commodity's amounts, in its own currency.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Amounts {
    pub(super) scan: f64,
    pub(super) active: usize,
    pub(super) super_credit: f64,
    pub(super) intra: f64,
    pub(super) intra_spreads: f64,
    pub(super) delivery_spread: f64,
    pub(super) delivery_outright: f64,
    pub(super) basis: f64,
    pub(super) inter_credit: f64,
    pub(super) exchange_credit: f64,
    pub(super) som: f64,
    pub(super) nov: f64,
    pub(super) spot_position: f64,
    pub(super) long_only: bool,
    pub(super) touched: bool,
    /// Its vector is [`State::merged`] since a scanning-based spread.
    pub(super) merged: bool,
}

/// Working memory.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// Cells by stride of whole 16-wide blocks.
    vectors: Vec<f64>,
    merged: Vec<f64>,
    one: Vec<f64>,
    pub(super) original: Vec<f64>,
    pub(super) left: Vec<f64>,
    pub(super) used_intra: Vec<f64>,
    pub(super) used_inter: Vec<f64>,
    range: Vec<f64>,
    pub(super) som_calls: Vec<f64>,
    pub(super) som_puts: Vec<f64>,
    /// Weighted futures price risk by commodity and tier; NaN where not yet known.
    weights: Vec<f64>,
    pub(super) amounts: Vec<Amounts>,
    pub(super) touched: Vec<u32>,
    tier_first: Vec<u32>,
}

/// Hears of every spread formed; the numbers alone need no listener.
pub(super) trait Listener {
    fn formed(
        &mut self,
        group: Group,
        spread: &SpreadSlots,
        count: f64,
        legs: &mut dyn Iterator<Item = FormedLeg>,
    );
    fn scanned(
        &mut self,
        group: Group,
        spread: &SpreadSlots,
        legs: &[u32],
        target: u32,
        combined: &[f64],
        risk: Risk,
    );
}

#[derive(Debug, Clone, Copy)]
pub(super) struct FormedLeg {
    pub(super) commodity: u32,
    pub(super) deltas: f64,
    pub(super) amount: f64,
}

pub(super) struct Silent;

impl Listener for Silent {
    #[inline(always)]
    fn formed(
        &mut self,
        _: Group,
        _: &SpreadSlots,
        _: f64,
        _: &mut dyn Iterator<Item = FormedLeg>,
    ) {
    }
    #[inline(always)]
    fn scanned(&mut self, _: Group, _: &SpreadSlots, _: &[u32], _: u32, _: &[f64], _: Risk) {}
}

/// Adds every position's array to its cell, in position order.
struct Load<'a> {
    program: &'a Program,
    positions: Positions<'a>,
    vectors: &'a mut [f64],
}

impl Kernel for Load<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let blocks = self.program.blocks;
        for (&contract, &quantity) in self.positions.contract.iter().zip(self.positions.quantity) {
            let q = quantity as f64;
            let terms = &self.program.terms[contract as usize];
            add(
                &self.program.rows,
                contract as usize * blocks,
                q,
                self.vectors,
                terms.cell as usize * blocks,
                blocks,
            );
            for part in &self.program.parts[Program::range(terms.parts)] {
                if part.row != super::program::NONE {
                    add(
                        &self.program.rows,
                        part.row as usize,
                        q,
                        self.vectors,
                        part.cell as usize * blocks,
                        blocks,
                    );
                }
            }
        }
    }
}

#[inline(always)]
fn add(rows: &[Row], row: usize, q: f64, vectors: &mut [f64], cell: usize, blocks: usize) {
    for b in 0..blocks {
        let source = &rows[row + b].0;
        let at = (cell + b) * WIDTH;
        let Some(sum) = vectors[at..].first_chunk_mut::<WIDTH>() else {
            unreachable!("cells are whole blocks")
        };
        for k in 0..WIDTH {
            sum[k] = q.mul_add(source[k], sum[k]);
        }
    }
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

impl State {
    /// Sizes the memory for a program; a no-op when warm.
    fn fit(&mut self, program: &Program) {
        let stride = program.blocks * WIDTH;
        let (tiers, scanning) = (program.tiers, program.scanning);
        if self.vectors.len() == program.cells * stride
            && self.left.len() == program.periods.len()
            && self.amounts.len() == program.commodities.len()
            && self.weights.len() == tiers
            && self.som_calls.len() == program.som_slots
            && self.merged.is_empty() != scanning
        {
            return;
        }
        *self = Self {
            vectors: vec![0.0; program.cells * stride],
            merged: vec![
                0.0;
                if scanning {
                    program.commodities.len() * stride
                } else {
                    0
                }
            ],
            one: vec![0.0; stride],
            original: vec![0.0; program.periods.len()],
            left: vec![0.0; program.periods.len()],
            used_intra: vec![0.0; program.periods.len()],
            used_inter: vec![0.0; program.periods.len()],
            range: vec![0.0; program.periods.len()],
            som_calls: vec![0.0; program.som_slots],
            som_puts: vec![0.0; program.som_slots],
            weights: vec![f64::NAN; tiers],
            amounts: vec![Amounts::default(); program.commodities.len()],
            touched: Vec::with_capacity(program.commodities.len()),
            tier_first: program
                .commodities
                .iter()
                .scan(0, |first, c| {
                    let own = *first;
                    *first += c.inter_tiers.len() as u32;
                    Some(own)
                })
                .collect(),
        };
    }

    fn touch(&mut self, program: &Program, commodity: u32) {
        let amounts = &mut self.amounts[commodity as usize];
        if amounts.touched {
            return;
        }
        *amounts = Amounts {
            touched: true,
            long_only: true,
            ..Amounts::default()
        };
        self.touched.push(commodity);
        let cc = &program.commodities[commodity as usize];
        let cells = Program::range(cc.cells);
        let stride = program.blocks * WIDTH;
        self.vectors[cells.start * stride..cells.end * stride].fill(0.0);
        for list in [
            &mut self.original,
            &mut self.left,
            &mut self.used_intra,
            &mut self.used_inter,
            &mut self.range,
        ] {
            list[Program::range(cc.periods)].fill(0.0);
        }
        let som = cc.som_first as usize..cc.som_first as usize + cc.som.len();
        self.som_calls[som.clone()].fill(0.0);
        self.som_puts[som].fill(0.0);
        let first = self.tier_first[commodity as usize] as usize;
        self.weights[first..first + cc.inter_tiers.len()].fill(f64::NAN);
    }

    fn move_delta(&mut self, period: u32, delta: f64, range: f64) {
        let p = period as usize;
        self.original[p] += delta;
        self.range[p] = larger(range, self.range[p]);
    }

    fn load(&mut self, program: &Program, positions: Positions<'_>) -> Result<()> {
        for &commodity in &self.touched {
            self.amounts[commodity as usize].touched = false;
        }
        self.touched.clear();
        self.fit(program);
        if positions.short.is_some() {
            fail!(
                Unsupported,
                "SPAN of a gross account (long and short apart): give the account net"
            );
        }
        for (&contract, &quantity) in positions.contract.iter().zip(positions.quantity) {
            let terms: &Terms = &program.terms[contract as usize];
            if terms.problem != super::program::NONE {
                fail!(MissingData, "{}", program.problems[terms.problem as usize]);
            }
            self.touch(program, terms.commodity);
            let parts: &[Part] = &program.parts[Program::range(terms.parts)];
            for part in parts {
                self.touch(program, part.commodity);
            }
            let q = quantity as f64;
            self.move_delta(terms.period, q * terms.delta, terms.range);
            for part in parts {
                self.move_delta(part.period, q * part.delta, part.range);
            }
            let amounts = &mut self.amounts[terms.commodity as usize];
            amounts.nov += q * terms.value;
            amounts.long_only &= terms.premium && quantity > 0;
            if terms.spot {
                amounts.spot_position += q.abs();
            }
            if quantity < 0 && terms.som != super::program::NONE {
                let counts = if terms.is_call {
                    &mut self.som_calls
                } else {
                    &mut self.som_puts
                };
                counts[terms.som as usize] -= q * terms.weight;
            }
        }
        self.touched.sort_unstable();
        simd::run(Load {
            program,
            positions,
            vectors: &mut self.vectors,
        });
        for &commodity in &self.touched {
            for p in Program::range(program.commodities[commodity as usize].periods) {
                self.left[p] = self.original[p];
            }
        }
        Ok(())
    }

    /// The sum of some cells, or the merged vector of a scanning-based spread's leg.
    pub(super) fn vector<'a>(
        &'a self,
        program: &Program,
        commodity: u32,
        cells: &[u32],
        sum: &'a mut Vec<f64>,
    ) -> &'a [f64] {
        let stride = program.blocks * WIDTH;
        let width = program.points.len();
        let of = |first: usize| first * stride..first * stride + width;
        if self.amounts[commodity as usize].merged {
            return &self.merged[of(commodity as usize)];
        }
        if let [cell] = cells {
            return &self.vectors[of(*cell as usize)];
        }
        sum.clear();
        sum.resize(width, 0.0);
        for &cell in cells {
            for (total, v) in sum.iter_mut().zip(&self.vectors[of(cell as usize)]) {
                *total += v;
            }
        }
        sum
    }

    fn risk_of(&mut self, program: &Program, commodity: u32, cells: &[u32]) -> Risk {
        let mut sum = std::mem::take(&mut self.one);
        let risk = risk(program, self.vector(program, commodity, cells, &mut sum));
        self.one = sum;
        risk
    }

    /// Scan risk: the sum over scanning tiers.
    pub(super) fn scan(&mut self, program: &Program, commodity: u32) -> (f64, usize) {
        let cc = &program.commodities[commodity as usize];
        if self.amounts[commodity as usize].merged {
            let risk = self.risk_of(program, commodity, &[]);
            return (risk.scan, risk.active);
        }
        if let [tier] = cc.scan_tiers.as_slice() {
            let risk = self.risk_of(program, commodity, &tier.cells);
            return (risk.scan, risk.active);
        }
        let mut scan = 0.0;
        for tier in &cc.scan_tiers {
            scan += self.risk_of(program, commodity, &tier.cells).scan;
        }
        (
            scan,
            self.risk_of(program, commodity, &cc.inter_tiers[0].cells)
                .active,
        )
    }

    pub(super) fn tier_risk(&mut self, program: &Program, commodity: u32, tier: usize) -> Risk {
        self.risk_of(
            program,
            commodity,
            &program.commodities[commodity as usize].inter_tiers[tier].cells,
        )
    }

    /// The net delta that divides a tier's price risk: as held, or what a scanning-based spread brought together.
    pub(super) fn net_delta(&self, program: &Program, commodity: u32, tier: usize) -> f64 {
        let cc = &program.commodities[commodity as usize];
        if self.amounts[commodity as usize].merged {
            Program::range(cc.periods).map(|p| self.left[p]).sum()
        } else {
            cc.inter_tiers[tier]
                .periods
                .iter()
                .map(|&p| self.original[p as usize])
                .sum()
        }
    }

    /// Weighted futures price risk of a tier.
    pub(super) fn weighted(&mut self, program: &Program, commodity: u32, tier: usize) -> f64 {
        let slot = self.tier_first[commodity as usize] as usize + tier;
        if !self.weights[slot].is_nan() {
            return self.weights[slot];
        }
        let cc = &program.commodities[commodity as usize];
        let range = cc.inter_tiers[tier]
            .periods
            .iter()
            .filter(|&&p| self.original[p as usize] != 0.0)
            .fold(0.0, |most, &p| larger(self.range[p as usize], most));
        let net = program
            .options
            .round_delta(self.net_delta(program, commodity, tier));
        // Without a net delta there is nothing to divide by, and no credit.
        let normal = if net == 0.0 {
            0.0
        } else {
            self.tier_risk(program, commodity, tier).price / net.abs()
        };
        let weight = match cc.wfpr {
            WfprMethod::Scanrange => range,
            WfprMethod::ScanrangeCap if normal > range => range,
            WfprMethod::Normal | WfprMethod::ScanrangeCap => normal,
        };
        self.weights[slot] = weight;
        weight
    }

    fn available(&self, program: &Program, leg: &LegSlots, side: f64, group: Group) -> f64 {
        let skip_delivery = group != Group::Intra && !program.options.delivery_months_in_inter;
        let mut sum = 0.0;
        for &p in &leg.periods {
            if skip_delivery && program.periods[p as usize].in_delivery {
                continue;
            }
            let delta = side * self.left[p as usize];
            if delta > 0.0 {
                sum += delta;
            }
        }
        sum
    }

    /// How many spreads form in an orientation.
    fn count(&self, program: &Program, spread: &SpreadSlots, direction: f64, group: Group) -> f64 {
        let mut count = f64::INFINITY;
        for leg in &spread.legs {
            let here = self.available(program, leg, direction * leg.side, group) / leg.need;
            count = if here < count { here } else { count };
            if count <= 0.0 {
                return 0.0;
            }
        }
        if program.options.whole_spreads {
            count.floor()
        } else {
            count
        }
    }

    /// Takes deltas from a leg's periods, nearest first.
    fn consume(
        &mut self,
        program: &Program,
        leg: &LegSlots,
        side: f64,
        mut amount: f64,
        group: Group,
    ) {
        let skip_delivery = group != Group::Intra && !program.options.delivery_months_in_inter;
        for &p in &leg.periods {
            if skip_delivery && program.periods[p as usize].in_delivery {
                continue;
            }
            let p = p as usize;
            let here = side * self.left[p];
            let taken = if here < amount { here } else { amount };
            if taken > 0.0 {
                self.left[p] -= side * taken;
                let used = if group == Group::Intra {
                    &mut self.used_intra
                } else {
                    &mut self.used_inter
                };
                used[p] += taken;
                amount -= taken;
            }
        }
    }

    fn delta_spread<T: Listener>(
        &mut self,
        program: &Program,
        spread: &SpreadSlots,
        group: Group,
        listener: &mut T,
    ) -> Result<()> {
        // Both orientations are tried once, at the start; the one that forms more is taken.
        let (forward, backward) = (
            self.count(program, spread, 1.0, group),
            self.count(program, spread, -1.0, group),
        );
        let (count, direction) = if backward > forward {
            (backward, -1.0)
        } else {
            (forward, 1.0)
        };
        if count <= 0.0 || count.is_infinite() {
            return Ok(());
        }
        if let Some(what) = &spread.unsupported {
            fail!(
                Unsupported,
                "spread {} of {}: {what}",
                spread.priority,
                program.commodities[spread.legs[0].commodity as usize].code
            );
        }
        let mut amounts = [0.0; 16];
        for (leg, amount) in spread.legs.iter().zip(&mut amounts) {
            let rate = leg.rate.unwrap_or(spread.rate);
            *amount = match spread.method {
                ChargeMethod::Weighted => {
                    let mut weight = self.weighted(program, leg.commodity, leg.tier);
                    if group == Group::Super {
                        // SPAN 09-01: also capped at scan risk per initial delta of the leg.
                        let net = self.net_delta(program, leg.commodity, leg.tier).abs();
                        if net != 0.0 {
                            let most = self.tier_risk(program, leg.commodity, leg.tier).scan / net;
                            weight = if most < weight { most } else { weight };
                        }
                    }
                    weight * count * leg.ratio * rate
                }
                ChargeMethod::Flat if leg.rate.is_some() => count * rate,
                ChargeMethod::Flat => count * rate / spread.legs.len() as f64,
                ChargeMethod::PerMonth => match (program.options.per_month, spread.per_month) {
                    (PerMonth::Additive, Some((value, month, each))) => {
                        count * (value + each + month * spread.months) / spread.legs.len() as f64
                    }
                    _ => fail!(
                        Unsupported,
                        "spread {} of {}: charge method P has no published formula: set per_month to \"additive\" to use an inferred one",
                        spread.priority,
                        program.commodities[leg.commodity as usize].code
                    ),
                },
            };
        }
        for (leg, &amount) in spread.legs.iter().zip(&amounts) {
            self.consume(program, leg, direction * leg.side, count * leg.ratio, group);
            self.book(leg.commodity, group, amount);
        }
        if group == Group::Intra {
            self.amounts[spread.legs[0].commodity as usize].intra_spreads += count;
        }
        let mut legs = spread
            .legs
            .iter()
            .zip(&amounts)
            .map(|(leg, &amount)| FormedLeg {
                commodity: leg.commodity,
                deltas: count * leg.ratio,
                amount,
            });
        listener.formed(group, spread, count, &mut legs);
        Ok(())
    }

    fn book(&mut self, commodity: u32, group: Group, amount: f64) {
        let amounts = &mut self.amounts[commodity as usize];
        match group {
            Group::Super => amounts.super_credit += amount,
            Group::Intra => amounts.intra += amount,
            Group::Inter => amounts.inter_credit += amount,
            Group::Exchange => amounts.exchange_credit += amount,
        }
    }

    /// Method 04: legs' vectors summed per scenario, losses in full and gains at a rate; the risk moves to the target.
    fn scanning_spread<T: Listener>(
        &mut self,
        program: &Program,
        fx: &dyn Fn(u32, u32) -> f64,
        spread: &SpreadSlots,
        group: Group,
        listener: &mut T,
    ) -> Result<()> {
        let mut present: Vec<&LegSlots> = Vec::with_capacity(spread.legs.len());
        let mut sum = Vec::new();
        for leg in &spread.legs {
            let held = self.amounts[leg.commodity as usize].touched && {
                let cells = &program.commodities[leg.commodity as usize].inter_tiers[0].cells;
                self.vector(program, leg.commodity, cells, &mut sum)
                    .iter()
                    .any(|v| *v != 0.0)
            };
            if held {
                present.push(leg);
            } else if (leg.required && !leg.target) || (leg.target && spread.target_required) {
                return Ok(());
            }
        }
        // Fewer than two legs never form a spread, whatever the file's minimum (advisory 03-08).
        if (present.len() as u32) < spread.minimum_legs.max(2) {
            return Ok(());
        }
        if let Some(what) = &spread.unsupported {
            fail!(
                Unsupported,
                "scanning-based spread {}: {what}",
                spread.priority
            );
        }
        let home = *present.iter().find(|l| l.target).unwrap_or(&present[0]);
        let width = program.points.len();
        let vectors: Vec<Vec<f64>> = present
            .iter()
            .map(|leg| {
                let rate = fx(leg.commodity, home.commodity);
                let cells = &program.commodities[leg.commodity as usize].inter_tiers[0].cells;
                self.vector(program, leg.commodity, cells, &mut sum)
                    .iter()
                    .map(|v| v * rate)
                    .collect()
            })
            .collect();
        let mut combined = vec![0.0; width];
        for (k, total) in combined.iter_mut().enumerate() {
            let rule = spread.point_rules.iter().find(|r| r.point == k + 1);
            if let Some(rule) = rule.filter(|r| r.maximum) {
                let mut losses: Vec<f64> =
                    vectors.iter().map(|v| v[k]).filter(|v| *v > 0.0).collect();
                losses.sort_by(|a, b| b.total_cmp(a));
                *total = losses.iter().take(rule.losses).sum();
                continue;
            }
            for (leg, vector) in present.iter().zip(&vectors) {
                let rate = leg
                    .rate
                    .unwrap_or_else(|| rule.map_or(spread.rate, |r| r.rate));
                *total += if vector[k] > 0.0 {
                    vector[k]
                } else {
                    rate * vector[k]
                };
            }
        }
        let new = risk(program, &combined);
        let stride = program.blocks * WIDTH;
        let mut codes = Vec::with_capacity(present.len());
        for leg in &present {
            let c = leg.commodity as usize;
            codes.push(leg.commodity);
            let before = self.scan(program, leg.commodity).0;
            let is_home = std::ptr::eq(*leg, home);
            self.book(
                leg.commodity,
                group,
                before - if is_home { new.scan } else { 0.0 },
            );
            let first = self.tier_first[c] as usize;
            self.weights[first..first + program.commodities[c].inter_tiers.len()].fill(f64::NAN);
            if !is_home {
                for p in Program::range(program.commodities[c].periods) {
                    let delta = self.left[p];
                    if delta != 0.0 {
                        let to = slot_named(program, home.commodity, &program.periods[p].name);
                        self.left[to] += delta * home.ratio / leg.ratio;
                        self.left[p] = 0.0;
                    }
                }
                self.amounts[c].merged = true;
                self.merged[c * stride..(c + 1) * stride].fill(0.0);
            }
        }
        let c = home.commodity as usize;
        self.merged[c * stride..c * stride + width].copy_from_slice(&combined);
        self.amounts[c].merged = true;
        listener.scanned(group, spread, &codes, home.commodity, &combined, new);
        Ok(())
    }

    fn spreads<T: Listener>(
        &mut self,
        program: &Program,
        fx: &dyn Fn(u32, u32) -> f64,
        spreads: &[SpreadSlots],
        group: Group,
        listener: &mut T,
    ) -> Result<()> {
        for spread in spreads {
            if spread.scanning {
                self.scanning_spread(program, fx, spread, group, listener)?;
            } else if spread
                .legs
                .iter()
                .all(|l| self.amounts[l.commodity as usize].touched)
            {
                self.delta_spread(program, spread, group, listener)?;
            }
        }
        Ok(())
    }

    fn delivery(&mut self, program: &Program, commodity: u32) {
        let cc = &program.commodities[commodity as usize];
        for &(period, spread, outright) in &cc.spots {
            let p = period as usize;
            let mut used = self.used_intra[p];
            if program.options.delivery_counts_inter {
                used += self.used_inter[p];
            }
            let amounts = &mut self.amounts[commodity as usize];
            amounts.delivery_spread += used * spread;
            amounts.delivery_outright += larger(self.original[p].abs() - used, 0.0) * outright;
        }
        let amounts = &mut self.amounts[commodity as usize];
        amounts.basis = amounts.spot_position * cc.basis;
    }

    /// All the steps. `fx(a, b)` is units of commodity b's currency for one of a's.
    pub(super) fn run<T: Listener>(
        &mut self,
        program: &Program,
        positions: Positions<'_>,
        fx: &dyn Fn(u32, u32) -> f64,
        listener: &mut T,
    ) -> Result<()> {
        self.load(program, positions)?;
        for i in 0..self.touched.len() {
            let commodity = self.touched[i];
            let (scan, active) = self.scan(program, commodity);
            let amounts = &mut self.amounts[commodity as usize];
            (amounts.scan, amounts.active) = (scan, active);
        }
        self.spreads(program, fx, &program.super_spreads, Group::Super, listener)?;
        for i in 0..self.touched.len() {
            let commodity = self.touched[i];
            let cc = &program.commodities[commodity as usize];
            let (mut long, mut short) = (false, false);
            for p in Program::range(cc.periods) {
                long |= self.left[p] > 0.0;
                short |= self.left[p] < 0.0;
            }
            for spread in &cc.spreads {
                if (long && short) || !spread.two_sided {
                    self.delta_spread(program, spread, Group::Intra, listener)?;
                }
            }
            if !program.options.delivery_counts_inter {
                self.delivery(program, commodity);
            }
        }
        self.spreads(program, fx, &program.inter_spreads, Group::Inter, listener)?;
        self.spreads(
            program,
            fx,
            &program.exchange_spreads,
            Group::Exchange,
            listener,
        )?;
        for i in 0..self.touched.len() {
            let commodity = self.touched[i];
            let cc = &program.commodities[commodity as usize];
            if program.options.delivery_counts_inter {
                self.delivery(program, commodity);
            }
            let mut som = 0.0;
            for (k, (_, rate)) in cc.som.iter().enumerate() {
                let slot = cc.som_first as usize + k;
                let (calls, puts) = (self.som_calls[slot], self.som_puts[slot]);
                som += rate
                    * if cc.som_max {
                        larger(calls, puts)
                    } else {
                        calls + puts
                    };
            }
            self.amounts[commodity as usize].som = som;
        }
        Ok(())
    }
}

fn slot_named(program: &Program, commodity: u32, name: &str) -> usize {
    Program::range(program.commodities[commodity as usize].periods)
        .find(|&p| program.periods[p].name == name)
        .expect("compile gives the legs of a scanning-based spread the same periods")
}

/// Splits a vector's greatest loss into price, time and vol risk.
pub(super) fn risk(program: &Program, vector: &[f64]) -> Risk {
    let (mut active, mut worst) = (0, vector[0]);
    for (k, &v) in vector.iter().enumerate().skip(1) {
        if v > worst {
            (active, worst) = (k, v);
        }
    }
    let paired = program.points[active].paired;
    if worst <= 0.0 {
        return Risk {
            active,
            paired,
            ..Risk::default()
        };
    }
    let vol_adjusted = (worst + vector[paired]) / 2.0;
    let time = (vector[0] + vector[program.points[0].paired]) / 2.0;
    let price = larger(vol_adjusted - time, 0.0);
    Risk {
        scan: worst,
        active,
        paired,
        vol_adjusted,
        vol: worst - vol_adjusted,
        time,
        price,
    }
}
