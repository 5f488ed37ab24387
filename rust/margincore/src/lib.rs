//! margincore: derivatives margin under the rulebooks that matter.
//!
//! This crate is the face: the engine's nouns, every rulebook, and [`registry`], which builds them by name. It knows nothing
//! of Python. A rulebook is a [`seam::Methodology`]; preparing it for a table of contracts and a market, by
//! [`preparation::Preparation`], gives a [`seam::Prepared`], which margins accounts.

pub mod registry;
#[cfg(feature = "schema")]
pub mod schema;

pub use engine::{
    account, batch, bounds, cells, columns, combined, contract, greeks, house, inputs, intraday,
    live, market, missing, names, parameters, preparation, products, provenance, reading, report,
    scan, seam, securities, symbols, time, version,
};
pub use kernel::error::{MarginError, Result};
pub use kernel::{error, fail, float, interrupt, parallel, pricing, shared, simd};
pub use margincore_arrow as arrow;
pub use margincore_crypto as crypto;
pub use margincore_hvar as hvar;
pub use margincore_reg_t as reg_t;
pub use margincore_span as span;
pub use margincore_tims as tims;
