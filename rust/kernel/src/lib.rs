//! Numbers only: pricing kernels over columns, the processor's instruction sets, threads, the one error type.
//!
//! Nothing here knows what a contract, a market or an account is.

pub mod error;
pub mod float;
pub mod interrupt;
pub mod parallel;
pub mod pricing;
pub mod shared;
pub mod simd;
