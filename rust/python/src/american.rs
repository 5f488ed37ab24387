//! American prices over columns: the collocation, trees with cash dividends, and the quadratic approximation.
//!
//! Columns are copied before the interpreter lock is released; the Python layer has broadcast them to one length.

use margincore::pricing::american::{self, Mode, Sharing};
use margincore::pricing::baw::{self, QuadraticInputs};
use margincore::pricing::greeks::{GreekColumns, Greeks};
use margincore::pricing::implied::{PriceColumns, Status};
use margincore::pricing::tree::{self, DividendTreatment, Scheme, TreeInputs};
use margincore::pricing::{Moves, OptionColumns, escrowed as core};
use margincore::{fail, interrupt};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::errors::{enter, invalid, raise};
use crate::pricing::{GREEKS, finite};

type Column<'py> = PyReadonlyArray1<'py, f64>;

/// One array per result.
type Arrays<'py> = Vec<Bound<'py, PyArray1<f64>>>;

/// The columns of [`OptionColumns`], owned.
struct Table {
    spot: Vec<f64>,
    strike: Vec<f64>,
    years: Vec<f64>,
    rate: Vec<f64>,
    dividend_yield: Vec<f64>,
    vol: Vec<f64>,
    right: Vec<i8>,
}

impl Table {
    fn new(columns: &Bound<'_, PyAny>, right: &PyReadonlyArray1<'_, i8>) -> PyResult<Self> {
        let [spot, strike, years, rate, dividend_yield, vol]: [Column<'_>; 6] =
            columns.extract()?;
        let table = Self {
            spot: spot.as_slice()?.to_vec(),
            strike: strike.as_slice()?.to_vec(),
            years: years.as_slice()?.to_vec(),
            rate: rate.as_slice()?.to_vec(),
            dividend_yield: dividend_yield.as_slice()?.to_vec(),
            vol: vol.as_slice()?.to_vec(),
            right: right.as_slice()?.to_vec(),
        };
        one_length([
            table.spot.len(),
            table.strike.len(),
            table.years.len(),
            table.rate.len(),
            table.dividend_yield.len(),
            table.vol.len(),
            table.right.len(),
        ])?;
        Ok(table)
    }

    fn len(&self) -> usize {
        self.spot.len()
    }

    fn columns(&self) -> OptionColumns<'_> {
        OptionColumns {
            spot: &self.spot,
            strike: &self.strike,
            years: &self.years,
            rate: &self.rate,
            dividend_yield: &self.dividend_yield,
            vol: &self.vol,
            right: &self.right,
        }
    }

    fn tree<'a>(&self, row: usize, dividends: &'a [(f64, f64)]) -> TreeInputs<'a> {
        TreeInputs {
            spot: self.spot[row],
            strike: self.strike[row],
            years: self.years[row],
            rate: self.rate[row],
            dividend_yield: self.dividend_yield[row],
            vol: self.vol[row],
            right: self.right[row],
            dividends,
        }
    }
}

/// Refuses columns of which one is longer than another.
fn one_length<const N: usize>(lengths: [usize; N]) -> PyResult<()> {
    if lengths.iter().any(|&length| length != lengths[0]) {
        return Err(invalid(format!(
            "columns of {lengths:?} rows: they must be of one length"
        )));
    }
    Ok(())
}

fn mode(name: &str) -> PyResult<Mode> {
    match name {
        "fast" => Ok(Mode::Fast),
        "standard" => Ok(Mode::Standard),
        "precise" => Ok(Mode::Precise),
        _ => Err(invalid(format!(
            "accuracy {name:?}: expected fast, standard or precise"
        ))),
    }
}

/// Scheme and dividend treatment of a tree, by name.
fn tree_kind(scheme: &str, treatment: &str) -> PyResult<(Scheme, DividendTreatment)> {
    let scheme = match scheme {
        "crr" => Scheme::Crr,
        "leisen_reimer" => Scheme::LeisenReimer,
        "trinomial" => Scheme::Trinomial,
        _ => {
            return Err(invalid(format!(
                "scheme {scheme:?}: expected crr, leisen_reimer or trinomial"
            )));
        }
    };
    let treatment = match treatment {
        "escrowed" => DividendTreatment::Escrowed,
        "spot_drop" => DividendTreatment::SpotDrop,
        _ => {
            return Err(invalid(format!(
                "dividend treatment {treatment:?}: expected escrowed or spot_drop"
            )));
        }
    };
    Ok((scheme, treatment))
}

/// Moves of `scenarios` columns: one list, or a table by rows, told apart by their number.
fn moves(table: &[f64], scenarios: usize, per_row: bool) -> PyResult<Moves<'_>> {
    if !per_row && table.len() != scenarios {
        return Err(invalid(format!(
            "{} moves for {scenarios} scenarios",
            table.len()
        )));
    }
    Ok(if per_row {
        Moves::PerRow(table)
    } else {
        Moves::Shared(table)
    })
}

/// Prices by rows and scenarios, flat, a new array; the moves are (values, whether they are a table by rows).
///
/// Columns and moves as those of :func:`european_grid`, all vectors, the right apart. Raises :class:`InvalidInput` for
/// another length or an unknown `accuracy`, :class:`CalculationError` for a price that is no number.
#[pyfunction]
pub(crate) fn american_grid<'py>(
    py: Python<'py>,
    columns: &Bound<'py, PyAny>,
    right: PyReadonlyArray1<'py, i8>,
    price_moves: (Column<'py>, bool),
    vol_moves: (Column<'py>, bool),
    roll: f64,
    scenarios: usize,
    accuracy: &str,
    shared_boundaries: bool,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let table = Table::new(columns, &right)?;
    let mode = mode(accuracy)?;
    let sharing = if shared_boundaries {
        Sharing::PerExpiry
    } else {
        Sharing::PerOption
    };
    let price_table = price_moves.0.as_slice()?.to_vec();
    let vol_table = vol_moves.0.as_slice()?.to_vec();
    let price_moves = moves(&price_table, scenarios, price_moves.1)?;
    let vol_moves = moves(&vol_table, scenarios, vol_moves.1)?;
    let values = enter(py, || {
        let mut out = vec![0.0; table.len() * scenarios];
        american::price_grid(
            &table.columns(),
            mode,
            sharing,
            price_moves,
            vol_moves,
            roll,
            scenarios,
            &mut out,
        )?;
        finite("a price", 0, scenarios, &out)?;
        Ok(out)
    })?;
    Ok(values.into_pyarray(py))
}

/// Price, delta, gamma, vega, theta, rho, vanna, volga: eight new arrays, in the units of :func:`european_greeks`.
///
/// Raises as :func:`american_grid`.
#[pyfunction]
pub(crate) fn american_greeks<'py>(
    py: Python<'py>,
    columns: &Bound<'py, PyAny>,
    right: PyReadonlyArray1<'py, i8>,
    accuracy: &str,
) -> PyResult<Arrays<'py>> {
    let table = Table::new(columns, &right)?;
    let mode = mode(accuracy)?;
    let values = enter(py, || {
        let mut values: [Vec<f64>; 8] = std::array::from_fn(|_| vec![0.0; table.len()]);
        let [price, delta, gamma, vega, theta, rho, vanna, volga] = &mut values;
        let out = GreekColumns {
            price,
            delta,
            gamma,
            vega,
            theta,
            rho,
            vanna,
            volga,
        };
        american::greeks(&table.columns(), mode, out)?;
        for (name, column) in GREEKS.into_iter().zip(&values) {
            finite(name, 0, 1, column)?;
        }
        Ok(values)
    })?;
    Ok(values.into_iter().map(|v| v.into_pyarray(py)).collect())
}

/// The spot at which each option should be exercised now, a new array: 0 and infinity where it never is.
///
/// The spot column is not read. Raises as :func:`american_grid`, and :class:`Unsupported` where there is no
/// single boundary.
#[pyfunction]
pub(crate) fn american_boundary<'py>(
    py: Python<'py>,
    columns: &Bound<'py, PyAny>,
    right: PyReadonlyArray1<'py, i8>,
    accuracy: &str,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let table = Table::new(columns, &right)?;
    let mode = mode(accuracy)?;
    let values = enter(py, || {
        let mut out = vec![0.0; table.len()];
        american::exercise_boundary(&table.columns(), mode, &mut out)?;
        Ok(out)
    })?;
    Ok(values.into_pyarray(py))
}

type VolsAndStatuses<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<u8>>);

/// Vols, and status numbers as :func:`implied_statuses` lists them; the vol column holds the prices.
///
/// Two new arrays. Raises as :func:`american_grid`.
#[pyfunction]
pub(crate) fn american_implied<'py>(
    py: Python<'py>,
    columns: &Bound<'py, PyAny>,
    right: PyReadonlyArray1<'py, i8>,
    accuracy: &str,
) -> PyResult<VolsAndStatuses<'py>> {
    let table = Table::new(columns, &right)?;
    let mode = mode(accuracy)?;
    let (vol, status) = enter(py, || {
        let n = table.len();
        let (mut vol, mut status) = (vec![0.0; n], vec![Status::Ok; n]);
        let quotes = PriceColumns {
            price: &table.vol,
            spot: &table.spot,
            strike: &table.strike,
            years: &table.years,
            rate: &table.rate,
            dividend_yield: &table.dividend_yield,
            right: &table.right,
        };
        american::implied_vol(
            &quotes,
            mode,
            american::Sharing::PerOption,
            &mut vol,
            &mut status,
        )?;
        Ok((vol, status.into_iter().map(|s| s as u8).collect::<Vec<_>>()))
    })?;
    Ok((vol.into_pyarray(py), status.into_pyarray(py)))
}

/// Tree prices by rows and moves, flat, a new array; `price_moves` are fractions shared by all rows.
///
/// `dividends` are (years from now, cash per unit). Raises as :func:`american_grid`, and :class:`InvalidInput` for an
/// unknown `scheme` or `treatment`.
#[pyfunction]
pub(crate) fn tree_grid<'py>(
    py: Python<'py>,
    columns: &Bound<'py, PyAny>,
    right: PyReadonlyArray1<'py, i8>,
    price_moves: Vec<f64>,
    dividends: Vec<(f64, f64)>,
    american: bool,
    scheme: &str,
    steps: usize,
    treatment: &str,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let table = Table::new(columns, &right)?;
    let (scheme, treatment) = tree_kind(scheme, treatment)?;
    let values = enter(py, || {
        let scenarios = price_moves.len();
        let rows: Vec<TreeInputs<'_>> = (0..table.len() * scenarios)
            .map(|cell| {
                let row = table.tree(cell / scenarios, &dividends);
                TreeInputs {
                    spot: row.spot * (1.0 + price_moves[cell % scenarios]),
                    ..row
                }
            })
            .collect();
        let mut out = vec![0.0; rows.len()];
        tree::price_many(&rows, american, scheme, steps, treatment, &mut out)?;
        finite("a price", 0, scenarios, &out)?;
        Ok(out)
    })?;
    Ok(values.into_pyarray(py))
}

/// Price and seven sensitivities of American options with cash dividends, by the scheme that prices.
///
/// Eight new arrays, as those of :func:`american_greeks`. Raises as :func:`tree_grid`, and :class:`Unsupported` for a
/// row without time or vol.
#[pyfunction]
pub(crate) fn tree_greeks<'py>(
    py: Python<'py>,
    columns: &Bound<'py, PyAny>,
    right: PyReadonlyArray1<'py, i8>,
    dividends: Vec<(f64, f64)>,
    scheme: &str,
    steps: usize,
    treatment: &str,
) -> PyResult<Arrays<'py>> {
    let table = Table::new(columns, &right)?;
    let (scheme, treatment) = tree_kind(scheme, treatment)?;
    let values = enter(py, || {
        let rows: Vec<TreeInputs<'_>> = (0..table.len())
            .map(|row| table.tree(row, &dividends))
            .collect();
        if let Some(row) = rows.iter().position(|o| o.vol * o.years <= 0.0) {
            fail!(
                Unsupported,
                "row {row}: greeks with cash dividends need time to expiry and a vol above zero"
            );
        }
        let found = tree::greeks(&rows, scheme, steps, treatment)?;
        let columns: [fn(&Greeks) -> f64; 8] = [
            |g| g.price,
            |g| g.delta,
            |g| g.gamma,
            |g| g.vega,
            |g| g.theta,
            |g| g.rho,
            |g| g.vanna,
            |g| g.volga,
        ];
        let values = columns.map(|of| found.iter().map(of).collect::<Vec<_>>());
        for (name, column) in GREEKS.into_iter().zip(&values) {
            finite(name, 0, 1, column)?;
        }
        Ok(values)
    })?;
    Ok(values.into_iter().map(|v| v.into_pyarray(py)).collect())
}

/// What diffuses of each spot, the value of dividends to come, and its fall per 1.00 of the rate.
///
/// Three new arrays, `roll` years from now; the dividends are those then still to come before expiry, given as (years
/// from now, cash per unit). Raises :class:`InvalidInput` for columns that differ in length, cash below zero and
/// dividends worth the whole spot.
#[pyfunction]
pub(crate) fn escrowed<'py>(
    py: Python<'py>,
    spot: PyReadonlyArray1<'py, f64>,
    years: PyReadonlyArray1<'py, f64>,
    carry: PyReadonlyArray1<'py, f64>,
    dividends: Vec<(f64, f64)>,
    roll: f64,
) -> PyResult<Arrays<'py>> {
    for (number, (when, cash)) in dividends.iter().enumerate() {
        if !(when.is_finite() && cash.is_finite() && *cash >= 0.0) {
            return Err(invalid(format!(
                "dividend {number}: ({when}, {cash}): expected years and cash that is not negative"
            )));
        }
    }
    let ahead: Vec<(f64, f64)> = dividends.iter().map(|d| (d.0 - roll, d.1)).collect();
    let (spot, years, carry) = (spot.as_array(), years.as_array(), carry.as_array());
    one_length([spot.len(), years.len(), carry.len()])?;
    let mut columns = [const { Vec::new() }; 3];
    for (row, ((&spot, &years), &carry)) in spot.iter().zip(years).zip(carry).enumerate() {
        let years = years - roll;
        let left = core::diffusing(spot, &ahead, years, carry)
            .map_err(|e| raise(e.at(format_args!("row {row}"))))?;
        columns[0].push(left);
        columns[1].push(core::present_value(&ahead, years, carry));
        columns[2].push(core::per_rate(&ahead, years, carry));
    }
    Ok(columns.into_iter().map(|v| v.into_pyarray(py)).collect())
}

/// Vols at which the tree returns the prices, which are in the vol column, and status numbers as
/// :func:`implied_statuses` lists them.
///
/// Two new arrays. Raises as :func:`tree_grid`.
#[pyfunction]
pub(crate) fn tree_implied<'py>(
    py: Python<'py>,
    columns: &Bound<'py, PyAny>,
    right: PyReadonlyArray1<'py, i8>,
    dividends: Vec<(f64, f64)>,
    american: bool,
    scheme: &str,
    steps: usize,
    treatment: &str,
) -> PyResult<VolsAndStatuses<'py>> {
    let table = Table::new(columns, &right)?;
    let (scheme, treatment) = tree_kind(scheme, treatment)?;
    let found = enter(py, || {
        let one = |row: usize| {
            let inputs = table.tree(row, &dividends);
            tree::implied_status(&inputs, table.vol[row], american, scheme, steps, treatment)
                .map_err(|e| e.at(format_args!("row {row}")))
        };
        (0..table.len())
            .map(one)
            .collect::<margincore::Result<Vec<_>>>()
    })?;
    let (vol, status): (Vec<f64>, Vec<u8>) = found.into_iter().map(|(v, s)| (v, s as u8)).unzip();
    Ok((vol.into_pyarray(py), status.into_pyarray(py)))
}

/// Prices by Barone-Adesi and Whaley (1987), a new array; the dividend yield column holds the cost of carry.
///
/// Raises as :func:`american_grid`.
#[pyfunction]
pub(crate) fn quadratic_prices<'py>(
    py: Python<'py>,
    columns: &Bound<'py, PyAny>,
    right: PyReadonlyArray1<'py, i8>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let table = Table::new(columns, &right)?;
    let values = enter(py, || {
        (0..table.len())
            .map(|row| {
                interrupt::check()?;
                baw::price(&QuadraticInputs {
                    spot: table.spot[row],
                    strike: table.strike[row],
                    years: table.years[row],
                    rate: table.rate[row],
                    carry: table.dividend_yield[row],
                    vol: table.vol[row],
                    right: table.right[row],
                })
                .map_err(|e| e.at(format_args!("row {row}")))
            })
            .collect::<margincore::Result<Vec<_>>>()
            .and_then(|values| finite("the price", 0, 1, &values).map(|()| values))
    })?;
    Ok(values.into_pyarray(py))
}
