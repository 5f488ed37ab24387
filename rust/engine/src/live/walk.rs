//! The partial fills of an order one of which is its worst.

/// The fills after which the position is a whole multiple of `step`, or a lot off one.
pub(super) struct Walk {
    pub(super) held: i64,
    pub(super) sign: i64,
    pub(super) step: i64,
}

impl Walk {
    /// The first of them after `lots`.
    pub(super) fn next(&self, lots: i64) -> i64 {
        let lots = lots + 1;
        let over = (self.held + self.sign * lots).rem_euclid(self.step);
        if over <= 1 || over == self.step - 1 {
            lots
        } else if self.sign > 0 {
            lots + (self.step - 1 - over)
        } else {
            lots + (over - 1)
        }
    }

    /// At most so many of them in an order.
    pub(super) fn count(&self, lots: i64) -> u64 {
        let near = 3 * (lots.unsigned_abs() / self.step.unsigned_abs() + 2);
        near.min(lots.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::Walk;
    use crate::account::MAX_LOTS;

    #[test]
    fn a_walk_meets_every_multiple_and_its_neighbours() {
        for step in [1, 2, 3, 4, 10, 2 * MAX_LOTS] {
            for held in -25..=25_i64 {
                for sign in [1, -1] {
                    let walk = Walk { held, sign, step };
                    let near = |n: &i64| {
                        let over = (held + sign * n).rem_euclid(step);
                        over <= 1 || over == step - 1
                    };
                    let expected: Vec<i64> = (1..60).filter(near).collect();
                    let mut found = Vec::new();
                    let mut lots = walk.next(0);
                    while lots < 60 {
                        found.push(lots);
                        lots = walk.next(lots);
                    }
                    assert_eq!(found, expected, "{held} {sign} {step}");
                    assert!(expected.len() as u64 <= walk.count(60));
                }
            }
        }
        let most = Walk {
            held: -MAX_LOTS,
            sign: 1,
            step: 2 * MAX_LOTS,
        };
        // From the largest short on: nothing before zero, and nothing after it.
        assert_eq!(most.next(0), MAX_LOTS - 1);
        assert!(most.next(MAX_LOTS + 1) > MAX_LOTS + 1 + MAX_LOTS / 2);
    }
}
