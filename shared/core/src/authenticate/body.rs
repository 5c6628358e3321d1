//! A credential that stands in a body. Anybody may send such a body, so only what carries the credential is read and
//! everything else is skipped: what a stranger's request costs is a small multiple of its size, whatever its form.
//!
//! A key that stands there twice has two readings. It is refused, so that what is verified is what is used.

use crate::http::Refusal;
use cloud_apps_protocol::{json::is_object, seal::SealKind};
use serde::Deserialize;
use std::borrow::Cow;

/// The part of a JSON object that `T` names. A body that has no such part holds no credential.
pub(crate) fn json<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Refusal> {
    if !is_object(body) {
        return Err(Refusal::unauthorized());
    }
    serde_json::from_slice(body).map_err(|_| Refusal::unauthorized())
}

/// The values of these keys of a form, in their order; empty where a key is absent.
pub(crate) fn form<'b, const N: usize>(
    body: &'b [u8],
    keys: [&str; N],
) -> Result<[Cow<'b, str>; N], Refusal> {
    let mut values = [const { None }; N];
    for (key, value) in form_urlencoded::parse(body) {
        let place = keys.iter().zip(&mut values).find(|(name, _)| **name == key);
        if place.is_some_and(|(_, place)| place.replace(value).is_some()) {
            return Err(Refusal::unauthorized());
        }
    }
    Ok(values.map(Option::unwrap_or_default))
}

/// The seal in what Mattermost sends for a click (`context.seal`) or for a dialog (`state`).
pub(crate) fn seal(body: &[u8], kind: SealKind) -> Result<Cow<'_, str>, Refusal> {
    #[derive(Deserialize)]
    struct Click<'b> {
        #[serde(borrow)]
        context: Context<'b>,
    }
    #[derive(Deserialize)]
    struct Context<'b> {
        #[serde(borrow)]
        seal: Cow<'b, str>,
    }
    #[derive(Deserialize)]
    struct Dialog<'b> {
        #[serde(borrow)]
        state: Cow<'b, str>,
    }
    match kind {
        SealKind::Action => json::<Click<'_>>(body).map(|click| click.context.seal),
        SealKind::Dialog => json::<Dialog<'_>>(body).map(|dialog| dialog.state),
        SealKind::Link | SealKind::Reply => Err(Refusal::unauthorized()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloud_apps_protocol::Code;

    #[test]
    fn a_seal_is_found_in_its_place_and_nowhere_else() {
        let click = |body: &str| seal(body.as_bytes(), SealKind::Action).ok().map(Cow::into_owned);
        assert_eq!(click(r#" {"a":[[{}]],"context":{"b":1,"seal":"s1.x"}}"#).as_deref(), Some("s1.x"));
        assert_eq!(click(r#"{"context":{"seal":"s1\u002ex"}}"#).as_deref(), Some("s1.x"));
        for body in [
            "",
            "[]",
            r#"[{"seal":"s1.x"}]"#,
            r#"{"context":{"seal":7}}"#,
            r#"{"context":{"seal":"a","seal":"b"}}"#,
            r#"{"context":{"seal":"a"},"context":{"seal":"a"}}"#,
            r#"{"state":"s1.x"}"#,
            r#"{"context":{"seal":"a"}} x"#,
        ] {
            assert_eq!(click(body), None, "{body}");
        }
    }

    #[test]
    fn a_form_key_that_stands_there_twice_is_refused() {
        let read = |body: &'static str| form(body.as_bytes(), ["token", "team_id"]);
        assert_eq!(read("x=1&token=a%20b&x=2").unwrap(), ["a b", ""]);
        assert_eq!(read("token=a&token=a").unwrap_err().code, Code::Unauthorized);
        assert_eq!(read("token=a&%74oken=b").unwrap_err().code, Code::Unauthorized);
    }
}
