//! The two halves of contracts' arrays: records 81 to 84.

use super::line::Line;
use super::reader::{Contract, Finished, Pa2, SeriesKey};
use kernel::error::Result;

/// What names a contract in records 81 to 84: columns 3 to 54.
fn key_bytes<'a>(line: &Line<'a>) -> &'a [u8] {
    line.bytes.get(2..54).unwrap_or_default()
}

impl Pa2 {
    fn key(line: &Line<'_>) -> Result<Option<(SeriesKey, i8, String)>> {
        let Some(kind) = line.kind(26)? else {
            return Ok(None);
        };
        let right = match line.byte(29) {
            b'C' => 1,
            b'P' => -1,
            b' ' => 0,
            _ => return line.fail("right", "C, P or blank is expected"),
        };
        if kind.is_option() != (right != 0) {
            return line.fail("right", "an option has a right, other contracts have none");
        }
        let future = line.period(30, 35, 36, "future month")?;
        let option = line.period(39, 44, 45, "option month")?;
        let strike = if right == 0 {
            String::new()
        } else {
            line.text(48, 54, "strike")?
        };
        Ok(Some((
            (
                line.text(3, 5, "exchange")?,
                line.text(6, 15, "product")?,
                kind,
                future,
                option,
            ),
            right,
            strike,
        )))
    }

    fn values(line: &Line<'_>, count: usize, digits: usize, out: &mut Vec<f64>) -> Result<()> {
        for i in 0..count {
            let from = 55 + i * (digits + 1);
            match line.signed(from, from + digits - 1, 0, from + digits, "array value")? {
                Some(value) => out.push(value),
                None => return line.fail("array value", "it is blank"),
            }
        }
        Ok(())
    }

    pub(super) fn first_half(&mut self, line: &Line<'_>, digits: usize) -> Result<()> {
        let Some(id) = Self::key(line)? else {
            *self
                .unknown
                .entry(format!("contract type {}", line.text(26, 28, "type")?))
                .or_insert(0) += 1;
            return Ok(());
        };
        let mut array = Vec::with_capacity(16);
        Self::values(line, 9, digits, &mut array)?;
        let (at, flag) = if digits == 5 { (109, 123) } else { (136, 150) };
        let high_price = (line.byte(flag) == b'Y')
            .then(|| line.text(at, at + 13, "high-precision price"))
            .transpose()?;
        self.contracts.push(Contract {
            key: id.0,
            right: id.1,
            strike: id.2,
            array,
            high_price,
            line: line.number,
            finished: None,
        });
        self.last_key.clear();
        self.last_key.extend_from_slice(key_bytes(line));
        Ok(())
    }

    /// The contract whose first half came before: on the line before as a rule, else wherever it was. None for
    /// contract types that are not read.
    fn first_half_of(&mut self, line: &Line<'_>) -> Result<Option<usize>> {
        if !self.contracts.is_empty() && self.last_key == key_bytes(line) {
            return Ok(Some(self.contracts.len() - 1));
        }
        let Some(id) = Self::key(line)? else {
            return Ok(None);
        };
        for (index, contract) in self.contracts.iter().enumerate().skip(self.by_key.len()) {
            let key = (
                contract.key.clone(),
                contract.right,
                contract.strike.clone(),
            );
            if self.by_key.insert(key, index).is_some() {
                return line.fail("contract", "the same contract is in the file twice");
            }
        }
        match self.by_key.get(&id) {
            Some(&index) => Ok(Some(index)),
            None => line.fail(
                "record",
                "the second half of an array whose first half (81 or 83) is missing",
            ),
        }
    }

    pub(super) fn second_half(&mut self, line: &Line<'_>, digits: usize) -> Result<()> {
        let Some(index) = self.first_half_of(line)? else {
            return Ok(());
        };
        let contract = &mut self.contracts[index];
        if contract.finished.is_some() {
            return line.fail("contract", "the same contract is in the file twice");
        }
        Self::values(line, 7, digits, &mut contract.array)?;
        // Everything after the array is 21 columns further right in record 84.
        let at = |column: usize| if digits == 5 { column } else { column + 21 };
        let vol_exponent = line
            .signed(at(135), at(136), 0, at(137), "volatility exponent")?
            .unwrap_or(0.0);
        let cvf_exponent = line
            .signed(
                at(152),
                at(153),
                0,
                at(154),
                "contract value factor exponent",
            )?
            .unwrap_or(0.0);
        let price = line.text(at(111), at(117), "settlement price")?;
        contract.finished = Some(Finished {
            delta: line
                .signed(at(97), at(101), 4, at(102), "composite delta")?
                .unwrap_or(0.0),
            vol: line
                .number(at(103), at(110), 6, "implied volatility")?
                .unwrap_or(0.0)
                * 10_f64.powi(vol_exponent as i32),
            price: Some(price).filter(|p| !p.is_empty()),
            price_negative: line.byte(at(118)) == b'-',
            strike_negative: line.byte(at(119)) == b'-',
            cvf: line
                .number(at(138), at(151), 7, "contract value factor")?
                .filter(|c| *c != 0.0)
                .map(|c| c * 10_f64.powi(cvf_exponent as i32)),
        });
        Ok(())
    }
}
