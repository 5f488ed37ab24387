//! One harness for the tests of the core that need several modules at once.

mod allocations;
mod live;
mod reg_t;
mod seam;
mod span;
mod span_files;
mod span_fuzz;
mod toy;
