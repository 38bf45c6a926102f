//! What the queue keeps in memory of runs that wait, and the bounds of it: of all namespaces together and
//! of each. Beyond them only the name of a run stays, and the run is read again when its turn comes.
//!
//! A namespace may keep three times as many bytes of runs as are free then. Alone it has three quarters
//! of the memory, so that a backlog of thousands is worked through without reading each run again; of
//! what it leaves, the next one has three quarters at most, and so on.

use std::collections::HashMap;

use crate::controller::work::Work;
use crate::pipeline::Progress;

/// The bounds of all namespaces together.
const MOST: Amount = Amount {
    bytes: 32 << 20,
    resting: 16_384,
    with_progress: 1000,
};
/// How many times as many bytes as are free a namespace may keep.
const PER_FREE: usize = 3;
/// A namespace has one of this many parts of what else is kept.
const NAMESPACE: usize = 4;

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Budget {
    all: Amount,
    namespaces: HashMap<String, Amount>,
    /// How many runs wait to be read back.
    pub(super) to_confirm: usize,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    /// Bytes of runs and of what was made of them.
    bytes: usize,
    /// Artifacts and entries that wait to be read back: about 2 kB each.
    resting: usize,
    /// Runs whose progress is kept between two passes; it is on the run as well, if it could be written.
    with_progress: usize,
}

impl Budget {
    /// Takes work in, without what there is no room for.
    pub(super) fn admit(&mut self, namespace: &str, work: Work) -> Work {
        let work = self.within_bounds(namespace, work);
        let amount = Amount::of(&work);
        self.to_confirm += usize::from(matches!(work, Work::Confirm(..)));
        self.all = self.all.plus(amount);
        if amount != Amount::default() {
            let used = self.namespaces.entry(namespace.to_owned()).or_default();
            *used = used.plus(amount);
        }
        work
    }

    /// Gives back what work takes.
    pub(super) fn release(&mut self, namespace: &str, work: &Work) {
        let amount = self.begin(work);
        self.end(namespace, amount);
    }

    /// Work is begun. What it takes is kept until it ends: a pass holds it while it waits for memory.
    pub(super) fn begin(&mut self, work: &Work) -> Amount {
        self.to_confirm -= usize::from(matches!(work, Work::Confirm(..)));
        Amount::of(work)
    }

    /// Gives back what work took that has ended.
    pub(super) fn end(&mut self, namespace: &str, amount: Amount) {
        self.all = self.all.minus(amount);
        if let Some(used) = self.namespaces.get_mut(namespace) {
            *used = used.minus(amount);
            if *used == Amount::default() {
                self.namespaces.remove(namespace);
            }
        }
    }

    fn within_bounds(&self, namespace: &str, work: Work) -> Work {
        let more = Amount::of(&work);
        let used = self.namespaces.get(namespace).copied().unwrap_or_default();
        let fits = |part: fn(&Amount) -> usize| {
            let share = part(&MOST) / NAMESPACE;
            (part(&used) == 0 || part(&used) + part(&more) <= share)
                && (part(&self.all) == 0 || part(&self.all) + part(&more) <= part(&MOST))
        };
        let resting = fits(|it| it.resting);
        let free = MOST.bytes.saturating_sub(self.all.bytes + more.bytes);
        let bytes = match used.bytes {
            // one run of a namespace may be larger than its share
            0 => self.all.bytes == 0 || self.all.bytes + more.bytes <= MOST.bytes,
            used => used + more.bytes <= PER_FREE * free,
        };
        let with_progress = bytes && fits(|it| it.with_progress);
        let progress = |kept: Progress| {
            if with_progress {
                kept
            } else {
                Progress::default()
            }
        };
        match work {
            Work::Confirm(_, kept) if !bytes || !resting => {
                // without the run, what cannot be made again mostly fits
                let kept = Work::Fetch(kept.without_confirmations());
                self.within_bounds(namespace, kept)
            }
            Work::Seen(_) if !bytes => Work::Fetch(Progress::default()),
            Work::Push(..) if !bytes => Work::Push(None, Progress::default()),
            // its signatures are on the run as it is now
            Work::Push(Some(run), kept)
                if !with_progress && !kept.is_empty() && run.written.is_some() =>
            {
                Work::Push(None, Progress::default())
            }
            Work::Push(run, kept) => Work::Push(run, progress(kept)),
            Work::Fetch(kept) => Work::Fetch(progress(kept)),
            work => work,
        }
    }
}

impl Amount {
    fn of(work: &Work) -> Self {
        let resting = match work {
            Work::Confirm(_, progress) => progress.weight(),
            _ => 0,
        };
        Self {
            bytes: work.bytes(),
            resting,
            with_progress: usize::from(work.has_progress()),
        }
    }

    fn plus(self, more: Self) -> Self {
        Self {
            bytes: self.bytes + more.bytes,
            resting: self.resting + more.resting,
            with_progress: self.with_progress + more.with_progress,
        }
    }

    fn minus(self, less: Self) -> Self {
        Self {
            bytes: self.bytes - less.bytes,
            resting: self.resting - less.resting,
            with_progress: self.with_progress - less.with_progress,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::controller::work::Snapshot;

    fn seen(bytes: usize) -> Work {
        Work::Seen(Bytes::from(vec![0; bytes]))
    }

    #[test]
    fn beyond_the_bound_the_name_of_a_run_is_all_that_is_kept() {
        let mut budget = Budget::default();
        let mut admit = |namespace: &str, bytes| budget.admit(namespace, seen(bytes));
        let is_whole = |work: &Work| matches!(work, Work::Seen(_));
        let of_b: Vec<Work> = (0..100).map(|_| admit("b", 1 << 20)).collect();
        assert_eq!(of_b.iter().filter(|work| is_whole(work)).count(), 24);
        // what one namespace keeps leaves room for another
        assert!(is_whole(&admit("a", 2 << 20)));
        assert!(is_whole(&admit("c", 5 << 20)), "the first is kept");
        assert!(
            !is_whole(&admit("c", 1 << 20)),
            "it has more than its share"
        );
        assert!(!is_whole(&admit("d", 2 << 20)), "there is no room");
        assert!(is_whole(&admit("e", 1 << 20)));
        for work in &of_b {
            budget.release("b", work);
        }
        budget.release("a", &seen(2 << 20));
        budget.release("c", &seen(5 << 20));
        budget.release("e", &seen(1 << 20));
        assert_eq!(budget.all, Amount::default());
        assert!(budget.namespaces.is_empty());
    }

    #[test]
    fn a_backlog_of_5000_runs_of_one_namespace_is_kept() {
        let mut budget = Budget::default();
        for _ in 0..5000 {
            let work = budget.admit("a", seen(5_000));
            assert!(matches!(work, Work::Seen(_)));
        }
    }

    #[test]
    fn what_a_pass_began_with_takes_memory_until_it_ends() {
        let mut budget = Budget::default();
        let work = |images| Work::Push(None, Progress::of_images(images));
        let begun = budget.admit("b", work(4000));
        let memory = budget.begin(&begun);
        assert!(!budget.admit("b", work(4000)).has_progress());
        budget.end("b", memory);
        assert!(budget.admit("b", work(4000)).has_progress());
    }

    #[test]
    fn without_room_for_signatures_a_run_that_has_them_by_now_is_read_again() {
        let mut budget = Budget::default();
        let mut admit = |written: Option<Bytes>| {
            let run = Snapshot {
                object: Bytes::from_static(b"{}"),
                written,
            };
            let work = Work::Push(Some(run), Progress::of_images(1));
            budget.admit("b", work)
        };
        for _ in 0..MOST.with_progress / NAMESPACE {
            assert!(admit(None).has_progress());
        }
        let written = Some(Bytes::from_static(b"{}"));
        assert!(matches!(admit(written), Work::Push(None, kept) if kept.is_empty()));
        assert!(matches!(admit(None), Work::Push(Some(_), kept) if kept.is_empty()));
    }

    #[test]
    fn what_is_signed_for_thousands_of_images_is_kept_of_few_runs() {
        let mut budget = Budget::default();
        let mut admit = |namespace: &str| {
            let work = Work::Push(None, Progress::of_images(4000));
            budget.admit(namespace, work).has_progress()
        };
        let of_b = (0..8).filter(|_| admit("b")).count();
        assert_eq!(of_b, 1, "of a namespace");
        let mut kept = 0;
        for namespace in ["c", "d", "e", "f"] {
            kept += (0..8).filter(|_| admit(namespace)).count();
        }
        assert!(kept <= 2, "{kept} more");
    }
}
