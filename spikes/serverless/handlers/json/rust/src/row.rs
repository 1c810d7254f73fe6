//! A row event: the rules that refuse it, and what becomes of it otherwise.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The fields to be validated stay JSON values: one of a wrong type refuses its row, no other.
#[derive(Deserialize)]
pub struct Row {
    database: String,
    table: String,
    #[serde(rename = "type", default)]
    operation: Value,
    #[serde(default)]
    data: Data,
    #[serde(default)]
    old: BTreeMap<String, IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    name: Value,
    #[serde(default)]
    email: Value,
    #[serde(default)]
    amount: Value,
}

#[derive(Debug, PartialEq, Serialize)]
pub struct Change {
    key: String,
    operation: String,
    name: String,
    pub amount_cents: i64,
    changed: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    Type,
    Id,
    Name,
    Email,
    Amount,
}

impl Row {
    /// Return what the row becomes, or the first reason why it is refused.
    pub fn accept(self) -> Result<Change, Reason> {
        let operation = operation(&self.operation).ok_or(Reason::Type)?;
        let id = self.data.id.as_u64().filter(|id| *id > 0);
        let id = id.ok_or(Reason::Id)?;
        let name = name(&self.data.name).ok_or(Reason::Name)?;
        email(&self.data.email).ok_or(Reason::Email)?;
        let amount_cents = cents(&self.data.amount).ok_or(Reason::Amount)?;
        Ok(Change {
            key: format!("{}.{}/{}", self.database, self.table, id),
            operation: operation.to_owned(),
            name: name.to_owned(),
            amount_cents,
            changed: self.old.into_keys().collect(),
        })
    }
}

fn operation(value: &Value) -> Option<&str> {
    value
        .as_str()
        .filter(|text| ["insert", "update", "delete"].contains(text))
}

fn name(value: &Value) -> Option<&str> {
    let text = value.as_str().filter(|text| text.chars().count() <= 100)?;
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn email(value: &Value) -> Option<&str> {
    let text = value.as_str()?;
    let (before, after) = text.split_once('@')?;
    (!before.is_empty() && !after.is_empty() && !after.contains('@')).then_some(text)
}

fn cents(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(places) || whole.len() > 15 || places.len() > 2 {
        return None;
    }
    format!("{whole}{places:0<2}").parse().ok()
}
