//! The walls of the house: no file imports in a circle, and each crate names only what stands below it.
//!
//! Cargo holds that a crate uses only what its manifest names; this holds what Cargo does not look at: circles between
//! the files of a crate, rulebooks that name one another, finance in the kernel, Python below the binding, `unsafe` outside
//! its files.

mod graph;
mod source;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use graph::rings;
use source::{Workspace, rust_files, unsafe_lines};

/// What each room may use, from the ground up. A rulebook's name stands for all of them.
const LAYERS: [(&str, &[&str]); 6] = [
    ("margincore-kernel", &[]),
    ("margincore-engine", &["margincore-kernel"]),
    ("rulebook", &["margincore-kernel", "margincore-engine"]),
    (
        "margincore-arrow",
        &["margincore-kernel", "margincore-engine"],
    ),
    (
        "margincore",
        &[
            "margincore-kernel",
            "margincore-engine",
            "margincore-arrow",
            "rulebook",
        ],
    ),
    ("margincore-python", &["margincore"]),
];

/// Nouns of finance that the kernel does not know, nor words that begin with them.
const NOUNS: [&str; 6] = [
    "Contract",
    "Market",
    "Account",
    "Methodology",
    "Rulebook",
    "Prepared",
];

/// The only files with `unsafe`: each block there has its proof beside it.
const UNSAFE: [&str; 3] = [
    "rust/kernel/src/simd.rs",
    "rust/python/src/arrays.rs",
    "rust/python/src/capsules.rs",
];

fn layer(package: &str) -> &str {
    if LAYERS.iter().any(|l| l.0 == package) {
        package
    } else {
        "rulebook"
    }
}

/// Everything that breaks a wall, a line each.
fn breaches(folder: &Path) -> Vec<String> {
    let house = Workspace::read(folder);
    let name = |file: &Path| file.strip_prefix(folder).unwrap().display().to_string();
    let mut out = Vec::new();
    let arrows = house.arrows();
    for ring in rings(&arrows) {
        let mut text = String::from("files in a circle:");
        for from in &ring {
            for (to, (line, path)) in arrows[from].iter().filter(|(to, _)| ring.contains(to)) {
                write!(
                    text,
                    "\n    {}:{line} names {path} of {}",
                    name(from),
                    name(to)
                )
                .unwrap();
            }
        }
        out.push(text);
    }
    for (package, own) in &house.crates {
        let (_, allowed) = LAYERS.iter().find(|l| l.0 == layer(package)).unwrap();
        for need in own.needs.values().filter(|n| house.crates.contains_key(*n)) {
            if !allowed.contains(&layer(need)) {
                out.push(format!("{}: {package} uses {need}", name(&own.root)));
            }
        }
        for python in ["pyo3", "numpy", "pythonize"] {
            if own.needs.contains_key(python) && package != "margincore-python" {
                out.push(format!("{}: {package} uses {python}", name(&own.root)));
            }
        }
    }
    for (path, module) in &house.modules {
        if path[0] == "margincore-kernel" {
            for (word, line) in &module.words {
                if NOUNS.iter().any(|noun| word.starts_with(noun)) {
                    out.push(format!(
                        "{}:{line}: the kernel names {word}",
                        name(&module.file)
                    ));
                }
            }
        }
    }
    for file in rust_files(&folder.join("rust")) {
        if !UNSAFE.contains(&name(&file).as_str()) {
            for line in unsafe_lines(&file) {
                out.push(format!("{}:{line}: unsafe outside its files", name(&file)));
            }
        }
    }
    out
}

#[test]
fn the_walls_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found = breaches(&root.canonicalize().unwrap());
    assert!(
        found.is_empty(),
        "{} breaches\n{}",
        found.len(),
        found.join("\n")
    );
}

/// A house of two rooms in a folder of its own.
struct Planted(PathBuf);

impl Planted {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("walls-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let own = [
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"rust/*\"]\n[workspace.dependencies]\nkernel = { package = \"margincore-kernel\", path = \"rust/kernel\" }\n",
            ),
            (
                "rust/kernel/Cargo.toml",
                "[package]\nname = \"margincore-kernel\"\n",
            ),
            ("rust/kernel/src/lib.rs", "pub mod numbers;\n"),
            ("rust/kernel/src/numbers.rs", "pub struct Number;\n"),
            (
                "rust/engine/Cargo.toml",
                "[package]\nname = \"margincore-engine\"\n[dependencies]\nkernel.workspace = true\n",
            ),
            (
                "rust/engine/src/lib.rs",
                "pub mod a;\npub mod b;\npub mod c;\npub use kernel::numbers;\n",
            ),
            (
                "rust/engine/src/a.rs",
                "use kernel::numbers::Number;\npub struct A(pub Number);\n",
            ),
            (
                "rust/engine/src/b.rs",
                "use super::a::A;\npub struct B(pub A);\n",
            ),
            (
                "rust/engine/src/c.rs",
                "use crate::b::B;\npub fn c(_: B) {}\npub struct C;\n#[cfg(test)]\nmod tests { use super::super::lib; }\n",
            ),
        ];
        let mut all: BTreeMap<&str, &str> = own.into_iter().collect();
        all.extend(files.iter().copied());
        for (path, text) in all {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_clean_house_has_no_breach() {
    let house = Planted::new("clean", &[]);
    assert_eq!(breaches(&house.0), Vec::<String>::new());
}

#[test]
fn every_planted_breach_is_found() {
    let a = "rust/engine/src/a.rs";
    // A name, the files that differ from the clean house, and what has to be said.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        (
            "import",
            &[(a, "use crate::c::C;\npub struct A(pub C);\n")],
            "files in a circle",
        ),
        (
            "super",
            &[(a, "pub struct A(pub super::c::C);\n")],
            "names super::c::C",
        ),
        (
            "expression",
            &[(
                a,
                "pub struct A;\npub fn f(b: crate::b::B) { crate::c::c(b) }\n",
            )],
            "crate::c::c",
        ),
        (
            "macro",
            &[(
                a,
                "pub struct A;\npub fn f() { println!(\"{:?}\", crate::c::C) }\n",
            )],
            "crate::c::C",
        ),
        (
            "glob",
            &[(a, "use crate::c::*;\npub struct A(pub C);\n")],
            "names C of",
        ),
        (
            "re-export",
            &[
                (
                    "rust/engine/src/lib.rs",
                    "pub mod a;\npub mod b;\npub mod c;\npub use c::C as Third;\n",
                ),
                (a, "use crate::Third;\npub struct A(pub Third);\n"),
            ],
            "names crate::Third of rust/engine/src/c.rs",
        ),
        (
            "two",
            &[(a, "use crate::b::B;\npub struct A(pub Box<B>);\n")],
            "rust/engine/src/b.rs:1 names super::a::A of rust/engine/src/a.rs",
        ),
        (
            "parent",
            &[
                (
                    "rust/engine/src/c/mod.rs",
                    "mod inner;\npub struct C;\npub fn c() { inner::f() }\n",
                ),
                (
                    "rust/engine/src/c/inner.rs",
                    "pub fn f() { let _ = super::C; }\n",
                ),
                ("rust/engine/src/c.rs", ""),
                (
                    "rust/engine/src/lib.rs",
                    "pub mod a;\npub mod b;\n#[path = \"\"]\npub mod c { mod inner { pub fn f() { let _ = crate::a::A; } } }\n",
                ),
                (a, "pub struct A;\npub fn f() { crate::b::g() }\n"),
                (
                    "rust/engine/src/b.rs",
                    "use super::a::A;\npub fn g() { let _ = A; }\n",
                ),
            ],
            "names crate::b::g",
        ),
        (
            "serde",
            &[(
                a,
                "pub struct A { #[serde(default = \"crate::c::c\")] pub b: u8 }\n",
            )],
            "names crate::c::c of",
        ),
        (
            "exported macro",
            &[
                (
                    "rust/engine/src/c.rs",
                    "use crate::a::A;\n#[macro_export]\nmacro_rules! shout { () => {} }\npub fn c(_: A) {}\n",
                ),
                (a, "pub struct A;\npub fn f() { crate::shout!() }\n"),
            ],
            "names crate::shout of rust/engine/src/c.rs",
        ),
        (
            "noun",
            &[(
                "rust/kernel/src/numbers.rs",
                "pub struct Number;\npub fn f(market: Market) {}\n",
            )],
            "the kernel names Market",
        ),
        (
            "unsafe",
            &[(a, "pub struct A;\npub fn f() { unsafe { g() } }\n")],
            "unsafe outside its files",
        ),
        (
            "up",
            &[
                (
                    "Cargo.toml",
                    "[workspace]\nmembers = [\"rust/*\"]\n[workspace.dependencies]\nengine = { package = \"margincore-engine\", path = \"rust/engine\" }\nkernel = { package = \"margincore-kernel\", path = \"rust/kernel\" }\n",
                ),
                (
                    "rust/kernel/Cargo.toml",
                    "[package]\nname = \"margincore-kernel\"\n[dependencies]\nengine.workspace = true\n",
                ),
            ],
            "margincore-kernel uses margincore-engine",
        ),
        (
            "sideways",
            &[
                (
                    "rust/tims/Cargo.toml",
                    "[package]\nname = \"margincore-tims\"\n",
                ),
                ("rust/tims/src/lib.rs", "pub struct Tims;\n"),
                (
                    "rust/span/Cargo.toml",
                    "[package]\nname = \"margincore-span\"\n[dependencies]\nmargincore-tims = { path = \"../tims\" }\n",
                ),
                ("rust/span/src/lib.rs", "pub use margincore_tims::Tims;\n"),
            ],
            "margincore-span uses margincore-tims",
        ),
        (
            "python",
            &[(
                "rust/engine/Cargo.toml",
                "[package]\nname = \"margincore-engine\"\n[dependencies]\nkernel.workspace = true\npyo3 = \"0.29\"\n",
            )],
            "margincore-engine uses pyo3",
        ),
    ];
    for (name, files, expected) in cases {
        let house = Planted::new(name, files);
        let found = breaches(&house.0).join("\n");
        assert!(found.contains(expected), "{name}: {found:?}");
    }
}
