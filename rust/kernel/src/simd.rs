//! Dispatch to the instruction set: the level is detected once and a kernel's clone for that level is run.
//!
//! A kernel is plain scalar Rust in an `#[inline(always)]` body. One clone per level is compiled with that level's
//! instructions, so the loops inside vectorise to its width. Kernels use `mul_add` for every fused operation and no
//! reassociation, hence every level returns the same bits. This module holds the only `unsafe` of the crate.
#![allow(unsafe_code)]

use once_cell::race::OnceBox;

use crate::error::Result;
use crate::fail;

/// The environment variable that lowers the level; for tests.
pub const LEVEL_VARIABLE: &str = "MARGINCORE_SIMD";

/// Instruction sets, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the target guarantees. Fused multiply-add may be a library call: right, and slow.
    Baseline,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, DQ, VL and BW.
    Avx512,
}

impl Level {
    pub const ALL: [Level; 3] = [Level::Baseline, Level::Avx2, Level::Avx512];

    /// The name `MARGINCORE_SIMD` uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    fn from_name(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|level| level.name() == name) {
            Some(level) => Ok(level),
            None => fail!(
                InvalidInput: UnknownName;
                "{LEVEL_VARIABLE}={name:?}: expected avx512, avx2 or baseline, or leave it unset"
            ),
        }
    }
}

/// The highest level this machine has.
pub fn machine_level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw");
        if avx2 && avx512 {
            return Level::Avx512;
        } else if avx2 {
            return Level::Avx2;
        }
    }
    Level::Baseline
}

fn configured() -> &'static Result<Level> {
    // Nobody waits for whoever comes first: it may be a thread that a fork leaves behind.
    static LEVEL: OnceBox<Result<Level>> = OnceBox::new();
    LEVEL.get_or_init(|| {
        Box::new(match std::env::var_os(LEVEL_VARIABLE) {
            None => Ok(machine_level()),
            Some(name) => {
                Level::from_name(&name.to_string_lossy()).map(|asked| asked.min(machine_level()))
            }
        })
    })
}

/// The level in use: the machine's, or a lower one that `MARGINCORE_SIMD` asks for. Read once.
///
/// A misspelt variable does not change results, so it is reported by [`check_environment`] and ignored here.
pub fn level() -> Level {
    match configured() {
        Ok(level) => *level,
        Err(_) => machine_level(),
    }
}

/// Refuses an unreadable `MARGINCORE_SIMD` and a processor state that would change results.
#[inline]
pub fn check_environment() -> Result<()> {
    if let Err(misspelt) = configured() {
        return Err(misspelt.clone());
    }
    check_floating_point()
}

/// The control bits of MXCSR that change results: flush-to-zero, rounding mode, denormals-are-zero.
#[cfg(target_arch = "x86_64")]
const RESULT_BITS: u32 = 0b1110_0000_0100_0000;

/// Refuses a floating-point state in which the same inputs would give other bits. It is read, never set.
#[inline]
pub fn check_floating_point() -> Result<()> {
    #[cfg(target_arch = "x86_64")]
    {
        let control = read_mxcsr();
        if control & RESULT_BITS != 0 {
            fail!(
            CalculationError: ProcessorState, place "the floating-point control register", value control;
            "the floating-point control register is {control:#06x}: flush-to-zero, denormals-are-zero or a rounding \
                             mode is set in this thread, usually by a library built with -ffast-math; margins would differ from \
                             those of a default thread. Reset it, or calculate in another process"
                        );
        }
    }
    Ok(())
}

#[cfg(target_arch = "x86_64")]
fn read_mxcsr() -> u32 {
    let mut control = 0_u32;
    // SAFETY: stmxcsr stores four bytes to the address given, which is that of a live, aligned u32.
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack, preserves_flags));
    }
    control
}

/// Work to run at the machine's level. `run` must be `#[inline(always)]`, as must all it calls in its loops.
pub trait Kernel {
    type Output;
    fn run(self) -> Self::Output;
}

/// Runs the kernel's clone for the level in use.
#[inline]
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    // A level in use is one the machine has: it is not asked for again, a kernel may take only nanoseconds.
    dispatch(level(), kernel)
}

/// Runs the kernel's clone for a level, or for the machine's level where that is lower.
#[inline]
pub fn run_at<K: Kernel>(level: Level, kernel: K) -> K::Output {
    dispatch(level.min(machine_level()), kernel)
}

/// `level` is at most [`machine_level`]; both callers see to it.
#[inline]
fn dispatch<K: Kernel>(level: Level, kernel: K) -> K::Output {
    match level {
        Level::Baseline => kernel.run(),
        // SAFETY: `machine_level` has found these features on this machine.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { run_avx2(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { run_avx512(kernel) },
        #[cfg(not(target_arch = "x86_64"))]
        _ => kernel.run(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512vl,avx512bw")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// Columns that [`turn`] turns at once.
pub(crate) const TURNED: usize = 16;

/// Writes 16 columns as `rows` rows: `out[row * stride + column] = columns[column][row]`.
///
/// Apart from kernels because the compiler has no vector form for it; moving values has no rounding to agree on.
pub(crate) fn turn<const R: usize>(
    level: Level,
    columns: &[[f64; R]; TURNED],
    rows: usize,
    out: &mut [f64],
    stride: usize,
) {
    assert!(
        rows <= R && stride >= TURNED && (rows == 0 || out.len() >= (rows - 1) * stride + TURNED)
    );
    let whole = rows - rows % 8;
    let done = match level.min(machine_level()) {
        // SAFETY: the features are there; `whole` is a multiple of 8 within the columns and, by the assertion, `out`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe {
            turn_avx512(columns, whole, out, stride);
            whole
        },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe {
            turn_avx2(columns, whole, out, stride);
            whole
        },
        _ => 0,
    };
    for row in done..rows {
        for (value, column) in out[row * stride..][..TURNED].iter_mut().zip(columns) {
            *value = column[row];
        }
    }
}

/// # Safety
/// `rows` must be a multiple of 8, at most R, and `out` must hold `rows` rows of 16 at `stride`.
// Closures would be calls: index loops.
#[allow(clippy::needless_range_loop)]
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn turn_avx512<const R: usize>(
    columns: &[[f64; R]; TURNED],
    rows: usize,
    out: &mut [f64],
    stride: usize,
) {
    use std::arch::x86_64::{
        _mm512_loadu_pd, _mm512_setzero_pd, _mm512_shuffle_f64x2, _mm512_storeu_pd,
        _mm512_unpackhi_pd, _mm512_unpacklo_pd,
    };
    for row in (0..rows).step_by(8) {
        for half in [0, 8] {
            let mut c = [_mm512_setzero_pd(); 8];
            for k in 0..8 {
                // SAFETY: eight values from `row`, a multiple of 8 below R, are within each column.
                c[k] = unsafe { _mm512_loadu_pd(columns[half + k].as_ptr().add(row)) };
            }
            // Pairs of columns, then pairs of pairs, then all eight: row r ends up in one register.
            for odd in 0..2 {
                let pair = |k: usize| {
                    if odd == 0 {
                        _mm512_unpacklo_pd(c[k], c[k + 1])
                    } else {
                        _mm512_unpackhi_pd(c[k], c[k + 1])
                    }
                };
                let (p0, p1, p2, p3) = (pair(0), pair(2), pair(4), pair(6));
                let even = (
                    _mm512_shuffle_f64x2::<0x88>(p0, p1),
                    _mm512_shuffle_f64x2::<0x88>(p2, p3),
                );
                let rest = (
                    _mm512_shuffle_f64x2::<0xdd>(p0, p1),
                    _mm512_shuffle_f64x2::<0xdd>(p2, p3),
                );
                let turned = [
                    (odd, _mm512_shuffle_f64x2::<0x88>(even.0, even.1)),
                    (odd + 2, _mm512_shuffle_f64x2::<0x88>(rest.0, rest.1)),
                    (odd + 4, _mm512_shuffle_f64x2::<0xdd>(even.0, even.1)),
                    (odd + 6, _mm512_shuffle_f64x2::<0xdd>(rest.0, rest.1)),
                ];
                for (k, values) in turned {
                    // SAFETY: the caller gave room for 16 values at each of `rows` rows.
                    unsafe {
                        _mm512_storeu_pd(out.as_mut_ptr().add((row + k) * stride + half), values)
                    };
                }
            }
        }
    }
}

/// # Safety
/// As [`turn_avx512`].
#[allow(clippy::needless_range_loop)]
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn turn_avx2<const R: usize>(
    columns: &[[f64; R]; TURNED],
    rows: usize,
    out: &mut [f64],
    stride: usize,
) {
    use std::arch::x86_64::{
        _mm256_loadu_pd, _mm256_permute2f128_pd, _mm256_setzero_pd, _mm256_storeu_pd,
        _mm256_unpackhi_pd, _mm256_unpacklo_pd,
    };
    for row in (0..rows).step_by(4) {
        for quarter in [0, 4, 8, 12] {
            let mut c = [_mm256_setzero_pd(); 4];
            for k in 0..4 {
                // SAFETY: four values from `row`, a multiple of 4 below R, are within each column.
                c[k] = unsafe { _mm256_loadu_pd(columns[quarter + k].as_ptr().add(row)) };
            }
            let (low, high) = (
                _mm256_unpacklo_pd(c[0], c[1]),
                _mm256_unpacklo_pd(c[2], c[3]),
            );
            let (odd_low, odd_high) = (
                _mm256_unpackhi_pd(c[0], c[1]),
                _mm256_unpackhi_pd(c[2], c[3]),
            );
            let turned = [
                _mm256_permute2f128_pd::<0x20>(low, high),
                _mm256_permute2f128_pd::<0x20>(odd_low, odd_high),
                _mm256_permute2f128_pd::<0x31>(low, high),
                _mm256_permute2f128_pd::<0x31>(odd_low, odd_high),
            ];
            for (k, values) in turned.into_iter().enumerate() {
                // SAFETY: the caller gave room for 16 values at each of `rows` rows.
                unsafe {
                    _mm256_storeu_pd(out.as_mut_ptr().add((row + k) * stride + quarter), values)
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for level in Level::ALL {
            assert_eq!(Level::from_name(level.name()).unwrap(), level);
        }
        assert!(
            Level::from_name("sse9")
                .unwrap_err()
                .message()
                .contains("MARGINCORE_SIMD")
        );
    }

    #[test]
    fn turning_moves_every_value_and_no_other() {
        let columns: [[f64; 24]; TURNED] =
            std::array::from_fn(|j| std::array::from_fn(|l| (100 * j + l) as f64));
        for level in Level::ALL {
            for rows in [0, 1, 7, 8, 9, 23, 24] {
                let mut out = vec![-1.0; rows * 19];
                turn(level, &columns, rows, &mut out, 19);
                for (i, &value) in out.iter().enumerate() {
                    let (row, column) = (i / 19, i % 19);
                    let expected = if column < TURNED {
                        (100 * column + row) as f64
                    } else {
                        -1.0
                    };
                    assert_eq!(
                        value, expected,
                        "{level:?}, {rows} rows, row {row}, column {column}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_default_thread_is_accepted() {
        check_floating_point().unwrap();
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn flush_to_zero_is_refused() {
        std::thread::spawn(|| {
            let control = read_mxcsr() | 0x8000;
            // SAFETY: loads the control register of this thread, which ends with this test, from a live u32.
            unsafe {
                std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const control, options(nostack, preserves_flags));
            }
            assert!(check_floating_point().is_err());
        })
        .join()
        .unwrap();
    }
}
