//! The rules of vendors' webhooks (section 17).

use super::{Challenge, Manifest, Verify, rules::Rules};
use crate::form::Subtype;

const HASHES: [&str; 3] = ["sha256", "sha512", "sha1"];
const ENCODINGS: [&str; 2] = ["hex", "base64"];

impl Rules<'_> {
    pub(super) fn webhooks(&mut self, manifest: &Manifest) {
        let paths = manifest.webhooks.iter().map(|w| w.path.as_str());
        self.distinct(paths, "webhook", |i| format!("/webhooks/{i}/path"));
        for (i, webhook) in manifest.webhooks.iter().enumerate() {
            let at = format!("/webhooks/{i}");
            if !is_path(&webhook.path) {
                let message = format!("{:?} is not the path of a webhook.", webhook.path);
                self.say(
                    &format!("{at}/path"),
                    message,
                    "Write 1 to 64 characters of a-z, 0-9, - and _, starting with a letter.",
                );
            }
            self.verify(&webhook.verify, &format!("{at}/verify"));
            self.headers(webhook.id_header.iter().map(String::as_str), |_| format!("{at}/id_header"));
            self.headers(webhook.headers.iter().map(String::as_str), |i| format!("{at}/headers/{i}"));
            match &webhook.challenge {
                Some(Challenge::Json(key)) => self.filled(key, &format!("{at}/challenge/json")),
                Some(Challenge::Query(key)) => self.filled(key, &format!("{at}/challenge/query")),
                None => {}
            }
            if let Some(name) = &webhook.secret_setting {
                self.secret(name.as_str(), &format!("{at}/secret_setting"), manifest);
            }
        }
    }

    fn secret(&mut self, name: &str, pointer: &str, manifest: &Manifest) {
        let setting = manifest.settings.iter().find(|setting| setting.name.as_str() == name);
        if setting.is_none() {
            let hint = self.did_you_mean(name, manifest.settings.iter().map(|s| s.name.as_str()));
            self.say(pointer, format!("There is no setting {name:?}."), hint);
        } else if setting.is_some_and(|setting| setting.subtype != Some(Subtype::Password)) {
            let message = format!("The setting {name:?} would show the secret: it is no password.");
            self.say(pointer, message, "Give the setting \"subtype\": \"password\".");
        }
    }

    fn verify(&mut self, verify: &Verify, at: &str) {
        match verify {
            Verify::Standard => {}
            Verify::Token { header } => self.header(Some(header), &format!("{at}/header")),
            Verify::Hmac { hash, header, prefix: _, encoding, signed, timestamp_header } => {
                self.header(Some(header), &format!("{at}/header"));
                self.header(timestamp_header.as_ref(), &format!("{at}/timestamp_header"));
                self.one_of(hash.as_ref(), &HASHES, &format!("{at}/hash"));
                self.one_of(encoding.as_ref(), &ENCODINGS, &format!("{at}/encoding"));
                self.signed(signed.as_deref().unwrap_or("{body}"), timestamp_header.is_some(), at);
            }
        }
    }

    fn header(&mut self, header: Option<&String>, pointer: &str) {
        self.headers(header.map(String::as_str).into_iter(), |_| pointer.to_owned());
    }

    fn one_of(&mut self, word: Option<&String>, words: &[&'static str], pointer: &str) {
        if let Some(word) = word.filter(|word| !words.contains(&word.as_str())) {
            let hint = self.did_you_mean(word, words.iter().copied());
            self.say(pointer, format!("{word:?} is none of {}.", words.join(", ")), hint);
        }
    }

    /// The signed text has the body. A time that is not signed proves nothing, and one that is signed needs its header.
    fn signed(&mut self, signed: &str, has_header: bool, at: &str) {
        let pointer = format!("{at}/signed");
        let holds_time = signed.contains("{timestamp}");
        if !signed.contains("{body}") {
            self.say(&pointer, "What is signed must hold the body.", "Write {body} where it stands.");
        }
        if signed.replace("{body}", "").replace("{timestamp}", "").contains(['{', '}']) {
            self.say(&pointer, "Only {body} and {timestamp} can stand here in braces.", "");
        }
        if holds_time && !has_header {
            let hint = "Name the header with the time in \"timestamp_header\".";
            self.say(&pointer, "The signed {timestamp} comes from nowhere.", hint);
        }
        if has_header && !holds_time {
            let message = "A time that is not signed proves nothing.";
            self.say(
                &format!("{at}/timestamp_header"),
                message,
                "Put {timestamp} into \"signed\" as the vendor does.",
            );
        }
    }
}

/// The form of a function's name, with `-`.
fn is_path(path: &str) -> bool {
    (1..=64).contains(&path.len())
        && path.starts_with(|c: char| c.is_ascii_lowercase())
        && path.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}
