//! A stack on its own emulator, which `tests/rig/with_stack.py` starts, and the ways to reach it: HTTP, the operator's
//! command, the SDK.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_lambda::{
    primitives::Blob,
    types::{FunctionCode, Runtime},
};
use serde_json::{Value, json};
use stack_tests::{Missing, canary, cloud_apps, root, show, variable};
use std::{
    collections::BTreeMap,
    error::Error,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A deployed stack. It ends when its `with_stack.py` reads the end of its input, which is at the latest when this
/// program ends.
pub struct Stack {
    process: Child,
    /// What `with_stack.py` prints.
    variables: BTreeMap<String, String>,
    program: PathBuf,
    pub http: reqwest::Client,
}

/// The result of the operator's command.
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

    /// Ends the stack, and waits until the observed calls are written.
    pub fn end(mut self) -> Result<(), Box<dyn Error>> {
        drop(self.process.stdin.take());
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("with_stack.py: {status}").into()) }
    }

    /// The address at which Mattermost servers reach it.
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

    /// Runs `cloud-apps operator` with the credentials of the emulator, whether it succeeds or not.
    pub fn try_operator(&self, arguments: &[&str]) -> Result<Said, Box<dyn Error>> {
        // Commands that only an operator uses are below `operator`; the others have a name of their own.
        let own = ["register", "code", "manage-code", "revoke-codes"];
        let group: &[&str] =
            if arguments.first().is_some_and(|word| own.contains(word)) { &["operator"] } else { &[] };
        let stack = ["--stack", self.name(), "--json"];
        let mut command = self.command(&[group, arguments, &stack].concat());
        let done = command.output()?;
        let out = String::from_utf8(done.stdout)?;
        let err = String::from_utf8(done.stderr)?;
        // Only the operator may see the code, so it must not be in a log.
        if arguments.first() != Some(&"code") {
            show("operator", out.as_bytes());
        }
        show("operator", err.as_bytes());
        Ok(Said { code: done.status.code(), out, err })
    }

    /// Runs `cloud-apps operator`, which must succeed; returns its answer.
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

    /// Invokes the install function with an operator's request; returns its answer.
    pub async fn operate(&self, request: Value) -> Result<Value, Box<dyn Error>> {
        let invoked = aws_sdk_lambda::Client::new(&self.sdk().await)
            .invoke()
            .function_name(self.output("InstallFunctionName"))
            .payload(Blob::new(json!({ "operator": request }).to_string()))
            .send()
            .await?;
        Ok(serde_json::from_slice(invoked.payload.ok_or("no payload")?.as_ref())?)
    }

    /// Creates a Lambda function in Python, with this code as `app.py`.
    pub async fn create_function(&self, name: &str, code: &str) -> Result<(), Box<dyn Error>> {
        aws_sdk_lambda::Client::new(&self.sdk().await)
            .create_function()
            .function_name(name)
            .runtime(Runtime::Python312)
            .role("arn:aws:iam::000000000000:role/none")
            .handler("app.handler")
            .timeout(30)
            .code(FunctionCode::builder().zip_file(Blob::new(zipped(code)?)).build())
            .send()
            .await?;
        Ok(())
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

/// A ZIP archive with `app.py`, which the Python of the rig makes.
fn zipped(code: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (file, archive) = (folder.path().join("app.py"), folder.path().join("app.zip"));
    std::fs::write(&file, code)?;
    let made = Command::new(variable("CLOUD_APPS_PYTHON")?)
        .args(["-m", "zipfile", "-c"])
        .args([&archive, &file])
        .status()?;
    assert!(made.success());
    Ok(std::fs::read(archive)?)
}
