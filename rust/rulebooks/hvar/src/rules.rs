//! What the rules of stages do: one function a rule, which says everything that is asked of it, in [`parts::Parts`].

pub(super) mod account;
pub(super) mod contracts;
pub(super) mod liquidity;
pub(super) mod parts;
