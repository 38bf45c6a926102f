//! Lookups: the addresses of a name. Tests use a scripted one.
//!
//! A lookup of the system cannot be stopped, and one whose name server does not respond outlives the
//! request that it was for. Lookups therefore have threads of their own, of which each tenant has a
//! share (`threads`), and a name that is being looked up takes no second one.

use std::collections::{HashMap, hash_map};
use std::fmt;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::tenant::Tenant;
use crate::threads::{Thread, Threads};

/// Most lookups at once, those that nobody waits for any longer included.
const MOST: usize = 64;

type Script = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;
type Resolve = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;
/// What a lookup found, once it has ended.
type Found = watch::Receiver<Option<Result<Vec<IpAddr>, Arc<io::Error>>>>;

tokio::task_local! {
    /// Who waits: the resolver of an HTTP client gets a name and nothing else.
    static TENANT: Tenant;
}

/// Does something on behalf of a tenant, whose share of the threads its lookups take.
pub(crate) async fn on_behalf_of<T>(tenant: &Tenant, what: impl Future<Output = T>) -> T {
    // every request goes through here, and its future is large
    Box::pin(TENANT.scope(tenant.clone(), what)).await
}

/// How names are resolved. Clones share the threads for it.
#[derive(Clone)]
pub struct Lookup(Kind);

#[derive(Clone)]
enum Kind {
    Scripted(Arc<Script>),
    Blocking(Arc<Blocking>),
}

struct Blocking {
    resolve: Box<Resolve>,
    threads: Threads,
    under_way: Mutex<HashMap<String, Found>>,
}

/// Why a name has no addresses.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The tenant's other lookups have taken its share of the threads.
    #[error(
        "too many other names of the same namespace wait for name servers that do not respond; \
         check the hosts that its runs name"
    )]
    Crowded,
    /// It was not found.
    #[error(transparent)]
    Failed(Arc<io::Error>),
}

impl Lookup {
    /// The resolver of the system.
    pub fn system() -> Self {
        Self::blocking(|host| {
            let found = (host, 0).to_socket_addrs()?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }

    /// This function, which returns the addresses of a name at once.
    pub fn scripted(script: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        Self(Kind::Scripted(Arc::new(script)))
    }

    /// This function, which may take long and is called on a thread of its own.
    pub fn blocking(
        resolve: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::Blocking(Arc::new(Blocking {
            resolve: Box::new(resolve),
            threads: Threads::new("lookup", MOST),
            under_way: Mutex::default(),
        })))
    }

    /// The addresses of a name. It waits for a thread no longer than `patience`.
    pub(crate) async fn of(
        &self,
        host: &str,
        patience: Duration,
    ) -> Result<Vec<IpAddr>, LookupError> {
        let blocking = match &self.0 {
            Kind::Scripted(script) => return Ok(script(host)),
            Kind::Blocking(blocking) => blocking,
        };
        let known = blocking.under_way().get(host).cloned();
        let mut found = if let Some(found) = known {
            found
        } else {
            let tenant = TENANT.try_with(Tenant::clone).unwrap_or_default();
            let thread = tokio::time::timeout(patience, blocking.threads.take(&tenant));
            let thread = thread.await.map_err(|_| LookupError::Crowded)?;
            blocking.begin(host, thread)?
        };
        let ended = found.wait_for(Option::is_some).await;
        let found = ended.ok().and_then(|found| found.clone());
        let broke_off = || Err(Arc::new(io::Error::other("the lookup broke off")));
        found.unwrap_or_else(broke_off).map_err(LookupError::Failed)
    }
}

impl Blocking {
    /// Begins to look a name up, unless that is under way by now.
    fn begin(self: &Arc<Self>, host: &str, thread: Thread) -> Result<Found, LookupError> {
        let (sender, found) = watch::channel(None);
        match self.under_way().entry(host.to_owned()) {
            hash_map::Entry::Occupied(known) => return Ok(known.get().clone()),
            hash_map::Entry::Vacant(place) => {
                place.insert(found.clone());
            }
        }
        // from here on it is taken out again, also if no thread can be started
        let entry = Entry {
            host: host.to_owned(),
            lookups: Arc::clone(self),
        };
        let started = thread.start(move || {
            let found = (entry.lookups.resolve)(&entry.host);
            // nobody finds it any longer, so that no result is older than its request
            drop(entry);
            sender.send_replace(Some(found.map_err(Arc::new)));
        });
        started.map_err(|error| LookupError::Failed(Arc::new(error)))?;
        Ok(found)
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<String, Found>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that is being looked up, until this is dropped.
struct Entry {
    host: String,
    lookups: Arc<Blocking>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.lookups.under_way().remove(&self.host);
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Scripted(_) => "Lookup(scripted)",
            Kind::Blocking(_) => "Lookup(blocking)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Condvar, PoisonError};

    use futures::FutureExt as _;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(20);

    /// Name servers that do not respond for names in `evil.test` until this is opened.
    #[derive(Default)]
    struct Silence {
        opened: Mutex<bool>,
        change: Condvar,
        asked: AtomicUsize,
    }

    impl Silence {
        fn resolve(&self, host: &str) -> Vec<IpAddr> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if host.ends_with("evil.test") {
                let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
                let opened = self.change.wait_while(opened, |opened| !*opened);
                drop(opened);
            }
            vec![[192, 0, 2, 1].into()]
        }

        fn end(&self) {
            *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.change.notify_all();
        }
    }

    fn silent() -> (Arc<Silence>, Lookup) {
        let silence = Arc::new(Silence::default());
        let script = Arc::clone(&silence);
        (
            silence,
            Lookup::blocking(move |host| Ok(script.resolve(host))),
        )
    }

    async fn look(lookup: &Lookup, tenant: &str, host: &str) -> Result<Vec<IpAddr>, LookupError> {
        on_behalf_of(&Tenant::from(tenant), lookup.of(host, PATIENCE)).await
    }

    /// Begins lookups that nobody waits for.
    fn abandon(lookup: &Lookup, tenant: &str, hosts: impl Iterator<Item = String>) {
        for host in hosts {
            assert!(look(lookup, tenant, &host).now_or_never().is_none());
        }
    }

    #[tokio::test]
    async fn names_of_one_tenant_that_no_server_answers_leave_room_for_those_of_others() {
        let (silence, lookup) = silent();
        let names = |number| format!("x{number}.evil.test");
        abandon(&lookup, "team-b", (0..600).map(names));
        let crowded = look(&lookup, "team-b", "r.io").await;
        assert!(matches!(crowded, Err(LookupError::Crowded)), "{crowded:?}");
        assert!(look(&lookup, "team-a", "r.io").await.is_ok());
        // nor do many tenants take them all
        for tenant in 0..15 {
            let names = |number| format!("x{number}.y{tenant}.evil.test");
            abandon(&lookup, &format!("team-b{tenant}"), (0..64).map(names));
        }
        assert!(look(&lookup, "team-a", "r.io").await.is_ok());
        assert!(silence.asked.load(Ordering::SeqCst) <= MOST + 2);
        silence.end();
    }

    #[tokio::test]
    async fn a_name_that_no_server_answers_takes_one_thread_however_often_it_is_asked_for() {
        let (silence, lookup) = silent();
        let same = || std::iter::repeat_n("x.evil.test".to_owned(), 600);
        abandon(&lookup, "team-b", same());
        abandon(&lookup, "team-c", same());
        assert!(look(&lookup, "team-b", "r.io").await.is_ok());
        assert!(silence.asked.load(Ordering::SeqCst) <= 2);
        silence.end();
        assert!(look(&lookup, "team-b", "x.evil.test").await.is_ok());
    }

    #[tokio::test]
    async fn a_name_that_is_not_found_or_whose_lookup_panics_is_asked_for_again() {
        let asked = AtomicUsize::new(0);
        let lookup = Lookup::blocking(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Err(io::Error::other("no such name")),
            1 => std::panic::resume_unwind(Box::new(())),
            _ => Ok(Vec::new()),
        });
        for why in ["no such name", "the lookup broke off"] {
            let error = look(&lookup, "team-b", "r.io").await.unwrap_err();
            assert_eq!(error.to_string(), why);
        }
        assert!(look(&lookup, "team-b", "r.io").await.is_ok());
    }
}
