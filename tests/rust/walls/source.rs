//! The workspace as text: crates, their modules, and what each module defines, imports and names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// A crate by the name that code uses for it.
pub(crate) struct Crate {
    pub(crate) root: PathBuf,
    /// Of the crates it depends on, the name in code and the package.
    pub(crate) needs: BTreeMap<String, String>,
}

/// One module: where it is written, and what is in it.
#[derive(Default)]
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    pub(crate) items: BTreeSet<String>,
    /// Names brought in by `use`, and what they stand for.
    pub(crate) imports: BTreeMap<String, Vec<String>>,
    pub(crate) globs: Vec<Vec<String>>,
    /// Paths of `use` lines that are no re-exports.
    pub(crate) used: Vec<(Vec<String>, usize)>,
    /// Paths in types, expressions, patterns and macros.
    pub(crate) named: Vec<(Vec<String>, usize)>,
    /// Every identifier, for what a crate may not name.
    pub(crate) words: BTreeMap<String, usize>,
}

/// All modules by full path: the package first.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(crate) crates: BTreeMap<String, Crate>,
    pub(crate) modules: BTreeMap<Vec<String>, Module>,
    /// Exported macros by package and name, and the files they are written in.
    pub(crate) macros: BTreeMap<Vec<String>, PathBuf>,
}

impl Workspace {
    /// Reads the members of the workspace in a folder; test code is left out.
    pub(crate) fn read(folder: &Path) -> Self {
        let manifest = toml(&folder.join("Cargo.toml"));
        let shared = &manifest["workspace"]["dependencies"];
        let mut this = Self::default();
        for member in manifest["workspace"]["members"].as_array().unwrap() {
            for folder in expand(folder, member.as_str().unwrap()) {
                let own = toml(&folder.join("Cargo.toml"));
                let name = own["package"]["name"].as_str().unwrap().to_string();
                let needs = dependencies(&own).into_iter().map(|(key, value)| {
                    let package = |v: &toml::Value| Some(v.get("package")?.as_str()?.to_string());
                    let package = package(&value)
                        .or_else(|| package(shared.get(&key)?))
                        .unwrap_or_else(|| key.clone());
                    (key.replace('-', "_"), package)
                });
                let entry = Crate {
                    root: folder.clone(),
                    needs: needs.collect(),
                };
                this.crates.insert(name.clone(), entry);
                let lib = folder.join("src/lib.rs");
                if lib.exists() {
                    this.file(vec![name], &lib);
                }
            }
        }
        this
    }

    fn file(&mut self, path: Vec<String>, file: &Path) {
        let text = fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        self.module(path, file, &parsed.items, file_folder(file));
    }

    fn module(&mut self, path: Vec<String>, file: &Path, items: &[Item], folder: PathBuf) {
        let mut module = Module {
            file: file.to_path_buf(),
            ..Module::default()
        };
        let mut reader = Reader {
            module: &mut module,
            children: Vec::new(),
            exported: Vec::new(),
        };
        for item in items {
            reader.visit_item(item);
        }
        let (children, exported) = (reader.children, reader.exported);
        let root = path[0].clone();
        self.macros.extend(
            exported
                .into_iter()
                .map(|name| (vec![root.clone(), name], file.to_path_buf())),
        );
        for child in children {
            let name = child.ident.to_string();
            let mut below = path.clone();
            below.push(name.clone());
            match &child.content {
                Some((_, items)) => self.module(below, file, items, folder.join(&name)),
                None => {
                    let beside = folder.join(format!("{name}.rs"));
                    let inside = folder.join(&name).join("mod.rs");
                    self.file(below, if beside.exists() { &beside } else { &inside });
                }
            }
        }
        self.modules.insert(path, module);
    }
}

/// Where a file's child modules are.
fn file_folder(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap().to_str().unwrap();
    let folder = file.parent().unwrap();
    match stem {
        "lib" | "mod" | "main" => folder.to_path_buf(),
        _ => folder.join(stem),
    }
}

fn toml(path: &Path) -> toml::Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse::<toml::Table>().unwrap().into()
}

/// What a manifest's own code needs, on any target.
fn dependencies(manifest: &toml::Value) -> Vec<(String, toml::Value)> {
    let targets = manifest.get("target").and_then(|t| t.as_table());
    let targets = targets.into_iter().flatten().map(|(_, target)| target);
    let tables = std::iter::once(manifest).chain(targets);
    let own = tables.filter_map(|t| t.get("dependencies")?.as_table());
    own.flatten().map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// The lines of a file with the keyword `unsafe`, tests and all.
pub(crate) fn unsafe_lines(file: &Path) -> Vec<usize> {
    fn within(tokens: TokenStream, out: &mut Vec<usize>) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if ident == "unsafe" => out.push(ident.span().start().line),
                TokenTree::Group(group) => within(group.stream(), out),
                _ => {}
            }
        }
    }
    let mut out = Vec::new();
    within(fs::read_to_string(file).unwrap().parse().unwrap(), &mut out);
    out
}

/// Every Rust file below a folder.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
    out.sort();
    out
}

/// A member, or those that a `*` at the end stands for.
fn expand(folder: &Path, member: &str) -> Vec<PathBuf> {
    let Some(parent) = member.strip_suffix("/*") else {
        return vec![folder.join(member)];
    };
    let entries = fs::read_dir(folder.join(parent)).unwrap();
    let mut found: Vec<PathBuf> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("Cargo.toml").exists())
        .collect();
    found.sort();
    found
}

struct Reader<'a> {
    module: &'a mut Module,
    children: Vec<syn::ItemMod>,
    /// Macros that stand at the root of the crate wherever they are written.
    exported: Vec<String>,
}

impl Reader<'_> {
    fn leaves(&mut self, tree: &UseTree, prefix: &[String], is_public: bool, line: usize) {
        let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.leaves(&path.tree, &with(&path.ident), is_public, line),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.leaves(tree, prefix, is_public, line);
                }
            }
            UseTree::Glob(_) => self.module.globs.push(prefix.to_vec()),
            UseTree::Name(name) => {
                let is_self = name.ident == "self";
                let full = if is_self {
                    prefix.to_vec()
                } else {
                    with(&name.ident)
                };
                let local = full.last().unwrap().clone();
                self.import(local, full, is_public, line);
            }
            UseTree::Rename(rename) => {
                let is_self = rename.ident == "self";
                let full = if is_self {
                    prefix.to_vec()
                } else {
                    with(&rename.ident)
                };
                self.import(rename.rename.to_string(), full, is_public, line);
            }
        }
    }

    fn import(&mut self, local: String, full: Vec<String>, is_public: bool, line: usize) {
        if !is_public {
            self.module.used.push((full.clone(), line));
        }
        self.module.imports.insert(local, full);
    }

    /// Paths and words in what a macro is given.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    let line = ident.span().start().line;
                    self.word(&ident.to_string(), line);
                    if colons != 2 {
                        path.clear();
                    }
                    path.push(ident.to_string());
                    if path.len() > 1 || colons == 0 {
                        self.module.named.push((path.clone(), line));
                    }
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    path.clear();
                    self.tokens(group.stream());
                }
                _ => {
                    path.clear();
                    colons = 0;
                }
            }
        }
    }

    fn texts(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let path: Vec<String> = text
                        .trim_matches('"')
                        .split("::")
                        .map(String::from)
                        .collect();
                    let is_name = |n: &String| {
                        syn::parse_str::<syn::Ident>(n).is_ok() || n == "crate" || n == "super"
                    };
                    if path.len() > 1 && path.iter().all(is_name) {
                        let line = literal.span().start().line;
                        self.module.named.push((path, line));
                    }
                }
                TokenTree::Group(group) => self.texts(group.stream()),
                _ => {}
            }
        }
    }

    fn word(&mut self, word: &str, line: usize) {
        self.module.words.entry(word.to_string()).or_insert(line);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|a| {
        let is_cfg = a.path().is_ident("cfg");
        a.path().is_ident("test")
            || (is_cfg && a.meta.require_list().unwrap().tokens.to_string() == "test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_test(attributes(item)) {
            return;
        }
        let name = match item {
            Item::Const(i) => Some(&i.ident),
            Item::Enum(i) => Some(&i.ident),
            Item::Union(i) => Some(&i.ident),
            Item::Fn(i) => Some(&i.sig.ident),
            Item::Macro(i) => i.ident.as_ref(),
            Item::Static(i) => Some(&i.ident),
            Item::Struct(i) => Some(&i.ident),
            Item::Trait(i) => Some(&i.ident),
            Item::Type(i) => Some(&i.ident),
            _ => None,
        };
        if let Some(name) = name {
            self.module.items.insert(name.to_string());
            let is_exported = |a: &Attribute| a.path().is_ident("macro_export");
            if attributes(item).iter().any(is_exported) {
                self.exported.push(name.to_string());
            }
        }
        match item {
            Item::Mod(child) => self.children.push(child.clone()),
            Item::Use(line) => {
                let is_public = !matches!(line.vis, syn::Visibility::Inherited);
                let at = line.use_token.span.start().line;
                self.leaves(&line.tree, &[], is_public, at);
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, line: &'ast syn::ItemUse) {
        let at = line.use_token.span.start().line;
        self.leaves(&line.tree, &[], false, at);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let line = path.segments[0].ident.span().start().line;
        self.module.named.push((names, line));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.visit_path(&mac.path);
        self.tokens(mac.tokens.clone());
    }

    fn visit_ident(&mut self, ident: &'ast syn::Ident) {
        self.word(&ident.to_string(), ident.span().start().line);
    }

    /// A path may stand in an attribute's text: `#[serde(default = "crate::parameters::one")]`.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.texts(list.tokens.clone());
        }
    }
}
