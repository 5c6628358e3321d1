use cloud_app_derive::Command;

#[derive(Command)]
struct Greet {
    /// Whom.
    user: String,
}

/// Says something.
#[derive(Command)]
struct Say {
    text: String,
    loud: bool,
}

fn main() {}
