//! Free transactions whose requirements do not separate, searched for the sets that lower the level most.

use std::collections::{BTreeMap, BTreeSet};

use super::transaction::Transaction;
use crate::account::Holdings;
use crate::contract::ContractIndex;
use crate::live::{Level, LiveAccount, Trade};
use crate::seam::Scratch;
use kernel::error::Result;
use kernel::interrupt;

/// Free transactions of one part of the requirement of which every set is margined. Beyond it, stock alone is exact by its
/// rule, and anything else has a level found and a level that no order falls below.
pub const EXACT: usize = 16;

/// Passes over the transactions in search of a lower level, where not every set is margined.
const PASSES: usize = 8;

/// What a search found, as changes of the level from that of the account without any of the transactions.
pub(super) struct Found {
    /// The lowest level, and the set that gives it.
    pub(super) low: (f64, Vec<usize>),
    /// The lowest right after a transaction that lowers it: the level, the set before, the transaction.
    pub(super) last: Option<(f64, Vec<usize>, usize)>,
    /// What neither falls below; infinite where no transaction can be the last.
    pub(super) low_bound: f64,
    pub(super) last_bound: f64,
    pub(super) is_exact: bool,
}

/// Free transactions of one part.
pub(super) struct Part {
    members: Vec<usize>,
    /// What the account holds of the part, and what the transactions trade.
    contracts: Vec<ContractIndex>,
    /// Whether the requirement is so much a lot of the one contract.
    is_linear: bool,
    /// Whether the requirement is never more than that of its contracts one by one.
    is_bounded: bool,
}

impl Part {
    /// Free transactions by the parts they touch. One that touches several joins them; cash alone touches none.
    pub(super) fn of(
        account: &LiveAccount,
        transactions: &[Transaction],
        free: &[usize],
        separated: bool,
    ) -> Result<Vec<Self>> {
        let separation = match separated {
            true => Some(account.prepared().intraday(account.view())?),
            false => None,
        };
        let part_of = |contract: ContractIndex| separation.map_or(0, |s| s.part[contract as usize]);
        // Which part stands for those a transaction has joined.
        let mut joined: BTreeMap<u32, u32> = BTreeMap::new();
        for trade in free.iter().flat_map(|&i| &transactions[i].trades) {
            joined.insert(part_of(trade.contract), part_of(trade.contract));
        }
        for &number in free {
            let mut own = transactions[number].trades.iter();
            let Some(to) = own.next().map(|t| joined[&part_of(t.contract)]) else {
                continue;
            };
            for trade in own {
                let from = joined[&part_of(trade.contract)];
                for part in joined.values_mut().filter(|part| **part == from) {
                    *part = to;
                }
            }
        }
        let mut parts: BTreeMap<u32, (Vec<usize>, BTreeSet<ContractIndex>)> = BTreeMap::new();
        let mut alone = Vec::new();
        for &number in free {
            let trades = &transactions[number].trades;
            match trades.first() {
                Some(first) => {
                    let own = parts.entry(joined[&part_of(first.contract)]).or_default();
                    own.0.push(number);
                    own.1.extend(trades.iter().map(|t| t.contract));
                }
                None => alone.push(Self {
                    members: vec![number],
                    contracts: Vec::new(),
                    is_linear: true,
                    is_bounded: true,
                }),
            }
        }
        let positions = account.view().positions;
        for &contract in positions.contract {
            if let Some(to) = joined.get(&part_of(contract))
                && let Some(own) = parts.get_mut(to)
            {
                own.1.insert(contract);
            }
        }
        let parts = parts.into_values().map(|(members, contracts)| {
            let contracts: Vec<ContractIndex> = contracts.into_iter().collect();
            let is_linear = match (contracts.as_slice(), separation) {
                ([one], Some(separation)) => separation.is_linear[*one as usize],
                _ => false,
            };
            Self {
                members,
                contracts,
                is_linear,
                is_bounded: separated,
            }
        });
        Ok(parts.chain(alone).collect())
    }

    pub(super) fn search(
        &self,
        account: &mut LiveAccount,
        transactions: &[Transaction],
        market: usize,
    ) -> Result<Found> {
        let lasts: Vec<bool> = self
            .members
            .iter()
            .map(|&i| transactions[i].counts && transactions[i].market == market)
            .collect();
        let mut asked = Asked {
            base: account.level()?,
            account,
            transactions,
            part: self,
            lasts,
        };
        if self.members.len() <= EXACT {
            asked.every_set()
        } else if self.is_linear {
            asked.linear()
        } else {
            asked.descent()
        }
    }
}

/// A search under way.
struct Asked<'a> {
    base: Level,
    account: &'a mut LiveAccount,
    transactions: &'a [Transaction],
    part: &'a Part,
    /// Whether each member may be the last.
    lasts: Vec<bool>,
}

impl Asked<'_> {
    /// The level with some of the members done.
    fn level(&mut self, is_in: impl Fn(usize) -> bool) -> Result<Level> {
        let (mut trades, mut cash) = (Vec::new(), Vec::new());
        for (place, &number) in self.part.members.iter().enumerate() {
            if is_in(place) {
                let transaction = &self.transactions[number];
                trades.extend_from_slice(&transaction.trades);
                cash.extend(transaction.cash());
            }
        }
        self.account.level_after(&trades, &cash)
    }

    fn numbers(&self, is_in: impl Fn(usize) -> bool) -> Vec<usize> {
        let places = 0..self.part.members.len();
        places
            .filter(|&place| is_in(place))
            .map(|place| self.part.members[place])
            .collect()
    }

    /// Margins every set.
    fn every_set(&mut self) -> Result<Found> {
        let count = self.part.members.len();
        let mut levels = Vec::with_capacity(1 << count);
        for set in 0..1_usize << count {
            interrupt::check()?;
            levels.push(self.level(|place| set >> place & 1 == 1)?);
        }
        let base = levels[0].margin();
        let (mut low, mut last) = ((0.0, 0), None::<(f64, usize, usize)>);
        for (set, level) in levels.iter().enumerate() {
            let change = level.margin() - base;
            if change < low.0 {
                low = (change, set);
            }
            for place in (0..count).filter(|&place| self.lasts[place] && set >> place & 1 == 1) {
                let before = set & !(1 << place);
                if level.is_below(&levels[before]) && last.is_none_or(|(least, ..)| change < least)
                {
                    last = Some((change, before, place));
                }
            }
        }
        let of = |set: usize| move |place: usize| set >> place & 1 == 1;
        Ok(Found {
            low: (low.0, self.numbers(of(low.1))),
            last: last.map(|(change, before, place)| {
                let before = self.numbers(of(before));
                (change, before, self.part.members[place])
            }),
            low_bound: low.0,
            last_bound: last.map_or(f64::INFINITY, |(change, ..)| change),
            is_exact: true,
        })
    }

    /// What each member adds to the equity, and the lots it trades of each contract.
    fn gains(&self) -> Result<Vec<f64>> {
        self.part
            .members
            .iter()
            .map(|&number| {
                let transaction = &self.transactions[number];
                let cost = self
                    .account
                    .cost_of(&transaction.trades, &transaction.cash())?;
                Ok(-cost)
            })
            .collect()
    }

    /// Maintenance requirement of one lot of a contract, long and short.
    fn rates(&self, contract: ContractIndex) -> Result<[f64; 2]> {
        let (prepared, terms) = (self.account.prepared(), self.account.terms());
        let mut scratch = Scratch::default();
        let mut of = |lots: [i64; 2]| -> Result<f64> {
            let alone = Holdings::from_rows(vec![(contract, lots[0], lots[1])], false)?;
            Ok(prepared
                .requirement(alone.view(terms), &mut scratch)?
                .maintenance)
        };
        Ok([of([1, 0])?, of([0, 1])?])
    }

    /// One contract at so much a lot, or cash alone. The level is the lower of two sums over the members, as if the position
    /// were long and as if it were short: each is lowest where it has the members, all and only, that lower it. A purchase
    /// lowers the level most after all other purchases, a sale after all other sales: one that does not then never does.
    fn linear(&mut self) -> Result<Found> {
        let gains = self.gains()?;
        let ([long, short], held) = match self.part.contracts.first() {
            Some(&contract) => {
                let positions = self.account.view().positions;
                let at = positions.contract.binary_search(&contract);
                (self.rates(contract)?, at.map_or(0, |i| positions.net(i)))
            }
            None => ([0.0; 2], 0),
        };
        let lots: Vec<f64> = self
            .part
            .members
            .iter()
            .map(|&number| {
                let trades = &self.transactions[number].trades;
                trades.iter().map(|t| t.lots).sum::<i64>() as f64
            })
            .collect();
        let requirement = |lots: f64| (long * lots).max(-short * lots);
        let held = held as f64;
        let size = self.base.size()
            + gains.iter().map(|gain| gain.abs()).sum::<f64>()
            + long.max(short) * lots.iter().map(|lots| lots.abs()).sum::<f64>();
        let allowed = 64.0 * f64::EPSILON * size;
        let change =
            |gain: f64, traded: f64| gain - (requirement(held + traded) - requirement(held));
        let sums = |set: &[bool]| {
            let places = (0..set.len()).filter(|&place| set[place]);
            places.fold((0.0, 0.0), |(gain, traded), place| {
                (gain + gains[place], traded + lots[place])
            })
        };
        let places = 0..gains.len();
        let sides = [
            places
                .clone()
                .map(|i| gains[i] - long * lots[i] < 0.0)
                .collect(),
            places
                .clone()
                .map(|i| gains[i] + short * lots[i] < 0.0)
                .collect(),
            places.clone().map(|i| lots[i] > 0.0).collect(),
            places.map(|i| lots[i] < 0.0).collect::<Vec<bool>>(),
        ];
        let none = vec![false; gains.len()];
        let mut low = (0.0, none.clone());
        let mut last: Option<(f64, Vec<bool>, usize)> = None;
        for side in &sides {
            let (gain, traded) = sums(side);
            let own = change(gain, traded);
            if own < low.0 {
                low = (own, side.clone());
            }
            for place in (0..gains.len()).filter(|&place| self.lasts[place]) {
                interrupt::check()?;
                // The set with the member, whether it is one of its own or not.
                let is_in = side[place];
                let with = if is_in {
                    (gain, traded)
                } else {
                    (gain + gains[place], traded + lots[place])
                };
                let after = change(with.0, with.1);
                let before = change(with.0 - gains[place], with.1 - lots[place]);
                if before - after > allowed
                    && last.as_ref().is_none_or(|(least, ..)| after < *least)
                {
                    let mut set = side.clone();
                    set[place] = false;
                    last = Some((after, set, place));
                }
            }
        }
        // Nothing lies below the lowest. Where a deficit stands at the open and every transaction raises the level from it,
        // the pairs above need not be the lowest that lower it: those are between the two.
        let is_reached = last
            .as_ref()
            .is_some_and(|(least, ..)| *least <= low.0 + allowed);
        let is_open = !is_reached && last.is_some();
        Ok(Found {
            last_bound: match &last {
                Some(_) if is_open => low.0,
                Some((least, ..)) => *least,
                None => f64::INFINITY,
            },
            last: last.map(|(change, set, place)| {
                let before = self.numbers(|at| set[at]);
                (change, before, self.part.members[place])
            }),
            low_bound: low.0,
            low: (low.0, self.numbers(|at| low.1[at])),
            is_exact: !is_open,
        })
    }

    /// A level as low as single additions and removals find one, and one that no set falls below.
    fn descent(&mut self) -> Result<Found> {
        let count = self.part.members.len();
        let base = self.base.margin();
        let mut set = vec![false; count];
        let mut least = self.base;
        for _ in 0..PASSES {
            let mut moved = false;
            for place in 0..count {
                interrupt::check()?;
                set[place] = !set[place];
                let level = self.level(|at| set[at])?;
                if level.is_below(&least) {
                    (least, moved) = (level, true);
                } else {
                    set[place] = !set[place];
                }
            }
            if !moved {
                break;
            }
        }
        let mut last: Option<(Level, usize)> = None;
        for place in 0..count {
            interrupt::check()?;
            if !self.lasts[place] {
                continue;
            }
            let with = self.level(|at| set[at] || at == place)?;
            let without = self.level(|at| set[at] && at != place)?;
            if with.is_below(&without)
                && last.is_none_or(|(level, ..)| with.margin() < level.margin())
            {
                last = Some((with, place));
            }
        }
        let bound = if self.part.is_bounded {
            self.bound()?
        } else {
            f64::NEG_INFINITY
        };
        Ok(Found {
            low: (least.margin() - base, self.numbers(|at| set[at])),
            last: last.map(|(level, place)| {
                let before = self.numbers(|at| set[at] && at != place);
                (level.margin() - base, before, self.part.members[place])
            }),
            low_bound: bound,
            last_bound: if self.lasts.contains(&true) {
                bound
            } else {
                f64::INFINITY
            },
            is_exact: false,
        })
    }

    /// No set changes the level by less: contracts one by one need at least what they need together, and legs that may be
    /// done apart can be done together. Then each contract is as in [`Self::linear`].
    fn bound(&mut self) -> Result<f64> {
        let mut bound = self.held()?;
        for &contract in &self.part.contracts {
            let [long, short] = self.rates(contract)?;
            let positions = self.account.view().positions;
            let at = positions.contract.binary_search(&contract);
            let held = at.map_or(0, |i| positions.net(i)) as f64;
            let mut sides = [-long * held, short * held];
            for &number in &self.part.members {
                for trade in &self.transactions[number].trades {
                    if trade.contract == contract {
                        let gain = self.gain(trade)?;
                        for (side, rate) in sides.iter_mut().zip([long, -short]) {
                            *side += (gain - rate * trade.lots as f64).min(0.0);
                        }
                    }
                }
            }
            bound += sides[0].min(sides[1]);
        }
        for &number in &self.part.members {
            let cost = self
                .account
                .cost_of(&[], &self.transactions[number].cash())?;
            bound += (-cost).min(0.0);
        }
        Ok(bound)
    }

    /// What a trade adds to the equity, the option it buys or sells counted at its mark.
    fn gain(&mut self, trade: &Trade) -> Result<f64> {
        let alone = Trade {
            lots: trade.lots.signum(),
            ..*trade
        };
        let view = self.account.terms();
        let one = Holdings::from_rows(
            vec![(alone.contract, alone.lots.max(0), (-alone.lots).max(0))],
            false,
        )?;
        let value = self
            .account
            .prepared()
            .requirement(one.view(view), &mut Scratch::default())?
            .net_option_value;
        let cost = self.account.cost_of(std::slice::from_ref(trade), &[])?;
        Ok(value * trade.lots.unsigned_abs() as f64 - cost)
    }

    /// The maintenance requirement of what is held of the part.
    fn held(&self) -> Result<f64> {
        let positions = self.account.view().positions;
        let own = (0..positions.len())
            .filter(|&i| self.part.contracts.contains(&positions.contract[i]))
            .map(|i| (positions.contract[i], positions.long(i), positions.short(i)))
            .collect();
        let holdings = Holdings::from_rows(own, positions.short.is_some())?;
        Ok(self
            .account
            .prepared()
            .requirement(holdings.view(self.account.terms()), &mut Scratch::default())?
            .maintenance)
    }
}
