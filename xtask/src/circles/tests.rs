//! The rules of the module's opening, each on a crate of a few lines.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::WORKSPACES;

use super::target::Target;
use super::{Report, check, of_crate, read, resolve};

mod edges;

/// A crate of these files, the first of which is its root.
fn crate_of(files: &[(&str, &str)]) -> (TempDir, Target) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let root = folder.path().join(files[0].0);
    (
        folder,
        Target {
            name: "sample".to_owned(),
            root,
        },
    )
}

/// Who uses whom, as `from > to`, sorted.
fn edges_of(files: &[(&str, &str)]) -> Vec<String> {
    let (folder, target) = crate_of(files);
    let tree = read::read(&target.root).unwrap();
    let shown = |file| {
        tree.path(file)
            .strip_prefix(folder.path())
            .unwrap()
            .display()
            .to_string()
    };
    let mut edges: Vec<String> = resolve::edges(&tree)
        .iter()
        .map(|edge| format!("{} > {}", shown(edge.from), shown(edge.to)))
        .collect();
    edges.sort();
    edges
}

/// The ties of each circle.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let (folder, target) = crate_of(files);
    let circles = of_crate(folder.path(), &target).unwrap();
    circles.into_iter().map(|circle| circle.ties).collect()
}

#[test]
fn no_files_of_this_repository_import_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let report = check(root, &WORKSPACES).unwrap();
    assert!(report.circles.is_empty(), "{report}");
    assert!(report.crates > WORKSPACES.len(), "{report}");
}

const LADDER: [(&str, &str); 3] = [
    ("lib.rs", "mod high; mod low;"),
    ("high.rs", "use crate::low::Low;\npub struct High(Low);"),
    ("low.rs", "pub struct Low;"),
];

#[test]
fn files_on_floors_make_no_circle() {
    assert!(circles_of(&LADDER).is_empty());
}

#[test]
fn one_line_closes_a_circle_and_is_named() {
    let mut files = LADDER;
    files[2].1 = "pub struct Low;\nimpl Low {\n    fn up(_: &crate::high::High) {}\n}";
    assert_eq!(
        circles_of(&files),
        [[
            "high.rs:1 uses crate::low::Low of low.rs",
            "low.rs:3 uses crate::high::High of high.rs"
        ]]
    );
}

#[test]
fn a_parent_and_its_child_that_use_each_other_are_a_circle() {
    let circles = circles_of(&[
        ("lib.rs", "mod parent;"),
        (
            "parent.rs",
            "mod child;\nuse child::Part;\npub struct Whole(Part);",
        ),
        (
            "parent/child.rs",
            "use super::Whole;\npub struct Part;\nfn f(_: Whole) {}",
        ),
    ]);
    assert_eq!(
        circles,
        [[
            "parent.rs:2 uses child::Part of parent/child.rs",
            "parent/child.rs:1 uses super::Whole of parent.rs"
        ]]
    );
}

#[test]
fn blocks_of_one_type_that_call_each_other_across_files_are_a_circle() {
    let other = "use super::Machine;\nimpl Machine {\n    fn stop(&self) {}\n}";
    let circles = circles_of(&[
        (
            "lib.rs",
            "mod other;\nstruct Machine;\nimpl Machine { fn run(&self) { self.stop() } }",
        ),
        ("other.rs", other),
    ]);
    assert_eq!(
        circles,
        [[
            "lib.rs:3 uses Machine::stop of other.rs",
            "other.rs:1 uses super::Machine of lib.rs"
        ]]
    );
}

#[test]
fn a_circle_may_be_long_and_two_circles_are_told_apart() {
    let circles = circles_of(&[
        ("main.rs", "mod a; mod b; mod c; mod x; mod y;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c::C; use crate::x::X; pub struct B;"),
        ("c.rs", "use crate::a::A; pub struct C;"),
        ("x.rs", "use crate::y::Y; pub struct X;"),
        ("y.rs", "use crate::x::X; pub struct Y;"),
    ]);
    let sizes: Vec<usize> = circles.iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 2]);
}

#[test]
fn a_circle_of_a_workspace_is_reported_with_its_crate() {
    let folder = tempfile::tempdir().unwrap();
    let package = |name: &str, lib: &str| {
        let source = folder.path().join(name).join("src");
        fs::create_dir_all(&source).unwrap();
        let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n");
        fs::write(folder.path().join(name).join("Cargo.toml"), manifest).unwrap();
        fs::write(source.join("lib.rs"), lib).unwrap();
        fs::write(source.join("a.rs"), "pub struct A(Option<Box<super::B>>);").unwrap();
    };
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"tied\", \"untied\"]\n";
    fs::write(folder.path().join("Cargo.toml"), workspace).unwrap();
    package("tied", "mod a;\npub use a::A;\npub struct B(A);");
    package("untied", "mod a;\npub struct B;");

    let report = check(folder.path(), &["Cargo.toml"]).unwrap();
    assert_eq!(
        report.to_string(),
        "tied (lib tied): a circle of 2 files\n    \
             tied/src/lib.rs:2 uses a::A of tied/src/a.rs\n    \
             tied/src/a.rs:1 uses super::B of tied/src/lib.rs\n\
         circles: 1; move what both sides need to a file that uses neither\n"
    );
}

#[test]
fn a_report_without_circles_says_how_much_was_read() {
    let report = Report {
        circles: Vec::new(),
        crates: 3,
    };
    assert_eq!(
        report.to_string(),
        "no circle between the files of 3 crates\n"
    );
}

#[test]
fn source_that_cannot_be_read_is_an_error_that_names_the_file() {
    let cases: [(&[(&str, &str)], &str); 2] = [
        (
            &[("lib.rs", "mod missing;")],
            "no source of `mod missing;` of ",
        ),
        (
            &[("lib.rs", "mod broken;"), ("broken.rs", "\nfn (")],
            "broken.rs:2: ",
        ),
    ];
    for (files, message) in cases {
        let (folder, target) = crate_of(files);
        let error = of_crate(folder.path(), &target).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_manifest_that_cargo_refuses_is_an_error() {
    let error = check(Path::new("/"), &["no/such/Cargo.toml"])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("cargo metadata of /no/such/Cargo.toml failed"),
        "{error}"
    );
}
