//! Which instants of two lists belong together: as many as may, and of those the nearest.

use std::time::Duration;

use crate::domain::time::Timestamp;

use super::apart;

/// How many are paired, and how far they are apart in all. More pairs are better, then less time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    pairs: usize,
    apart: Duration,
}

impl Sum {
    fn is_better(self, other: Self) -> bool {
        (self.pairs, other.apart) > (other.pairs, self.apart)
    }
}

/// The pairs, as places in the two sorted lists. Instants keep their order: of two that moved, the earlier stays the earlier.
pub(super) fn pairs(
    old: &[Timestamp],
    new: &[Timestamp],
    may: impl Fn(Timestamp, Timestamp) -> bool,
) -> Vec<(usize, usize)> {
    if old.is_empty() || new.is_empty() {
        return Vec::new();
    }
    // The best that can be had from old[i..] and new[j..], by the textbook's table.
    let width = new.len() + 1;
    let mut best = vec![Sum::default(); (old.len() + 1) * width];
    let taken = |best: &[Sum], i: usize, j: usize| {
        let rest = best[(i + 1) * width + j + 1];
        may(old[i], new[j]).then(|| Sum {
            pairs: rest.pairs + 1,
            apart: rest.apart + apart(old[i], new[j]),
        })
    };
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let mut here = best[(i + 1) * width + j];
            for other in [Some(best[i * width + j + 1]), taken(&best, i, j)] {
                here = other.filter(|other| other.is_better(here)).unwrap_or(here);
            }
            best[i * width + j] = here;
        }
    }
    let mut found = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() && j < new.len() {
        let here = best[i * width + j];
        if taken(&best, i, j) == Some(here) {
            found.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if best[(i + 1) * width + j] == here {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(list: &[i64]) -> Vec<Timestamp> {
        list.iter()
            .map(|hour| Timestamp::from_micros(hour * 3_600_000_000))
            .collect()
    }

    #[test]
    fn the_nearest_belong_together_and_keep_their_order() {
        let check = |old: &[i64], new: &[i64], expected: &[(usize, usize)]| {
            assert_eq!(pairs(&hours(old), &hours(new), |_, _| true), expected);
        };
        check(&[5], &[6], &[(0, 0)]);
        check(&[5, 29], &[6, 30], &[(0, 0), (1, 1)]);
        check(&[5, 29, 53], &[30], &[(1, 0)]);
        check(&[30], &[5, 29, 53], &[(0, 1)]);
        check(&[1, 2, 3], &[8, 9, 10], &[(0, 0), (1, 1), (2, 2)]);
        check(&[1, 10], &[9, 11], &[(0, 0), (1, 1)]);
        check(&[], &[1], &[]);
    }

    #[test]
    fn what_may_not_belong_together_does_not() {
        let near = |a, b| apart(a, b) <= Duration::from_hours(12);
        let found = pairs(&hours(&[0, 100]), &hours(&[50, 101]), near);
        assert_eq!(found, [(1, 1)]);
        // As many as may, even where that is farther in all.
        let found = pairs(&hours(&[0, 10]), &hours(&[9, 20]), near);
        assert_eq!(found, [(0, 0), (1, 1)]);
    }
}
