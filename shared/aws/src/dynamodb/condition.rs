//! Conditions of writes.

use super::item::s;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

/// A condition with its names and values.
#[derive(Default, Clone)]
pub(super) struct Condition {
    pub expression: String,
    names: HashMap<String, String>,
    pub values: HashMap<String, AttributeValue>,
}

impl Condition {
    /// An expression with its values (`:name`).
    pub fn new<const N: usize>(expression: &str, values: [(&str, AttributeValue); N]) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { expression: expression.to_owned(), names: HashMap::new(), values }
    }

    /// Lets the expression name these attributes with a `#`, because their names are reserved words.
    #[must_use]
    pub fn with_names<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.names.extend(names.map(|name| (format!("#{name}"), name.to_owned())));
        self
    }

    /// There is no item with this key.
    pub fn absent() -> Self {
        Self::new("attribute_not_exists(pk)", [])
    }

    /// Adds that an attribute has this text, or that it is absent.
    #[must_use]
    pub fn and_text(mut self, attribute: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => {
                self.expression = format!("{} AND {attribute} = :{attribute}", self.expression);
                self.values.insert(format!(":{attribute}"), s(text));
            }
            None => self.expression = format!("{} AND attribute_not_exists({attribute})", self.expression),
        }
        self
    }

    pub fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    pub fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }
}

/// Sets a [`Condition`] on a builder of the SDK. Each kind of write has its own builder, with the same methods.
macro_rules! on_condition {
    ($builder:expr, $condition:expr) => {
        $builder
            .condition_expression(&$condition.expression)
            .set_expression_attribute_names($condition.names())
            .set_expression_attribute_values($condition.values())
    };
}

pub(super) use on_condition;
