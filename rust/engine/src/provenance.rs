//! What made a number: the build, the rulebook's parameters, the table and the market, each by its digest.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::market::{Column, Market, Marks};
use crate::preparation::Preparation;
use crate::seam::Methodology;
use kernel::float::hex;

/// The version of the build: numbers of two builds may differ in their last bits.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The digests of a [`Preparation`], in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provenance {
    pub version: &'static str,
    /// The rulebook's name, which holds its digest apart from that of another with equal parameters.
    pub methodology: String,
    pub parameters: String,
    pub contracts: String,
    /// Empty without a market.
    pub market: String,
}

impl Provenance {
    /// Of a rulebook, a table of this digest, and a market.
    fn new(methodology: &dyn Methodology, contracts: &[u8; 32], market: Option<&Market>) -> Self {
        Self {
            version: VERSION,
            methodology: methodology.name().to_string(),
            parameters: methodology.digest(),
            contracts: hex(contracts),
            market: market.map_or_else(String::new, digest),
        }
    }

    /// One digest of all of them: equal where the same numbers come out.
    pub fn digest(&self) -> String {
        hex(&hashed(self).finalize())
    }

    /// Names and values, as a schema's metadata has them.
    pub fn entries(&self) -> [(&'static str, String); 6] {
        [
            ("version", self.version.to_string()),
            ("methodology", self.methodology.clone()),
            ("parameters", self.parameters.clone()),
            ("contracts", self.contracts.clone()),
            ("market", self.market.clone()),
            ("digest", self.digest()),
        ]
    }
}

impl Preparation {
    /// What its numbers are made of.
    pub fn provenance(&self) -> Provenance {
        Provenance::new(
            self.methodology.as_ref(),
            self.prepared.contracts().digest(),
            self.market.as_deref(),
        )
    }
}

/// SHA-256 of a market as it was given: its document, and its columns beside the tables they follow.
pub fn digest(market: &Market) -> String {
    let mut hash = hashed(market.snapshot());
    let (price, vol) = market.columns();
    for (name, column) in [("price", price), ("vol", vol)] {
        if let Some(Column { contracts, values }) = column {
            hash.update(name);
            hash.update(contracts.digest());
            for value in values {
                hash.update(value.to_le_bytes());
            }
        }
    }
    if market.marks() == Marks::Keep {
        hash.update("marks kept");
    }
    hex(&hash.finalize())
}

fn hashed<T: Serialize>(document: &T) -> Sha256 {
    let text = serde_json::to_vec(document).expect("it is plain data");
    let mut hash = Sha256::new();
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(&text);
    hash
}
