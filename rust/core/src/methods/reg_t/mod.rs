//! Reg T and strategy-based margin: Regulation T, FINRA 4210(f)(2), Cboe 10.3, with the cheapest pairing.

pub mod branch;
pub mod pairing;
pub mod program;
pub mod rules;
pub mod simplex;
