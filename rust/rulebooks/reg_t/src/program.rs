//! The pairing problem of one component as an integer program (sources: SR-CBOE-2012-043, FINRA RN 12-44).
//!
//! Merging two universal spreads never costs more, because the maximum loss is sub-additive. So one spread per
//! underlying and nature is enough: an integer per series says how many contracts go into it, one variable is its
//! maximum loss. Everything else that is recognised (two-sided shorts, boxes, stock with options) is a column
//! that uses a few positions once. What neither takes stands alone.

mod rows;

use super::question::{Allowed, Method};
use super::rules::{self, Amounts, Numbers, Right, Series, Shares, When};

/// One side of a position: what is held of it and what one contract (share) costs alone.
#[derive(Debug, Clone)]
pub struct Item {
    /// Row in the component's table of series or of shares.
    pub row: usize,
    pub stock: bool,
    pub long: bool,
    pub count: f64,
    pub alone: Amounts,
    pub alone_equity: f64,
    /// Must not be left standing alone.
    pub forbidden: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    TwoSided,
    Box,
    CondorEqualWings,
    Spread,
    Covered,
    Protected,
    Converted,
}

/// A recognised strategy: what it uses once, and what it requires.
#[derive(Debug, Clone)]
pub struct Column {
    pub kind: Kind,
    pub parts: [(u32, f64); 4],
    pub used: usize,
    pub amounts: Amounts,
    /// Against its parts standing alone; negative.
    pub change: f64,
}

impl Column {
    pub fn parts(&self) -> &[(u32, f64)] {
        &self.parts[..self.used]
    }
}

/// A series that may go into a universal spread.
#[derive(Debug, Clone)]
pub struct Member {
    pub item: u32,
    pub spread: u32,
    /// Change of equity when a contract moves from standing alone into the spread (its maximum loss apart).
    pub change: f64,
}

#[derive(Debug, Default)]
pub struct Program {
    pub items: Vec<Item>,
    pub columns: Vec<Column>,
    pub members: Vec<Member>,
    pub spreads: usize,
    cost: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    pub scale: f64,
    keys: Vec<(u32, u32, i64, Right)>,
    levels: Vec<f64>,
}

impl Program {
    pub fn clear(&mut self) {
        self.items.clear();
        self.columns.clear();
        self.members.clear();
        self.spreads = 0;
    }

    pub fn series<'a>(&self, item: usize, table: &'a [Series]) -> &'a Series {
        &table[self.items[item].row]
    }

    fn push(&mut self, kind: Kind, parts: &[(usize, f64)], amounts: Amounts) {
        let mut alone = 0.0;
        let mut column = Column {
            kind,
            parts: [(0, 0.0); 4],
            used: parts.len(),
            amounts,
            change: 0.0,
        };
        for (k, &(item, units)) in parts.iter().enumerate() {
            if self.items[item].count < units {
                return;
            }
            alone += self.items[item].alone_equity * units;
            column.parts[k] = (item as u32, units);
        }
        column.change = amounts.equity() - alone;
        // Never worth it (or worth rounding noise): standing alone is as good.
        if column.change < -1e-9 * (1.0 + alone.abs()) {
            self.columns.push(column);
        }
    }

    /// The recognised strategies and spread members of the items. Items come sorted; nothing here depends on more.
    pub fn recognise(
        &mut self,
        table: &[Series],
        shares: &[Shares],
        numbers: &Numbers,
        allowed: Allowed,
        when: When,
        pairing: Method,
    ) {
        if allowed.two_sided {
            self.two_sided(table);
        }
        if self.items.iter().any(|i| i.stock) {
            self.with_stock(table, shares, numbers, allowed, when, pairing);
            if pairing != Method::TwoLeg {
                self.with_baskets(table, shares, numbers, when);
            }
        }
        match pairing {
            Method::TwoLeg => self.pairs(table, allowed),
            _ => {
                if allowed.boxes {
                    self.boxes(table, numbers);
                }
                if numbers.equal_wings {
                    self.condors(table);
                }
                self.spread_members(table, numbers, allowed);
            }
        }
    }

    fn two_sided(&mut self, table: &[Series]) {
        for a in 0..self.items.len() {
            if self.items[a].stock
                || self.items[a].long
                || self.series(a, table).right != Right::Call
            {
                continue;
            }
            for b in 0..self.items.len() {
                if self.items[b].stock || self.items[b].long {
                    continue;
                }
                let (call, put) = (self.series(a, table), self.series(b, table));
                if put.right == Right::Put && rules::same_units(put, call) {
                    let amounts = rules::two_sided(call, put);
                    self.push(Kind::TwoSided, &[(a, 1.0), (b, 1.0)], amounts);
                }
            }
        }
    }

    fn with_stock(
        &mut self,
        table: &[Series],
        shares: &[Shares],
        n: &Numbers,
        allowed: Allowed,
        when: When,
        pairing: Method,
    ) {
        for s in 0..self.items.len() {
            if !self.items[s].stock {
                continue;
            }
            let stock = &shares[self.items[s].row];
            let long = self.items[s].long;
            let writing = if long { Right::Call } else { Right::Put };
            for w in 0..self.items.len() {
                if self.items[w].stock
                    || self.items[w].long
                    || self.series(w, table).right != writing
                {
                    continue;
                }
                let written = self.series(w, table);
                let Some(amount) = stock.against(written) else {
                    continue;
                };
                let amounts = rules::covered(stock, long, written, when, n);
                self.push(Kind::Covered, &[(s, amount), (w, 1.0)], amounts);
            }
            if when == When::Initial || !allowed.offsets {
                continue;
            }
            for h in 0..self.items.len() {
                if self.items[h].stock
                    || !self.items[h].long
                    || self.series(h, table).right == writing
                {
                    continue;
                }
                let hedge = self.series(h, table);
                let [(family, count)] = hedge.delivered[..] else {
                    continue;
                };
                if family != stock.family {
                    continue;
                }
                let amounts = rules::protected(stock, count, long, hedge, n);
                self.push(Kind::Protected, &[(s, count), (h, 1.0)], amounts);
                if pairing == Method::TwoLeg {
                    continue;
                }
                for w in 0..self.items.len() {
                    if self.items[w].stock
                        || self.items[w].long
                        || self.series(w, table).right != writing
                    {
                        continue;
                    }
                    let written = self.series(w, table);
                    if written.family != stock.family {
                        continue;
                    }
                    if let Some(amounts) = rules::converted(stock, count, long, hedge, written, n) {
                        self.push(Kind::Converted, &[(s, count), (h, 1.0), (w, 1.0)], amounts);
                    }
                }
            }
        }
    }

    /// Options that deliver several securities, written against the shares of all of them.
    fn with_baskets(&mut self, table: &[Series], shares: &[Shares], n: &Numbers, when: When) {
        for w in 0..self.items.len() {
            if self.items[w].stock || self.items[w].long {
                continue;
            }
            let written = self.series(w, table);
            if written.delivered.len() < 2 {
                continue;
            }
            let long = written.right == Right::Call;
            // Every choice of one holding for each security.
            let mut choices: Vec<Vec<(usize, f64)>> = vec![Vec::new()];
            for &(family, count) in written.delivered.iter() {
                let held: Vec<usize> = (0..self.items.len())
                    .filter(|&i| {
                        let item = &self.items[i];
                        item.stock && item.long == long && shares[item.row].family == family
                    })
                    .collect();
                choices = choices
                    .iter()
                    .flat_map(|chosen| {
                        held.iter()
                            .map(move |&i| [&chosen[..], &[(i, count)]].concat())
                    })
                    .collect();
            }
            for mut chosen in choices {
                let parts: Vec<(&Shares, f64)> = chosen
                    .iter()
                    .map(|&(i, count)| (&shares[self.items[i].row], count))
                    .collect();
                let amounts = rules::covered_by(&parts, long, written, when, n);
                chosen.push((w, 1.0));
                self.push(Kind::Covered, &chosen, amounts);
            }
        }
    }

    /// Whether a short may be set against a long at all: same kind, same nature, the short expiring first.
    pub fn spreadable(short: &Series, long: &Series, allowed: Allowed) -> bool {
        short.family == long.family
            && short.right == long.right
            && short.nature == long.nature
            && short.expiry <= long.expiry
            && (!allowed.one_expiry || short.expiry == long.expiry)
            && (!allowed.cash_settled_only || short.boxes)
    }

    fn pairs(&mut self, table: &[Series], allowed: Allowed) {
        for a in 0..self.items.len() {
            if self.items[a].stock || self.items[a].long {
                continue;
            }
            for b in 0..self.items.len() {
                if self.items[b].stock || !self.items[b].long {
                    continue;
                }
                let (short, long) = (self.series(a, table), self.series(b, table));
                if short.units == long.units && Self::spreadable(short, long, allowed) {
                    let amounts = pair(short, long);
                    self.push(Kind::Spread, &[(a, 1.0), (b, 1.0)], amounts);
                }
            }
        }
    }

    /// Long boxes: a synthetic long at the low strike and a synthetic short at the high one.
    fn boxes(&mut self, table: &[Series], n: &Numbers) {
        let find = |program: &Self, like: &Series, right: Right, long: bool| {
            (0..program.items.len()).find(|&i| {
                let item = &program.items[i];
                let s = &table[item.row];
                !item.stock
                    && item.long == long
                    && s.right == right
                    && s.strike == like.strike
                    && s.expiry == like.expiry
                    && s.nature == like.nature
                    && s.family == like.family
                    && s.multiplier == like.multiplier
            })
        };
        if !self.items.iter().any(|i| !i.stock && table[i.row].boxes) {
            return;
        }
        for low_call in 0..self.items.len() {
            if self.items[low_call].stock || !self.items[low_call].long {
                continue;
            }
            let low = self.series(low_call, table);
            if low.right != Right::Call || !low.boxes {
                continue;
            }
            let Some(low_put) = find(self, low, Right::Put, false) else {
                continue;
            };
            for high_call in 0..self.items.len() {
                if self.items[high_call].stock || self.items[high_call].long {
                    continue;
                }
                let high = self.series(high_call, table);
                if high.right != Right::Call
                    || high.strike <= low.strike
                    || high.expiry != low.expiry
                    || high.nature != low.nature
                    || high.family != low.family
                    || high.multiplier != low.multiplier
                {
                    continue;
                }
                let Some(high_put) = find(self, high, Right::Put, true) else {
                    continue;
                };
                let amounts = rules::long_box(low, high, n);
                self.push(
                    Kind::Box,
                    &[
                        (low_call, 1.0),
                        (low_put, 1.0),
                        (high_call, 1.0),
                        (high_put, 1.0),
                    ],
                    amounts,
                );
            }
        }
    }

    /// Iron condors and butterflies of equal wings, for brokers that recognise no others.
    fn condors(&mut self, table: &[Series]) {
        let wings = |program: &Self, right: Right| {
            let mut found = Vec::new();
            for short in 0..program.items.len() {
                for long in 0..program.items.len() {
                    let (a, b) = (&program.items[short], &program.items[long]);
                    if a.stock || b.stock || a.long || !b.long {
                        continue;
                    }
                    let (s, l) = (&table[a.row], &table[b.row]);
                    let outside = if right == Right::Call {
                        l.strike > s.strike
                    } else {
                        l.strike < s.strike
                    };
                    let alike = s.family == l.family && s.nature == l.nature && s.units == l.units;
                    if s.right == right
                        && l.right == right
                        && alike
                        && s.expiry == l.expiry
                        && outside
                    {
                        found.push((short, long));
                    }
                }
            }
            found
        };
        let puts = wings(self, Right::Put);
        for (sc, lc) in wings(self, Right::Call) {
            for &(sp, lp) in &puts {
                let (c, c2) = (self.series(sc, table), self.series(lc, table));
                let (p, p2) = (self.series(sp, table), self.series(lp, table));
                let alike = c.family == p.family
                    && c.nature == p.nature
                    && c.units == p.units
                    && c.expiry == p.expiry;
                let (up, down) = (c2.strike - c.strike, p.strike - p2.strike);
                if alike && p.strike <= c.strike && (up - down).abs() < 1e-9 * up {
                    let amounts = Amounts {
                        paid: c2.mark + p2.mark,
                        short: up * c.units,
                        proceeds: c.mark + p.mark,
                        ..Amounts::default()
                    };
                    self.push(
                        Kind::CondorEqualWings,
                        &[(sc, 1.0), (lc, 1.0), (sp, 1.0), (lp, 1.0)],
                        amounts,
                    );
                }
            }
        }
    }

    /// Which series may enter which universal spread. A series that no series of the other side could offset stays
    /// outside.
    pub fn spread_members(&mut self, table: &[Series], numbers: &Numbers, allowed: Allowed) {
        self.keys.clear();
        for i in 0..self.items.len() {
            if self.items[i].stock {
                continue;
            }
            let s = self.series(i, table);
            let partner = (0..self.items.len()).any(|j| {
                let o = &self.items[j];
                if o.stock || o.long == self.items[i].long {
                    return false;
                }
                let t = &table[o.row];
                if o.long {
                    Self::spreadable(s, t, allowed)
                } else {
                    Self::spreadable(t, s, allowed)
                }
            });
            if !partner {
                continue;
            }
            // Where only equal wings make a condor, calls and puts are spread apart.
            let side = if numbers.equal_wings {
                s.right
            } else {
                Right::Call
            };
            let key = (
                s.family,
                s.nature,
                if allowed.one_expiry { s.expiry } else { 0 },
                side,
            );
            let spread = self.keys.iter().position(|&k| k == key).unwrap_or_else(|| {
                self.keys.push(key);
                self.keys.len() - 1
            });
            let inside = if self.items[i].long { s.mark } else { -s.mark };
            self.members.push(Member {
                item: i as u32,
                spread: spread as u32,
                change: inside - self.items[i].alone_equity,
            });
        }
        self.spreads = self.keys.len();
    }

    /// Variables in order: the maximum loss of each spread, the members, the columns.
    pub fn variables(&self) -> usize {
        self.spreads + self.members.len() + self.columns.len()
    }
}

/// One short against one long: the long paid in full, and what the strikes can lose.
pub fn pair(short: &Series, long: &Series) -> Amounts {
    let gap = match short.right {
        Right::Call => long.strike - short.strike,
        Right::Put => short.strike - long.strike,
    };
    Amounts {
        paid: long.mark,
        short: if gap > 0.0 { gap * short.units } else { 0.0 },
        proceeds: short.mark,
        ..Amounts::default()
    }
}
