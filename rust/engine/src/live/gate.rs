//! What lets orders through: the kill switch, the throttle, and the counters a decision carries.

use std::collections::VecDeque;

#[derive(Debug, Clone, Default)]
pub(super) struct Gate {
    killed: bool,
    /// Times of messages inside the throttle's window.
    messages: VecDeque<f64>,
    /// Checks asked for so far.
    sequence: u64,
    /// Markets moved to so far.
    epoch: u64,
}

impl Gate {
    pub(super) fn kill(&mut self) {
        self.killed = true;
    }

    pub(super) fn revive(&mut self) {
        self.killed = false;
    }

    #[inline]
    pub(super) fn is_killed(&self) -> bool {
        self.killed
    }

    /// Counts a check, and gives its number.
    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) fn moved_to(&mut self, epoch: u64) {
        self.epoch = epoch;
    }

    /// Whether one more message keeps to at most `count` in `seconds`; it is counted where it does.
    pub(super) fn admits(&mut self, now: f64, count: u32, seconds: f64) -> bool {
        while self.messages.front().is_some_and(|&at| at <= now - seconds) {
            self.messages.pop_front();
        }
        if self.messages.len() >= count as usize {
            return false;
        }
        self.messages.push_back(now);
        true
    }
}
