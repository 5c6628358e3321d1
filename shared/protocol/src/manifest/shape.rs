//! The keys and types of a manifest as a table.

use super::{AccountUse, AccountsType, Expand, Permission};
use crate::{
    AppId, FieldType, FunctionName, Namespace,
    form::{SelectStyle, Subtype},
    shape::{
        ENTRIES, Key,
        Shape::{self, Any, List, Object, One, Tagged},
        Variant::{self, Keys},
        leaf, may, must,
    },
};

/// How many texts can be translated into one language.
const TRANSLATIONS: usize = 10_000;

static TEXT: Shape = leaf::<String>("\"\"");
static TEXTS: Shape = List(&TEXT);
static FLAG: Shape = leaf::<bool>("false");
static COUNT: Shape = leaf::<u32>("0");
static NAME: Shape = leaf::<FunctionName>("\"x\"");
static EXPAND: Shape = Shape::Map(ENTRIES, &leaf::<Expand>("\"id\""));
static FIELDS: Shape = List(&Object(FIELD));

pub(super) static MANIFEST: Shape = Object(&[
    may("$schema", &TEXT),
    must("protocol", &COUNT),
    must("id", &leaf::<AppId>("\"xx\"")),
    must("version", &TEXT),
    must("display_name", &TEXT),
    may("description", &TEXT),
    may("homepage_url", &TEXT),
    may("icon", &TEXT),
    may("namespace", &leaf::<Namespace>("\"xx\"")),
    may("bot", &Object(&[must("username", &TEXT), may("display_name", &TEXT)])),
    may("permissions", &List(&leaf::<Permission>("\"act_as_bot\""))),
    may("locations", &TEXTS),
    may("upstream", &Tagged("type", UPSTREAM)),
    may("accounts", &Object(ACCOUNTS)),
    may("settings", &FIELDS),
    may("commands", &List(&Object(COMMAND))),
    may("presets", &List(&Object(PRESET))),
    may("events", &List(&Object(EVENT))),
    may("webhooks", &List(&Object(WEBHOOK))),
    may("lifecycle", &Object(LIFECYCLE)),
    may("translations", &Shape::Map(ENTRIES, &Shape::Map(TRANSLATIONS, &TEXT))),
]);

const UPSTREAM: &[(&str, Variant)] = &[
    ("linked", Keys(&[])),
    ("http", Keys(&[must("url", &TEXT)])),
    ("aws_lambda", Keys(&[must("function", &TEXT)])),
];

const ACCOUNTS: &[Key] = &[
    must("type", &leaf::<AccountsType>("\"oauth2\"")),
    may("authorize_url", &TEXT),
    may("token_url", &TEXT),
    may("revoke_url", &TEXT),
    may("scopes", &TEXTS),
];

const FIELD: &[Key] = &[
    must("name", &NAME),
    must("type", &leaf::<FieldType>("\"text\"")),
    may("subtype", &leaf::<Subtype>("\"line\"")),
    may("label", &TEXT),
    may("description", &TEXT),
    may("hint", &TEXT),
    may("default", &Any),
    may("required", &FLAG),
    may("positional", &FLAG),
    may("min", &Any),
    may("max", &Any),
    may("max_length", &COUNT),
    may("pattern", &TEXT),
    may("refresh", &FLAG),
    may("options", &List(&Object(OPTION))),
    may("lookup", &FLAG),
    may("multiple", &FLAG),
    may("style", &leaf::<SelectStyle>("\"menu\"")),
];

const OPTION: &[Key] = &[must("value", &TEXT), may("label", &TEXT), may("description", &TEXT)];

const COMMAND: &[Key] = &[
    must("function", &NAME),
    may("summary", &TEXT),
    may("description", &TEXT),
    may("fields", &FIELDS),
    may("expand", &EXPAND),
    may("locations", &TEXTS),
    may("safe", &FLAG),
    may("deferred", &FLAG),
    may("confirm", &FLAG),
    may("post_as_user", &FLAG),
    may("account", &leaf::<AccountUse>("\"optional\"")),
];

const PRESET: &[Key] = &[
    must("name", &NAME),
    must("label", &TEXT),
    must("function", &NAME),
    may("values", &Shape::Map(ENTRIES, &Any)),
    may("locations", &TEXTS),
];

const EVENT: &[Key] = &[
    must("name", &NAME),
    must("kind", &TEXT),
    must("function", &NAME),
    may("expand", &EXPAND),
    may("user_id", &TEXT),
    may("channel_id", &TEXT),
    may("team_id", &TEXT),
    may("trigger_words", &TEXTS),
    may("required", &FLAG),
];

const WEBHOOK: &[Key] = &[
    must("path", &TEXT),
    must("function", &NAME),
    must("verify", &Tagged("scheme", VERIFY)),
    may("id_header", &TEXT),
    may("challenge", &One(CHALLENGE)),
    may("headers", &TEXTS),
    may("secret_setting", &NAME),
];

const CHALLENGE: &[Key] = &[may("json", &TEXT), may("query", &TEXT)];

const VERIFY: &[(&str, Variant)] = &[
    ("standard", Keys(&[])),
    (
        "hmac",
        Keys(&[
            may("hash", &TEXT),
            must("header", &TEXT),
            may("prefix", &TEXT),
            may("encoding", &TEXT),
            may("signed", &TEXT),
            may("timestamp_header", &TEXT),
        ]),
    ),
    ("token", Keys(&[must("header", &TEXT)])),
];

const LIFECYCLE: &[Key] =
    &[may("install", &NAME), may("uninstall", &NAME), may("configure", &NAME), may("upgrade", &NAME)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{sample, schema::assert_agrees};

    #[test]
    fn the_checker_and_the_json_schema_agree_on_every_key() {
        let schema = crate::manifest::schema();
        let compared = assert_agrees(&MANIFEST, &schema, &schema);
        assert!(compared > 80, "only {compared} keys were compared");
    }

    #[test]
    fn whatever_is_repaired_has_the_shape_of_a_manifest() {
        let manifest: super::super::Manifest = serde_json::from_value(sample(&MANIFEST)).unwrap();
        assert_eq!(manifest.id.as_str(), "xx");
    }
}
