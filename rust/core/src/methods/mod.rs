//! Rulebooks, one folder each.

pub mod crypto;
pub mod hvar;
pub mod reg_t;
pub mod registry;
pub mod span;
pub mod tims;
