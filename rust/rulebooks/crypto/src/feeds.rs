//! What Derive's managers read from their oracles beside prices: confidences, rates, smiles, settlement averages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use engine::bounds;
use kernel::error::Result;
use kernel::fail;
use kernel::float::{larger, smaller};

/// Stochastic-volatility-inspired smile of one expiry: a, b, rho, m, sigma, the forward and years it was fitted at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Svi {
    /// Level of the total variance.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub a: f64,
    /// Slope of the wings.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub b: f64,
    /// Turn of the smile, from -1 to 1.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub rho: f64,
    /// Log-moneyness at which the smile is centred.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub m: f64,
    /// How round the smile is at its centre.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub sigma: f64,
    /// Forward at which it was fitted.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Price"))]
    pub forward: f64,
    /// Time to expiry at which it was fitted.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Years"))]
    pub years: f64,
}

impl Svi {
    /// The volatility of a strike. Log-moneyness is clamped to 4 sqrt(a + b sigma), total variance capped at 144.
    pub fn vol(&self, strike: f64) -> f64 {
        let bound = 4.0 * (self.a + self.b * self.sigma).sqrt();
        let k = (strike / self.forward).ln();
        let k = smaller(bound, k);
        let k = larger(-bound, k);
        let x = k - self.m;
        let variance = self.a + self.b * (self.rho * x + (x * x + self.sigma * self.sigma).sqrt());
        let variance = smaller(variance, 144.0);
        (variance / self.years).sqrt()
    }
}

/// One expiry's feeds. `expiry` is written as the contracts write theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExpiryFeed {
    /// The coin.
    pub underlying: String,
    /// The expiry, as the contracts write theirs.
    pub expiry: String,
    /// Continuous interest rate to the expiry.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Rate>")
    )]
    pub rate: Option<f64>,
    /// Confidence of the forward's oracle; 1 is full.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub forward_confidence: f64,
    /// Confidence of the rate's oracle; 1 is full.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub rate_confidence: f64,
    /// Confidence of the volatility's oracle; 1 is full.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub vol_confidence: f64,
    #[serde(default)]
    pub svi: Option<Svi>,
    /// The settlement average so far; needed inside the averaging window.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Price>")
    )]
    pub settlement_average: Option<f64>,
}

/// One underlying's confidences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UnderlyingFeed {
    /// Confidence of the spot price's oracle; 1 is full.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub spot_confidence: f64,
    /// Confidence of the perpetual's oracle; 1 is full.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub perp_confidence: f64,
}

/// What an asset is worth as collateral. Its price is the market's spot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CollateralFeed {
    /// Confidence of the asset's oracle; 1 is full.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub confidence: f64,
    /// Whether it moves with the underlying in the scan.
    #[serde(default)]
    pub risk_cancelling: bool,
    /// Added to the maintenance haircut for initial margin.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub im_haircut: f64,
    /// Share of the asset's value that maintenance margin charges.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub mm_haircut: f64,
}

/// All feeds of a venue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Feeds {
    /// Price of the stable coin accounts are kept in.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "engine::schema::units::PositivePrice")
    )]
    pub stable: f64,
    /// Confidences by underlying.
    pub underlyings: BTreeMap<String, UnderlyingFeed>,
    /// Rate, smile and confidences of single expiries.
    pub expiries: Vec<ExpiryFeed>,
    /// What assets are worth as collateral, by asset.
    pub collateral: BTreeMap<String, CollateralFeed>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            stable: 1.0,
            underlyings: BTreeMap::new(),
            expiries: Vec::new(),
            collateral: BTreeMap::new(),
        }
    }
}

impl Feeds {
    pub fn check(&self) -> Result<()> {
        bounds::positive("feeds.stable", self.stable)?;
        for (name, feed) in &self.underlyings {
            bounds::fraction(
                format_args!("spot confidence of {name}"),
                feed.spot_confidence,
            )?;
            bounds::fraction(
                format_args!("perp confidence of {name}"),
                feed.perp_confidence,
            )?;
        }
        for feed in &self.expiries {
            let name = format!("feeds of {} {}", feed.underlying, feed.expiry);
            bounds::venue_rate(format_args!("{name}: rate"), feed.rate.unwrap_or(0.0))?;
            for (what, value) in [
                ("forward", feed.forward_confidence),
                ("rate", feed.rate_confidence),
                ("vol", feed.vol_confidence),
            ] {
                bounds::fraction(format_args!("{name}: {what} confidence"), value)?;
            }
        }
        Ok(())
    }

    /// Confidences of an underlying's spot and perpetual; 1 where no feed speaks.
    pub fn of(&self, underlying: &str) -> UnderlyingFeed {
        self.underlyings
            .get(underlying)
            .cloned()
            .unwrap_or(UnderlyingFeed {
                spot_confidence: 1.0,
                perp_confidence: 1.0,
            })
    }

    pub fn expiry(&self, underlying: &str, expiry: &str) -> Option<&ExpiryFeed> {
        self.expiries
            .iter()
            .find(|f| f.underlying == underlying && f.expiry == expiry)
    }
}

/// The fixed part and the moving part of a settlement price, `seconds` before expiry: inside the window the average
/// so far carries the elapsed share and the forward the rest.
pub fn settlement_parts(
    forward: f64,
    seconds: f64,
    window: f64,
    average: Option<f64>,
    what: &str,
) -> Result<(f64, f64)> {
    if seconds >= window {
        return Ok((0.0, forward));
    }
    let Some(average) = average else {
        fail!(
            MissingData: MissingHistory;
            "{what} is inside its settlement window of {window} seconds: give feeds.expiries settlement_average"
        );
    };
    let moving = seconds / window;
    Ok((average * (1.0 - moving), forward * moving))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smile_is_clamped_in_its_wings() {
        let svi = Svi {
            a: 0.002138900837067276,
            b: 0.04163976582038121,
            rho: -0.29089434907604955,
            m: -0.026351062568175803,
            sigma: 0.06256307931421391,
            forward: 95776.67392708939,
            years: 0.02520611364789,
        };
        assert!((svi.vol(100_000.0) - 0.453803924321583).abs() < 1e-14);
        assert_eq!(svi.vol(1e7), svi.vol(1e8));
    }

    #[test]
    fn inside_the_window_the_average_counts() {
        assert_eq!(
            settlement_parts(100.0, 900.0, 1800.0, Some(90.0), "X").unwrap(),
            (45.0, 50.0)
        );
        assert_eq!(
            settlement_parts(100.0, 1800.0, 1800.0, None, "X").unwrap(),
            (0.0, 100.0)
        );
        assert!(settlement_parts(100.0, 1.0, 1800.0, None, "X").is_err());
    }
}
