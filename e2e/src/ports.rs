//! Ports for the servers of a scenario.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result};

/// Below those that Linux gives to outgoing connections, which could take one before its server does.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nothing listens on. Two calls give two ports; other processes begin elsewhere.
pub fn free_port() -> Result<u16> {
    let own = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or_default();
    let mut ports = (0..COUNT).map(|_| {
        let turn = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        FIRST + (turn + own) % COUNT
    });
    let free = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.with_context(|| format!("no free port from {FIRST} on"))
}
