//! Volatility by strike of an expiry, for reading it at a moved moneyness.

use engine::inputs::Inputs;

/// Volatility by strike of every term, for reading it at a moved moneyness.
pub(super) struct Curves {
    /// (strike, volatility) by term, strikes ascending.
    curves: Vec<Vec<(f64, f64)>>,
}

impl Curves {
    pub(super) fn new(inputs: &Inputs) -> Self {
        let mut curves = vec![Vec::new(); inputs.terms.len()];
        let points = inputs.options.strike.iter().zip(&inputs.options.vol);
        for ((&strike, &vol), &term) in points.zip(&inputs.term) {
            curves[term as usize].push((strike, vol));
        }
        for curve in &mut curves {
            curve.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            // A call and a put of one strike count once, at their mean.
            *curve = curve
                .chunk_by(|a, b| a.0 == b.0)
                .map(|same| {
                    let mean = same.iter().map(|p| p.1).sum::<f64>() / same.len() as f64;
                    (same[0].0, mean)
                })
                .collect();
        }
        Self { curves }
    }

    /// The change of an option's volatility when spot moves by `m` and the curve moves with it: what the curve says
    /// at the strike that has the same moneyness today, less what it says at the option's own.
    pub(super) fn vol_move(&self, term: u32, strike: f64, m: f64) -> f64 {
        let curve = &self.curves[term as usize];
        at(curve, strike / (1.0 + m)) - at(curve, strike)
    }
}

/// Linear between the curve's strikes, flat outside them.
fn at(curve: &[(f64, f64)], strike: f64) -> f64 {
    let after = curve.partition_point(|p| p.0 < strike);
    if after == 0 {
        return curve[0].1;
    }
    let (low, from) = curve[after - 1];
    let Some(&(high, to)) = curve.get(after) else {
        return from;
    };
    from + (to - from) * (strike - low) / (high - low)
}
