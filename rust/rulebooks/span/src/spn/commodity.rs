//! The commodity half of a `.spn` file: tiers, spreads, rates and links.

use std::collections::HashMap;

use super::reader::Spn;
use super::xml::Child;
use crate::model::*;
use kernel::error::Result;

/// `adjRate`: class `r` is `value` times class `base`.
struct Adjustment {
    class: String,
    base: String,
    value: f64,
}

impl<'a> Spn<'a> {
    pub(super) fn commodity(&mut self) -> Result<()> {
        let mut cc = Commodity {
            organisation: self.file.info.organisation.clone(),
            ..Commodity::default()
        };
        let index = self.file.commodities.len() as u32;
        let mut adjustments = Vec::new();
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"cc", v) => cc.code = self.text(v, "cc")?,
                Child::Leaf(b"name", v) => cc.name = self.text(v, "name")?,
                Child::Leaf(b"currency", v) => cc.currency = self.text(v, "currency")?,
                Child::Leaf(b"riskExponent", v) => {
                    let exponent = self.whole(v, "riskExponent")?;
                    if exponent.abs() > 18 {
                        return self.xml.fail("riskExponent is out of range");
                    }
                    cc.risk_exponent = exponent as i32;
                }
                Child::Leaf(b"capAnov", v) => cc.cap_anov = self.flag(v, "capAnov")?,
                Child::Leaf(b"procMeth", v) => match v.trim_ascii() {
                    b"" | b"NORMAL" => {}
                    _ => cc.unsupported = Some(format!("procMeth {}", self.text(v, "procMeth")?)),
                },
                Child::Leaf(b"wfprMeth", v) => {
                    cc.wfpr = match self.named(v) {
                        Some(method) => method,
                        None if v.trim_ascii().is_empty() => WfprMethod::default(),
                        None => {
                            return self
                                .xml
                                .fail("wfprMeth is NORMAL, SCANRANGE_CAP or SCANRANGE");
                        }
                    }
                }
                Child::Leaf(b"somMeth", v) => {
                    cc.som_method = match self.named(v) {
                        Some(method) => method,
                        None if v.trim_ascii().is_empty() => SomMethod::default(),
                        None => return self.xml.fail("somMeth is GROSS or MAX"),
                    }
                }
                Child::Leaf(b"cmbMeth", v) => cc.combination = self.combination(v)?,
                Child::Node(b"pfLink") => self.family_link(index, &mut cc)?,
                Child::Node(b"adjRate") => {
                    let adjustment = self.adjustment()?;
                    adjustments.push(adjustment);
                }
                Child::Node(b"pointDef") => self.point_def()?,
                Child::Node(b"scanTiers") => cc.scan_tiers = self.tiers()?,
                Child::Node(b"intraTiers") => cc.intra_tiers = self.tiers()?,
                Child::Node(b"interTiers") => cc.inter_tiers = self.tiers()?,
                Child::Node(b"somTiers") => cc.som_tiers = self.tiers()?,
                Child::Node(b"dSpread") => cc.spreads.push(self.spread(false)?),
                Child::Node(b"spotRate") => self.spot_rate(&mut cc)?,
                // Groups of months for the makers of the arrays; rates of their own would be a rule unknown here.
                Child::Node(b"rateTiers") => {
                    if self.tiers()?.iter().any(|t| t.rate.is_some()) {
                        cc.unsupported = Some("rateTiers with rates".into());
                    }
                }
                Child::Node(
                    name @ (b"concAdjRate" | b"liqRate" | b"basisRates" | b"vmRate" | b"cdsRate"),
                ) => {
                    cc.unsupported = Some(String::from_utf8_lossy(name).into_owned());
                    self.xml.skip()?;
                }
                // A spot method other than NONE shows itself by its rates.
                Child::Leaf(b"spotMeth", _) => {}
                other => self.other(other, "ccDef")?,
            }
        }
        if cc.code.is_empty() || cc.currency.is_empty() {
            return self.xml.fail("a commodity needs a code and a currency");
        }
        if self.file.commodity(&cc.code).is_some() {
            return self
                .xml
                .fail(&format!("commodity {} is defined twice", cc.code));
        }
        cc.levels = self.levels(&adjustments);
        self.file.commodities.push(cc);
        Ok(())
    }

    fn combination(&self, value: &[u8]) -> Result<CombinationMethod> {
        match value.trim_ascii() {
            b"" | b"NONE" | b"DELTASPLIT" => Ok(CombinationMethod::DeltaSplit),
            b"SPLIT" => Ok(CombinationMethod::Split),
            b"MODIFIED" | b"MODIFIEDSPLIT" => Ok(CombinationMethod::ModifiedSplit),
            _ => self.xml.fail("cmbMeth is SPLIT, DELTASPLIT or NONE"),
        }
    }

    fn family_link(&mut self, commodity: u32, cc: &mut Commodity) -> Result<()> {
        let (mut exchange, mut id, mut scale, mut delta) =
            (String::new(), String::new(), 1.0, String::new());
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"exch", v) => exchange = self.text(v, "exch")?,
                Child::Leaf(b"pfId", v) => id = self.text(v, "pfId")?,
                Child::Leaf(b"sc", v) => scale = self.number(v, "sc")?,
                Child::Leaf(b"oopDeltaMeth", v) => delta = self.text(v, "oopDeltaMeth")?,
                Child::Leaf(b"cmbMeth", v) => {
                    let method = self.combination(v)?;
                    if method != CombinationMethod::DeltaSplit {
                        cc.combination = method;
                    }
                }
                Child::Leaf(b"pfCode", _) => {}
                other => self.other(other, "pfLink")?,
            }
        }
        if self
            .links
            .insert((exchange, id.clone()), (commodity, scale, delta))
            .is_some()
        {
            return self
                .xml
                .fail(&format!("family {id} is linked to two commodities"));
        }
        Ok(())
    }

    fn adjustment(&mut self) -> Result<Adjustment> {
        let mut adjustment = Adjustment {
            class: String::new(),
            base: String::new(),
            value: f64::NAN,
        };
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"r", v) => adjustment.class = self.text(v, "r")?,
                Child::Leaf(b"baseR", v) => adjustment.base = self.text(v, "baseR")?,
                Child::Leaf(b"val", v) => adjustment.value = self.number(v, "val")?,
                other => self.other(other, "adjRate")?,
            }
        }
        if adjustment.value.is_nan() {
            return self.xml.fail("adjRate without a value");
        }
        Ok(adjustment)
    }

    fn spot_rate(&mut self, cc: &mut Commodity) -> Result<()> {
        let mut class = String::from("1");
        let mut rate = SpotRate {
            period: String::new(),
            spread: 0.0,
            outright: 0.0,
        };
        while let Some(child) = self.xml.child()? {
            match child {
                Child::Leaf(b"r", v) => class = self.text(v, "r")?,
                Child::Leaf(b"pe", v) => rate.period = self.text(v, "pe")?,
                Child::Leaf(b"sprd", v) => rate.spread = self.number(v, "sprd")?,
                Child::Leaf(b"outr", v) => rate.outright = self.number(v, "outr")?,
                other => self.other(other, "spotRate")?,
            }
        }
        let known = cc.spot_rates.iter().any(|s| s.period == rate.period);
        if class == "1" || !known {
            cc.spot_rates.retain(|s| s.period != rate.period);
            cc.spot_rates.push(rate);
        }
        Ok(())
    }

    /// Factors of the two levels from the rate classes of the organisation and the commodity's adjustments.
    ///
    /// Takasbank adjusts class 1 by itself (0.75): read as the maintenance level.
    fn levels(&self, adjustments: &[Adjustment]) -> Levels {
        let own = adjustments
            .iter()
            .find(|a| a.class == a.base)
            .map(|a| a.value);
        let of = |class: &str| {
            adjustments
                .iter()
                .find(|a| a.class == class && a.class != a.base)
                .map(|a| a.value)
        };
        let level = |account: &str| {
            let class = |maintenance: bool| {
                let listed = |a: &str| {
                    self.rate_classes
                        .iter()
                        .find(|c| c.account == a && c.maintenance == maintenance)
                };
                listed(account)
                    .or_else(|| {
                        self.rate_classes
                            .iter()
                            .find(|c| c.maintenance == maintenance)
                    })
                    .map(|c| c.class.as_str())
            };
            Level {
                initial: class(false).and_then(of).unwrap_or(1.0),
                maintenance: class(true).and_then(of).or(own).unwrap_or(1.0),
            }
        };
        Levels {
            member: level("M"),
            hedger: level("H"),
            speculator: level("S"),
        }
    }
}

/// Gives families their commodities and options on futures their delta month.
pub(super) fn link(spn: &mut Spn<'_>) -> Result<()> {
    let links = std::mem::take(&mut spn.links);
    let unlinked = links.is_empty();
    let codes: HashMap<String, u32> = spn
        .file
        .commodities
        .iter()
        .enumerate()
        .map(|(i, c)| (c.code.clone(), i as u32))
        .collect();
    for family in &mut spn.file.families {
        if let Some((commodity, scale, delta)) =
            links.get(&(family.exchange.clone(), family.id.clone()))
        {
            family.commodity = Some(*commodity);
            family.scale = *scale;
            family.delta_method.clone_from(delta);
        } else if unlinked {
            // A file without links names the commodity by the family's code.
            family.commodity = codes.get(&family.code).copied();
        }
        if family.currency.is_empty()
            && let Some(cc) = family.commodity
        {
            family
                .currency
                .clone_from(&spn.file.commodities[cc as usize].currency);
        }
    }
    // (exchange, family, contract number) of futures, for the month of an option's underlying.
    let mut months = HashMap::new();
    for series in &spn.file.series {
        let family = &spn.file.families[series.family as usize];
        if !family.kind.is_option() {
            let number = spn.file.contracts.number[series.first as usize].to_string();
            months.insert(
                (family.exchange.clone(), family.id.clone(), number),
                series.period.clone(),
            );
        }
    }
    for series in &mut spn.file.series {
        if spn.file.families[series.family as usize].kind == ContractKind::OptionOnFuture {
            let month = series.underlying.first().and_then(|u| {
                months.get(&(u.exchange.clone(), u.family.clone(), u.contract.clone()))
            });
            if let Some(month) = month {
                series.delta_period.clone_from(month);
            }
        }
    }
    Ok(())
}
