//! The flags of the verbs that read an exported run: its files, its configuration, its format.

use windlass_core::config::Config;
use windlass_core::format::{Format, UnknownFormat};
use windlass_core::payload::Payload;
use windlass_core::run::Run;

use crate::input::Input;
use crate::inspect::documents::Documents;
use crate::inspect::files;
use crate::inspect::selector::RunSelector;

/// Help text on files and formats, shared by the verbs.
pub(super) const HELP: &str =
    "Files are YAML or JSON as kubectl get writes them: one object, or a List. From a List,
windlass takes the run that no other run owns, with its task runs; use --name if there are several.
Several documents in one file are read as a List is.

Formats are in-toto (or slsa/v1, slsa-provenance/v0.2), slsa/v2alpha4 (or slsa-provenance/v1),
slsa/v2alpha3 and tekton.";

/// Further files, and the run to take from them.
#[derive(Debug, Default, clap::Args)]
pub(super) struct RunFiles {
    /// File with task runs of a pipeline run, - for standard input; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(super) child: Vec<Input>,
    /// Which run of a List: a name, or taskrun/NAME, or pipelinerun/NAME
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<RunSelector>,
    /// File with the config map chains-config, - for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<Input>,
}

impl RunFiles {
    /// Reads the run and its task runs.
    pub(super) fn documents(&self, run: &Input) -> anyhow::Result<Documents> {
        let inputs = self.child.iter().chain(&self.config).chain([run]);
        anyhow::ensure!(
            inputs.filter(|input| **input == Input::Stdin).count() < 2,
            "only one of the run, --child and --config can be read from standard input"
        );
        let mut documents = files::run(run, self.name.as_ref())?;
        for path in &self.child {
            documents.children.extend(files::children(path)?);
        }
        Ok(documents)
    }

    /// The configuration in the file, or else the defaults.
    pub(super) fn config(&self, warnings: &mut Vec<String>) -> anyhow::Result<Config> {
        match &self.config {
            Some(path) => Ok(files::config(path, warnings)?),
            None => Ok(Config::default()),
        }
    }
}

/// The payload in a format, or else in the configured one, with its warnings.
pub(super) fn payload(
    run: &Run<'_>,
    config: &Config,
    format: Option<Format>,
    warnings: &mut Vec<String>,
) -> anyhow::Result<Payload> {
    let configured = match run {
        Run::Task(_) => config.taskrun.format,
        Run::Pipeline(..) => config.pipelinerun.format,
    };
    let payload = Payload::of_run(run, config, format.unwrap_or(configured))?;
    warnings.extend(payload.warnings.iter().map(ToString::to_string));
    Ok(payload)
}

/// Reads the name of a format for runs.
pub(super) fn run_format(name: &str) -> Result<Format, String> {
    if name == Format::SimpleSigning.as_str() {
        let reason = "simplesigning describes an image, not a run; images are signed when their task \
                      run is";
        return Err(reason.to_owned());
    }
    name.parse()
        .map_err(|error: UnknownFormat| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simplesigning_is_refused_as_a_format_of_runs() {
        let refusal = run_format("simplesigning").unwrap_err();
        assert!(refusal.contains("describes an image"), "{refusal}");
        assert_eq!(run_format("slsa-provenance/v1"), Ok(Format::SlsaV2Alpha4));
        assert_eq!(run_format("slsa-provenance/v0.2"), Ok(Format::SlsaV1));
        assert!(run_format("slsa/v9").unwrap_err().contains("in-toto"));
    }
}
