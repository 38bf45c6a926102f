//! The trusted root of a mirror of The Update Framework, `signers.x509.tuf.mirror.url`: fetched when the
//! configuration asks for it, and looked for again every day.
//!
//! A mirror is believed by the root that `signers.x509.tuf.root` pins. What was fetched last counts until the
//! mirror has something newer: a mirror that is out of reach stops no signature.

use std::time::Duration;

use tokio::time::Instant;
use windlass_core::config::TufOrigin;
use windlass_core::error::Chain;

use crate::sigstore::MAX_ROOT;
use crate::sigstore::tuf::followed::Followed;

/// When a mirror is asked.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    /// How often, while it responds.
    pub(crate) look: Duration,
    /// First and longest pause after a failure; each is twice as long as the one before.
    pub(crate) pauses: (Duration, Duration),
}

impl Default for Times {
    fn default() -> Self {
        Self {
            look: Duration::from_hours(24),
            pauses: (Duration::from_secs(5), Duration::from_secs(300)),
        }
    }
}

/// What a mirror gave.
#[derive(Debug)]
pub(super) enum Outcome {
    /// What it gave before.
    Same,
    /// A trusted root that is new.
    New,
    /// No trusted root, and why.
    Failed(String),
}

/// The mirror of the configuration, if it has one.
#[derive(Debug)]
pub(super) struct Mirror {
    times: Times,
    wanted: Option<Wanted>,
}

/// A mirror that is wanted, and what it gave last.
#[derive(Debug)]
struct Wanted {
    origin: TufOrigin,
    root: Option<String>,
    due: Instant,
    pause: Duration,
    followed: Result<Followed, String>,
}

impl Mirror {
    pub(super) fn new(times: Times) -> Self {
        Self {
            times,
            wanted: None,
        }
    }

    /// What the mirror gave last, if it is this one; else it is asked from now on.
    pub(super) fn root(&mut self, origin: &TufOrigin) -> Option<&str> {
        if self.wanted.as_ref().is_none_or(|it| it.origin != *origin) {
            let followed = Followed::of(origin.mirror.expose(), origin.root.as_deref());
            self.wanted = Some(Wanted {
                origin: origin.clone(),
                root: None,
                due: Instant::now(),
                pause: self.times.pauses.0,
                followed: followed.map_err(|why| Chain(&why).to_string()),
            });
        }
        self.wanted.as_ref().and_then(|it| it.root.as_deref())
    }

    /// What the mirror gave is of no use: it is asked again before the day is over.
    pub(super) fn doubt(&mut self) {
        if let Some(wanted) = &mut self.wanted {
            wanted.due = Instant::now() + self.times.pauses.1;
        }
    }

    /// The configuration has no mirror.
    pub(super) fn clear(&mut self) {
        self.wanted = None;
    }

    /// Asks the mirror once that is due; waits for ever while there is none. What it gave is noted at the
    /// end, so that nothing is lost where this is dropped.
    pub(super) async fn look(&mut self) -> Outcome {
        let Some(wanted) = &mut self.wanted else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(wanted.due).await;
        match wanted.fetch().await {
            Ok(root) => {
                wanted.due = Instant::now() + self.times.look;
                wanted.pause = self.times.pauses.0;
                if wanted.root.as_ref() == Some(&root) {
                    return Outcome::Same;
                }
                wanted.root = Some(root);
                Outcome::New
            }
            Err(why) => {
                wanted.due = Instant::now() + wanted.pause;
                wanted.pause = (wanted.pause * 2).min(self.times.pauses.1);
                Outcome::Failed(why)
            }
        }
    }
}

impl Wanted {
    async fn fetch(&self) -> Result<String, String> {
        let followed = self.followed.as_ref().map_err(Clone::clone)?;
        let fetched = followed.fetch().await;
        let content = fetched.map_err(|why| Chain(&why).to_string())?.content;
        let text = String::from_utf8(content).ok();
        let text = text.filter(|text| text.len() <= MAX_ROOT && !text.is_empty());
        text.ok_or_else(|| {
            let size = MAX_ROOT >> 20;
            format!(
                "what the mirror has as trusted root is empty, no text, or larger than {size} MiB"
            )
        })
    }
}
