//! Settlement prices and strikes: integers with a decimal locator and an alignment code.

use kernel::error::Result;
use kernel::fail;

/// Decodes a settlement price: integer digits, a decimal locator and an alignment code.
///
/// `C` is Treasuries (two digits of 32nds, then eighths of a 32nd), `0` grains (last digit eighths of a cent).
pub fn settlement_price(digits: &str, locator: i32, alignment: u8) -> Result<f64> {
    if digits.is_empty() || digits.len() > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        fail!(ParseError, "price '{digits}' is not a number");
    }
    let whole: f64 = digits.parse().expect("digits");
    let eighths = || match digits.as_bytes()[digits.len() - 1] {
        b'0' => Ok(0.0),
        b'1' => Ok(0.125),
        b'2' => Ok(0.25),
        b'3' => Ok(0.375),
        b'5' => Ok(0.5),
        b'6' => Ok(0.625),
        b'7' => Ok(0.75),
        b'8' => Ok(0.875),
        _ => fail!(ParseError, "price '{digits}': eighths never end in 4 or 9"),
    };
    let plain = || {
        if locator >= 0 {
            whole / 10_f64.powi(locator)
        } else {
            whole * 10_f64.powi(-locator)
        }
    };
    match alignment {
        b' ' => Ok(plain()),
        b'C' if locator == 3 => {
            let points = (whole / 1000.0).floor();
            let thirty_seconds = ((whole - points * 1000.0) / 10.0).floor();
            if thirty_seconds > 31.0 {
                fail!(
                    ParseError,
                    "price '{digits}': {thirty_seconds} thirty-seconds"
                );
            }
            Ok(points + (thirty_seconds + eighths()?) / 32.0)
        }
        // Cents and eighths: the locator counts the eighths' digit and the two places to dollars.
        b'0' if locator == 3 => Ok((whole / 10.0).floor() + eighths()?),
        other => fail!(
            Unsupported,
            "price alignment '{}' with locator {locator} is not documented",
            other as char
        ),
    }
}
