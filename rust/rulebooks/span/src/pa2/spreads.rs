//! Tiers, spreads, delivery rates and minimums of the expanded format: records 3, C, E, 4, 6 and S.

use super::line::Line;
use super::reader::Pa2;
use crate::model::*;
use kernel::error::Result;

fn commodity<'a>(pa2: &'a mut Pa2, line: &Line<'_>) -> Result<&'a mut Commodity> {
    let code = line.text(3, 8, "combined commodity")?;
    match pa2.codes.get(&code) {
        Some(&index) => Ok(&mut pa2.file.commodities[index]),
        None => line.fail(
            "combined commodity",
            &format!("'{code}' has no record 2 before this one"),
        ),
    }
}

/// Record 3. The ratios of initial to maintenance are read whatever the method: PC-SPAN once took them as 1 for
/// products without tiers (advisory 02-13).
pub(super) fn intra_tiers(pa2: &mut Pa2, line: &Line<'_>) -> Result<()> {
    let mut ratios = [1.0; 3];
    for (i, ratio) in ratios.iter_mut().enumerate() {
        let value = line.number(69 + 4 * i, 72 + 4 * i, 3, "initial to maintenance ratio")?;
        *ratio = value.filter(|r| *r > 0.0).unwrap_or(1.0);
    }
    let method = line.text(9, 10, "intracommodity method")?;
    let mut tiers = Vec::new();
    for slot in 0..4 {
        let from = 11 + 14 * slot;
        if let Some(number) = line
            .number(from, from + 1, 0, "tier number")?
            .filter(|n| *n > 0.0)
        {
            tiers.push(Tier {
                number: number as u32,
                start: line.period(from + 2, from + 7, 81 + 4 * slot, "tier start")?,
                end: line.period(from + 8, from + 13, 83 + 4 * slot, "tier end")?,
                rate: None,
            });
        }
    }
    let own = commodity(pa2, line)?;
    match method.as_str() {
        "10" => own.intra_tiers.append(&mut tiers),
        "01" | "" => {}
        other => own.unsupported = Some(format!("intracommodity spread method {other}")),
    }
    let code = own.code.clone();
    pa2.ratio.insert(code, ratios);
    Ok(())
}

/// Record C: a spread between tiers.
pub(super) fn tier_spread(pa2: &mut Pa2, line: &Line<'_>) -> Result<()> {
    let code = commodity(pa2, line)?.code.clone();
    let priority = line.number(11, 12, 0, "priority")?.unwrap_or(0.0) as u32;
    let count = line.number(13, 14, 0, "number of legs")?.unwrap_or(0.0) as usize;
    let rate = line.number(15, 21, 0, "charge rate")?.unwrap_or(0.0);
    if count > 8 {
        return line.fail("number of legs", "more than 8");
    }
    let mut legs = Vec::new();
    for i in 0..count {
        let from = 22 + 7 * i;
        let (Some(tier), Some(ratio)) = (
            line.number(from + 2, from + 3, 0, "leg tier")?,
            line.number(from + 4, from + 5, 0, "leg ratio")?
                .filter(|r| *r > 0.0),
        ) else {
            return line.fail("leg", "tier and ratio are needed");
        };
        legs.push(Leg::plain(
            code.clone(),
            tier as u32,
            ratio,
            line.side(from + 6)?,
        ));
    }
    if legs.is_empty() {
        return line.fail("number of legs", "a spread without legs");
    }
    commodity(pa2, line)?
        .spreads
        .push(Spread::plain(priority, ChargeMethod::Flat, rate, legs));
    Ok(())
}

/// Record E: a spread between series.
pub(super) fn series_spread(pa2: &mut Pa2, line: &Line<'_>) -> Result<()> {
    let code = commodity(pa2, line)?.code.clone();
    let priority = line.number(9, 13, 0, "priority")?.unwrap_or(0.0) as u32;
    let rate = line.number(14, 20, 0, "charge rate")?.unwrap_or(0.0);
    let mut legs = Vec::new();
    for i in 0..4 {
        let from = 21 + 14 * i;
        let month = line.text(from, from + 3, "leg month")?;
        if month.is_empty() {
            continue;
        }
        let period = format!("20{month}{}", line.text(from + 4, from + 6, "leg period")?);
        let Some(ratio) = line
            .number(from + 7, from + 12, 4, "leg ratio")?
            .filter(|r| *r > 0.0)
        else {
            return line.fail("leg ratio", "it must be positive");
        };
        legs.push(Leg {
            period: Some(period),
            ..Leg::plain(code.clone(), 0, ratio, line.side(from + 13)?)
        });
    }
    if legs.is_empty() {
        return line.fail("legs", "a spread without legs");
    }
    commodity(pa2, line)?
        .spreads
        .push(Spread::plain(priority, ChargeMethod::Flat, rate, legs));
    Ok(())
}

/// Record 4: delivery rates, short option minimum and adjustment factors.
pub(super) fn delivery(pa2: &mut Pa2, line: &Line<'_>) -> Result<()> {
    let mut factors = [1.0; 3];
    for (i, factor) in factors.iter_mut().enumerate() {
        let value = line.number(70 + 3 * i, 72 + 3 * i, 2, "adjustment factor")?;
        *factor = value.filter(|f| *f > 0.0).unwrap_or(1.0);
    }
    let method = line.text(9, 10, "delivery method")?;
    let mut spots = Vec::new();
    let mut basis = None;
    match method.as_str() {
        "10" => {
            for slot in 0..2 {
                let from = 13 + 22 * slot;
                let month = line.period(from + 2, from + 7, 512, "delivery month")?;
                if month.is_empty() {
                    continue;
                }
                spots.push(SpotRate {
                    period: month,
                    spread: line
                        .number(from + 8, from + 14, 0, "rate per delta in spreads")?
                        .unwrap_or(0.0),
                    outright: line
                        .number(from + 15, from + 21, 0, "rate per delta in outrights")?
                        .unwrap_or(0.0),
                });
            }
        }
        "11" => {
            let rate = line.number(21, 27, 0, "basis risk rate")?.unwrap_or(0.0);
            basis = Some((line.text(11, 20, "spot product")?, rate));
        }
        "01" | "" => {}
        other => {
            let other = other.to_string();
            commodity(pa2, line)?.unsupported = Some(format!("delivery charge method {other}"));
        }
    }
    let som = line.number(63, 69, 0, "short option minimum")?;
    let method = if line.byte(79) == b'1' {
        SomMethod::Max
    } else {
        SomMethod::Gross
    };
    let own = commodity(pa2, line)?;
    own.spot_rates.append(&mut spots);
    own.basis = basis.or(own.basis.take());
    own.som_method = method;
    if let Some(rate) = som
        && own.som_tiers.is_empty()
    {
        own.som_tiers.push(Tier {
            number: 0,
            start: String::new(),
            end: String::new(),
            rate: Some(rate),
        });
    }
    let code = own.code.clone();
    pa2.adjustment.insert(code, factors);
    Ok(())
}

/// Column 101 of record 6. Flat money alone is told from the rest: files leave the column blank for weighted credits, and
/// the format knows no other method.
fn charge_method(line: &Line<'_>) -> Result<ChargeMethod> {
    Ok(match named(&line.text(101, 101, "charge method")?) {
        Some(ChargeMethod::Flat) => ChargeMethod::Flat,
        Some(ChargeMethod::Weighted | ChargeMethod::PerMonth) | None => ChargeMethod::Weighted,
    })
}

/// Record 6: a spread between commodities.
pub(super) fn inter_spread(pa2: &mut Pa2, line: &Line<'_>) -> Result<()> {
    let charge = charge_method(line)?;
    // Money has two decimals; a fraction is percent with four.
    let to_rate = |value: f64| {
        if charge.is_money() {
            value / 100.0
        } else {
            value / 1_000_000.0
        }
    };
    let method = line.text(89, 90, "spread method")?;
    let scanning = method == "04";
    let own_rates = line.byte(122) == b'Y';
    let priority = line.number(6, 9, 0, "priority")?.unwrap_or(0.0) as u32;
    let rate = to_rate(line.number(10, 16, 0, "credit rate")?.unwrap_or(0.0));
    let mut legs = Vec::new();
    let mut abroad = false;
    let mut organisation = |exchange: String, exchanges: &std::collections::HashSet<String>| {
        let own = exchange.is_empty() || exchanges.is_empty() || exchanges.contains(&exchange);
        abroad |= !own;
        if own { String::new() } else { exchange }
    };
    for i in 0..4 {
        let from = 17 + 18 * i;
        let code = line.text(from + 4, from + 9, "leg commodity")?;
        if code.is_empty() {
            continue;
        }
        let ratio = line
            .number(from + 10, from + 16, 4, "leg ratio")?
            .filter(|r| *r > 0.0);
        let Some(ratio) = ratio.or(scanning.then_some(1.0)) else {
            return line.fail("leg ratio", "it must be positive");
        };
        let side = if scanning && line.byte(from + 17) == b' ' {
            1
        } else {
            line.side(from + 17)?
        };
        let tier = line
            .number(102 + 2 * i, 103 + 2 * i, 0, "leg tier")?
            .unwrap_or(0.0) as u32;
        let own_rate = line
            .number(123 + 7 * i, 129 + 7 * i, 0, "leg credit rate")?
            .map(to_rate);
        legs.push(Leg {
            organisation: organisation(line.text(from, from + 2, "leg exchange")?, &pa2.exchanges),
            required: line.byte(from + 3) != b'N',
            rate: if own_rates { own_rate } else { None },
            ..Leg::plain(code, tier, ratio, side)
        });
    }
    let target = line.text(95, 100, "target commodity")?;
    let target_required = line.byte(94) != b'N';
    if scanning && !target.is_empty() {
        let ratio = line
            .number(111, 117, 4, "target ratio")?
            .filter(|r| *r > 0.0)
            .unwrap_or(1.0);
        let exchange = organisation(line.text(91, 93, "target exchange")?, &pa2.exchanges);
        legs.retain(|l| l.commodity != target);
        legs.push(Leg {
            organisation: exchange,
            target: true,
            ..Leg::plain(target, 0, ratio, 1)
        });
    }
    if legs.is_empty() {
        return line.fail("legs", "a spread without legs");
    }
    let spread = Spread {
        scanning,
        target_required: scanning && target_required,
        minimum_legs: line
            .number(118, 121, 0, "minimum number of legs")?
            .filter(|n| *n > 0.0)
            .unwrap_or(2.0) as u32,
        unsupported: match method.as_str() {
            "" | "01" | "04" | "10" | "20" => None,
            other => Some(format!("inter-commodity spread method {other}")),
        },
        ..Spread::plain(priority, charge, rate, legs)
    };
    if line.byte(110) == b'S' {
        pa2.file.super_spreads.push(spread);
    } else if abroad {
        pa2.file.exchange_spreads.push(spread);
    } else {
        pa2.file.inter_spreads.push(spread);
    }
    Ok(())
}

/// Record S: scanning, inter-commodity and short-option tiers, and the WFPR method.
pub(super) fn tiers(pa2: &mut Pa2, line: &Line<'_>) -> Result<()> {
    let method = line.text(9, 10, "method")?;
    let wfpr = match line.byte(83) {
        b' ' => None,
        b'1' => Some(WfprMethod::Normal),
        b'2' => Some(WfprMethod::ScanrangeCap),
        b'3' => Some(WfprMethod::Scanrange),
        _ => return line.fail("WFPR method", "1, 2 or 3 is expected"),
    };
    let mut tiers = Vec::new();
    for slot in 0..5 {
        let from = 13 + 14 * slot;
        if let Some(number) = line
            .number(from, from + 1, 0, "tier number")?
            .filter(|n| *n > 0.0)
        {
            tiers.push(Tier {
                number: number as u32,
                start: line.period(from + 2, from + 7, 84 + 4 * slot, "tier start")?,
                end: line.period(from + 8, from + 13, 86 + 4 * slot, "tier end")?,
                rate: line.number(104 + 7 * slot, 110 + 7 * slot, 0, "short option minimum")?,
            });
        }
    }
    let own = commodity(pa2, line)?;
    if let Some(method) = wfpr {
        own.wfpr = method;
    }
    match method.as_str() {
        "01" | "" => {}
        "10" => {
            own.scan_tiers.extend(tiers.iter().cloned());
            own.inter_tiers.append(&mut tiers);
        }
        "20" => own.inter_tiers.append(&mut tiers),
        "21" | "22" | "23" => own.scan_tiers.append(&mut tiers),
        "30" => {
            // Tier rates replace the commodity's single rate.
            own.som_tiers.retain(|t| t.number != 0);
            own.som_tiers.append(&mut tiers);
        }
        other => own.unsupported = Some(format!("tier method {other}")),
    }
    Ok(())
}
