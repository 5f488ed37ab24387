//! OSI option symbols: the names United States listed options go by, in the spellings that vendors and brokers use.
//!
//! The canonical form has 21 characters: a root padded with blanks to six, the expiry as `yymmdd`, `C` or `P`, and the
//! strike in thousandths of a dollar with eight digits (OCC Options Symbology Initiative, 2010). `symbols/spelling.rs` has
//! the table of all spellings.
//!
//! A symbol says nothing about multiplier, exercise style or settlement: [`crate::products`] does.

pub mod spelling;

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

    /// The strike in currency units: exactly the thousandths divided once.
    pub fn strike(&self) -> f64 {
        f64::from(self.strike_thousandths) / 1e3
    }
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

fn read_digits(text: &str, what: &str) -> Result<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        fail!(InvalidInput: BadText; "the {what} '{text}' is not made of digits");
    }
    text.parse().map_err(|_| {
        MarginError::InvalidInput(format!("the {what} '{text}' is too large").into())
            .code(Code::BadText)
    })
}

#[cfg(test)]
mod tests {
    use super::spelling::Spelling;
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
            " -AAPL240119C150",
            "-AAPL240119C150",
            "AAPL_011924C150",
            "AAPL240119C150",
            "AAPL240119C150.0",
            "AAPL 01/19/2024 150.00 C",
            "AAPL 01/19/2024 150 C",
            "AAPL 19JAN24 150 C",
            "AAPL 19JAN24 150.0 C",
        ] {
            assert_eq!(OsiSymbol::parse(text).unwrap(), aapl(), "{text}");
        }
        assert_eq!(aapl().to_string(), "AAPL  240119C00150000");
        assert_eq!(aapl().compact(), "AAPL240119C00150000");
        assert_eq!(aapl().strike(), 150.0);
    }

    #[test]
    fn the_table_s_examples_are_what_is_printed() {
        let symbol = OsiSymbol::new("AAPL", Date::constant(2026, 12, 18), Right::Call, 290_000);
        let symbol = symbol.unwrap();
        let table = include_str!("symbols/spelling.rs");
        for (name, spelling) in Spelling::ALL {
            let row = format!("//! | `{name}` | `{}` |", spelling.print(&symbol));
            assert!(table.contains(&row), "{row}");
        }
        let half = OsiSymbol {
            strike_thousandths: 290_500,
            ..symbol
        };
        assert_eq!(Spelling::Schwab.print(&half), "AAPL 12/18/2026 290.50 C");
        assert_eq!(Spelling::Ibkr.print(&half), "AAPL 18DEC26 290.5 C");
        let error = "schwap".parse::<Spelling>().unwrap_err();
        assert!(
            error.message().ends_with("did you mean 'schwab'?"),
            "{error}"
        );
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
            ("AAPL240119C150000", "did you mean '00150000' or '150'?"),
            ("AAPL240119C0150000", "has 7 digits"),
            (".AAPL240119C00150000", "has 8 digits"),
            ("AAPL  240119C150", "16 characters"),
            ("AAPL 240119C150", "15 characters"),
            ("O:AAPL240119C150", "16 characters"),
            ("AAPL240119C0150", "decimal"),
            ("aapl240119C150", "'a' at position 1 is lower case"),
            (" -AAPl240119C150", "'l' at position 6 is lower case"),
            ("- AAPL240119C150", "contains ' '"),
            ("--AAPL240119C150", "U+002D at position 2"),
            (
                "AAPL_240119C150",
                "(mmddyy) is not a date; did you mean '011924'?",
            ),
            (
                "AAPL011924C150",
                "(yymmdd) is not a date; did you mean '240119'?",
            ),
            ("AAPL_0119244C150", "with '_' between them"),
            ("_011924C150", "root is empty"),
            ("AAPL 19/01/2024 150 C", "did you mean '01/19/2024'?"),
            ("AAPL 1/19/2024 150 C", "two digits"),
            ("AAPL 01/19/24 150 C", "four of the year"),
            ("AAPL 01/19/2024 150", "with one blank"),
            ("AAPL 01/19/2024  150 C", "with one blank"),
            ("AAPL 01/19/2024 150 Q", "'Q' stands where C or P"),
            ("AAPL 02/30/2024 150 C", "(mm/dd/yyyy) is not a date"),
            ("AAPL 19JAM24 150 C", "ddMONyy"),
            ("AAPL 30FEB24 150 C", "(ddMONyy) is not a date"),
            ("AAPL 9JAN24 150 C", "ddMONyy"),
            ("AAPL 19jan24 150 C", "lower case"),
            ("AAPL 19JAN24 150.1234 C", "decimals"),
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
            prop_assert_eq!(symbol.to_string().len(), 21);
            let mut printed = Vec::new();
            for (name, spelling) in Spelling::ALL {
                let text = spelling.print(&symbol);
                let parsed = OsiSymbol::parse(&text);
                prop_assert_eq!(parsed.as_ref(), Ok(&symbol), "{}: {}", name, text);
                prop_assert_eq!(name.parse::<Spelling>(), Ok(spelling));
                printed.push(text);
            }
            printed.sort();
            printed.dedup();
            // A root of six characters needs no padding.
            let same = usize::from(root.len() == ROOT_LENGTH) + usize::from(root.len() == ROOT_LENGTH - 1);
            prop_assert_eq!(printed.len(), Spelling::ALL.len() - same);
        }

        #[test]
        fn digits_of_a_strike_say_what_they_are(digits in "[0-9]{1,9}") {
            let read = OsiSymbol::parse(&format!("AAPL240119C{digits}"));
            let number: u32 = digits.parse().unwrap();
            let plain = digits.len() <= 5 && (digits.len() == 1 || !digits.starts_with('0'));
            let thousandths = match digits.len() {
                8 => Some(number),
                _ => plain.then(|| number * 1000),
            };
            match thousandths.filter(|&n| n > 0) {
                Some(strike) => prop_assert_eq!(read.unwrap().strike_thousandths, strike),
                None => prop_assert!(read.is_err()),
            }
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
