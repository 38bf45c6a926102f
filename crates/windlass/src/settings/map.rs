//! A config map of the system namespace as it is now, followed by its name.

use kube::Client;
use tokio::sync::mpsc;
use windlass_core::error::Chain;

use super::Data;
use crate::cluster::config_map::ConfigMap;
use crate::cluster::path::{ApiPath, Resource};
use crate::cluster::watch::{Change, Sink, Source, follow as follow_source};

/// A config map as it is now.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) enum Map {
    #[default]
    Unread,
    Absent,
    Present {
        uid: String,
        data: Data,
    },
}

/// Tells what becomes of the config map of this name; never ends.
pub(super) async fn follow<'a>(
    client: &Client,
    namespace: &'a str,
    name: &'a str,
    sender: mpsc::Sender<(&'a str, Map)>,
) {
    let source = Source {
        what: format!("config map {namespace}/{name}"),
        path: ApiPath::within(namespace, Resource::CONFIG_MAPS),
        name: Some(name.to_owned()),
        labels: None,
    };
    let sink = MapSink {
        namespace,
        name,
        listed: false,
        sender,
    };
    follow_source(client, &source, sink).await;
}

struct MapSink<'a> {
    namespace: &'a str,
    name: &'a str,
    /// The list that is under way showed it.
    listed: bool,
    sender: mpsc::Sender<(&'a str, Map)>,
}

impl Sink for MapSink<'_> {
    async fn take(&mut self, change: Change) {
        let map = match change {
            Change::Seen(object) => match ConfigMap::parse(&object) {
                Ok(map) => {
                    self.listed = true;
                    Map::Present {
                        uid: map.uid,
                        data: map.data,
                    }
                }
                Err(error) => {
                    let (namespace, name) = (self.namespace, self.name);
                    let error = Chain(&error);
                    tracing::error!(%error, "cannot use config map {namespace}/{name}");
                    return;
                }
            },
            Change::Skipped(why) => {
                tracing::error!("cannot use {}/{}: {why}", self.namespace, self.name);
                return;
            }
            Change::Lost(_) => {
                self.listed = false;
                return;
            }
            Change::Synced if std::mem::take(&mut self.listed) => return,
            Change::Gone(_) | Change::Synced => Map::Absent,
        };
        // the receiver lives as long as this future
        let _ = self.sender.send((self.name, map)).await;
    }
}
