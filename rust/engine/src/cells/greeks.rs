//! Sensitivities of a block's options, by the models that price them; units as in [`kernel::pricing::greeks`].

use super::american::MODE;
use super::{Block, OptionCells, OptionPlace, TreeCell};
use kernel::error::Result;
use kernel::pricing::american;
use kernel::pricing::escrowed;
use kernel::pricing::greeks::{self, GreekColumns, Greeks};
use kernel::pricing::tree::{self, DividendTreatment};

/// Of the rate of an option on a future, either way.
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
    /// By the scheme that prices the cell.
    fn greeks(&self) -> Result<Greeks> {
        if !self.american {
            let (dividends, years, rate) = (&self.dividends, self.years, self.rate);
            let carry = rate - self.dividend_yield;
            let diffusing = self.escrowed_spot(self.spot, years)?;
            let plain = greeks::black_one(
                diffusing,
                self.strike,
                years,
                rate,
                self.dividend_yield,
                self.vol,
                self.right,
            );
            // The escrowed amount grows with time and falls with the rate.
            let per_rate = escrowed::per_rate(dividends, years, carry);
            return Ok(Greeks {
                theta: plain.theta - carry * (self.spot - diffusing) * plain.delta,
                rho: plain.delta.mul_add(per_rate, plain.rho),
                ..plain
            });
        }
        let own = tree::greeks(
            &[self.inputs(self.vol, 0.0)],
            self.scheme,
            self.steps,
            DividendTreatment::Escrowed,
        )?;
        Ok(own[0])
    }
}
