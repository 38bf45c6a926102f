//! The ground that end-to-end scenarios stand on: real clusters, real clients, a shell.
//!
//! A scenario is a function that takes a [`Testbed`] and types commands into its [`Shell`]; it runs
//! unchanged against every [`Kind`] of cluster. Everything listens on loopback only and is stopped
//! when its owner is dropped. A part that is missing is an error, never a reason to skip.

mod api;
mod built_in;
mod bulk;
pub mod by_hand;
mod controller;
mod deployment;
pub mod etcd;
mod follow;
mod fulcio;
pub mod guide;
pub mod images;
mod local_kms;
pub mod metrics;
mod openbao;
pub mod page;
mod parts;
pub mod plan;
pub mod ports;
mod process;
pub mod proxy;
mod real;
mod registry;
mod rekor;
mod rekor_v1;
mod run_record;
pub mod runs;
mod shell;
mod softhsm;
mod testbed;
mod tokens;
pub mod trusted_root;
mod workstation;

pub use api::Api;
pub use bulk::Bulk;
pub use controller::{Command, Controller};
pub use deployment::Start;
pub use follow::Follow;
pub use fulcio::Fulcio;
pub use local_kms::LocalKms;
pub use openbao::OpenBao;
pub use parts::Cosign;
pub use registry::Registry;
pub use rekor::{RekorV2, Timestamps};
pub use rekor_v1::RekorV1;
pub use run_record::{RunRecord, key_of};
pub use shell::{Output, Shell};
pub use softhsm::SoftHsm;
pub use testbed::{Kind, Testbed};
pub use workstation::Workstation;

/// Declares the `#[test]`s of scenarios written as `fn(Kind) -> anyhow::Result<()>`: one module for
/// each kind of cluster, one test for each scenario.
#[macro_export]
macro_rules! on_both_clusters {
    ($($scenario:ident),+ $(,)?) => {
        mod real {
            $(#[test]
            fn $scenario() -> anyhow::Result<()> {
                super::$scenario(windlass_e2e::Kind::Real)
            })+
        }
        mod built_in {
            $(#[test]
            fn $scenario() -> anyhow::Result<()> {
                super::$scenario(windlass_e2e::Kind::BuiltIn)
            })+
        }
    };
}
