//! OSI option symbols: the names United States listed options go by, in the spellings that vendors use.
//!
//! The canonical form has 21 characters: a root padded with blanks to six, the expiry as `yymmdd`, `C` or `P`, and the
//! strike in thousandths of a dollar with eight digits (OCC Options Symbology Initiative, 2010).
//!
//! | spelling | example |
//! |---|---|
//! | canonical, padded to 21 characters | `AAPL  240119C00150000` |
//! | without padding | `AAPL240119C00150000` |
//! | one blank after the root | `AAPL 240119C00150000` |
//! | with the prefix `O:` | `O:AAPL240119C00150000` |
//! | with a leading dot and a decimal strike | `.AAPL240119C150` |
//!
//! A symbol says nothing about multiplier, exercise style or settlement: [`crate::products`] does.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::contract::Right;
use kernel::error::{Code, MarginError, Result};
use kernel::fail;

/// The longest root and the largest strike (99,999.999) that the 21 characters can hold.
const ROOT_LENGTH: usize = 6;
const MAX_STRIKE_THOUSANDTHS: u32 = 99_999_999;
/// `yymmdd`, `C` or `P`, eight digits of strike.
const TAIL_LENGTH: usize = 15;

/// A parsed option symbol. `to_string()` gives the canonical 21 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OsiSymbol {
    pub root: String,
    pub expiry: Date,
    pub right: Right,
    /// The strike in thousandths of a currency unit, as the symbol carries it.
    pub strike_thousandths: u32,
}

impl OsiSymbol {
    /// A symbol from its parts, checked like a parsed one.
    pub fn new(root: &str, expiry: Date, right: Right, strike_thousandths: u32) -> Result<Self> {
        check_root(root)?;
        if !(2000..=2099).contains(&expiry.year()) {
            fail!(
                InvalidInput: Contradiction;
                "expiry {expiry} does not fit an option symbol: its two-digit years are 2000 to 2099"
            );
        }
        if strike_thousandths == 0 {
            fail!(InvalidInput: OutOfRange; "the strike is zero");
        }
        if strike_thousandths > MAX_STRIKE_THOUSANDTHS {
            fail!(
                InvalidInput: Contradiction;
                "strike {} does not fit the eight digits of an option symbol",
                f64::from(strike_thousandths) / 1e3
            );
        }
        Ok(Self {
            root: root.to_string(),
            expiry,
            right,
            strike_thousandths,
        })
    }

    /// Reads any of the spellings in the module's table; the error says which part is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text).map_err(|e| e.at(format!("option symbol {text:?}")))
    }

    fn read(text: &str) -> Result<Self> {
        refuse_strange_characters(text)?;
        if let Some(rest) = text.strip_prefix('.') {
            return Self::read_decimal_strike(rest);
        }
        let bare = text.strip_prefix("O:").unwrap_or(text);
        if bare.len() <= TAIL_LENGTH {
            fail!(
                InvalidInput: BadText;
                "it has {} characters: a root, yymmdd, C or P and eight digits of strike are needed, like 'AAPL  240119C00150000'",
                text.len()
            );
        }
        let (root, tail) = bare.split_at(bare.len() - TAIL_LENGTH);
        let name = root.trim_end_matches(' ');
        let blanks = root.len() - name.len();
        let padded = root.len() == ROOT_LENGTH;
        if blanks > 0 && bare.len() != text.len() {
            fail!(InvalidInput: BadText; "the form with the prefix 'O:' has no blanks");
        }
        let (date, right_and_strike) = tail.split_at(6);
        let (right, strike) = right_and_strike.split_at(1);
        let Some(right) = read_right(right) else {
            fail!(
                InvalidInput: BadText;
                "it has {} characters and '{right}' where C or P belongs, nine characters before the end: the strike has eight digits (thousandths)",
                text.len()
            );
        };
        if blanks > 1 && !padded {
            fail!(
                InvalidInput: BadText;
                "it has {} characters and {blanks} blanks after the root: pad the root to six characters (21 in all), or use one blank or none",
                text.len()
            );
        }
        let strike_thousandths = read_digits(strike, "strike")?;
        Self::new(name, read_date(date)?, right, strike_thousandths)
    }

    /// `AAPL240119C150`, the dot already taken off: the strike is a plain decimal number.
    fn read_decimal_strike(rest: &str) -> Result<Self> {
        let Some(at) = rest.rfind(['C', 'P']) else {
            fail!(InvalidInput: UnknownName; "there is no C or P before the strike");
        };
        let (head, tail) = rest.split_at(at);
        if head.len() <= 6 {
            fail!(
                InvalidInput: BadTime;
                "a root and six digits of expiry (yymmdd) belong before the C or P"
            );
        }
        let (root, date) = head.split_at(head.len() - 6);
        let right = if tail.starts_with('C') {
            Right::Call
        } else {
            Right::Put
        };
        Self::new(
            root,
            read_date(date)?,
            right,
            read_decimal_thousandths(&tail[1..])?,
        )
    }

    /// The strike in currency units: exactly the thousandths divided once.
    pub fn strike(&self) -> f64 {
        f64::from(self.strike_thousandths) / 1e3
    }

    /// The spelling without blanks, as many data vendors use it: `AAPL240119C00150000`.
    pub fn compact(&self) -> String {
        self.to_string().replace(' ', "")
    }
}

impl fmt::Display for OsiSymbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = match self.right {
            Right::Call => 'C',
            Right::Put => 'P',
        };
        write!(
            f,
            "{:<6}{:02}{:02}{:02}{right}{:08}",
            self.root,
            self.expiry.year() % 100,
            self.expiry.month(),
            self.expiry.day(),
            self.strike_thousandths
        )
    }
}

impl FromStr for OsiSymbol {
    type Err = MarginError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

/// Look-alikes and invisible characters make two symbols that print the same; only plain ASCII is read.
fn refuse_strange_characters(text: &str) -> Result<()> {
    for (position, c) in text.chars().enumerate() {
        if !(c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, ' ' | '.' | ':')) {
            if c.is_ascii_lowercase() {
                fail!(
                    InvalidInput: BadText;
                    "'{c}' at position {} is lower case: option symbols are written in capitals",
                    position + 1
                );
            }
            fail!(
                InvalidInput: BadText;
                "the character U+{:04X} at position {} does not belong in an option symbol",
                c as u32,
                position + 1
            );
        }
    }
    Ok(())
}

/// One to six capitals and digits, one of them a capital: `SPX`, `BRKB`, `AAPL1`, `2SPX`.
pub(crate) fn check_root(root: &str) -> Result<()> {
    if root.is_empty() {
        fail!(InvalidInput: BadText; "the root is empty");
    }
    if root.len() > ROOT_LENGTH {
        fail!(
            InvalidInput: BadText;
            "the root '{root}' is longer than six characters"
        );
    }
    if let Some(c) = root
        .chars()
        .find(|c| !c.is_ascii_uppercase() && !c.is_ascii_digit())
    {
        fail!(
            InvalidInput: BadText;
            "the root '{root}' contains {c:?}: roots are capitals and digits"
        );
    }
    if !root.contains(|c: char| c.is_ascii_uppercase()) {
        fail!(InvalidInput, "the root '{root}' has no letter");
    }
    Ok(())
}

fn read_right(text: &str) -> Option<Right> {
    match text {
        "C" => Some(Right::Call),
        "P" => Some(Right::Put),
        _ => None,
    }
}

fn read_digits(text: &str, what: &str) -> Result<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        fail!(InvalidInput: BadText; "the {what} '{text}' is not made of digits");
    }
    text.parse().map_err(|_| {
        MarginError::InvalidInput(format!("the {what} '{text}' is too large").into())
            .code(Code::BadText)
    })
}

fn read_date(text: &str) -> Result<Date> {
    let number = read_digits(text, "expiry (yymmdd)")?;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    Date::new(2000 + year as i16, month as i8, day as i8).map_err(|_| {
        MarginError::InvalidInput(format!("the expiry '{text}' (yymmdd) is not a date").into())
            .code(Code::BadTime)
    })
}

/// `150`, `152.5` or `0.005` as thousandths, without passing through binary fractions.
fn read_decimal_thousandths(text: &str) -> Result<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let bad_point = text.ends_with('.') || fraction.len() > 3;
    if bad_point || whole.len() > 5 || (whole.len() > 1 && whole.starts_with('0')) {
        fail!(
            InvalidInput: OutOfRange;
            "the strike '{text}' is not a plain decimal number below 100000 with at most three decimals"
        );
    }
    let whole = read_digits(whole, "strike")?;
    let thousandths = if fraction.is_empty() {
        0
    } else {
        read_digits(&format!("{fraction:0<3}"), "strike's fraction")?
    };
    Ok(whole * 1000 + thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn aapl() -> OsiSymbol {
        OsiSymbol::new("AAPL", Date::constant(2024, 1, 19), Right::Call, 150_000).unwrap()
    }

    #[test]
    fn every_spelling_is_one_symbol() {
        for text in [
            "AAPL  240119C00150000",
            "AAPL240119C00150000",
            "AAPL 240119C00150000",
            "O:AAPL240119C00150000",
            ".AAPL240119C150",
            ".AAPL240119C150.0",
            ".AAPL240119C150.000",
        ] {
            assert_eq!(OsiSymbol::parse(text).unwrap(), aapl(), "{text}");
        }
        assert_eq!(aapl().to_string(), "AAPL  240119C00150000");
        assert_eq!(aapl().compact(), "AAPL240119C00150000");
        assert_eq!(aapl().strike(), 150.0);
    }

    #[test]
    fn roots_with_digits_and_fractions_of_strikes() {
        let adjusted = OsiSymbol::parse("AAPL1 240119P00000500").unwrap();
        assert_eq!(
            (adjusted.root.as_str(), adjusted.strike_thousandths),
            ("AAPL1", 500)
        );
        assert_eq!(OsiSymbol::parse(".AAPL7240119P0.5").unwrap().root, "AAPL7");
        assert_eq!(
            OsiSymbol::parse(".CPC240119C152.125")
                .unwrap()
                .strike_thousandths,
            152_125
        );
        assert_eq!(
            OsiSymbol::parse("SPXW  240229P04500000").unwrap().expiry,
            Date::constant(2024, 2, 29)
        );
        assert_eq!(
            OsiSymbol::parse("GOOGLL240119C00150000").unwrap().root,
            "GOOGLL"
        );
        assert_eq!(OsiSymbol::parse("C 240119C00050000").unwrap().root, "C");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, word) in [
            ("", "0 characters"),
            ("AAPL", "4 characters"),
            ("AAPL  240119C0015000", "20 characters"),
            ("AAPL  240119C001500000", "22 characters"),
            ("AAPL   240119C00150000", "22 characters"),
            ("A   240119C00150000", "3 blanks"),
            (" AAPL 240119C00150000", "' '"),
            ("AAPL  240119C00150000 ", "22 characters"),
            ("240119C00150000", "15 characters"),
            ("      240119C00150000", "root is empty"),
            ("123456240119C00150000", "no letter"),
            ("AAPLXYZ240119C00150000", "longer than six"),
            ("AA.PL 240119C00150000", "'.'"),
            ("aapl  240119C00150000", "lower case"),
            ("AAPL  240119c00150000", "lower case"),
            ("AAPL  240119X00150000", "where C or P"),
            ("AAPL  240230C00150000", "not a date"),
            ("AAPL  230229C00150000", "not a date"),
            ("AAPL  241319C00150000", "not a date"),
            ("AAPL  24O119C00150000", "not made of digits"),
            ("AAPL  240119C0015O000", "not made of digits"),
            ("AAPL  240119C00000000", "strike is zero"),
            ("AAPL\u{a0} 240119C00150000", "U+00A0"),
            ("AAPL\u{202e}240119C00150000", "U+202E"),
            ("AAPL\u{200b}240119C00150000", "U+200B"),
            ("\u{410}APL  240119C00150000", "U+0410"),
            ("AAPL  \u{ff12}40119C00150000", "U+FF12"),
            ("AAPL\t 240119C00150000", "U+0009"),
            ("AAPL  240119C-0150000", "U+002D"),
            ("O:AAPL  240119C00150000", "no blanks"),
            (".AAPL240119C", "not made of digits"),
            (".AAPL240119C150.", "decimal"),
            (".AAPL240119C150.1234", "decimal"),
            (".AAPL240119C0150", "decimal"),
            (".AAPL240119C100000", "decimal"),
            (".AAPL240119C0", "strike is zero"),
            (".IBM240119150", "no C or P"),
            (".240119C150", "belong before"),
            (".AAPL240119C1.5.0", "not made of digits"),
        ] {
            let error = OsiSymbol::parse(text).unwrap_err();
            assert!(
                matches!(error, MarginError::InvalidInput(_)),
                "{text}: {error:?}"
            );
            assert!(
                error.message().contains(word),
                "{text}: {error} should speak of {word:?}"
            );
        }
        assert!(OsiSymbol::new("SPX", Date::constant(1999, 1, 15), Right::Put, 1000).is_err());
        assert!(
            OsiSymbol::new("SPX", Date::constant(2026, 1, 16), Right::Put, 100_000_000).is_err()
        );
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(
            root in "[A-Z][A-Z0-9]{0,5}", days in 0i32..36_000, put in any::<bool>(), strike in 1u32..100_000_000,
        ) {
            let expiry = Date::constant(2000, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let right = if put { Right::Put } else { Right::Call };
            let symbol = OsiSymbol::new(&root, expiry, right, strike).unwrap();
            let canonical = symbol.to_string();
            prop_assert_eq!(canonical.len(), 21);
            prop_assert_eq!(&OsiSymbol::parse(&canonical).unwrap(), &symbol);
            prop_assert_eq!(&OsiSymbol::parse(&symbol.compact()).unwrap(), &symbol);
            prop_assert_eq!(&OsiSymbol::parse(&format!("O:{}", symbol.compact())).unwrap(), &symbol);
            let decimal = format!(".{}{}{}", symbol.root, &canonical[6..13], symbol.strike());
            prop_assert_eq!(&OsiSymbol::parse(&decimal).unwrap(), &symbol);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}") {
            let _ = OsiSymbol::parse(&text);
        }

        #[test]
        fn one_changed_character_is_never_the_same_symbol(at in 0usize..21, c in any::<char>()) {
            let mut chars: Vec<char> = "AAPL  240119C00150000".chars().collect();
            let before = chars[at];
            chars[at] = c;
            if let Ok(symbol) = OsiSymbol::parse(&chars.into_iter().collect::<String>()) {
                prop_assert_eq!(symbol == aapl(), c == before);
            }
        }
    }
}
