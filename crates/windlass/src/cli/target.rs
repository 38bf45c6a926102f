//! What a verb is about, as it is typed: an image, a run on a cluster, a file, or standard input.

use std::path::Path;

use anyhow::{bail, ensure};
use kube::Client;
use windlass_core::run::Kind;
use windlass_registry::Reference;

use super::access::reference;
use super::{choice, output, saved};
use crate::input::Input;
use crate::inspect::runs::Runs;
use crate::inspect::selector::{RunSelector, kind_of};

/// Ends of the names of files that are written by tools for runs, envelopes and bundles. No image is
/// called like this.
const ENDS: [&str; 8] = [
    ".json", ".yaml", ".yml", ".att", ".sig", ".intoto", ".jsonl", ".bundle",
];

/// Kinds that kubectl knows and that are no runs.
const NO_RUNS: [&str; 16] = [
    "task",
    "tasks",
    "clustertask",
    "pipeline",
    "pipelines",
    "customrun",
    "run",
    "runs",
    "pod",
    "pods",
    "po",
    "deployment",
    "deployments",
    "deploy",
    "secret",
    "configmap",
];

/// What is looked at.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Run(Kind, String),
    /// The run of this kind that was created last.
    Last(Kind),
    Content(Input),
    Image(Reference),
}

/// Reads words as targets: each by itself, or a kind and the names of runs of that kind, as `kubectl`
/// takes them. With `--last` a kind may stand alone.
pub(super) fn targets(words: &[String], last: Last) -> Result<Vec<Target>, String> {
    if let Last::Wanted = last {
        return match words {
            [] => Ok(vec![Target::Last(Kind::Task)]),
            [word] => match kind_of(word) {
                Ok(kind) => Ok(vec![Target::Last(kind)]),
                Err(_) => Err(format!(
                    "--last is the run created last; leave out {word:?}, or write taskrun or \
                     pipelinerun"
                )),
            },
            _ => Err("--last is one run; leave out the names".to_owned()),
        };
    }
    let kind = words.first().and_then(|word| kind_of(word).ok());
    match (kind, words) {
        (Some(_), [word]) if !Path::new(word).is_file() => Err(format!(
            "the name of the {word} is missing; write {word}/NAME, or use --last"
        )),
        (Some(kind), [_, names @ ..]) if !names.is_empty() => {
            names.iter().map(|name| named(kind, name)).collect()
        }
        _ => words.iter().map(|word| target(word)).collect(),
    }
}

/// Targets, and the flags that choose among them.
#[derive(Debug, clap::Args)]
pub(super) struct RunTargets {
    /// Namespace of the run (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// File with the target, - for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["last", "targets"])]
    file: Option<Input>,
    /// Which run of a file with several (default: all of them)
    #[arg(long, value_name = "NAME")]
    name: Option<RunSelector>,
    /// The run created last in the namespace
    #[arg(short = 'L', long)]
    last: bool,
    /// IMAGE@DIGEST, IMAGE:TAG, taskrun/NAME, pipelinerun/NAME, or a file with an envelope, a bundle
    /// or runs, - for standard input
    #[arg(value_name = "TARGET", num_args = 1.., required_unless_present_any = ["last", "file"])]
    targets: Vec<String>,
}

impl RunTargets {
    /// What is meant.
    pub(super) fn read(&self) -> anyhow::Result<Vec<Target>> {
        if let Some(file) = &self.file {
            return Ok(vec![Target::Content(file.clone())]);
        }
        targets(&self.targets, Last::from(self.last)).map_err(anyhow::Error::msg)
    }

    /// What is typed, where every word is a folder.
    pub(super) fn folders(&self) -> anyhow::Result<&[String]> {
        let Self {
            namespace,
            file,
            name,
            last,
            targets,
        } = self;
        let is_about_runs = namespace.is_some() || file.is_some() || name.is_some() || *last;
        ensure!(
            !is_about_runs,
            "--local-image is about folders with images; leave out -n, -f, --name and --last"
        );
        Ok(targets)
    }

    /// Which run of a file is meant.
    pub(super) fn name(&self) -> Option<&RunSelector> {
        self.name.as_ref()
    }

    /// The kind, namespace and name of a run on a cluster.
    pub(super) async fn on_cluster(
        &self,
        target: &Target,
        client: &Client,
    ) -> anyhow::Result<(Kind, String, String)> {
        run_on_cluster(target, self.namespace.as_deref(), client).await
    }
}

/// The kind, namespace and name of a run on a cluster.
pub(super) async fn run_on_cluster(
    target: &Target,
    namespace: Option<&str>,
    client: &Client,
) -> anyhow::Result<(Kind, String, String)> {
    let namespace = namespace.unwrap_or(client.default_namespace()).to_owned();
    let (kind, name) = match target {
        Target::Run(kind, name) => (*kind, name.clone()),
        Target::Last(kind) => {
            let runs = Runs::new(client, *kind, Some(&namespace))?;
            (*kind, runs.last().await?)
        }
        Target::Content(input) => bail!("{input} is a file, and not a run on a cluster"),
        Target::Image(image) => return Err(names_no_run(&image.to_string())),
    };
    Ok((kind, namespace, name))
}

/// The name of a run, in a verb about runs of one kind, that is typed with or without that kind. The error
/// names the verb that is about the other kind.
pub(super) fn own_name(kind: Kind, typed: &str, verb: &str) -> anyhow::Result<String> {
    let Some((word, name)) = typed.split_once('/') else {
        return Ok(typed.to_owned());
    };
    match kind_of(word) {
        Ok(other) if other == kind => Ok(name.to_owned()),
        Ok(other) => bail!(
            "{typed} is no {}; use `windlass {} {verb} {name}`",
            kind.name(),
            other.singular()
        ),
        // the name is refused as it is
        Err(_) => Ok(typed.to_owned()),
    }
}

/// The one run that a verb about runs of one kind is about.
#[derive(Debug, clap::Args)]
pub(super) struct RunName {
    /// Name of the run, or KIND/NAME
    name: Option<String>,
    /// The run created last in the namespace
    #[arg(short = 'L', long, conflicts_with = "name")]
    last: bool,
    /// How many of the newest runs a person chooses from, if one is asked; 0 for all.
    #[arg(skip)]
    choose_from: Option<usize>,
}

/// The same for a verb that shows one run and passes over further words, as tkn does.
#[derive(Debug, clap::Args)]
pub(super) struct ShownRun {
    #[command(flatten)]
    run: RunName,
    /// Choose the run from a list, by a number or a part of its name
    #[arg(short = 'F', long)]
    fzf: bool,
    /// With --fzf, choose from at most this many of the newest runs; 0 shows all
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 0,
        hide_default_value = true,
        allow_negative_numbers = true,
        value_parser = super::number::limit
    )]
    limit: usize,
    /// Further names, of which tkn takes no notice
    #[arg(value_name = "REST", hide = true)]
    rest: Vec<String>,
}

impl ShownRun {
    /// The run: a name behind its kind belongs to it, and others are passed over with a note.
    pub(super) fn name(self) -> RunName {
        let Self {
            mut run,
            fzf,
            limit,
            mut rest,
        } = self;
        run.choose_from = fzf.then_some(limit);
        if let Some(kind) = &run.name
            && !rest.is_empty()
            && kind_of(kind).is_ok()
        {
            run.name = Some(format!("{kind}/{}", rest.remove(0)));
        }
        if !rest.is_empty() {
            let rest = rest.join(" ");
            output::warn(&[format!("one run is shown at a time; not shown: {rest}")]);
        }
        run
    }
}

impl RunName {
    /// Whether a run is meant at all, before the cluster is asked anything.
    pub(super) fn check(&self, kind: Kind) -> anyhow::Result<()> {
        let is_meant = self.last || self.name.is_some() || self.choose_from.is_some();
        ensure!(
            is_meant,
            "name a {}, or use --last for the newest one",
            kind.name()
        );
        Ok(())
    }

    /// The name that is meant; `verb` is what was typed.
    pub(super) async fn read(
        &self,
        runs: &Runs<'_>,
        kind: Kind,
        verb: &str,
    ) -> anyhow::Result<String> {
        match (&self.name, self.choose_from) {
            (Some(name), _) => own_name(kind, name, verb),
            // as with tkn, a run that is named in whichever way is not asked for
            (None, Some(limit)) if !self.last => choice::run(runs, kind, limit).await,
            (None, _) => Ok(runs.last().await?),
        }
    }
}

/// The refusal of an image, or of a name without a kind, where a run is meant.
pub(super) fn names_no_run(typed: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "{typed} names no run; write taskrun/NAME or pipelinerun/NAME, or give a file with -f"
    )
}

/// Whether the run created last is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Wanted,
    No,
}

impl From<bool> for Last {
    fn from(flag: bool) -> Self {
        if flag { Self::Wanted } else { Self::No }
    }
}

fn named(kind: Kind, name: &str) -> Result<Target, String> {
    if name.is_empty() || name.contains('/') {
        let kind = kind.name();
        return Err(match name {
            "" => format!("the name of the {kind} is missing; write it behind the slash"),
            _ => format!("{name:?} cannot be the name of a {kind}"),
        });
    }
    Ok(Target::Run(kind, name.to_owned()))
}

fn target(word: &str) -> Result<Target, String> {
    if word == "-" {
        return Ok(Target::Content(Input::Stdin));
    }
    if let Some((kind, name)) = word.split_once('/')
        && let Ok(kind) = kind_of(kind)
    {
        return named(kind, name);
    }
    let path = Path::new(word);
    if path.is_file() {
        return Ok(Target::Content(Input::File(path.to_owned())));
    }
    if let Some(hint) = saved::hint(word) {
        return Err(hint);
    }
    if path.is_dir() {
        return Err(format!(
            "{word} is a folder; name a file, a run or an image"
        ));
    }
    // what stands in a path can be told from what names an image only by how it begins and ends
    let begins = word.starts_with(['.', '/', '~']);
    if begins
        || ENDS
            .iter()
            .any(|end| word.to_ascii_lowercase().ends_with(end))
    {
        return Err(format!("there is no file {word}"));
    }
    if let Some((kind, _)) = word.split_once('/')
        && NO_RUNS.contains(&kind.to_ascii_lowercase().as_str())
    {
        return Err(format!(
            "{word} is not a run, which is taskrun/NAME or pipelinerun/NAME; if it is an image, write \
             docker.io/{word}"
        ));
    }
    let image = reference(word).map_err(|error| {
        format!("{word:?} is not a file, not taskrun/NAME or pipelinerun/NAME, and not an image: {error}")
    })?;
    Ok(Target::Image(image))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<Target>, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        targets(&words, Last::No)
    }

    #[test]
    fn a_kind_is_followed_by_names_or_joined_to_one() {
        for line in ["taskrun a", "tr/a", "taskruns.tekton.dev a", "TaskRun/a"] {
            let found = read(line).unwrap();
            assert!(
                matches!(&found[..], [Target::Run(Kind::Task, name)] if name == "a"),
                "{line}: {found:?}"
            );
        }
        assert_eq!(read("pr a b").unwrap().len(), 2);
        assert_eq!(read("tr/a pr/b r.io/app:v1").unwrap().len(), 3);
        assert!(read("taskrun").unwrap_err().contains("--last"));
        assert!(read("taskrun a/b").is_err());
    }

    #[test]
    fn the_last_run_needs_no_name_and_takes_none() {
        let words =
            |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
        let last = |line: &str| targets(&words(line), Last::Wanted);
        assert!(matches!(last("").unwrap()[..], [Target::Last(Kind::Task)]));
        assert!(matches!(
            last("pr").unwrap()[..],
            [Target::Last(Kind::Pipeline)]
        ));
        assert!(last("build").unwrap_err().contains("leave out"));
        assert!(last("tr build").is_err());
    }

    #[test]
    fn a_file_that_does_not_exist_is_never_looked_for_in_a_registry() {
        for word in [
            "envelop.json",
            "./x",
            "/tmp/x/y",
            "a/run.YAML",
            "~/x",
            "../a",
        ] {
            assert!(read(word).unwrap_err().contains("no file"), "{word}");
        }
        assert!(read("tr/").unwrap_err().contains("is missing"));
        for word in ["task/build", "Pipeline/release", "po/x", "task/a:v1"] {
            let refusal = read(word).unwrap_err();
            assert!(
                refusal.contains(&format!("write docker.io/{word}")),
                "{word}"
            );
        }
        assert!(read(".").unwrap_err().contains("folder"));
        assert!(matches!(
            read("-").unwrap()[..],
            [Target::Content(Input::Stdin)]
        ));
        assert!(matches!(read("r.io/app").unwrap()[..], [Target::Image(_)]));
    }
}
