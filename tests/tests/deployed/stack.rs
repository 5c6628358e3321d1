//! A stack on an emulator of its own, by `tests/rig/with_stack.py`, and the ways that lead to it: HTTP, the operator's
//! command, the SDK.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use serde_json::Value;
use stack_tests::{Missing, canary, cloud_apps, root, show, variable};
use std::{
    collections::BTreeMap,
    error::Error,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A deployed stack. It ends when its `with_stack.py` reads the end of its input, at the latest with this program.
pub struct Stack {
    process: Child,
    /// What `with_stack.py` prints.
    variables: BTreeMap<String, String>,
    program: PathBuf,
    pub http: reqwest::Client,
}

/// What the operator's command answered.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Stack {
    /// Deploys what `sam build` built. It may call servers on this machine whose certificates these authorities (PEM) signed.
    pub fn deploy(authorities: &[&str]) -> Result<Self, Box<dyn Error>> {
        let program = cloud_apps()?;
        let mut certificates = tempfile::NamedTempFile::new()?;
        for authority in authorities {
            certificates.write_all(authority.as_bytes())?;
        }
        let mut process = Command::new(variable("CLOUD_APPS_PYTHON")?)
            .arg(root().join("tests/rig/with_stack.py"))
            .arg("--parameter-file")
            .arg(format!("ExtraCertificates={}", certificates.path().display()))
            .args(["--parameter", "AllowedNetworks=127.0.0.0/8", "--parameter", "InstallCacheSeconds=0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        if line.is_empty() {
            process.wait()?;
            return Err(
                Missing("with_stack.py did not deploy it; what it said stands above".to_owned()).into()
            );
        }
        let variables = serde_json::from_str(&line)?;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { process, variables, program, http })
    }

    /// Ends it, and waits until what was observed is written.
    pub fn end(mut self) -> Result<(), Box<dyn Error>> {
        drop(self.process.stdin.take());
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("with_stack.py: {status}").into()) }
    }

    /// Where Mattermost servers reach it.
    pub fn url(&self) -> &str {
        &self.variables["STACK_URL"]
    }

    /// The stack's name.
    pub fn name(&self) -> &str {
        &self.variables["STACK_NAME"]
    }

    /// An output of the template.
    pub fn output(&self, key: &str) -> &str {
        &self.variables[&format!("STACK_OUTPUT_{}", key.to_uppercase())]
    }

    /// `cloud-apps` with the credentials of the emulator.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let aws = self.variables.iter().filter(|(name, _)| name.starts_with("AWS_"));
        let mut command = Command::new(&self.program);
        command.args(arguments).env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN").envs(aws);
        command.stdin(Stdio::null());
        command
    }

    /// Runs `cloud-apps operator` with the credentials of the emulator, whatever comes of it.
    pub fn try_operator(&self, arguments: &[&str]) -> Result<Said, Box<dyn Error>> {
        // What an operator alone does stands under `operator`; the rest under a word of its own.
        let own = ["register", "code", "manage-code", "revoke-codes"];
        let group: &[&str] =
            if arguments.first().is_some_and(|word| own.contains(word)) { &["operator"] } else { &[] };
        let stack = ["--stack", self.name(), "--json"];
        let mut command = self.command(&[group, arguments, &stack].concat());
        let done = command.output()?;
        let out = String::from_utf8(done.stdout)?;
        let err = String::from_utf8(done.stderr)?;
        // The code is meant for the operator's eyes, and for nobody's log.
        if arguments.first() != Some(&"code") {
            show("operator", out.as_bytes());
        }
        show("operator", err.as_bytes());
        Ok(Said { code: done.status.code(), out, err })
    }

    /// The same, where it must be done; its answer.
    pub fn operator(&self, arguments: &[&str]) -> Result<Value, Box<dyn Error>> {
        let said = self.try_operator(arguments)?;
        if said.code != Some(0) {
            return Err(format!("cloud-apps {}: {:?} {}", arguments.join(" "), said.code, said.err).into());
        }
        Ok(serde_json::from_str(&said.out)?)
    }

    /// A new install code for hello on a server.
    pub fn code(&self, site: &str) -> Result<String, Box<dyn Error>> {
        let answer = self.operator(&["code", "hello", "--site", site, "--base-url", self.url()])?;
        let code = answer["code"].as_str().ok_or("no code")?.to_owned();
        canary(&code)?;
        Ok(code)
    }

    /// The SDK's configuration, as an operator.
    pub async fn sdk(&self) -> SdkConfig {
        let variable = |name: &str| self.variables[name].clone();
        let (id, secret) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
        aws_config::defaults(BehaviorVersion::v2026_01_12())
            .endpoint_url(variable("AWS_ENDPOINT_URL"))
            .region(Region::new(variable("AWS_REGION")))
            .credentials_provider(Credentials::new(id, secret, None, None, "test"))
            .load()
            .await
    }
}
