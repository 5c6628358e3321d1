//! What the tests of the whole project share: where things are, the `cloud-apps` command, and the list of secrets that no
//! output may show.
//!
//! `tests/template.rs`, `tests/structure` and `tests/functions` need only cargo. `tests/deployed`, `tests/sam_local.rs` and
//! `tests/init.rs` have the feature `rig`; `tests/rig/run.py` runs them with what they need.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// Why a test cannot begin.
#[derive(Debug)]
pub struct Missing(pub String);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A variable that the test rig sets.
pub fn variable(name: &str) -> Result<String, Missing> {
    std::env::var(name)
        .map_err(|_| Missing(format!("{name} is not set; run the tests with `make test`, which sets it")))
}

/// Remembers a secret. At the end of `make test`, all output is searched for it.
pub fn canary(secret: &str) -> Result<(), Box<dyn std::error::Error>> {
    let path = variable("CLOUD_APPS_CANARY_FILE")?;
    // There is one write, so that the lines of programs that run at the same time do not mix.
    OpenOptions::new().create(true).append(true).open(path)?.write_all(format!("{secret}\n").as_bytes())?;
    Ok(())
}

/// The `cloud-apps` command of this checkout. It is built if it does not exist yet.
pub fn cloud_apps() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // This builds the whole workspace, because for one package cargo resolves features differently and compiles most
    // crates again.
    let built = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--bin",
            "cloud-apps",
            "--message-format=json-render-diagnostics",
        ])
        .current_dir(root())
        .output()?;
    let lines = String::from_utf8(built.stdout)?;
    let program = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from));
    program.ok_or_else(|| {
        Missing(format!("cloud-apps did not compile:\n{}", String::from_utf8_lossy(&built.stderr))).into()
    })
}

/// Shows the output of a program, so that it is searched for secrets. A prefix marks its lines as not the test's own.
pub fn show(what: &str, output: &[u8]) {
    let mut out = io::stdout().lock();
    for line in String::from_utf8_lossy(output).lines() {
        let _ = writeln!(out, "  {what}| {line}");
    }
}
