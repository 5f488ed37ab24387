//! A strict pull reader for the XML that SPAN files use: elements and text.
//!
//! Faster than a general parser because a `.spn` needs so little, and stricter: document types, CDATA, unknown
//! entities, deep nesting, oversized tags and text between elements are refused with the byte offset.

use memchr::memchr;

use super::numbers::{plain_number, short_number};
use kernel::error::{MarginError, Result};
use kernel::fail;

/// Nesting of a real file is below 12.
const MAX_DEPTH: usize = 64;
/// Longest tag, attributes included.
const MAX_TAG: usize = 4096;
const MAX_ATTRIBUTES: usize = 32;
/// Longest text of a leaf.
const MAX_TEXT: usize = 65_536;

/// A child of the current element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Child<'a> {
    /// An element without child elements, already read past.
    Leaf(&'a [u8], &'a [u8]),
    /// An element with children: the reader is now inside it.
    Node(&'a [u8]),
}

pub(super) struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    open: Vec<&'a [u8]>,
    file: &'a str,
}

impl<'a> Reader<'a> {
    pub(super) fn new(data: &'a [u8], file: &'a str) -> Result<Self> {
        let mut reader = Self {
            data,
            at: 0,
            open: Vec::new(),
            file,
        };
        if data.starts_with(&[0xFF, 0xFE]) || data.starts_with(&[0xFE, 0xFF]) {
            return reader.fail("UTF-16 is not read: convert the file to UTF-8 or ISO-8859-1");
        }
        if data.starts_with(&[0xEF, 0xBB, 0xBF]) {
            reader.at = 3;
        }
        Ok(reader)
    }

    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// A parse error at the current byte.
    pub(super) fn fail<T>(&self, what: &str) -> Result<T> {
        Err(self.error(self.at, what))
    }

    pub(super) fn error(&self, at: usize, what: &str) -> MarginError {
        let place = self
            .open
            .iter()
            .map(|n| String::from_utf8_lossy(n))
            .collect::<Vec<_>>()
            .join("/");
        MarginError::ParseError(format!("{}: byte {at}, in /{place}: {what}", self.file).into())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.data.get(self.at) {
            self.at += 1;
        }
    }

    /// The root element's name; the reader is inside it afterwards.
    pub(super) fn root(&mut self) -> Result<&'a [u8]> {
        self.skip_space();
        self.misc()?;
        match self.element()? {
            Some(Child::Node(name)) => Ok(name),
            _ => self.fail("the document has no content"),
        }
    }

    /// After the root has closed: nothing but space and comments may follow.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.skip_space();
        self.misc()?;
        if self.at != self.data.len() {
            return self.fail("content after the end of the document");
        }
        Ok(())
    }

    /// Declarations and comments, with the space after them.
    fn misc(&mut self) -> Result<()> {
        loop {
            let rest = &self.data[self.at..];
            let end: &[u8] = match rest {
                [b'<', b'?', ..] => b"?>",
                [b'<', b'!', b'-', b'-', ..] => b"-->",
                [b'<', b'!', ..] => {
                    return self.fail("document types, entities and CDATA are refused");
                }
                _ => return Ok(()),
            };
            let skip = if end.len() == 2 { 2 } else { 4 };
            match memchr::memmem::find(&rest[skip..], end) {
                Some(found) if found <= MAX_TEXT => {
                    if end.len() == 2 {
                        self.declaration(&rest[skip..skip + found])?;
                    }
                    self.at += skip + found + end.len();
                }
                _ => return self.fail("a comment or declaration that does not end"),
            }
            self.skip_space();
        }
    }

    fn declaration(&self, text: &[u8]) -> Result<()> {
        let text = String::from_utf8_lossy(text).to_ascii_lowercase();
        let Some(at) = text.find("encoding") else {
            return Ok(());
        };
        let name: String = text[at + 8..]
            .chars()
            .skip_while(|c| !c.is_ascii_alphanumeric())
            .take_while(|c| !"\"' ".contains(*c))
            .collect();
        let single_byte = [
            "iso-8859",
            "utf-8",
            "us-ascii",
            "ascii",
            "windows-12",
            "cp12",
        ];
        if single_byte.iter().any(|known| name.starts_with(known)) {
            return Ok(());
        }
        self.fail(&format!("encoding '{name}' is not read"))
    }

    /// The next child of the current element, or none at its end (which is read past).
    pub(super) fn child(&mut self) -> Result<Option<Child<'a>>> {
        loop {
            self.skip_space();
            match self.data.get(self.at..self.at + 2) {
                Some([b'<', b'/']) => {
                    let name = *self
                        .open
                        .last()
                        .ok_or_else(|| self.error(self.at, "an end tag that opens nothing"))?;
                    self.close(name)?;
                    self.open.pop();
                    return Ok(None);
                }
                Some([b'<', b'!' | b'?']) => self.misc()?,
                Some([b'<', _]) => return self.element(),
                Some(_) => return self.fail("text between elements"),
                None => return self.fail("the file ends inside an element"),
            }
        }
    }

    fn close(&mut self, name: &[u8]) -> Result<()> {
        let from = self.at + 2;
        let after = from + name.len();
        let here = self.data.get(from..after);
        // Byte by byte: names are too short for a library call.
        if here.is_some_and(|h| h.iter().zip(name).all(|(a, b)| a == b)) {
            let mut at = after;
            while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.data.get(at) {
                at += 1;
            }
            if self.data.get(at) == Some(&b'>') {
                self.at = at + 1;
                return Ok(());
            }
        }
        self.fail(&format!("expected </{}>", String::from_utf8_lossy(name)))
    }

    /// An element from its `<`, never none: a leaf is read whole, a node is entered.
    #[inline]
    fn element(&mut self) -> Result<Option<Child<'a>>> {
        let start = self.at;
        if self.data.get(start) != Some(&b'<') {
            return self.fail("an element is expected");
        }
        let mut at = start + 1;
        while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b':') =
            self.data.get(at)
        {
            at += 1;
        }
        let name = &self.data[start + 1..at];
        if name.is_empty() {
            return self.fail("an element without a name");
        }
        match self.data.get(at) {
            Some(b'>') => self.at = at + 1,
            _ => {
                if self.attributes(at)? {
                    return Ok(Some(Child::Leaf(name, b"")));
                }
            }
        }
        // A leaf has text and its own end; anything else is a node.
        let text = self.at;
        let Some(length) = memchr(b'<', &self.data[text..]) else {
            return self.fail("the file ends inside an element");
        };
        let end = text + length;
        if self.data.get(end + 1) == Some(&b'/') {
            if length > MAX_TEXT {
                return self.fail("text longer than any field of a SPAN file");
            }
            self.at = end;
            self.close(name)?;
            return Ok(Some(Child::Leaf(name, &self.data[text..end])));
        }
        if self.open.len() == MAX_DEPTH {
            return self.fail("elements nested deeper than any SPAN file");
        }
        self.open.push(name);
        Ok(Some(Child::Node(name)))
    }

    /// Reads past attributes, which SPAN files do not use; true for an empty-element tag.
    fn attributes(&mut self, mut at: usize) -> Result<bool> {
        let start = at;
        let mut count = 0;
        if !matches!(self.data.get(at), Some(b' ' | b'\n' | b'\r' | b'\t' | b'/')) {
            return self.fail("a name with characters that no SPAN element has");
        }
        loop {
            match self.data.get(at) {
                Some(b'>') => {
                    self.at = at + 1;
                    return Ok(self.data[at - 1] == b'/');
                }
                Some(quote @ (b'"' | b'\'')) => {
                    count += 1;
                    let Some(length) = memchr(*quote, &self.data[at + 1..]) else {
                        return self.fail("an attribute that does not end");
                    };
                    at += length + 2;
                }
                Some(b'<') | None => return self.fail("a tag that does not end"),
                Some(_) => at += 1,
            }
            if at - start > MAX_TAG || count > MAX_ATTRIBUTES {
                return self.fail("a tag longer than any of a SPAN file");
            }
        }
    }

    /// Reads past the rest of the current element.
    pub(super) fn skip(&mut self) -> Result<()> {
        let depth = self.open.len();
        while self.open.len() >= depth {
            self.child()?;
        }
        Ok(())
    }

    /// Values of consecutive `<tag>number</tag>` elements, the bulk of a SPAN file.
    pub(super) fn numbers(&mut self, out: &mut Vec<f64>, limit: usize) -> Result<()> {
        let first = out.len();
        loop {
            self.skip_space();
            if self.data[self.at..].first_chunk() != Some(b"<a>") {
                return Ok(());
            }
            if out.len() - first == limit {
                return self.fail("an array longer than the file's list of scan points");
            }
            let text = self.at + 3;
            let rest = &self.data[text..];
            let quick = short_number(rest).or_else(|| plain_number(rest));
            let (value, length) = match quick.filter(|q| rest[q.1..].first_chunk() == Some(b"</a>"))
            {
                Some(quick) => quick,
                None => {
                    let length = memchr(b'<', rest).unwrap_or(rest.len());
                    (self.number(&rest[..length], "a")?, length)
                }
            };
            let end = text + length;
            if self.data[end..].first_chunk() != Some(b"</a>") {
                return self.fail("expected </a>");
            }
            out.push(value);
            self.at = end + 4;
        }
    }

    /// A finite number; the field's name is for the message.
    pub(super) fn number(&self, text: &[u8], field: &str) -> Result<f64> {
        let trimmed = text.trim_ascii();
        if let Some((value, length)) = plain_number(trimmed)
            && length == trimmed.len()
        {
            return Ok(value);
        }
        // Signs and exponents are accepted, words such as `nan` and `inf` are not.
        let shape = trimmed
            .iter()
            .all(|c| c.is_ascii_digit() || b"+-.eE".contains(c));
        match std::str::from_utf8(trimmed)
            .ok()
            .filter(|_| shape)
            .and_then(|t| t.parse::<f64>().ok())
        {
            Some(value) if value.is_finite() => Ok(value + 0.0),
            _ => self.fail(&format!(
                "{field}: '{}' is not a number",
                String::from_utf8_lossy(text)
            )),
        }
    }

    /// Text as characters: UTF-8 where it is valid, otherwise ISO-8859-1; the five predefined entities only.
    pub(super) fn text(&self, text: &[u8], field: &str) -> Result<String> {
        let trimmed = text.trim_ascii();
        if trimmed.iter().any(|c| *c < 0x20) {
            return self.fail(&format!("{field}: control characters"));
        }
        let decoded = match std::str::from_utf8(trimmed) {
            Ok(text) => text.to_string(),
            Err(_) => trimmed.iter().map(|&b| b as char).collect(),
        };
        if !decoded.contains('&') {
            return Ok(decoded);
        }
        let mut plain = String::new();
        let mut rest = decoded.as_str();
        while let Some(at) = rest.find('&') {
            plain.push_str(&rest[..at]);
            let known = [
                ("&amp;", '&'),
                ("&lt;", '<'),
                ("&gt;", '>'),
                ("&quot;", '"'),
                ("&apos;", '\''),
            ];
            let Some((entity, character)) = known.iter().find(|(e, _)| rest[at..].starts_with(e))
            else {
                fail!(
                    ParseError,
                    "{}: byte {}: {field}: an entity that is not predefined",
                    self.file,
                    self.at
                );
            };
            plain.push(*character);
            rest = &rest[at + entity.len()..];
        }
        plain.push_str(rest);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(data: &str) -> Result<Vec<String>> {
        let mut reader = Reader::new(data.as_bytes(), "test")?;
        reader.root()?;
        let mut seen = Vec::new();
        let mut depth = 1;
        while depth > 0 {
            match reader.child()? {
                None => depth -= 1,
                Some(Child::Node(_)) => depth += 1,
                Some(Child::Leaf(name, text)) => {
                    seen.push(format!(
                        "{}={}",
                        String::from_utf8_lossy(name),
                        reader.text(text, "x")?
                    ));
                }
            }
        }
        reader.finish()?;
        Ok(seen)
    }

    #[test]
    fn elements_leaves_and_entities() {
        let data = "<?xml version=\"1.0\"?>\n<r><a>1</a><!-- c --><b><c>x &amp; y</c><d/></b><e></e></r>\n";
        assert_eq!(walk(data).unwrap(), ["a=1", "c=x & y", "d=", "e="]);
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = format!("{}{}", "<a>".repeat(1000), "</a>".repeat(1000));
        let attributes = format!("<r><a {}>1</a></r>", "x='1' ".repeat(100));
        for bad in [
            "",
            "<",
            "<r>",
            "<r><a>1</b></r>",
            "<r>text<a>1</a></r>",
            "<!DOCTYPE r [<!ENTITY x 'y'>]><r><a>1</a></r>",
            "<r><a>&x;</a></r>",
            "<r><a><![CDATA[1]]></a></r>",
            "<r><a>1</a></r><r/>",
            "<r><a>1</a></r>x",
            "<?xml version='1.0' encoding='utf-16'?><r><a>1</a></r>",
            "<r><!-- never ends <a>1</a></r>",
            "<r><a\u{0}>1</a></r>",
            &deep,
            &attributes,
        ] {
            assert!(
                matches!(walk(bad), Err(MarginError::ParseError(_))),
                "{bad:.60}"
            );
        }
    }

    #[test]
    fn values_of_arrays_are_those_of_the_standard_parser() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for round in 0..20_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let sign = if state & 1 == 0 { "" } else { "-" };
            let whole = (state >> 8) % 10_u64.pow(1 + (state >> 1) as u32 % 10);
            let fraction = (state >> 20) % 10_u64.pow(1 + (state >> 4) as u32 % 10);
            let text = match round % 4 {
                0 => format!("{sign}{whole}"),
                1 => format!("{sign}{whole}."),
                _ => format!("{sign}{whole}.{fraction}"),
            };
            let document = format!("<r><a>{text}</a></r>");
            let mut reader = Reader::new(document.as_bytes(), "test").unwrap();
            reader.root().unwrap();
            let mut values = Vec::new();
            reader.numbers(&mut values, 1).unwrap();
            assert_eq!(values, [text.parse::<f64>().unwrap() + 0.0], "{text}");
        }
        for bad in ["", "1.2.3", "--1", "1e", "1-2", "nan", "1,5", "12 3"] {
            let document = format!("<r><a>{bad}</a><a>1</a></r>");
            let mut reader = Reader::new(document.as_bytes(), "test").unwrap();
            reader.root().unwrap();
            assert!(reader.numbers(&mut Vec::new(), 9).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_correctly_rounded_and_finite() {
        let reader = Reader::new(b"", "test").unwrap();
        for text in [
            "0",
            "7",
            "12.",
            "1234567.1234567",
            "12345678.5",
            "0.00000001",
            "-0.000000",
            "29.999969",
            "-86.400002",
            "123456789012345",
            "0.1",
            "1e3",
            "12345678901234567890",
        ] {
            assert_eq!(
                reader.number(text.as_bytes(), "x").unwrap(),
                text.parse::<f64>().unwrap(),
                "{text}"
            );
        }
        assert!(reader.number(b"-0.0", "x").unwrap().is_sign_positive());
        for bad in [
            "", "nan", "inf", "1,5", "0x10", "1e999", "--1", "1 2", "\u{ff11}",
        ] {
            assert!(reader.number(bad.as_bytes(), "x").is_err(), "{bad}");
        }
    }
}
