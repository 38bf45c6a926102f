//! Lists of objects: the one reader of lists.
//!
//! A list is read in pages, and a page object by object while it arrives; each is handed on as the
//! bytes that the API server sent. A list of any length needs the memory of one object. `kube`'s own
//! lists, and `serde_json` over a whole page, would hold 250 objects at once, of up to 16 MiB each.
//!
//! Whoever may create objects decides how large a page gets. A page that is too large, or that breaks
//! off, is asked for again from the same place with half as many objects, down to one; what it has
//! shown already is not handed on again. Pages grow again once objects are small. An object over the
//! limit is named and passed over. A list that has become too old is continued where the API server
//! offers that. A server that sends the same page again is refused, since such a list never ends.

use std::collections::HashSet;

use bytes::Bytes;
use kube::Client;

use self::page::{Page, PageError};
use self::split::{Metadata, Piece};
use super::call::{Call, CallError, OBJECT_LIMIT};
use super::path::{ApiPath, Resource};
use super::peek::Identity;

mod page;
mod split;

pub(crate) use self::split::SplitError;

/// Objects in a page unless the caller asks for fewer.
const PAGE: usize = 250;
/// Most bytes of a page with more than one object.
const PAGE_LIMIT: usize = 64 << 20;
/// Most bytes of a page with one object.
const SINGLE_LIMIT: usize = 256 << 20;
/// A page below the first has too few objects; one above the second has too many.
const GOOD_SIZE: (usize, usize) = (4 << 20, 32 << 20);
/// Asks for the metadata of the objects only; a server that cannot send that sends whole objects,
/// which read the same.
pub(crate) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// What to list and watch.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// What it is, for messages: "task runs".
    pub(crate) what: String,
    /// API path, without query.
    pub(crate) path: ApiPath,
    /// Only the object of this name.
    pub(crate) name: Option<String>,
    /// Only objects with these labels.
    pub(crate) labels: Option<String>,
}

impl Source {
    /// Reads from it. The buffers of a connection contain what came through it last, so one that a
    /// secret came through is not used again.
    pub(super) fn get(&self, action: String, parameters: &[(&str, &str)]) -> Call<'_> {
        let call = Call::get(action, self.uri(parameters));
        if self.is_secret() {
            call.closing()
        } else {
            call
        }
    }

    /// Whether its objects are secrets.
    pub(super) fn is_secret(&self) -> bool {
        self.path.is_collection_of(Resource::SECRETS)
    }

    /// Path and query, with these parameters; empty ones are left out.
    fn uri(&self, parameters: &[(&str, &str)]) -> ApiPath {
        let name = self.name.as_ref();
        let name = name.map_or_else(String::new, |name| format!("metadata.name={name}"));
        let labels = self.labels.as_deref().unwrap_or_default();
        let path = self.path.clone().query(parameters);
        path.query(&[("fieldSelector", &name), ("labelSelector", labels)])
    }
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    /// It was refused, or did not come.
    #[error(transparent)]
    Call(#[from] CallError),
    /// What came is something else.
    #[error("cannot {action}: the API server sent something that is not a list")]
    Malformed {
        /// What was being done.
        action: String,
        /// What is wrong with it.
        source: SplitError,
    },
    /// The same page came twice.
    #[error("cannot {action}: the API server repeats the same page")]
    Repeated {
        /// What was being done.
        action: String,
    },
}

/// An object of a list.
#[derive(Debug)]
pub(crate) enum Listed {
    /// As it was sent.
    Object(Bytes),
    /// It is larger than what is read.
    TooLarge(TooLarge),
}

/// An object that is larger than what is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object} is larger than {OBJECT_LIMIT} bytes")]
pub(crate) struct TooLarge {
    /// Its name, as far as it is known.
    pub(crate) name: String,
    /// What names it in a sentence.
    pub(super) object: String,
}

impl TooLarge {
    /// What is known of an object of this kind from its beginning.
    pub(super) fn new(head: &[u8], what: &str) -> Self {
        let identity = Identity::peek(head);
        Self {
            object: identity.of(what),
            name: identity.name,
        }
    }
}

/// A list that is read object by object.
pub(crate) struct List<'a> {
    client: &'a Client,
    source: &'a Source,
    accept: &'a str,
    /// Objects in a page: now, and at most.
    size: usize,
    most: usize,
    place: Place,
    page: Option<Page>,
    /// Uids of the objects that the page under way has shown.
    shown: HashSet<String>,
    /// Uids of the objects that pages showed that broke off later.
    before: HashSet<String>,
    /// The version at which the list began.
    version: Option<String>,
    /// The list was continued after it had become too old, and has shown no page since.
    is_renewed: bool,
}

/// Where in the list the page is that is read now, or next.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    First,
    At(String),
    End,
}

impl<'a> List<'a> {
    /// The objects of a source, whole.
    pub(crate) fn new(client: &'a Client, source: &'a Source) -> Self {
        Self {
            client,
            source,
            accept: "application/json",
            size: PAGE,
            most: PAGE,
            place: Place::First,
            page: None,
            shown: HashSet::new(),
            before: HashSet::new(),
            version: None,
            is_renewed: false,
        }
    }

    /// The same with at most `size` objects in a page.
    pub(crate) fn in_pages_of(self, size: usize) -> Self {
        let most = size;
        Self { size, most, ..self }
    }

    /// The same in another representation.
    pub(crate) fn accept(self, accept: &'a str) -> Self {
        Self { accept, ..self }
    }

    /// The version at which the list began, from which it can be watched; known after the first page.
    /// Objects of a list that was continued after it had become too old may be newer.
    pub(crate) fn version(&self) -> &str {
        self.version.as_deref().unwrap_or_default()
    }

    /// Reads the next object; there is none after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Listed>, ListError> {
        loop {
            let Some(page) = &mut self.page else {
                if self.place == Place::End {
                    return Ok(None);
                }
                match self.open().await {
                    Ok(page) => self.page = Some(page),
                    Err(error) => self.recover(PageError::Call(error))?,
                }
                continue;
            };
            match page.next().await {
                Ok(Some(piece)) => {
                    if let Some(listed) = self.listed(piece) {
                        return Ok(Some(listed));
                    }
                }
                Ok(None) => self.turn()?,
                Err(error) => self.recover(error)?,
            }
        }
    }

    async fn open(&mut self) -> Result<Page, CallError> {
        let token = match &self.place {
            Place::At(token) => token,
            Place::First | Place::End => "",
        };
        let parameters = [("limit", &*self.size.to_string()), ("continue", token)];
        let call = self.source.get(self.action(), &parameters);
        let call = call.accept(self.accept);
        let limit = if self.size > 1 {
            PAGE_LIMIT
        } else {
            SINGLE_LIMIT
        };
        Page::open(self.client, call, limit).await
    }

    /// What is handed on of a piece; nothing if that was done before.
    fn listed(&mut self, piece: Piece) -> Option<Listed> {
        let (Piece::Object(head) | Piece::TooLarge(head)) = &piece;
        let uid = Identity::peek(head).uid;
        if !uid.is_empty() {
            self.shown.insert(uid.clone());
            if self.before.remove(&uid) {
                return None;
            }
        }
        Some(match piece {
            Piece::Object(object) => Listed::Object(object),
            Piece::TooLarge(head) => Listed::TooLarge(TooLarge::new(&head, &self.source.what)),
        })
    }

    /// Goes on to the next page.
    fn turn(&mut self) -> Result<(), ListError> {
        let Some(page) = self.page.take() else {
            return Ok(());
        };
        let bytes = page.bytes;
        let Metadata {
            resource_version,
            next,
        } = match page.finish() {
            Ok(metadata) => metadata,
            Err(error) => return self.recover(error),
        };
        if self.version.is_none() {
            self.version = resource_version;
        }
        let place = match next.filter(|token| !token.is_empty()) {
            Some(token) => Place::At(token),
            None => Place::End,
        };
        if place == self.place {
            let action = self.action();
            return Err(ListError::Repeated { action });
        }
        self.place = place;
        self.is_renewed = false;
        self.shown.clear();
        if bytes < GOOD_SIZE.0 {
            self.size = (self.size * 2).min(self.most);
        } else if bytes > GOOD_SIZE.1 {
            self.size = (self.size / 2).max(1);
        }
        Ok(())
    }

    /// Finds a way to go on after a page that broke off: a smaller page at the same place, or the
    /// place that the API server offers.
    fn recover(&mut self, error: PageError) -> Result<(), ListError> {
        self.page = None;
        let shown = std::mem::take(&mut self.shown);
        let seen = shown.len();
        self.before.extend(shown);
        if let PageError::Call(CallError::Refused {
            status: 410,
            next: Some(token),
            ..
        }) = &error
            && !self.is_renewed
        {
            tracing::info!(
                source = self.source.what,
                "the list became too old while it was read; going on with its newest state"
            );
            self.place = Place::At(token.clone());
            self.is_renewed = true;
            return Ok(());
        }
        if self.size == 1 || !error.is_about_size() {
            return Err(self.failed(error));
        }
        let is_silent = matches!(error, PageError::Call(CallError::TimedOut { .. }));
        let fitting = match seen {
            // nothing came in a long time: if that was for want of a smaller page, it is the smallest
            0 if is_silent => 1,
            0 => self.size,
            // a page that showed something is asked for again with what is sure to fit
            _ => seen.div_ceil(2),
        };
        self.size = (self.size / 2).min(fitting).max(1);
        tracing::info!(
            source = self.source.what,
            size = self.size,
            "a page of the list could not be read as a whole; asking for a smaller one"
        );
        Ok(())
    }

    fn failed(&self, error: PageError) -> ListError {
        match error {
            PageError::Call(error) => ListError::Call(error),
            PageError::Split(source) => ListError::Malformed {
                action: self.action(),
                source,
            },
        }
    }

    fn action(&self) -> String {
        format!("list {}", self.source.what)
    }
}

#[cfg(test)]
mod tests;
