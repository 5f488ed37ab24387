//! The nouns, the seam between rulebooks and what uses them, and the account that lives.
//!
//! A rulebook is a [`seam::Methodology`]; preparing it for a table of contracts and a market, by
//! [`preparation::Preparation`], gives a [`seam::Prepared`], which margins accounts. No rulebook is named here.

pub mod account;
pub mod batch;
pub mod bounds;
pub mod cells;
pub mod columns;
pub mod combined;
pub mod contract;
pub mod dated;
mod explained;
pub mod greeks;
pub mod grouping;
pub mod house;
pub mod inputs;
pub mod intraday;
pub mod live;
pub mod market;
pub mod missing;
pub mod names;
pub mod parameters;
pub mod preparation;
pub mod products;
pub mod profits;
pub mod provenance;
pub mod reading;
pub mod report;
pub mod scan;
#[cfg(feature = "schema")]
pub mod schema;
pub mod seam;
pub mod securities;
pub mod symbols;
pub mod time;
pub mod version;
mod warnings;
