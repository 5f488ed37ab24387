//! The European kernels over NumPy columns. `margincore.pricing` broadcasts and names; this copies, checks and computes.

use margincore::pricing::check::Names;
use margincore::pricing::greeks::GreekColumns;
use margincore::pricing::implied::Status;
use margincore::pricing::{BLOCK, Moves, RowCopy, Rows, black, check, greeks, implied};
use margincore::{fail, interrupt};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadwriteArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt};

use crate::arrays::{Column, run};
use crate::errors::invalid;

/// Columns of options as Python gave them: numbers or arrays of `rows` values.
pub(crate) struct Options<'py> {
    floats: [Column<'py, f64>; 6],
    right: Column<'py, i8>,
    names: Names,
}

/// The names of the columns of options on a `price`: a spot, a forward, or what a shift is added to. A forward has no
/// yield but the rate.
fn named(price: &str) -> PyResult<Names> {
    match price {
        "spot" => Ok(check::SPOT),
        "forward" => Ok(FORWARD),
        "shifted" => Ok([
            "forward plus shift",
            "strike plus shift",
            "years",
            "rate",
            "rate",
            "vol",
        ]),
        _ => Err(invalid(format!(
            "price {price:?}: spot, forward or shifted is expected"
        ))),
    }
}

pub(crate) const FORWARD: Names = ["forward", "strike", "years", "rate", "rate", "vol"];

impl<'py> Options<'py> {
    pub(crate) fn new(
        columns: &'py [Bound<'_, PyAny>; 7],
        names: Names,
        rows: usize,
    ) -> PyResult<Self> {
        let float = |k: usize| {
            Column::new(names[k], &columns[k], rows, |v| {
                v.extract::<f64>().map_err(|_| wrong_kind(names[k], v))
            })
        };
        let floats = [
            float(0)?,
            float(1)?,
            float(2)?,
            float(3)?,
            float(4)?,
            float(5)?,
        ];
        let right = Column::new("right", &columns[6], rows, |v| {
            v.extract::<i8>().map_err(|_| wrong_kind("right", v))
        })?;
        Ok(Self {
            floats,
            right,
            names,
        })
    }

    /// Refuses results that overlap an input.
    pub(crate) fn apart_from(&self, out: &[f64]) -> PyResult<()> {
        let out = out.as_ptr_range();
        for (column, name) in self.floats.iter().zip(self.names) {
            column.apart_from(name, &out)?;
        }
        self.right.apart_from("right", &out)
    }

    /// Copies `count` rows, unchecked.
    #[inline(always)]
    pub(crate) fn fill(&self, first: usize, count: usize, copy: &mut RowCopy) {
        // Column by column, no loop: each copy is compiled to its own few vector loads and stores.
        let [spot, strike, years, rate, dividend_yield, vol] = &mut copy.floats;
        self.floats[0].copy(first, count, spot);
        self.floats[1].copy(first, count, strike);
        self.floats[2].copy(first, count, years);
        self.floats[3].copy(first, count, rate);
        self.floats[4].copy(first, count, dividend_yield);
        self.floats[5].copy(first, count, vol);
        self.right.copy(first, count, &mut copy.right);
    }
}

/// Rows are copied, the copy is checked, and the kernel reads the copy.
impl Rows for Options<'_> {
    type Error = margincore::MarginError;

    #[inline(always)]
    fn copy(&self, first: usize, count: usize, copy: &mut RowCopy) -> margincore::Result<()> {
        self.fill(first, count, copy);
        if !check::sound(copy) {
            check::options(&copy.columns(count), &self.names, first)?;
        }
        Ok(())
    }
}

/// The rows of others from one on.
pub(crate) struct From<'a, R> {
    pub(crate) rows: &'a R,
    pub(crate) first: usize,
}

impl<R: Rows> Rows for From<'_, R> {
    type Error = R::Error;

    #[inline(always)]
    fn copy(&self, first: usize, count: usize, copy: &mut RowCopy) -> Result<(), R::Error> {
        self.rows.copy(self.first + first, count, copy)
    }
}

/// Results of a slice: they are still near when they are looked at.
const SLICE: usize = 8_192;

/// Rows from the first on, as many as leave `width` results each for a slice.
pub(crate) fn slices(rows: usize, width: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let length = (SLICE / width.max(1)).next_multiple_of(BLOCK).max(BLOCK);
    (0..rows)
        .step_by(length)
        .map(move |first| first..rows.min(first + length))
}

/// What the columns of greeks hold, in order.
pub(crate) const GREEKS: [&str; 8] = [
    "the price",
    "delta",
    "gamma",
    "vega",
    "theta",
    "rho",
    "vanna",
    "volga",
];

/// Refuses results that are no numbers, after asking whether to go on. `first` is the row that the first `width` of them
/// belong to.
pub(crate) fn finite(
    what: &str,
    first: usize,
    width: usize,
    results: &[f64],
) -> margincore::Result<()> {
    interrupt::check()?;
    if check::all_finite(results) {
        return Ok(());
    }
    let at = results.iter().position(|v| !v.is_finite());
    let (row, value) = at.map_or((first, f64::NAN), |at| (first + at / width, results[at]));
    fail!(
    CalculationError: NoNumber, place format_args!("row {row}: {what}"), value value;
    "row {row}: {what} is {value}: the inputs are too large, or too small, for numbers: check the units"
        )
}

/// Rows with prices in the place of vols. Inputs that are not numbers or not positive become a status; a right is a
/// mistake in the call.
pub(crate) struct Quotes<'a, 'py>(pub(crate) &'a Options<'py>);

impl Rows for Quotes<'_, '_> {
    type Error = margincore::MarginError;

    #[inline(always)]
    fn copy(&self, first: usize, count: usize, copy: &mut RowCopy) -> margincore::Result<()> {
        self.0.fill(first, count, copy);
        check::rights(&copy.right[..count], first)
    }
}

fn wrong_kind(name: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let kind = value
        .get_type()
        .name()
        .map_or_else(|_| "?".into(), |n| n.to_string());
    invalid(format!(
        "{name}: expected a number or a one-dimensional array of its type, not {kind}"
    ))
}

/// The length of columns that are as the engine takes them; `None` where they are not.
///
/// Floats and float64 vectors, int8 for the right, the vectors of one length, one at least.
#[pyfunction]
pub(crate) fn common_length(columns: [Bound<'_, PyAny>; 7]) -> Option<usize> {
    let mut common = None;
    let (right, floats) = columns.split_last()?;
    let lengths = floats
        .iter()
        .map(|column| match column.cast::<PyArray1<f64>>() {
            Ok(array) => Some(Some(array.len())),
            Err(_) => column.is_exact_instance_of::<PyFloat>().then_some(None),
        })
        .chain([match right.cast::<PyArray1<i8>>() {
            Ok(array) => Some(Some(array.len())),
            Err(_) => right.is_exact_instance_of::<PyInt>().then_some(None),
        }]);
    for length in lengths {
        if let Some(length) = length? {
            if common.is_some_and(|known| known != length) {
                return None;
            }
            common = Some(length);
        }
    }
    common
}

/// The memory of `out`, for this call alone.
pub(crate) fn slice_of<'a, D: numpy::ndarray::Dimension>(
    out: &'a mut PyReadwriteArray<'_, f64, D>,
) -> PyResult<&'a mut [f64]> {
    out.as_slice_mut()
        .map_err(|_| invalid("out must be C-contiguous"))
}

pub(crate) fn writable<'py, D: numpy::ndarray::Dimension>(
    out: &Bound<'py, numpy::PyArray<f64, D>>,
) -> PyResult<PyReadwriteArray<'py, f64, D>> {
    out.try_readwrite()
        .map_err(|e| invalid(format!("out cannot be written: {e}")))
}

/// Prices into `out`, one per row, in the currency of the spot.
///
/// `columns` are spot, strike, years, rate, dividend yield, vol (annual fractions) and right (+1 a call, -1 a put): a
/// number or a vector as long as `out` each; `price` says what stands for the spot, ``spot``, ``forward`` or
/// ``shifted``, in refusals. Raises :class:`InvalidInput` for a column of another type or length, a row
/// that is no option and an `out` that overlaps a column, :class:`CalculationError` for a price that is no number.
#[pyfunction]
#[pyo3(signature = (columns, out, price="spot"))]
pub(crate) fn european_prices(
    py: Python<'_>,
    columns: [Bound<'_, PyAny>; 7],
    out: &Bound<'_, PyArray1<f64>>,
    price: &str,
) -> PyResult<()> {
    let rows = out.len();
    let options = Options::new(&columns, named(price)?, rows)?;
    let mut out = writable(out)?;
    let out = slice_of(&mut out)?;
    options.apart_from(out)?;
    run(py, 2 * rows, move || {
        for part in slices(rows, 1) {
            let (first, out) = (part.start, &mut out[part]);
            let rows = &options;
            black::price_rows(&From { rows, first }, out)?;
            finite("the price", first, 1, out)?;
        }
        Ok(())
    })
}

/// Moves as given: one list, or an array of `rows` lists. A copy, checked.
pub(crate) struct Table {
    values: Vec<f64>,
    per_row: bool,
}

impl Table {
    pub(crate) fn new(
        name: &str,
        moves: &Bound<'_, PyAny>,
        rows: usize,
        scenarios: usize,
        least: f64,
    ) -> PyResult<Self> {
        let fits = |shape: &[usize]| {
            if shape == [scenarios] || shape == [rows, scenarios] {
                return Ok(shape.len() == 2);
            }
            Err(invalid(format!(
                "{name} has shape {shape:?}, expected [{scenarios}] or [{rows}, {scenarios}]"
            )))
        };
        let (per_row, values) = if let Ok(list) = moves.cast::<PyArray1<f64>>() {
            (
                fits(list.shape())?,
                list.try_readonly().map(|l| l.as_array().to_vec()),
            )
        } else if let Ok(table) = moves.cast::<PyArray2<f64>>() {
            (
                fits(table.shape())?,
                table
                    .try_readonly()
                    .map(|t| t.as_array().iter().copied().collect()),
            )
        } else {
            return Err(wrong_kind(name, moves));
        };
        let values = values.map_err(|e| invalid(format!("{name} cannot be read: {e}")))?;
        check::moves(name, &values, scenarios, 0, least).map_err(crate::errors::raise)?;
        Ok(Self { values, per_row })
    }

    /// The moves of some rows.
    pub(crate) fn of(&self, rows: &std::ops::Range<usize>, scenarios: usize) -> Moves<'_> {
        if self.per_row {
            Moves::PerRow(&self.values[rows.start * scenarios..rows.end * scenarios])
        } else {
            Moves::Shared(&self.values)
        }
    }
}

/// Prices into `out`, rows by scenarios. Raises as :func:`european_prices`, whose `columns` it takes.
///
/// `price_moves` are fractions of spot, `vol_moves` are added to vol: one list for all rows, or a table of the shape of
/// `out`, each; `roll` is the years that pass.
#[pyfunction]
#[pyo3(signature = (columns, price_moves, vol_moves, roll, out, price="spot"))]
pub(crate) fn european_grid(
    py: Python<'_>,
    columns: [Bound<'_, PyAny>; 7],
    price_moves: &Bound<'_, PyAny>,
    vol_moves: &Bound<'_, PyAny>,
    roll: f64,
    out: &Bound<'_, PyArray2<f64>>,
    price: &str,
) -> PyResult<()> {
    let &[rows, scenarios] = out.shape() else {
        unreachable!("a two-dimensional array has two lengths")
    };
    if !roll.is_finite() {
        return Err(invalid(format!(
            "roll is {roll}; it must be a finite number of years"
        )));
    }
    let options = Options::new(&columns, named(price)?, rows)?;
    let price_moves = Table::new("price_moves", price_moves, rows, scenarios, -1.0)?;
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
            let rows = &options;
            let rows = From { rows, first };
            black::price_grid_rows(&rows, count, price, vol, roll, scenarios, out)?;
            finite("a price", first, scenarios, out)?;
        }
        Ok(())
    })
}

/// Some rows of eight columns in the order of [`GREEKS`]; there is a row, so that there are eight.
pub(crate) fn eight<'a>(
    columns: &'a mut [&mut [f64]],
    rows: std::ops::Range<usize>,
) -> GreekColumns<'a> {
    let [price, delta, gamma, vega, theta, rho, vanna, volga] = columns else {
        unreachable!("eight rows")
    };
    GreekColumns {
        price: &mut price[rows.clone()],
        delta: &mut delta[rows.clone()],
        gamma: &mut gamma[rows.clone()],
        vega: &mut vega[rows.clone()],
        theta: &mut theta[rows.clone()],
        rho: &mut rho[rows.clone()],
        vanna: &mut vanna[rows.clone()],
        volga: &mut volga[rows],
    }
}

/// Price, delta, gamma, vega, theta, rho, vanna and volga into the rows of `out`, of shape ``(8, rows)``.
///
/// Delta is per unit of spot, gamma per its square; vega and vanna per 1.00 of vol, volga per its square, theta per
/// year of time passing, rho per 1.00 of the rate. Raises as :func:`european_prices`, whose `columns` it takes.
#[pyfunction]
#[pyo3(signature = (columns, out, price="spot"))]
pub(crate) fn european_greeks(
    py: Python<'_>,
    columns: [Bound<'_, PyAny>; 7],
    out: &Bound<'_, PyArray2<f64>>,
    price: &str,
) -> PyResult<()> {
    let &[8, rows] = out.shape() else {
        return Err(invalid(format!(
            "out has shape {:?}, expected 8 rows",
            out.shape()
        )));
    };
    let options = Options::new(&columns, named(price)?, rows)?;
    let mut out = writable(out)?;
    let out = slice_of(&mut out)?;
    options.apart_from(out)?;
    run(py, 4 * rows, move || {
        let mut copy = RowCopy::default();
        let mut columns: Vec<&mut [f64]> = out.chunks_mut(rows.max(1)).collect();
        for part in slices(rows, GREEKS.len()) {
            for first in part.clone().step_by(BLOCK) {
                let own = first..part.end.min(first + BLOCK);
                options.copy(first, own.len(), &mut copy)?;
                greeks::black(&copy.columns(own.len()), eight(&mut columns, own));
            }
            for (name, column) in GREEKS.into_iter().zip(&columns) {
                finite(name, part.start, 1, &column[part.clone()])?;
            }
        }
        Ok(())
    })
}

/// Implied vols (annual fractions) into `out`, statuses as numbers into `status`; one of each per row.
///
/// The sixth of the columns holds the prices. Raises as :func:`european_prices`; a row without a vol has a status.
#[pyfunction]
#[pyo3(signature = (columns, out, status, price="spot"))]
pub(crate) fn european_implied(
    py: Python<'_>,
    columns: [Bound<'_, PyAny>; 7],
    out: &Bound<'_, PyArray1<f64>>,
    status: &Bound<'_, PyArray1<u8>>,
    price: &str,
) -> PyResult<()> {
    let rows = out.len();
    let options = Options::new(&columns, named(price)?, rows)?;
    let mut out = writable(out)?;
    let out = slice_of(&mut out)?;
    options.apart_from(out)?;
    implied_into(py, status, rows, move |statuses, part| {
        let (quotes, first) = (Quotes(&options), part.start);
        let rows = From {
            rows: &quotes,
            first,
        };
        implied::black_rows(&rows, &mut out[part.clone()], &mut statuses[part])
    })
}

/// Runs an inversion slice by slice, and writes the statuses as numbers.
pub(crate) fn implied_into(
    py: Python<'_>,
    status: &Bound<'_, PyArray1<u8>>,
    rows: usize,
    mut invert: impl FnMut(&mut [Status], std::ops::Range<usize>) -> margincore::Result<()> + Send,
) -> PyResult<()> {
    if status.len() != rows {
        return Err(invalid("status and out differ in length"));
    }
    let mut numbers = status
        .try_readwrite()
        .map_err(|e| invalid(format!("status cannot be written: {e}")))?;
    let numbers = numbers
        .as_slice_mut()
        .map_err(|_| invalid("status must be C-contiguous"))?;
    run(py, 15 * rows, move || {
        let mut statuses = vec![Status::Ok; rows];
        for part in slices(rows, 1) {
            interrupt::check()?;
            invert(&mut statuses, part)?;
        }
        for (number, &status) in numbers.iter_mut().zip(&statuses) {
            *number = status as u8;
        }
        Ok(())
    })
}

/// What each status number of :func:`european_implied` means, in order; a new list.
#[pyfunction]
pub(crate) fn implied_statuses() -> Vec<&'static str> {
    Status::ALL.iter().map(|status| status.message()).collect()
}
