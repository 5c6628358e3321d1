//! Hello: greets, tells the time, says who you are, and shows what an error looks like.

use cloud_app::prelude::*;
use jiff::tz::{self, TimeZone};

/// The app.
pub fn app() -> App {
    App::new("hello", env!("CARGO_PKG_VERSION"), "Hello")
        .description("Greets people, tells the time, and shows what a Cloud App can do.")
        .permissions([Permission::ActAsBot])
        .settings::<Settings>()
        .command::<Greet>()
        .command::<Time>()
        .command::<Whoami>()
        .command::<Fail>()
        .preset::<Greet>("shout", "Greets in capitals.", json!({"loud": true}), [Location::MessageBox])
        .on_install(on_install)
        .on_configure(on_configure)
        .on_uninstall(on_uninstall)
}

/// What an admin sets.
#[derive(Settings)]
struct Settings {
    /// The language of greetings, unless who greets asks for another.
    #[field(default = Language::En)]
    language: Language,
    /// A line under every public greeting.
    #[field(max_length = 200)]
    motto: Option<String>,
}

/// Greets somebody.
#[derive(Command)]
struct Greet {
    /// Whom to greet.
    #[field(positional)]
    user: UserId,
    /// In which language, if not the one that the admin chose.
    language: Option<Language>,
    /// In capitals.
    loud: bool,
    /// For everybody in the channel, by the bot.
    public: bool,
}

#[derive(Choice)]
enum Language {
    /// Deutsch
    De,
    /// English
    En,
    /// Español
    Es,
    /// Français
    Fr,
    /// 日本語
    Ja,
}

impl Run for Greet {
    async fn run(self, cx: Cx) -> Result<Answer> {
        let settings: Settings = cx.settings()?;
        let (before, after) = match self.language.unwrap_or(settings.language) {
            Language::De => ("Hallo, ", "!"),
            Language::En => ("Hello, ", "!"),
            Language::Es => ("¡Hola, ", "!"),
            Language::Fr => ("Bonjour ", " !"),
            Language::Ja => ("こんにちは、", "！"),
        };
        let before = if self.loud { before.to_uppercase() } else { before.to_owned() };
        let greeting = format!("{before}@{}{after}", cx.username(&self.user).await?);
        Ok(match settings.motto {
            _ if !self.public => Answer::text(greeting),
            Some(motto) => Answer::public(format!("{greeting}\n\n> {}", escape(&motto))),
            None => Answer::public(greeting),
        })
    }
}

/// Tells the time.
#[derive(Command)]
#[command(safe)]
struct Time {
    /// Where; in your own time zone if you do not say.
    #[field(hint = "Europe/Berlin")]
    zone: Option<String>,
}

impl Run for Time {
    async fn run(self, cx: Cx) -> Result<Answer> {
        let zone = match &self.zone {
            Some(name) => TimeZone::get(name).map_err(|_| unknown_zone(name))?,
            None => cx.time_zone(),
        };
        let now = cx.now().to_zoned(zone.clone());
        let place = zone.iana_name().unwrap_or("UTC");
        Ok(Answer::text(format!("It is **{}** in {place}.", now.strftime("%H:%M on %A, %-d %B %Y"))))
    }
}

/// Characters of the longest name of a time zone, and some more for a slip. What is longer is not compared with any.
const ZONE_LENGTH: usize = 40;

/// Characters of the longest abbreviation of a time zone. A word that is as short must be a place: `CEST` is almost `EST`, and
/// these are hours apart.
const ABBREVIATION_LENGTH: usize = 5;

fn unknown_zone(name: &str) -> Failure {
    if name.chars().nth(ZONE_LENGTH).is_some() {
        return Failure::say(
            "This is too long for a time zone. Write one as in the IANA database, such as Europe/Berlin.",
        );
    }
    let near = near_zones(name);
    let advice = if near.is_empty() {
        "Write a place as in the IANA database, such as Europe/Berlin.".to_owned()
    } else {
        let names: Vec<_> = near.iter().map(|zone| format!("`{zone}`")).collect();
        format!("Did you mean {}?", names.join(" or "))
    };
    Failure::say(format!("There is no time zone “{}”. {advice}", escape(name)))
}

/// The places that are probably meant. There are none for `GMT+2` and other hours: a place is not meant, and in the names of
/// the database the sign is the other way round (`Etc/GMT+2` is two hours behind).
fn near_zones(name: &str) -> Vec<String> {
    let wanted = name.to_lowercase().replace(' ', "_");
    let short = wanted.chars().count() <= ABBREVIATION_LENGTH;
    if wanted.contains(|c: char| c.is_ascii_digit() || c == '+') {
        return Vec::new();
    }
    let likeness = |zone: &str| {
        let zone = zone.to_lowercase();
        let city = zone.rsplit('/').next().unwrap_or(&zone);
        if short {
            return if city == wanted { 1.0 } else { 0.0 };
        }
        strsim::jaro_winkler(city, &wanted).max(strsim::jaro_winkler(&zone, &wanted))
    };
    let places = tz::db().available().filter(|zone| is_place(zone.as_str()));
    let mut zones: Vec<_> = places.map(|zone| (likeness(zone.as_str()), zone)).collect();
    zones.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.as_str().cmp(other.as_str())));
    let near = zones.iter().take(3).filter(|(likeness, _)| *likeness > 0.8);
    near.map(|(_, zone)| zone.to_string()).collect()
}

/// Whether a zone is that of a place, such as `Europe/Berlin` or `Japan`, and not `EST` or `Etc/GMT+2`.
fn is_place(zone: &str) -> bool {
    !zone.starts_with("Etc/") && zone.contains(|c: char| c.is_ascii_lowercase())
}

/// Says who you are.
///
/// The app asks Mattermost as its bot, so it sees what everybody may see of you.
#[derive(Command)]
#[command(safe)]
struct Whoami;

impl Run for Whoami {
    async fn run(self, cx: Cx) -> Result<Answer> {
        let me = cx.bot().user_by_id(cx.acting_user()?).await?;
        let name = match me.full_name() {
            name if name.is_empty() => String::new(),
            name => format!(" ({})", escape(&name)),
        };
        Ok(Answer::text(format!("You are @{}{name}. Your id is `{}`.", me.username, me.id)))
    }
}

/// Fails, to show what an error looks like.
#[derive(Command)]
#[command(safe)]
struct Fail {
    /// As the app expects it, or as a bug.
    #[field(default = Cause::Expected)]
    cause: Cause,
}

#[derive(Choice)]
enum Cause {
    /// The app says what is wrong and what to do.
    Expected,
    /// You read one sentence and the request's id, with which the cause is found in the log.
    Bug,
}

impl Run for Fail {
    async fn run(self, _: Cx) -> Result<Answer> {
        match self.cause {
            Cause::Expected => {
                Err(Failure::say("This is what an error looks like. Nothing is broken: you asked for it."))
            }
            Cause::Bug => Ok(Answer::text("forty-two".parse::<u32>()?.to_string())),
        }
    }
}

async fn on_install(_: Cx) -> Result<Answer> {
    Ok(Answer::text("Hello is here. Try `/hello help`."))
}

/// What the fields cannot say of themselves is checked here; the admin reads the refusal at the field.
async fn on_configure(cx: Cx) -> Result<Answer> {
    let settings: Settings = cx.settings()?;
    match settings.motto {
        Some(motto) if motto.contains('\n') => {
            Err(Failure::say("The motto is one line.").at("motto", "Write it on one line."))
        }
        _ => Ok(Answer::done()),
    }
}

async fn on_uninstall(_: Cx) -> Result<Answer> {
    Ok(Answer::text("Hello says goodbye."))
}
