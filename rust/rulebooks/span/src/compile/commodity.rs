//! Commodities: their periods in cells and tiers, their rates in money.

use super::compiler::Compiler;
use crate::model::*;
use crate::options::Anov;
use crate::program::*;

/// A cell holds the arrays of one scanning tier that also are of one inter-commodity tier.
type Cell = (Option<usize>, Option<usize>);

/// A commodity's period slots, and the cell of each.
struct Layout {
    periods: Vec<u32>,
    names: Vec<String>,
    cells: Vec<Cell>,
    first_cell: u32,
    cell_of: Vec<u32>,
}

impl Layout {
    /// A cell for every pair of scanning and inter-commodity tier that has a period.
    fn new(cc: &Commodity, periods: Vec<u32>, names: Vec<String>, first_cell: u32) -> Self {
        let tier_of = |tiers: &[Tier], name: &str| tiers.iter().position(|t| t.holds(name));
        let mut cells: Vec<Cell> = Vec::new();
        let mut cell_of = Vec::new();
        for name in &names {
            let key = (
                tier_of(&cc.scan_tiers, name),
                tier_of(&cc.inter_tiers, name),
            );
            let at = cells.iter().position(|c| *c == key).unwrap_or_else(|| {
                cells.push(key);
                cells.len() - 1
            });
            cell_of.push(first_cell + at as u32);
        }
        Self {
            periods,
            names,
            cells,
            first_cell,
            cell_of,
        }
    }

    /// The whole commodity as one tier.
    fn whole(&self) -> TierSlots {
        TierSlots {
            number: 0,
            cells: (0..self.cells.len() as u32)
                .map(|c| self.first_cell + c)
                .collect(),
            periods: self.periods.clone(),
        }
    }

    /// The file's tiers as slots; `of` says which tier a cell belongs to.
    fn tiers(&self, tiers: &[Tier], of: impl Fn(&Cell) -> Option<usize>) -> Vec<TierSlots> {
        let slots = |(i, tier): (usize, &Tier)| TierSlots {
            number: tier.number,
            cells: (0..self.cells.len())
                .filter(|&c| of(&self.cells[c]) == Some(i))
                .map(|c| self.first_cell + c as u32)
                .collect(),
            periods: self
                .periods
                .iter()
                .zip(&self.names)
                .filter(|(_, name)| tier.holds(name))
                .map(|(&p, _)| p)
                .collect(),
        };
        tiers.iter().enumerate().map(slots).collect()
    }

    /// The whole commodity, then the file's tiers.
    fn whole_and(&self, tiers: &[Tier]) -> Vec<TierSlots> {
        let mut out = vec![self.whole()];
        out.extend(self.tiers(tiers, |c| c.1));
        out
    }

    /// The scanning tiers; the whole commodity where the file has none.
    fn scanning(&self, tiers: &[Tier]) -> Vec<TierSlots> {
        if tiers.is_empty() {
            return vec![self.whole()];
        }
        self.tiers(tiers, |c| c.0)
    }
}

impl Compiler<'_> {
    pub(super) fn commodity(&mut self, index: u32, base: &str) {
        let file = self.file;
        let cc = &file.commodities[index as usize];
        let (periods, names): (Vec<u32>, Vec<String>) = (0..)
            .zip(&self.program.periods)
            .filter(|(p, period)| self.slots.get(&(index, period.name.clone())) == Some(p))
            .map(|(p, period)| (p, period.name.clone()))
            .unzip();
        let layout = Layout::new(cc, periods, names, self.program.cells as u32);
        let fx = file.fx(&cc.currency, base);
        self.fx.push(fx);
        let currency = self.currencies.add(&cc.currency, fx.unwrap_or(f64::NAN));
        let commodity = self.slots_of(cc, index, &layout, currency);
        self.program.cells += layout.cells.len();
        self.cell_of.extend(layout.cell_of);
        self.program.som_slots += cc.som_tiers.len();
        self.program.commodities.push(commodity);
    }

    fn slots_of(
        &self,
        cc: &Commodity,
        index: u32,
        layout: &Layout,
        currency: usize,
    ) -> CommoditySlots {
        // Rates are printed as arrays are, before the risk exponent.
        let money = 10_f64.powi(cc.risk_exponent);
        let levels = [cc.levels.member, cc.levels.hedger, cc.levels.speculator].map(|own| {
            let level = self.options.level.unwrap_or(own);
            (level.initial, level.maintenance)
        });
        CommoditySlots {
            code: cc.code.clone(),
            currency,
            currency_name: cc.currency.clone(),
            fx: self.currencies.fx(currency),
            cells: (
                layout.first_cell,
                layout.first_cell + layout.cells.len() as u32,
            ),
            periods: (
                layout.periods.first().copied().unwrap_or(0),
                layout.periods.last().map_or(0, |l| l + 1),
            ),
            scan_tiers: layout.scanning(&cc.scan_tiers),
            inter_tiers: layout.whole_and(&cc.inter_tiers),
            intra_tiers: layout.whole_and(&cc.intra_tiers),
            spreads: Vec::new(),
            spots: cc
                .spot_rates
                .iter()
                .filter_map(|s| {
                    Some((
                        *self.slots.get(&(index, s.period.clone()))?,
                        s.spread * money,
                        s.outright * money,
                    ))
                })
                .collect(),
            som: cc
                .som_tiers
                .iter()
                .map(|t| (t.number, t.rate.unwrap_or(0.0) * money))
                .collect(),
            som_first: self.program.som_slots as u32,
            som_max: match cc.som_method {
                SomMethod::Gross => false,
                SomMethod::Max => true,
            },
            basis: cc.basis.as_ref().map_or(0.0, |b| b.1 * money),
            wfpr: cc.wfpr,
            capped: match self.options.anov {
                Anov::File => cc.cap_anov,
                Anov::Capped => true,
                Anov::Pooled => false,
            },
            levels,
        }
    }
}
