//! `registry check`: lists the credentials of an account for an image's repository, in the order in
//! which the controller tries them, and what each may do.

use std::process::ExitCode;

use serde_json::{Value, json};
use windlass_registry::Reference;
use windlass_registry::keychain::{Account, Candidate};

use crate::cli::access::{Transport, reference};
use crate::cli::output::{self, Format, clean, table::Table};
use crate::cluster::Connection;
use crate::inspect::push_access::{Denial, ProbeResult, Pull, PushAccess};

/// Show an account's credentials for an image, and whether one may push
///
/// Tries each credential: reads the image, then starts and cancels an upload. Exit status: 0 one
/// may push, 1 none may push, 2 could not be checked. The credentials of the controller itself,
/// which registries.shared-credentials in windlass-config shares, cannot be seen by this command.
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
    /// json, yaml, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE or go-template=TEMPLATE
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
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
        let exemptions = self.transport.exemptions();
        let access = PushAccess::probe(&kube, &account, &self.image, exemptions).await?;
        output::write(match &self.output {
            None => self.text(&account, &access).into_bytes(),
            Some(format) => {
                let name = self.image.repository.to_string();
                format.text(&self.document(&account, &access), &[name])?
            }
        })?;
        Ok(match access.pushing() {
            Some(_) => ExitCode::SUCCESS,
            None if access.unread.is_empty() => ExitCode::from(1),
            None => ExitCode::from(2),
        })
    }

    /// The findings, for programs.
    fn document(&self, account: &Account, access: &PushAccess) -> Value {
        let credentials = access.results.iter().map(|result| {
            let Candidate { source, key, .. } = &result.candidate;
            json!({
                "source": source,
                "for": key,
                "pull": !matches!(result.pull, Pull::Denied(_)),
                "push": result.push.is_ok(),
                "status": result.push.err().and_then(|denial| denial.status),
            })
        });
        let pushing = access.pushing();
        json!({
            "repository": self.image.repository.to_string(),
            "namespace": account.namespace,
            "serviceAccount": account.name,
            "credentials": credentials.collect::<Vec<_>>(),
            // not known where something could not be read
            "canPush": (pushing.is_some() || access.unread.is_empty()).then_some(pushing.is_some()),
            "unread": access.unread,
            "warnings": access.notes,
        })
    }

    fn text(&self, account: &Account, access: &PushAccess) -> String {
        let Account { namespace, name } = account;
        let repository = &self.image.repository;
        let mut text = format!("{repository}, service account {namespace}/{name}\n\n");
        text.push_str(&table(&access.results));
        text.push('\n');
        // where nothing pushes, it is the verdict that says what could not be read
        let unread = access.pushing().map_or(&[][..], |_| &access.unread);
        for told in access.notes.iter().chain(unread) {
            text.extend(["warning: ", &clean::line(told), "\n"]);
        }
        let verdict = match access.pushing() {
            Some(candidate) => format!("Runs of this account push with: {}", candidate.source),
            None if !access.unread.is_empty() => format!(
                "Whether runs of this account can push is not known: {}.\n\
                 Check the names of the account and its namespace (-n), and ask for the right to get \
                 serviceaccounts and secrets there.",
                clean::line(&access.unread.join("; "))
            ),
            None if access.results.len() == 1 => format!(
                "Runs of this account cannot push: it has no credential for {repository}.\n\
                 Grant one:  windlass registry grant --docker-config FILE -n {namespace} \
                 --service-account {name} --registry {repository}"
            ),
            None => format!(
                "Runs of this account cannot push: none of its credentials has push access.\n\
                 Give one of them push access to {repository}, or add another one."
            ),
        };
        text + &verdict + "\n"
    }
}

fn table(results: &[ProbeResult]) -> String {
    let mut table = Table::new(["", "CREDENTIAL", "FOR", "PULL", "PUSH"]);
    for (number, result) in results.iter().enumerate() {
        let Candidate { source, key, .. } = &result.candidate;
        let pull = match result.pull {
            Pull::Allowed => "yes".to_owned(),
            Pull::NotFound => "yes, image not found".to_owned(),
            Pull::Denied(denial) => no(denial),
        };
        let push = match result.push {
            Ok(()) => "yes".to_owned(),
            Err(denial) => no(denial),
        };
        let key = key.as_deref().map_or("---".into(), clean::short);
        table.row([(number + 1).to_string(), source.clone(), key, pull, push]);
    }
    table.text("")
}

fn no(denial: Denial) -> String {
    let status = denial.status.map(|status| format!("no, HTTP {status}"));
    status.unwrap_or_else(|| "no".to_owned())
}
