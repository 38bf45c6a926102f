//! What the system shows of a controller's memory.

use std::os::unix::fs::MetadataExt as _;

use super::process::Controller;
use crate::scene::Scene;

#[test]
fn a_controller_that_has_started_leaves_no_core_dump_and_cannot_be_looked_into() {
    let scene = Scene::new(&["tekton-chains"]);
    let controller = Controller::start(&scene, &["controller", "--log-format", "text"]);
    let limits = std::fs::read_to_string(controller.file("limits")).unwrap();
    let mut core = limits
        .lines()
        .filter(|line| line.contains("core file size"));
    let core: Vec<_> = core.next().unwrap().split_whitespace().skip(4).collect();
    assert_eq!(core, ["0", "0", "bytes"]);
    // the files of a process that can be looked into belong to its user
    let owner = std::fs::metadata(controller.file("environ"));
    assert_eq!(owner.unwrap().uid(), 0);
}
