use cloud_app_derive::Command;

/// Greets.
#[derive(Command)]
struct Greet {
    /// What.
    #[field(hint)]
    hint: String,
    /// What.
    #[field(max_length = "80")]
    length: String,
    /// What.
    #[field(subtype = "mail")]
    mail: String,
    /// What.
    #[field(multiple)]
    many: String,
}

/// Greets.
#[derive(Command)]
#[command(account = "yes")]
struct Shout;

fn main() {}
