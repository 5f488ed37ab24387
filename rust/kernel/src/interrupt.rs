//! Long work that can be told to stop: it asks between its slices, and whoever called it decides.
//!
//! The caller says [`watched`] what is to be asked and how often, or [`within`] how long work may take; the work calls
//! [`check`] between slices of a few microseconds to a few milliseconds, and gives up with
//! [`MarginError::Interrupted`](crate::error::MarginError). Work that nobody watches never stops, and pays a nanosecond for
//! asking. What is asked may run anything, so no lock may be held then: an account is asked about within a budget under its
//! lock, and watched on a copy.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::fail;

/// How the work of this thread is watched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Not at all: it never stops.
    Free,
    /// It has a time to end.
    Budget,
    /// By what [`WATCH`] says.
    Watched,
}

/// What every question looks at: cells in one place, as each way to a thread's own memory costs a call.
struct Now {
    mode: Cell<Mode>,
    budget: Cell<Duration>,
    /// When the budget ends: counted from the first question on, as reading a clock costs more than most such work.
    end: Cell<Option<Instant>>,
}

/// Who watches work.
enum Watch {
    /// This thread's own caller.
    Caller {
        due: Option<Instant>,
        every: Duration,
        /// Whether to stop.
        told: Box<dyn FnMut() -> bool>,
        stopped: bool,
        /// Where threads that work for this one hear of it.
        heard: Option<Arc<AtomicBool>>,
    },
    /// The caller of the thread that this one works for.
    Other(Arc<AtomicBool>),
}

thread_local! {
    static NOW: Now = const {
        Now {
            mode: Cell::new(Mode::Free),
            budget: Cell::new(Duration::ZERO),
            end: Cell::new(None),
        }
    };
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// Puts a mode in place and takes the one before it back, whatever happens between.
struct Placed {
    mode: Mode,
    budget: Duration,
    end: Option<Instant>,
}

impl Placed {
    #[inline]
    fn new(mode: Mode, budget: Duration) -> Self {
        NOW.with(|now| Self {
            mode: now.mode.replace(mode),
            budget: now.budget.replace(budget),
            end: now.end.replace(None),
        })
    }
}

impl Drop for Placed {
    #[inline]
    fn drop(&mut self) {
        NOW.with(|now| {
            now.mode.set(self.mode);
            now.budget.set(self.budget);
            now.end.set(self.end);
        });
    }
}

/// The same for who watches.
struct Watched {
    _mode: Placed,
    before: Option<Watch>,
}

impl Watched {
    fn new(watch: Watch) -> Self {
        Self {
            _mode: Placed::new(Mode::Watched, Duration::ZERO),
            before: WATCH.replace(Some(watch)),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        WATCH.set(self.before.take());
    }
}

/// Asks `told` while `work` runs, about `every` so often: once it says true, the work ends with
/// `Interrupted` at its next question.
pub fn watched<T>(
    every: Duration,
    told: impl FnMut() -> bool + 'static,
    work: impl FnOnce() -> T,
) -> T {
    let _watched = Watched::new(Watch::Caller {
        due: None,
        every,
        told: Box::new(told),
        stopped: false,
        heard: None,
    });
    work()
}

/// Ends work with `Interrupted` once it has taken longer, counted from its first question. Who watches it is not asked
/// meanwhile.
#[inline]
pub fn within<T>(budget: Duration, work: impl FnOnce() -> T) -> T {
    let _placed = Placed::new(Mode::Budget, budget);
    work()
}

/// Whether to go on.
///
/// # Errors
/// `Interrupted` where whoever called this work wants it to end.
#[inline]
pub fn check() -> Result<()> {
    match NOW.with(|now| now.mode.get()) {
        Mode::Free => Ok(()),
        Mode::Budget => afford(),
        Mode::Watched => ask(),
    }
}

fn afford() -> Result<()> {
    let now = Instant::now();
    let is_over = NOW.with(|own| {
        let end = own.end.get().unwrap_or(now + own.budget.get());
        own.end.set(Some(end));
        now >= end
    });
    if is_over { stop() } else { Ok(()) }
}

#[cold]
fn stop() -> Result<()> {
    fail!(
        Interrupted,
        "the calculation was told to stop before it ended"
    )
}

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
                let _free = Placed::new(Mode::Free, Duration::ZERO);
                *stopped = told();
                *due = Some(Instant::now() + *every);
                if let Some(heard) = heard {
                    heard.store(*stopped, Ordering::Relaxed);
                }
            }
            *stopped
        }
    };
    WATCH.set(Some(watch));
    if stops { stop() } else { Ok(()) }
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
        let stopped = match NOW.with(|now| now.mode.get()) {
            Mode::Free => return None,
            // They hear of its end from the caller.
            Mode::Budget => Arc::default(),
            Mode::Watched => WATCH.with_borrow_mut(|watch| {
                match watch.as_mut()? {
                    Watch::Caller { stopped, heard, .. } => {
                        Some(heard.get_or_insert_with(|| Arc::new(AtomicBool::new(*stopped))))
                    }
                    Watch::Other(stopped) => Some(stopped),
                }
                .cloned()
            })?,
        };
        Some(Self {
            stopped,
            caller: std::thread::current(),
            running: AtomicUsize::new(count),
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
        let _watched = Watched::new(Watch::Other(self.stopped.clone()));
        work()
    }

    /// Asks on until all of them are done: the caller has nothing left to do, and may still be told to stop.
    pub(crate) fn wait(&self) {
        while self.running.load(Ordering::Acquire) > 0 {
            // What is told is heard by the others; they end, and say so.
            if check().is_err() {
                self.stopped.store(true, Ordering::Relaxed);
            }
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
