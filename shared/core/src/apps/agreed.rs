//! What a linked app may do for an install whose admin agreed to another version. A build has one version of the app, so the
//! install runs that version's code. But it runs no function that its admin did not agree to, and no function gets more than
//! was agreed.

use cloud_apps_protocol::{
    Manifest,
    manifest::{Expand, Expansion},
};

/// The linked manifest without everything that the agreed one does not have. The fields of functions and the settings are
/// those of the linked one, because its code runs.
pub(super) fn of_both(built: &Manifest, agreed: &Manifest) -> Manifest {
    let mut both = built.clone();
    both.version.clone_from(&agreed.version);
    // The command is registered on the server under this name.
    both.namespace.clone_from(&agreed.namespace);
    both.commands.retain_mut(|command| {
        let Some(same) = agreed.command(command.function.as_str()) else { return false };
        command.expand = narrower(&command.expand, &same.expand);
        true
    });
    both.presets.retain(|preset| agreed.command(preset.function.as_str()).is_some());
    both.events.retain_mut(|event| {
        let same = agreed.events.iter().find(|same| same.name == event.name && same.kind == event.kind);
        let Some(same) = same else { return false };
        event.expand = narrower(&event.expand, &same.expand);
        true
    });
    both.webhooks.retain(|webhook| agreed.webhooks.iter().any(|same| same.path == webhook.path));
    both
}

/// Each object at the lower of the two levels. An object that only one of the two names is not expanded.
fn narrower(built: &Expansion, agreed: &Expansion) -> Expansion {
    let both = built.iter().filter_map(|(item, expand)| {
        let level = agreed.get(item)?.level.min(expand.level);
        Some((item.clone(), Expand { level, ..*expand }))
    });
    both.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn manifest(version: &str, more: Value) -> Manifest {
        let mut manifest = json!({"protocol": 2, "id": "hello", "version": version, "display_name": "Hello"});
        let more: serde_json::Map<String, Value> = serde_json::from_value(more).unwrap();
        manifest.as_object_mut().unwrap().extend(more);
        serde_json::from_value(manifest).unwrap()
    }

    #[test]
    fn an_older_agreement_gets_what_both_versions_have() {
        let agreed = manifest(
            "1.0.0",
            json!({"commands": [
                {"function": "greet", "expand": {"acting_user": "summary", "team": "all"}},
                {"function": "gone"},
            ], "events": [{"name": "welcome", "kind": "user_joined_channel", "function": "welcome"}]}),
        );
        let built = manifest(
            "1.1.0",
            json!({
                "namespace": "hi",
                "commands": [
                    {"function": "greet", "summary": "New.", "expand": {"acting_user": "all!", "team": "id", "channel": "all"}},
                    {"function": "wave"},
                ],
                "presets": [
                    {"name": "w", "label": "W", "function": "wave"},
                    {"name": "g", "label": "G", "function": "greet"},
                ],
                "events": [
                    {"name": "welcome", "kind": "user_joined_channel", "function": "welcome", "expand": {"user": "all"}},
                    {"name": "farewell", "kind": "user_left_channel", "function": "welcome"},
                ],
            }),
        );
        let expected = manifest(
            "1.0.0",
            json!({
                "commands": [{"function": "greet", "summary": "New.", "expand": {"acting_user": "summary!", "team": "id"}}],
                "presets": [{"name": "g", "label": "G", "function": "greet"}],
                "events": [{"name": "welcome", "kind": "user_joined_channel", "function": "welcome"}],
            }),
        );
        assert_eq!(of_both(&built, &agreed), expected);
        assert_eq!(of_both(&agreed, &agreed).commands.len(), 2);
    }
}
