//! `chains-config`, which must exist, and `windlass-config`, which need not: read together, parsed
//! into one configuration. Where they name a mirror, its trusted root is put in before they count.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::Client;
use tokio::sync::mpsc;
use windlass_core::config::{
    CHAINS_CONFIG, Config, ConfigError, Parsed, TUF_MIRROR, WINDLASS_CONFIG, put_trusted_root,
};

use super::map::{self, Map};
use super::mirror::{Mirror, Outcome, Times};
use super::{Current, Data, Setting};
use crate::cluster::event::{self, Regarding};
use crate::telemetry::Metrics;
use crate::unsupported;

/// Follows both maps and puts each good configuration into `current`.
pub(crate) async fn run(
    client: Client,
    namespace: String,
    current: Current,
    metrics: Metrics,
    times: Times,
) {
    let (sender, mut receiver) = mpsc::channel(8);
    let follow_both = async {
        tokio::join!(
            map::follow(&client, &namespace, CHAINS_CONFIG, sender.clone()),
            map::follow(&client, &namespace, WINDLASS_CONFIG, sender.clone()),
        )
    };
    let mut maps = Maps {
        namespace: &namespace,
        chains: Map::Unread,
        windlass: Map::Unread,
        mirror: Mirror::new(times),
        told: None,
    };
    let apply = async {
        loop {
            let is_new = tokio::select! {
                biased;
                change = receiver.recv() => match change {
                    Some((name, map)) => maps.take(name, map),
                    None => return,
                },
                outcome = maps.mirror.look() => maps.looked(outcome, &client, (&current, &metrics)).await,
            };
            if is_new {
                maps.apply(&client, &current, &metrics).await;
            }
        }
    };
    tokio::join!(follow_both, apply);
}

struct Maps<'a> {
    namespace: &'a str,
    chains: Map,
    windlass: Map,
    mirror: Mirror,
    /// The failure of the mirror that was told last.
    told: Option<String>,
}

/// What the maps come to.
enum Read {
    Parsed(Box<Parsed>),
    /// The trusted root of their mirror is not there yet.
    Awaited,
    Refused(Refusal),
}

/// Why the maps are refused.
struct Refusal {
    reason: String,
    /// Whether something in `windlass-config` is wrong: whoever looks at that map is told too.
    is_own: bool,
}

impl Maps<'_> {
    /// Remembers a map; true when both are known and something changed.
    fn take(&mut self, name: &str, map: Map) -> bool {
        let slot = if name == CHAINS_CONFIG {
            &mut self.chains
        } else {
            &mut self.windlass
        };
        let changed = *slot != map;
        *slot = map;
        changed && self.chains != Map::Unread && self.windlass != Map::Unread
    }

    async fn apply(&mut self, client: &Client, current: &Current, metrics: &Metrics) {
        let Map::Present { data, .. } = &self.chains else {
            self.mirror.clear();
            self.keep(
                current,
                metrics,
                "it does not exist; create it, it may be empty",
            );
            return;
        };
        let own = match &self.windlass {
            Map::Present { data, .. } => data.clone(),
            Map::Unread | Map::Absent => BTreeMap::new(),
        };
        let regarding = self.regarding();
        match read(data, own, &mut self.mirror) {
            Read::Parsed(parsed) => {
                self.tell(client, &parsed).await;
                let config = Setting::InForce(Arc::new(parsed.config));
                current.send_modify(|settings| settings.config = config);
                metrics.config_accepted.inc();
            }
            // what is loaded stays so until the mirror responds
            Read::Awaited => {}
            Read::Refused(Refusal { reason, is_own }) => {
                self.mirror.doubt();
                self.keep(current, metrics, &reason);
                event::warn(client, &regarding, "ConfigRefused", &reason).await;
                if is_own {
                    let own = self.regarding_own();
                    event::warn(client, &own, "ConfigRefused", &reason).await;
                }
            }
        }
    }

    /// Tells what is probably not meant, and what is not supported.
    async fn tell(&self, client: &Client, parsed: &Parsed) {
        let (namespace, regarding) = (self.namespace, self.regarding());
        for warning in &parsed.warnings {
            tracing::warn!("{namespace}/{CHAINS_CONFIG}: {warning}");
            event::warn(client, &regarding, "ConfigWarning", &warning.to_string()).await;
        }
        let missing = unsupported::of(&parsed.config);
        if missing.is_empty() {
            tracing::info!("{namespace}/{CHAINS_CONFIG}: configuration loaded");
            return;
        }
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let message = format!("what needs this is not signed: {}", missing.join("; "));
        tracing::warn!("{namespace}/{CHAINS_CONFIG}: {message}");
        event::warn(client, &regarding, "ConfigUnsupported", &message).await;
    }

    /// Takes what the mirror gave; true if the configuration has to be read again.
    async fn looked(
        &mut self,
        outcome: Outcome,
        client: &Client,
        (current, metrics): (&Current, &Metrics),
    ) -> bool {
        let why = match outcome {
            Outcome::Same | Outcome::New => {
                self.told = None;
                return matches!(outcome, Outcome::New);
            }
            Outcome::Failed(why) => format!("{TUF_MIRROR}: {why}"),
        };
        if self.told.as_ref() != Some(&why) {
            self.keep(current, metrics, &why);
            event::warn(client, &self.regarding(), "TrustedRootUnavailable", &why).await;
            self.told = Some(why);
        }
        false
    }

    /// `chains-config`, as Events name it.
    fn regarding(&self) -> Regarding {
        regarding(self.namespace, CHAINS_CONFIG, &self.chains)
    }

    /// `windlass-config`, as Events name it.
    fn regarding_own(&self) -> Regarding {
        regarding(self.namespace, WINDLASS_CONFIG, &self.windlass)
    }

    /// Refuses a change: what was in force stays so; where nothing was, the reason is what runs
    /// are told.
    fn keep(&self, current: &Current, metrics: &Metrics, reason: &str) {
        metrics.config_refused.inc();
        let namespace = self.namespace;
        let reason = format!("{namespace}/{CHAINS_CONFIG}: {reason}");
        let kept = current.borrow().config.in_force();
        if kept {
            tracing::error!("{reason}; the last valid configuration stays loaded");
        } else {
            tracing::error!("{reason}; signing is paused until the configuration is fixed");
            current.send_modify(|settings| settings.config = Setting::Missing(reason));
        }
    }
}

fn regarding(namespace: &str, name: &str, map: &Map) -> Regarding {
    let uid = match map {
        Map::Present { uid, .. } => uid.clone(),
        Map::Unread | Map::Absent => String::new(),
    };
    Regarding::config_map(namespace, name, uid)
}

/// Reads both maps, the second one with the trusted root of the mirror that they name.
fn read(chains: &Data, mut own: Data, mirror: &mut Mirror) -> Read {
    let parsed = match Config::parse(chains, &own) {
        Ok(parsed) => parsed,
        Err(error) => return refused("", &error),
    };
    let Some(origin) = &parsed.mirror else {
        mirror.clear();
        return Read::Parsed(Box::new(parsed));
    };
    let Some(root) = mirror.root(origin) else {
        return Read::Awaited;
    };
    put_trusted_root(&mut own, root.to_owned());
    match Config::parse(chains, &own) {
        Ok(parsed) => Read::Parsed(Box::new(parsed)),
        Err(error) => refused(&format!("with the trusted root of {TUF_MIRROR}: "), &error),
    }
}

fn refused(when: &str, error: &ConfigError) -> Read {
    let mut maps = error.problems.iter().map(|problem| problem.config_map);
    Read::Refused(Refusal {
        reason: format!("{when}{error}"),
        is_own: maps.any(|map| map == WINDLASS_CONFIG),
    })
}
