//! Measures how fast the functions are, as ratios within one run.
//!
//! The programs are started in turn, round after round, so that all have the same load. The best start of each is
//! compared with the best start of a simpler program. Absolute times would only say something about this machine.
//!
//! Code that reads texts of strangers is measured with a text of one length and of four times that length ([`linear`]).
//!
//! `bench [FOLDER]` measures the bootstraps that `sam build` left in FOLDER (`.aws-sam/build`), prints a table, writes
//! `target/bench.json`, and fails when a limit is passed.

mod limits;
mod linear;

use bench::{
    aws::{Calls, Stub},
    runtime::Program,
    sample,
};
use flate2::{Compression, write::DeflateEncoder};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Starts of each program: rounds × starts in turn.
const ROUNDS: usize = 40;
/// How many warm calls are measured, after as many that are not measured.
const WARM: usize = 600;
/// How many calls in a row make a median.
const STRETCH: usize = 50;

const FUNCTIONS: [(&str, &str); 5] = [
    ("command", "CommandFunction"),
    ("autocomplete", "AutocompleteFunction"),
    ("event", "EventFunction"),
    ("deliver", "DeliverFunction"),
    ("install", "InstallFunction"),
];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("bench: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<bool, String> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from(".aws-sam/build"), PathBuf::from);
    let beside = std::env::current_exe().map_err(|e| e.to_string())?;
    let beside = beside.parent().ok_or("this program has no folder")?;
    let stub = Stub::default();
    let endpoint = stub.serve().await?;
    let installed = sample::Installed::put(&endpoint).await?;

    let plain = |name: &str| Program {
        name: name.to_owned(),
        path: beside.join(name),
        env: BTreeMap::from([("AWS_ENDPOINT_URL".to_owned(), endpoint.clone())]),
        log: None,
    };
    let (floor, echo, put) = (plain("floor"), plain("echo"), plain("put"));
    let mut functions = Vec::new();
    for (name, logical) in FUNCTIONS {
        let path = folder.join(logical).join("bootstrap");
        if !path.exists() {
            return Err(format!("{} is missing: run `sam build` first", path.display()));
        }
        let env = |warm_up: &str| {
            let mut env = sample::Installed::env(&endpoint);
            env.insert("CLOUD_APPS_WARM_UP".to_owned(), warm_up.to_owned());
            env
        };
        functions.push(Program { name: name.to_owned(), path: path.clone(), env: env("off"), log: None });
        functions.push(Program { name: format!("{name} warmed up"), path, env: env("on"), log: None });
    }

    let mut programs = vec![&floor, &echo, &put];
    programs.extend(&functions);
    let starts = starts(&programs).await?;
    let hello = starts.get("echo").map_or(f64::NAN, |s| s.best);

    let warm = warm(&echo, &put, functions.first().ok_or("no function")?, &installed, &stub).await?;
    let mut measured = serde_json::Map::new();
    for (name, logical) in FUNCTIONS {
        let cold = starts.get(name).ok_or("not measured")?;
        let warmed = starts.get(&format!("{name} warmed up")).ok_or("not measured")?;
        measured.insert(
            name.to_owned(),
            json!({
                "init_ms": round(cold.best),
                "init_median_ms": round(cold.median),
                "init_over_hello": round(cold.best / hello),
                "warmup_ms": round((warmed.best - cold.best).max(0.0)),
                "rss_mb": round(if name == "command" { warm.rss_mb.max(cold.rss_mb) } else { cold.rss_mb }),
                "zip_mb": round(zip_mb(&folder.join(logical).join("bootstrap"))?),
            }),
        );
    }
    let report = json!({
        "floor": { "init_ms": round(starts.get("floor").map_or(f64::NAN, |s| s.best)) },
        "hello_runtime": { "init_ms": round(hello), "init_median_ms": round(starts.get("echo").map_or(f64::NAN, |s| s.median)) },
        "functions": measured,
        "warm": {
            "echo_us": round(warm.echo), "put_us": round(warm.put), "slash_us": round(warm.slash),
            "v2_us": round(warm.v2), "slash_over_echo": round(warm.slash_over_echo),
            "v2_over_put": round(warm.v2_over_put), "verify_us": round(installed.verify_us()?),
        },
        "calls": { "slash": calls(warm.slash_calls), "v2": calls(warm.v2_calls) },
        "linear": linear::measure()?,
    });
    print(&report);
    std::fs::create_dir_all("target").map_err(|e| e.to_string())?;
    let text = serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?;
    std::fs::write("target/bench.json", text + "\n").map_err(|e| format!("target/bench.json: {e}"))?;
    Ok(limits::check(&report))
}

struct Start {
    best: f64,
    median: f64,
    rss_mb: f64,
}

/// Starts every program in turn, round after round.
async fn starts(programs: &[&Program]) -> Result<BTreeMap<String, Start>, String> {
    let mut seen: BTreeMap<String, (Vec<f64>, f64)> = BTreeMap::new();
    for round in 0..ROUNDS {
        for program in programs {
            let running = program.start().await?;
            let (times, rss) = seen.entry(program.name.clone()).or_default();
            times.push(running.init.as_secs_f64() * 1e3);
            *rss = rss.max(running.peak_mb());
        }
        if round == 0 {
            // The first round does not count, because it reads the binaries from disk.
            for (times, _) in seen.values_mut() {
                times.clear();
            }
        }
    }
    Ok(seen
        .into_iter()
        .map(|(name, (mut times, rss_mb))| {
            times.sort_by(f64::total_cmp);
            let at = |i: usize| times.get(i).copied().unwrap_or(f64::NAN);
            (name, Start { best: at(0), median: at(times.len() / 2), rss_mb })
        })
        .collect())
}

struct Warm {
    echo: f64,
    put: f64,
    slash: f64,
    v2: f64,
    slash_over_echo: f64,
    v2_over_put: f64,
    slash_calls: Calls,
    v2_calls: Calls,
    rss_mb: f64,
}

/// Quiet medians of warm calls in µs, the four kinds in turn, and the calls that one warm request makes.
async fn warm(
    echo: &Program,
    put: &Program,
    command: &Program,
    installed: &sample::Installed,
    stub: &Stub,
) -> Result<Warm, String> {
    let (mut echo, mut put) = (echo.start().await?, put.start().await?);
    let (mut slash, mut v2) = (command.start().await?, command.start().await?);
    let mut times: [Vec<f64>; 4] = Default::default();
    let mut slash_calls = Calls::default();
    let mut v2_calls = Calls::default();
    for i in 0..2 * WARM {
        let (slash_event, v2_event) = (installed.slash_event(), installed.v2_event(i)?);
        let taken = [
            echo.invoke(slash_event.clone()).await?.0,
            put.invoke(v2_event.clone()).await?.0,
            {
                stub.take_calls();
                let (taken, answer) = slash.invoke(slash_event).await?;
                slash_calls = stub.take_calls();
                installed.answered(&answer)?;
                taken
            },
            {
                let (taken, answer) = v2.invoke(v2_event).await?;
                v2_calls = stub.take_calls();
                installed.answered(&answer)?;
                taken
            },
        ];
        if i >= WARM {
            for (times, taken) in times.iter_mut().zip(taken) {
                times.push(taken.as_secs_f64() * 1e6);
            }
        }
    }
    let rss_mb = slash.peak_mb().max(v2.peak_mb());
    let [echo, put, slash, v2] = &times;
    let (slash_over_echo, v2_over_put) = (ratio(slash, echo), ratio(v2, put));
    let [echo, put, slash, v2] = times.map(|times| quiet_median(&times));
    Ok(Warm { echo, put, slash, v2, slash_over_echo, v2_over_put, slash_calls, v2_calls, rss_mb })
}

/// The lowest median of any [`STRETCH`] calls in a row: the time of a call while nothing else uses the machine. Other
/// load changes the median of the whole run by half, and of one kind of call more than of another.
fn quiet_median(times: &[f64]) -> f64 {
    times.chunks_exact(STRETCH).map(median).min_by(f64::total_cmp).unwrap_or(f64::NAN)
}

/// How much longer one kind of call takes than another: the median over stretches of what the two took in the same stretch,
/// so that other load changes both sides of each ratio.
fn ratio(times: &[f64], base: &[f64]) -> f64 {
    let stretches = times.chunks_exact(STRETCH).zip(base.chunks_exact(STRETCH));
    median(&stretches.map(|(times, base)| median(times) / median(base)).collect::<Vec<_>>())
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Size in MB (10⁶ bytes) when deflated as a zip file does.
fn zip_mb(path: &Path) -> Result<f64, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(&bytes).map_err(|e| e.to_string())?;
    #[allow(clippy::cast_precision_loss)] // It is a few million.
    Ok(deflate.finish().map_err(|e| e.to_string())?.len() as f64 / 1e6)
}

fn calls(calls: Calls) -> Value {
    json!({ "reads": calls.reads, "writes": calls.writes, "secrets": calls.secrets })
}

/// Rounds to two digits after the point, which is already finer than the noise.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn print(report: &Value) {
    let at = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    println!(
        "{:<16}{:>10}{:>10}{:>10}{:>12}{:>8}{:>8}",
        "start", "best ms", "median", "× hello", "warm-up ms", "RSS MB", "zip MB"
    );
    println!("{:<16}{:>10.2}", "floor", at("/floor/init_ms"));
    println!(
        "{:<16}{:>10.2}{:>10.2}{:>10.2}",
        "hello_runtime",
        at("/hello_runtime/init_ms"),
        at("/hello_runtime/init_median_ms"),
        1.0
    );
    for (name, _) in FUNCTIONS {
        let of = |key: &str| at(&format!("/functions/{name}/{key}"));
        println!(
            "{name:<16}{:>10.2}{:>10.2}{:>10.2}{:>12.2}{:>8.2}{:>8.2}",
            of("init_ms"),
            of("init_median_ms"),
            of("init_over_hello"),
            of("warmup_ms"),
            of("rss_mb"),
            of("zip_mb")
        );
    }
    println!(
        "\nwarm, quiet median µs: echo {:.0} · put {:.0} · slash {:.0} ({:.2} × echo) · v2 {:.0} ({:.2} × put) · verify {:.2}",
        at("/warm/echo_us"),
        at("/warm/put_us"),
        at("/warm/slash_us"),
        at("/warm/slash_over_echo"),
        at("/warm/v2_us"),
        at("/warm/v2_over_put"),
        at("/warm/verify_us"),
    );
    println!("\n{:<34}{:>10}{:>10}{:>8}", "length n and 4n", "n µs", "4n µs", "ratio");
    for name in linear::NAMES {
        let of = |key: &str| at(&format!("/linear/{name}/{key}"));
        println!("{name:<34}{:>10.0}{:>10.0}{:>8.2}", of("n_us"), of("4n_us"), of("ratio"));
    }
    println!("calls of one warm request: {}", report.get("calls").unwrap_or(&Value::Null));
}
