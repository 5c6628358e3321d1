//! What the client of a user gets when an integration misbehaves.

use super::world::World;
use super::{Arranging, Group};
use std::time::Duration;

pub const GROUP: Group = Group { name: "failures", files: &["fail-"], arrange, exceptions: &[] };

fn arrange<'a>(world: &'a mut World, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        if let Some(case) = file.strip_prefix("fail-slash-").and_then(|rest| rest.strip_suffix(".http")) {
            let url = match case {
                "refused" => "http://127.0.0.1:1/".to_owned(),
                "forbidden" => "http://127.0.0.2:9000/x".to_owned(),
                "badhost" => "http://no-such-host.invalid/".to_owned(),
                _ => format!("http://127.0.0.1:9000/fail-{case}"),
            };
            world.mm.add_command("ops", &format!("f{case}"), &url).unwrap();
        }
        if file == "fail-slash-slow40.http" {
            world.mm.set_outgoing_timeout(Duration::ZERO);
        }
    })
}
