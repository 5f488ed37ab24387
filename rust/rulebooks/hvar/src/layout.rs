//! Where each contract goes: its netting set, its row there, its factors; and which returns each component reads. Known
//! before any market.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use once_cell::race::OnceBox;

use super::component::Component;
use super::history::History;
use super::parameters::{NettingSet, Parameters, ReturnRule, WHOLE};
use super::scenarios::{Series, Set, sets};
use engine::contract::{Contracts, Kind, Settlement};
use engine::report::ParameterInfo;
use kernel::error::Result;
use kernel::fail;

/// One contract's place: its netting set and row there, and its factor. Outside: a stage margins it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) set: u32,
    pub(super) row: u32,
    pub(super) factor: String,
    pub(super) vol_factor: Option<String>,
}

/// A table of contracts under one methodology: all that stands before any market.
pub(super) struct Table {
    pub(super) parameters: Arc<Parameters>,
    pub(super) histories: Arc<[History]>,
    pub(super) info: ParameterInfo,
    pub(super) contracts: Arc<Contracts>,
    pub(super) layout: Layout,
}

/// The netting sets, and every contract's place in them.
pub(super) struct Layout {
    pub(super) sets: Vec<SetLayout>,
    pub(super) places: Vec<Option<Place>>,
}

/// One netting set: its components, and the rows of the contracts in it.
pub(super) struct SetLayout {
    pub(super) name: String,
    /// As lines print it: behind its group, where it has one.
    pub(super) scope: String,
    pub(super) components: Vec<Planned>,
    pub(super) members: Vec<u32>,
}

impl SetLayout {
    /// The scope of the blocks that price one of its components.
    pub(super) fn block(&self, component: &Component) -> String {
        format!("{} / {}", self.name, component.name)
    }
}

/// A component, and the returns its scenarios are made of; none where its risk is given or nothing is in its set.
pub(super) struct Planned {
    pub(super) component: Component,
    reads: Option<Reads>,
    /// Every factor's moves, made for the first market: no other changes them.
    moves: OnceBox<Moves>,
}

/// Moves of one component by factor.
pub(super) type Moves = BTreeMap<String, Vec<f64>>;

/// Which returns of which history, as of its last date.
struct Reads {
    history: usize,
    today: usize,
    sets: Vec<Set>,
    /// Of every scenario, set after set.
    labels: Arc<[String]>,
}

impl Planned {
    fn new(
        component: &Component,
        set: &str,
        is_empty: bool,
        histories: &[History],
    ) -> Result<Self> {
        let reads = if component.given.contains_key(set) || is_empty {
            None
        } else {
            Some(Reads::new(component, histories)?)
        };
        Ok(Self {
            component: component.clone(),
            reads,
            moves: OnceBox::new(),
        })
    }

    /// The moves of the factors of its set, by whoever asks first.
    pub(super) fn moves(&self, make: impl FnOnce() -> Result<Moves>) -> Result<&Moves> {
        self.moves.get_or_try_init(|| make().map(Box::new))
    }

    pub(super) fn view<'a>(&'a self, histories: &'a [History]) -> Option<View<'a>> {
        self.reads.as_ref().map(|reads| View {
            component: &self.component,
            history: &histories[reads.history],
            sets: Cow::Borrowed(&reads.sets),
            today: reads.today,
        })
    }

    /// The words of every scenario; none where there are none.
    pub(super) fn labels(&self) -> Arc<[String]> {
        self.reads
            .as_ref()
            .map_or_else(|| Arc::new([]) as Arc<[String]>, |r| r.labels.clone())
    }
}

impl Reads {
    fn new(component: &Component, histories: &[History]) -> Result<Self> {
        let (history, today) = read_by(component, histories)?;
        let view = View::at(component, &histories[history], today)?;
        Ok(Self {
            history,
            today,
            labels: view.labels().into(),
            sets: view.sets.into_owned(),
        })
    }
}

/// A component's scenarios as of a step of its history.
pub(super) struct View<'a> {
    pub(super) component: &'a Component,
    pub(super) history: &'a History,
    pub(super) sets: Cow<'a, [Set]>,
    today: usize,
}

impl<'a> View<'a> {
    /// As of the last date of the component's history.
    pub(super) fn new(component: &'a Component, histories: &'a [History]) -> Result<Self> {
        let (history, last) = read_by(component, histories)?;
        Self::at(component, &histories[history], last)
    }

    pub(super) fn at(component: &'a Component, history: &'a History, today: usize) -> Result<Self> {
        let sets = sets(component, history, today)
            .map_err(|e| e.at(format!("hvar: component '{}'", component.name)))?;
        Ok(Self {
            component,
            history,
            sets: Cow::Owned(sets),
            today,
        })
    }

    pub(super) fn scenarios(&self) -> usize {
        self.sets.iter().map(Set::len).sum()
    }

    fn labels(&self) -> Vec<String> {
        self.sets
            .iter()
            .flat_map(|set| (0..set.len()).map(|at| set.label(self.history, at)))
            .collect()
    }

    pub(super) fn moves(&self, series: &Series) -> Result<Vec<f64>> {
        series.moves(self.component, self.history, &self.sets, self.today)
    }

    pub(super) fn series(&self, factor: &str, rule: ReturnRule) -> Result<Series> {
        Series::new(self.component, self.history, factor, rule)
    }
}

/// The history a component reads, and its last step.
fn read_by(component: &Component, histories: &[History]) -> Result<(usize, usize)> {
    let named = |h: &History| h.name == component.history;
    let Some(history) = histories.iter().position(named) else {
        fail!(
            MissingData: MissingHistory;
            "hvar: component '{}' reads the history '{}', which is not given, and no risk is given in its place",
            component.name,
            component.history
        );
    };
    let Some(last) = histories[history].steps().checked_sub(1) else {
        fail!(
            MissingData: MissingHistory;
            "hvar: history '{}' holds no return",
            component.history
        );
    };
    Ok((history, last))
}

/// The netting set that stands for the whole account where the parameters name none.
fn whole() -> NettingSet {
    NettingSet {
        name: WHOLE.into(),
        members: Vec::new(),
        group: None,
        components: Vec::new(),
    }
}

impl Layout {
    pub(super) fn new(
        parameters: &Parameters,
        histories: &[History],
        contracts: &Contracts,
    ) -> Result<Self> {
        let named = if parameters.netting_sets.is_empty() {
            vec![whole()]
        } else {
            parameters.netting_sets.clone()
        };
        let mut places = Vec::with_capacity(contracts.len());
        let mut members = vec![Vec::new(); named.len()];
        let columns: HashSet<&str> = parameters
            .histories
            .values()
            .flat_map(|h| h.columns.iter().map(String::as_str))
            .collect();
        let taken: HashSet<&str> = parameters
            .stages
            .iter()
            .flat_map(|s| s.rule.parts().takes)
            .collect();
        for (row, contract) in contracts.iter() {
            let keys = [contract.id(), contracts.root_symbol(row)];
            if keys.iter().any(|k| taken.contains(k)) {
                places.push(None);
                continue;
            }
            if contract.kind() == Kind::Index
                || contract.terms().settlement == Settlement::Inverse
                || contract.counts_money()
            {
                fail!(
                    NotApplicable,
                    "hvar covers linear contracts, not '{}': indices are not held, inverse contracts and multipliers that count money are not covered",
                    contract.id()
                );
            }
            let mapped =
                |map: &BTreeMap<String, String>| keys.iter().find_map(|k| map.get(*k)).cloned();
            let factor = mapped(&parameters.map).unwrap_or_else(|| {
                // A contract with a column of its own needs no other factor.
                keys[usize::from(!columns.contains(keys[0]))].to_string()
            });
            let names = [keys[0], keys[1], &factor];
            let belongs = |s: &NettingSet| s.members.iter().any(|m| names.contains(&m.as_str()));
            let rest = || named.iter().position(|s| s.members.is_empty());
            let Some(set) = named.iter().position(belongs).or_else(rest) else {
                fail!(
                    NotApplicable,
                    "hvar: no netting set takes '{}': name it in one, or add a set without members",
                    contract.id()
                );
            };
            members[set].push(row);
            places.push(Some(Place {
                set: set as u32,
                row: members[set].len() as u32 - 1,
                factor,
                vol_factor: mapped(&parameters.vol_map).filter(|_| contract.kind() == Kind::Option),
            }));
        }
        let sets = named
            .into_iter()
            .zip(members)
            .map(|(set, members)| {
                let own = if set.components.is_empty() {
                    &parameters.components
                } else {
                    &set.components
                };
                let planned =
                    |c: &Component| Planned::new(c, &set.name, members.is_empty(), histories);
                Ok(SetLayout {
                    components: own.iter().map(planned).collect::<Result<_>>()?,
                    scope: match &set.group {
                        Some(group) => format!("{group}/{}", set.name),
                        None => set.name.clone(),
                    },
                    name: set.name,
                    members,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { sets, places })
    }
}
