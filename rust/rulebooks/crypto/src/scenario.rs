//! The scenarios of a venue as data, expanded into one list of price move, volatility operation and weight.

use serde::{Deserialize, Serialize};

use kernel::error::Result;
use kernel::fail;

/// What a scenario does to every volatility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VolMove {
    Down,
    Same,
    Up,
    /// Turns the smile by log-moneyness (Derive PMRM_2).
    SkewLinear,
    /// Lifts both wings by absolute log-moneyness (Derive PMRM_2).
    SkewAbsolute,
}

impl VolMove {
    pub(super) fn is_skew(self) -> bool {
        matches!(self, Self::SkewLinear | Self::SkewAbsolute)
    }

    fn label(self) -> &'static str {
        match self {
            Self::Down => "vol down",
            Self::Same => "vol same",
            Self::Up => "vol up",
            Self::SkewLinear => "skew linear",
            Self::SkewAbsolute => "skew absolute",
        }
    }
}

/// Which list a scenario came from; venues report the worst of each apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Grid,
    Point,
    Extended,
    Extreme,
}

/// 2 `steps` + 1 equidistant moves from -`range` to +`range`, each with every volatility operation, move by move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Largest move of the price either way, as a fraction of it.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub range: f64,
    /// Moves on either side of no move.
    pub steps: u32,
    /// What becomes of volatility at each move.
    pub vol: Vec<VolMove>,
}

/// Deribit's extended table: far moves scaled back to the edge of the grid and dampened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Extended {
    /// Moves of the price, as fractions of it.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<engine::schema::units::Signed>")
    )]
    pub moves: Vec<f64>,
    /// What becomes of volatility at each of them.
    pub vol: VolMove,
    /// The grid's edge.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub range: f64,
    /// Share of a loss that counts where the move is the grid's range; less by as much as a move is beyond it.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub factor: f64,
    /// Money in the quote currency that a far loss is reduced by, per multiple of the range beyond the first.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Money"))]
    pub dampener: f64,
}

/// Two symmetric moves at a weight, volatility unchanged (OKX MR6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Extreme {
    /// Move of the price either way, as a fraction of it.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub range: f64,
    /// Share of the loss that counts.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub weight: f64,
}

/// Every list a venue may use; they are expanded in this order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioLists {
    /// Equidistant moves.
    pub grid: Option<Grid>,
    /// (move, volatility operation, weight); moves are multiples of `unit`.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Vec<(engine::schema::units::Multiple, VolMove, engine::schema::units::Multiple)>"
        )
    )]
    pub points: Vec<(f64, VolMove, f64)>,
    /// What a move of 1 in `points` is, as a fraction of the price.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Signed>")
    )]
    pub unit: Option<f64>,
    pub extended: Option<Extended>,
    pub extreme: Option<Extreme>,
}

/// One scenario. A portfolio's profit and loss enters as `weight * (sum of rows)`, then a loss or gain is pulled
/// towards zero by at most `dampener` (in the quote currency, at the converted `edge`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scenario {
    pub price: f64,
    pub vol: VolMove,
    pub weight: f64,
    pub dampener: f64,
    /// 1 + the grid move at whose price a dampener is converted into coin.
    pub edge: f64,
    pub group: Group,
}

impl Scenario {
    pub fn label(&self) -> String {
        let mut text = format!("{:+.6}", self.price * 100.0);
        while text.ends_with('0') {
            text.pop();
        }
        if text.ends_with('.') {
            text.pop();
        }
        if text == "+0" || text == "-0" {
            text = "0".into();
        }
        format!("{text}% {}", self.vol.label())
    }
}

/// A fraction of the range without accumulating error: exact at the ends and at zero.
fn step(range: f64, k: i64, steps: i64) -> f64 {
    if k == 0 {
        0.0
    } else {
        range * k as f64 / steps as f64
    }
}

impl ScenarioLists {
    /// The scenarios in order. In an inverse unit an extended row is converted from the far price to the grid's edge.
    pub fn expand(&self, inverse: bool) -> Result<Vec<Scenario>> {
        let mut out = Vec::new();
        let plain = |price: f64, vol: VolMove, weight: f64, group: Group| Scenario {
            price,
            vol,
            weight,
            dampener: 0.0,
            edge: 1.0,
            group,
        };
        for (name, range) in [
            ("grid.range", self.grid.as_ref().map(|g| g.range)),
            ("extended.range", self.extended.as_ref().map(|e| e.range)),
            ("extreme.range", self.extreme.as_ref().map(|e| e.range)),
        ] {
            if let Some(range) = range
                && !(range > 0.0 && range < 1.0)
            {
                fail!(
                InvalidInput: OutOfRange, place format_args!("scenarios.{name}"), value range;
                "scenarios.{name} is {range}: a fraction of the price between 0 and 1 is needed (0.15 is 15 %)"
                                );
            }
        }
        if let Some(grid) = &self.grid {
            let steps = i64::from(grid.steps);
            if steps == 0 || grid.vol.is_empty() {
                fail!(
                    InvalidInput: OutOfRange;
                    "scenarios.grid needs at least one step and one volatility operation"
                );
            }
            for k in -steps..=steps {
                for &vol in &grid.vol {
                    out.push(plain(step(grid.range, k, steps), vol, 1.0, Group::Grid));
                }
            }
        }
        let unit = self.unit.unwrap_or(1.0);
        for &(price, vol, weight) in &self.points {
            out.push(plain(price * unit, vol, weight, Group::Point));
        }
        if let Some(extended) = &self.extended {
            for &price in &extended.moves {
                let sign = if price > 0.0 { 1.0 } else { -1.0 };
                let edge = 1.0 + sign * extended.range;
                let size = price.abs() / extended.range;
                let coin = if inverse { (1.0 + price) / edge } else { 1.0 };
                out.push(Scenario {
                    weight: extended.factor / size * coin,
                    dampener: (size - 1.0) * extended.dampener,
                    edge: if inverse { edge } else { 1.0 },
                    ..plain(price, extended.vol, 1.0, Group::Extended)
                });
            }
        }
        if let Some(extreme) = &self.extreme {
            for price in [-extreme.range, extreme.range] {
                out.push(plain(price, VolMove::Same, extreme.weight, Group::Extreme));
            }
        }
        for scenario in &out {
            let numbers = [scenario.price, scenario.weight, scenario.dampener];
            if numbers.iter().any(|x| !x.is_finite()) || scenario.price <= -1.0 {
                fail!(
                    InvalidInput: OutOfRange;
                    "scenario '{}': moves are finite fractions above -1, weights finite",
                    scenario.label()
                );
            }
        }
        if out.is_empty() {
            fail!(InvalidInput, "the rules have no scenarios");
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> ScenarioLists {
        ScenarioLists {
            grid: Some(Grid {
                range: 0.16,
                steps: 4,
                vol: vec![VolMove::Down, VolMove::Same, VolMove::Up],
            }),
            extended: Some(Extended {
                moves: vec![-0.66, 5.0],
                vol: VolMove::Up,
                range: 0.16,
                factor: 1.0,
                dampener: 100_000.0,
            }),
            ..ScenarioLists::default()
        }
    }

    #[test]
    fn a_grid_is_exact_at_its_ends() {
        let scenarios = lists().expand(false).unwrap();
        assert_eq!(scenarios.len(), 29);
        assert_eq!(scenarios[0].price, -0.16);
        assert_eq!(scenarios[13].price, 0.0);
        assert_eq!(scenarios[26].price, 0.16);
        assert_eq!(scenarios[2].label(), "-16% vol up");
        assert_eq!(scenarios[13].label(), "0% vol same");
    }

    #[test]
    fn an_extended_row_of_an_inverse_future_reproduces_the_edge() {
        for scenario in &lists().expand(true).unwrap()[27..] {
            let coin = |m: f64| m / (1.0 + m);
            let edge = if scenario.price > 0.0 { 0.16 } else { -0.16 };
            assert!((scenario.weight * coin(scenario.price) - coin(edge)).abs() < 1e-15);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let mut lists = lists();
        lists.points.push((-1.0, VolMove::Up, 1.0));
        assert!(lists.expand(false).is_err());
        assert!(ScenarioLists::default().expand(false).is_err());
    }
}
