//! Reading runs from the API server, for people: one by name, the newest, or all, a page at a time.

use jiff::Timestamp;
use kube::Client;
use serde::Deserialize;
use serde_json::Value;
use windlass_core::json::Flaw;
use windlass_core::run::Kind;

use crate::cluster::call::{Call, CallError};
use crate::cluster::list::{List, ListError, Listed, METADATA_LIST, Source};
use crate::cluster::path::{self, ApiPath};
use crate::cluster::peek::Identity;
use crate::cluster::runs::collection;

/// Runs in a page when only metadata is read.
const METADATA_PAGE: usize = 200;
/// Runs in a page when whole runs are read; a run may be over a megabyte.
const WHOLE_PAGE: usize = 50;

/// Runs of one kind in one namespace, or in all.
pub(crate) struct Runs<'a> {
    client: &'a Client,
    kind: Kind,
    namespace: Option<String>,
}

/// Why runs could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunsError {
    /// The name would become part of another URL.
    #[error("{name:?} cannot be the name of a {what}")]
    Name {
        /// The name.
        name: String,
        /// What it should name.
        what: &'static str,
    },
    /// There is no run of that name.
    #[error("there is no {kind} {name:?} {place}; choose another namespace with -n")]
    Missing {
        /// The kind of run.
        kind: Kind,
        /// Its name.
        name: String,
        /// Where it was looked for.
        place: String,
    },
    /// There is no run at all.
    #[error("no {kind}s found {place}; choose another namespace with -n")]
    Empty {
        /// The kind of run.
        kind: Kind,
        /// Where they were looked for.
        place: String,
    },
    /// The kind is unknown to the API server.
    #[error("the cluster does not serve {kind}s at tekton.dev/v1; is Tekton Pipelines installed?")]
    NotServed {
        /// The kind of run.
        kind: Kind,
        /// The refusal.
        source: CallError,
    },
    /// The list is too old to go on with.
    #[error("the list changed during reading; try again")]
    Expired(#[source] CallError),
    /// The account may not do this.
    #[error("your account may not read them; ask for a role that can")]
    Forbidden(#[source] CallError),
    /// Any other refusal, or no response.
    #[error(transparent)]
    Call(CallError),
    /// The list cannot be read to its end.
    #[error(transparent)]
    List(ListError),
    /// What came is no run.
    #[error("cannot {action}: the API server sent something that is not a run")]
    Malformed {
        /// What was being done.
        action: String,
        /// What is wrong with it.
        source: Flaw,
    },
}

#[derive(Deserialize)]
struct Head {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    creation_timestamp: Option<Timestamp>,
    #[serde(default)]
    resource_version: String,
}

impl Metadata {
    /// Orders by creation, which counts whole seconds; then by the last write, then by name.
    fn recency(&self) -> (Option<Timestamp>, Option<u64>, &str) {
        (
            self.creation_timestamp,
            self.resource_version.parse().ok(),
            &self.name,
        )
    }
}

impl<'a> Runs<'a> {
    /// Runs in `namespace`, or in all namespaces.
    pub(crate) fn new(
        client: &'a Client,
        kind: Kind,
        namespace: Option<&str>,
    ) -> Result<Self, RunsError> {
        if let Some(namespace) = namespace {
            check_name("namespace", namespace)?;
        }
        Ok(Self {
            client,
            kind,
            namespace: namespace.map(str::to_owned),
        })
    }

    /// Where these runs are, for messages.
    pub(crate) fn place(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("in namespace {namespace:?}"),
            None => "in any namespace".to_owned(),
        }
    }

    /// One whole run.
    pub(crate) async fn get(&self, name: &str) -> Result<Value, RunsError> {
        check_name(self.kind.name(), name)?;
        let action = format!("read {} {name:?} {}", self.kind, self.place());
        match Call::get(action.clone(), self.path().object(name))
            .send(self.client)
            .await
        {
            Ok(body) => serde_json::from_slice(&body).map_err(|source| RunsError::Malformed {
                action,
                source: source.into(),
            }),
            Err(CallError::Refused {
                status: 404,
                message,
                ..
            }) if message.contains(name) => Err(RunsError::Missing {
                kind: self.kind,
                name: name.to_owned(),
                place: self.place(),
            }),
            Err(error) => Err(self.refused(error)),
        }
    }

    /// The name of the run created last.
    pub(crate) async fn last(&self) -> Result<String, RunsError> {
        let source = self.source(None);
        let list = List::new(self.client, &source)
            .in_pages_of(METADATA_PAGE)
            .accept(METADATA_LIST);
        let mut newest: Option<Metadata> = None;
        self.read(list, |object| {
            let Head { metadata } = serde_json::from_slice(object)?;
            let is_newer = |known: &Metadata| known.recency() <= metadata.recency();
            if newest.as_ref().is_none_or(is_newer) {
                newest = Some(metadata);
            }
            Ok(())
        })
        .await?;
        newest.map(|run| run.name).ok_or_else(|| RunsError::Empty {
            kind: self.kind,
            place: self.place(),
        })
    }

    /// Reads all runs that match the label selector, whole; `each` takes them in one by one. Gives the
    /// reasons for which some were passed over.
    pub(crate) async fn each(
        &self,
        selector: Option<&str>,
        each: impl FnMut(&[u8]) -> Result<(), Flaw>,
    ) -> Result<Vec<String>, RunsError> {
        let source = self.source(selector);
        let list = List::new(self.client, &source).in_pages_of(WHOLE_PAGE);
        self.read(list, each).await
    }

    /// Reads the metadata of all runs; `each` takes them in one by one. Gives the reasons for which
    /// some were passed over.
    pub(crate) async fn each_metadata(
        &self,
        each: impl FnMut(&[u8]) -> Result<(), Flaw>,
    ) -> Result<Vec<String>, RunsError> {
        let source = self.source(None);
        let list = List::new(self.client, &source)
            .in_pages_of(METADATA_PAGE)
            .accept(METADATA_LIST);
        self.read(list, each).await
    }

    async fn read(
        &self,
        mut list: List<'_>,
        mut each: impl FnMut(&[u8]) -> Result<(), Flaw>,
    ) -> Result<Vec<String>, RunsError> {
        let listed = |error| match error {
            ListError::Call(error) => self.refused(error),
            error => RunsError::List(error),
        };
        let mut passed_over = Vec::new();
        while let Some(listed) = list.next().await.map_err(listed)? {
            match listed {
                Listed::Object(object) => {
                    if let Err(error) = each(&object) {
                        let run = Identity::peek(&object).of(&self.what());
                        passed_over.push(format!("{run} cannot be read: {error}"));
                    }
                }
                Listed::TooLarge(object) => passed_over.push(object.to_string()),
            }
        }
        Ok(passed_over)
    }

    fn source(&self, selector: Option<&str>) -> Source {
        Source {
            what: self.what(),
            path: self.path(),
            name: None,
            labels: selector.map(str::to_owned),
        }
    }

    fn what(&self) -> String {
        format!("{}s {}", self.kind, self.place())
    }

    fn path(&self) -> ApiPath {
        collection(self.kind, self.namespace.as_deref())
    }

    /// What a refusal most likely means.
    fn refused(&self, source: CallError) -> RunsError {
        let kind = self.kind;
        match source.status() {
            Some(404) => RunsError::NotServed { kind, source },
            Some(410) => RunsError::Expired(source),
            Some(403) => RunsError::Forbidden(source),
            _ => RunsError::Call(source),
        }
    }
}

/// Refuses what cannot be a name before anything is sent.
fn check_name(what: &'static str, name: &str) -> Result<(), RunsError> {
    path::check_name(name).map_err(|_| RunsError::Name {
        name: name.to_owned(),
        what,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_or_a_question_mark_is_refused() {
        for name in ["", "a/b", "a?b", "..", "-a", "a b", "é"] {
            assert!(check_name("TaskRun", name).is_err(), "{name}");
        }
        assert!(check_name("TaskRun", "build-7x2kq.v1").is_ok());
    }
}
