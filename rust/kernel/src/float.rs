//! Numbers as every room compares and prints them.

/// The larger; `b` where they compare equal or either is NaN, as the processor's own instruction has it. `f64::max` takes
/// more than one and skips a NaN.
#[inline(always)]
pub fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The smaller; `b` where they compare equal or either is NaN.
#[inline(always)]
pub fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// Bytes in hexadecimal, as digests are printed.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
