//! What a service is sent, and what comes of its answer: the same as with a linked app.

use super::*;

#[tokio::test]
async fn a_service_is_sent_what_a_linked_function_would_be_told() {
    let (yard, registered, home) = Yard::installed().await;
    yard.service.does(Does::Answers(json!({"type": "message", "text": "Hello, bob!"})));
    let mut request = yard.v2(&home, "/remote greet bob", "admin");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    request.headers_mut().insert("traceparent", parent.parse().unwrap());
    let answered = yard.send(request).await;
    assert_eq!(answered.body, json!({"type": "message", "text": "Hello, bob!", "to": "user"}));

    let asked = yard.service.last();
    assert_eq!(asked.path, "/app/greet");
    let header = |name: &str| asked.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("cloud-apps-attempt"), "1");
    assert_eq!(header("cloud-apps-deadline"), (yard.now() + 8_000).to_string());
    assert!(header("traceparent").starts_with(&format!("00-{trace}-")) && header("traceparent") != parent);

    assert!(registered.signed(&asked));
    let (head, claims) = opened(&asked);
    assert_eq!(head, json!({"alg": "HS256", "typ": "cloud-apps-upstream+jwt", "kid": registered.kid}));
    assert_eq!(registered.kid, "remote.1.upstream.1");
    let jti = claims["jti"].as_str().unwrap();
    assert!(jti.len() >= 22, "128 bits");
    let seconds = yard.now() / 1000;
    let expected = json!({
        "iss": "cloud-apps", "aud": "remote", "sub": ADMIN, "proof": "jwt", "install": home.id, "site_url": SITE,
        "iat": seconds, "exp": seconds + 60, "jti": jti, "htm": "POST", "htp": "/greet",
        "bot_token": BOT_TOKEN, "user_token": USER_TOKEN, "body_sha256": body_sha256(&asked.body),
    });
    assert_eq!(claims, expected);

    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(header("cloud-apps-delivery"), body["delivery"]["id"].as_str().unwrap());
    assert_eq!(body["command"]["function"], "greet");
    assert_eq!(body["command"]["encoded"], json!({"name": "bob"}));
    assert_eq!(body["command"]["raw"], "/remote greet bob");
    assert_eq!(body["context"]["acting_user"], json!({"id": ADMIN}));
    assert_eq!(
        body["context"]["app"]["settings"],
        json!({"site": "https://jira.example.com", "key": PASSWORD})
    );
    assert_eq!(body["security"], json!({}), "a trigger id opens dialogs: it is the bundle's alone");
    let sent = format!("{:?} {body}", asked.headers);
    assert!(!sent.contains("a-trigger") && !sent.contains("mattermost_token"));
}

#[tokio::test]
async fn tokens_reach_a_service_as_they_were_granted_and_no_further() {
    for (granted, scope, bot, user) in [
        (&[][..], "user", false, false),
        (&["act_as_bot"][..], "user", true, false),
        (&["act_as_user"][..], "user", false, true),
        (&["act_as_user"][..], "admin", false, false),
        (&["act_as_admin"][..], "admin", false, false),
        (&["act_as_user", "act_as_admin"][..], "admin", false, true),
        (&["act_as_user"][..], "bot", false, false),
    ] {
        let (yard, _) = Yard::new().await;
        let home = yard.install(granted).await;
        assert_eq!(yard.run_as(&home, "/remote look", scope).await.status, 200);
        let (_, claims) = opened(&yard.service.last());
        assert_eq!(claims.get("bot_token").is_some(), bot, "{granted:?} {scope}");
        assert_eq!(claims.get("user_token").is_some(), user, "{granted:?} {scope}");
    }
}

#[tokio::test]
async fn a_slash_command_reaches_a_service_and_its_answer_the_person() {
    let (yard, _, home) = Yard::installed().await;
    yard.service.does(Does::Answers(json!({"type": "message", "text": "Hi @all", "attachments": [
        {"text": "and @here", "actions": [{"id": "a", "name": "Click", "integration": {"url": "https://evil.example"}}]},
    ]})));
    let seen = yard.slash(&home, "greet bob").await;
    assert_eq!(
        seen.body["text"],
        "Hi @\u{200b}all\n\n_Buttons and menus in attachments were left out: an app writes them as blocks._"
    );
    assert!(!seen.body.to_string().contains("integration"), "{seen:?}");
    assert_eq!(opened(&yard.service.last()).1.get("user_token"), None, "a slash command brings no token");
}

/// A caller with a static token may name anybody in the body, so the bundle names no user then.
#[tokio::test]
async fn a_service_is_told_who_was_proved_and_how_and_nobody_where_nobody_was() {
    let (yard, _, home) = Yard::installed().await;
    let claimed = |asked: &Asked| {
        let (_, claims) = opened(asked);
        (claims.get("sub").cloned(), claims.get("proof").cloned())
    };
    yard.run(&home, "/remote look").await;
    assert_eq!(claimed(&yard.service.last()), (Some(json!(ADMIN)), Some(json!("jwt"))));
    yard.slash(&home, "look").await;
    assert_eq!(claimed(&yard.service.last()), (Some(json!(ADMIN)), Some(json!("slash"))));
    for acting in [json!({"id": ADMIN}), json!(null)] {
        let asked = yard.service.asked().len();
        let answered = yard.send(home.by_static_token("/remote look", &acting)).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        assert_eq!(yard.service.asked().len(), asked + 1);
        assert_eq!(claimed(&yard.service.last()), (None, None), "{acting}");
        let body: Value = serde_json::from_slice(&yard.service.last().body).unwrap();
        assert_eq!(body["context"]["acting_user"], acting, "the body says what the caller said");
    }
}

#[tokio::test]
async fn a_services_install_function_is_asked_and_may_refuse() {
    let (yard, _) = Yard::new().await;
    let refusal = json!({"type": "error", "text": "There is no such Jira.", "fields": {"site": "Check it."}});
    yard.service.does(Does::Answers(refusal));
    let (code, begun) = yard.begin(&["act_as_bot"]).await;
    let refused = yard.complete(&code, &begun.id()).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "install_refused"));
    assert_eq!(
        refused.message(),
        "remote refused the installation, and nothing was installed: There is no such Jira."
    );
    assert_eq!(yard.memory.kept(), 0);
    let asked = yard.service.last();
    assert_eq!(asked.path, "/app/on_install");
    let (_, claims) = opened(&asked);
    assert_eq!(claims["bot_token"], BOT_TOKEN);
    assert_eq!(
        (claims.get("sub"), claims.get("proof")),
        (None, None),
        "who installs is named, and not proved"
    );
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["context"]["app"]["settings"]["key"], PASSWORD);
}

#[tokio::test]
async fn a_service_that_fails_leaves_no_install() {
    for (status, code) in [(500, "upstream_failed"), (401, "upstream_refused")] {
        let (yard, _) = Yard::new().await;
        yard.service.does(Does::Replies(status, Vec::new(), Vec::new()));
        let (code_of_operator, begun) = yard.begin(&[]).await;
        let refused = yard.complete(&code_of_operator, &begun.id()).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (502, code));
        assert_eq!(
            refused.message(),
            "remote could not set itself up, and nothing was installed. Its operator finds the cause in the log, under \
             this request's id."
        );
        assert_eq!(yard.memory.kept(), 0);
    }
}

#[tokio::test]
async fn a_command_is_called_once_and_its_token_is_spent() {
    let (yard, _, home) = Yard::installed().await;
    yard.service.does(Does::Replies(500, Vec::new(), Vec::new()));
    let before = yard.service.asked().len();
    let request = yard.v2(&home, "/remote greet bob", "user");
    let again = request.clone();
    assert_eq!(yard.send(request).await.code(), "upstream_failed");
    assert_eq!(yard.send(again).await.code(), "duplicate");
    assert_eq!(yard.service.asked().len(), before + 1, "no retries of commands");
}

#[tokio::test]
async fn a_registered_app_costs_one_read_a_minute_and_survives_a_failing_store() {
    let (yard, _, home) = Yard::installed().await;
    // Fresh caches.
    let reads = || {
        let reads = yard.memory.counts().reads;
        ["Apps.find", "Apps.manifest"].map(|what| reads.get(what).copied().unwrap_or_default())
    };
    let faults = Faults::none();
    let bundle = Build::over(&yard.memory).faults(&faults).bundle();
    yard.memory.reset_counts();
    let run = async |now: Millis| {
        *yard.now.lock().unwrap() = now;
        let request = yard.v2(&home, "/remote look", "user");
        Answered::from(bundle.handle(arrival(request, now)).await)
    };
    for now in [NOW, NOW + 59_000] {
        let answered = run(now).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        assert!(answered.headers.contains_key("cloud-apps-manifest"));
    }
    assert_eq!(reads(), [1, 1]);
    run(NOW + 60_000).await;
    assert_eq!(reads(), [2, 1], "a manifest never changes under its hash");
}

#[tokio::test]
async fn an_app_that_was_removed_is_answered_with_a_sentence() {
    let (yard, _, home) = Yard::installed().await;
    let app = "remote".parse().unwrap();
    let stored = cloud_apps_core::store::ports::Apps::find(&yard.memory, &app).await.unwrap().unwrap();
    cloud_apps_core::store::ports::Registry::remove_app(&yard.memory, &app, stored.rev).await.unwrap();
    yard.later(61_000);
    let refused = yard.run(&home, "/remote look").await;
    assert_eq!((refused.status.as_u16(), refused.code()), (502, "upstream_failed"));
    assert_eq!(
        refused.message(),
        "remote is not an app of this bundle: it is neither linked into it nor registered. Deploy a bundle that links it, \
         or register it with `cloud-apps operator apps add`, then try again."
    );
}
