//! What a warm request may cost (protocol, section 2): no secret, V2 no read and one write, slash none of either.

use crate::stage::{Stage, command_body, request};

#[tokio::test]
async fn a_warm_v2_command_writes_once_and_reads_nothing() {
    let stage = Stage::new();
    stage.run("/jira create issue --project=MM").await;
    let cold = stage.memory.counts();
    assert_eq!((cold.reads(), cold.writes(), cold.secrets()), (1, 1, 1), "cold: {cold:?}");
    stage.memory.reset_counts();
    assert_eq!(stage.run("/jira create issue --project=MM").await.code(), "message");
    let warm = stage.memory.counts();
    assert_eq!((warm.reads(), warm.writes(), warm.secrets()), (0, 1, 0), "warm: {warm:?}");
}

#[tokio::test]
async fn a_cold_slash_command_reads_once_and_a_warm_one_nothing() {
    let stage = Stage::new();
    stage.type_("search").await;
    let cold = stage.memory.counts();
    assert_eq!((cold.reads(), cold.writes(), cold.secrets()), (1, 0, 0), "cold: {cold:?}");
    stage.memory.reset_counts();
    assert_eq!(stage.type_("create issue --project=MM").await.status, 200);
    let warm = stage.memory.counts();
    assert_eq!((warm.reads(), warm.writes(), warm.secrets()), (0, 0, 0), "warm: {warm:?}");
}

#[tokio::test]
async fn a_warm_safe_command_costs_nothing() {
    let stage = Stage::new();
    stage.run("/jira search").await;
    stage.memory.reset_counts();
    assert_eq!(stage.run("/jira search").await.text(), "Nothing found.");
    let warm = stage.memory.counts();
    assert_eq!((warm.reads(), warm.writes(), warm.secrets()), (0, 0, 0), "warm: {warm:?}");
}

/// Queries are not served yet. That the sender was recognised shows that nothing was spared by refusing it.
#[tokio::test]
async fn a_warm_query_of_a_recognised_user_costs_nothing() {
    let stage = Stage::new();
    let query = stage.v2("/autocomplete", &command_body("/jira s"));
    stage.run("/jira search").await;
    stage.memory.reset_counts();
    let answered = stage.send(query).await;
    assert_eq!((answered.status.as_u16(), answered.code()), (404, "no_route"), "{answered:?}");
    let warm = stage.memory.counts();
    assert_eq!((warm.reads(), warm.writes(), warm.secrets()), (0, 0, 0), "warm: {warm:?}");
    let stranger = request("/autocomplete", &command_body("/jira s").to_string(), &[]);
    assert_eq!(stage.send(stranger).await.status, 401);
}

#[tokio::test]
async fn what_fails_before_the_function_spends_no_token() {
    let stage = Stage::with(|install| {
        install.passwords.insert("key".to_owned(), "k1.9.AAAA".to_owned());
    });
    let answered = stage.run("/jira create issue --project=MM").await;
    assert_eq!((answered.status.as_u16(), answered.code()), (500, "internal"), "{answered:?}");
    assert_eq!((stage.memory.counts().writes(), stage.calls().len()), (0, 0));
}
