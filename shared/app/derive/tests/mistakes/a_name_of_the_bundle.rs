use cloud_app_derive::Command;

/// Helps.
#[derive(Command)]
struct Help;

/// Greets.
#[derive(Command)]
#[command(name = "Greet People")]
struct Greet;

/// Asks.
#[derive(Command)]
struct Ask {
    /// Which.
    form: String,
}

fn main() {}
