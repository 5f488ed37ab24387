//! SPAN: exchange files in, PC-SPAN's arithmetic, every component explained.
//!
//! [`model`] is one parameter model for both file formats ([`spn`] XML and [`pa2`] fixed width, through
//! [`container`]); `engine` margins.

pub mod cache;
pub mod container;
pub mod model;
pub mod pa2;
mod pa2_records;
mod pa2_spreads;
pub mod spn;
mod spn_commodity;
mod xml;

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(data: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(data).iter().map(|b| format!("{b:02x}")).collect()
}
