//! `nostr-rs-relay CONFIG`: what its own main does, without its logging. The database stands where the configuration says.
use nostr_rs_relay::{config::Settings, server::start_server};
use std::sync::mpsc;

fn main() {
    let settings = Settings::new(&std::env::args().nth(1)).expect("read the configuration");
    let (_keep, shutdown) = mpsc::channel();
    start_server(&settings, shutdown).expect("run the relay");
}
