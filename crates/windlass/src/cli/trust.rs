//! `trust`: whom certificates, logs and timestamps are believed by, and how old that is.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueHint;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{duration, within};
use super::output::table::Table;
use super::output::{self, age, clean};
use super::signer_flags::OriginFlags;
use super::trusted_root::RootRef;
use crate::cluster::Connection;
use crate::sign::reference::Location;
use crate::sigstore::trust::Trusted;
use crate::sigstore::tuf::origin::{Origin, PUBLIC_MIRROR};
use crate::sigstore::tuf::{self, Fetched, Freshness};
use crate::sigstore::{Policy, Rule, Verifier};

/// Show and update the trusted root of certificates and logs
///
/// It is a trusted root, fetched by The Update Framework from a root that is pinned: Sigstore's public
/// one unless `initialize` chose another. `verify` and its kin fetch it by themselves, once a day.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass trust show
  windlass trust update
  windlass trust initialize --mirror https://tuf.example.com --root root.json")]
pub(crate) struct Trust {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Show(Show),
    Update(Update),
    Initialize(Initialize),
}

/// Show the trusted root, and how old it is
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass trust show
  windlass trust show --offline -o json
  windlass trust show --trusted-root trusted_root.json
  windlass trust show --trusted-root k8s://tekton-chains/windlass-config")]
struct Show {
    /// Trusted root to show, instead of the one that is used: a file, or k8s://<namespace>/<configmap>
    #[arg(long, value_name = "FILE|REF", value_hint = ValueHint::FilePath, conflicts_with_all = ["tuf_mirror", "tuf_root"])]
    trusted_root: Option<RootRef>,
    #[command(flatten)]
    origin: OriginFlags,
    #[command(flatten)]
    limit: Limit,
    /// Output: text, json, or root, which is the file itself
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: TrustFormat,
}

/// Fetch the newest trusted root
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass trust update
  windlass trust update --tuf-mirror https://tuf.example.com --tuf-root root.json")]
struct Update {
    #[command(flatten)]
    origin: OriginFlags,
    #[command(flatten)]
    limit: Limit,
}

/// Choose a mirror and its root, and fetch the trusted root from it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass trust initialize
  windlass trust initialize --mirror https://tuf.example.com --root root.json")]
struct Initialize {
    /// Mirror to use from now on (default: Sigstore's public one)
    #[arg(long, value_name = "URL", default_value = PUBLIC_MIRROR)]
    mirror: String,
    /// Root of the mirror's metadata, root.json, got by another way than from the mirror (default: that
    /// of Sigstore's public instance)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    root: Option<PathBuf>,
    #[command(flatten)]
    limit: Limit,
}

#[derive(Debug, clap::Args)]
struct Limit {
    /// How long it may take altogether, such as 30s or 5m
    #[arg(short, long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    timeout: Duration,
}

/// How a trusted root is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum TrustFormat {
    Text,
    Json,
    Root,
}

impl Trust {
    /// Does what was asked for.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Show(verb) => verb.run(connection).await,
            Verb::Update(verb) => {
                let origin = verb.origin.origin()?;
                let fetched = fetch(&origin, Freshness::Now, &verb.limit).await?;
                done(&origin, &fetched)
            }
            Verb::Initialize(verb) => verb.run().await,
        }
    }
}

impl Show {
    async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let (root, source) = if let Some(root) = &self.trusted_root {
            let content = within(self.limit.timeout, root.read(connection)).await?;
            (content, Source::Given(root.clone()))
        } else {
            let origin = self.origin.origin()?;
            let fetched = fetch(&origin, self.origin.freshness(), &self.limit).await?;
            (fetched.content.clone(), Source::Mirror(origin, fetched))
        };
        let contents = contents(&root)
            .with_context(|| format!("cannot use the trusted root {}", source.name()))?;
        match self.output {
            TrustFormat::Text => output::write(text(&source, &contents))?,
            TrustFormat::Json => output::write(format!("{:#}\n", object(&source, &contents)))?,
            TrustFormat::Root => output::write(root)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Initialize {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let origin = tuf::place::origin(Some(&self.mirror), self.root.as_deref())?;
        let fetched = fetch(&origin, Freshness::Now, &self.limit).await?;
        tuf::place::choose(&origin)?;
        done(&origin, &fetched)
    }
}

/// Where a trusted root is from.
enum Source {
    Given(RootRef),
    Mirror(Origin, Fetched),
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Given(root) => clean::line(&root.to_string()).into_owned(),
            Self::Mirror(origin, _) => format!("of {}", clean::line(&origin.mirror)),
        }
    }
}

async fn fetch(origin: &Origin, freshness: Freshness, limit: &Limit) -> anyhow::Result<Fetched> {
    let fetched = async { Ok(tuf::trusted_root(origin, freshness).await?) };
    within(limit.timeout, fetched).await
}

fn done(origin: &Origin, fetched: &Fetched) -> anyhow::Result<ExitCode> {
    let contents = contents(&fetched.content).context("cannot use what was fetched")?;
    output::note(&format!(
        "The trusted root of {} has {} entries; version {} of its metadata's root expires at {}.",
        origin.mirror,
        contents.len(),
        fetched.root_version,
        fetched.root_expires
    ));
    Ok(ExitCode::SUCCESS)
}

fn contents(root: &[u8]) -> anyhow::Result<Vec<Trusted>> {
    let policy = Policy {
        log: Rule::Required,
        sct: Rule::Required,
        timestamp: Rule::Waived,
    };
    Ok(Verifier::new(root, policy)?.contents())
}

fn text(source: &Source, contents: &[Trusted]) -> String {
    let now = Timestamp::now();
    let mut lines = match source {
        Source::Given(root) => vec![format!("trusted root: {}", clean::line(&root.to_string()))],
        Source::Mirror(origin, fetched) => vec![
            format!("trusted root: of {}", clean::line(&origin.mirror)),
            format!(
                "fetched: {} ({})",
                age::ago(Some(fetched.at), now),
                fetched.at
            ),
            format!(
                "root of the metadata: version {}, expires at {}",
                fetched.root_version, fetched.root_expires
            ),
        ],
    };
    if let Source::Mirror(_, fetched) = source
        && let Some(expires) = fetched.expires
    {
        let word = if expires < now { "expired" } else { "valid" };
        lines.push(format!("metadata: {word}, until {expires}"));
    }
    let shown = |time: Option<Timestamp>| time.map_or("---".to_owned(), |time| time.to_string());
    let mut table = Table::new(["WHAT", "NAME", "FROM", "UNTIL"]);
    for one in contents {
        let name = clean::short(&one.name);
        table.row([
            one.role.name().to_owned(),
            name,
            shown(one.from),
            shown(one.until),
        ]);
    }
    format!("{}\n\n{}", lines.join("\n"), table.text(""))
}

fn object(source: &Source, contents: &[Trusted]) -> Value {
    let entries = contents.iter().map(|one| {
        json!({
            "what": one.role.name(),
            "name": one.name,
            "from": one.from.map(|time| time.to_string()),
            "until": one.until.map(|time| time.to_string()),
        })
    });
    let entries: Vec<Value> = entries.collect();
    match source {
        Source::Given(RootRef::File(path)) => {
            json!({ "file": path.to_string(), "entries": entries })
        }
        Source::Given(RootRef::ConfigMap(Location { namespace, name })) => json!({
            "configMap": { "namespace": namespace, "name": name },
            "entries": entries,
        }),
        Source::Mirror(origin, fetched) => json!({
            "mirror": origin.mirror,
            "fetched": fetched.at.to_string(),
            "rootVersion": fetched.root_version,
            "rootExpires": fetched.root_expires.to_string(),
            "expires": fetched.expires.map(|time| time.to_string()),
            "entries": entries,
        }),
    }
}
