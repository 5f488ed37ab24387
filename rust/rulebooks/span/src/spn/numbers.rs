//! Decimal numbers of a file, correctly rounded without a general parser: an integer of at most 15 digits divided by a
//! power of ten, both exact in double precision.

/// Powers of ten that are exact in double precision.
const TENS: [f64; 20] = [
    1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19,
];

/// Up to seven leading digits of eight bytes, with how many there are.
///
/// Bytes are examined together (SWAR): which of them are digits, then pairs, fours and eights of them by
/// multiplication, because the lengths of a file's numbers are what a branch predictor cannot learn.
#[inline(always)]
fn leading_digits(text: [u8; 8]) -> (u64, usize) {
    let values = u64::from_le_bytes(text) ^ 0x3030_3030_3030_3030;
    // The high bit of every byte above 9.
    let others = (values | values.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080;
    let count = (others.trailing_zeros() / 8) as usize;
    if count == 0 || count > 7 {
        return (0, count);
    }
    let digits = values << (64 - 8 * count);
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let eight = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    (eight, count)
}

/// As [`plain_number`], for numbers of at most seven digits on either side of a point, with room after them.
#[inline(always)]
pub(super) fn short_number(text: &[u8]) -> Option<(f64, usize)> {
    let negative = usize::from(*text.first()? == b'-');
    let (whole, before) = leading_digits(*text.get(negative..)?.first_chunk()?);
    let point = negative + before;
    if before == 0 || before > 7 {
        return None;
    }
    if text[point] != b'.' {
        return Some((signed(negative == 1, whole as f64), point));
    }
    let (fraction, after) = leading_digits(*text.get(point + 1..)?.first_chunk()?);
    if after > 7 {
        return None;
    }
    let mantissa = whole * WHOLE_TENS[after] + fraction;
    // Signed, because that conversion is one instruction.
    let value = mantissa as i64 as f64 / TENS[after];
    Some((signed(negative == 1, value), point + 1 + after))
}

/// Negative zero is zero.
#[inline(always)]
fn signed(negative: bool, value: f64) -> f64 {
    if negative && value != 0.0 {
        -value
    } else {
        value
    }
}

const WHOLE_TENS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// `-?digits[.digits]` of at most 15 digits, correctly rounded by one division of exact integers, with the bytes
/// used; none where the text needs a general parser. Negative zero becomes zero.
pub(super) fn plain_number(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let first = at;
    let mut mantissa = 0_u64;
    while let Some(digit @ b'0'..=b'9') = text.get(at) {
        mantissa = mantissa
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    let mut digits = at - first;
    let mut decimals = 0;
    if digits > 0 && text.get(at) == Some(&b'.') {
        at += 1;
        let point = at;
        while let Some(digit @ b'0'..=b'9') = text.get(at) {
            mantissa = mantissa
                .wrapping_mul(10)
                .wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        decimals = at - point;
        digits += decimals;
    }
    if digits == 0 || digits > 15 {
        return None;
    }
    Some((signed(negative, mantissa as f64 / TENS[decimals]), at))
}
