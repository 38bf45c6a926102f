//! Runs whose finalizer was taken off, so that it is taken off once: Tekton Chains puts it back on
//! every run it sees, and two controllers would undo each other's writes without end. The finalizer
//! then stays until the run is deleted.

use windlass_core::recent::Recent;

/// The uids of released runs, as many as are remembered.
pub(super) type Released = Recent<String, 16_384>;
