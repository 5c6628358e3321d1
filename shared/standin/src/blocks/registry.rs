//! The registry of a post, `props.mm_blocks_actions`: what each action does.

use super::references::referenced;
use crate::go;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::Url;

/// The prop that has the registry.
pub(crate) const ACTIONS: &str = "mm_blocks_actions";

/// The most entries of a registry, of a query, and of a context.
const MOST: usize = 50;
/// The longest id of an action.
const LONGEST_ID: usize = 64;
/// The longest key of a query or of a context.
const LONGEST_KEY: usize = 128;
/// The longest value of a query.
const LONGEST_VALUE: usize = 2_048;

/// What a click on an action does.
#[derive(Debug, PartialEq)]
pub(crate) enum Target {
    /// The server calls an integration.
    External { url: String, context: Map<String, Value> },
    /// The client opens an address.
    OpenUrl(String),
}

/// Why an action cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// There is no such action.
    Unknown,
    /// Its address is none.
    Address,
}

/// What an action of a registry does. The query of the entry replaces keys of the address, and the query of the client
/// those of both; an address to open does not get the client's: `ResolveMmBlocksAction`.
pub(crate) fn resolve(
    registry: &Value,
    action_id: &str,
    client: &BTreeMap<String, String>,
) -> Result<Target, Unusable> {
    let entry = registry.get(action_id).and_then(Value::as_object).ok_or(Unusable::Unknown)?;
    let url = string(entry, "url");
    if url.is_empty() {
        return Err(Unusable::Unknown);
    }
    let own = entry.get("query").and_then(Value::as_object).into_iter().flatten();
    let own = own.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
    let url = with_query(url, &own)?;
    match string(entry, "type") {
        "external" => {
            Ok(Target::External { url: with_query(&url, client)?, context: context(entry.get("context")) })
        }
        "openURL" => Ok(Target::OpenUrl(url)),
        _ => Err(Unusable::Unknown),
    }
}

fn string<'a>(entry: &'a Map<String, Value>, key: &str) -> &'a str {
    entry.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A context is an object, or a text with one, or any other text.
fn context(context: Option<&Value>) -> Map<String, Value> {
    match context {
        Some(Value::Object(context)) => context.clone(),
        Some(Value::String(text)) if !text.is_empty() => serde_json::from_str(text)
            .unwrap_or_else(|_| Map::from_iter([("context".to_owned(), text.as_str().into())])),
        _ => Map::new(),
    }
}

/// An address in whose query the pairs replace those with the same key: `MergeQueryIntoURL`. The query is then sorted.
fn with_query(url: &str, pairs: &BTreeMap<String, String>) -> Result<String, Unusable> {
    if pairs.is_empty() {
        return Ok(url.to_owned());
    }
    if !url.starts_with('/') && !url.starts_with("plugins/") {
        Url::parse(url).map_err(|_| Unusable::Address)?;
    }
    let (rest, fragment) = url.split_once('#').map_or((url, None), |(rest, part)| (rest, Some(part)));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let old: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let kept = old.iter().filter(|(key, _)| !pairs.contains_key(key));
    let all = kept.map(|(key, value)| (key.as_str(), value.as_str()));
    let all = all.chain(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let fragment = fragment.map(|part| format!("#{part}")).unwrap_or_default();
    Ok(format!("{path}?{}{fragment}", go::form(all.collect())))
}

/// Whether a client may send this query with a click.
pub(crate) fn check_query(query: &BTreeMap<String, String>) -> bool {
    let fits = |(key, value): (&String, &String)| key.len() <= LONGEST_KEY && value.len() <= LONGEST_VALUE;
    query.len() <= MOST && query.iter().all(fits)
}

/// Holds the registry of a post to its rules: its form, an entry for each id that the content names, and no other entry:
/// `ValidateMmBlocksActions`. The server refuses a webhook's post by it; for other posts it only writes a log.
///
/// # Errors
/// The first rule that is broken, in the server's words.
pub(crate) fn check(props: &Map<String, Value>, message: &str) -> Result<(), String> {
    let none = Map::new();
    let registry = match props.get(ACTIONS) {
        None | Some(Value::Null) => &none,
        Some(Value::Object(registry)) => registry,
        Some(_) => return Err(format!("{ACTIONS} must be a map")),
    };
    if registry.len() > MOST {
        return Err(format!("{ACTIONS} exceeds maximum of {MOST} entries"));
    }
    for (id, entry) in registry {
        if id.len() > LONGEST_ID {
            return Err(format!("{ACTIONS} key exceeds {LONGEST_ID} chars"));
        }
        if !is_action_id(id) || !is_entry(entry) {
            return Err(format!("{ACTIONS} entry \"{id}\" has invalid type or shape"));
        }
    }
    let named = referenced(props, message);
    if let Some(id) = named.iter().find(|id| !registry.contains_key(*id)) {
        return Err(format!("missing entry for action_id {id}"));
    }
    match registry.keys().find(|id| !named.contains(*id)) {
        Some(id) => Err(format!("entry \"{id}\" is not referenced by interactive content")),
        None => Ok(()),
    }
}

fn is_action_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn is_entry(entry: &Value) -> bool {
    let Some(entry) = entry.as_object() else { return false };
    let query = match entry.get("query") {
        None | Some(Value::Null) => true,
        Some(Value::Object(query)) => {
            query.len() <= MOST
                && query.iter().all(|(key, value)| {
                    key.len() <= LONGEST_KEY && value.as_str().is_some_and(|text| text.len() <= LONGEST_VALUE)
                })
        }
        Some(_) => false,
    };
    let context = match entry.get("context") {
        None | Some(Value::Null | Value::String(_)) => true,
        Some(Value::Object(context)) => {
            context.len() <= MOST && context.keys().all(|key| key.len() <= LONGEST_KEY)
        }
        Some(_) => false,
    };
    let url = string(entry, "url");
    let web = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let straight = !url.split(['/', '?', '#']).any(|part| part == "..");
    let right = match string(entry, "type") {
        "external" => web || ((url.starts_with("/plugins/") || url.starts_with("plugins/")) && straight),
        "openURL" => {
            let path = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/plugins/");
            (web || (path && straight)) && entry.get("context").is_none_or(Value::is_null)
        }
        _ => false,
    };
    query && context && right
}

/// Removes the entries that the content of a post no longer names, as every update does: so a button that is gone cannot
/// be clicked.
pub(crate) fn prune(props: &mut Map<String, Value>, message: &str) {
    let named = referenced(props, message);
    let Some(registry) = props.get_mut(ACTIONS).and_then(Value::as_object_mut) else { return };
    registry.retain(|id, _| named.contains(id));
    if registry.is_empty() {
        props.remove(ACTIONS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const URL: &str = "https://app.test/do";

    fn checked(props: &Value, message: &str) -> Result<(), String> {
        check(props.as_object().unwrap(), message)
    }

    /// Whether an entry is right, with a button that names it.
    fn entry(entry: &Value) -> bool {
        let button = json!([{"type": "button", "text": "Go", "action_id": "go"}]);
        checked(&json!({"mm_blocks": button, "mm_blocks_actions": {"go": entry}}), "").is_ok()
    }

    #[test]
    fn an_entry_calls_an_integration_or_opens_an_address() {
        for right in [
            json!({"type": "external", "url": URL}),
            json!({"type": "external", "url": "/plugins/a/b", "context": "text"}),
            json!({"type": "external", "url": "plugins/a", "context": {"a": {"b": [1]}}, "query": {"k": "v"}}),
            json!({"type": "openURL", "url": "/eng/channels/town-square"}),
            json!({"type": "openURL", "url": URL, "query": {}}),
        ] {
            assert!(entry(&right), "{right}");
        }
        for wrong in [
            json!(1),
            json!({"url": URL}),
            json!({"type": "dialog", "url": URL}),
            json!({"type": "external"}),
            json!({"type": "external", "url": "/a"}),
            json!({"type": "external", "url": "/plugins/../a"}),
            json!({"type": "external", "url": "ftp://a.test"}),
            json!({"type": "external", "url": URL, "query": {"k": 1}}),
            json!({"type": "external", "url": URL, "query": {"k": "v".repeat(2_049)}}),
            json!({"type": "external", "url": URL, "context": [1]}),
            json!({"type": "external", "url": URL, "context": {"k".repeat(129): 1}}),
            json!({"type": "openURL", "url": "//a.test"}),
            json!({"type": "openURL", "url": "/plugins/a"}),
            json!({"type": "openURL", "url": "/a/../b"}),
            json!({"type": "openURL", "url": URL, "context": {}}),
        ] {
            assert!(!entry(&wrong), "{wrong}");
        }
    }

    #[test]
    fn each_named_action_has_an_entry_and_each_entry_is_named() {
        let go = json!({"go": {"type": "external", "url": URL}});
        for named in [
            json!({"mm_blocks": [{"type": "container", "content": [{"type": "button", "action_id": "go"}]}]}),
            json!({"mm_blocks": [{"type": "column_set", "columns": [
                {"type": "column", "items": [{"type": "static_select", "action_id": "go"}]}]}]}),
            json!({"mm_blocks": [{"type": "collapsible", "header": [{"type": "text", "text": "[x](mmaction://go)"}]}]}),
            json!({"blocks": [{"type": "actions", "elements": [{"type": "button", "action_id": "go"}]}]}),
            json!({"blocks": [{"type": "section", "accessory": {"type": "button", "action_id": "go"}}]}),
            json!({"cards": [{"body": [{"type": "ActionSet", "actions": [{"type": "Action.Submit", "id": "go"}]}]}]}),
        ] {
            assert_eq!(checked(&named, ""), Err("missing entry for action_id go".to_owned()), "{named}");
            let mut paired = named.clone();
            paired["mm_blocks_actions"] = go.clone();
            assert_eq!(checked(&paired, ""), Ok(()), "{named}");
        }
        let only = json!({"mm_blocks_actions": go});
        let unused = "entry \"go\" is not referenced by interactive content";
        assert_eq!(checked(&only, "`[x](mmaction://go)`"), Err(unused.to_owned()));
        assert_eq!(checked(&only, "[x](mmaction://go?a=1)"), Ok(()));
        let off = json!([{"type": "button", "action_id": "go", "disabled": true}]);
        assert_eq!(checked(&json!({"mm_blocks": off}), ""), Ok(()));
    }

    #[test]
    fn a_registry_has_its_limits() {
        let must = |props: Value, text: &str| {
            let error = checked(&props, "").unwrap_err();
            assert!(error.contains(text), "{error}");
        };
        must(json!({"mm_blocks_actions": [1]}), "must be a map");
        let many: Map<String, Value> =
            (0..51).map(|at| (format!("a{at}"), json!({"type": "external", "url": URL}))).collect();
        must(json!({"mm_blocks_actions": many}), "exceeds maximum of 50 entries");
        let named = |id: String| json!({"mm_blocks_actions": {id: {"type": "external", "url": URL}}});
        must(named("a".repeat(65)), "key exceeds 64 chars");
        must(named("a b".to_owned()), "has invalid type or shape");
    }

    #[test]
    fn the_query_of_the_client_wins_and_reaches_only_the_address_of_an_integration() {
        let registry = json!({
            "go": {"type": "external", "url": "https://app.test/do?v=0&keep=yes", "query": {"v": "1", "w": "1"},
                   "context": "{\"a\":1}"},
            "open": {"type": "openURL", "url": "https://ci.test/42", "query": {"tab": "log"}},
            "text": {"type": "external", "url": URL, "context": "plain"},
            "bad": {"type": "external", "url": "://bad", "query": {"a": "b"}},
            "none": {"type": "dialog", "url": URL},
        });
        let client = BTreeMap::from([("v".to_owned(), "2 3".to_owned())]);
        let external = |url: &str, context: Value| {
            Ok(Target::External { url: url.to_owned(), context: context.as_object().unwrap().clone() })
        };
        assert_eq!(
            resolve(&registry, "go", &client),
            external("https://app.test/do?keep=yes&v=2+3&w=1", json!({"a": 1}))
        );
        assert_eq!(
            resolve(&registry, "open", &client),
            Ok(Target::OpenUrl("https://ci.test/42?tab=log".to_owned()))
        );
        assert_eq!(resolve(&registry, "text", &BTreeMap::new()), external(URL, json!({"context": "plain"})));
        assert_eq!(resolve(&registry, "bad", &client), Err(Unusable::Address));
        for unknown in ["none", "nothing", ""] {
            assert_eq!(resolve(&registry, unknown, &client), Err(Unusable::Unknown));
        }
    }

    #[test]
    fn what_is_not_named_is_pruned() {
        let actions =
            json!({"go": {"type": "external", "url": URL}, "old": {"type": "external", "url": URL}});
        let mut props = json!({"mm_blocks_actions": actions}).as_object().unwrap().clone();
        prune(&mut props, "[x](mmaction://go)");
        assert_eq!(props[ACTIONS].as_object().unwrap().keys().collect::<Vec<_>>(), ["go"]);
        prune(&mut props, "");
        assert!(props.is_empty());
    }

    proptest! {
        #[test]
        fn any_text_in_a_registry_is_read_without_a_panic(url in ".{0,40}", key in ".{0,8}", text in ".{0,40}") {
            let actions = json!({&key: {"type": "external", "url": url, "query": {&key: &text}, "context": text}});
            let props = json!({"mm_blocks": [{"type": "text", "text": text}], "mm_blocks_actions": actions});
            let mut props = props.as_object().unwrap().clone();
            let _ = check(&props, &text);
            let _ = resolve(&actions, &key, &BTreeMap::from([(key.clone(), text.clone())]));
            prune(&mut props, &text);
        }
    }
}
