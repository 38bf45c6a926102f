//! What the system shows of this process's memory to others.

use rustix::process::{DumpableBehavior, Resource, Rlimit};
use rustix::process::{set_dumpable_behavior, setrlimit};

/// Keeps the memory, which contains keys and passwords, out of core dumps, and other processes of
/// the same user out of the memory.
pub(crate) fn forbid_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "cannot turn core dumps off");
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "cannot close this process's memory to other processes");
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn a_process_that_forbids_dumps_has_none_and_is_closed_to_other_processes() {
        forbid_dumps();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
