//! Work shared over scoped threads: no pool survives a call (pools hang in forked children), results by index.

use crate::error::{MarginError, Result};

/// Cuts `out` into runs of whole rows of `width` and calls `work(first_row, rows)` on each, on up to `threads`
/// threads. Fewer than `least` rows a thread are not worth one. The first error in row order is returned.
pub(crate) fn chunks<T: Send>(
    out: &mut [T],
    width: usize,
    threads: usize,
    least: usize,
    work: impl Fn(usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    let rows = out.len() / width.max(1);
    if rows == 0 {
        return Ok(());
    }
    let threads = threads.clamp(1, rows.div_ceil(least.max(1)));
    if threads == 1 {
        return work(0, out);
    }
    let each = rows.div_ceil(threads);
    std::thread::scope(|scope| {
        let workers: Vec<_> = out
            .chunks_mut(each * width)
            .enumerate()
            .map(|(i, part)| {
                let work = &work;
                scope.spawn(move || work(i * each, part))
            })
            .collect();
        workers
            .into_iter()
            .map(|w| {
                w.join().unwrap_or_else(|_| {
                    Err(MarginError::CalculationError(
                        "a worker thread panicked".into(),
                    ))
                })
            })
            .collect::<Result<Vec<()>>>()
            .map(|_| ())
    })
}
