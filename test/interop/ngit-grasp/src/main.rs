//! ngit-grasp, configured by its own environment variables (NGIT_…), which it names in its README. Ends on SIGTERM.
use clap::Parser;
use ngit_grasp::config::Config;
use ngit_grasp::server::RelayServer;
use tokio::signal::unix::{signal, SignalKind};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing_subscriber::filter::LevelFilter::WARN).init();
    let mut config = Config::parse();
    config.relay_owner_nsec = Some(Config::load_relay_owner_key()?);
    let server = RelayServer::start(config).await?;
    let mut terminated = signal(SignalKind::terminate())?;
    server
        .run_until(async move {
            terminated.recv().await;
        })
        .await
}
