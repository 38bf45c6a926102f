//! `windlass dev`, as a person starts it.
#![cfg(feature = "sandbox")]
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use shell::Shell;

#[path = "blob/shell.rs"]
#[expect(dead_code, reason = "other commands use the rest of it")]
mod shell;

/// A cluster with a registry, ended with its owner.
struct Dev {
    child: Child,
    registry: String,
}

impl Dev {
    fn start(shell: &Shell, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(["dev", "--kubeconfig"])
            .arg(shell.path("kubeconfig"))
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = "A registry listens on ";
        let mut found = lines.filter_map(|line| Some(line.ok()?.strip_prefix(said)?.to_owned()));
        let registry = found.next().unwrap();
        let registry = registry.split(',').next().unwrap().to_owned();
        Self { child, registry }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // ended already is as good
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_registry_of_dev_lets_anyone_in_unless_told_otherwise() {
    let shell = Shell::new();
    let dev = Dev::start(&shell, &[]);
    let image = format!("{}/team/app:v1", dev.registry);
    shell.fail(2, &format!("tree {image}"), "there is no v1");
}

#[test]
fn the_registry_of_dev_asks_for_a_password_if_told_to() {
    for how in ["basic", "bearer"] {
        let mut shell = Shell::new();
        let flags = ["--registry-auth", how, "--registry-without-referrers"];
        let dev = Dev::start(&shell, &flags);
        let image = format!("{}/team/app:v1", dev.registry);
        shell.fail(2, &format!("tree {image}"), "no credential: HTTP 401");
        // dev:dev
        let config = json!({ "auths": { &dev.registry: { "auth": "ZGV2OmRldg==" } } });
        shell.docker_config = Some(config.to_string());
        shell.fail(2, &format!("tree {image}"), "there is no v1");
    }
}
