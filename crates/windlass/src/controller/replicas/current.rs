//! The share of now, and how often it grew: what was passed over before has to be listed again then.
//!
//! Growth is counted and not derived from two shares, since whoever looks late may miss that a share
//! shrank and grew again in between.

use tokio::sync::watch;

use super::share::Share;

/// The share of now.
#[derive(Debug, Default)]
pub(super) struct CurrentShare {
    share: watch::Sender<Share>,
    growth: watch::Sender<u64>,
}

/// What became of a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// It is known, or smaller.
    Other,
    /// It may have more than before.
    Growth,
}

impl CurrentShare {
    /// Replaces the share.
    pub(super) fn set(&self, share: Share) -> Change {
        let mut change = Change::None;
        self.share.send_if_modified(|current| {
            if *current == share {
                return false;
            }
            let grew = current.is_known() && share.may_exceed(current);
            change = if grew { Change::Growth } else { Change::Other };
            *current = share;
            true
        });
        // after the share, so that whoever lists again has it
        if change == Change::Growth {
            self.growth.send_modify(|count| *count += 1);
        }
        change
    }

    /// The share as it changes.
    pub(super) fn share(&self) -> watch::Receiver<Share> {
        self.share.subscribe()
    }

    /// How often it grew.
    pub(super) fn growth(&self) -> watch::Receiver<u64> {
        self.growth.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::replicas::share::Part;

    fn share(replicas: &[&str]) -> Share {
        Share::among(Part {
            own: "a".to_owned(),
            replicas: replicas.iter().map(ToString::to_string).collect(),
            divided: std::collections::BTreeSet::new(),
        })
    }

    #[test]
    fn a_share_that_shrinks_and_grows_again_grew_though_nobody_looked_in_between() {
        let current = CurrentShare::default();
        let growth = current.growth();
        assert_eq!(current.set(share(&["a", "b"])), Change::Other);
        assert_eq!(current.set(share(&["a", "b"])), Change::None);
        assert!(!growth.has_changed().unwrap(), "the first one is no growth");
        assert_eq!(current.set(share(&["a", "b", "c"])), Change::Other);
        assert!(!growth.has_changed().unwrap());
        assert_eq!(current.set(share(&["a", "b"])), Change::Growth);
        assert!(growth.has_changed().unwrap());
        assert_eq!(*current.share().borrow(), share(&["a", "b"]));
        assert_eq!(current.set(Share::Nothing), Change::Other);
        assert_eq!(current.set(share(&["a", "b"])), Change::Growth);
    }
}
