//! When the server ends a bot's token, and how many days before that somebody is warned.

use super::date::date;
use cloud_apps_protocol::Millis;

/// A day in ms.
pub const DAY: Millis = 24 * 3_600_000;

/// How many days before its end a token is renewed, or a warning is given. A warning that was missed is given on the
/// next day, with the days that are left then.
pub const WARNINGS: [u8; 4] = [14, 7, 3, 1];

/// The end of a bot's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenEnd(pub Millis);

impl TokenEnd {
    /// How many days are left. A day that has begun counts. 0: it has ended.
    pub fn days_left(self, now: Millis) -> u64 {
        self.0.saturating_sub(now).div_ceil(DAY)
    }

    /// The latest of [`WARNINGS`] that is due. `None`: the token lives longer than all of them, or it has ended and nobody can
    /// be warned with it any more.
    pub fn warning(self, now: Millis) -> Option<u8> {
        let left = self.days_left(now);
        WARNINGS.into_iter().rev().find(|days| (1..=u64::from(*days)).contains(&left))
    }

    /// `ends on 2026-11-22 12:00 UTC, in 5 days`.
    pub fn words(self, now: Millis) -> String {
        let date = date(self.0);
        match self.days_left(now) {
            0 => format!("ended on {date}"),
            1 => format!("ends on {date}, in less than a day"),
            days => format!("ends on {date}, in {days} days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: TokenEnd = TokenEnd(100 * DAY);

    #[test]
    fn a_day_that_has_begun_counts() {
        for (before, days) in [(0, 0), (1, 1), (DAY, 1), (DAY + 1, 2), (14 * DAY, 14)] {
            assert_eq!(END.days_left(END.0 - before), days);
        }
        assert_eq!(END.days_left(END.0 + DAY), 0);
    }

    #[test]
    fn the_latest_warning_is_due_until_the_token_ends() {
        let due = |days: u64| END.warning(END.0 - days * DAY);
        let all: Vec<_> = (0..=15).rev().map(due).collect();
        let expected = [None, Some(14), Some(14), Some(14), Some(14), Some(14), Some(14), Some(14)];
        assert_eq!(all[..8], expected);
        let expected = [Some(7), Some(7), Some(7), Some(7), Some(3), Some(3), Some(1), None];
        assert_eq!(all[8..], expected);
        assert_eq!(END.warning(END.0 - 14 * DAY - 1), None);
        assert_eq!(END.warning(END.0 + 1), None);
    }

    #[test]
    fn its_end_is_told_in_words() {
        let end = TokenEnd(1_795_383_561_000);
        assert_eq!(end.words(end.0 - 9 * DAY), "ends on 2026-11-22 21:39 UTC, in 9 days");
        assert_eq!(end.words(end.0 - 5), "ends on 2026-11-22 21:39 UTC, in less than a day");
        assert_eq!(end.words(end.0), "ended on 2026-11-22 21:39 UTC");
    }
}
