//! What may name something.

use kernel::error::Result;
use kernel::fail;

/// Letters to Unicode that nobody sees: the fillers of Hangul.
const FILLERS: [char; 4] = ['\u{115F}', '\u{1160}', '\u{3164}', '\u{FFA0}'];

/// An identifier is visible text without surrounding blanks: look-alike and invisible characters make two
/// contracts that print the same.
pub fn check_identifier(what: &str, text: &str) -> Result<()> {
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
