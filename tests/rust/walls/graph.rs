//! Which file names which: paths followed through imports, re-exports and globs to where the item is written.
//!
//! A method called on a value, or a trait used through one, has no path and makes no arrow.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::source::{Module, Workspace};

/// Arrows between files, each with the first place that makes it.
pub(crate) type Arrows = BTreeMap<PathBuf, BTreeMap<PathBuf, (usize, String)>>;

/// Imports that import each other are not followed for ever.
const DEEPEST: usize = 24;

impl Workspace {
    pub(crate) fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (path, module) in &self.modules {
            let own = arrows.entry(module.file.clone()).or_default();
            for (names, line) in module.used.iter().chain(&module.named) {
                if let Some(file) = self.file_of(path, module, names)
                    && file != module.file
                {
                    own.entry(file).or_insert((*line, names.join("::")));
                }
            }
        }
        arrows
    }

    /// The file that defines what a path in a module names; none for modules alone, and for what is not ours.
    fn file_of(&self, path: &[String], module: &Module, names: &[String]) -> Option<PathBuf> {
        // A name alone is its own module's, or imported, which is an arrow already, or comes by a glob.
        if names.len() == 1
            && (module.items.contains(&names[0]) || module.imports.contains_key(&names[0]))
        {
            let imported = module
                .imports
                .get(&names[0])
                .filter(|full| full.len() > 1)?;
            let is_use = imported.last() == names.last();
            return is_use.then(|| self.resolve(path, imported, 0)).flatten();
        }
        self.resolve(path, names, 0)
    }

    fn resolve(&self, from: &[String], names: &[String], depth: usize) -> Option<PathBuf> {
        if depth > DEEPEST {
            return None;
        }
        let (first, rest) = names.split_first()?;
        let (at, rest): (Vec<String>, &[String]) = match first.as_str() {
            "crate" | "$crate" => (vec![from[0].clone()], rest),
            "self" => (from.to_vec(), rest),
            "super" => (from[..from.len() - 1].to_vec(), rest),
            name => {
                let package = &self.crates.get(&from[0])?.needs;
                match package.get(name).filter(|p| self.crates.contains_key(*p)) {
                    Some(package) => (vec![package.clone()], rest),
                    None => (from.to_vec(), names),
                }
            }
        };
        self.walk(at, rest, depth)
    }

    /// Follows names down from a module.
    fn walk(&self, mut at: Vec<String>, mut names: &[String], depth: usize) -> Option<PathBuf> {
        while let [first, rest @ ..] = names {
            if first == "super" {
                at.pop();
                names = rest;
                continue;
            }
            let below = [at.as_slice(), std::slice::from_ref(first)].concat();
            if self.modules.contains_key(&below) {
                (at, names) = (below, rest);
                continue;
            }
            // A macro that is exported stands at the root.
            if let Some(file) = self.macros.get(&below) {
                return Some(file.clone());
            }
            let module = self.modules.get(&at)?;
            if module.items.contains(first) {
                return Some(module.file.clone());
            }
            if let Some(full) = module.imports.get(first) {
                let full = [full.as_slice(), rest].concat();
                // A name that stands for itself is of another crate.
                if full.first() == Some(first)
                    && full.len() == names.len()
                    && !self.is_ours(&at, first)
                {
                    return None;
                }
                return self.resolve(&at, &full, depth + 1);
            }
            return module
                .globs
                .iter()
                .find_map(|glob| self.resolve(&at, &[glob.as_slice(), names].concat(), depth + 1));
        }
        None
    }

    fn is_ours(&self, at: &[String], name: &str) -> bool {
        let needs = &self.crates[&at[0]].needs;
        needs.get(name).is_some_and(|p| self.crates.contains_key(p))
    }
}

/// Sets of files each of which can be reached from every other.
pub(crate) fn rings(arrows: &Arrows) -> Vec<Vec<PathBuf>> {
    let reach = |from: &PathBuf| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(file) = next.pop() {
            for to in arrows.get(&file).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(to.clone()) {
                    next.push(to.clone());
                }
            }
        }
        seen
    };
    let all: BTreeMap<PathBuf, BTreeSet<PathBuf>> =
        arrows.keys().map(|f| (f.clone(), reach(f))).collect();
    let mut found: BTreeSet<Vec<PathBuf>> = BTreeSet::new();
    for (file, reached) in &all {
        let ring: Vec<PathBuf> = reached
            .iter()
            .filter(|other| all.get(*other).is_some_and(|back| back.contains(file)))
            .cloned()
            .collect();
        if ring.len() > 1 {
            found.insert(ring);
        }
    }
    found.into_iter().collect()
}
