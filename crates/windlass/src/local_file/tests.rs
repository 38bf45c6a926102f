use std::os::unix::fs::symlink;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & PERMISSION_BITS
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_new_file_never_takes_the_place_of_one_that_exists_nor_of_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "theirs").unwrap();
    symlink(folder.path().join("nowhere"), &link).unwrap();
    for path in [&file, &link] {
        let error = create(path, b"ours", PRIVATE).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }
    assert_eq!(fs::read(&file).unwrap(), b"theirs");
    assert_eq!(names(folder.path()), ["file", "link"]);
}

#[test]
fn a_replaced_link_is_gone_and_its_target_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target"), folder.path().join("link"));
    fs::write(&target, "theirs").unwrap();
    symlink(&target, &link).unwrap();
    replace(&link, b"ours", PRIVATE).unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"theirs");
    assert_eq!(fs::read(&link).unwrap(), b"ours");
    assert_eq!(mode(&link), PRIVATE);
    assert_eq!(names(folder.path()), ["link", "target"]);
}

#[test]
fn whoever_has_the_old_file_open_does_not_read_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let open = File::open(&path).unwrap();
    replace(&path, b"new", PRIVATE).unwrap();
    assert_eq!(io::read_to_string(open).unwrap(), "old");
    assert_eq!(mode(&path), PRIVATE);
}

#[test]
fn output_keeps_the_rights_of_the_file_and_follows_a_link_of_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target"), folder.path().join("link"));
    fs::write(&target, "a longer text than the next").unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o666)).unwrap();
    output(&target, b"first").unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"first");
    assert_eq!(mode(&target), 0o666);
    symlink(&target, &link).unwrap();
    output(&link, b"second").unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"second");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    output(Path::new("/dev/null"), b"third").unwrap();
    assert!(output(folder.path(), b"fourth").is_err());
}
