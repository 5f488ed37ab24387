//! Fields of a fixed-width line, by 1-based inclusive positions; blank and missing are the same.

use crate::model::ContractKind;
use kernel::error::{MarginError, Result};

pub(super) struct Line<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) number: usize,
    pub(super) file: &'a str,
}

impl Line<'_> {
    pub(super) fn fail<T>(&self, field: &str, what: &str) -> Result<T> {
        let record = String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(2)])
            .trim()
            .to_string();
        Err(MarginError::ParseError(
            format!(
                "{}: line {}, record {record}, {field}: {what}",
                self.file, self.number
            )
            .into()))
    }

    fn field(&self, from: usize, to: usize) -> &[u8] {
        let end = to.min(self.bytes.len());
        if from > end {
            &[]
        } else {
            self.bytes[from - 1..end].trim_ascii()
        }
    }

    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at - 1).copied().unwrap_or(b' ')
    }

    pub(super) fn text(&self, from: usize, to: usize, field: &str) -> Result<String> {
        match std::str::from_utf8(self.field(from, to)) {
            Ok(text) => Ok(text.to_string()),
            Err(_) => self.fail(field, "not text"),
        }
    }

    /// Unsigned digits with implied decimals; none where blank. A field cut by the end of the line is an error.
    pub(super) fn number(
        &self,
        from: usize,
        to: usize,
        decimals: i32,
        field: &str,
    ) -> Result<Option<f64>> {
        let digits = self.field(from, to);
        if digits.is_empty() {
            return Ok(None);
        }
        if self.bytes.len() < to {
            return self.fail(field, "the line is cut inside the field");
        }
        if !digits.iter().all(u8::is_ascii_digit) {
            return self.fail(
                field,
                &format!("'{}' is not a number", String::from_utf8_lossy(digits)),
            );
        }
        let whole = digits
            .iter()
            .fold(0.0, |sum, d| sum * 10.0 + f64::from(d - b'0'));
        Ok(Some(whole / 10_f64.powi(decimals)))
    }

    /// Digits with a sign byte of their own: blank and + are positive.
    pub(super) fn signed(
        &self,
        from: usize,
        to: usize,
        decimals: i32,
        sign: usize,
        field: &str,
    ) -> Result<Option<f64>> {
        let value = self.number(from, to, decimals, field)?;
        match self.byte(sign) {
            b' ' | b'+' => Ok(value),
            b'-' => Ok(value.map(|v| 0.0 - v)),
            _ => self.fail(field, "the sign is + or -"),
        }
    }

    /// A decimal locator: digits, perhaps with a leading minus.
    pub(super) fn locator(&self, from: usize, to: usize, field: &str) -> Result<i32> {
        let text = self.text(from, to, field)?;
        if text.is_empty() {
            return Ok(0);
        }
        match text.parse::<i32>() {
            Ok(value) if value.abs() <= 14 => Ok(value),
            _ => self.fail(field, &format!("'{text}' is not a decimal locator")),
        }
    }

    /// A month CCYYMM with the two-byte day or week code after it; empty where blank or all zeros.
    pub(super) fn period(&self, from: usize, to: usize, day: usize, field: &str) -> Result<String> {
        let month = self.text(from, to, field)?;
        if month.is_empty() || month.bytes().all(|b| b == b'0') {
            return Ok(String::new());
        }
        if month.len() != 6 || !month.bytes().all(|b| b.is_ascii_digit()) {
            return self.fail(field, &format!("'{month}' is not a month"));
        }
        let code = self.text(day, day + 1, field)?;
        Ok(if code == "00" { month } else { month + &code })
    }

    /// A contract type this reader knows; none for debt and other instruments.
    pub(super) fn kind(&self, from: usize) -> Result<Option<ContractKind>> {
        Ok(ContractKind::parse(&self.text(from, from + 2, "type")?))
    }

    /// A market side: +1 for A, -1 for B.
    pub(super) fn side(&self, at: usize) -> Result<i8> {
        match self.byte(at) {
            b'A' => Ok(1),
            b'B' => Ok(-1),
            _ => self.fail("side", "A or B is expected"),
        }
    }
}
