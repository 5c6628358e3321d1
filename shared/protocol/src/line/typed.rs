//! Reads what people write for a value: a mention becomes an id, `tomorrow` a date, a permalink a post.

use super::{Grammar, dates};
use crate::{
    ChannelId, Field, FieldType, SiteUrl, UserId,
    values::{Checker, few, quote},
};
use serde_json::Value;

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
            Value::String(text) if field.multiple && ids => text
                .split(',')
                .map(|one| self.understood(field, one.trim(), written))
                .collect::<Result<_, _>>()?,
            Value::String(text) => self.understood(field, text, written)?,
            Value::Array(items) if field.multiple && field.r#type != FieldType::Json => {
                few(items)?;
                let understood = items.iter().map(|item| match item {
                    Value::String(text) => self.understood(field, text, written),
                    other => Ok(other.clone()),
                });
                understood.collect::<Result<_, _>>()?
            }
            other => other.clone(),
        };
        let value = checker.check(field, &understood)?;
        Ok(if empty(&value, Written::Encoded) { Value::Null } else { value })
    }

    fn understood(&self, field: &Field, text: &str, written: Written) -> Result<Value, String> {
        let mentioned = self.mentioned;
        Ok(match field.r#type {
            FieldType::User => {
                let id = mention(text, '@', |name| mentioned.users.get(name).map(|user| user.id.as_str()));
                match id {
                    Some(id) => id.into(),
                    None if text.is_empty() || UserId::new(text).is_ok() => text.into(),
                    None => {
                        return Err(format!(
                            "{} is nobody in this team; write @ and a user name",
                            quote(text)
                        ));
                    }
                }
            }
            FieldType::Channel => {
                let id = mention(text, '~', |name| {
                    mentioned.channels.get(name).map(|channel| channel.id.as_str())
                });
                match id {
                    Some(id) => id.into(),
                    None if text.is_empty() || ChannelId::new(text).is_ok() => text.into(),
                    None => {
                        return Err(format!(
                            "{} is no public channel of this team; write ~ and the channel's name as in its address",
                            quote(text)
                        ));
                    }
                }
            }
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

/// The id for a name, which may be part of a sentence, such as `@bob,`. Names are in lower case.
fn mention<'m>(text: &str, sign: char, find: impl Fn(&str) -> Option<&'m str>) -> Option<&'m str> {
    let name = text.strip_prefix(sign).unwrap_or(text).to_lowercase();
    find(&name).or_else(|| find(name.trim_end_matches([',', ';', ':', '!', '?', '.'])))
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
