//! SPAN's readers on damaged files: an error or a parameter set that margins, never a panic, a hang or a bomb.
//!
//! Runs briefly; `MARGINCORE_FUZZ_SECONDS=600` gives every reader that long and prints what it did.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::account::{AccountTerms, Holdings};
use engine::contract::{Contract, Contracts};
use engine::preparation::Preparation;
use engine::seam::Scratch;
use margincore_span::{Options, Span, SpanFile, cache, container, contracts};

use crate::allocations;
use crate::files;

/// xorshift64*: the same runs every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

/// What parsers trip over.
const WORDS: [&[u8]; 22] = [
    b"<",
    b">",
    b"</a>",
    b"<a>",
    b"<a/>",
    b"nan",
    b"inf",
    b"-",
    b"+",
    b"&amp;",
    b"&x;",
    b"<!DOCTYPE x>",
    b"<![CDATA[1]]>",
    b"1e999",
    b"1e-999",
    b"\0",
    b"\n",
    b" ",
    b"\xff",
    b"99999999999999999999",
    b"0",
    b"<ra><a>1</a></ra>",
];

/// Numbers at the edges of what fields hold.
const NUMBERS: [&[u8]; 12] = [
    b"0",
    b"-1",
    b"1",
    b"2",
    b"17",
    b"1025",
    b"4294967295",
    b"4294967296",
    b"99999",
    b"0.000001",
    b"1e308",
    b"123456789012345678",
];

fn mutate(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut data = seeds[dice.below(seeds.len())].clone();
    // Mostly one fault: more of them stop at the first.
    for _ in 0..=dice.below(8) / 5 * dice.below(4) {
        if data.is_empty() {
            break;
        }
        let at = dice.below(data.len());
        match dice.below(9) {
            0 => data[at] ^= 1 << dice.below(8),
            1 => data.truncate(at),
            2 => {
                data.drain(at..(at + dice.below(120)).min(data.len()));
            }
            3 => {
                let copy = data[at..(at + dice.below(400)).min(data.len())].to_vec();
                let to = dice.below(data.len());
                data.splice(to..to, copy);
            }
            4 => {
                let word = WORDS[dice.below(WORDS.len())];
                data.splice(at..at, word.iter().copied());
            }
            5 | 6 => number(&mut data, at, dice),
            7 => swap_pieces(&mut data, dice),
            _ => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len());
                let piece = &other[from..(from + dice.below(300)).min(other.len())];
                let end = (at + piece.len()).min(data.len());
                data.splice(at..end, piece.iter().copied());
            }
        }
    }
    data
}

/// Replaces the number at or after a place, in a fixed-width line digit for digit.
fn number(data: &mut Vec<u8>, at: usize, dice: &mut Dice) {
    let Some(first) = data[at..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let first = at + first;
    let length = data[first..]
        .iter()
        .take_while(|b| b.is_ascii_digit() || **b == b'.')
        .count();
    let new = NUMBERS[dice.below(NUMBERS.len())];
    if dice.below(2) == 0 {
        data.splice(first..first + length, new.iter().copied());
    } else {
        for k in 0..length {
            data[first + k] = b'0' + dice.below(10) as u8;
        }
    }
}

/// Swaps two lines, or two elements' worth of text.
fn swap_pieces(data: &mut Vec<u8>, dice: &mut Dice) {
    let cuts: Vec<usize> = (0..data.len())
        .filter(|&i| data[i] == b'\n' || data[i..].starts_with(b"</"))
        .collect();
    if cuts.len() < 4 {
        return;
    }
    let k = dice.below(cuts.len() - 3);
    let (a, b, c) = (cuts[k], cuts[k + 1], cuts[k + 2]);
    let mut swapped = data[b..c].to_vec();
    swapped.extend_from_slice(&data[a..b]);
    data.splice(a..c, swapped);
}

/// Margins a few positions in the first contracts; every number that comes out is finite.
fn margin(file: SpanFile) -> bool {
    let mut list: Vec<Arc<Contract>> = Vec::new();
    for row in 0..file.contracts.len().min(24) {
        if let Ok(contract) = Contract::new(contracts::terms(&file, row)) {
            list.push(Arc::new(contract));
        }
    }
    let Ok(table) = Contracts::new(list) else {
        return false;
    };
    let Ok(span) = Span::new(file, Options::default(), None) else {
        return false;
    };
    let Ok(made) = Preparation::new(Arc::new(span), &table, None, 1) else {
        return false;
    };
    let mut any = false;
    for step in 1..4_usize {
        let rows = (0..table.len()).step_by(step).map(|i| {
            (
                i as u32,
                i64::from(i % 3 != 1) * 3,
                i64::from(i % 3 == 1) * 2,
            )
        });
        let holdings = Holdings::from_rows(rows.collect(), false).unwrap();
        let terms = AccountTerms::default();
        let view = holdings.view(&terms);
        if let Ok(requirement) = made.prepared.requirement(view, &mut Scratch::default()) {
            assert!(
                requirement.initial.is_finite() && requirement.maintenance.is_finite(),
                "{requirement:?}"
            );
            any = true;
        }
    }
    any
}

/// A cache is guarded by a checksum: half of the damaged ones get one that fits, to see what it guards.
fn mend(data: &mut [u8], dice: &mut Dice) {
    if cache::is_cache(data) && data.len() > 32 && dice.below(2) == 0 {
        let end = data.len() - 4;
        let sum = crc32fast::hash(&data[..end]);
        data[end..].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Feeds a reader mutated seeds and prints executions, files parsed and files whose accounts were margined.
fn fuzz(name: &str, seeds: &[Vec<u8>], seed: u64) {
    for whole in seeds {
        assert!(
            margin(container::parse(whole.clone(), name).unwrap()),
            "{name}: an undamaged seed does not margin"
        );
    }
    let seconds = std::env::var("MARGINCORE_FUZZ_SECONDS")
        .ok()
        .and_then(|s| s.parse().ok());
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(0));
    let mut dice = Dice(seed);
    let (mut runs, mut parsed, mut margined) = (0_u64, 0_u64, 0_u64);
    let mut slowest = Duration::ZERO;
    while runs < 1500 || Instant::now() < until {
        let mut data = mutate(seeds, &mut dice);
        mend(&mut data, &mut dice);
        let (limit, copy) = (16 * data.len() + (1 << 20), data.clone());
        runs += 1;
        let start = Instant::now();
        let mut result = None;
        let largest = allocations::largest(|| result = Some(container::parse(copy, name)));
        // A gzipped bomb may unpack to 16 MB before it is refused; nothing else is larger than its file explains.
        let unpacked = if data.starts_with(&[0x1f, 0x8b]) || data.starts_with(b"PK") {
            40 << 20
        } else {
            0
        };
        assert!(
            largest <= limit + unpacked,
            "{name}: run {runs} allocated {largest} bytes at once for {} bytes",
            data.len()
        );
        if let Some(Ok(file)) = result {
            parsed += 1;
            margined += u64::from(margin(file));
        }
        slowest = slowest.max(start.elapsed());
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{name}: run {runs} hangs"
        );
    }
    println!("{name}: {runs} files, {parsed} parsed, {margined} margined, slowest {slowest:?}");
}

fn gzipped(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zipped(data: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive
        .start_file("a.spn", zip::write::SimpleFileOptions::default())
        .unwrap();
    archive.write_all(data).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn damaged_spn_documents() {
    fuzz("spn", &[files::spn()], 0x9e37_79b9_7f4a_7c15);
}

#[test]
fn damaged_expanded_files() {
    fuzz("pa2", &[files::pa2()], 0xd1b5_4a32_d192_ed03);
}

#[test]
fn damaged_caches() {
    let seeds = [files::spn(), files::pa2()]
        .map(|data| cache::save(&container::parse(data, "seed").unwrap()).unwrap());
    fuzz("cache", &seeds, 0x94d0_49bb_1331_11eb);
}

#[test]
fn damaged_archives() {
    let whole = files::spn();
    fuzz(
        "archive",
        &[gzipped(&whole), zipped(&whole)],
        0xbf58_476d_1ce4_e5b9,
    );
}

/// Cut anywhere, a file is an error or the same parameters. An expanded file has no trailer: cut exactly between two
/// records it may be a shorter file without a fault, and only its digest, which every report carries, tells.
#[test]
fn truncated_files_are_errors_or_the_same() {
    for (name, whole) in [("spn", files::spn()), ("pa2", files::pa2())] {
        let model = container::parse(whole.clone(), name).unwrap();
        for at in 0..whole.len() {
            let Ok(cut) = container::parse(whole[..at].to_vec(), name) else {
                continue;
            };
            assert_ne!(cut.info.digest, model.info.digest);
            // By their caches: absent values are NaN, which equals nothing.
            let same = SpanFile {
                info: model.info.clone(),
                ..cut
            };
            let same = cache::save(&same).unwrap() == cache::save(&model).unwrap();
            assert!(
                same || name == "pa2" && whole[at - 1] == b'\n',
                "{name}: byte {at}"
            );
        }
    }
    for data in [gzipped(&files::spn()), zipped(&files::spn())] {
        for at in 0..data.len() {
            assert!(
                container::parse(data[..at].to_vec(), "archive").is_err(),
                "byte {at}"
            );
        }
    }
}
