//! Plain, gzipped and zipped files, with limits that a compression bomb meets before memory does.

use std::io::{Cursor, Read};
use std::path::Path;

use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};

use crate::model::SpanFile;
use crate::{cache, pa2, spn};
use kernel::error::{Code, MarginError, Result};
use kernel::float::hex;
use kernel::{fail, interrupt};

/// Largest decompressed file: about ten times the largest published one.
pub const MAX_BYTES: u64 = 2 << 30;
/// Deflate cannot honestly do better on digits; a bomb reaches 1,000.
pub const MAX_RATIO: u64 = 200;

/// Files from this size on are hashed beside their parsing.
const APART: usize = 4 << 20;

fn read_error(name: &str, e: impl std::fmt::Display) -> MarginError {
    MarginError::ParseError(format!("{name}: {e}").into())
}

/// Bytes at a time: unpacking and hashing them takes a millisecond or few.
const SLICE: usize = 1 << 20;

/// Reads a stream up to the limits for `packed` bytes of it.
fn unpack(stream: impl Read, packed: u64, name: &str) -> Result<Vec<u8>> {
    // Small files may have a high ratio without harm.
    let limit = packed.saturating_mul(MAX_RATIO).clamp(1 << 20, MAX_BYTES);
    let mut data = Vec::new();
    let mut stream = stream.take(limit + 1);
    loop {
        interrupt::check()?;
        let read = stream.by_ref().take(SLICE as u64).read_to_end(&mut data);
        if read.map_err(|e| read_error(name, e))? == 0 {
            return Ok(data);
        }
        if data.len() as u64 > limit {
            fail!(
                ParseError: TooLarge;
                "{name}: unpacks to more than {limit} bytes, {MAX_RATIO} times its size: refused"
            );
        }
    }
}

/// The one file inside a container, with its name; a plain file is itself.
pub fn open(data: Vec<u8>, name: &str) -> Result<(Vec<u8>, String)> {
    let size = data.len() as u64;
    if data.starts_with(&[0x1F, 0x8B]) {
        let inner = name.strip_suffix(".gz").unwrap_or(name).to_string();
        let data = unpack(
            flate2::read::MultiGzDecoder::new(data.as_slice()),
            size,
            name,
        )?;
        return refuse_nested(data, inner);
    }
    if data.starts_with(b"PK") {
        let mut archive =
            zip::ZipArchive::new(Cursor::new(&data)).map_err(|e| read_error(name, e))?;
        let mut found = None;
        for i in 0..archive.len() {
            let entry = archive.by_index(i).map_err(|e| read_error(name, e))?;
            let inner = entry.name().map_err(|e| read_error(name, e))?.into_owned();
            if entry.is_dir() {
                continue;
            }
            if inner.contains("..") || inner.starts_with('/') || inner.contains('\\') {
                fail!(
                    ParseError,
                    "{name}: the entry name '{inner}' leaves the archive: refused"
                );
            }
            if let Some((first, _)) = &found {
                fail!(
                    ParseError: Duplicate;
                    "{name}: two files, '{first}' and '{inner}': give one of them"
                );
            }
            let packed = entry.compressed_size();
            found = Some((inner, unpack(entry, packed, name)?));
        }
        return match found {
            Some((inner, data)) => refuse_nested(data, inner),
            None => fail!(ParseError: Damaged; "{name}: an archive without a file"),
        };
    }
    Ok((data, name.to_string()))
}

fn refuse_nested(data: Vec<u8>, name: String) -> Result<(Vec<u8>, String)> {
    if data.starts_with(&[0x1F, 0x8B]) || data.starts_with(b"PK\x03\x04") {
        fail!(ParseError, "{name}: an archive inside an archive: refused");
    }
    Ok((data, name))
}

/// Parses a SPAN file of any format this crate reads, told apart by its content.
pub fn parse(data: Vec<u8>, name: &str) -> Result<SpanFile> {
    if cache::is_cache(&data) {
        return cache::load(&data, name);
    }
    let (data, inner) = open(data, name)?;
    let start = data
        .strip_prefix(&[0xEF, 0xBB, 0xBF])
        .unwrap_or(&data)
        .trim_ascii_start();
    let parse = || match start {
        [b'<', ..] => spn::parse(&data, &inner),
        [b'0', b' ', ..] => pa2::parse(&data, &inner),
        [] => fail!(ParseError: Damaged; "{inner}: the file is empty"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
            fail!(ParseError, "{inner}: UTF-16 is not read: convert the file")
        }
        _ => fail!(
            ParseError,
            "{inner}: byte 0: neither a .spn document nor an expanded .pa2 file"
        ),
    };
    let (mut file, digest) = if data.len() < APART {
        (parse()?, hex(&Sha256::digest(&data)))
    } else {
        // The digest of a large file takes a fifth of its parsing: beside it, on a second core where there is one.
        let is_wanted = AtomicBool::new(true);
        std::thread::scope(|scope| {
            let digest = scope.spawn(|| digest_while(&is_wanted, &data));
            let file = parse();
            is_wanted.store(file.is_ok(), Ordering::Relaxed);
            let digest = digest.join().expect("hashing bytes does not panic");
            Ok::<_, MarginError>((file?, digest))
        })?
    };
    file.info.digest = digest;
    Ok(file)
}

/// The digest of a file, or of as much of it as was read when nobody wanted it any more.
fn digest_while(is_wanted: &AtomicBool, data: &[u8]) -> String {
    let mut digest = Sha256::new();
    for part in data.chunks(SLICE) {
        if is_wanted.load(Ordering::Relaxed) {
            digest.update(part);
        }
    }
    hex(&digest.finalize())
}

/// Reads and parses a file. The whole file is read first: a mapped file could change under the parser.
pub fn read(path: impl AsRef<Path>) -> Result<SpanFile> {
    let path = path.as_ref();
    let name = path.file_name().map_or_else(
        || path.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    );
    let data = std::fs::read(path).map_err(|e| unreadable(path, &e))?;
    parse(data, &name)
}

/// A file that the system does not give, in its words without its number.
fn unreadable(path: &Path, error: &std::io::Error) -> MarginError {
    let why = error.to_string();
    let why = why.split(" (os error").next().unwrap_or(&why);
    MarginError::InvalidInput(format!("{}: cannot be read: {why}", path.display()).into())
        .code(Code::Unreadable)
        .place(path.display())
}
