//! `chains-config`, which must exist, and `windlass-config`, which need not: read together, parsed
//! into one configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::Client;
use tokio::sync::mpsc;
use windlass_core::config::{CHAINS_CONFIG, Config, WINDLASS_CONFIG};

use super::map::{self, Map};
use super::{Current, Setting};
use crate::cluster::event::{self, Regarding};
use crate::telemetry::Metrics;
use crate::unsupported;

/// Follows both maps and puts each good configuration into `current`.
pub(crate) async fn run(client: Client, namespace: String, current: Current, metrics: Metrics) {
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
    };
    let apply = async {
        while let Some((name, map)) = receiver.recv().await {
            if maps.take(name, map) {
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

    async fn apply(&self, client: &Client, current: &Current, metrics: &Metrics) {
        let namespace = self.namespace;
        let Map::Present { uid, data } = &self.chains else {
            let missing = format!("config map {namespace}/{CHAINS_CONFIG} does not exist");
            self.keep(
                current,
                metrics,
                &format!("{missing}; create it, it may be empty"),
            );
            return;
        };
        let own = match &self.windlass {
            Map::Present { data, .. } => data.clone(),
            Map::Unread | Map::Absent => BTreeMap::new(),
        };
        let regarding = Regarding {
            api_version: "v1",
            kind: "ConfigMap",
            namespace: namespace.to_owned(),
            name: CHAINS_CONFIG.to_owned(),
            uid: uid.clone(),
        };
        match Config::parse(data, &own) {
            Ok(parsed) => {
                for warning in &parsed.warnings {
                    tracing::warn!("{namespace}/{CHAINS_CONFIG}: {warning}");
                    event::warn(client, &regarding, "ConfigWarning", &warning.to_string()).await;
                }
                let missing = unsupported::of(&parsed.config);
                if missing.is_empty() {
                    tracing::info!("{namespace}/{CHAINS_CONFIG}: configuration loaded");
                } else {
                    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
                    let what = missing.join("; ");
                    tracing::warn!(
                        "{namespace}/{CHAINS_CONFIG}: what needs this is not signed: {what}"
                    );
                    let message = format!("what needs this is not signed: {what}");
                    event::warn(client, &regarding, "ConfigUnsupported", &message).await;
                }
                let config = Setting::InForce(Arc::new(parsed.config));
                current.send_modify(|settings| settings.config = config);
                metrics.config_accepted.inc();
            }
            Err(error) => {
                self.keep(current, metrics, &error.to_string());
                event::warn(client, &regarding, "ConfigRefused", &error.to_string()).await;
            }
        }
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
