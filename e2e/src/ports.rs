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
    free_ports(1)
}

/// The first of so many ports in a row that nothing listens on, for a server that takes those after its own too.
pub(crate) fn free_ports(count: u16) -> Result<u16> {
    let own = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or_default();
    let mut ports = (0..COUNT).map(|_| {
        let turn = NEXT.fetch_add(count, Ordering::Relaxed) % COUNT;
        FIRST + (turn + own) % COUNT
    });
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let free = ports.find(|first| (*first..first + count).all(is_free));
    free.with_context(|| format!("no {count} free ports from {FIRST} on"))
}
