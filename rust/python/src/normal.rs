//! The normal model's kernels over NumPy columns, beside those of [`crate::pricing`]: forwards in the place of spots.

use margincore::pricing::bachelier::{self, Unit};
use margincore::pricing::{RowCopy, Rows, check};
use numpy::{PyArray1, PyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::arrays::run;
use crate::errors::invalid;
use crate::pricing::{
    FORWARD, From, GREEKS, Options, Quotes, Table, eight, finite, implied_into, slice_of, slices,
    writable,
};

/// Rows are copied, the copy is checked by the normal model's rules, and the kernel reads the copy.
struct Normal<'a, 'py>(&'a Options<'py>);

impl Rows for Normal<'_, '_> {
    type Error = margincore::MarginError;

    #[inline(always)]
    fn copy(&self, first: usize, count: usize, copy: &mut RowCopy) -> margincore::Result<()> {
        self.0.fill(first, count, copy);
        check::normal(&copy.columns(count), &FORWARD, first)
    }
}

/// Prices of the normal model into `out`, one per row, in the currency of the forward.
///
/// `columns` are forward, strike (of any sign), years, rate (an annual fraction), a number that is not read, vol (price
/// units per square root of a year) and right. Raises as :func:`european_prices`.
#[pyfunction]
pub(crate) fn normal_prices(
    py: Python<'_>,
    columns: [Bound<'_, PyAny>; 7],
    out: &Bound<'_, PyArray1<f64>>,
) -> PyResult<()> {
    let options = Options::new(&columns, FORWARD, out.len())?;
    let rows = out.len();
    let mut out = writable(out)?;
    let out = slice_of(&mut out)?;
    options.apart_from(out)?;
    run(py, 2 * rows, move || {
        for part in slices(rows, 1) {
            let (first, out) = (part.start, &mut out[part]);
            let rows = &Normal(&options);
            bachelier::price_rows(&From { rows, first }, out)?;
            finite("the price", first, 1, out)?;
        }
        Ok(())
    })
}

/// Prices of the normal model into `out`, rows by scenarios. Moves as those of :func:`european_grid`, but the price
/// moves are added to the forward with `amounts`, and are fractions of it without. Raises as :func:`normal_prices`.
#[pyfunction]
pub(crate) fn normal_grid(
    py: Python<'_>,
    columns: [Bound<'_, PyAny>; 7],
    price_moves: &Bound<'_, PyAny>,
    vol_moves: &Bound<'_, PyAny>,
    roll: f64,
    out: &Bound<'_, PyArray2<f64>>,
    amounts: bool,
) -> PyResult<()> {
    let &[rows, scenarios] = out.shape() else {
        unreachable!("a two-dimensional array has two lengths")
    };
    if !roll.is_finite() {
        return Err(invalid(format!(
            "roll is {roll}; it must be a finite number of years"
        )));
    }
    let unit = if amounts {
        Unit::Amount
    } else {
        Unit::Fraction
    };
    let least = if amounts { f64::MIN } else { -1.0 };
    let options = Options::new(&columns, FORWARD, rows)?;
    let price_moves = Table::new("price_moves", price_moves, rows, scenarios, least)?;
    let vol_moves = Table::new("vol_moves", vol_moves, rows, scenarios, f64::MIN)?;
    let mut out = writable(out)?;
    let out = slice_of(&mut out)?;
    options.apart_from(out)?;
    run(py, rows * scenarios, move || {
        for part in slices(rows, scenarios) {
            let (price, vol) = (
                price_moves.of(&part, scenarios),
                vol_moves.of(&part, scenarios),
            );
            let (first, count) = (part.start, part.len());
            let out = &mut out[first * scenarios..part.end * scenarios];
            let rows = &Normal(&options);
            let rows = From { rows, first };
            bachelier::price_grid_rows(&rows, count, price, unit, vol, roll, scenarios, out)?;
            finite("a price", first, scenarios, out)?;
        }
        Ok(())
    })
}

/// Price, delta, gamma, vega, theta, rho, vanna and volga of the normal model into the rows of `out`, of shape
/// ``(8, rows)``: per unit of the forward and of the normal vol, the forward held. Raises as :func:`normal_prices`.
#[pyfunction]
pub(crate) fn normal_greeks(
    py: Python<'_>,
    columns: [Bound<'_, PyAny>; 7],
    out: &Bound<'_, PyArray2<f64>>,
) -> PyResult<()> {
    let &[8, rows] = out.shape() else {
        return Err(invalid(format!(
            "out has shape {:?}, expected 8 rows",
            out.shape()
        )));
    };
    let options = Options::new(&columns, FORWARD, rows)?;
    let mut out = writable(out)?;
    let out = slice_of(&mut out)?;
    options.apart_from(out)?;
    run(py, 4 * rows, move || {
        let mut columns: Vec<&mut [f64]> = out.chunks_mut(rows.max(1)).collect();
        for part in slices(rows, GREEKS.len()) {
            let first = part.start;
            let rows = &Normal(&options);
            bachelier::greeks_rows(&From { rows, first }, eight(&mut columns, part.clone()))?;
            for (name, column) in GREEKS.into_iter().zip(&columns) {
                finite(name, first, 1, &column[part.clone()])?;
            }
        }
        Ok(())
    })
}

/// Implied normal vols (price units per square root of a year) into `out`, statuses as numbers into `status`.
///
/// The sixth of the columns holds the prices. Raises as :func:`normal_prices`; a row without a vol has a status.
#[pyfunction]
pub(crate) fn normal_implied(
    py: Python<'_>,
    columns: [Bound<'_, PyAny>; 7],
    out: &Bound<'_, PyArray1<f64>>,
    status: &Bound<'_, PyArray1<u8>>,
) -> PyResult<()> {
    let rows = out.len();
    let options = Options::new(&columns, FORWARD, rows)?;
    let mut out = writable(out)?;
    let out = slice_of(&mut out)?;
    options.apart_from(out)?;
    implied_into(py, status, rows, move |statuses, part| {
        let (quotes, first) = (Quotes(&options), part.start);
        let rows = From {
            rows: &quotes,
            first,
        };
        bachelier::implied_rows(&rows, &mut out[part.clone()], &mut statuses[part])
    })
}
