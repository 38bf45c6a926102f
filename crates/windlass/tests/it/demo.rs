//! `windlass demo`, as a person starts it.

use std::path::{Path, PathBuf};

use crate::shell::Shell;

#[test]
fn the_demo_ends_with_a_refusal_of_what_was_changed_and_keeps_its_files_if_told_to() {
    let shell = Shell::new();
    let shown = shell.succeed("demo --keep");
    assert!(shown.contains("Verified OK"), "{shown}");
    let (_, refusal) = shown.split_once("./changed\n").unwrap();
    let refusal = refusal.split_once("\n9. ").unwrap().0;
    assert!(refusal.ends_with("$ echo $?\n1\n"), "{refusal}");
    assert_eq!(shown.matches("Verified OK\n").count(), 4, "{shown}");
    let (_, refusal) = shown.split_once("\n16. ").unwrap();
    let refusal = refusal.split_once("\nWhat to try next\n").unwrap().0;
    assert!(
        refusal.contains("the run was changed after it was signed"),
        "{refusal}"
    );
    assert!(refusal.ends_with("$ echo $?\n1\n"), "{refusal}");
    assert!(!shown.contains('\u{1b}'), "no colours but on a terminal");

    let kept = shown.split_once("The files are in ").unwrap().1;
    let folder = PathBuf::from(kept.split_once(":\n").unwrap().0);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (payload, changed) = (read("payload"), read("changed"));
    let differing = payload
        .iter()
        .zip(&changed)
        .filter(|(one, other)| one != other);
    assert_eq!((payload.len(), differing.count()), (changed.len(), 1));
    let kept_file = |name: &str| folder.join(name).display().to_string();
    let verify = ["cosign.pub", "signature", "payload"].map(kept_file);
    shell.succeed(&format!(
        "verify-blob --key {} --signature {} {}",
        verify[0], verify[1], verify[2]
    ));
    // by the files alone, as the servers are gone
    let line = kept
        .lines()
        .find(|line| line.contains("--certificate-identity"));
    let line = line.unwrap().trim().strip_prefix("windlass ").unwrap();
    for (file, code) in [("run.json", 0), ("changed.json", 1)] {
        let line = line.replace("trusted_root.json", &kept_file("trusted_root.json"));
        let line = line.replace("run.json", &kept_file(file));
        let outcome = shell.run(&line);
        assert_eq!(
            outcome.code, code,
            "{line}: {}{}",
            outcome.stdout, outcome.stderr
        );
    }
    for gone in ["kubeconfig", "config.json", "bin"] {
        assert!(!Path::new(&folder).join(gone).exists(), "{gone}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
