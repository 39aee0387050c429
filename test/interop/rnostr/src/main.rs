//! `rnostr CONFIG`: what its command `relay` does, without search, metrics and counting.
use nostr_extensions::{Auth, Ratelimiter};
use nostr_relay::App;

#[actix_rt::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = std::env::args().nth(1).expect("the path of a configuration");
    let app = App::create(Some(config), false, None, None)?;
    app.add_extension(Auth::new()).add_extension(Ratelimiter::new()).web_server()?.await?;
    Ok(())
}
