//! Tiers, spreads and their legs.

use super::reader::Spn;
use super::xml::Child;
use crate::model::*;
use kernel::error::Result;

impl Spn<'_> {
    /// `rate`: the value of rate class 1, or of the first class where there is none.
    pub(super) fn rate_value(&mut self, rate: &mut Option<f64>, classed: &mut bool) -> Result<()> {
        let (mut class, mut value) = (String::from("1"), f64::NAN);
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"r", v) => class = self.text(v, "r")?,
                Child::Leaf(b"val", v) => value = self.number(v, "val")?,
                other => self.other(other, "rate")?,
            }
        }
        if value.is_nan() {
            return self.xml.fail("a rate without a value");
        }
        if rate.is_none() || class == "1" && !*classed {
            *rate = Some(value);
            *classed = class == "1";
        }
        Ok(())
    }

    pub(super) fn tiers(&mut self) -> Result<Vec<Tier>> {
        let mut tiers: Vec<Tier> = Vec::new();
        while let Some(child) = self.xml.child()? {
            let Child::Node(b"tier") = child else {
                self.other(child, "tiers")?;
                continue;
            };
            let mut tier = Tier {
                number: 0,
                start: String::new(),
                end: String::new(),
                rate: None,
            };
            let mut classed = false;
            while let Some(child) = self.xml.child()? {
                match child {
                    Child::Leaf(b"tn", v) => tier.number = self.unsigned(v, "tn")?,
                    Child::Leaf(b"sPe", v) => tier.start = self.text(v, "sPe")?,
                    Child::Leaf(b"ePe", v) => tier.end = self.text(v, "ePe")?,
                    Child::Node(b"rate") => self.rate_value(&mut tier.rate, &mut classed)?,
                    other => self.other(other, "tier")?,
                }
            }
            tiers.push(tier);
        }
        Ok(tiers)
    }

    fn side(&self, value: &[u8]) -> Result<i8> {
        match value.trim_ascii() {
            b"A" => Ok(1),
            b"B" => Ok(-1),
            _ => self.xml.fail("rs: a leg's side is A or B"),
        }
    }

    /// `tLeg`, `pLeg`, `rpLeg`, `sLeg`, `homeLeg`, `awayLeg`.
    fn leg(&mut self) -> Result<Leg> {
        let mut leg = Leg::plain(String::new(), 0, 1.0, 0);
        let mut classed = false;
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"ec", v) => leg.organisation = self.text(v, "ec")?,
                Child::Leaf(b"cc", v) => leg.commodity = self.text(v, "cc")?,
                Child::Leaf(b"tn", v) => leg.tier = self.unsigned(v, "tn")?,
                Child::Leaf(b"pe", v) => leg.period = Some(self.text(v, "pe")?),
                Child::Leaf(b"rs", v) => leg.side = self.side(v)?,
                Child::Leaf(b"i", v) => leg.ratio = self.number(v, "i")?,
                Child::Leaf(b"isTarget", v) => leg.target = self.flag(v, "isTarget")?,
                Child::Leaf(b"isRequired", v) => leg.required = self.flag(v, "isRequired")?,
                Child::Node(b"rate") => self.rate_value(&mut leg.rate, &mut classed)?,
                other => self.other(other, "leg")?,
            }
        }
        if leg.ratio <= 0.0 {
            return self.xml.fail("a leg's ratio must be positive");
        }
        Ok(leg)
    }

    pub(super) fn spread(&mut self, scanning: bool) -> Result<Spread> {
        let mut spread = Spread {
            scanning,
            ..Spread::plain(0, ChargeMethod::Flat, 0.0, Vec::new())
        };
        let (mut rate, mut classed) = (None, false);
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"spread", v) => spread.priority = self.unsigned(v, "spread")?,
                Child::Leaf(b"chargeMeth", v) => {
                    spread.method = match self.named(v) {
                        Some(method) => method,
                        None => return self.xml.fail("chargeMeth is F, W or P"),
                    }
                }
                Child::Leaf(b"isTargetReq", v) => {
                    spread.target_required = self.flag(v, "isTargetReq")?
                }
                Child::Leaf(b"numLegsReq", v) => {
                    spread.minimum_legs = self.unsigned(v, "numLegsReq")?
                }
                Child::Leaf(b"spreadType", v) if v.trim_ascii() == b"DEFAULT" => {}
                Child::Leaf(b"spreadType", v) => {
                    spread.unsupported =
                        Some(format!("spreadType {}", self.text(v, "spreadType")?));
                }
                Child::Leaf(b"applyFxRisk" | b"apportionRisk", v)
                    if !self.flag(v, "sSpread flag")? => {}
                Child::Leaf(name @ (b"applyFxRisk" | b"apportionRisk"), _) => {
                    spread.unsupported = Some(String::from_utf8_lossy(name).into_owned());
                }
                Child::Node(b"rate") => self.rate_value(&mut rate, &mut classed)?,
                Child::Node(b"pmpsRate") => spread.per_month = Some(self.per_month()?),
                Child::Node(b"sPointDef") => {
                    let rule = self.point_rule()?;
                    spread.point_rules.push(rule);
                }
                Child::Node(b"tLeg" | b"pLeg" | b"sLeg") => {
                    let leg = self.leg()?;
                    if !scanning && leg.side == 0 {
                        return self.xml.fail("a leg without a side");
                    }
                    spread.legs.push(leg);
                }
                Child::Node(b"rpLeg") => {
                    let leg = self.leg()?;
                    spread.legs.push(leg);
                    spread.unsupported = Some("relative period legs (rpLeg)".into());
                }
                Child::Node(name @ (b"volRate" | b"dSpread")) => {
                    spread.unsupported = Some(String::from_utf8_lossy(name).into_owned());
                    self.xml.skip()?;
                }
                other => self.other(other, "spread")?,
            }
        }
        spread.rate = rate.unwrap_or(0.0);
        if spread.legs.is_empty() {
            return self.xml.fail("a spread without legs");
        }
        Ok(spread)
    }

    fn per_month(&mut self) -> Result<(f64, f64, f64)> {
        let mut rates = (0.0, 0.0, 0.0);
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"val", v) => rates.0 = self.number(v, "val")?,
                Child::Leaf(b"pmRate", v) => rates.1 = self.number(v, "pmRate")?,
                Child::Leaf(b"psRate", v) => rates.2 = self.number(v, "psRate")?,
                Child::Leaf(b"r", _) => {}
                other => self.other(other, "pmpsRate")?,
            }
        }
        Ok(rates)
    }

    fn point_rule(&mut self) -> Result<PointRule> {
        let mut rule = PointRule {
            point: 0,
            maximum: false,
            rate: 0.0,
            losses: 0,
        };
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"point", v) => rule.point = self.unsigned(v, "point")? as usize,
                Child::Leaf(b"aggMeth", v) => rule.maximum = self.unsigned(v, "aggMeth")? == 1,
                Child::Leaf(b"sRate", v) => rule.rate = self.number(v, "sRate")?,
                Child::Leaf(b"nMaxLoss", v) => rule.losses = self.unsigned(v, "nMaxLoss")? as usize,
                other => self.other(other, "sPointDef")?,
            }
        }
        Ok(rule)
    }

    pub(super) fn spreads(&mut self, parent: &str) -> Result<Vec<Spread>> {
        let mut spreads = Vec::new();
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Node(b"dSpread") => spreads.push(self.spread(false)?),
                Child::Node(b"sSpread") => spreads.push(self.spread(true)?),
                other => self.other(other, parent)?,
            }
        }
        Ok(spreads)
    }

    /// Spreads with another clearing organisation's legs: each leg has its own rate.
    pub(super) fn clear_spreads(&mut self) -> Result<Vec<Spread>> {
        let mut spreads = Vec::new();
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Node(b"clearSpread") => {
                    let mut spread = Spread::plain(0, ChargeMethod::Weighted, 0.0, Vec::new());
                    while let Some(child) = self.xml.child()? {
                        match child {
                            Child::Leaf(b"spread", v) => {
                                spread.priority = self.unsigned(v, "spread")?
                            }
                            Child::Node(b"homeLeg" | b"awayLeg") => {
                                let leg = self.leg()?;
                                if leg.side == 0 {
                                    return self.xml.fail("a leg without a side");
                                }
                                spread.legs.push(leg);
                            }
                            other => self.other(other, "clearSpread")?,
                        }
                    }
                    spreads.push(spread);
                }
                other => self.other(other, "interClearSpreads")?,
            }
        }
        Ok(spreads)
    }
}
