//! Work shared over scoped threads: no pool survives a call (pools hang in forked children), results by index.

use std::sync::{Mutex, PoisonError};

use crate::error::{MarginError, Result};
use crate::interrupt::{self, Helpers};

/// Calls `work(first_row, rows)` on equal shares of whole rows of `width`, one for each of up to `threads` threads.
/// Fewer than `least` rows a thread are not worth one. The first error in row order is returned.
pub fn chunks<T: Send>(
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
    let share = rows.div_ceil(threads);
    let shares = out.chunks_mut(share * width).enumerate();
    each(shares, threads, |(i, part)| work(i * share, part))
}

/// As [`chunks`], a few `rows` at a time, which whichever thread is free takes: for work that needs no more rows at once.
pub fn slices<T: Send>(
    out: &mut [T],
    width: usize,
    threads: usize,
    rows: usize,
    work: impl Fn(usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    let slices = out.chunks_mut((rows * width).max(1)).enumerate();
    let threads = threads.clamp(1, slices.len().max(1));
    each(slices, threads, |(i, part)| work(i * rows, part))
}

/// Calls `work` on every task, on `threads` threads of which the caller's is one: each takes the next task when it has
/// done one, so that a thread that starts late or is held up takes fewer. The error of the first task that has one is
/// returned. Whoever watches the caller ([`crate::interrupt`]) watches the other threads, and is asked before each task.
pub fn each<T: Send>(
    mut tasks: impl Iterator<Item = T> + Send,
    threads: usize,
    work: impl Fn(T) -> Result<()> + Sync,
) -> Result<()> {
    let work = |task| {
        interrupt::check()?;
        work(task)
    };
    if threads <= 1 {
        return tasks.try_for_each(work);
    }
    let tasks = Mutex::new(tasks.enumerate());
    // Tasks are taken in order: those before one that fails are all taken, and done.
    let take = || {
        loop {
            let next = tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
            let (i, task) = next?;
            if let Err(error) = work(task) {
                return Some((i, error));
            }
        }
    };
    let helpers = Helpers::new(threads - 1);
    std::thread::scope(|scope| {
        let spawn = |_| {
            scope.spawn(|| match &helpers {
                Some(helpers) => helpers.work(take),
                None => take(),
            })
        };
        let others: Vec<_> = (1..threads).map(spawn).collect();
        let mut failed: Vec<_> = take().into_iter().collect();
        if let Some(helpers) = &helpers {
            helpers.wait();
        }
        for other in others {
            failed.extend(other.join().unwrap_or_else(|_| {
                let error = "a worker thread panicked";
                Some((usize::MAX, MarginError::CalculationError(error.into())))
            }));
        }
        match failed.into_iter().min_by_key(|f| f.0) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fail;

    #[test]
    fn every_row_is_worked_on_once_whatever_the_threads() {
        let number = |first: usize, part: &mut [usize]| {
            for (i, value) in part.iter_mut().enumerate() {
                *value += first * 3 + i + 1;
            }
            Ok(())
        };
        for rows in [0, 1, 2, 7, 100, 1001] {
            for threads in [1, 2, 3, 64] {
                let (mut out, mut sliced) = (vec![0; rows * 3], vec![0; rows * 3]);
                chunks(&mut out, 3, threads, 5, number).unwrap();
                slices(&mut sliced, 3, threads, 5, number).unwrap();
                assert!(
                    out.iter().copied().eq(1..=rows * 3),
                    "{rows} rows, {threads} threads"
                );
                assert_eq!(out, sliced, "{rows} rows, {threads} threads");
            }
        }
    }

    #[test]
    fn the_error_of_the_first_task_is_returned() {
        for threads in [1, 2, 5] {
            let error = each(0..1000, threads, |task| match task % 400 {
                399 => fail!(InvalidInput, "task {task}"),
                _ => Ok(()),
            });
            assert_eq!(
                error.unwrap_err().message(),
                "task 399",
                "{threads} threads"
            );
        }
    }

    #[test]
    fn a_panic_in_another_thread_is_an_error() {
        let caller = std::thread::current().id();
        let (reached, wait) = std::sync::mpsc::channel();
        let wait = Mutex::new(wait);
        let error = each(0..2, 2, |_| {
            if std::thread::current().id() == caller {
                // Leaves the second task to the other thread.
                wait.lock().unwrap().recv().unwrap();
                return Ok(());
            }
            reached.send(()).unwrap();
            panic!("as a fault would")
        });
        assert!(matches!(error, Err(MarginError::CalculationError(_))));
    }
}
