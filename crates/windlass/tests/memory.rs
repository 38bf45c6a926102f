//! What remains of a key in the memory of the controller that has loaded it.
//!
//! A program of its own, for its allocator is that of `windlass`. The cluster and whoever makes the
//! key are other processes, so that this one has seen the key only as a controller does.
#![cfg(all(feature = "sandbox", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::alloc::System;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio_util::sync::CancellationToken;
use windlass::controller::{self, Options};
use windlass::telemetry::Metrics;
use zeroizing_alloc::ZeroAlloc;

#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// How an encrypted key begins.
const KEY: &[u8; 46] = b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----";
const NAMESPACE: &str = "openshift-pipelines";

/// `windlass`, ended with its owner.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // ended already is as good
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn windlass(kubeconfig: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
    command.arg("--kubeconfig").arg(kubeconfig);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Text that is kept inverted, so that a search of the memory does not find the text searched for.
struct Needle(Vec<u8>);

impl Needle {
    fn new(text: &[u8]) -> Self {
        Self(text.iter().map(|byte| !byte).collect())
    }

    fn count(&self, memory: &[u8]) -> usize {
        let first = !self.0[0];
        let starts = memory.windows(self.0.len());
        let mut found = starts.filter(|start| start[0] == first);
        let mut count = 0;
        while found
            .find(|start| start.iter().zip(&self.0).all(|(one, other)| *one == !other))
            .is_some()
        {
            count += 1;
        }
        count
    }

    /// How often it is in the writable memory of this process.
    fn copies(&self) -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let mut copies = 0;
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let from = u64::from_str_radix(from, 16).unwrap();
            let to = u64::from_str_radix(to, 16).unwrap();
            let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
            // a region may have gone meanwhile
            if memory.read_exact_at(&mut bytes, from).is_ok() {
                copies += self.count(&bytes);
            }
        }
        copies
    }
}

/// A password that nobody else has.
fn password() -> String {
    let mut random = [0; 24];
    getrandom::fill(&mut random).unwrap();
    STANDARD.encode(random)
}

async fn client(kubeconfig: &Path) -> Client {
    let file = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    Client::try_from(config.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_and_the_encrypted_key_are_wiped_from_every_buffer_they_came_through() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let dev = windlass(&kubeconfig)
        .args(["dev", "--system-namespace", NAMESPACE])
        .spawn();
    let _dev = Program(dev.unwrap());
    let exists = async {
        while !kubeconfig.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), exists).await;
    assert!(waited.is_ok(), "the cluster did not start");

    let client = client(&kubeconfig).await;
    let (metrics, stop) = (Metrics::default(), CancellationToken::new());
    let options = Options::new(NAMESPACE.to_owned(), 4);
    let controller = controller::run(client, options, metrics.clone(), stop.clone());
    let controller = tokio::spawn(controller);

    let needles = {
        let password = password();
        let made = windlass(&kubeconfig)
            .arg("generate-key-pair")
            .arg(format!("k8s://{NAMESPACE}/signing-secrets"))
            .env("COSIGN_PASSWORD", &password)
            .current_dir(folder.path())
            .status();
        assert!(made.unwrap().success());
        [
            Needle::new(password.as_bytes()),
            Needle::new(STANDARD.encode(&password).as_bytes()),
            Needle::new(STANDARD.encode(&KEY[..45]).as_bytes()),
        ]
    };
    let loaded = async {
        while metrics.keys_loaded.get() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), loaded).await;
    assert!(waited.is_ok(), "the key was not loaded");

    let copies = || needles.each_ref().map(Needle::copies);
    // a connection that is closed is dropped by its own task
    let deadline = Instant::now() + Duration::from_secs(30);
    while copies() != [0; 3] && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let copies = copies();
    assert_eq!(copies, [0; 3], "the password, its base64, that of the key");
    stop.cancel();
    controller.await.unwrap();
}
