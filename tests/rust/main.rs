//! One harness for the tests of the core that need several modules at once.

mod accounts;
mod allocations;
mod contracts;
mod hvar;
mod live;
mod live_properties;
mod reg_t;
mod seam;
mod soak;
mod span;
mod span_files;
mod span_fuzz;
mod toy;
