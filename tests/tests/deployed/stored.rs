//! What is stored: a hash of each secret that is only verified, a sealed copy of each secret that is sent, and nothing of
//! what both sides can compute.

use crate::{Outcome, Stage, test};
use aws_sdk_dynamodb::types::AttributeValue;
use cloud_apps_core::store::model::Sha256;
use libtest_mimic::Trial;
use serde_json::Value;
use stack_tests::{canary, variable};
use std::{collections::BTreeMap, error::Error, fmt::Write, sync::Arc};

pub fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![
        test(stage, "the table of installs holds one of each thing that exists", installs),
        test(stage, "tokens are stored as hashes and the bot's token as a seal", hashes),
        test(stage, "every app has one key ring, and nothing else is a secret of the stack", rings),
        test(stage, "no secret of this whole run stands in clear in any table", nothing_in_clear),
    ]
}

/// All items of a table, with the values of attributes as text.
pub async fn items(stage: &Stage, output: &str) -> Result<Vec<BTreeMap<String, String>>, Box<dyn Error>> {
    let tables = aws_sdk_dynamodb::Client::new(&stage.stack.sdk().await);
    let mut pages =
        tables.scan().table_name(stage.stack.output(output)).consistent_read(true).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let text = |value: AttributeValue| match value {
            AttributeValue::S(text) | AttributeValue::N(text) => text,
            other => format!("{other:?}"),
        };
        let items = page?.items.unwrap_or_default();
        found.extend(items.into_iter().map(|i| i.into_iter().map(|(name, v)| (name, text(v))).collect()));
    }
    Ok(found)
}

async fn secrets(stage: &Stage) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let secrets = aws_sdk_secretsmanager::Client::new(&stage.stack.sdk().await);
    let mut found = BTreeMap::new();
    for secret in secrets.list_secrets().send().await?.secret_list.unwrap_or_default() {
        let name = secret.name.ok_or("a secret without a name")?;
        let value = secrets.get_secret_value().secret_id(&name).send().await?.secret_string;
        found.insert(name, value.ok_or("a secret of bytes")?);
    }
    Ok(found)
}

async fn installs(stage: Arc<Stage>) -> Outcome {
    let mut kinds = BTreeMap::new();
    for item in items(&stage, "InstallsTableName").await? {
        let kind = item["sk"].split('#').next().unwrap_or_default().to_owned();
        assert_eq!(item["v"], "1", "{kind}");
        *kinds.entry(kind).or_insert(0) += 1;
    }
    // There are two installs and the manifest that both agreed to. One install has two teams, the other a static token.
    let expected = [("APPS", 1), ("INSTALL", 2), ("MANIFEST", 1), ("SITE", 2), ("TEAM", 3), ("TOKEN", 1)];
    assert_eq!(kinds, expected.map(|(kind, n)| (kind.to_owned(), n)).into());
    assert!(items(&stage, "DataTableName").await?.is_empty());
    Ok(())
}

async fn hashes(stage: Arc<Stage>) -> Outcome {
    let items = items(&stage, "InstallsTableName").await?;
    let documents = |kind: &str, install: &str| -> String {
        let of = |item: &&BTreeMap<String, String>| {
            item["pk"] == format!("INSTALL#{install}") && item["sk"].starts_with(kind)
        };
        items.iter().filter(of).map(|item| item["document"].as_str()).collect()
    };
    for server in [&stage.today, &stage.old] {
        let install = &server.install;
        let teams = documents("TEAM#", &install.id);
        for token in install.slash_tokens.values() {
            assert!(teams.contains(Sha256::of(token).as_str()), "the hash of a slash token is missing");
        }
        let document: Value = serde_json::from_str(&documents("INSTALL", &install.id))?;
        let sealed = document.to_string();
        assert!(sealed.contains("bot_token"), "the bot's token is not there");
        assert!(!sealed.contains(&install.bot_token), "the bot's token is there in clear");
    }
    let token = stage.old.install.static_token.as_deref().ok_or("no static token")?;
    let key = format!("TOKEN#{}", Sha256::of(token).as_str());
    assert!(items.iter().any(|item| item["pk"] == key && item["install"] == stage.old.install.id));
    Ok(())
}

async fn rings(stage: Arc<Stage>) -> Outcome {
    let found = secrets(&stage).await?;
    // The key ring of a removed app stays, because posts can still hold what was sealed with it.
    let apps = ["elsewhere", "greeter", "hello"];
    let names = apps.map(|app| format!("{}/app/{app}/keys", stage.stack.name()));
    assert_eq!(found.keys().collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
    for (app, name) in apps.into_iter().zip(&names) {
        let ring: Value = serde_json::from_str(&found[name])?;
        assert_eq!((&ring["v"], &ring["app"]), (&1.into(), &app.into()));
        for key in ring["keys"].as_array().ok_or("no keys")? {
            canary(key["root"].as_str().ok_or("no root")?)?;
        }
    }
    Ok(())
}

async fn nothing_in_clear(stage: Arc<Stage>) -> Outcome {
    let mut stored = String::new();
    for table in ["InstallsTableName", "DataTableName", "LedgerTableName"] {
        for item in items(&stage, table).await? {
            for (name, value) in item {
                writeln!(stored, "{name} {value}")?;
            }
        }
    }
    assert!(stored.contains("JTI#") && stored.contains("CODE#"), "the ledger was not read");
    let known = std::fs::read_to_string(variable("CLOUD_APPS_CANARY_FILE")?)?;
    let known: Vec<&str> = known.lines().filter(|secret| secret.len() >= 8).collect();
    assert!(known.contains(&stage.today.install.bot_token.as_str()), "the secrets were not written down");
    for secret in known {
        if let Some(at) = stored.find(secret) {
            let line = stored[..at].lines().last().unwrap_or_default();
            panic!(
                "a secret that begins with {:?} is stored in clear: {}",
                &secret[..3],
                line.split(' ').next().unwrap_or_default()
            );
        }
    }
    Ok(())
}
