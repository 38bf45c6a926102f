//! `registry check`: lists the credentials of an account for an image's repository, in the order in
//! which the controller tries them, and what each may do.

use std::process::ExitCode;

use windlass_registry::keychain::{Account, Candidate, Source, find};
use windlass_registry::{Error, Reference, Remote};

use crate::cli::access::{Transport, reference};
use crate::cli::output::{self, clean, table::Table};
use crate::cluster::Connection;
use crate::store::oci::{self, credentials};

/// Show an account's credentials for an image, and whether one may push
///
/// Tries each credential: reads the image, then starts and cancels an upload. Exit status: 0 one
/// may push, 1 none may push, 2 could not be checked. The Docker configuration and the cloud
/// identity of the controller's pod cannot be seen by this command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass registry check registry.example.com/team/app -n team-a --service-account build-bot")]
pub(crate) struct Check {
    /// The image that runs push
    #[arg(value_name = "IMAGE", value_parser = reference)]
    image: Reference,
    /// Namespace of the account (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Service account of the runs
    #[arg(long, value_name = "NAME", default_value = "default")]
    service_account: String,
    #[command(flatten)]
    transport: Transport,
}

/// What a candidate is allowed to do, in words.
struct ProbeResult {
    candidate: Candidate,
    pull: String,
    push: Result<(), String>,
}

impl Check {
    pub(super) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let kube = connection.connect().await?;
        let namespace = self
            .namespace
            .clone()
            .unwrap_or_else(|| kube.default_namespace().to_owned());
        let account = Account {
            namespace,
            name: self.service_account.clone(),
        };
        let sources = credentials::of_account(&kube, &account, std::iter::empty()).await?;
        let repository = &self.image.repository;
        let found = find(&sources, repository);
        let mut options = oci::options();
        // somebody waits for the answer, and asks again if it is none
        options.retry.attempts = 2;
        let client = oci::client(options, repository.registry(), self.transport.exemptions())?;
        let mut results = Vec::new();
        for alone in found.candidates.each() {
            let candidate = alone.iter().next().cloned();
            let remote = client.repository(repository.clone(), alone);
            if let Some(candidate) = candidate {
                results.push(self.probe(&remote, candidate).await?);
            }
        }
        let mut notes: Vec<String> = found.warnings.iter().map(ToString::to_string).collect();
        notes.extend(
            sources
                .iter()
                .filter_map(|source| self.without_entry(source)),
        );
        output::write(self.text(&account, &results, &notes))?;
        let may_push = results.iter().any(|one| one.push.is_ok());
        Ok(if may_push {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }

    async fn probe(&self, remote: &Remote, candidate: Candidate) -> Result<ProbeResult, Error> {
        let pull = match remote.head_manifest(&self.image.name()).await {
            Ok(Some(_)) => "yes".to_owned(),
            Ok(None) => "yes, image not found".to_owned(),
            Err(error) => denial(error)?,
        };
        let push = match remote.can_push().await {
            Ok(()) => Ok(()),
            Err(error) => Err(denial(error)?),
        };
        Ok(ProbeResult {
            candidate,
            pull,
            push,
        })
    }

    /// A note about a secret that was read and has nothing for this repository.
    fn without_entry(&self, source: &Source) -> Option<String> {
        let found = find(std::slice::from_ref(source), &self.image.repository);
        let Source::Secret(secret) = source else {
            return None;
        };
        let is_silent = found.warnings.is_empty() && found.candidates.iter().count() == 1;
        let repository = &self.image.repository;
        is_silent.then(|| format!("secret {}: it has no entry for {repository}", secret.name))
    }

    fn text(&self, account: &Account, results: &[ProbeResult], notes: &[String]) -> String {
        let Account { namespace, name } = account;
        let repository = &self.image.repository;
        let mut table = Table::new(["", "CREDENTIAL", "FOR", "PULL", "PUSH"]);
        for (number, one) in results.iter().enumerate() {
            let Candidate { source, key, .. } = &one.candidate;
            let push = one
                .push
                .as_ref()
                .map_or_else(Clone::clone, |()| "yes".to_owned());
            let key = key.as_deref().map_or("---".into(), clean::short);
            table.row([
                (number + 1).to_string(),
                source.clone(),
                key,
                one.pull.clone(),
                push,
            ]);
        }
        let mut text = format!("{repository}, service account {namespace}/{name}\n\n");
        text.push_str(&table.text(""));
        text.push('\n');
        for note in notes {
            text.extend(["warning: ", &clean::line(note), "\n"]);
        }
        let pushing = results.iter().find(|one| one.push.is_ok());
        let verdict = match pushing {
            Some(one) => format!("Runs of this account push with: {}", one.candidate.source),
            None if results.len() == 1 => format!(
                "Runs of this account cannot push: it has no credential for {repository}.\n\
                 Grant one:  windlass registry grant --docker-config FILE -n {namespace} \
                 --service-account {name}"
            ),
            None => format!(
                "Runs of this account cannot push: none of its credentials has push access.\n\
                 Give one of them push access to {repository}, or add another one."
            ),
        };
        text + &verdict + "\n"
    }
}

/// A denial in words; whatever else went wrong stays an error.
fn denial(error: Error) -> Result<String, Error> {
    let Error::Denied { attempts, .. } = &error else {
        return Err(error);
    };
    let status = attempts.first().and_then(|attempt| attempt.status);
    Ok(status.map_or("no".to_owned(), |status| format!("no, HTTP {status}")))
}
