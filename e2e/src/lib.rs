//! End-to-end scenarios against real servers.
