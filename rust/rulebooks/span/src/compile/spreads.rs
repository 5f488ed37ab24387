//! Spreads: legs as slots of periods.

use super::compiler::Compiler;
use crate::model::*;
use crate::program::*;
use kernel::error::Result;
use kernel::fail;

impl<'a> Compiler<'a> {
    pub(super) fn spreads(&mut self) -> Result<()> {
        let file = self.file;
        for (index, cc) in file.commodities.iter().enumerate() {
            let money = 10_f64.powi(cc.risk_exponent);
            let mut own = Vec::new();
            for spread in &cc.spreads {
                let place = format!(
                    "{}: commodity {}, spread {}",
                    file.info.file, cc.code, spread.priority
                );
                let compiled = self
                    .spread(spread, Some(index as u32))
                    .map_err(|e| e.at(&place))?;
                own.extend(compiled.map(|mut s| {
                    if s.method.is_money() {
                        s.scale_money(money);
                    }
                    s
                }));
            }
            own.sort_by_key(|s| s.priority);
            self.program.commodities[index].spreads = own;
        }
        let between = |spreads: &[Spread]| -> Result<Vec<SpreadSlots>> {
            let mut out = Vec::new();
            for spread in spreads {
                let place = format!(
                    "{}: inter-commodity spread {}",
                    file.info.file, spread.priority
                );
                out.extend(self.spread(spread, None).map_err(|e| e.at(place))?);
            }
            out.sort_by_key(|s| s.priority);
            Ok(out)
        };
        let super_spreads = between(&file.super_spreads)?;
        let inter_spreads = between(&file.inter_spreads)?;
        let exchange_spreads = between(&file.exchange_spreads)?;
        self.program.tiers = self
            .program
            .commodities
            .iter()
            .map(|c| c.inter_tiers.len())
            .sum();
        self.program.scanning = super_spreads
            .iter()
            .chain(&inter_spreads)
            .chain(&exchange_spreads)
            .any(|s| s.scanning);
        self.program.super_spreads = super_spreads;
        self.program.inter_spreads = inter_spreads;
        self.program.exchange_spreads = exchange_spreads;
        Ok(())
    }

    /// A spread's legs as slots; none where it can never form with this table's contracts.
    fn spread(&self, spread: &Spread, own: Option<u32>) -> Result<Option<SpreadSlots>> {
        let mut legs: Vec<LegSlots> = Vec::with_capacity(spread.legs.len());
        if spread.legs.len() > 16 {
            fail!(
                Unsupported,
                "a spread of {} legs: at most 16 are read",
                spread.legs.len()
            );
        }
        for leg in &spread.legs {
            match own.or_else(|| self.leg_commodity(leg)) {
                Some(commodity) => legs.push(self.leg(leg, commodity, own.is_some())?),
                // A commodity of another organisation, or one that was delisted: a scanning spread can do without.
                None if spread.scanning
                    && !(leg.required && !leg.target || leg.target && spread.target_required) => {}
                None => return Ok(None),
            }
        }
        if !spread.scanning && legs.iter().any(|l| l.periods.is_empty()) || legs.is_empty() {
            return Ok(None);
        }
        for i in 0..legs.len() {
            let same = |l: &&LegSlots| {
                l.commodity == legs[i].commodity
                    && l.periods == legs[i].periods
                    && l.side == legs[i].side
            };
            legs[i].need = legs.iter().filter(same).map(|l| l.ratio).sum();
        }
        Ok(Some(SpreadSlots {
            priority: spread.priority,
            method: spread.method,
            rate: spread.rate,
            two_sided: legs.iter().any(|l| l.side > 0.0) && legs.iter().any(|l| l.side < 0.0),
            legs,
            scanning: spread.scanning,
            target_required: spread.target_required,
            minimum_legs: spread.minimum_legs,
            point_rules: spread.point_rules.clone(),
            months: self.months(spread) as f64,
            per_month: spread.per_month,
            unsupported: spread.unsupported.clone(),
        }))
    }

    fn leg(&self, leg: &Leg, commodity: u32, within: bool) -> Result<LegSlots> {
        let cc = &self.program.commodities[commodity as usize];
        let tiers = if within {
            &cc.intra_tiers
        } else {
            &cc.inter_tiers
        };
        let number = |t: &TierSlots| t.number == leg.tier;
        // Tier 0 is the file's own tier 0 where it has one, else the whole commodity: the last match serves both.
        let Some(tier) = tiers.iter().rposition(number) else {
            fail!(
                ParseError,
                "leg {}: the commodity has no tier {}",
                leg.commodity,
                leg.tier
            );
        };
        let periods = match &leg.period {
            None => tiers[tier].periods.clone(),
            Some(period) => self
                .slots
                .get(&(commodity, period.clone()))
                .copied()
                .into_iter()
                .collect(),
        };
        let weight_tier = cc.inter_tiers.iter().rposition(number).unwrap_or(0);
        Ok(LegSlots {
            commodity,
            tier: weight_tier,
            periods,
            ratio: leg.ratio,
            need: 0.0,
            side: f64::from(leg.side),
            rate: leg.rate,
            required: leg.required,
            target: leg.target,
        })
    }

    /// Months between a spread's first and last leg.
    fn months(&self, spread: &Spread) -> i64 {
        let months: Vec<i64> = spread
            .legs
            .iter()
            .filter_map(|l| {
                l.period
                    .as_deref()
                    .or_else(|| self.tier_start(l))
                    .and_then(month_number)
            })
            .collect();
        months
            .iter()
            .max()
            .zip(months.iter().min())
            .map_or(0, |(a, b)| a - b)
    }

    fn tier_start(&self, leg: &Leg) -> Option<&'a str> {
        let cc = self
            .file
            .commodities
            .iter()
            .find(|c| c.code == leg.commodity)?;
        cc.intra_tiers
            .iter()
            .find(|t| t.number == leg.tier)
            .map(|t| t.start.as_str())
    }
}

fn month_number(period: &str) -> Option<i64> {
    let year: i64 = period.get(..4)?.parse().ok()?;
    let month: i64 = period.get(4..6)?.parse().ok()?;
    Some(year * 12 + month)
}
