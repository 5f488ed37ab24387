//! Orders, limits and decisions.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::account::{Effect, MAX_LOTS};
use crate::bounds;
use crate::contract::ContractIndex;
use crate::report::Requirement;
use kernel::error::{MarginError, Result};
use kernel::fail;
use kernel::float::hex;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Buy,
    Sell,
}

/// An order: whole lots at a limit price, which is also the price it is assumed to be filled at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub id: String,
    pub contract: ContractIndex,
    pub side: Side,
    /// Positive lots.
    pub lots: i64,
    /// In the contract's quote.
    pub price: f64,
    /// For the whole order, in the contract's currency; negative for a rebate.
    #[serde(default)]
    pub fees: f64,
    /// Needed where the account keeps long and short apart.
    #[serde(default)]
    pub effect: Option<Effect>,
    /// Whether it fills completely or not at all. Its partial fills are not judged; where a rulebook has no closed form
    /// for the worst case of open orders, it counts for two ways of filling instead of one per lot.
    #[serde(default)]
    pub all_or_none: bool,
    /// Why the quantity it was written with is no number of lots. Such an order is refused wherever it is given.
    #[serde(skip)]
    pub unfit: Option<Box<str>>,
}

impl Order {
    pub fn signed_lots(&self) -> i64 {
        match self.side {
            Side::Buy => self.lots,
            Side::Sell => -self.lots,
        }
    }

    pub fn validate(&self) -> Result<()> {
        if self.id.is_empty() {
            fail!(InvalidInput: NotStated; "an order needs an id");
        }
        if let Some(why) = &self.unfit {
            fail!(InvalidInput: NotWhole; "{why}");
        }
        if !(1..=MAX_LOTS).contains(&self.lots) {
            fail!(
                InvalidInput: NotWhole;
                "order '{}': {} lots: a whole number from 1 to 2^53 is needed",
                self.id,
                self.lots
            );
        }
        for (name, value) in [("price", self.price), ("fees", self.fees)] {
            if !value.is_finite() {
                fail!(
                    InvalidInput: NotFinite;
                    "order '{}': {name} is {value}: a finite number is needed",
                    self.id
                );
            }
        }
        Ok(())
    }
}

/// What a check is held against. Money is in the report's currency, on the basis of `equity_required`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limit {
    /// The requirement may not be larger.
    pub max_requirement: Option<f64>,
    /// Equity less requirement may not be smaller.
    pub min_excess: Option<f64>,
    /// Seconds the market may be away from `now`.
    pub max_age: Option<f64>,
    /// The largest distance of a price from the mark, as a fraction of the mark.
    pub price_collar: Option<f64>,
    /// Contracts in one order.
    pub max_quantity: Option<f64>,
    /// Price times quantity of one order.
    pub max_notional: Option<f64>,
    /// At most so many messages in so many seconds.
    pub throttle: Option<(u32, f64)>,
    /// Judges the complete fill of an order only, not its partial fills.
    pub complete_only: bool,
    /// No fill may create or increase an intraday margin deficit (FINRA 4210(d)(2)). Written only where set: the digests
    /// of decisions under other limits are those they were.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub block_intraday_deficit: bool,
}

impl Limit {
    pub fn validate(&self) -> Result<()> {
        if self.max_requirement.is_none()
            && self.min_excess.is_none()
            && !self.block_intraday_deficit
        {
            fail!(
                InvalidInput: NotStated;
                "a limit states max_requirement, min_excess or block_intraday_deficit"
            );
        }
        for (name, value) in [
            ("max_requirement", self.max_requirement),
            ("min_excess", self.min_excess),
            ("max_age", self.max_age),
            ("price_collar", self.price_collar),
            ("max_quantity", self.max_quantity),
            ("max_notional", self.max_notional),
            ("throttle", self.throttle.map(|t| t.1)),
        ] {
            if let Some(value) = value {
                let what = format_args!("limit: {name}");
                if name == "min_excess" {
                    bounds::finite(what, value)?;
                } else {
                    bounds::not_negative(what, value)?;
                }
            }
        }
        // A price a whole mark away, at zero or at twice the mark, is held by no collar that means anything.
        if let Some(collar) = self.price_collar {
            bounds::fraction("limit: price_collar", collar)?;
        }
        Ok(())
    }
}

/// Why an order was refused; the first that applies in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Accepted,
    Killed,
    InvalidOrder,
    InvalidLimit,
    DuplicateOrder,
    NoTime,
    StaleMarket,
    UnknownContract,
    Throttled,
    MaxQuantity,
    MaxNotional,
    PriceCollar,
    OpenOrders,
    MissingData,
    Engine,
    MaxRequirement,
    MinExcess,
    IntradayDeficit,
}

impl Reason {
    pub fn code(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Killed => "killed",
            Self::InvalidOrder => "invalid_order",
            Self::InvalidLimit => "invalid_limit",
            Self::DuplicateOrder => "duplicate_order",
            Self::NoTime => "no_time",
            Self::StaleMarket => "stale_market",
            Self::UnknownContract => "unknown_contract",
            Self::Throttled => "throttled",
            Self::MaxQuantity => "max_quantity",
            Self::MaxNotional => "max_notional",
            Self::PriceCollar => "price_collar",
            Self::OpenOrders => "open_orders",
            Self::MissingData => "missing_data",
            Self::Engine => "engine",
            Self::MaxRequirement => "max_requirement",
            Self::MinExcess => "min_excess",
            Self::IntradayDeficit => "intraday_deficit",
        }
    }
}

/// How the worst case over fills of open orders was established.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// There were no open orders.
    None,
    /// A closed form over every set of partial fills, reached by one of them.
    Exact,
    /// A closed form that the worst set of fills cannot exceed.
    Bound,
    /// Every set of fills was margined, partial ones of orders that may fill in part.
    EveryFill,
}

impl Coverage {
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Exact => "exact",
            Self::Bound => "bound",
            Self::EveryFill => "every_fill",
        }
    }
}

/// The answer to a check. Anything that could not be established is a refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub accepted: bool,
    pub reason: Reason,
    /// What went wrong, with the numbers that decided; empty where the order is accepted.
    pub message: String,
    /// Fresh margins of the positions, without open orders: now, and with the order filled.
    pub before: Requirement,
    pub after: Requirement,
    /// The requirement that limits are held against, open orders in their worst case: with the order filled
    /// completely, or with a part of it filled that needs more than that and more than none of it.
    pub worst: f64,
    /// Equity less requirement, now and in the worst case of it; `None` where equity is not known.
    pub excess_before: Option<f64>,
    pub excess_after: Option<f64>,
    /// How far the tightest limit is away; negative where it is broken.
    pub headroom: f64,
    /// How the worst case of open orders was established.
    pub coverage: Coverage,
    /// Seconds from the market to `now`.
    pub market_age: Option<f64>,
    /// Counts the markets this account has seen, and its checks.
    pub epoch: u64,
    pub sequence: u64,
}

impl Decision {
    /// With what an examination came to.
    pub(super) fn close(&mut self, examined: std::result::Result<(), Refusal>) {
        match examined {
            Ok(()) => (self.accepted, self.reason) = (true, Reason::Accepted),
            Err(Refusal(reason, message)) => (self.reason, self.message) = (reason, message),
        }
    }

    /// SHA-256, in hexadecimal, of the decision with the order and limit it was made for.
    pub fn digest(&self, order: &Order, limit: &Limit, contracts: &[u8; 32]) -> String {
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        hash.update(contracts);
        for text in [
            serde_json::to_vec(order).expect("orders are plain data"),
            serde_json::to_vec(limit).expect("limits are plain data"),
        ] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(&text);
        }
        hash.update(self.reason.code());
        for number in [
            self.before.initial,
            self.after.initial,
            self.worst,
            self.excess_before.unwrap_or(0.0),
            self.excess_after.unwrap_or(0.0),
        ] {
            hash.update(number.to_bits().to_le_bytes());
        }
        hash.update(self.epoch.to_le_bytes());
        hash.update(self.sequence.to_le_bytes());
        hex(&hash.finalize())
    }
}

/// A refusal on its way out of a check.
pub(super) struct Refusal(pub(super) Reason, pub(super) String);

impl From<MarginError> for Refusal {
    fn from(error: MarginError) -> Self {
        let reason = match error {
            MarginError::MissingData(_) => Reason::MissingData,
            _ => Reason::Engine,
        };
        Self(reason, error.message().to_string())
    }
}
