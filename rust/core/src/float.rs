//! Numbers as every room compares and prints them.

/// The larger of two; the first where they compare equal or either is NaN. Not `f64::max`, which compiles to more than one
/// instruction and skips a NaN.
#[inline(always)]
pub fn larger(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

/// The smaller of two; the first where they compare equal or either is NaN.
#[inline(always)]
pub fn smaller(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

/// Bytes in hexadecimal, as digests are printed.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
