//! What the bundle does with a request, through its handlers, over the stores in memory.

mod answers;
mod budgets;
mod channel_posts;
mod commands;
mod jira;
mod log_line;
mod queue;
mod recordings;
mod refusals;
mod robustness;
mod slash;
mod stage;
