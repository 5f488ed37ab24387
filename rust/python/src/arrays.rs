//! NumPy arrays as columns that are read in blocks: copied, checked, computed on.
//!
//! Another thread may write to an array while we read it, lock or no lock. So the kernel never sees NumPy's memory:
//! a cache-sized block is copied, the copy is checked, and the kernel reads the copy. This file holds the only `unsafe`
//! of the binding: reading elements by address.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;

use margincore::simd;
use numpy::{Element, PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::errors::{enter, invalid, raise};

/// Work above this many evaluations, about a millisecond, releases the interpreter lock.
const LONG: usize = 400_000;

/// A number for every row, or a one-dimensional array with one per row.
pub(crate) struct Column<'py, T> {
    kind: Kind<T>,
    /// Keeps the array's memory alive.
    _array: PhantomData<&'py PyAny>,
}

#[derive(Clone, Copy)]
enum Kind<T> {
    One(T),
    Many {
        data: *const u8,
        stride: isize,
        rows: usize,
    },
}

// SAFETY: the address is only read from, element by element, while the array that owns the memory is held by the
// caller of the Python function; values read are copies.
unsafe impl<T: Send> Send for Column<'_, T> {}

impl<'py, T: Element + Copy> Column<'py, T> {
    /// `one` reads a number that stands for every row.
    pub(crate) fn new(
        name: &str,
        value: &'py Bound<'_, PyAny>,
        rows: usize,
        one: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>,
    ) -> PyResult<Self> {
        let kind = match value.cast::<PyArray1<T>>() {
            Ok(array) if array.len() == rows => Kind::Many {
                data: array.data().cast_const().cast(),
                stride: array.strides()[0],
                rows,
            },
            Ok(array) => {
                return Err(invalid(format!(
                    "{name} has {} rows, expected {rows}",
                    array.len()
                )));
            }
            Err(_) => Kind::One(one(value)?),
        };
        Ok(Self {
            kind,
            _array: PhantomData,
        })
    }

    /// Copies rows `first .. first + count` into `out`. Inlined, because it runs in the kernels' loops.
    #[inline(always)]
    pub(crate) fn copy<const N: usize>(&self, first: usize, count: usize, out: &mut [T; N]) {
        match self.kind {
            Kind::One(value) => out.fill(value),
            Kind::Many { data, stride, rows } => {
                assert!(
                    count <= N && first + count <= rows,
                    "rows past the end of a column"
                );
                let bytes = size_of::<T>();
                // SAFETY: the array has `rows` elements `stride` bytes apart from `data`, and `first + count` does not
                // pass them; bytes are copied, so no alignment is needed. A concurrent writer can make a value any bits,
                // which every T here may have; it is checked after this copy.
                unsafe {
                    let from = data.offset(first as isize * stride);
                    let to = out.as_mut_ptr().cast::<u8>();
                    if stride != bytes as isize {
                        for (i, value) in out[..count].iter_mut().enumerate() {
                            *value = from
                                .offset(i as isize * stride)
                                .cast::<T>()
                                .read_unaligned();
                        }
                    } else if count == N {
                        // A length the compiler knows: vector loads and stores in place of a call.
                        std::ptr::copy_nonoverlapping(from, to, N * size_of::<T>());
                    } else {
                        std::ptr::copy_nonoverlapping(from, to, count * bytes);
                    }
                }
            }
        }
    }

    /// Refuses to write where this column is read: blocks already written would be read as inputs.
    pub(crate) fn apart_from(&self, name: &str, out: &Range<*const f64>) -> PyResult<()> {
        let Kind::Many { data, stride, rows } = self.kind else {
            return Ok(());
        };
        let span = stride.unsigned_abs() * rows.saturating_sub(1);
        let low = if stride < 0 {
            data.wrapping_sub(span)
        } else {
            data
        };
        let high = low.wrapping_add(span + size_of::<T>());
        if rows > 0 && low < out.end.cast() && high > out.start.cast() {
            return Err(invalid(format!(
                "out shares memory with {name}: give it memory of its own"
            )));
        }
        Ok(())
    }
}

/// Runs work of about `evaluations` prices, without the interpreter lock if it is long. Refuses a processor state that
/// would change results. `work` holds copies, [`Column`]s, and slices to write that were borrowed for the whole call.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    evaluations: usize,
    work: impl FnOnce() -> margincore::Result<T> + Send,
) -> PyResult<T> {
    if evaluations > LONG {
        return enter(py, work);
    }
    simd::check_environment()
        .and_then(|()| work())
        .map_err(raise)
}
