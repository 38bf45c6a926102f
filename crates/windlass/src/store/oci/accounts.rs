//! Credentials of service accounts, read from the cluster once for all runs that finish at the same
//! time.

use std::sync::Arc;
use std::time::Duration;

use kube::Client as Kube;
use tokio::time::Instant;
use windlass_core::run::Run;
use windlass_once::{Expiry, OnceMap};
use windlass_registry::keychain::{Account, Source};

use super::credentials::{self, CredentialsError, SECRETS};

/// How long what was read counts: too short for anybody to wait for a change of a secret.
const FRESH: Duration = Duration::from_secs(2);
/// Most accounts that are remembered at once, each with its secrets: few more than runs that are worked
/// on at once.
const REMEMBERED: usize = 100;

/// An account, and the secrets that a run names for its pods besides.
type Key = (Account, Vec<String>);

/// What was read in the last moments.
pub(super) struct Accounts {
    kube: Kube,
    /// By account; namespaces have fair shares.
    sources: OnceMap<Key, Arc<[Source]>, String>,
}

impl Accounts {
    pub(super) fn new(kube: Kube) -> Self {
        Self {
            kube,
            sources: OnceMap::new(REMEMBERED),
        }
    }

    /// The account of a run, and its sources of credentials in the order in which they count. One
    /// reads, the others wait for it.
    pub(super) async fn sources(
        &self,
        run: &Run<'_>,
    ) -> Result<(Account, Arc<[Source]>), CredentialsError> {
        let account = credentials::account(run);
        // the key is kept: as many names as are read, and one more that tells of the others
        let of_pods = run.image_pull_secrets().take(SECRETS + 1);
        let of_pods: Vec<String> = of_pods.map(str::to_owned).collect();
        let key = (account.clone(), of_pods);
        let read = || async {
            // read no later than now, whenever the response comes
            let since = Instant::now().into_std();
            let of_pods = run.image_pull_secrets().take(SECRETS + 1);
            let sources = credentials::of_account(&self.kube, &account, of_pods).await?;
            Ok::<_, CredentialsError>((sources.into(), Expiry::At(since + FRESH)))
        };
        let sources = self.sources.share(&account.namespace);
        let sources = sources.get_or_try_make(&key, Instant::now().into_std(), read);
        let sources = sources.await?;
        Ok((account, sources))
    }
}
