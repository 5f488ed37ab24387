//! What may name something.

use kernel::error::Result;
use kernel::fail;

/// Letters to Unicode that nobody sees: the fillers of Hangul.
const FILLERS: [char; 4] = ['\u{115F}', '\u{1160}', '\u{3164}', '\u{FFA0}'];

/// Characters beside blanks and controls that print as nothing or change how others print: those that Unicode's
/// DerivedCoreProperties calls Default_Ignorable_Code_Point, and interlinear annotations.
const UNSEEN: [(char, char); 18] = [
    ('\u{AD}', '\u{AD}'),
    ('\u{34F}', '\u{34F}'),
    ('\u{61C}', '\u{61C}'),
    ('\u{115F}', '\u{1160}'),
    ('\u{17B4}', '\u{17B5}'),
    ('\u{180B}', '\u{180F}'),
    ('\u{200B}', '\u{200F}'),
    ('\u{2028}', '\u{202E}'),
    ('\u{2060}', '\u{206F}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{FE00}', '\u{FE0F}'),
    ('\u{FEFF}', '\u{FEFF}'),
    ('\u{FFA0}', '\u{FFA0}'),
    ('\u{FFF0}', '\u{FFFB}'),
    ('\u{1BCA0}', '\u{1BCA3}'),
    ('\u{1D173}', '\u{1D17A}'),
    ('\u{E0000}', '\u{E0FFF}'),
    ('\u{F0000}', '\u{10FFFF}'),
];

/// A name of the user's own, such as an account's, may be any text that is what it looks like.
pub fn check_name(what: &str, text: &str) -> Result<()> {
    if text.is_empty() {
        fail!(InvalidInput: BadText; "{what} is empty");
    }
    if text.trim() != text {
        fail!(InvalidInput: BadText; "{what} {text:?} has blanks around it");
    }
    let is_seen = |c: char| {
        c.is_ascii_graphic()
            || c == ' '
            || !(c.is_control()
                || c.is_whitespace()
                || UNSEEN.iter().any(|&(from, to)| (from..=to).contains(&c)))
    };
    match text.chars().find(|&c| !is_seen(c)) {
        None => Ok(()),
        Some(c) => fail!(
            InvalidInput: BadText;
            "{what} {text:?} has the character U+{:04X}, which nobody sees",
            c as u32
        ),
    }
}

/// An identifier is visible text without surrounding blanks: look-alike and invisible characters make two
/// contracts that print the same.
pub(crate) fn check_identifier(what: &str, text: &str) -> Result<()> {
    if text.is_empty() {
        fail!(InvalidInput: BadText; "{what} is empty");
    }
    if text.trim() != text {
        fail!(InvalidInput: BadText; "{what} '{text}' has blanks around it");
    }
    if let Some(c) = text.chars().find(|&c| {
        !(c == ' ' || c.is_ascii_graphic() || (!c.is_ascii() && c.is_alphanumeric()))
            || FILLERS.contains(&c)
    }) {
        fail!(
            InvalidInput: BadText;
            "{what} {text:?} contains the character U+{:04X}, which does not belong in a name",
            c as u32
        );
    }
    Ok(())
}
