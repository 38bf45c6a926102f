//! windlass signs what Tekton builds.
fn main() {}
