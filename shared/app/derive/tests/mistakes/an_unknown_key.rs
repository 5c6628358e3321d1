use cloud_app_derive::Command;

/// Greets.
#[derive(Command)]
struct Greet {
    /// Whom.
    #[field(positionl)]
    user: String,
}

/// Greets.
#[derive(Command)]
#[command(title = "x")]
struct Shout;

/// Greets.
#[derive(Command)]
#[command(safe, safe)]
struct Twice;

/// Greets.
#[derive(Command)]
#[command(expand(chanel = "summary"))]
struct Expands;

/// Greets.
#[derive(Command)]
#[command(expand(channel = "everything"))]
struct ExpandsTooMuch;

/// Greets.
#[derive(Command)]
#[command(locations(message_bocks))]
struct Somewhere;

fn main() {}
