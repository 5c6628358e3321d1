//! Dates and times as people type them, in the user's time zone.

use crate::{FieldType, Millis};
use jiff::{
    Span, Timestamp, Zoned,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};

/// How long the name of a time zone may be, in bytes. The longest has 32.
const LONGEST_ZONE: usize = 64;

/// `2026-11-22`, `today`, `tomorrow 9:00`, `+2d`, `9:00` in the form of the protocol. `None`: it is none
/// of these.
pub(super) fn read(kind: FieldType, text: &str, now: Millis, zone: Option<&str>) -> Option<String> {
    // No zone has a longer name, and a look-up that fails copies the name, for each date of a list.
    let zone = zone.filter(|name| name.len() <= LONGEST_ZONE);
    let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let now = Timestamp::from_millisecond(i64::try_from(now).ok()?).ok()?.to_zoned(zone.clone());
    let text = text.trim().to_lowercase().replace(" am", "am").replace(" pm", "pm");
    match kind {
        FieldType::Date => day(&text, &now).map(|date| date.to_string()),
        FieldType::Datetime => moment(&text, &now, &zone).map(|time| time.to_string()),
        _ => None,
    }
}

fn day(text: &str, now: &Zoned) -> Option<Date> {
    match text {
        "today" => Some(now.date()),
        "tomorrow" => now.date().tomorrow().ok(),
        "yesterday" => now.date().yesterday().ok(),
        _ => {
            if let Some(span) = relative(text, &['d', 'w']) {
                return now.date().checked_add(span).ok();
            }
            match weekday(text.strip_prefix("next ").unwrap_or(text)) {
                Some(weekday) => now.date().nth_weekday(1, weekday).ok(),
                None => text.parse().ok().filter(|_| text.len() == 10),
            }
        }
    }
}

/// `monday` or `mon`: the next such day, never today.
fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "monday" | "mon" => Weekday::Monday,
        "tuesday" | "tue" => Weekday::Tuesday,
        "wednesday" | "wed" => Weekday::Wednesday,
        "thursday" | "thu" => Weekday::Thursday,
        "friday" | "fri" => Weekday::Friday,
        "saturday" | "sat" => Weekday::Saturday,
        "sunday" | "sun" => Weekday::Sunday,
        _ => return None,
    })
}

fn moment(text: &str, now: &Zoned, zone: &TimeZone) -> Option<Timestamp> {
    if text == "now" {
        return Some(now.timestamp());
    }
    if let Some(span) = relative(text, &['m', 'h', 'd', 'w']) {
        return now.checked_add(span).ok().map(|zoned| zoned.timestamp());
    }
    // A time with an offset has the form of RFC 3339. The text was made lower case here.
    if let Ok(time) = text.to_uppercase().parse::<Timestamp>() {
        return Some(time);
    }
    // This is `2026-11-22T9:00`. The `t` of `tomorrow` does not count.
    let parts = text.rsplit_once(' ').or_else(|| Some((text.get(..10)?, text.get(10..)?.strip_prefix('t')?)));
    let local: DateTime = match parts {
        Some((date, time)) if day(date, now).is_some() => day(date, now)?.to_datetime(clock(time)?),
        _ => match clock(text) {
            Some(time) => now.date().to_datetime(time),
            None => day(text, now)?.at(0, 0, 0, 0),
        },
    };
    local.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

/// `9:00`, `09:00:30`, `9am`, `9:30pm`.
fn clock(text: &str) -> Option<Time> {
    let text = text.trim();
    let (text, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(text), _) => (text.trim_end(), Some(0)),
        (_, Some(text)) => (text.trim_end(), Some(12)),
        _ => (text, None),
    };
    let mut parts = text.split(':');
    let mut next = || parts.next().map(str::parse::<i8>);
    let hour = next()?.ok()?;
    let minute = match next() {
        Some(minute) => minute.ok()?,
        None => half.map(|_| 0)?,
    };
    let second = next().map_or(Ok(0), |s| s).ok()?;
    if parts.next().is_some() {
        return None;
    }
    let hour = match half {
        Some(add) if (1..=12).contains(&hour) => hour % 12 + add,
        Some(_) => return None,
        None => hour,
    };
    Time::new(hour, minute, second, 0).ok()
}

/// `+2d`, `-1w`, with one of the units.
fn relative(text: &str, units: &[char]) -> Option<Span> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let unit = text.chars().last().filter(|c| units.contains(c))?;
    let count: i64 = text.get(1..text.len() - 1)?.parse::<u16>().ok()?.into();
    let span = Span::new();
    match unit {
        'm' => span.try_minutes(sign * count),
        'h' => span.try_hours(sign * count),
        'd' => span.try_days(sign * count),
        _ => span.try_weeks(sign * count),
    }
    .ok()
}
