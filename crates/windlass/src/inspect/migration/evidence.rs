//! Evidence: what the marks of runs are judged by.

use jiff::Timestamp;
use windlass_core::certificate::Authority;
use windlass_core::decide::Trust;
use windlass_core::error::Chain;
use windlass_core::key::PublicKey;

use super::extent::{Cluster, Migration};
use crate::settings::takeover;

/// What marks are judged by.
#[derive(Debug)]
pub(super) struct Evidence {
    loaded: Option<PublicKey>,
    retired: Vec<PublicKey>,
    authorities: Vec<Authority>,
    since: Option<Timestamp>,
}

impl Evidence {
    /// Reads what the cluster remembers of windlass. If it does not, windlass is yet to come.
    pub(super) async fn read(
        cluster: &Cluster<'_>,
        loaded: Option<PublicKey>,
        found: &mut Migration,
    ) -> Self {
        match takeover::read(cluster.client, cluster.system_namespace).await {
            Ok(history) => Self {
                loaded,
                retired: history.keys,
                authorities: history.authorities,
                since: history.since,
            },
            Err(error) => {
                found.unread.push(Chain(&error).to_string());
                Self {
                    loaded,
                    retired: Vec::new(),
                    authorities: Vec::new(),
                    since: Some(Timestamp::MAX),
                }
            }
        }
    }

    pub(super) fn trust(&self) -> Trust<'_> {
        Trust {
            loaded: [self.loaded.as_ref(), None],
            retired: &self.retired,
            authorities: &self.authorities,
            since: self.since,
            ..Trust::default()
        }
    }
}
