//! Sensitivities of a block's options, by the models that price them; units as in [`crate::pricing::greeks`].

use super::american::MODE;
use super::{Block, OptionCells, OptionPlace, TreeCell};
use crate::error::Result;
use crate::pricing::american;
use crate::pricing::greeks::{self, GreekColumns, Greeks};
use crate::pricing::math::exp;

/// Steps of vol and rate for what a tree gives by differences only.
const VOL_STEP: f64 = 0.01;
const RATE_STEP: f64 = 1e-3;

impl Block {
    /// Unmoved price and sensitivities per unit of each option, in the order given. Of those named, a rate moves the
    /// discount only: they are options on a future.
    pub(crate) fn greeks(
        &self,
        options: &[OptionPlace],
        on_future: &[bool],
    ) -> Result<Vec<Greeks>> {
        if self.is_normal {
            let own = options.iter().map(|place| match place {
                OptionPlace::European(i) => Ok(super::normal::greeks(&self.european, *i)),
                _ => unreachable!("a normal block holds European options only"),
            });
            return own.collect();
        }
        let mut found = self.plain_greeks(options)?;
        for ((&place, &on_future), greeks) in options.iter().zip(on_future).zip(&mut found) {
            if let Some(&rate) = self.forward_rates.get(self.index(place)) {
                // The price is not discounted yet.
                greeks.theta += rate * greeks.price;
                greeks.rho = if rate > 0.0 {
                    -self.years(place) * greeks.price
                } else {
                    0.0
                };
            } else if on_future {
                greeks.rho = self.rho_on_future(place, greeks.price)?;
            }
        }
        Ok(found)
    }

    /// Of an option on a future: the yield, which stands for the future's missing cost of carry, moves with the rate.
    fn rho_on_future(&self, place: OptionPlace, price: f64) -> Result<f64> {
        let mut at = [0.0; 2];
        match place {
            OptionPlace::European(_) => return Ok(-self.years(place) * price),
            OptionPlace::American(i) => {
                let mut o = self.american.select(&[i as u32, i as u32]);
                for (k, step) in [-RATE_STEP, RATE_STEP].into_iter().enumerate() {
                    o.rate[k] += step;
                    o.dividend_yield[k] += step;
                }
                american::price(&o.columns(), MODE, &mut at)?;
            }
            OptionPlace::Tree(i) => {
                for (k, step) in [-RATE_STEP, RATE_STEP].into_iter().enumerate() {
                    let cell = TreeCell {
                        rate: self.trees[i].rate + step,
                        dividend_yield: self.trees[i].dividend_yield + step,
                        ..self.trees[i].clone()
                    };
                    cell.price_spots(cell.vol, 0.0, &[cell.spot], &mut at[k..=k])?;
                }
            }
        }
        Ok((at[1] - at[0]) / (2.0 * RATE_STEP))
    }

    fn plain_greeks(&self, options: &[OptionPlace]) -> Result<Vec<Greeks>> {
        let rows = |of: fn(&OptionPlace) -> Option<usize>| -> Vec<u32> {
            options.iter().filter_map(of).map(|i| i as u32).collect()
        };
        let european = rows(|place| match place {
            OptionPlace::European(i) => Some(*i),
            _ => None,
        });
        let american = rows(|place| match place {
            OptionPlace::American(i) => Some(*i),
            _ => None,
        });
        let mut european = columns(&self.european.select(&european), |o, out| {
            greeks::black(&o.columns(), out);
            Ok(())
        })?
        .into_iter();
        let mut american = columns(&self.american.select(&american), |o, out| {
            american::greeks(&o.columns(), MODE, out)
        })?
        .into_iter();
        options
            .iter()
            .map(|place| match place {
                OptionPlace::European(_) => Ok(european.next().expect("one each")),
                OptionPlace::American(_) => Ok(american.next().expect("one each")),
                OptionPlace::Tree(i) => self.trees[*i].greeks(),
            })
            .collect()
    }
}

fn columns(
    o: &OptionCells,
    fill: impl Fn(&OptionCells, GreekColumns<'_>) -> Result<()>,
) -> Result<Vec<Greeks>> {
    let mut out: [Vec<f64>; 8] = std::array::from_fn(|_| vec![0.0; o.len()]);
    let [price, delta, gamma, vega, theta, rho, vanna, volga] = &mut out;
    fill(
        o,
        GreekColumns {
            price,
            delta,
            gamma,
            vega,
            theta,
            rho,
            vanna,
            volga,
        },
    )?;
    let row = |i: usize| Greeks {
        price: out[0][i],
        delta: out[1][i],
        gamma: out[2][i],
        vega: out[3][i],
        theta: out[4][i],
        rho: out[5][i],
        vanna: out[6][i],
        volga: out[7][i],
    };
    Ok((0..o.len()).map(row).collect())
}

impl TreeCell {
    /// All but vanna and volga, which a tree does not give reliably and no report shows.
    fn greeks(&self) -> Result<Greeks> {
        let diffusing = self.escrowed_spot(self.spot, self.years)?;
        let escrowed = self.spot - diffusing;
        if !self.american {
            let plain = greeks::black_one(
                diffusing,
                self.strike,
                self.years,
                self.rate,
                self.dividend_yield,
                self.vol,
                self.right,
            );
            // The escrowed amount grows with time and falls with the rate.
            let per_rate: f64 = self
                .due(self.years)
                .map(|(when, cash)| when * cash * exp(-self.rate * when))
                .sum();
            return Ok(Greeks {
                theta: plain.theta - self.rate * escrowed * plain.delta,
                rho: plain.delta.mul_add(per_rate, plain.rho),
                ..plain
            });
        }
        // Two nodes of the lattice up and down: in between a tree's price is not smooth.
        let step = exp(2.0 * self.vol * (self.years.max(0.0) / self.steps as f64).sqrt());
        let (up, down) = if step > 1.0 + 1e-6 {
            (diffusing * (step - 1.0), diffusing * (1.0 - 1.0 / step))
        } else {
            (1e-4 * diffusing, 1e-4 * diffusing)
        };
        let mut at = [0.0; 3];
        let spots = [self.spot - down, self.spot, self.spot + up];
        self.price_spots(self.vol, 0.0, &spots, &mut at)?;
        let [low, price, high] = at;
        let (below, above) = ((price - low) / down, (high - price) / up);
        let delta = (below * up + above * down) / (up + down);
        let gamma = 2.0 * (above - below) / (up + down);
        let one = |cell: &Self| -> Result<f64> {
            let mut out = [0.0];
            cell.price_spots(cell.vol, 0.0, &[cell.spot], &mut out)?;
            Ok(out[0])
        };
        let lower = if self.vol > VOL_STEP {
            VOL_STEP
        } else {
            self.vol
        };
        let at_vol = |vol: f64| {
            one(&Self {
                vol,
                ..self.clone()
            })
        };
        let vega = (at_vol(self.vol + VOL_STEP)? - at_vol(self.vol - lower)?) / (VOL_STEP + lower);
        let at_rate = |rate: f64| {
            one(&Self {
                rate,
                ..self.clone()
            })
        };
        let rho =
            (at_rate(self.rate + RATE_STEP)? - at_rate(self.rate - RATE_STEP)?) / (2.0 * RATE_STEP);
        // The pricing equation of what diffuses, and the escrowed amount growing at the rate; none where the option
        // should be exercised now.
        let exercised = price <= f64::from(self.right) * (self.spot - self.strike);
        let carry = (self.rate - self.dividend_yield) * diffusing + self.rate * escrowed;
        let theta = if exercised || self.years <= 0.0 {
            0.0
        } else {
            self.rate * price - carry * delta - 0.5 * (self.vol * diffusing).powi(2) * gamma
        };
        Ok(Greeks {
            price,
            delta,
            gamma,
            vega,
            theta,
            rho,
            ..Greeks::default()
        })
    }
}
