//! A client that makes only the requests that signing takes: nothing is verified, repeated, read back or
//! signed, and what it writes is as long as what windlass writes. Its rate is the most that this
//! cluster and this registry allow, for `load --controller`:
//!
//! `load signing-tr-tekton-bigbang --controller target/release/bare`
//!
//! It takes the finished runs that it finds at its start, and waits until it is ended.

use std::future::pending;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use windlass_e2e::Api;

mod push;
mod text;

use self::push::Pusher;
use self::text::Text;

/// Write what signing the finished task runs of a cluster would write
#[derive(Debug, Parser)]
#[command(name = "bare", max_term_width = 100)]
struct Arguments {
    /// Cluster
    #[arg(long, env = "KUBECONFIG")]
    kubeconfig: PathBuf,
    /// Runs that are worked on at once
    #[arg(long, env = "BARE_AT_ONCE", default_value_t = 64)]
    at_once: usize,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let api = Api::connect(&arguments.kubeconfig).await?;
    let runs = api.list("/apis/tekton.dev/v1/taskruns").await?;
    let pusher = Pusher::new(&api).await?;
    let each = stream::iter(runs.iter().filter(|run| is_unsigned(run)));
    let each = each.map(|run| sign(&api, &pusher, run));
    let mut each = each.buffer_unordered(arguments.at_once);
    while each.try_next().await?.is_some() {}
    pending::<()>().await;
    Ok(())
}

fn is_unsigned(run: &Value) -> bool {
    let is_finished = run["status"]["completionTime"].is_string();
    is_finished && run["metadata"]["annotations"]["chains.tekton.dev/signed"].is_null()
}

/// The requests of one run: to the registry if it built an image, and one to the API server.
async fn sign(api: &Api, pusher: &Pusher, run: &Value) -> Result<()> {
    let metadata = &run["metadata"];
    let text = |field: &str| metadata[field].as_str().context("a run without a name");
    let (namespace, name, uid) = (text("namespace")?, text("name")?, text("uid")?);
    let mut annotations = json!({
        "chains.tekton.dev/signed": "true",
        "chains.tekton.dev/seal": Text::new(name).take(text::SEAL),
    });
    if let Some(image) = image(run) {
        pusher.push(image, name).await?;
    } else {
        let mut text = Text::new(name);
        for (what, length) in text::ANNOTATIONS {
            let key = format!("chains.tekton.dev/{what}-taskrun-{uid}");
            annotations[key] = json!(text.take(length));
        }
    }
    let change = json!({ "metadata": {
        "annotations": annotations, "resourceVersion": metadata["resourceVersion"], "uid": uid,
    }});
    let path = format!("/apis/tekton.dev/v1/namespaces/{namespace}/taskruns/{name}");
    let done = api.merge(&path, &change).await;
    done.map(|_| ())
        .with_context(|| format!("cannot mark {name}"))
}

/// Repository and digest of the image that a run built.
fn image(run: &Value) -> Option<(&str, &str)> {
    let results = run["status"]["results"].as_array()?;
    let result = |name: &str| {
        let found = results.iter().find(|result| result["name"] == name)?;
        found["value"].as_str()
    };
    Some((result("IMAGE_URL")?, result("IMAGE_DIGEST")?))
}
