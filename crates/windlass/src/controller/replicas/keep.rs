//! The part of the replicas that is about their own leases: one is held, the others are watched.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;

use super::board::{Board, Roll, in_time, reason, rule};
use super::identity::{MOST, slot};
use super::members::{BACKLOG, DIVIDES};
use super::own::{OwnLease, selector};
use super::share::Share;

use crate::cluster::lease::{self, Lease, LeaseError};
use crate::cluster::list::{List, Listed};
use crate::cluster::watch::{Change, Sink, Source, follow};

/// How often the own lease is renewed.
pub(super) const RENEW: Duration = Duration::from_secs(10);
/// The pause after a request that failed.
pub(super) const RETRY: Duration = Duration::from_secs(1);
/// The pause after a request that is not allowed.
pub(super) const FORBIDDEN: Duration = Duration::from_secs(60);
/// How often it is asked whether a namespace has to be divided.
const MEASURE: Duration = Duration::from_secs(2);

impl Board {
    /// Holds a lease and watches those of the others; never ends.
    pub(super) async fn keep_membership(&self) {
        self.look_around().await;
        tokio::join!(
            self.keep_own_lease(),
            self.follow_leases(),
            self.keep_time(),
            self.divide()
        );
    }

    /// Lists the leases until that succeeds; meanwhile the controller works alone if it may not.
    async fn look_around(&self) {
        let mut is_said = false;
        loop {
            let error = match in_time(self.list()).await {
                Ok(leases) => {
                    let own = self.own.lock().await;
                    return self.change(|state| {
                        state.members.see_all(&leases);
                        let members = &state.members;
                        let choice = own.choice(&BTreeSet::new(), |name| members.holder(name));
                        state.own = choice.map(slot);
                        state.roll = Roll::Members;
                    });
                }
                Err(error) => error,
            };
            let reason = reason(error.as_ref());
            if error.is_none_or(|error| error.is_transient()) {
                tracing::warn!("{reason}; trying again");
                sleep(RETRY).await;
                continue;
            }
            if !std::mem::replace(&mut is_said, true) {
                tracing::warn!(
                    "{reason}; this replica works alone and does not see others; {}",
                    rule(&self.namespace)
                );
            }
            self.change(|state| state.roll = Roll::Alone);
            sleep(FORBIDDEN).await;
        }
    }

    fn source(&self) -> Source {
        Source {
            what: format!("leases of replicas in namespace {}", self.namespace),
            path: lease::collection(&self.namespace),
            name: None,
            labels: Some(selector()),
        }
    }

    async fn list(&self) -> Result<Vec<Lease>, LeaseError> {
        let source = self.source();
        let mut list = List::new(&self.client, &source);
        let mut leases = Vec::new();
        while let Some(listed) = list.next().await? {
            if let Listed::Object(object) = listed {
                leases.push(Lease::of(&object)?);
            }
        }
        Ok(leases)
    }

    async fn keep_own_lease(&self) {
        let mut is_said = false;
        loop {
            let mut own = self.own.lock().await;
            let held = self.hold(&mut own).await;
            drop(own);
            let pause = match held {
                Ok(()) => RENEW,
                Err(Some(error)) if error.is_conflict() => RETRY,
                Err(error) => {
                    let is_final = error.as_ref().is_some_and(|error| !error.is_transient());
                    let reason = reason(error.as_ref());
                    if !is_final {
                        tracing::warn!("{reason}; trying again");
                    } else if !std::mem::replace(&mut is_said, true) {
                        let rule = rule(&self.namespace);
                        tracing::warn!("{reason}; other replicas do not see this one; {rule}");
                    }
                    if is_final { FORBIDDEN } else { RETRY }
                }
            };
            tokio::select! {
                biased;
                () = sleep(pause) => {}
                () = self.noted.notified() => {}
            }
        }
    }

    /// Renews the own lease, or takes one.
    async fn hold(&self, own: &mut OwnLease) -> Result<(), Option<LeaseError>> {
        let notes = self.notes();
        if own.is_held() {
            return in_time(own.renew(&self.client, &notes)).await;
        }
        let mut refused = BTreeSet::new();
        loop {
            let choice = own.choice(&refused, |name| {
                let state = self.state();
                state.members.holder(name).map(str::to_owned)
            });
            let Some(number) = choice else {
                tracing::error!(
                    "all {MOST} leases of replicas are held; this replica has no share of its own"
                );
                return Ok(());
            };
            self.change(|state| state.own = Some(slot(number)));
            let identity = own.identity.clone();
            let is_free = |lease: &Lease| {
                self.change(|state| state.members.see(lease));
                let state = self.state();
                let holder = state.members.holder(lease.name());
                holder.is_none_or(|holder| identity.is_successor_of(holder))
            };
            let place = (self.namespace.as_str(), number);
            match in_time(own.take(&self.client, place, &notes, is_free)).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(Some(error)) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
            refused.insert(number);
        }
    }

    fn notes(&self) -> [(&'static str, String); 2] {
        let divides = self.state().divides.clone();
        [
            (DIVIDES, divides.unwrap_or_default()),
            (BACKLOG, self.backlog.total().to_string()),
        ]
    }

    async fn follow_leases(&self) {
        let sink = LeaseSink {
            board: self,
            listed: BTreeSet::new(),
        };
        match follow(&self.client, &self.source(), sink).await {}
    }

    /// Gives up those whose lease was not renewed in time, once the API server says so too: a watch may
    /// be late.
    async fn keep_time(&self) {
        loop {
            let next = {
                let state = self.state();
                state.members.next_end(state.own.as_deref())
            };
            let end = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = end => {}
                () = self.seen.notified() => continue,
            }
            match in_time(self.list()).await {
                Ok(leases) => self.change(|state| {
                    state.members.see_all(&leases);
                    state.members.give_up_late(state.own.as_deref());
                }),
                Err(error) => {
                    tracing::debug!("{}; trying again", reason(error.as_ref()));
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Divides a namespace that has most of the runs that wait.
    async fn divide(&self) {
        let mut shares = self.share();
        loop {
            let share = match shares
                .wait_for(|share| matches!(share, Share::Part(_)))
                .await
            {
                Ok(share) => share.clone(),
                Err(_) => return,
            };
            let (elsewhere, before) = {
                let state = self.state();
                let elsewhere = state.members.backlog(state.own.as_deref());
                (elsewhere, state.divides.clone())
            };
            let divides = self.backlog.to_divide(elsewhere, before.as_deref());
            let divides = divides.filter(|namespace| share.has_namespace(namespace));
            if divides != before {
                self.change(|state| state.divides = divides);
                self.noted.notify_one();
            }
            sleep(MEASURE).await;
        }
    }
}

/// Takes in what becomes of the leases of replicas.
struct LeaseSink<'r> {
    board: &'r Board,
    /// What the list that is under way showed.
    listed: BTreeSet<String>,
}

impl Sink for LeaseSink<'_> {
    async fn take(&mut self, change: Change) {
        match change {
            Change::Seen(object) => match Lease::of(&object) {
                Ok(lease) => {
                    self.listed.insert(lease.name().to_owned());
                    self.board.change(|state| state.members.see(&lease));
                }
                Err(error) => tracing::warn!("{}", reason(Some(&error))),
            },
            Change::Gone(object) => {
                if let Ok(lease) = Lease::of(&object) {
                    self.board
                        .change(|state| state.members.forget(lease.name()));
                }
            }
            Change::Synced => {
                let listed = std::mem::take(&mut self.listed);
                self.board.change(|state| state.members.keep(&listed));
            }
            Change::Lost(_) => self.listed.clear(),
            Change::Skipped(why) => tracing::warn!("passed over: {why}"),
        }
        self.board.seen.notify_one();
    }
}
