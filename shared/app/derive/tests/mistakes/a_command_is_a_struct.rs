use cloud_app_derive::{Choice, Command, Settings};

/// Greets.
#[derive(Command)]
enum Greet {
    Hello,
}

/// Greets.
#[derive(Command)]
struct Shout(String);

/// Greets.
#[derive(Command)]
struct Whisper<T> {
    /// What.
    what: T,
}

#[derive(Choice)]
struct Language;

#[derive(Choice)]
enum Size {
    Small(u8),
}

#[derive(Settings)]
union Both {
    /// One.
    one: u8,
}

fn main() {}
