//! Serves an empty registry to anyone until Ctrl-C and says where:
//! `cargo run -p windlass-sandbox --example registry -- [PORT]`.

use std::io::Write;

use windlass_sandbox::registry::{Options, Registry};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).map(|port| port.parse());
    let options = Options {
        port: port.transpose()?,
        ..Options::default()
    };
    let registry = Registry::start(options).await?;
    writeln!(std::io::stdout(), "{}", registry.host())?;
    tokio::signal::ctrl_c().await?;
    registry.shutdown().await;
    Ok(())
}
