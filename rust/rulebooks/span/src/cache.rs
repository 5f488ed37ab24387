//! A parsed file as bytes that load in milliseconds.
//!
//! Layout: magic, version, length of the head, head (postcard), the contract columns as little-endian bytes, and a
//! CRC-32 of everything before it. The head carries the SHA-256 of the original file. Magic, version and the sum at the
//! end are where they are in every version, so that another one is told from damage.

use crate::model::{ContractTable, SpanFile};
use engine::version;
use kernel::error::{MarginError, Result};
use kernel::fail;

const MAGIC: &[u8; 8] = b"MCSPAN\r\n";
/// Raised whenever [`SpanFile`] changes shape. The file itself is the source: an old cache is refused, never misread.
const VERSION: u32 = 1;
const HEAD: usize = MAGIC.len() + 4 + 8 + 8;

pub fn is_cache(data: &[u8]) -> bool {
    data.starts_with(MAGIC)
}

/// The parsed file as bytes.
pub fn save(file: &SpanFile) -> Result<Vec<u8>> {
    let head = postcard::to_stdvec(file)
        .map_err(|e| MarginError::CalculationError(format!("cache: {e}").into()))?;
    let table = &file.contracts;
    let mut out = Vec::with_capacity(HEAD + head.len() + table.len() * (57 + 8 * file.width()) + 4);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&(head.len() as u64).to_le_bytes());
    out.extend_from_slice(&(table.len() as u64).to_le_bytes());
    out.extend_from_slice(&head);
    out.extend(table.series.iter().flat_map(|v| v.to_le_bytes()));
    out.extend(table.right.iter().map(|v| *v as u8));
    for column in [
        &table.strike,
        &table.price,
        &table.value,
        &table.vol,
        &table.delta,
        &table.array,
    ] {
        out.extend(column.iter().flat_map(|v| v.to_le_bytes()));
    }
    out.extend(table.number.iter().flat_map(|v| v.to_le_bytes()));
    let sum = crc32fast::hash(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    Ok(out)
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn column<T, const N: usize>(
        &mut self,
        count: usize,
        read: fn([u8; N]) -> T,
    ) -> Option<Vec<T>> {
        let (now, rest) = self.0.split_at_checked(count.checked_mul(N)?)?;
        self.0 = rest;
        Some(
            now.chunks_exact(N)
                .map(|c| read(c.try_into().expect("chunks of N")))
                .collect(),
        )
    }
}

/// Reads what [`save`] wrote; anything else is an error.
pub fn load(data: &[u8], name: &str) -> Result<SpanFile> {
    let broken = |what: &str| {
        MarginError::ParseError(
            format!("{name}: not a usable cache ({what}): parse the SPAN file again").into())
    };
    if !is_cache(data) || data.len() < HEAD + 4 {
        return Err(broken("no header"));
    }
    let word = |at: usize| u64::from_le_bytes(data[at..at + 8].try_into().expect("8 bytes"));
    let (body, sum) = data.split_at(data.len() - 4);
    if crc32fast::hash(body).to_le_bytes() != sum {
        return Err(broken("its checksum differs"));
    }
    let found = u32::from_le_bytes(data[8..12].try_into().expect("4 bytes"));
    version::check(
        format_args!("{name}: cache of a SPAN file"),
        found.into(),
        VERSION..=VERSION,
    )?;
    let (head, count) = (word(12) as usize, word(20) as usize);
    let Some((head, columns)) = body[HEAD..].split_at_checked(head) else {
        return Err(broken("cut short"));
    };
    let mut file: SpanFile = postcard::from_bytes(head).map_err(|e| broken(&e.to_string()))?;
    let width = file.width();
    let mut bytes = Bytes(columns);
    let table = (|| {
        Some(ContractTable {
            series: bytes.column(count, u32::from_le_bytes)?,
            right: bytes.column(count, i8::from_le_bytes)?,
            strike: bytes.column(count, f64::from_le_bytes)?,
            price: bytes.column(count, f64::from_le_bytes)?,
            value: bytes.column(count, f64::from_le_bytes)?,
            vol: bytes.column(count, f64::from_le_bytes)?,
            delta: bytes.column(count, f64::from_le_bytes)?,
            array: bytes.column(count.checked_mul(width)?, f64::from_le_bytes)?,
            number: bytes.column(count, u64::from_le_bytes)?,
        })
    })();
    let Some(table) = table.filter(|_| bytes.0.is_empty()) else {
        return Err(broken("columns of another length"));
    };
    if table
        .series
        .iter()
        .any(|s| *s as usize >= file.series.len())
        || file
            .series
            .iter()
            .any(|s| s.family as usize >= file.families.len())
        || file.points.iter().any(|p| p.paired >= width)
        || file.families.iter().any(|f| {
            f.commodity
                .is_some_and(|c| c as usize >= file.commodities.len())
        })
    {
        fail!(
            ParseError,
            "{name}: a cache that refers to what it does not have"
        );
    }
    file.contracts = table;
    Ok(file)
}
