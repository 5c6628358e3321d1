//! When a job that failed is tried again.

use crate::{random::Random, store::job::QueueName};
use cloud_apps_protocol::Millis;

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;

/// The time between an attempt and the next: about three minutes for all, because a person waits.
const COMMANDS: [Millis; 4] = [2 * SECOND, 10 * SECOND, 30 * SECOND, 2 * MINUTE];
/// About three hours for all, because that is how long a server is usually down.
const EVENTS: [Millis; 15] = [
    10 * SECOND,
    30 * SECOND,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    15 * MINUTE,
    15 * MINUTE,
    15 * MINUTE,
    15 * MINUTE,
    15 * MINUTE,
    15 * MINUTE,
    15 * MINUTE,
    15 * MINUTE,
    15 * MINUTE,
];
/// The longest `Retry-After` that is respected. A server that asks for more is asked again after this time.
const MAX_RETRY_AFTER: Millis = 60 * MINUTE;
/// By how many thousandths a delay is made longer or shorter, so that jobs that failed together do not come back together.
const SPREAD: u64 = 200;

/// How many ms after this attempt the next one begins, and not before `retry_after` allows it. `None`: this attempt was the
/// last one.
pub fn delay(
    queue: QueueName,
    attempt: u32,
    retry_after: Option<Millis>,
    random: &dyn Random,
) -> Option<Millis> {
    let schedule: &[Millis] = match queue {
        QueueName::Commands => &COMMANDS,
        QueueName::Events => &EVENTS,
    };
    let nth = usize::try_from(attempt).ok()?.checked_sub(1)?;
    let planned = *schedule.get(nth)?;
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    let chance = u64::from_le_bytes(bytes);
    let least = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
    let part = |of: Millis, thousandths: u64| of.saturating_mul(thousandths) / 1_000;
    Some(if least > planned {
        least.saturating_add(part(least, chance % (SPREAD + 1)))
    } else {
        part(planned, 1_000 - SPREAD + chance % (2 * SPREAD + 1)).max(least)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Chance(u64);

    impl Random for Chance {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0.to_le_bytes());
        }
    }

    #[test]
    fn a_command_is_tried_for_minutes_and_an_event_for_hours() {
        let middle = Chance(SPREAD);
        let all =
            |queue| -> Vec<_> { (1..).map_while(|attempt| delay(queue, attempt, None, &middle)).collect() };
        assert_eq!(all(QueueName::Commands), [2_000, 10_000, 30_000, 120_000]);
        let events = all(QueueName::Events);
        assert_eq!(events[..6], [10_000, 30_000, 120_000, 300_000, 600_000, 900_000]);
        assert_eq!(events.len(), 15);
        let hours = events.iter().sum::<Millis>() / 3_600_000;
        assert_eq!(hours, 2, "and most of the third");
    }

    proptest! {
        #[test]
        fn a_delay_is_spread_by_a_fifth_and_never_sooner_than_the_server_asked(
            attempt in 0_u32..20, chance: u64, asked in proptest::option::of(0_u64..10_000_000), events: bool,
        ) {
            let queue = if events { QueueName::Events } else { QueueName::Commands };
            let planned = delay(queue, attempt, None, &Chance(SPREAD));
            let delay = delay(queue, attempt, asked, &Chance(chance));
            prop_assert_eq!(planned.is_some(), delay.is_some());
            if let (Some(planned), Some(delay)) = (planned, delay) {
                let asked = asked.unwrap_or(0).min(MAX_RETRY_AFTER);
                prop_assert!(delay >= asked && delay >= planned / 5 * 4, "{delay}");
                prop_assert!(delay <= planned.max(asked) * 6 / 5 + 1, "{delay}");
            }
        }
    }
}
