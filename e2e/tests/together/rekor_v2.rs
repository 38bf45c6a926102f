//! The real Rekor of version 2 and the real timestamp authority: cosign verifies what windlass signed without
//! a key, logged and stored, and windlass verifies the run by its annotations alone.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::images::{account, configure, configure_windlass, finish, push, secret, start};
use windlass_e2e::{
    Cosign, Fulcio, Kind, Registry, RekorV2, RunRecord, Shell, Testbed, Timestamps, runs,
    trusted_root,
};

/// What signs, logs and tells the time.
struct Servers {
    fulcio: Fulcio,
    log: RekorV2,
    times: Timestamps,
}

#[test]
fn what_is_logged_in_version_2_is_verified_by_cosign_and_by_the_run_alone() -> Result<()> {
    Testbed::with(Kind::Real, Cosign::Three, |testbed| {
        let registry = Registry::start(&testbed.shell().folder().join("registry"))?;
        let shell = testbed.shell_with_login(&registry.docker_config(""))?;
        let servers = Servers {
            fulcio: Fulcio::start(&shell)?,
            log: RekorV2::start(&shell)?,
            times: Timestamps::start(&shell)?,
        };
        secret(&shell, "right", &registry.docker_config(""))?;
        let secrets = json!({ "imagePullSecrets": [{ "name": "right" }] });
        account(&shell, "build-bot", &secrets)?;
        servers.configure(&shell)?;
        let image = push(&shell, &format!("{}/team/app", registry.host()))?;
        start(&shell, "build", "build-bot", &json!({}))?;
        finish(&shell, "build", &image)?;
        runs::wait_until_signed(&shell, "taskrun/build")?;
        let run = RunRecord::get(&shell, "build")?;
        servers.trust(&shell)?;
        // the run's statement, the image as a payload and as a statement
        let entries = servers.log.entries(&shell)?;
        ensure!(entries == 3, "{entries} entries");
        servers.verified(&shell, &image)?;
        let url = run.annotation("transparency");
        ensure!(url.starts_with(servers.log.address()), "{url}");
        shell.ok(&format!(
            "curl --noproxy '*' --silent --fail -o entries '{url}'"
        ))?;
        servers.logged_once(&shell, &run)?;
        ensure!(testbed.controller_is_running(), "the controller ended");
        Ok(())
    })
}

impl Servers {
    fn configure(&self, shell: &Shell) -> Result<()> {
        let token = self
            .fulcio
            .token(shell, "tekton-chains", "tekton-chains-controller")?;
        shell.write("identity-token", &token)?;
        let file = shell.folder().join("identity-token").display().to_string();
        configure_windlass(
            shell,
            &[
                ("signers.x509.fulcio.root", self.fulcio.chain()),
                ("signers.x509.fulcio.ctlog-key", self.fulcio.log_key()),
                ("storage.oci.encoding-format", "both"),
                ("transparency.version", "2"),
                ("transparency.origin", self.log.origin()),
                ("transparency.public-key", self.log.public_key()),
                ("transparency.timestamp-url", self.times.address()),
                ("transparency.timestamp-chain", self.times.chain()),
            ],
        )?;
        configure(
            shell,
            &[
                ("artifacts.oci.storage", "oci"),
                ("artifacts.taskrun.storage", "tekton,oci"),
                ("signers.x509.fulcio.enabled", "true"),
                ("signers.x509.fulcio.address", self.fulcio.address()),
                ("signers.x509.fulcio.issuer", self.fulcio.issuer()),
                ("signers.x509.identity.token.file", &file),
                ("transparency.enabled", "true"),
                ("transparency.url", self.log.address()),
            ],
        )
    }

    /// A trusted root of all of it, and one with another log.
    fn trust(&self, shell: &Shell) -> Result<()> {
        let root = trusted_root::of(
            &[self.log.trusted()],
            Some(self.fulcio.trusted()),
            &[self.times.trusted()],
        );
        shell.write("root.json", root.to_string())?;
        let mut other: Value = root;
        let der =
            "openssl genpkey -algorithm ed25519 | openssl pkey -pubout -outform DER | base64 -w0";
        other["tlogs"][0]["publicKey"]["rawBytes"] = json!(shell.ok(der)?.trim());
        shell.write("other.json", other.to_string())
    }

    fn verified(&self, shell: &Shell, image: &str) -> Result<()> {
        let who = self.fulcio.identity_flags(Fulcio::CONTROLLER);
        let lines = [
            format!("cosign verify --new-bundle-format --trusted-root ROOT {who} {image}"),
            format!(
                "cosign verify-attestation --type slsaprovenance --new-bundle-format \
                 --trusted-root ROOT {who} {image}"
            ),
            format!("windlass verify --trusted-root ROOT {who} taskrun/build"),
            format!("windlass trace --trusted-root ROOT {who} taskrun/build"),
            format!("windlass audit --verify --trusted-root ROOT {who}"),
        ];
        // under tags there is no entry of this version, and the timestamp alone tells when it was signed
        let stamped = format!(
            "--new-bundle-format=false --trusted-root root.json --insecure-ignore-tlog \
             --use-signed-timestamps {who} {image}"
        );
        shell.ok(&format!("cosign verify {stamped}"))?;
        shell.ok(&format!(
            "cosign verify-attestation --type slsaprovenance {stamped}"
        ))?;
        for line in lines {
            shell.ok(&line.replace("ROOT", "root.json"))?;
            let line = line.replace("ROOT", "other.json");
            let refused = shell.run(&line)?.code;
            ensure!(refused != 0, "{line} succeeds");
        }
        Ok(())
    }

    /// A run whose mark is taken off has the entry that it had: it is proved by the files of the log.
    fn logged_once(&self, shell: &Shell, run: &RunRecord) -> Result<()> {
        let proof = format!("proof-taskrun-{}", run.uid());
        ensure!(!run.annotation(&proof).is_empty(), "the run has no proof");
        let before = run.resource_version();
        let off: String = ["signed", "seal", "transparency", &proof]
            .map(|name| format!(" chains.tekton.dev/{name}-"))
            .concat();
        shell.ok(&format!("kubectl annotate taskrun build{off}"))?;
        let again = RunRecord::wait(shell, "build", "is signed again", |run| {
            run.annotation("signed") == "true" && run.resource_version() != before
        });
        let again = again.context("after its mark was taken off")?;
        let number = |run: &RunRecord| {
            let url = run.annotation("transparency");
            url.split_once('?').map(|(_, number)| number.to_owned())
        };
        ensure!(
            number(&again).is_some() && number(&again) == number(run),
            "another entry"
        );
        let who = self.fulcio.identity_flags(Fulcio::CONTROLLER);
        let line = format!("windlass verify --trusted-root root.json {who} taskrun/build");
        shell.ok(&line).map(drop)
    }
}
