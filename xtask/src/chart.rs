//! `deploy/chart`: the Helm chart, written from the manifests of `deploy/`, so that there is one source.
//!
//! A template is the manifest with its namespace, image and what depends on the cluster replaced. Each
//! replacement has to be found, so that a manifest that changes its shape is an error and not a chart
//! that is silently wrong.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The folder of the chart, from the root of the repository.
const FOLDER: &str = "deploy/chart";
/// The version of the chart and of the program.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The namespace that the manifests name.
const NAMESPACE: &str = "tekton-chains";

/// Writes the chart; names the files.
pub fn write(root: &Path) -> Result<String> {
    let files = files(root)?;
    let mut report = String::new();
    for (name, text) in files {
        let path = root.join(FOLDER).join(&name);
        let folder = path.parent().context("finding the folder of the chart")?;
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        writeln!(report, "{FOLDER}/{name}")?;
    }
    Ok(report)
}

/// The files of the chart by their names in it.
fn files(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::from([
        ("Chart.yaml".to_owned(), description()),
        ("values.yaml".to_owned(), values()),
    ]);
    for name in ["namespace", "rbac", "config", "controller", "network"] {
        let manifest = read(root, &format!("deploy/base/{name}.yaml"))?;
        files.insert(format!("templates/{name}.yaml"), template(name, &manifest)?);
    }
    let monitor = read(root, "deploy/components/monitoring/servicemonitor.yaml")?;
    let monitor = template("servicemonitor", &monitor)?;
    files.insert("templates/servicemonitor.yaml".to_owned(), monitor);
    Ok(files)
}

fn read(root: &Path, name: &str) -> Result<String> {
    let path = root.join(name);
    fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

fn description() -> String {
    format!(
        "# Written by `cargo run -p xtask -- chart` from deploy/base; change that.\n\
         apiVersion: v2\n\
         name: windlass\n\
         description: Signs what Tekton builds, in place of the Tekton Chains controller\n\
         type: application\n\
         version: {VERSION}\n\
         appVersion: {VERSION}\n\
         kubeVersion: \">=1.28.0-0\"\n"
    )
}

fn values() -> String {
    format!(
        "# Image of the controller.\n\
         image: windlass:{VERSION}\n\
         # Make the namespace of the release, with pod security enforced. Off for --create-namespace.\n\
         createNamespace: false\n\
         # Add a ServiceMonitor, for clusters with the Prometheus operator.\n\
         monitoring: false\n\
         # The cluster chooses the user of the pod; includes monitoring.\n\
         openshift: false\n"
    )
}

/// The template that a manifest becomes.
fn template(name: &str, manifest: &str) -> Result<String> {
    ensure!(!manifest.contains("{{"), "{name}.yaml has a template in it");
    let release = "{{ .Release.Namespace }}";
    let mut text = match name {
        "namespace" => only_if(".Values.createNamespace", manifest),
        "servicemonitor" => only_if("or .Values.monitoring .Values.openshift", manifest),
        _ => manifest.to_owned(),
    };
    if name == "namespace" {
        text = replaced(
            &text,
            &format!("  name: {NAMESPACE}\n"),
            &format!("  name: {release}\n"),
        )?;
    } else {
        let before = format!("namespace: {NAMESPACE}\n");
        text = replaced(&text, &before, &format!("namespace: {release}\n"))?;
    }
    if name == "controller" {
        let image = format!("image: windlass:{VERSION}\n");
        text = replaced(&text, &image, "image: {{ .Values.image }}\n")?;
        let user = "            runAsUser: 65532\n            runAsGroup: 65532\n";
        let guarded = format!(
            "            {{{{- if not .Values.openshift }}}}\n{user}            {{{{- end }}}}\n"
        );
        text = replaced(&text, user, &guarded)?;
    }
    Ok(text)
}

fn only_if(condition: &str, manifest: &str) -> String {
    format!("{{{{- if {condition} }}}}\n{manifest}{{{{- end }}}}\n")
}

/// The text with every occurrence replaced, of which there has to be one.
fn replaced(text: &str, from: &str, to: &str) -> Result<String> {
    ensure!(
        text.contains(from),
        "a manifest has no {from:?} any longer; mend xtask/src/chart.rs"
    );
    Ok(text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn the_chart_is_what_the_manifests_give() {
        let folder = root().join(FOLDER);
        for (name, text) in files(root()).unwrap() {
            let kept = fs::read_to_string(folder.join(&name)).unwrap_or_default();
            assert_eq!(kept, text, "{name}: run `cargo run -p xtask -- chart`");
        }
        let templates = fs::read_dir(folder.join("templates")).unwrap().count();
        assert_eq!(
            templates,
            files(root()).unwrap().len() - 2,
            "a template is left over"
        );
    }

    #[test]
    fn every_manifest_is_in_the_chart() {
        let list = read(root(), "deploy/base/kustomization.yaml").unwrap();
        let names = list.lines().filter_map(|line| line.strip_prefix("  - "));
        let files = files(root()).unwrap();
        let mut seen = 0;
        for name in names {
            assert!(files.contains_key(&format!("templates/{name}")), "{name}");
            seen += 1;
        }
        assert_eq!(seen, 5);
    }

    #[test]
    fn a_manifest_without_what_is_replaced_is_an_error() {
        let error = template("controller", "namespace: tekton-chains\n").unwrap_err();
        assert!(error.to_string().contains("image: windlass"), "{error}");
        assert!(template("rbac", "namespace: other\n").is_err());
    }
}
