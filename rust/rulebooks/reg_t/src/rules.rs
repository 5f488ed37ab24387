//! What each recognised strategy requires, per contract, with the rulebook's percentages as data.
//!
//! Amounts are dollars per contract (or per share). They are kept apart, because the manual quotes gross numbers,
//! brokers quote net ones, and the account is judged on liquidating equity.

use std::sync::Arc;

use engine::bounds;
use kernel::error::Result;

/// When the requirement is asked: on the trade date (Reg T), or while the position is held (FINRA 4210(f)(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Initial,
    Maintenance,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    Call,
    Put,
}

/// The numbers of the rulebook that are not tied to a class of underlying. All fractions, except as said.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// Share of long stock's value asked initially: 0.5 (12 CFR 220.12).
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub stock_initial: f64,
    /// Share of long stock's value asked as maintenance: 0.25 (FINRA 4210(c)).
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub stock_maintenance: f64,
    /// Share of short stock's value asked initially, beside the proceeds: 0.5 (12 CFR 220.12).
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Share"))]
    pub short_stock_initial: f64,
    /// Share of short stock's value asked as maintenance: 0.3 (FINRA 4210(c)).
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Share"))]
    pub short_stock_maintenance: f64,
    /// Dollars a share.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::PerUnit"))]
    pub short_stock_floor: f64,
    /// Dollars a share: below it the two numbers after it apply.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::PerUnit"))]
    pub low_price: f64,
    /// Share of short stock's value asked as maintenance below `low_price`.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Share"))]
    pub low_price_maintenance: f64,
    /// Least dollars a share of short stock below `low_price`.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::PerUnit"))]
    pub low_price_floor: f64,
    /// Loan value of a long option with more than `loan_after_months` to run.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub long_option_loan: f64,
    /// Months beyond which a long option has loan value.
    pub loan_after_months: u32,
    /// Share of the strike asked, with what is out of the money, of stock with an option that protects it.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub protective_strike: f64,
    /// Share of the strike asked of a conversion or reverse conversion.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub conversion_strike: f64,
    /// Share of the difference of strikes at which a long European cash-settled box is worth holding.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub box_difference: f64,
    /// Whether the manual's presentation counts short-sale proceeds inside the gross requirement.
    pub gross_includes_short_sale: bool,
    /// Whether the in-the-money amount of a written option is added to the requirement (as some brokers show it)
    /// rather than taken off the value at which the stock is carried. Equal in effect.
    pub itm_in_gross: bool,
    /// Whether stock with an option written on it is carried at no more (less) than the strike.
    pub carry_at_strike: bool,
    /// Whether iron condors are recognised only with equal wings (a broker's rule).
    pub equal_wings: bool,
}

/// The largest share of its value that is asked for what is short: 300 %, the most a stock's range has as a rule.
pub const MAX_SHORT: f64 = 3.0;

impl Numbers {
    pub fn check(&self) -> Result<()> {
        // Of what is paid for or lent: the whole at most.
        for (what, value) in [
            ("stock_initial", self.stock_initial),
            ("stock_maintenance", self.stock_maintenance),
            ("long_option_loan", self.long_option_loan),
            ("protective_strike", self.protective_strike),
            ("conversion_strike", self.conversion_strike),
            ("box_difference", self.box_difference),
        ] {
            bounds::fraction(format_args!("reg t: {what}"), value)?;
        }
        for (what, value) in [
            ("short_stock_initial", self.short_stock_initial),
            ("short_stock_maintenance", self.short_stock_maintenance),
            ("low_price_maintenance", self.low_price_maintenance),
        ] {
            bounds::share(format_args!("reg t: {what}"), value, MAX_SHORT)?;
        }
        for (what, value) in [
            ("short_stock_floor", self.short_stock_floor),
            ("low_price", self.low_price),
            ("low_price_floor", self.low_price_floor),
        ] {
            bounds::not_negative(format_args!("reg t: {what}"), value)?;
        }
        Ok(())
    }

    /// A cash account borrows nothing: securities are paid in full (12 CFR 220.8).
    #[must_use]
    pub fn in_cash(&self) -> Self {
        Self {
            stock_initial: 1.0,
            stock_maintenance: 1.0,
            long_option_loan: 0.0,
            carry_at_strike: false,
            ..self.clone()
        }
    }
}

/// One requirement in the parts that the presentations combine differently.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Amounts {
    /// Long options, less their loan value.
    pub paid: f64,
    /// On short options and spreads, the marks of the shorts included.
    pub short: f64,
    /// On stock; short sales include the proceeds where the presentation does.
    pub stock: f64,
    /// Marks of short options that may be applied.
    pub proceeds: f64,
    /// Short-sale proceeds inside `stock`.
    pub short_sale: f64,
    /// What stock carried at the strike of a written option lacks against its market value.
    pub carried: f64,
}

impl Amounts {
    /// Liquidating equity that must stand behind it.
    pub fn equity(&self) -> f64 {
        self.gross() - self.proceeds - self.short_sale + self.carried
    }

    pub fn gross(&self) -> f64 {
        self.paid + self.short + self.stock
    }

    pub fn add(&mut self, other: &Self, times: f64) {
        self.paid += other.paid * times;
        self.short += other.short * times;
        self.stock += other.stock * times;
        self.proceeds += other.proceeds * times;
        self.short_sale += other.short_sale * times;
        self.carried += other.carried * times;
    }
}

/// An option series as the rules see it, per contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Underlyings that count as one: an index and its reduced-value versions.
    pub family: u32,
    pub right: Right,
    /// On the full-value level.
    pub strike: f64,
    /// Full-value units of the underlying one contract's strike is for.
    pub units: f64,
    /// Seconds since the epoch; only the order matters.
    pub expiry: i64,
    /// Style, listing, issuer and delivery: spreads need the same (the nature that conditions 1, 2 and 3 ask for).
    pub nature: u32,
    /// What is delivered, with the multipliers of strike and premium: zero for standard contracts, else a number of its
    /// own. Only options of one delivery are set against each other.
    pub delivery: u32,
    /// Shares (units of an index) that one contract delivers, by family.
    pub delivered: Arc<[(u32, f64)]>,
    /// European, cash-settled, listed: long boxes are worth holding at half.
    pub boxes: bool,
    /// Cash-settled: shares of a tracking fund may cover it.
    pub cash_settled: bool,
    pub long_dated: bool,
    pub listed: bool,
    /// What the price is multiplied by.
    pub multiplier: f64,
    /// Market value of one contract.
    pub mark: f64,
    /// Value of what one contract delivers: the underlying, on the series' own level, times the multiplier, or shares at
    /// their prices and cash.
    pub spot_value: f64,
    /// What is paid for it: the strike, on the series' own level, times its multiplier.
    pub strike_value: f64,
    /// Gross requirement of one uncovered short.
    pub naked: f64,
    /// Not to be held short uncovered at all (calls in a cash account).
    pub forbidden: bool,
}

impl Series {
    pub fn in_the_money(&self) -> f64 {
        let gain = match self.right {
            Right::Call => self.spot_value - self.strike_value,
            Right::Put => self.strike_value - self.spot_value,
        };
        if gain > 0.0 { gain } else { 0.0 }
    }

    pub fn out_of_the_money(&self) -> f64 {
        let gap = match self.right {
            Right::Call => self.strike_value - self.spot_value,
            Right::Put => self.spot_value - self.strike_value,
        };
        if gap > 0.0 { gap } else { 0.0 }
    }

    /// Intrinsic value of one contract with the full-value underlying at `spot`.
    pub fn intrinsic(&self, spot: f64) -> f64 {
        let gain = match self.right {
            Right::Call => spot - self.strike,
            Right::Put => self.strike - spot,
        };
        if gain > 0.0 { gain * self.units } else { 0.0 }
    }

    /// Gross requirement of one uncovered short, mark included: FINRA 4210(f)(2)(E)(i), Cboe 10.3(c)(5)(A). The
    /// percentages include the underlying's leverage.
    pub fn uncovered(&self, base: f64, minimum: f64) -> f64 {
        let level = match self.right {
            Right::Call => self.spot_value,
            Right::Put => self.strike_value,
        };
        let (a, b) = (
            base * self.spot_value - self.out_of_the_money(),
            minimum * level,
        );
        self.mark + if a > b { a } else { b }
    }

    /// Cost of one long standing alone: over nine months a listed option has loan value on its market value, an
    /// over-the-counter one on its in-the-money amount.
    pub fn long_cost(&self, numbers: &Numbers) -> f64 {
        if !self.long_dated {
            return self.mark;
        }
        let itm = self.in_the_money();
        let lendable = if self.listed || itm > self.mark {
            self.mark
        } else {
            itm
        };
        self.mark - numbers.long_option_loan * lendable
    }

    pub fn alone(&self, long: bool, numbers: &Numbers) -> Amounts {
        if long {
            Amounts {
                paid: self.long_cost(numbers),
                ..Amounts::default()
            }
        } else {
            Amounts {
                short: self.naked,
                proceeds: self.mark,
                ..Amounts::default()
            }
        }
    }
}

/// A stock or fund as the rules see it, per share.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    pub family: u32,
    /// Shares per lot.
    pub unit: f64,
    pub price: f64,
    pub leverage: f64,
    /// Paid in full: not a margin security.
    pub non_margin: bool,
    /// The index family whose cash-settled options the shares may cover.
    pub tracks: Option<u32>,
}

impl Shares {
    pub fn rate(&self, long: bool, when: When, n: &Numbers) -> f64 {
        if self.non_margin && long {
            return 1.0;
        }
        let cap = |x: f64| if x < 1.0 { x } else { 1.0 };
        match (when, long) {
            (When::Initial, true) => n.stock_initial,
            (When::Initial, false) => n.short_stock_initial,
            (When::Maintenance, true) => cap(n.stock_maintenance * self.leverage),
            (When::Maintenance, false) => {
                let (percentage, floor) = if self.price >= n.low_price {
                    (
                        cap(n.short_stock_maintenance * self.leverage),
                        n.short_stock_floor,
                    )
                } else {
                    (n.low_price_maintenance, n.low_price_floor)
                };
                let floor = floor / self.price;
                if percentage > floor {
                    percentage
                } else {
                    floor
                }
            }
        }
    }

    /// Requirement of `value` dollars of stock held or sold short, at a given rate.
    fn at(value: f64, rate: f64, long: bool, n: &Numbers) -> Amounts {
        let sale = if long || !n.gross_includes_short_sale {
            0.0
        } else {
            value
        };
        Amounts {
            stock: rate * value + sale,
            short_sale: sale,
            ..Amounts::default()
        }
    }

    pub fn alone(&self, long: bool, when: When, n: &Numbers) -> Amounts {
        Self::at(self.price, self.rate(long, when, n), long, n)
    }

    /// Shares that one contract of `series` takes in any strategy, alone or beside other securities.
    pub fn taken_by(&self, series: &Series) -> Option<f64> {
        let own = |&&(family, _): &&(u32, f64)| family == self.family;
        let delivered = series.delivered.iter().find(own).map(|d| d.1);
        delivered.or_else(|| self.against(series))
    }

    /// Shares one contract of `series` needs against it: all it delivers. `None` where these shares are nothing to it, or
    /// only a part.
    pub fn against(&self, series: &Series) -> Option<f64> {
        if let [(family, shares)] = series.delivered[..]
            && family == self.family
        {
            Some(shares)
        } else if series.cash_settled && self.tracks == Some(series.family) {
            // By value: aggregate market value of the fund at least the aggregate index value (SR-CBOE-2022-058).
            Some(series.spot_value / self.price)
        } else {
            None
        }
    }
}

/// Whether a short call and a short put are on the same: one obliges to what the other takes back.
pub fn same_units(a: &Series, b: &Series) -> bool {
    a.family == b.family && a.units == b.units && a.delivery == b.delivery
}

/// Short call and short put: the greater requirement plus the mark of the other side (4210(f)(2)(F)).
pub fn two_sided(a: &Series, b: &Series) -> Amounts {
    let (ra, rb) = (a.naked, b.naked);
    let short = if ra >= rb { ra + b.mark } else { rb + a.mark };
    Amounts {
        short,
        proceeds: a.mark + b.mark,
        ..Amounts::default()
    }
}

/// Long box of European cash-settled options (4210(f)(2)(H)(v)): half the strike difference; the box itself counts
/// towards equity, so nothing of its premiums is applied separately.
pub fn long_box(low: &Series, high: &Series, n: &Numbers) -> Amounts {
    Amounts {
        short: n.box_difference * (high.strike_value - low.strike_value),
        ..Amounts::default()
    }
}

/// An option written against stock: no requirement of its own, the stock carried at no more (less) than the strike.
pub fn covered(shares: &Shares, long: bool, written: &Series, when: When, n: &Numbers) -> Amounts {
    let count = shares.against(written).unwrap_or(0.0);
    covered_by(&[(shares, count)], long, written, when, n)
}

/// An option written against the shares of everything it delivers. What the strike takes off their value is taken off
/// each in proportion; cash that is delivered beside them is in the option's in-the-money amount.
pub fn covered_by(
    parts: &[(&Shares, f64)],
    long: bool,
    written: &Series,
    when: When,
    n: &Numbers,
) -> Amounts {
    let mut whole = 0.0;
    for (shares, count) in parts {
        whole += shares.price * count;
    }
    let itm = written.in_the_money();
    let mut amounts = Amounts::default();
    for (shares, count) in parts {
        let (value, rate) = (shares.price * count, shares.rate(long, when, n));
        let mut own = Shares::at(value, rate, long, n);
        if when == When::Maintenance && long && n.carry_at_strike {
            let worth = value
                - if parts.len() == 1 {
                    itm
                } else {
                    itm * (value / whole)
                };
            own.stock = rate * if worth > 0.0 { worth } else { 0.0 };
        }
        amounts.add(&own, 1.0);
    }
    write(&mut amounts, written, n);
    amounts
}

/// Applies the premium of the written option and what its moneyness takes off the stock.
fn write(amounts: &mut Amounts, written: &Series, n: &Numbers) {
    amounts.proceeds += written.mark;
    if !n.carry_at_strike {
        return;
    }
    if n.itm_in_gross {
        amounts.stock += written.in_the_money();
    } else {
        amounts.carried += written.in_the_money();
    }
}

/// Long put under long stock, long call over short stock, in maintenance: the lower of the strike rule and the stock
/// rule. The option is paid in full.
pub fn protected(shares: &Shares, count: f64, long: bool, hedge: &Series, n: &Numbers) -> Amounts {
    let value = shares.price * count;
    let rate = shares.rate(long, When::Maintenance, n);
    // The short side is stated including the proceeds: 110 % of the strike is 10 % above what buying back costs.
    let strike = n.protective_strike * hedge.strike_value
        + hedge.out_of_the_money()
        + if long {
            0.0
        } else {
            hedge.strike_value - value
        };
    let alone = rate * value;
    let mut amounts = Shares::at(value, 0.0, long, n);
    amounts.stock += if strike < alone { strike } else { alone };
    amounts.paid = hedge.mark;
    amounts
}

/// Conversion (long stock, long put, short call), reverse conversion (short stock, long call, short put) and collar,
/// in maintenance, same expiry. `None` where the strikes make it none of them.
pub fn converted(
    shares: &Shares,
    count: f64,
    long: bool,
    hedge: &Series,
    written: &Series,
    n: &Numbers,
) -> Option<Amounts> {
    let alike = hedge.delivery == written.delivery && hedge.multiplier == written.multiplier;
    if hedge.expiry != written.expiry || !alike {
        return None;
    }
    let value = shares.price * count;
    let mut amounts = Amounts {
        paid: hedge.mark,
        ..Amounts::default()
    };
    if hedge.strike == written.strike {
        amounts.stock = n.conversion_strike * hedge.strike_value;
        if long {
            write(&mut amounts, written, n);
        } else {
            // 110 % of the strike plus the put's in-the-money amount, proceeds of the sale included.
            amounts.stock += written.in_the_money();
            amounts.proceeds = written.mark;
            if n.gross_includes_short_sale {
                amounts.stock += hedge.strike_value;
                amounts.short_sale = value;
            }
        }
    } else if long && hedge.strike < written.strike {
        let strike = n.protective_strike * hedge.strike_value + hedge.out_of_the_money();
        let capped = shares.rate(true, When::Maintenance, n) * written.strike_value;
        amounts.stock = if strike < capped { strike } else { capped };
        write(&mut amounts, written, n);
    } else {
        return None;
    }
    Some(amounts)
}
