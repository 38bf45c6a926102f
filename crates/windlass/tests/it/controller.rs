//! The controller as a program.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Stdio};

use crate::scene::Scene;

/// A controller that has started, ended with its owner.
struct Controller(Child);

impl Controller {
    fn start(scene: &Scene) -> Self {
        scene.shell.write("config", scene.cluster.kubeconfig());
        let address = "127.0.0.1:0";
        let mut child = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(["controller", "--log-format", "text", "--kubeconfig"])
            .arg(scene.shell.path("config"))
            .args(["--metrics-address", address, "--health-address", address])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let started = lines.any(|line| line.unwrap().contains("started"));
        assert!(started);
        // the pipe stays open, or the next line of the log would end the controller
        std::thread::spawn(move || lines.count());
        Self(child)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).unwrap()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // ended already is as good
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_controller_that_has_started_leaves_no_core_dump_and_cannot_be_looked_into() {
    let scene = Scene::new(&["tekton-chains"]);
    let controller = Controller::start(&scene);
    let limits = controller.read("limits");
    let mut core = limits
        .lines()
        .filter(|line| line.contains("core file size"));
    let core: Vec<_> = core.next().unwrap().split_whitespace().skip(4).collect();
    assert_eq!(core, ["0", "0", "bytes"]);
    // the files of a process that can be looked into belong to its user
    let owner = std::fs::metadata(format!("/proc/{}/environ", controller.0.id()));
    assert_eq!(owner.unwrap().uid(), 0);
}
