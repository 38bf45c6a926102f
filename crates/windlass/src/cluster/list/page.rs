//! One page of a list, read while it arrives.

use std::pin::Pin;

use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt};
use http_body_util::BodyExt;
use kube::Client;
use tokio::time::{Instant, timeout_at};

use super::split::{Metadata, Piece, SplitError, Splitter};
use crate::cluster::call::{CALL_TIMEOUT, Call, CallError, OBJECT_LIMIT};
use crate::cluster::cause;

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, kube::Error>> + Send>>;

/// A page that is being read.
pub(super) struct Page {
    action: String,
    chunks: Chunks,
    chunk: Bytes,
    splitter: Splitter,
    /// When all of it must have been read: the API server gives a list no longer than that.
    deadline: Instant,
    /// Most bytes that are read of it, and how many were read.
    limit: usize,
    pub(super) bytes: usize,
}

/// Why a page could not be read to its end.
#[derive(Debug)]
pub(super) enum PageError {
    Call(CallError),
    Split(SplitError),
}

impl PageError {
    /// Whether a smaller page may be read where this one could not.
    pub(super) fn is_about_size(&self) -> bool {
        match self {
            // the connection was closed in order, but too early
            Self::Split(error) => *error == SplitError::End,
            Self::Call(CallError::Refused { status, .. }) => matches!(status, 413 | 504),
            Self::Call(error) => matches!(
                error,
                CallError::TooLarge { .. } | CallError::TimedOut { .. } | CallError::Broken { .. }
            ),
        }
    }
}

impl Page {
    /// Asks for a page.
    pub(super) async fn open(
        client: &Client,
        call: Call<'_>,
        limit: usize,
    ) -> Result<Self, CallError> {
        let deadline = Instant::now() + CALL_TIMEOUT;
        let action = call.action().to_owned();
        let opened = timeout_at(deadline, call.open(client)).await;
        let Ok(opened) = opened else {
            return Err(CallError::TimedOut { action });
        };
        let (action, response) = opened?;
        Ok(Self {
            action,
            chunks: Box::pin(response.into_body().into_data_stream()),
            chunk: Bytes::new(),
            splitter: Splitter::new(OBJECT_LIMIT),
            deadline,
            limit,
            bytes: 0,
        })
    }

    /// The next object of the page; none behind the last.
    pub(super) async fn next(&mut self) -> Result<Option<Piece>, PageError> {
        loop {
            while !self.chunk.is_empty() {
                let (taken, piece) = self.splitter.feed(&self.chunk).map_err(PageError::Split)?;
                self.chunk.advance(taken);
                if piece.is_some() {
                    return Ok(piece);
                }
            }
            match self.more().await.map_err(PageError::Call)? {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(None),
            }
        }
    }

    async fn more(&mut self) -> Result<Option<Bytes>, CallError> {
        let action = || self.action.clone();
        let chunk = match timeout_at(self.deadline, self.chunks.next()).await {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(chunk))) => chunk,
            Ok(Some(Err(source))) => {
                let action = action();
                let cause = cause::of(&source);
                return Err(CallError::Broken { action, cause });
            }
            Err(_) => return Err(CallError::TimedOut { action: action() }),
        };
        self.bytes += chunk.len();
        if self.bytes > self.limit {
            let (action, limit) = (action(), self.limit);
            return Err(CallError::TooLarge { action, limit });
        }
        Ok(Some(chunk))
    }

    /// The metadata, once the last object was read.
    pub(super) fn finish(self) -> Result<Metadata, PageError> {
        self.splitter.finish().map_err(PageError::Split)
    }
}
