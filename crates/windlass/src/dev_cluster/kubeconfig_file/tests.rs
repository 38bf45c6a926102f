use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

const TEXT: &str = "apiVersion: v1\nkind: Config\n";

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

fn refused(path: &Path) -> String {
    KubeconfigFile::write(path, TEXT).unwrap_err().to_string()
}

/// The file of a process that was killed: written, and not removed.
fn leave_behind(path: &Path) {
    let file = KubeconfigFile::write(path, TEXT).unwrap();
    let content = fs::read(path).unwrap();
    drop(file);
    fs::write(path, content).unwrap();
}

#[test]
fn the_file_and_its_folder_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/kubeconfig");
    let file = KubeconfigFile::write(&path, TEXT).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert!(fs::read_to_string(file.path()).unwrap().ends_with(TEXT));
    drop(file);
    assert!(!path.exists());
}

#[test]
fn what_a_killed_process_has_left_is_replaced_whoever_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    leave_behind(&path);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let open = File::open(&path).unwrap();
    let file = KubeconfigFile::write(&path, "another\n").unwrap();
    assert_eq!(mode(&path), 0o600);
    assert!(io::read_to_string(open).unwrap().ends_with(TEXT));
    assert!(fs::read_to_string(&path).unwrap().ends_with("another\n"));
    drop(file);
    assert!(!path.exists());
}

#[test]
fn nothing_is_written_over_a_file_of_somebody_else_or_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    leave_behind(&at("ours"));
    fs::write(at("theirs"), TEXT).unwrap();
    fs::write(at("empty"), "").unwrap();
    fs::write(at("forged"), format!("{MARK}{}\n{TEXT}", "0".repeat(64))).unwrap();
    let changed = fs::read_to_string(at("ours")).unwrap() + "users: [mine]\n";
    fs::write(at("changed"), &changed).unwrap();
    symlink(at("ours"), at("link")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    let fifo = std::process::Command::new("mkfifo")
        .arg(at("pipe"))
        .status();
    assert!(fifo.unwrap().success());
    for (name, what) in [
        ("theirs", "did not write"),
        ("empty", "did not write"),
        ("forged", "did not write"),
        ("changed", "was changed"),
        ("link", "symbolic link"),
        ("dangling", "symbolic link"),
        ("directory", "no file of yours"),
        ("pipe", "no file of yours"),
    ] {
        let error = refused(&at(name));
        assert!(error.contains(what), "{name}: {error}");
        assert!(
            error.contains("choose another file with --kubeconfig"),
            "{error}"
        );
    }
    assert_eq!(fs::read_to_string(at("theirs")).unwrap(), TEXT);
    assert_eq!(fs::read_to_string(at("changed")).unwrap(), changed);
    assert!(at("ours").exists() && !at("nowhere").exists());
}

#[test]
fn the_file_of_a_running_cluster_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    let first = KubeconfigFile::write(&path, TEXT).unwrap();
    assert!(refused(&path).contains("another windlass dev uses it; stop that one"));
    assert!(path.exists());
    drop(first);
    drop(KubeconfigFile::write(&path, TEXT).unwrap());
}

#[test]
fn a_file_that_was_changed_or_replaced_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    let changed = KubeconfigFile::write(&path, TEXT).unwrap();
    fs::write(&path, "mine").unwrap();
    drop(changed);
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    fs::remove_file(&path).unwrap();

    let replaced = KubeconfigFile::write(&path, TEXT).unwrap();
    let same = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, &same).unwrap();
    drop(replaced);
    assert_eq!(fs::read(&path).unwrap(), same);
    fs::remove_file(&path).unwrap();

    let linked = KubeconfigFile::write(&path, TEXT).unwrap();
    fs::rename(&path, folder.path().join("moved")).unwrap();
    symlink(folder.path().join("moved"), &path).unwrap();
    drop(linked);
    assert!(path.exists());
}
