//! The counters of a controller, read as Prometheus reads them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Bound on one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bound on a wait.
const LIMIT: Duration = Duration::from_secs(60);
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether the controller whose probes are at an address says that it is ready.
pub fn is_ready(address: &str) -> bool {
    let response = get(address, "/readiness");
    response.is_ok_and(|response| response.split(' ').nth(1) == Some("200"))
}

/// A response as it comes, of HTTP/1.
fn get(address: &str, path: &str) -> Result<String> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    connection.write_all(request.as_bytes())?;
    let mut response = String::new();
    connection.read_to_string(&mut response)?;
    Ok(response)
}

/// The value of a counter or gauge without labels, at an address.
pub fn value(address: &str, name: &str) -> Result<f64> {
    let response = get(address, "/metrics")?;
    let line = response
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = line.with_context(|| format!("{address} has no {name}"))?;
    Ok(value.trim().parse()?)
}

/// Waits until a value is like this.
pub fn wait(address: &str, name: &str, is: impl Fn(f64) -> bool) -> Result<()> {
    let start = Instant::now();
    loop {
        // it may not listen yet
        let value = value(address, name);
        if value.as_ref().is_ok_and(|value| is(*value)) {
            return Ok(());
        }
        ensure!(start.elapsed() < LIMIT, "{name} at {address} is {value:?}");
        sleep(PAUSE);
    }
}
