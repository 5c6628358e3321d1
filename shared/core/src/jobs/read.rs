//! What a message says.

use crate::store::{
    job::{JOB_VERSION, Job, Work},
    rules,
};

/// A message as this version of the bundle reads it.
pub(crate) enum Read {
    /// A job.
    Job(Job),
    /// A job that a later version knows.
    Later {
        /// What is not known of it.
        what: String,
    },
    /// No version's job.
    Unreadable {
        /// Why not, without its content.
        why: String,
    },
}

/// The part of a job that every version reads.
#[derive(serde::Deserialize)]
struct Head {
    v: u32,
    kind: String,
}

/// Reads a message. What it says of it holds nothing of the job's content: that may be what no log should have.
pub(crate) fn read(body: &str) -> Read {
    let unreadable = |error: &serde_json::Error| Read::Unreadable { why: rules::without_content(error) };
    let head: Head = match serde_json::from_str(body) {
        Ok(head) => head,
        Err(error) => return unreadable(&error),
    };
    if head.v > JOB_VERSION {
        let what = format!("the job has version {}, and this program knows {JOB_VERSION}", head.v);
        return Read::Later { what };
    }
    if !Work::KINDS.contains(&head.kind.as_str()) {
        return Read::Later { what: "this program does not know this kind of job".to_owned() };
    }
    serde_json::from_str(body).map_or_else(|error| unreadable(&error), Read::Job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use proptest::prelude::*;

    fn works() -> Vec<Work> {
        vec![
            Work::Watch { install: sample::install_id(1), rev: 3 },
            Work::Reseal { app: sample::app(), cursor: None },
            Work::ResealInstall { app: sample::app(), install: sample::install_id(1) },
        ]
    }

    #[test]
    fn every_kind_of_work_is_read_as_it_was_written() {
        let names: Vec<_> = works().iter().map(Work::name).collect();
        assert_eq!(names, Work::KINDS);
        for work in works() {
            let job = Job::new(work, 5, Some("a trace".to_owned()), 10).again(7, 20);
            let body = serde_json::to_string(&job).unwrap();
            assert!(matches!(read(&body), Read::Job(read) if read == job), "{body}");
        }
    }

    #[test]
    fn what_a_later_version_wrote_is_told_from_what_nobody_wrote() {
        let job = |v: u32, kind: &str| {
            format!(r#"{{"v":{v},"kind":"{kind}","attempt":1,"first_at":0,"install":"the secret"}}"#)
        };
        for body in [job(2, "watch"), job(1, "event")] {
            assert!(matches!(read(&body), Read::Later { what } if !what.contains("secret")), "{body}");
        }
        for body in [job(1, "watch").as_str(), "", "the secret", r#""the secret""#, "{}", r#"{"v":1}"#] {
            assert!(matches!(read(body), Read::Unreadable { why } if !why.contains("secret")), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_message_panics(body in ".{0,80}") {
            let _ = read(&body);
        }
    }
}
