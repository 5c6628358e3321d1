//! `cloud-apps serve`: the whole bundle here, with a demo Mattermost in which its apps are installed.

use crate::{
    arguments::{LogFormat, Serve},
    demo::Demo,
    failure::Failure,
    local::{self, Files},
};
use cloud_app::App;
use cloud_apps_core::install;
use std::{io::IsTerminal, net::SocketAddr, process::ExitCode};
use tokio::sync::watch;

/// Serves until Ctrl-C.
pub async fn run(arguments: Serve, apps: Vec<App>) -> Result<ExitCode, Failure> {
    log(arguments.log);
    let files = Files::below(&arguments.data.dir);
    files.make()?;
    // Both ports first: a bundle whose demo cannot listen is of no use.
    let address = SocketAddr::new(arguments.listen, arguments.port);
    let listener = local::listen(address).await?;
    let base_url = arguments.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let bundle = local::bundle(&files, apps)?;

    let (stop, stopped) = watch::channel(());
    let stopped = move || {
        let mut stopped = stopped.clone();
        async move {
            let _ = stopped.changed().await;
        }
    };
    let registered = install::operator(
        bundle.office(),
        serde_json::json!({"operator":{"do":"register"}}),
        local::now(),
        "serve",
    )
    .await;
    if let Some(message) = registered.pointer("/error/message").and_then(serde_json::Value::as_str) {
        return Err(Failure::new(format!("the apps cannot be registered: {message}")));
    }
    let operators = tokio::spawn(local::serve_operators(bundle.clone(), files.socket(), stopped())?);
    let serving = tokio::spawn(local::serve(bundle.clone(), listener, stopped()));
    let demo = if arguments.no_demo {
        anstream::println!(
            "Serving on {base_url}. Ctrl-C ends it.\n\nMake an install code with\n  {} operator code APP --site URL --base-url {base_url}",
            program()
        );
        None
    } else {
        let address = SocketAddr::new(arguments.listen, arguments.mattermost_port);
        let demo = Demo::start(&bundle, &base_url, address, &files).await?;
        anstream::println!("{}", demo.welcome(&base_url, &program()));
        Some(demo)
    };
    tokio::signal::ctrl_c().await.map_err(|e| Failure::new(format!("cannot wait for Ctrl-C: {e}")))?;
    anstream::eprintln!("\nStopping.");
    let _ = stop.send(());
    let _ = tokio::join!(operators, serving);
    if let Some(demo) = demo {
        demo.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// How this program was called, for lines that are to be copied.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "cloud-apps".to_owned())
}

fn log(format: LogFormat) {
    let colour = std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_target(false)
        .with_writer(std::io::stderr);
    let _ = match format {
        LogFormat::Readable => builder.compact().with_ansi(colour).try_init(),
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
        }
    };
}
