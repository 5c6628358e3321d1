//! Dialogs: opened, sent, closed, looked up, refreshed.

use super::setup::Replica;
use super::{Arranging, Exception, Group};
use serde_json::json;

pub const GROUP: Group = Group { name: "dialogs", files: &["dialog-"], arrange, exceptions: EXCEPTIONS };

const EXCEPTIONS: &[Exception] = &[
    Exception {
        file: "mattermost-5.37/dialog-open",
        found: "header ",
        reason: "the headers of these answers were not recorded",
    },
    Exception {
        file: "mattermost-5.37/dialog-open-bad-trigger.http",
        found: "id ",
        reason: "the body of this request was not recorded; `dialogs.rs` sends one",
    },
    Exception { file: "mattermost-5.37/dialog-open-bad-trigger.http", found: "message ", reason: "the same" },
];

/// The recorded request that belongs to a file. Several requests are equal, and their answers differ.
const ALIKE: &[(&str, &str)] = &[
    ("dialog-lookup-wrong-key.http", "188-lookup.http"),
    ("dialog-lookup-empty-body.http", "189-lookup.http"),
    ("dialog-submit-with-errors.http", "192-dialog.http"),
    ("dialog-submit-with-error.http", "193-dialog.http"),
    ("dialog-submit-multi-step-1.http", "194-dialog.http"),
    ("dialog-submit-navigate.http", "197-dialog.http"),
    ("dialog-submit-unknown-type.http", "198-dialog.http"),
    ("dialog-submit-form-without-type.http", "200-dialog.http"),
    ("dialog-submit-form-missing.http", "199-dialog.http"),
    ("dialog-submit-invalid-form.http", "201-dialog.http"),
    ("dialog-submit-unknown-keys.http", "202-dialog.http"),
];

/// The recorded trigger ids: of alice, by a command, and of bob, by a click.
const BY_COMMAND: &str = "dGlvaHppYjY4anlndXJoZm1lY2l4ZjRieWU6cm9heHdobzhuanJuanl0ZWRtcDRxenU5OWU6MTc5NTM4MzgzNzAwMzpNRVlDSVFDM3hIRXdYdThUTURFZmNJcERZMXk4Myt6emRnMlI0a3RkY0tkUGlQS1h5Z0loQU84azhtVUZLM2c2RzJicTRnTThZNGx6TmR3TFFwdHdkSlVqQ24zcjBDS1k=";
const BY_CLICK: &str = "YW1vZmZyMXp4M2JteG16MzM3NHV5b216M2U6ZnQxZHUxNmhvNzhhOGVkNzZ3Y25ncHVzd2U6MTc5NTM4MzgzNzA4MjpNRVVDSUdFMlp1RTN6Y1llY0oxMDdzU25lbnNnOGo3RjZLeWUzbG9PSEk2T2dYaVlBaUVBaTEwdkV4QzdPY0l4dUN0b2duZjlGYlNobFNSUXBERzgwRmVtYlFKMEVFQT0=";
const IN_5_37: &str = "Znk0bXF6bWpuajhnZngxbnRkandxaTVrZ3k6NnRpdW82YXlwYnI0ZGtpZmt1cWlmbzM0bmU6MTc5NTM0NTE2MjU0NDpNRVVDSVFDSndXbGtrc0UvWDNJbWRBR2RaaHQ0ajhOMGU2T2w1bm55eHB3NnNYOWRBZ0lnWlpoR2FZc3o4TzQ5U2NtMzJJTnlsRENtRktSZ1g1UFpUSTRMeWhJZW1DRT0=";

fn arrange<'a>(replica: &'a mut Replica, file: &'a str) -> Arranging<'a> {
    Box::pin(async move {
        let body = json!({
            "channel_id": replica.recorded.town_square, "team_id": replica.recorded.team, "command": "/jira later",
            "root_id": replica.recorded.post,
        });
        replica.call("alice", "POST", "/api/v4/commands/execute", &body).await;
        // This command was not recorded for 5.37; only its trigger id is needed here.
        replica.sent.wrong.lock().unwrap().clear();
        let forms = replica.sent.forms.lock().unwrap().clone();
        let trigger = forms.last().unwrap().iter().find(|(key, _)| key == "trigger_id").unwrap().1.clone();
        for recorded in [BY_COMMAND, BY_CLICK, IN_5_37] {
            replica.name(recorded, trigger.clone());
        }
        let alike = ALIKE.iter().find(|(known, _)| *known == file);
        *replica.sent.like.lock().unwrap() = alike.map(|(_, request)| (*request).to_owned());
        match file {
            "dialog-open-expired-trigger.http" => replica.mm.set_clock(|| 1_795_385_336_370 + 30_001),
            // The trigger id contains a time, which the server checks first.
            "dialog-open-forged-trigger.http" => replica.mm.set_clock(|| 1_795_383_837_003),
            _ => {}
        }
    })
}
