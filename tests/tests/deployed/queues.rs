//! The queues and their consumer: a job of an unknown version stays on its queue, and finally becomes a dead letter.

use crate::{Outcome, Stage, test};
use aws_sdk_sqs::types::QueueAttributeName;
use libtest_mimic::Trial;
use std::sync::Arc;

/// How often the queue is asked; each time takes up to 20 s.
const PATIENCE: usize = 6;

pub fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![test(stage, "a job that nobody knows is left on its queue and becomes a dead letter", dead_letters)]
}

async fn dead_letters(stage: Arc<Stage>) -> Outcome {
    let stack = &stage.stack;
    let queues = aws_sdk_sqs::Client::new(&stack.sdk().await);
    for (queue, dead) in
        [("EventQueueUrl", "EventDeadLettersUrl"), ("CommandQueueUrl", "CommandDeadLettersUrl")]
    {
        let (queue, dead) = (stack.output(queue), stack.output(dead));
        // The deployed queue hides a message for six minutes after each attempt. Only that is changed.
        let attributes = queues.set_queue_attributes().queue_url(queue);
        attributes.attributes(QueueAttributeName::VisibilityTimeout, "1").send().await?;
        let job = format!(r#"{{"v":9999,"kind":"unknown","queue":{queue:?}}}"#);
        queues.send_message().queue_url(queue).message_body(&job).send().await?;
        let mut found = None;
        for _ in 0..PATIENCE {
            let received = queues.receive_message().queue_url(dead).wait_time_seconds(20).send().await?;
            found = received.messages.unwrap_or_default().into_iter().find_map(|message| message.body);
            if found.is_some() {
                break;
            }
        }
        assert_eq!(found.as_deref(), Some(job.as_str()), "{queue}");
    }
    Ok(())
}
