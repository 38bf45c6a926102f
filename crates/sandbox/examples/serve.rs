//! Serves a built-in cluster that runs task runs, until Ctrl-C:
//! `cargo run --example serve -- KUBECONFIG [NAMESPACE]…`.

use std::path::PathBuf;

use windlass_sandbox::steps::{self, StepRunner};
use windlass_sandbox::{Cluster, Options};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = PathBuf::from(
        arguments
            .next()
            .ok_or("name the kubeconfig file to write")?,
    );
    let options = Options {
        namespaces: arguments.collect(),
        ..Options::default()
    };
    let cluster = Cluster::start(options).await?;
    let runner = StepRunner::start(&cluster, steps::Options::default())?;
    tokio::fs::write(&path, cluster.kubeconfig()).await?;
    tokio::signal::ctrl_c().await?;
    runner.shutdown().await;
    cluster.shutdown().await;
    tokio::fs::remove_file(&path).await?;
    Ok(())
}
