//! In-process servers on loopback for `windlass dev`, `windlass demo` and the tests.
