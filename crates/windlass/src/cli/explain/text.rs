//! The explanation as a person reads it.

use std::fmt::Write as _;

use windlass_core::artifact::Digests;
use windlass_core::explain::{Explanation, Origin, Signing};

use crate::cli::output::clean::line;

/// The whole text, a section a kind of thing.
pub(super) fn text(explanation: &Explanation) -> String {
    let mut text = String::new();
    let run = &explanation.run;
    let place = match run.namespace.as_str() {
        "" => String::new(),
        namespace => format!(" in namespace {}", line(namespace)),
    };
    add(&mut text, 0, &format!("{} {}{place}", run.kind, run.name));
    for signing in &explanation.artifacts {
        add(&mut text, 1, &signed(signing));
    }
    heading(&mut text, "Subjects", explanation.subjects.len());
    for subject in &explanation.subjects {
        item(&mut text, &subject.name, &subject.digest, &subject.from);
    }
    heading(&mut text, "Dependencies", explanation.dependencies.len());
    for dependency in &explanation.dependencies {
        let name = match dependency.uri.as_str() {
            "" => dependency.name.as_str(),
            uri => uri,
        };
        item(&mut text, name, &dependency.digest, &dependency.from);
    }
    if run.kind == "TaskRun" {
        heading(&mut text, "Images to sign", explanation.images.len());
    }
    for image in &explanation.images {
        item(&mut text, &image.reference, &Digests::new(), &image.from);
        add(&mut text, 2, &format!("key {}", image.short_key));
    }
    heading(&mut text, "Warnings", explanation.warnings.len());
    for warning in &explanation.warnings {
        add(&mut text, 1, &format!("- {warning}"));
    }
    text
}

fn add(text: &mut String, indent: usize, words: &str) {
    // writing to a string cannot fail
    let _ = writeln!(text, "{:width$}{}", "", line(words), width = indent * 2);
}

fn heading(text: &mut String, name: &str, count: usize) {
    text.push('\n');
    add(text, 0, &format!("{name} ({count})"));
}

fn item(text: &mut String, name: &str, digest: &Digests, from: &[Origin]) {
    add(text, 1, name);
    for (algorithm, hex) in digest {
        add(text, 2, &format!("{algorithm}:{hex}"));
    }
    for origin in from {
        add(text, 2, &format!("from {origin}"));
    }
}

fn signed(signing: &Signing) -> String {
    let name = match signing.artifact {
        "oci" => "images",
        _ => "run",
    };
    if !signing.enabled {
        return format!("{name}: not signed");
    }
    if let Some(why) = &signing.refused {
        return format!("{name}: will not be signed, because {why}");
    }
    let log = match signing.transparency {
        "always" => ", with an entry in the transparency log",
        "manual" => ", with an entry in the transparency log if the run asks for it",
        _ => "",
    };
    format!(
        "{name}: format {}, signer {}, stored in {}{log}",
        signing.format,
        signing.signer,
        signing.storage.join(", ")
    )
}
