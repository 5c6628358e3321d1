//! Reading a message as a job.

use crate::store::{
    document,
    job::{JOB_VERSION, Job, JobKind},
};

/// A message as this version of the bundle reads it.
pub(crate) enum Read {
    /// A job.
    Job(Job),
    /// A job of a later version of the bundle.
    Later {
        /// What this version does not know of it.
        what: String,
    },
    /// Not a job of any version.
    Unreadable {
        /// Why it cannot be read, without its content.
        why: String,
    },
}

/// The part of a job that every version reads.
#[derive(serde::Deserialize)]
struct Head {
    v: u32,
    kind: String,
}

/// Reads a message. No reason repeats the job's content, because it may hold secrets.
pub(crate) fn read(body: &str) -> Read {
    let unreadable = |error: &serde_json::Error| Read::Unreadable { why: document::without_content(error) };
    let head: Head = match serde_json::from_str(body) {
        Ok(head) => head,
        Err(error) => return unreadable(&error),
    };
    if head.v > JOB_VERSION {
        let what = format!("the job has version {}, and this program knows {JOB_VERSION}", head.v);
        return Read::Later { what };
    }
    if !JobKind::KINDS.contains(&head.kind.as_str()) {
        return Read::Later { what: "this program does not know this kind of job".to_owned() };
    }
    serde_json::from_str(body).map_or_else(|error| unreadable(&error), Read::Job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use proptest::prelude::*;

    fn kinds() -> Vec<JobKind> {
        vec![
            JobKind::Watch { install: sample::install_id(1), rev: 3 },
            JobKind::Reseal { app: sample::app(), cursor: None },
            JobKind::ResealInstall { app: sample::app(), install: sample::install_id(1) },
            JobKind::Upkeep { app: sample::app(), day: 20_000, cursor: Some("a cursor".to_owned()) },
            JobKind::UpkeepInstall { app: sample::app(), install: sample::install_id(1), day: 20_000 },
            JobKind::ReadServer { install: sample::install_id(1), hour: 498_717 },
        ]
    }

    #[test]
    fn every_kind_of_job_is_read_as_it_was_written() {
        let names: Vec<_> = kinds().iter().map(JobKind::name).collect();
        assert_eq!(names, JobKind::KINDS);
        for kind in kinds() {
            let job = Job::new(kind, 5, Some("a trace".to_owned()), 10).again(7, 20);
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
