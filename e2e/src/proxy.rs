//! A way to a server that can be made bad: connections are refused, cut in the middle of what they
//! carry, or slow.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;

/// Most bytes that are carried at a time.
const CHUNK: usize = 16 * 1024;
/// Longest delay of one chunk, in milliseconds.
const DELAY: u64 = 400;
/// How often a chunk of a bad connection is the last one, and how often it is late: one in so many.
const CUT: u32 = 24;
const LATE: u32 = 6;
/// How often a bad way refuses a connection: one in so many.
const REFUSED: u32 = 6;

/// The way. It is there until the process ends.
#[derive(Debug)]
pub struct Proxy {
    /// Host and port.
    pub address: String,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_bad: AtomicBool,
    faults: AtomicU64,
}

impl Proxy {
    /// A good way to a server at a host and port; chance is drawn from the seed.
    pub fn start(server: String, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            let mut chance = Rng::with_seed(seed);
            for connection in listener.incoming().flatten() {
                let rng = chance.fork();
                if shared.strikes(&mut chance, REFUSED) {
                    continue;
                }
                // a server that is away is a fault of its own
                if let Ok(onwards) = TcpStream::connect(&server) {
                    let _ = connect(connection, onwards, &shared, rng);
                }
            }
        });
        Ok(Self { address, state })
    }

    /// Makes the way bad, for connections that exist too.
    pub fn worsen(&self) {
        self.state.is_bad.store(true, Ordering::Relaxed);
    }

    /// Makes the way good again.
    pub fn mend(&self) {
        self.state.is_bad.store(false, Ordering::Relaxed);
    }

    /// How many connections were refused or cut and how many chunks were late so far.
    pub fn faults(&self) -> u64 {
        self.state.faults.load(Ordering::Relaxed)
    }
}

impl State {
    /// Whether a fault happens that happens once in so many cases while the way is bad.
    fn strikes(&self, chance: &mut Rng, once_in: u32) -> bool {
        let strikes = self.is_bad.load(Ordering::Relaxed) && chance.u32(0..once_in) == 0;
        if strikes {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        strikes
    }
}

/// Carries both directions of a connection until either ends.
fn connect(client: TcpStream, server: TcpStream, state: &Arc<State>, mut rng: Rng) -> Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        let (state, chance) = (Arc::clone(state), rng.fork());
        thread::spawn(move || carry(from, to, &state, chance));
    }
    Ok(())
}

fn carry(mut from: TcpStream, mut to: TcpStream, state: &State, mut chance: Rng) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        if state.strikes(&mut chance, LATE) {
            thread::sleep(Duration::from_millis(chance.u64(0..DELAY)));
        }
        let is_cut = state.strikes(&mut chance, CUT);
        let length = if is_cut {
            chance.usize(0..length)
        } else {
            length
        };
        if to.write_all(&chunk[..length]).is_err() || is_cut {
            break;
        }
    }
    // the other direction ends with this one
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
