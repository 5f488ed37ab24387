//! TIMS parameters as data: ranges, groups and offsets, minimums, overlays. OCC publishes them as files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use engine::bounds;
use engine::inputs::{American, NoVol, Valuation};
use kernel::error::Result;
use kernel::fail;

/// Scan points of a class group: ten ordinals, five down and five up.
pub const POINTS: usize = 10;

/// How the ten points divide an asymmetric range; OCC's phrase "ten equidistant data points" allows both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Grid {
    /// Fifths of each side: -8, -6.4, ... -1.6, +1.2, ... +6 %.
    Fifths,
    /// Eleven evenly spaced points from down to up without the middle one.
    Even,
}

/// What an option's volatility does when the underlying moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VolRule {
    /// Each series keeps its own: every published OCC value that can be tested agrees with it.
    StickyStrike,
    /// Read from the expiry's curve at the same strike-to-spot ratio.
    StickyMoneyness,
}

/// Where an option's profit and loss is measured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The model's value at the current price: no move means no profit.
    Theoretical,
    /// The market's mark.
    Mark,
}

/// The level at which per-contract minimums are compared with the scan risk; open in the published text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MinimumLevel {
    ClassGroup,
    ProductGroup,
    PortfolioGroup,
}

/// Largest moves of the underlying, as fractions of its price; `down` is negative.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Largest fall, negative: -0.15 is 15 % down.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fall"))]
    pub down: f64,
    /// Largest rise: 0.15 is 15 % up.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Share"))]
    pub up: f64,
}

/// The largest move up: 300 %. Ranges of small companies' stocks may exceed their price; larger ones are percentages by
/// mistake.
const MAX_UP: f64 = 3.0;

impl Range {
    fn check(&self, what: &str) -> Result<()> {
        bounds::finite(format_args!("{what}: down"), self.down)?;
        bounds::finite(format_args!("{what}: up"), self.up)?;
        if !(-1.0..=0.0).contains(&self.down) || !(0.0..=MAX_UP).contains(&self.up) {
            fail!(
                InvalidInput: OutOfRange;
                "{what}: down {} and up {}: fractions of the price are needed (0.15 is 15 %), down from -1 to 0, up from 0 to {MAX_UP}",
                self.down,
                self.up
            );
        }
        Ok(())
    }

    /// The ten moves in ordinal order, lowest first.
    pub fn points(&self, grid: Grid) -> [f64; POINTS] {
        std::array::from_fn(|k| match grid {
            Grid::Fifths if k < 5 => self.down * (5 - k) as f64 / 5.0,
            Grid::Fifths => self.up * (k - 4) as f64 / 5.0,
            Grid::Even => {
                self.down + (self.up - self.down) * (if k < 5 { k } else { k + 1 }) as f64 / 10.0
            }
        })
    }
}

/// A symbol of OCC's list of included products, or a user's terms for one: each in place of what the table of securities
/// says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Product {
    /// The class group that it belongs to; its own where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_group: Option<String>,
    /// The market move adjustment factor of a leveraged or inverse product.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Multiple>")
    )]
    pub factor: Option<f64>,
    /// Money per contract, where it is not `minimum_rate` times the multiplier.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Amount>")
    )]
    pub minimum: Option<f64>,
    /// Whether customer portfolio margin covers it at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eligible: Option<bool>,
}

/// What becomes of a security that may not be portfolio margined, such as an exchange-traded note, and of options on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ineligible {
    /// It is refused by name.
    Refuse,
    /// It is margined by strategy, apart: the part of another rulebook.
    Strategy,
    /// It is margined at a move of all of its value, each contract alone.
    Full,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ClassGroup {
    /// Where it is not its product group's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// The product group whose class groups offset one another; none where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_group: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProductGroup {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// The part of a class group's gain that counts against other class groups' losses at the same point.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub offset: f64,
    /// The portfolio group that it belongs to; none where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portfolio_group: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PortfolioGroup {
    /// The part of a product group's gain that counts against other product groups' losses at the same point.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub offset: f64,
}

/// OCC's own values of one series, used instead of repricing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Theoretical {
    /// Profit and loss of one long contract at the ten points, in money.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "[engine::schema::units::Money; POINTS]")
    )]
    pub profit: [f64; POINTS],
    /// The closing price the values are measured from, per unit of the underlying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Price>")
    )]
    pub price: Option<f64>,
}

/// A house's stress on top of the rule: its own points, ranges and floors, charged where it exceeds the rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// The word in lines and details.
    pub name: String,
    /// Stress points: a price move, with a volatility move added to it.
    #[serde(default)]
    pub points: Vec<StressPoint>,
    /// The house's own ten-point range for every class group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Ranges by class group, in place of `range`.
    #[serde(default)]
    pub ranges: BTreeMap<String, Range>,
    /// Money per short option contract, at least.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
    pub floor_per_short_option: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StressPoint {
    /// Move of the price, as a fraction of it: -0.2 is 20 % down.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Move"))]
    pub price: f64,
    /// Move of every volatility: points or a fraction of it, as `vol_move` says.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::VolMove"))]
    pub vol: f64,
    /// Whether `vol` is added to the volatility or is a fraction of it.
    #[serde(default)]
    pub vol_move: VolMove,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VolMove {
    /// Added to the volatility: 0.05 is five points.
    #[default]
    Absolute,
    /// A fraction of the volatility: 0.15 is fifteen percent of it.
    Relative,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    pub grid: Grid,
    pub vol: VolRule,
    pub american: American,
    pub no_vol: NoVol,
    /// For options that can borrow no volatility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::VolFloor>")
    )]
    pub vol_floor: Option<f64>,
    pub base: Base,
    pub minimum_level: MinimumLevel,
    /// Times the multiplier, per option and future contract: 0.375 is $37.50 for a 100-share option.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::PerUnit"))]
    pub minimum_rate: f64,
    /// Steps of the binomial tree, with `american` the tree.
    pub steps: usize,
    /// The report's currency.
    pub currency: String,
    /// For equities and narrow indexes, and for symbols in no file: their own class group, never offset.
    pub default_range: Range,
    /// For broad-based indexes that have no range of their own: those of no high capitalisation.
    pub broad_range: Range,
    /// What the table of securities does not say of a symbol, or says otherwise.
    pub products: BTreeMap<String, Product>,
    pub ineligible: Ineligible,
    /// Ranges and groups of class groups, by name: an underlying and what is margined with it.
    pub class_groups: BTreeMap<String, ClassGroup>,
    /// Class groups whose range no public text gives: it is asked for, not taken to be the default.
    pub unranged: Vec<String>,
    /// Ranges and offsets between class groups, by name.
    pub product_groups: BTreeMap<String, ProductGroup>,
    /// Offsets between product groups, by name.
    pub portfolio_groups: BTreeMap<String, PortfolioGroup>,
    /// OCC's ten values by contract id.
    pub theoretical: BTreeMap<String, Theoretical>,
    /// A house's stress on top of the rule.
    pub overlays: Vec<Overlay>,
}

impl Parameters {
    pub fn check(&self) -> Result<()> {
        if !(2..=10_000).contains(&self.steps) {
            fail!(
                InvalidInput: OutOfRange;
                "tims: steps is {}: between 2 and 10000 are needed",
                self.steps
            );
        }
        if let Some(floor) = self.vol_floor
            && !(floor > 0.0 && floor <= 5.0)
        {
            fail!(
            InvalidInput: OutOfRange, place "tims: vol_floor", value floor;
            "tims: vol_floor is {floor}: an annual fraction above 0 and up to 5 is needed"
                        );
        }
        bounds::finite("tims: minimum_rate", self.minimum_rate)?;
        if self.minimum_rate < 0.0 {
            fail!(InvalidInput: OutOfRange; "tims: minimum_rate is negative");
        }
        self.default_range.check("tims: default_range")?;
        self.broad_range.check("tims: broad_range")?;
        for (symbol, product) in &self.products {
            if let Some(factor) = product.factor {
                bounds::finite(format_args!("tims: factor of {symbol}"), factor)?;
                if factor == 0.0 {
                    fail!(InvalidInput: OutOfRange; "tims: factor of {symbol} is zero");
                }
            }
            if let Some(minimum) = product.minimum {
                bounds::finite(format_args!("tims: minimum of {symbol}"), minimum)?;
                if minimum < 0.0 {
                    fail!(InvalidInput: OutOfRange; "tims: minimum of {symbol} is negative");
                }
            }
        }
        for (name, group) in &self.class_groups {
            if let Some(range) = &group.range {
                range.check(&format!("tims: class group {name}"))?;
            }
            if let Some(parent) = &group.product_group
                && !self.product_groups.contains_key(parent)
            {
                fail!(
                    MissingData: MissingProduct;
                    "tims: class group {name} names product group {parent}, which is not defined"
                );
            }
        }
        for (name, group) in &self.product_groups {
            if let Some(range) = &group.range {
                range.check(&format!("tims: product group {name}"))?;
            }
            bounds::fraction(
                format_args!("tims: product group {name}: offset"),
                group.offset,
            )?;
            if let Some(parent) = &group.portfolio_group
                && !self.portfolio_groups.contains_key(parent)
            {
                fail!(
                    MissingData: MissingProduct;
                    "tims: product group {name} names portfolio group {parent}, which is not defined"
                );
            }
        }
        for (name, group) in &self.portfolio_groups {
            bounds::fraction(
                format_args!("tims: portfolio group {name}: offset"),
                group.offset,
            )?;
        }
        for (id, values) in &self.theoretical {
            for value in values.profit.iter().chain(values.price.iter()) {
                bounds::finite(format_args!("tims: theoretical values of '{id}'"), *value)?;
            }
        }
        for overlay in &self.overlays {
            overlay.check()?;
        }
        Ok(())
    }

    /// How options are priced.
    pub(super) fn valuation(&self) -> Valuation {
        Valuation {
            name: "tims",
            american: self.american,
            steps: self.steps,
            no_vol: self.no_vol,
            vol_floor: self.vol_floor,
        }
    }

    /// A class group's range by the parameters: its own, or its product group's.
    pub(super) fn stated_range(&self, class_group: &str) -> Option<Range> {
        let group = self.class_groups.get(class_group)?;
        let product = || {
            let name = group.product_group.as_deref()?;
            self.product_groups.get(name)?.range
        };
        group.range.or_else(product)
    }
}

impl Overlay {
    fn check(&self) -> Result<()> {
        let name = format!("tims: overlay '{}'", self.name);
        if self.points.is_empty()
            && self.range.is_none()
            && self.ranges.is_empty()
            && self.floor_per_short_option == 0.0
        {
            fail!(
                InvalidInput: Contradiction;
                "{name} has neither points, a range nor a floor"
            );
        }
        for point in &self.points {
            bounds::finite(format_args!("{name}: price move"), point.price)?;
            bounds::finite(format_args!("{name}: vol move"), point.vol)?;
            if point.price <= -1.0 || point.price > MAX_UP {
                fail!(
                    InvalidInput: OutOfRange;
                    "{name}: a price move of {}: a fraction above -1 and up to {MAX_UP} is needed (0.15 is 15 %)",
                    point.price
                );
            }
        }
        for range in self.ranges.values().chain(&self.range) {
            range.check(&name)?;
        }
        bounds::finite(
            format_args!("{name}: floor_per_short_option"),
            self.floor_per_short_option,
        )?;
        if self.floor_per_short_option < 0.0 {
            fail!(InvalidInput: OutOfRange; "{name}: floor_per_short_option is negative");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_grids_have_ten_points_and_no_zero() {
        let range = Range {
            down: -0.08,
            up: 0.06,
        };
        let close =
            |a: [f64; 10], b: [f64; 10]| a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-15);
        let fifths = [
            -0.08, -0.064, -0.048, -0.032, -0.016, 0.012, 0.024, 0.036, 0.048, 0.06,
        ];
        assert!(close(range.points(Grid::Fifths), fifths));
        let even = [
            -0.08, -0.066, -0.052, -0.038, -0.024, 0.004, 0.018, 0.032, 0.046, 0.06,
        ];
        assert!(close(range.points(Grid::Even), even));
    }
}
