//! The pricing kernels alone, at each SIMD level of the machine; the inverse of the throughput is the time per evaluation.
//!
//! `cargo bench -p margincore --bench kernels [-- FILTER]`. The level is read once per process, so each has a process of
//! its own: this one starts itself with `MARGINCORE_SIMD` set. `python -m benches pricing american` sets the kernels
//! beside peers.

use std::hint::black_box;
use std::process::{Command, exit};

use criterion::{Criterion, Throughput};
use margincore::pricing::american::{self, Mode, Sharing};
use margincore::pricing::greeks::{self, GreekColumns};
use margincore::pricing::implied::{self, PriceColumns, Status};
use margincore::pricing::tree::{self, DividendTreatment, Scheme, TreeInputs};
use margincore::pricing::{Moves, OptionColumns, black};
use margincore::simd::{self, LEVEL_VARIABLE, Level};

const EUROPEAN: usize = 8_192;
const AMERICAN: usize = 400;

/// Puts of one expiry with a smile; the columns live as long as the process.
fn chain(n: usize) -> OptionColumns<'static> {
    let column = |x: f64| &*vec![x; n].leak();
    let strike = (0..n).map(|i| 60.0 + 80.0 * i as f64 / n as f64);
    let smile = |k: f64| 0.25 + 0.3 * (k / 100.0 - 1.0).powi(2);
    OptionColumns {
        spot: column(100.0),
        years: column(0.5),
        rate: column(0.045),
        dividend_yield: column(0.015),
        vol: strike.clone().map(smile).collect::<Vec<_>>().leak(),
        strike: strike.collect::<Vec<_>>().leak(),
        right: vec![-1; n].leak(),
    }
}

fn european(criterion: &mut Criterion, level: &str) {
    let o = black_box(chain(EUROPEAN));
    let mut group = criterion.benchmark_group(format!("{level}/european"));
    group.throughput(Throughput::Elements(EUROPEAN as u64));
    let mut quotes = vec![0.0; EUROPEAN];
    group.bench_function("price", |b| b.iter(|| black::price(&o, &mut quotes)));
    let mut columns = [(); 8].map(|()| vec![0.0; EUROPEAN]);
    group.bench_function("greeks", |b| {
        b.iter(|| {
            let [price, delta, gamma, vega, theta, rho, vanna, volga] = &mut columns;
            #[rustfmt::skip]
            let out = GreekColumns { price, delta, gamma, vega, theta, rho, vanna, volga };
            greeks::black(&o, out);
        });
    });
    black::price(&o, &mut quotes);
    let quoted = PriceColumns {
        price: &quotes,
        spot: o.spot,
        strike: o.strike,
        years: o.years,
        rate: o.rate,
        dividend_yield: o.dividend_yield,
        right: o.right,
    };
    let (mut vol, mut status) = (vec![0.0; EUROPEAN], vec![Status::Ok; EUROPEAN]);
    group.bench_function("implied_vol", |b| {
        b.iter(|| implied::black(&quoted, &mut vol, &mut status));
    });
    // As SPAN has them: seven spots with vol up, then down, and two extremes.
    let spots: Vec<f64> = (0..16).map(|i| 0.08 * f64::from(i % 7 - 3)).collect();
    let vols: Vec<f64> = (0..16).map(|i| [0.04, -0.04, 0.0][i / 7]).collect();
    let (spots, vols) = (Moves::Shared(&spots), Moves::Shared(&vols));
    let mut out = vec![0.0; EUROPEAN * 16];
    group.throughput(Throughput::Elements(out.len() as u64));
    group.bench_function("grid_16", |b| {
        b.iter(|| black::price_grid(&o, spots, vols, 0.0, 16, &mut out));
    });
}

fn american(criterion: &mut Criterion, level: &str) {
    let o = black_box(chain(AMERICAN));
    let mut group = criterion.benchmark_group(format!("{level}/american"));
    group.throughput(Throughput::Elements(AMERICAN as u64));
    let mut out = vec![0.0; AMERICAN];
    group.bench_function("price", |b| {
        b.iter(|| american::price(&o, Mode::Standard, &mut out).unwrap());
    });
    let tree = |i: usize| TreeInputs {
        spot: o.spot[i],
        strike: o.strike[i],
        years: o.years[i],
        rate: o.rate[i],
        dividend_yield: o.dividend_yield[i],
        vol: o.vol[i],
        right: o.right[i],
        dividends: &[],
    };
    let trees: Vec<TreeInputs<'_>> = (0..AMERICAN).map(tree).collect();
    for scheme in [Scheme::Crr, Scheme::LeisenReimer] {
        group.bench_function(format!("tree_101/{scheme:?}"), |b| {
            let treatment = DividendTreatment::Escrowed;
            b.iter(|| tree::price_many(&trees, true, scheme, 101, treatment, &mut out).unwrap());
        });
    }
    let spots: Vec<f64> = (-5..=5).map(|i| 0.03 * f64::from(i)).collect();
    let (spots, vols) = (Moves::Shared(&spots), Moves::Shared(&[0.0; 11]));
    let (mode, mut out) = (Mode::Standard, vec![0.0; AMERICAN * 11]);
    group.throughput(Throughput::Elements(out.len() as u64));
    for sharing in [Sharing::PerOption, Sharing::PerExpiry] {
        group.bench_function(format!("grid_11/{sharing:?}"), |b| {
            b.iter(|| american::price_grid(&o, mode, sharing, spots, vols, 0.0, 11, &mut out));
        });
    }
}

fn main() {
    if std::env::var_os(LEVEL_VARIABLE).is_some() {
        let mut criterion = Criterion::default().configure_from_args();
        european(&mut criterion, simd::level().name());
        american(&mut criterion, simd::level().name());
        return;
    }
    let program = std::env::current_exe().expect("this program");
    for level in Level::ALL {
        if level <= simd::machine_level() {
            let mut child = Command::new(&program);
            child.args(std::env::args_os().skip(1));
            let status = child.env(LEVEL_VARIABLE, level.name()).status();
            if !status.expect("this program runs").success() {
                exit(1);
            }
        }
    }
}
