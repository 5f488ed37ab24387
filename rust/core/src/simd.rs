//! Dispatch to the instruction set: the level is detected once and a kernel's clone for that level is run.
//!
//! A kernel is plain scalar Rust in an `#[inline(always)]` body. One clone per level is compiled with that level's
//! instructions, so the loops inside vectorise to its width. Kernels use `mul_add` for every fused operation and no
//! reassociation, hence every level returns the same bits. This module holds the only `unsafe` of the crate.
#![allow(unsafe_code)]

use std::sync::OnceLock;

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
                InvalidInput,
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
    static LEVEL: OnceLock<Result<Level>> = OnceLock::new();
    LEVEL.get_or_init(|| match std::env::var_os(LEVEL_VARIABLE) {
        None => Ok(machine_level()),
        Some(name) => {
            Level::from_name(&name.to_string_lossy()).map(|asked| asked.min(machine_level()))
        }
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
pub fn check_environment() -> Result<()> {
    configured().clone()?;
    check_floating_point()
}

/// The control bits of MXCSR that change results: flush-to-zero, rounding mode, denormals-are-zero.
#[cfg(target_arch = "x86_64")]
const RESULT_BITS: u32 = 0b1110_0000_0100_0000;

/// Refuses a floating-point state in which the same inputs would give other bits. It is read, never set.
pub fn check_floating_point() -> Result<()> {
    #[cfg(target_arch = "x86_64")]
    {
        let control = read_mxcsr();
        if control & RESULT_BITS != 0 {
            fail!(
                CalculationError,
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
    run_at(level(), kernel)
}

/// Runs the kernel's clone for a level, or for the machine's level where that is lower.
#[inline]
pub fn run_at<K: Kernel>(level: Level, kernel: K) -> K::Output {
    match level.min(machine_level()) {
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
