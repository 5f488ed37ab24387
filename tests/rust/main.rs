//! One harness for the tests of the core that need several modules at once.

mod seam;
mod toy;
