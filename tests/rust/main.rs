//! One harness for the tests of the core that need several modules at once.

mod accounts;
mod allocations;
mod contracts;
mod live;
mod live_properties;
mod seam;
mod shared;
mod soak;
mod toy;
