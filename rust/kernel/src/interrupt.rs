//! Long work that can be told to stop: it asks between its slices, and whoever called it decides.
//!
//! The caller says [`watched`] what is to be asked and how often, or [`within`] how long work may take; the work calls
//! [`check`] every few microseconds at least and gives up with [`MarginError::Interrupted`](crate::error::MarginError). Work that nobody watches never
//! stops, and pays a nanosecond for asking. What is asked may run anything, so no lock may be held then: an account is
//! asked about within a budget under its lock, and watched on a copy.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::fail;

/// Who watches the work of this thread.
enum Watch {
    /// This thread's own caller.
    Caller {
        /// From the first question on: reading a clock costs more than most work that is watched.
        due: Option<Instant>,
        every: Duration,
        /// Whether to stop; `None` where the time alone says so.
        told: Option<Box<dyn FnMut() -> bool>>,
        stopped: bool,
        /// Where threads that work for this one hear of it.
        heard: Option<Arc<AtomicBool>>,
    },
    /// The caller of the thread that this one works for.
    Other(Arc<AtomicBool>),
}

thread_local! {
    /// Whether there is a watch: what work that nobody watches looks at.
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// Puts a watch in place and takes the one before it back, whatever happens between.
struct Placed(Option<Watch>);

impl Placed {
    fn new(watch: Option<Watch>) -> Self {
        IS_WATCHED.set(watch.is_some());
        Self(WATCH.replace(watch))
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        IS_WATCHED.set(self.0.is_some());
        WATCH.set(self.0.take());
    }
}

/// Asks `told` while `work` runs, about `every` so often: once it says true, the work ends with
/// `Interrupted` at its next question.
pub fn watched<T>(
    every: Duration,
    told: impl FnMut() -> bool + 'static,
    work: impl FnOnce() -> T,
) -> T {
    place(every, Some(Box::new(told)), work)
}

/// Ends work with `Interrupted` once it has taken longer, counted from its first question.
#[inline]
pub fn within<T>(budget: Duration, work: impl FnOnce() -> T) -> T {
    place(budget, None, work)
}

#[inline]
fn place<T>(
    every: Duration,
    told: Option<Box<dyn FnMut() -> bool>>,
    work: impl FnOnce() -> T,
) -> T {
    let _placed = Placed::new(Some(Watch::Caller {
        due: None,
        every,
        told,
        stopped: false,
        heard: None,
    }));
    work()
}

/// Whether to go on.
///
/// # Errors
/// `Interrupted` where whoever called this work wants it to end.
#[inline]
pub fn check() -> Result<()> {
    if IS_WATCHED.get() { ask() } else { Ok(()) }
}

#[cold]
fn ask() -> Result<()> {
    // Taken out meanwhile: what is asked may start watched work of its own.
    let Some(mut watch) = WATCH.take() else {
        return Ok(());
    };
    let stops = match &mut watch {
        Watch::Other(stopped) => stopped.load(Ordering::Relaxed),
        Watch::Caller { stopped: true, .. } => true,
        Watch::Caller {
            due,
            every,
            told,
            stopped,
            heard,
        } => {
            let now = Instant::now();
            if now >= *due.get_or_insert(now + *every) {
                IS_WATCHED.set(false);
                *stopped = told.as_mut().is_none_or(|told| told());
                IS_WATCHED.set(true);
                *due = Some(Instant::now() + *every);
                if let Some(heard) = heard {
                    heard.store(*stopped, Ordering::Relaxed);
                }
            }
            *stopped
        }
    };
    WATCH.set(Some(watch));
    if stops {
        fail!(
            Interrupted,
            "the calculation was told to stop before it ended"
        );
    }
    Ok(())
}

/// A watched caller's other threads.
pub(crate) struct Helpers {
    stopped: Arc<AtomicBool>,
    caller: Thread,
    running: AtomicUsize,
}

impl Helpers {
    /// So many threads that will work for this one; `None` where nobody watches it.
    pub(crate) fn new(count: usize) -> Option<Self> {
        WATCH.with_borrow_mut(|watch| {
            let stopped = match watch.as_mut()? {
                Watch::Caller { stopped, heard, .. } => {
                    heard.get_or_insert_with(|| Arc::new(AtomicBool::new(*stopped)))
                }
                Watch::Other(stopped) => stopped,
            };
            Some(Self {
                stopped: stopped.clone(),
                caller: std::thread::current(),
                running: AtomicUsize::new(count),
            })
        })
    }

    /// Runs the work of one of them.
    pub(crate) fn work<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Done<'a>(&'a Helpers);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.running.fetch_sub(1, Ordering::Release);
                self.0.caller.unpark();
            }
        }
        let _done = Done(self);
        let _placed = Placed::new(Some(Watch::Other(self.stopped.clone())));
        work()
    }

    /// Asks on until all of them are done: the caller has nothing left to do, and may still be told to stop.
    pub(crate) fn wait(&self) {
        while self.running.load(Ordering::Acquire) > 0 {
            // What is told is heard by the others; they end, and say so.
            let _ = check();
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::MarginError;

    fn endless() -> Result<()> {
        loop {
            check()?;
        }
    }

    #[test]
    fn unwatched_work_is_never_stopped() {
        assert_eq!(check(), Ok(()));
        assert!(Helpers::new(1).is_none());
    }

    #[test]
    fn work_ends_when_its_time_is_up_and_stays_ended() {
        let start = Instant::now();
        within(Duration::from_millis(2), || {
            assert!(matches!(endless(), Err(MarginError::Interrupted(_))));
            assert!(check().is_err());
        });
        assert!(start.elapsed() >= Duration::from_millis(2));
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn work_ends_when_told_and_what_is_asked_may_work_itself() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let told = move || {
            assert_eq!(check(), Ok(()));
            assert!(within(Duration::ZERO, endless).is_err());
            count.fetch_add(1, Ordering::Relaxed) == 2
        };
        assert!(watched(Duration::ZERO, told, endless).is_err());
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_watch_is_taken_back_after_a_panic() {
        let panics = || within(Duration::ZERO, || panic!("as a fault would"));
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn threads_that_work_for_another_stop_with_it() {
        for threads in [1, 2, 5] {
            let work = || crate::parallel::each(0..usize::MAX, threads, |_| endless());
            assert!(within(Duration::from_millis(1), work).is_err());
            // The caller has nothing left to do and still asks.
            let caller = std::thread::current().id();
            let others_began = AtomicBool::new(threads == 1);
            let others = || {
                crate::parallel::each(0..threads, threads, |_| {
                    if std::thread::current().id() != caller {
                        others_began.store(true, Ordering::Relaxed);
                        return endless();
                    }
                    while !others_began.load(Ordering::Relaxed) {
                        std::thread::yield_now();
                    }
                    Ok(())
                })
            };
            let ended = within(Duration::from_millis(1), others);
            assert_eq!(ended.is_err(), threads > 1, "{threads} threads");
        }
    }
}
