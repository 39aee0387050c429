//! `rust-nostr PORT DIRECTORY [auth]`: LocalRelay of nostr-relay-builder with its events in LMDB. Each of MAX_LIMIT and
//! NOTES_PER_MINUTE in the environment overrides the library's default. Ends on SIGTERM.
use nostr_lmdb::NostrLMDB;
use nostr_relay_builder::builder::{RateLimit, RelayBuilder, RelayBuilderNip42};
use nostr_relay_builder::LocalRelay;
use tokio::signal::unix::{signal, SignalKind};

fn from_environment<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let database = NostrLMDB::open(&arguments[1])?;
    let mut builder = RelayBuilder::default().port(arguments[0].parse()?).database(database);
    if let Some(notes_per_minute) = from_environment("NOTES_PER_MINUTE") {
        builder = builder.rate_limit(RateLimit { notes_per_minute, ..RateLimit::default() });
    }
    if let Some(most) = from_environment("MAX_LIMIT") {
        builder = builder.max_filter_limit(most);
    }
    if arguments.iter().any(|argument| argument == "auth") {
        builder = builder.nip42(RelayBuilderNip42::default());
    }
    let relay = LocalRelay::new(builder);
    relay.run().await?;
    println!("listening {}", relay.url().await);
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}
