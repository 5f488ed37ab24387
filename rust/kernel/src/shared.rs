//! One value that threads share, and that neither a thread nor a fork can be stopped by for good.
//!
//! Whoever holds it works on plain data: nothing that may wait for another lock, such as an interpreter's, runs meanwhile.
//! [`Shared::try_with`] never waits, so that a caller which holds such a lock can give it up before it waits in
//! [`Shared::with`].
//!
//! A fork copies the lock and only the thread that forked: a lock that another thread held is never released in the child.
//! So a process that has forked says so ([`forked`]), and the first use of a value in the new process finds out once
//! whether anybody held it.

#[cfg(loom)]
use loom::sync::{Mutex, atomic::AtomicU64, atomic::Ordering};
#[cfg(not(loom))]
use std::sync::{Mutex, atomic::AtomicU64, atomic::Ordering};

use std::sync::TryLockError;

use crate::error::{Code, MarginError, Result};

/// How many forks lie between the first process and this one. The only state that the whole process shares.
#[cfg(not(loom))]
static GENERATION: AtomicU64 = AtomicU64::new(0);

#[cfg(loom)]
loom::lazy_static! {
    static ref GENERATION: AtomicU64 = AtomicU64::new(0);
}

/// Tells that this process is a fork's child. Called in it before any thread of it uses a shared value.
pub fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// What [`Shared::used_in`] holds beside a generation: a thread of it is finding out, or has found that the value is lost.
const FINDING_OUT: u64 = 1 << 62;
const LOST: u64 = 1 << 63;

/// A value that one thread at a time works on.
pub struct Shared<T> {
    value: Mutex<T>,
    /// The generation that the value was last used in.
    used_in: AtomicU64,
    /// How often [`Self::try_with`] found it held.
    contended: AtomicU64,
}

/// Why [`Shared::try_with`] did not work on the value.
pub enum Refused<W> {
    /// Another thread holds it: the work comes back undone.
    Held(W),
    /// It cannot be had any more.
    Lost(MarginError),
}

impl<T> Shared<T> {
    pub fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            used_in: AtomicU64::new(GENERATION.load(Ordering::Relaxed)),
            contended: AtomicU64::new(0),
        }
    }

    /// Works on the value where nobody holds it.
    #[inline]
    pub fn try_with<R, W: FnOnce(&mut T) -> R>(
        &self,
        work: W,
    ) -> std::result::Result<R, Refused<W>> {
        self.arrive().map_err(Refused::Lost)?;
        match self.value.try_lock() {
            Ok(mut value) => Ok(work(&mut value)),
            Err(TryLockError::WouldBlock) => {
                self.contended.fetch_add(1, Ordering::Relaxed);
                Err(Refused::Held(work))
            }
            Err(TryLockError::Poisoned(_)) => Err(Refused::Lost(broken())),
        }
    }

    /// How often [`Self::try_with`] found the value held by another thread.
    pub fn contended(&self) -> u64 {
        self.contended.load(Ordering::Relaxed)
    }

    /// Works on the value, after whoever holds it. Not called by one who holds a lock that the holder may want.
    ///
    /// # Errors
    /// `CalculationError` where earlier work panicked, or where a thread of the process that forked this one held it.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Result<R> {
        self.arrive()?;
        match self.value.lock() {
            Ok(mut value) => Ok(work(&mut value)),
            Err(_) => Err(broken()),
        }
    }

    /// Lets a thread in that may find the lock held by a thread of its own process only.
    #[inline]
    fn arrive(&self) -> Result<()> {
        let now = GENERATION.load(Ordering::Relaxed);
        if self.used_in.load(Ordering::Acquire) == now {
            return Ok(());
        }
        self.find_out(now)
    }

    /// The first thread here of a new process tries the lock: nobody of this process can have taken it before, since all
    /// come this way. The others wait for what it finds, a few instructions.
    #[cold]
    fn find_out(&self, now: u64) -> Result<()> {
        loop {
            let used_in = self.used_in.load(Ordering::Acquire);
            if used_in == now {
                return Ok(());
            }
            if used_in & LOST != 0 {
                return Err(lost());
            }
            if used_in == now | FINDING_OUT {
                #[cfg(loom)]
                loom::thread::yield_now();
                #[cfg(not(loom))]
                std::thread::yield_now();
                continue;
            }
            let claimed = self.used_in.compare_exchange(
                used_in,
                now | FINDING_OUT,
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            if claimed.is_ok() {
                let held = matches!(self.value.try_lock(), Err(TryLockError::WouldBlock));
                let found = if held { now | LOST } else { now };
                self.used_in.store(found, Ordering::Release);
            }
        }
    }
}

fn broken() -> MarginError {
    MarginError::CalculationError("an earlier call failed half way: open it again".into())
        .code(Code::Reopen)
}

fn lost() -> MarginError {
    MarginError::CalculationError(
        "the process was forked while another thread worked on it, and it may be half changed here: open it again"
            .into(),
    )
    .code(Code::Reopen)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    // One test: a fork is told to the whole process.
    #[test]
    fn a_forks_child_waits_for_nobody() {
        let (held, free) = (Shared::new(1), Shared::new(1));
        let guard = held.value.lock().unwrap();
        assert!(matches!(held.try_with(|v| *v), Err(Refused::Held(_))));
        forked();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    assert!(matches!(held.try_with(|v| *v), Err(Refused::Lost(_))));
                    assert!(held.with(|v| *v).is_err());
                    assert_eq!(free.with(|v| *v), Ok(1));
                });
            }
        });
        drop(guard);
        forked();
        assert!(
            held.with(|v| *v).is_err(),
            "lost is lost, also to children's children"
        );
        assert_eq!(free.with(|v| *v), Ok(1));
    }

    #[test]
    fn work_that_panics_is_not_gone_on_with() {
        let shared = Shared::new(1);
        let panics = std::panic::AssertUnwindSafe(|| shared.with(|_| panic!("as a fault would")));
        assert!(std::panic::catch_unwind(panics).is_err());
        assert!(shared.with(|v| *v).is_err());
        assert!(matches!(shared.try_with(|v| *v), Err(Refused::Lost(_))));
    }
}

/// Every interleaving of a few threads: `RUSTFLAGS="--cfg loom" cargo test -p margincore-kernel --release shared`.
#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    /// Adds one, by the way a caller goes that must not wait: try, then wait.
    fn add(shared: &Shared<u32>) -> Result<()> {
        match shared.try_with(|v| *v += 1) {
            Ok(()) => Ok(()),
            Err(Refused::Held(_)) => shared.with(|v| *v += 1),
            Err(Refused::Lost(error)) => Err(error),
        }
    }

    fn on_two_threads(shared: Shared<u32>, work: fn(&Shared<u32>)) -> Arc<Shared<u32>> {
        let shared = Arc::new(shared);
        let other = shared.clone();
        let thread = thread::spawn(move || work(&other));
        work(&shared);
        thread.join().unwrap();
        shared
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        loom::model(|| {
            let shared = on_two_threads(Shared::new(0), |s| add(s).unwrap());
            assert_eq!(shared.with(|v| *v), Ok(2));
        });
    }

    #[test]
    fn in_a_child_a_free_value_is_used_by_all_who_arrive_first() {
        loom::model(|| {
            let shared = Shared::new(0);
            forked();
            let shared = on_two_threads(shared, |s| add(s).unwrap());
            assert_eq!(shared.with(|v| *v), Ok(2));
        });
    }

    #[test]
    fn in_a_child_a_held_value_is_lost_to_all_and_nobody_waits() {
        loom::model(|| {
            let shared = Shared::new(0);
            std::mem::forget(shared.value.lock().unwrap());
            forked();
            on_two_threads(shared, |s| assert!(add(s).is_err()));
        });
    }

    #[test]
    fn a_child_of_a_process_that_was_finding_out_finds_out_itself() {
        loom::model(|| {
            let shared = Shared::new(0);
            forked();
            shared.used_in.store(
                GENERATION.load(Ordering::Relaxed) | FINDING_OUT,
                Ordering::Release,
            );
            forked();
            let shared = on_two_threads(shared, |s| add(s).unwrap());
            assert_eq!(shared.with(|v| *v), Ok(2));
        });
    }
}
