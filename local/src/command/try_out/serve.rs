//! `cloud-apps serve`: the whole bundle on this machine, with a demo Mattermost in which its apps are installed.

use crate::{
    certificates::Authorities, consumer, demo::Demo, failure::Failure, folder::Data, local, terminal,
};
use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use cloud_app::App;
use cloud_apps_core::{
    http::system_now,
    log::{LogFilter, report_panics},
    operator,
};
use cloud_apps_standin::Version;
use std::{
    net::{IpAddr, SocketAddr},
    process::ExitCode,
    time::Duration,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tracing_subscriber::{Layer, filter::filter_fn, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    data: Data,
    /// Port of the bundle; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,
    /// Port of the demo Mattermost; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 8065)]
    mattermost_port: u16,
    /// Version of the demo Mattermost. 5.37 and 11.6 do what real servers were recorded doing. What the others do
    /// differently is derived from what is written about them.
    #[arg(long, value_name = "VERSION", default_value = "11.6", value_parser = version())]
    mattermost_version: Version,
    /// Address to listen on. With any address but a loopback one, your network can reach the bundle.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,
    /// The bundle's address, as a Mattermost server reaches it. Without it: `http://<listen>:<port>`.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Do not start the demo Mattermost.
    #[arg(long)]
    no_demo: bool,
    #[command(flatten)]
    authorities: Authorities,
    /// How log lines look.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Readable)]
    log: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    Readable,
    /// As on Lambda: a JSON object a line.
    Json,
}

/// Reads the version of a Mattermost by its short name.
fn version() -> impl TypedValueParser<Value = Version> {
    let names = Version::ALL.map(Version::name);
    PossibleValuesParser::new(names)
        .try_map(|name| Version::named(&name).ok_or("the demo has no such version of Mattermost"))
}

/// How long running requests and jobs may take to finish at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until Ctrl-C or SIGTERM.
pub async fn run(arguments: Serve, apps: Vec<App>) -> Result<ExitCode, Failure> {
    let problems = App::check_all(&apps);
    if !problems.is_empty() {
        return Err(Failure::new("an app is not well defined, so the bundle is not served:")
            .more(problems.into_iter().map(|problem| format!("  {problem}")))
            .hint("a test of the app with `App::assert_valid` shows the same problems"));
    }
    let lines = LogFilter::new(tracing::Level::INFO, &apps);
    if arguments.log == LogFormat::Json {
        log(arguments.log, lines.clone());
    }
    let (files, note) = arguments.data.make()?;
    if let Some(note) = note {
        terminal::err(note);
    }
    let lock = files.lock()?;
    files.clear()?;
    let mut signals = Signals::listen()?;
    // The bundle listens before the demo starts, because the demo needs its address.
    let listener = local::listen(SocketAddr::new(arguments.listen, arguments.port)).await?;
    let address = listener
        .local_addr()
        .map_err(|e| Failure::new(format!("the address that the bundle listens on cannot be read: {e}")))?;
    let base_url = arguments.base_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let (bundle, queue) = local::bundle(&files, apps, &arguments.authorities)?;

    let (stop, stopped) = watch::channel(());
    let stopped = move || {
        let mut stopped = stopped.clone();
        async move {
            let _ = stopped.changed().await;
        }
    };
    let register = operator::OperatorRequest::Register {}.payload();
    let registered = operator::handle(bundle.management(), register, system_now(), "serve").await;
    if let Some(message) = registered.pointer("/error/message").and_then(serde_json::Value::as_str) {
        return Err(Failure::new(format!("the apps cannot be registered: {message}")));
    }
    let socket = files.socket();
    let operators =
        tokio::spawn(local::serve_operators(bundle.clone(), base_url.clone(), socket, stopped())?);
    let serving = tokio::spawn(local::serve(bundle.clone(), listener, stopped()));
    let upkeep = tokio::spawn(consumer::upkeep_every_day(bundle.clone(), stopped()));
    let consuming = tokio::spawn(consumer::consume(bundle.job_runner(), queue, stopped));
    let demo = if arguments.no_demo {
        terminal::out(format!("Serving on {base_url}. Ctrl-C ends it."));
        terminal::out("");
        terminal::out("Install an app on a Mattermost server with");
        terminal::out(format!("  {} install APP --site URL --team NAME", program()));
        None
    } else {
        let address = SocketAddr::new(arguments.listen, arguments.mattermost_port);
        let version = arguments.mattermost_version;
        let demo = Demo::start(&bundle, &base_url, address, version, &files).await?;
        demo.welcome(&base_url, &program()).into_iter().for_each(terminal::out);
        Some(demo)
    };
    if arguments.log == LogFormat::Readable {
        // Only now: log lines of requests during the start would stand before the lines that people should read.
        log(arguments.log, lines);
    }
    signals.received().await;
    terminal::err("");
    terminal::err("Stopping.");
    let _ = stop.send(());
    // Neither a connection that never ends nor a job may keep the process alive. The job comes again.
    let _ =
        tokio::time::timeout(PATIENCE, async { tokio::join!(operators, serving, upkeep, consuming) }).await;
    if let Some(demo) = demo {
        demo.stop().await;
    }
    files.clear()?;
    drop(lock);
    Ok(ExitCode::SUCCESS)
}

/// What ends the bundle: Ctrl-C, or SIGTERM from a supervisor.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let failed = |e: std::io::Error| Failure::new(format!("cannot wait for Ctrl-C: {e}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// How this program was called, for lines that people copy.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "cloud-apps".to_owned())
}

fn log(format: LogFormat, lines: LogFilter) {
    let colour = terminal::shows_colours();
    let level = lines.level();
    let wanted = filter_fn(move |line| lines.allow(line)).with_max_level_hint(level);
    let layer = fmt::layer().with_target(false).with_writer(move || match format {
        LogFormat::Readable => terminal::Log::Readable,
        LogFormat::Json => terminal::Log::Json,
    });
    let layer = match format {
        LogFormat::Readable => layer.compact().with_ansi(colour).boxed(),
        LogFormat::Json => {
            layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
    };
    let _ = tracing_subscriber::registry().with(layer.with_filter(wanted)).try_init();
    report_panics();
}
