//! The run that a verb is about, on a cluster or in a file, with its task runs and the settings.

use anyhow::bail;
use clap::ValueHint;
use windlass_core::config::Config;
use windlass_registry::Reference;

use super::namespaces::OfSettings;
use super::run_files::RunFiles;
use super::target::{Last, Target, names_no_run, run_on_cluster, targets};
use crate::cluster::Connection;
use crate::input::Input;
use crate::inspect::documents::Documents;
use crate::inspect::on_cluster;

/// A run on a cluster, or in a file.
#[derive(Debug, clap::Args)]
pub(super) struct RunSource {
    /// The run: taskrun/NAME (tr/NAME) or pipelinerun/NAME (pr/NAME) on a cluster, or a file
    #[arg(value_name = "KIND/NAME")]
    pub(super) target: Vec<String>,
    /// File with the run, - for standard input
    #[arg(short = 'f', long = "filename", value_name = "RUN", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["target", "last", "namespace"])]
    pub(super) run: Option<Input>,
    /// The run created last in the namespace
    #[arg(short = 'L', long)]
    pub(super) last: bool,
    /// Namespace of the run (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    #[command(flatten)]
    pub(super) files: RunFiles,
    #[command(flatten)]
    settings: OfSettings,
}

impl RunSource {
    /// The file that the run is in, if it is in one.
    pub(super) fn file(&self) -> anyhow::Result<Option<Input>> {
        Ok(match self.target()? {
            Target::Content(input) => Some(input),
            _ => None,
        })
    }

    /// The run, its task runs, and the settings that it is signed with.
    pub(super) async fn read(
        &self,
        connection: &Connection,
        warnings: &mut Vec<String>,
    ) -> anyhow::Result<(Documents, Config)> {
        let target = self.target()?;
        if let Target::Content(input) = &target {
            let config = self.files.config(warnings)?;
            return Ok((self.files.documents(input)?, config));
        }
        let RunFiles { child, name, .. } = &self.files;
        if !child.is_empty() || name.is_some() {
            bail!(
                "--child and --name need --filename; on a cluster, windlass finds the task runs \
                 itself"
            );
        }
        let client = connection.connect().await?;
        let namespace = self.namespace.as_deref();
        let (kind, namespace, name) = run_on_cluster(&target, namespace, &client).await?;
        let config = if self.files.config.is_some() {
            self.files.config(warnings)?
        } else {
            let system = self.settings.find(&client).await?;
            on_cluster::config(&client, &system.name, warnings).await?
        };
        let documents = on_cluster::documents(&client, kind, &namespace, &name).await?;
        Ok((documents, config))
    }

    /// Whether what is typed can only be the name of an image.
    pub(super) fn names_image(&self) -> bool {
        let Ok(read) = targets(&self.target, Last::from(self.last)) else {
            return false;
        };
        let has_version = |image: &Reference| image.tag.is_some() || image.digest.is_some();
        matches!(&read[..], [Target::Image(image), ..] if has_version(image))
    }

    fn target(&self) -> anyhow::Result<Target> {
        if let Some(file) = &self.run {
            return Ok(Target::Content(file.clone()));
        }
        if self.target.is_empty() && !self.last {
            bail!(
                "no run is named; write taskrun/NAME or pipelinerun/NAME, give a file with --filename, \
                 or use --last"
            );
        }
        let read = targets(&self.target, Last::from(self.last)).map_err(anyhow::Error::msg)?;
        match &read[..] {
            [Target::Image(_)] => Err(names_no_run(&self.target[0])),
            [one] => Ok(one.clone()),
            _ => bail!("one run at a time; run the command for each"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use windlass_core::run::Kind;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        source: RunSource,
    }

    fn read(line: &str) -> anyhow::Result<Target> {
        let words = std::iter::once("windlass").chain(line.split_whitespace());
        Line::try_parse_from(words)?.source.target()
    }

    #[test]
    fn a_run_is_named_in_one_word_or_two() {
        for line in [
            "pr/release",
            "pipelinerun release",
            "pipelineruns.tekton.dev/release",
        ] {
            let target = read(line).unwrap();
            assert!(
                matches!(&target, Target::Run(Kind::Pipeline, name) if name == "release"),
                "{line}: {target:?}"
            );
        }
        assert!(matches!(read("--last").unwrap(), Target::Last(Kind::Task)));
        assert!(matches!(
            read("pr --last").unwrap(),
            Target::Last(Kind::Pipeline)
        ));
        assert!(matches!(
            read("-f -").unwrap(),
            Target::Content(Input::Stdin)
        ));
    }

    #[test]
    fn a_name_without_a_kind_is_refused_with_the_way_out() {
        let refusal = read("release").unwrap_err().to_string();
        assert!(refusal.contains("pipelinerun/NAME"), "{refusal}");
        assert!(read("pod/x").is_err());
        assert!(read("tr/a tr/b").is_err());
        assert!(read("tr/a -f run.yaml").is_err());
        assert!(read("").is_err());
    }
}
