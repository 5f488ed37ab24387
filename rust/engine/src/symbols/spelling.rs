//! The spellings of option symbols that vendors and brokers use: one table, each printed and read.
//!
//! | name | example | expiry | strike |
//! |---|---|---|---|
//! | `osi` | `AAPL  261218C00290000` | `yymmdd` | thousandths, eight digits |
//! | `compact` | `AAPL261218C00290000` | `yymmdd` | thousandths |
//! | `spaced` | `AAPL 261218C00290000` | `yymmdd` | thousandths |
//! | `massive` | `O:AAPL261218C00290000` | `yymmdd` | thousandths |
//! | `plain` | `AAPL261218C290` | `yymmdd` | decimal |
//! | `tastytrade` | `.AAPL261218C290` | `yymmdd` | decimal |
//! | `fidelity` | ` -AAPL261218C290` | `yymmdd` | decimal |
//! | `thinkorswim` | `AAPL_121826C290` | `mmddyy` | decimal |
//! | `schwab` | `AAPL 12/18/2026 290.00 C` | `mm/dd/yyyy` | decimal |
//! | `ibkr` | `AAPL 18DEC26 290 C` | `ddMONyy` | decimal |
//!
//! The spelling follows from the text alone. Eight digits of strike are thousandths and a plain strike has at most five
//! before its point, so that no number is both; one of six or seven digits is neither, and is refused. The order of day,
//! month and year is the spelling's own: a date that exists in another order only is refused with that candidate.
//! Fidelity's minus marks an option, not a short position, and its leading blank may be missing.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use super::{OsiSymbol, ROOT_LENGTH, TAIL_LENGTH, read_digits};
use crate::contract::Right;
use crate::names::hint;
use kernel::error::{MarginError, Result};
use kernel::fail;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
/// Digits of a date with a short year.
const DATE_DIGITS: usize = 6;
/// Digits before the point of the largest strike.
const WHOLE_DIGITS: usize = 5;
/// Digits of a strike in thousandths.
const THOUSANDTHS_DIGITS: usize = 8;

/// One way to write an option symbol; the module's table has them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    Osi,
    Compact,
    Spaced,
    Massive,
    Plain,
    Tastytrade,
    Fidelity,
    Thinkorswim,
    Schwab,
    Ibkr,
}

impl Spelling {
    /// Every spelling by its name, in the order of the table.
    pub const ALL: [(&'static str, Self); 10] = [
        ("osi", Self::Osi),
        ("compact", Self::Compact),
        ("spaced", Self::Spaced),
        ("massive", Self::Massive),
        ("plain", Self::Plain),
        ("tastytrade", Self::Tastytrade),
        ("fidelity", Self::Fidelity),
        ("thinkorswim", Self::Thinkorswim),
        ("schwab", Self::Schwab),
        ("ibkr", Self::Ibkr),
    ];

    /// The symbol in this spelling.
    pub fn print(self, symbol: &OsiSymbol) -> String {
        let OsiSymbol {
            root,
            expiry,
            right,
            strike_thousandths: strike,
        } = symbol;
        let right = match right {
            Right::Call => 'C',
            Right::Put => 'P',
        };
        let (year, month, day) = (expiry.year(), expiry.month(), expiry.day());
        let short_year = year % 100;
        // A decimal strike is shortest, from thousandths without a rounding.
        let decimal = symbol.strike();
        let exact = format!("{short_year:02}{month:02}{day:02}{right}{strike:08}");
        let short = format!("{short_year:02}{month:02}{day:02}{right}{decimal}");
        match self {
            Self::Osi => format!("{root:<ROOT_LENGTH$}{exact}"),
            Self::Compact => format!("{root}{exact}"),
            Self::Spaced => format!("{root} {exact}"),
            Self::Massive => format!("O:{root}{exact}"),
            Self::Plain => format!("{root}{short}"),
            Self::Tastytrade => format!(".{root}{short}"),
            Self::Fidelity => format!(" -{root}{short}"),
            Self::Thinkorswim => {
                format!("{root}_{month:02}{day:02}{short_year:02}{right}{decimal}")
            }
            Self::Schwab => {
                let places = if strike % 10 == 0 { 2 } else { 3 };
                format!("{root} {month:02}/{day:02}/{year} {decimal:.places$} {right}")
            }
            Self::Ibkr => {
                let month = MONTHS[month as usize - 1];
                format!("{root} {day:02}{month}{short_year:02} {decimal} {right}")
            }
        }
    }
}

impl FromStr for Spelling {
    type Err = MarginError;

    fn from_str(name: &str) -> Result<Self> {
        let names = || Self::ALL.iter().map(|(known, _)| *known);
        if let Some((_, found)) = Self::ALL.iter().find(|(known, _)| *known == name) {
            return Ok(*found);
        }
        fail!(
            InvalidInput: UnknownName, place "spelling", value name;
            "unknown spelling '{name}' of option symbols: use one of {}{}",
            names().collect::<Vec<_>>().join(", "),
            hint(name, names())
        );
    }
}

impl OsiSymbol {
    /// Reads any spelling of [`Spelling`]; the error says which part is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        read(text).map_err(|e| e.at(format!("option symbol {text:?}")))
    }

    /// The spelling without blanks, as many data vendors use it: `AAPL240119C00150000`.
    pub fn compact(&self) -> String {
        Spelling::Compact.print(self)
    }
}

impl fmt::Display for OsiSymbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Spelling::Osi.print(self))
    }
}

impl FromStr for OsiSymbol {
    type Err = MarginError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

/// Reads any spelling of the table.
fn read(text: &str) -> Result<OsiSymbol> {
    let fidelity = text.strip_prefix(" -").or_else(|| text.strip_prefix('-'));
    refuse_strange_characters(fidelity.unwrap_or(text), text)?;
    if let Some(rest) = fidelity.or_else(|| text.strip_prefix('.')) {
        return read_joined(rest, DateOrder::YearFirst, "");
    }
    if let Some((root, rest)) = text.split_once('_') {
        return read_joined(rest, DateOrder::MonthFirst, root);
    }
    let words: Vec<&str> = text.split(' ').collect();
    if let [root, expiry, strike, right] = words[..]
        && words.iter().all(|word| !word.is_empty())
    {
        return read_words(root, expiry, strike, right);
    }
    if text.contains('/') {
        fail!(
            InvalidInput: BadText;
            "an expiry with '/' stands between a root, a strike and C or P with one blank between them, like 'AAPL 12/18/2026 290.00 C'"
        );
    }
    if !text.contains([' ', ':'])
        && let Some(at) = text.rfind(['C', 'P'])
        && at > DATE_DIGITS
        && is_short_strike(&text[at + 1..])
    {
        return read_joined(text, DateOrder::YearFirst, "");
    }
    read_exact(text)
}

/// Whether a strike, without blanks around it in its symbol, is one of the decimal spelling.
fn is_short_strike(strike: &str) -> bool {
    strike.len() != THOUSANDTHS_DIGITS && strike.starts_with(|c: char| c.is_ascii_digit())
        || strike.contains('.')
}

/// The spellings with eight digits of strike.
fn read_exact(text: &str) -> Result<OsiSymbol> {
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
    let (date, right_and_strike) = tail.split_at(DATE_DIGITS);
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
    let strike = read_digits(strike, "strike")?;
    OsiSymbol::new(name, DateOrder::YearFirst.read(date)?, right, strike)
}

/// `AAPL261218C290`, or what follows a root that stands apart: the strike is a plain decimal number.
fn read_joined(text: &str, order: DateOrder, root: &str) -> Result<OsiSymbol> {
    let Some(at) = text.rfind(['C', 'P']) else {
        fail!(InvalidInput: UnknownName; "there is no C or P before the strike");
    };
    let (head, tail) = text.split_at(at);
    let apart = order == DateOrder::MonthFirst;
    let fits = if apart {
        head.len() == DATE_DIGITS
    } else {
        head.len() > DATE_DIGITS
    };
    if !fits {
        let joint = if apart {
            ", with '_' between them,"
        } else {
            ""
        };
        fail!(
            InvalidInput: BadTime;
            "a root and six digits of expiry ({order}){joint} belong before the C or P"
        );
    }
    let (own_root, date) = head.split_at(head.len() - DATE_DIGITS);
    let right = if tail.starts_with('C') {
        Right::Call
    } else {
        Right::Put
    };
    let strike = read_decimal_thousandths(&tail[1..])?;
    let root = if apart { root } else { own_root };
    OsiSymbol::new(root, order.read(date)?, right, strike)
}

/// `AAPL 12/18/2026 290.00 C` and `AAPL 18DEC26 290 C`, by their words.
fn read_words(root: &str, expiry: &str, strike: &str, right: &str) -> Result<OsiSymbol> {
    let Some(right) = read_right(right) else {
        fail!(
            InvalidInput: BadText;
            "'{right}' stands where C or P belongs, at the end after the strike"
        );
    };
    let expiry = if expiry.contains('/') {
        read_slashed(expiry)?
    } else {
        read_month_name(expiry)?
    };
    OsiSymbol::new(root, expiry, right, read_decimal_thousandths(strike)?)
}

/// `12/18/2026`: month, day and year with all their digits.
fn read_slashed(text: &str) -> Result<Date> {
    let parts: Vec<&str> = text.split('/').collect();
    let [month, day, year] = parts[..] else {
        fail!(InvalidInput: BadTime; "the expiry '{text}' is not mm/dd/yyyy");
    };
    if (month.len(), day.len(), year.len()) != (2, 2, 4) {
        fail!(
            InvalidInput: BadTime;
            "the expiry '{text}' is not mm/dd/yyyy, with two digits of month and day and four of the year"
        );
    }
    let number = |part| read_digits(part, "expiry (mm/dd/yyyy)").map(|n| n as i16);
    let (month, day, year) = (number(month)?, number(day)?, number(year)?);
    if let Some(date) = date_of(year, month, day) {
        return Ok(date);
    }
    let other = date_of(year, day, month).map(|d| d.strftime("%m/%d/%Y").to_string());
    fail!(
        InvalidInput: BadTime;
        "the expiry '{text}' (mm/dd/yyyy) is not a date{}",
        candidates(other)
    );
}

/// `18DEC26`: day, month by its name, and year.
fn read_month_name(text: &str) -> Result<Date> {
    let month = text
        .get(2..5)
        .filter(|_| text.len() == 7)
        .and_then(|name| MONTHS.iter().position(|&known| known == name));
    let Some(month) = month else {
        fail!(
            InvalidInput: BadTime;
            "the expiry '{text}' is not ddMONyy, like 18DEC26, nor mm/dd/yyyy"
        );
    };
    let day = read_digits(&text[..2], "day of the expiry")?;
    let year = read_digits(&text[5..], "year of the expiry")?;
    match date_of(2000 + year as i16, month as i16 + 1, day as i16) {
        Some(date) => Ok(date),
        None => fail!(InvalidInput: BadTime; "the expiry '{text}' (ddMONyy) is not a date"),
    }
}

fn date_of(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// The order of six digits of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DateOrder {
    YearFirst,
    MonthFirst,
}

impl fmt::Display for DateOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::YearFirst => "yymmdd",
            Self::MonthFirst => "mmddyy",
        })
    }
}

impl DateOrder {
    fn read(self, text: &str) -> Result<Date> {
        let what = format!("expiry ({self})");
        let number = read_digits(text, &what)?;
        let [first, second, third] =
            [number / 10_000, number / 100 % 100, number % 100].map(|part| part as i16);
        let year_first = date_of(2000 + first, second, third);
        let month_first = date_of(2000 + third, first, second);
        let (own, other) = match self {
            Self::YearFirst => (year_first, month_first),
            Self::MonthFirst => (month_first, year_first),
        };
        if let Some(date) = own {
            return Ok(date);
        }
        let format = match self {
            Self::YearFirst => "%y%m%d",
            Self::MonthFirst => "%m%d%y",
        };
        let other = other.map(|date| date.strftime(format).to_string());
        fail!(
            InvalidInput: BadTime;
            "the expiry '{text}' ({self}) is not a date{}",
            candidates(other)
        );
    }
}

/// What the text may have meant.
fn candidates(other: Option<String>) -> String {
    other.map_or(String::new(), |other| format!("; did you mean '{other}'?"))
}

fn read_right(text: &str) -> Option<Right> {
    match text {
        "C" => Some(Right::Call),
        "P" => Some(Right::Put),
        _ => None,
    }
}

/// `150`, `152.5` or `0.005` as thousandths, without passing through binary fractions.
fn read_decimal_thousandths(text: &str) -> Result<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() > WHOLE_DIGITS && fraction.is_empty() && is_digits(whole) {
        // Zeros lost in front are the only ones that can be put back.
        let lost = whole.len() < THOUSANDTHS_DIGITS && !whole.starts_with('0');
        let thousandths = whole.parse::<u32>().ok().filter(|_| lost);
        let meant = thousandths.map(|n| format!("{n:08}' or '{}", f64::from(n) / 1e3));
        fail!(
            InvalidInput: OutOfRange;
            "the strike '{text}' has {} digits and is no plain decimal number below 100000; thousandths have eight, and stand in symbols like 'AAPL261218C00290000'{}",
            whole.len(),
            candidates(meant)
        );
    }
    let bad_point = text.ends_with('.') || fraction.len() > 3;
    if bad_point || whole.len() > WHOLE_DIGITS || (whole.len() > 1 && whole.starts_with('0')) {
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

/// Look-alikes and invisible characters make two symbols that print the same; only plain ASCII is read.
fn refuse_strange_characters(text: &str, whole: &str) -> Result<()> {
    let before = whole.len() - text.len();
    for (position, c) in text.chars().enumerate() {
        let position = before + position + 1;
        if c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, ' ' | '.' | ':' | '_' | '/')
        {
            continue;
        }
        if c.is_ascii_lowercase() {
            fail!(
                InvalidInput: BadText;
                "'{c}' at position {position} is lower case: option symbols are written in capitals"
            );
        }
        fail!(
            InvalidInput: BadText;
            "the character U+{:04X} at position {position} does not belong in an option symbol",
            c as u32
        );
    }
    Ok(())
}
