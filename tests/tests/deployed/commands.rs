//! Commands in all dialects that are served.

use crate::{
    Outcome, Stage,
    server::{CHANNEL, send},
    test,
};
use cloud_apps_protocol::token::Scope;
use cloud_apps_standin::Shown;
use libtest_mimic::Trial;
use reqwest::{Method, StatusCode};
use stack_tests::show;
use std::sync::Arc;

pub fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![
        test(stage, "a slash command greets whom it mentions, in every team and on both servers", greets),
        test(stage, "a slash command asks Mattermost as the bot, over TLS with a private authority", whoami),
        test(stage, "a greeting for everybody is posted by the bot", posted),
        test(stage, "help lists the commands", help),
        test(stage, "a line that is not understood is explained", explained),
        test(stage, "a signed request is answered", signed),
        test(stage, "`cloud-apps run` speaks as a server does, in both dialects", run),
        test(stage, "a request with the static token is answered", static_token),
    ]
}

async fn greets(stage: Arc<Stage>) -> Outcome {
    for (server, team) in [(&stage.today, "demo"), (&stage.today, "second"), (&stage.old, "demo")] {
        let channel = server.mattermost.channel_id(team, CHANNEL)?;
        let seen = server.mattermost.execute("alice", &channel, "/hello greet @bob --language=de").await?;
        assert_eq!(seen.texts(), ["Hallo, @bob!"], "{team} of {}", server.site());
        assert!(matches!(seen.shown[..], [Shown::OnlyYou(_)]), "{:?}", seen.shown);
    }
    Ok(())
}

async fn whoami(stage: Arc<Stage>) -> Outcome {
    for server in [&stage.today, &stage.old] {
        let before = server.mattermost.calls().len();
        let seen = server.mattermost.execute("alice", CHANNEL, "/hello whoami").await?;
        let expected = format!("You are @alice (Alice). Your id is `{}`.", server.user("alice"));
        assert_eq!(seen.texts(), [expected]);
        let calls = server.mattermost.calls();
        let asked = calls[before..].iter().filter(|call| call.who.as_deref() == Some("hello"));
        assert!(
            asked.clone().any(|call| call.path.ends_with(&server.user("alice"))),
            "{:?}",
            &calls[before..]
        );
    }
    Ok(())
}

async fn posted(stage: Arc<Stage>) -> Outcome {
    for server in [&stage.today, &stage.old] {
        let channel = server.mattermost.channel_id("demo", "off-topic")?;
        let seen = server.mattermost.execute("alice", &channel, "/hello greet @bob --public --loud").await?;
        let posts = server.mattermost.posts(&channel)?;
        let last = posts.last().ok_or("no post")?;
        assert_eq!((last.message.as_str(), &last.user_id), ("HELLO, @bob!", &server.user("hello")));
        assert!(seen.texts().contains(&"HELLO, @bob!"), "{:?}", seen.shown);
    }
    Ok(())
}

async fn help(stage: Arc<Stage>) -> Outcome {
    let seen = stage.today.mattermost.execute("alice", CHANNEL, "/hello help").await?;
    let text = seen.texts().join("\n");
    for command in ["greet", "time", "whoami", "fail"] {
        assert!(text.contains(command), "{command} is missing in: {text}");
    }
    Ok(())
}

async fn explained(stage: Arc<Stage>) -> Outcome {
    let seen = stage.today.mattermost.execute("alice", CHANNEL, "/hello greet @bob --lout").await?;
    let text = seen.texts().join("\n");
    assert!(text.contains("--loud"), "{text}");
    Ok(())
}

async fn signed(stage: Arc<Stage>) -> Outcome {
    let server = &stage.today;
    let body = server.command("/hello greet @bob --language=de");
    for path in ["/command", "/"] {
        let alice = server.user("alice");
        let answer = server.signed(&stage.stack, Method::POST, path, &body, (&alice, Scope::User)).await?;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!((&answer.body["type"], &answer.body["text"]), (&"message".into(), &"Hallo, @bob!".into()));
    }
    Ok(())
}

async fn run(stage: Arc<Stage>) -> Outcome {
    let (stack, server) = (&stage.stack, &stage.today);
    let (alice, team) = (server.user("alice"), server.mattermost.team_id("demo")?);
    let channel = server.mattermost.channel_id("demo", CHANNEL)?;
    let kid = server.install.kid.as_ref().ok_or("no kid")?.to_string();
    let secret = server.install.secret.as_ref().ok_or("no secret")?.to_base64url();
    let who = ["--user", &alice, "--team", &team, "--channel", &channel];
    let signed = stack
        .command(&["run", "/hello time --zone=Asia/Tokyo", "--bundle", stack.url(), "--site", server.site()])
        .args(who)
        .env("CLOUD_APPS_KID", kid)
        .env("CLOUD_APPS_SECRET", secret.as_str())
        .output()?;
    let slash = format!("{}/hooks/{}/slash", stack.url(), server.install.id);
    let form = stack
        .command(&["run", "--slash", "/hello time --zone=Asia/Tokyo", "--slash-url", &slash])
        .args(who)
        .env("CLOUD_APPS_SLASH_TOKEN", &server.install.slash_tokens["demo"])
        .output()?;
    for said in [signed, form] {
        show("run", &said.stdout);
        show("run", &said.stderr);
        assert!(said.status.success());
        assert!(String::from_utf8_lossy(&said.stdout).contains("in Asia/Tokyo"));
    }
    Ok(())
}

async fn static_token(stage: Arc<Stage>) -> Outcome {
    let server = &stage.old;
    let token = server.install.static_token.as_deref().ok_or("no static token")?;
    let body = serde_json::to_vec(&server.command("/hello greet @bob --language=de"))?;
    let answer = send(&stage.stack, Method::POST, "/", token, body).await?;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.body["text"], "Hallo, @bob!");
    Ok(())
}
