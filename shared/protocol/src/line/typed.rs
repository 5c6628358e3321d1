//! Reads what people write for a value: a mention becomes an id, `tomorrow` a date, a permalink a post.

use super::{Grammar, dates, lexer::is_dash};
use crate::{
    ChannelId, Field, FieldType, SiteUrl, UserId,
    form::Subtype,
    text::{is_ignorable, without_ignorable},
    values::{Checker, few, quote},
};
use serde_json::Value;
use std::borrow::Cow;

/// Where a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// On a line, where everything is text.
    Typed,
    /// In `encoded`, a preset or a default, where values are JSON.
    Encoded,
}

impl Grammar<'_> {
    /// The checked value in its standard form. An empty text or list clears a field; then it is `null`.
    pub(super) fn meaning(
        &self,
        checker: &mut Checker,
        field: &Field,
        value: &Value,
        written: Written,
    ) -> Result<Value, String> {
        let seen;
        let value = match value {
            Value::String(text) => {
                seen = plain(field, text).into();
                &seen
            }
            other => other,
        };
        let empty = |value: &Value, written: Written| match value {
            // In JSON, an empty text is a value too. It is typed as "".
            Value::String(text) => {
                text.is_empty() && (field.r#type != FieldType::Json || written == Written::Typed)
            }
            Value::Array(items) => items.is_empty() && (field.multiple || field.r#type == FieldType::File),
            Value::Null => true,
            _ => false,
        };
        if empty(value, written) {
            return Ok(Value::Null);
        }
        let ids =
            matches!(field.r#type, FieldType::User | FieldType::Channel | FieldType::Post | FieldType::Team);
        let understood = match value {
            Value::String(text) if field.multiple && ids => {
                let each = text.split(',').map(|one| self.understood(field, one.trim(), written));
                // Between two mentions there may be other signs than a comma.
                let each = each.map(|one| match one? {
                    Value::Array(several) => Ok(several),
                    one => Ok(vec![one]),
                });
                Value::Array(each.collect::<Result<Vec<_>, String>>()?.concat())
            }
            Value::String(text) => self.understood(field, text, written)?,
            Value::Array(items) if field.multiple && field.r#type != FieldType::Json => {
                few(items)?;
                let understood = items.iter().map(|item| match item {
                    Value::String(text) => self.understood(field, &plain(field, text), written),
                    other => Ok(other.clone()),
                });
                understood.collect::<Result<_, _>>()?
            }
            other => other.clone(),
        };
        let value = checker.check(field, &understood).or_else(|why| match &understood {
            // What nobody sees may have come along with what was meant. It stays in a text where it does no harm.
            Value::String(text) if text.contains(is_ignorable) => {
                checker.check(field, &without_ignorable(text).as_ref().into())
            }
            _ => Err(why),
        })?;
        Ok(if empty(&value, Written::Encoded) { Value::Null } else { value })
    }

    /// The id of the user or channel that a word names. It means the one that the server found, whatever stands beside the name.
    fn named(&self, field: &Field, text: &str, sign: char) -> Result<Value, String> {
        let (text, user) = (text.trim(), sign == '@');
        let find = |name: &str| {
            longest(name, |name| {
                if user {
                    self.mentioned.users.get(name).map(|user| user.id.as_str())
                } else {
                    self.mentioned.channels.get(name).map(|channel| channel.id.as_str())
                }
            })
        };
        let mentions: Vec<String> =
            if text.contains(char::is_whitespace) { Vec::new() } else { names(text, sign).collect() };
        let found: Option<Vec<&str>> = match mentions.as_slice() {
            [] => find(&text.to_lowercase()).map(|id| vec![id]),
            names => names.iter().map(|name| find(name)).collect(),
        };
        let is_id = || if user { UserId::new(text).is_ok() } else { ChannelId::new(text).is_ok() };
        match found.as_deref() {
            Some([id]) => Ok((*id).into()),
            Some([_, ..]) if field.multiple => Ok(found.unwrap_or_default().into()),
            Some([_, ..]) => {
                let what = if user { "users" } else { "channels" };
                Err(format!("{} names several {what}; write one", quote(text)))
            }
            _ if text.is_empty() || is_id() => Ok(text.into()),
            _ if user => Err(format!("{} is nobody in this team; write @ and a user name", quote(text))),
            _ => Err(format!(
                "{} is no public channel of this team; write ~ and the channel's name as in its address",
                quote(text)
            )),
        }
    }

    fn understood(&self, field: &Field, text: &str, written: Written) -> Result<Value, String> {
        Ok(match field.r#type {
            FieldType::User => self.named(field, text, '@')?,
            FieldType::Channel => self.named(field, text, '~')?,
            FieldType::Post => match (permalink(text), self.site) {
                (Some(_), Some(site)) if !stands_on(site, text) => {
                    return Err(format!("{} is of another server; give a permalink of {site}", quote(text)));
                }
                (id, _) => id.unwrap_or(text).into(),
            },
            FieldType::Date | FieldType::Datetime => {
                dates::read(field.r#type, text, self.now, self.time_zone)
                    .map_or_else(|| text.into(), Value::from)
            }
            FieldType::Json if written == Written::Typed => serde_json::from_str(text).map_err(|error| {
                format!("{} is not JSON ({error}); put it in '…' where it has spaces", quote(text))
            })?,
            _ => text.into(),
        })
    }
}

/// A value as people see it. A text is kept as it was typed, and a select compares its options in this way itself.
fn plain<'t>(field: &Field, text: &'t str) -> Cow<'t, str> {
    match field.r#type {
        FieldType::Text if !matches!(field.subtype, Some(Subtype::Email | Subtype::Url)) => text.into(),
        FieldType::Select => text.into(),
        // Joiners may be in the texts of the JSON.
        FieldType::Json => text.trim_matches(is_ignorable).into(),
        _ => {
            let text = without_ignorable(text);
            // Phones and word processors write other dashes for a minus.
            match text.chars().next().filter(|first| is_dash(*first) && *first != '-') {
                Some(first) => format!("-{}", text.get(first.len_utf8()..).unwrap_or_default()).into(),
                None => text,
            }
        }
    }
}

/// The names after a sign, `bob-` in `(@bob-)`, as a Mattermost server finds them: the sign does not follow a letter or a digit.
fn names(text: &str, sign: char) -> impl Iterator<Item = String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(sign).filter_map(move |(at, _)| {
        let (before, after) = (text.get(..at)?, text.get(at + sign.len_utf8()..)?);
        let length = after.find(|c: char| !word(c) && !".-:".contains(c)).unwrap_or(after.len());
        let name = after.get(..length).filter(|name| !name.is_empty())?;
        (!before.ends_with(word)).then(|| name.to_ascii_lowercase())
    })
}

/// What a name means that may have the signs of a sentence after it. Names may end with such signs too, so the longest counts.
fn longest<T>(name: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    std::iter::successors(Some(name), |name| name.strip_suffix([',', ';', ':', '!', '?', '.', '-', '_']))
        .find_map(find)
}

/// The post's id at the end of `https://chat.example.com/team/pl/<id>`.
fn permalink(text: &str) -> Option<&str> {
    let text = text.trim_matches(['<', '>']);
    let (_, id) = text.split_once("://")?.1.rsplit_once("/pl/")?;
    Some(id.split(['?', '#', '/']).next().unwrap_or(id))
}

/// Whether a link leads to this server, however its scheme and host are written.
fn stands_on(site: &SiteUrl, link: &str) -> bool {
    let link = url::Url::parse(link.trim_matches(['<', '>'])).ok();
    let below = link.as_ref().and_then(|link| link.as_str().strip_prefix(site.as_str()));
    below.is_some_and(|path| path.starts_with('/'))
}
