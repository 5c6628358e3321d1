//! What a warm request may cost (protocol, section 2): no secret, V2 no read and one write, slash none of either.

use crate::stage::{Stage, command_body};

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
async fn a_warm_query_and_a_warm_safe_command_cost_nothing() {
    let stage = Stage::new();
    stage.run("/jira search").await;
    stage.memory.reset_counts();
    stage.run("/jira search").await;
    stage.send(stage.v2("/autocomplete", &command_body("/jira s"))).await;
    let warm = stage.memory.counts();
    assert_eq!((warm.reads(), warm.writes(), warm.secrets()), (0, 0, 0), "warm: {warm:?}");
}
