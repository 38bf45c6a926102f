//! What the containers of pods have written. Bounded: a container keeps its last lines, and all
//! containers together those that were started last.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

/// Most bytes of a container's log; older lines go.
const CONTAINER: usize = 1 << 20;
/// Most bytes of all logs; the logs of older containers go.
const ALL: usize = 64 << 20;
/// What a line costs besides its text.
const LINE: usize = 48;

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContainerKey {
    pub namespace: String,
    pub pod: String,
    pub container: String,
}

/// A line and when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub time: Timestamp,
    pub text: String,
}

/// The lines from a place on.
#[derive(Debug, Default)]
pub(crate) struct Excerpt {
    pub lines: Vec<Line>,
    /// The place after the last of them.
    pub next: u64,
    /// Nothing more is written.
    pub ended: bool,
}

#[derive(Debug, Default)]
struct Log {
    lines: VecDeque<Line>,
    /// The place of the first line that is still kept.
    first: u64,
    bytes: usize,
    ended: bool,
}

#[derive(Debug, Default)]
struct Logs {
    all: BTreeMap<ContainerKey, Log>,
    /// Oldest first.
    order: VecDeque<ContainerKey>,
    bytes: usize,
}

/// The logs of a cluster.
#[derive(Debug)]
pub(crate) struct PodLogs {
    logs: Mutex<Logs>,
    newest: watch::Sender<()>,
}

impl PodLogs {
    pub(crate) fn new() -> Self {
        Self {
            logs: Mutex::default(),
            newest: watch::Sender::new(()),
        }
    }

    /// Adds a line to the log of a container, which begins with its first line.
    pub(crate) fn append(&self, key: &ContainerKey, text: &str) {
        let mut logs = self.logs();
        logs.open(key);
        let cost = text.len() + LINE;
        let freed = match logs.all.get_mut(key) {
            Some(log) => log.push(text, cost),
            None => return,
        };
        logs.bytes = (logs.bytes + cost).saturating_sub(freed);
        logs.forget_oldest();
        drop(logs);
        self.newest.send_replace(());
    }

    /// Says that nothing more comes from a container.
    pub(crate) fn end(&self, key: &ContainerKey) {
        let mut logs = self.logs();
        logs.open(key);
        if let Some(log) = logs.all.get_mut(key) {
            log.ended = true;
        }
        drop(logs);
        self.newest.send_replace(());
    }

    /// What a container has written from a place on; nothing yet if it has not begun.
    pub(crate) fn read(&self, key: &ContainerKey, from: u64) -> Excerpt {
        let logs = self.logs();
        let Some(log) = logs.all.get(key) else {
            return Excerpt {
                next: from,
                ..Excerpt::default()
            };
        };
        let skip = usize::try_from(from.saturating_sub(log.first)).unwrap_or(usize::MAX);
        Excerpt {
            lines: log.lines.iter().skip(skip).cloned().collect(),
            next: log.first + log.lines.len() as u64,
            ended: log.ended,
        }
    }

    /// Tells of every new line.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.newest.subscribe()
    }

    fn logs(&self) -> MutexGuard<'_, Logs> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Logs {
    fn open(&mut self, key: &ContainerKey) {
        if self.all.contains_key(key) {
            return;
        }
        self.all.insert(key.clone(), Log::default());
        self.order.push_back(key.clone());
        self.bytes += LINE;
    }

    fn forget_oldest(&mut self) {
        while self.bytes > ALL && self.order.len() > 1 {
            let Some(log) = self.order.pop_front().and_then(|key| self.all.remove(&key)) else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(log.bytes + LINE);
        }
    }
}

impl Log {
    /// Adds a line; gives the bytes of those that had to go.
    fn push(&mut self, text: &str, cost: usize) -> usize {
        self.lines.push_back(Line {
            time: Timestamp::now(),
            text: text.to_owned(),
        });
        self.bytes += cost;
        let mut freed = 0;
        while self.bytes - freed > CONTAINER && self.lines.len() > 1 {
            let Some(line) = self.lines.pop_front() else {
                break;
            };
            freed += line.text.len() + LINE;
            self.first += 1;
        }
        self.bytes -= freed;
        freed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(pod: usize) -> ContainerKey {
        ContainerKey {
            namespace: "n".to_owned(),
            pod: pod.to_string(),
            container: "c".to_owned(),
        }
    }

    #[test]
    fn a_reader_goes_on_where_it_was() {
        let logs = PodLogs::new();
        logs.append(&key(0), "a");
        let first = logs.read(&key(0), 0);
        assert_eq!((first.lines.len(), first.next, first.ended), (1, 1, false));
        logs.append(&key(0), "b");
        logs.end(&key(0));
        let second = logs.read(&key(0), first.next);
        assert_eq!((&*second.lines[0].text, second.ended), ("b", true));
        assert_eq!(logs.read(&key(1), 0).lines, []);
    }

    #[test]
    fn old_lines_and_old_containers_make_room_for_new_ones() {
        let logs = PodLogs::new();
        let line = "x".repeat(100 << 10);
        for _ in 0..30 {
            logs.append(&key(0), &line);
        }
        let kept = logs.read(&key(0), 0);
        assert!(
            kept.lines.len() < 12 && kept.next == 30,
            "{}",
            kept.lines.len()
        );
        for pod in 1..100 {
            (0..20).for_each(|_| logs.append(&key(pod), &line));
        }
        assert!(logs.read(&key(0), 0).lines.is_empty());
        assert!(logs.logs().bytes <= ALL);
        assert!(!logs.read(&key(99), 0).lines.is_empty());
    }
}
