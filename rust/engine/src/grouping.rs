//! What of an account stands together: contracts whose requirements add up, and lines that are about the same contracts.

use std::collections::HashMap;

use crate::contract::ContractIndex;

/// Which contracts' maintenance requirements add up: what orders of a day's transactions are searched by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Separation {
    /// The part of each contract row. The requirement is the sum of those of the parts, whatever each of them holds, and that
    /// of a part is never more than its contracts need one by one.
    pub part: Vec<u32>,
    /// Whether the requirement of each contract row, where nothing else of its part is held, is so much a lot: one number for
    /// long, another for short.
    pub is_linear: Vec<bool>,
}

/// Which lines of a requirement are about which contracts: what a layer over a rulebook compares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouping {
    names: Vec<String>,
    /// Of each group: the components of lines that stock and funds alone make. None: its lines are of all it holds.
    stock: Vec<&'static [&'static str]>,
    of_row: Vec<u32>,
    of_scope: HashMap<String, u32>,
}

impl Grouping {
    /// Groups by name, each row's, and the scopes of every line that can be written with the group they are of; `None`
    /// where one scope would be of two groups, which no line could then be told apart by.
    pub fn new(
        names: Vec<String>,
        stock: Vec<&'static [&'static str]>,
        of_row: Vec<u32>,
        scopes: impl IntoIterator<Item = (String, u32)>,
    ) -> Option<Self> {
        let mut of_scope = HashMap::new();
        for (scope, group) in scopes {
            if *of_scope.entry(scope).or_insert(group) != group {
                return None;
            }
        }
        Some(Self {
            names,
            stock,
            of_row,
            of_scope,
        })
    }

    /// One group of all rows, whatever lines there are.
    pub fn whole(rows: usize) -> Self {
        Self {
            names: vec!["account".into()],
            stock: vec![&[]],
            of_row: vec![0; rows],
            of_scope: HashMap::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub fn name(&self, group: u32) -> &str {
        &self.names[group as usize]
    }

    pub fn of_row(&self, row: ContractIndex) -> u32 {
        self.of_row[row as usize]
    }

    /// Whether it is [`Self::whole`].
    pub fn is_whole(&self) -> bool {
        self.of_scope.is_empty() && self.names.len() == 1
    }

    /// The group of a line; `None` for a scope that the rulebook has not named.
    pub fn of_scope(&self, scope: &str) -> Option<u32> {
        if self.is_whole() {
            Some(0)
        } else {
            self.of_scope.get(scope).copied()
        }
    }

    /// Whether a group's lines of stock and funds stand apart from the others.
    pub fn splits(&self, group: u32) -> bool {
        !self.stock[group as usize].is_empty()
    }

    /// Whether a line of a group is made by stock and funds alone.
    pub fn is_stock(&self, group: u32, component: &str) -> bool {
        self.stock[group as usize].contains(&component)
    }

    /// Several rulebooks' groupings as one: each with the name in front of its scopes, and for each row of the whole table its
    /// row in that part.
    pub fn joined<'a>(
        rows: usize,
        parts: impl IntoIterator<Item = (&'a str, Option<Self>, &'a [Option<u32>])>,
    ) -> Option<Self> {
        let (mut names, mut stock, mut scopes) = (Vec::new(), Vec::new(), Vec::new());
        let mut of_row = vec![0; rows];
        for (name, own, row) in parts {
            let own = own?;
            let first = names.len() as u32;
            let prefixed = |scope: &str| format!("{name}: {scope}");
            names.extend(own.names.iter().map(|n| prefixed(n)));
            stock.extend(&own.stock);
            let of_scope = own.of_scope.iter();
            scopes.extend(of_scope.map(|(scope, group)| (prefixed(scope), first + group)));
            for (group, row) in of_row.iter_mut().zip(row) {
                if let Some(row) = row {
                    *group = first + own.of_row(*row);
                }
            }
        }
        Self::new(names, stock, of_row, scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::Grouping;

    #[test]
    fn a_scope_of_two_groups_groups_nothing() {
        let names = || vec!["a".to_string(), "b".to_string()];
        let scopes = |second| [("x".to_string(), 0), ("y".to_string(), 1), second];
        let of = |second| Grouping::new(names(), vec![&[], &["stock"]], vec![0, 1], scopes(second));
        assert_eq!(of(("x".to_string(), 1)), None);
        let grouping = of(("z".to_string(), 1)).unwrap();
        assert_eq!(grouping.of_scope("z"), Some(1));
        assert_eq!(grouping.of_scope("w"), None);
        assert!(grouping.is_stock(1, "stock") && !grouping.is_stock(0, "stock"));
        let joined = Grouping::joined(2, [("p", Some(grouping), &[Some(1), None][..])]).unwrap();
        assert_eq!(joined.of_scope("p: z"), Some(1));
        assert_eq!(joined.of_row(0), 1);
        assert_eq!(Grouping::whole(3).of_scope("anything"), Some(0));
    }
}
