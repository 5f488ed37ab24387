//! The field's names for what was paired. A universal spread is taken apart into the shapes a trader knows; the
//! requirement belongs to the spread as a whole.

use super::groups::{Group, Leg};
use super::program::Kind;
use super::question::Question;
use super::rules::{Right, Series};

pub(super) struct Strategy {
    pub(super) name: &'static str,
    pub(super) legs: Vec<Leg>,
}

/// Why the positions of a group are margined together.
pub(super) fn reason(question: &Question<'_>, group: &Group) -> String {
    match group.kind {
        None if group.legs[0].quantity > 0.0 => "stands alone".into(),
        None => "nothing in the account offsets it for less".into(),
        Some(Kind::TwoSided) => {
            "greater of the two requirements, plus the mark of the other side".into()
        }
        Some(Kind::Box) => {
            format!(
                "{} % of the strike difference",
                100.0 * question.numbers.box_difference
            )
        }
        Some(Kind::CondorEqualWings) => "one side's width, the wings being equal".into(),
        Some(Kind::Spread) => {
            let naked: f64 = group
                .legs
                .iter()
                .filter(|l| l.quantity < 0.0)
                .map(|l| -l.quantity * question.series[l.row as usize].naked)
                .sum();
            format!(
                "maximum loss {:.2} instead of {naked:.2} uncovered; longs paid in full",
                group.amounts.short
            )
        }
        Some(Kind::Covered) => {
            "the stock covers the option; stock carried at no better than the strike".into()
        }
        Some(Kind::Protected) => "lower of the strike rule and the stock rule".into(),
        Some(Kind::Converted) => "percentage of the strike".into(),
    }
}

pub(super) fn strategies(table: &[Series], group: &Group) -> Vec<Strategy> {
    let legs = &group.legs;
    let one = |name| {
        vec![Strategy {
            name,
            legs: legs.clone(),
        }]
    };
    let option = |l: &Leg| &table[l.row as usize];
    let long_stock = legs.iter().any(|l| l.stock && l.quantity > 0.0);
    match group.kind {
        None => {
            let leg = &legs[0];
            one(match (leg.stock, leg.quantity > 0.0) {
                (true, true) => "long stock",
                (true, false) => "short stock",
                (false, true) if option(leg).right == Right::Call => "long call",
                (false, true) => "long put",
                (false, false) if option(leg).right == Right::Call => "uncovered call",
                (false, false) => "uncovered put",
            })
        }
        Some(Kind::TwoSided) => {
            let (a, b) = (option(&legs[0]), option(&legs[1]));
            let straddle = a.strike == b.strike && a.expiry == b.expiry;
            one(if straddle {
                "short straddle"
            } else {
                "short strangle"
            })
        }
        Some(Kind::Box) => one("long box"),
        Some(Kind::CondorEqualWings) => one("iron condor"),
        Some(Kind::Covered) => one(if long_stock {
            "covered call"
        } else {
            "covered put"
        }),
        Some(Kind::Protected) => one(if long_stock {
            "protective put"
        } else {
            "protective call"
        }),
        Some(Kind::Converted) => {
            let strikes: Vec<f64> = legs
                .iter()
                .filter(|l| !l.stock)
                .map(|l| option(l).strike)
                .collect();
            one(match (strikes[0] == strikes[1], long_stock) {
                (true, true) => "conversion",
                (true, false) => "reverse conversion",
                (false, _) => "collar",
            })
        }
        Some(Kind::Spread) => peel(table, legs),
    }
}

/// A long and a short of one right, `count` times.
#[derive(Clone, Copy)]
struct Vertical {
    long: u32,
    short: u32,
    count: f64,
}

impl Vertical {
    fn legs(&self, count: f64) -> [Leg; 2] {
        [
            Leg {
                row: self.long,
                stock: false,
                quantity: count,
            },
            Leg {
                row: self.short,
                stock: false,
                quantity: -count,
            },
        ]
    }
}

/// Pairs of a spread first, then pairs of pairs. Series on different values of an index stay one spread.
fn peel(table: &[Series], legs: &[Leg]) -> Vec<Strategy> {
    let whole = |name| {
        vec![Strategy {
            name,
            legs: legs.to_vec(),
        }]
    };
    let units = table[legs[0].row as usize].units;
    if legs.iter().any(|l| table[l.row as usize].units != units) {
        return whole("universal spread");
    }
    let Some(mut verticals) = pairs(table, legs) else {
        return whole("universal spread");
    };
    let mut found = Vec::new();
    for shape in [boxed, iron, winged] {
        for a in 0..verticals.len() {
            for b in 0..verticals.len() {
                let count = if verticals[a].count < verticals[b].count {
                    verticals[a].count
                } else {
                    verticals[b].count
                };
                if a == b || count == 0.0 {
                    continue;
                }
                let Some(name) = shape(table, &verticals[a], &verticals[b]) else {
                    continue;
                };
                let mut legs: Vec<Leg> = verticals[a].legs(count).into();
                for leg in verticals[b].legs(count) {
                    match legs.iter_mut().find(|l| l.row == leg.row) {
                        Some(same) => same.quantity += leg.quantity,
                        None => legs.push(leg),
                    }
                }
                found.push(Strategy { name, legs });
                verticals[a].count -= count;
                verticals[b].count -= count;
            }
        }
    }
    for v in verticals.iter().filter(|v| v.count > 0.0) {
        found.push(Strategy {
            name: vertical(table, v),
            legs: v.legs(v.count).into(),
        });
    }
    found
}

/// Each short against the nearest long that lasts as long, the last to expire first; `None` if that leaves one over.
fn pairs(table: &[Series], legs: &[Leg]) -> Option<Vec<Vertical>> {
    let mut left: Vec<Leg> = legs.iter().filter(|l| l.quantity > 0.0).copied().collect();
    let mut shorts: Vec<Leg> = legs.iter().filter(|l| l.quantity < 0.0).copied().collect();
    shorts.sort_by_key(|l| std::cmp::Reverse(table[l.row as usize].expiry));
    let mut found = Vec::new();
    for short in shorts {
        let s = &table[short.row as usize];
        let mut open = -short.quantity;
        while open > 0.0 {
            let gap = |l: &Leg| {
                let t = &table[l.row as usize];
                ((t.expiry - s.expiry) as f64, (t.strike - s.strike).abs())
            };
            let best = left
                .iter_mut()
                .filter(|l| {
                    let t = &table[l.row as usize];
                    l.quantity > 0.0 && t.right == s.right && t.expiry >= s.expiry
                })
                .min_by(|a, b| {
                    gap(a)
                        .partial_cmp(&gap(b))
                        .unwrap_or(std::cmp::Ordering::Equal)
                })?;
            let count = if best.quantity < open {
                best.quantity
            } else {
                open
            };
            best.quantity -= count;
            open -= count;
            found.push(Vertical {
                long: best.row,
                short: short.row,
                count,
            });
        }
    }
    Some(found)
}

fn vertical(table: &[Series], v: &Vertical) -> &'static str {
    let (long, short) = (&table[v.long as usize], &table[v.short as usize]);
    match (
        long.expiry == short.expiry,
        long.strike == short.strike,
        long.right,
    ) {
        (true, _, Right::Call) if long.strike < short.strike => "bull call spread",
        (true, _, Right::Call) => "bear call spread",
        (true, _, Right::Put) if long.strike < short.strike => "bull put spread",
        (true, _, Right::Put) => "bear put spread",
        (false, true, _) => "calendar spread",
        (false, false, _) => "diagonal spread",
    }
}

fn ends<'a>(table: &'a [Series], v: &Vertical) -> Option<(&'a Series, &'a Series)> {
    let (long, short) = (&table[v.long as usize], &table[v.short as usize]);
    (long.expiry == short.expiry).then_some((long, short))
}

fn boxed(table: &[Series], calls: &Vertical, puts: &Vertical) -> Option<&'static str> {
    let ((lc, sc), (lp, sp)) = (ends(table, calls)?, ends(table, puts)?);
    let shape = lc.right == Right::Call && lp.right == Right::Put && lc.expiry == lp.expiry;
    let same = lc.strike == sp.strike && sc.strike == lp.strike;
    (shape && same).then_some(if lc.strike < sc.strike {
        "long box"
    } else {
        "short box"
    })
}

fn iron(table: &[Series], calls: &Vertical, puts: &Vertical) -> Option<&'static str> {
    let ((lc, sc), (lp, sp)) = (ends(table, calls)?, ends(table, puts)?);
    if lc.right != Right::Call || lp.right != Right::Put || lc.expiry != lp.expiry {
        return None;
    }
    let short = sc.strike < lc.strike && lp.strike < sp.strike && sp.strike <= sc.strike;
    let long = lc.strike < sc.strike && sp.strike < lp.strike && lp.strike <= lc.strike;
    match (short, long) {
        (true, _) if sp.strike == sc.strike => Some("iron butterfly"),
        (true, _) => Some("iron condor"),
        (_, true) if lp.strike == lc.strike => Some("reverse iron butterfly"),
        (_, true) => Some("reverse iron condor"),
        _ => None,
    }
}

/// Butterflies and condors of one right: `low` spans the lower strikes, `high` the upper ones.
fn winged(table: &[Series], low: &Vertical, high: &Vertical) -> Option<&'static str> {
    let ((l1, s1), (l2, s2)) = (ends(table, low)?, ends(table, high)?);
    if l1.right != l2.right || l1.expiry != l2.expiry {
        return None;
    }
    let long = l1.strike < s1.strike && s1.strike <= s2.strike && s2.strike < l2.strike;
    let short = s1.strike < l1.strike && l1.strike <= l2.strike && l2.strike < s2.strike;
    match (long, short) {
        (true, _) if s1.strike == s2.strike => Some("long butterfly"),
        (true, _) => Some("long condor"),
        (_, true) if l1.strike == l2.strike => Some("short butterfly"),
        (_, true) => Some("short condor"),
        _ => None,
    }
}
