//! Transcripts: what a person sees who types these commands, in `tests/cmd/*.md`, one file a verb.
//!
//! They are compared byte for byte. After a change of a text, write them anew and read the
//! difference:
//!
//! ```console
//! $ TRANSCRIPTS=overwrite cargo test -p windlass --test it transcripts
//! $ git diff crates/windlass/tests/cmd
//! ```
//!
//! A new case is a line `$ windlass …` in a `console` block of its verb's file; the same command adds
//! what it prints, first to standard output and then to standard error, and its exit status unless
//! that is 0. All commands run in the same folder, whose files [`folder`] lists, and change nothing in
//! it.
//!
//! The crate trycmd does this as well, but it turns each backslash that is printed into a slash, and
//! the examples in our help have some.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windlass_core::dsse::Envelope;

use crate::attest::runs;
use crate::shell::Shell;

/// The transcripts: each file and its text.
fn transcripts() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// `task.yaml`, `pipeline.yaml` and both in `list.yaml`; the config map `deep.yaml`; a key pair in
/// `cosign.key` and `cosign.pub` with the password `sesame`; another public key in `other.pub`; a file
/// `blob.txt` and its signature `blob.sig`; the envelope of the task run in `envelope.json`, and with
/// another payload in `changed.json`; nothing in `empty`.
fn folder() -> Shell {
    let shell = runs::folder();
    shell.fixture("keys/cosign2-p256/cosign.pub", "other.pub");
    shell.fixture("keys/blob.txt", "blob.txt");
    shell.fixture("keys/cosign3-p256/blob.sig", "blob.sig");
    let envelope = shell.succeed("attest -f task.yaml --key cosign.key");
    shell.write("envelope.json", &envelope);
    let mut changed = Envelope::from_json(envelope.as_bytes()).unwrap();
    let statement = String::from_utf8(changed.decode_payload().unwrap()).unwrap();
    changed.payload = STANDARD.encode(statement.replace("r.io/app", "r.io/other"));
    shell.write("changed.json", changed.to_json());
    shell.write("empty", "");
    shell
}

/// The same transcript with what its commands print now.
fn replay(shell: &mut Shell, transcript: &str) -> String {
    let mut now = String::new();
    let mut in_block = false;
    for line in transcript.lines() {
        let is_fence = line.starts_with("```");
        if is_fence {
            in_block = line == "```console";
        }
        let command = line.strip_prefix("$ ").filter(|_| in_block);
        if in_block && !is_fence && command.is_none() {
            continue;
        }
        writeln!(now, "{line}").unwrap();
        if let Some(command) = command {
            now += &output(shell, command);
        }
    }
    now
}

/// What a command prints, and its exit status.
fn output(shell: &mut Shell, command: &str) -> String {
    let (before, words) = command.split_once("windlass").unwrap();
    let password = before.trim().strip_prefix("COSIGN_PASSWORD=");
    shell.password = password.map(str::to_owned);
    let outcome = shell.run(words);
    let mut text = String::new();
    for part in [&outcome.stdout, &outcome.stderr] {
        text += part;
        if !part.is_empty() && !part.ends_with('\n') {
            text.push('\n');
        }
    }
    let has_marks = text
        .lines()
        .any(|line| line.starts_with("$ ") || line.starts_with("```"));
    assert!(!has_marks, "{command}: a transcript cannot show {text}");
    if outcome.code != 0 {
        writeln!(text, "[exit status {}]", outcome.code).unwrap();
    }
    text
}

#[test]
fn the_transcripts_show_what_windlass_prints() {
    let overwrite = std::env::var("TRANSCRIPTS").is_ok_and(|how| how == "overwrite");
    let mut shell = folder();
    for (path, shown) in transcripts() {
        let now = replay(&mut shell, &shown);
        if overwrite {
            fs::write(path, now).unwrap();
            continue;
        }
        let commands = now.split("\n$ ").zip(shown.split("\n$ "));
        for (now, shown) in commands {
            assert_eq!(now, shown, "{}: TRANSCRIPTS=overwrite", path.display());
        }
        assert_eq!(now, shown, "{}", path.display());
    }
}

#[test]
fn every_verb_shows_its_help_in_a_transcript() {
    let shell = Shell::new();
    let texts: String = transcripts().into_iter().map(|(_, text)| text).collect();
    let mut verbs = vec![String::new()];
    let mut seen = 0;
    while let Some(verb) = verbs.pop() {
        let line = format!("{verb}--help");
        let shown = format!("\n$ windlass {line}\n");
        assert!(texts.contains(&shown), "no transcript has {shown}");
        verbs.extend(below(&verb, &shell.succeed(&line)));
        seen += 1;
    }
    assert!(seen > 20, "only {seen} verbs were found");
}

/// The verbs that the help of a verb lists, in one group or several, with a blank after each word.
pub fn below(verb: &str, help: &str) -> Vec<String> {
    let lists = help.split("\nOptions:").next().unwrap_or_default();
    let verbs = lists.lines().filter_map(|line| {
        let line = line.strip_prefix("  ")?;
        let is_verb = line.starts_with(|first: char| first.is_ascii_lowercase());
        line.split(' ').next().filter(|_| is_verb)
    });
    let verbs = verbs.filter(|name| *name != "help");
    verbs.map(|name| format!("{verb}{name} ")).collect()
}
