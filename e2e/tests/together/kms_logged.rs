//! Keys in OpenBao, in AWS KMS and on a PKCS#11 token with the real logs of both versions: cosign verifies what windlass
//! signed by hand, and what the controller signed, with its entries, with the public key or with the key where it is;
//! and windlass what cosign signed in AWS KMS and on the token, with a log and without.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::by_hand::{KIND, holds_by_its_root_alone, write_inputs};
use windlass_e2e::images::{self, account, push, secret};
use windlass_e2e::{
    Command, Controller, Cosign, Kind, Registry, Shell, Testbed, Workstation, runs,
};

use self::servers::{Logs, Place, Services};

mod by_cosign;
mod servers;
mod unlogged;

/// What is logged with a key.
struct Case {
    version: u32,
    place: Place,
    key: &'static str,
    /// Whether the log takes its signature of a file, which it sees as a hash, and of a statement.
    takes: [bool; 2],
    /// Whether cosign verifies with the public key in a file: it takes SHA-256 and PKCS#1 v1.5 there.
    with_file: bool,
}

const fn case(version: u32, place: Place, key: &'static str, takes: [bool; 2]) -> Case {
    let with_file = !matches!(
        (place, key.as_bytes()),
        (Place::Aws, b"p384" | b"p521" | b"rsa")
    );
    Case {
        version,
        place,
        key,
        takes,
        with_file,
    }
}

/// OpenBao and tokens sign SHA-256 digests, as sigstore asks them to; AWS with the hash of the curve, and RSA as PSS.
const CASES: [Case; 17] = [
    case(1, Place::OpenBao, "p256", [true, true]),
    case(1, Place::OpenBao, "rsa", [true, true]),
    case(1, Place::OpenBao, "p384", [false, true]),
    case(1, Place::OpenBao, "ed25519", [false, true]),
    case(1, Place::Aws, "p256", [true, true]),
    case(1, Place::Aws, "p384", [true, false]),
    case(1, Place::Aws, "rsa", [false, false]),
    case(1, Place::Token, "p256", [true, true]),
    case(2, Place::OpenBao, "p256", [true, true]),
    case(2, Place::OpenBao, "rsa", [true, true]),
    case(2, Place::OpenBao, "p384", [false, false]),
    case(2, Place::OpenBao, "ed25519", [false, false]),
    case(2, Place::Aws, "p256", [true, true]),
    case(2, Place::Aws, "p384", [true, true]),
    case(2, Place::Aws, "p521", [true, true]),
    case(2, Place::Token, "p256", [true, true]),
    case(2, Place::Token, "rsa", [true, true]),
];

#[test]
fn what_is_signed_by_hand_with_a_key_in_a_service_is_verified_both_ways() -> Result<()> {
    for cosign in Cosign::BOTH {
        let machine = Workstation::new(cosign)?;
        let (_services, shell) = Services::start(machine.shell())?;
        let shell = &shell;
        let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
        let logs = Logs::start(shell)?;
        write_inputs(shell)?;
        for case in CASES {
            // cosign 2 knows no log of version 2
            if (cosign, case.version) == (Cosign::Two, 2) {
                continue;
            }
            let (place, key, version) = (case.place.word(), case.key, case.version);
            let image = push(
                shell,
                &format!("{}/{place}-{key}-v{version}", registry.host()),
            )?;
            logged(shell, cosign, (&case, &logs.flags(version)), &image)
                .with_context(|| format!("{place}, {key}, version {version}, {cosign:?}"))?;
        }
        by_cosign::verified(shell, cosign, &registry, &logs)?;
        unlogged::both_ways(shell, cosign, &registry)?;
    }
    Ok(())
}

/// windlass signs a file and an image with a key and logs that; cosign verifies with the public key or with the key
/// where it is, and windlass with the latter. What the log does not take is not signed.
fn logged(shell: &Shell, cosign: Cosign, (case, how): (&Case, &str), image: &str) -> Result<()> {
    let [file, statements] = case.takes;
    let key = case.place.key(case.key);
    let sign = format!("--key {key} {how} --trusted-root root.json");
    shell.ok(&format!("windlass public-key --key {key} > key.pub"))?;
    let done = |takes: bool, line: &str| {
        let output = shell.run(&format!("windlass {line}"))?;
        if takes {
            return output.exits(0);
        }
        output.exits(2)?.says("the log takes no signature by")
    };
    done(file, &format!("sign-blob {sign} --bundle bundle blob"))?;
    let bundles = format!("--new-bundle-format {image}");
    done(statements, &format!("sign {sign} {bundles}"))?;
    let attest = format!("--predicate predicate --type {KIND}");
    done(statements, &format!("attest {sign} {attest} {bundles}"))?;
    let attestation = format!("verify-attestation --type {KIND}");
    if statements && case.version == 1 {
        done(true, &format!("attest {sign} {attest} {image}"))?;
        let line = format!("windlass {attestation} --key key.pub --trusted-root root.json {image}");
        let envelopes = shell.ok(&line)?.lines().count();
        ensure!(
            envelopes == 2,
            "under the tag, and in a bundle: {envelopes}"
        );
    }
    for (program, key) in verifiers(case) {
        let flags = format!("--new-bundle-format --trusted-root TRUST.json --key {key}");
        let mut lines = Vec::new();
        if file {
            lines.push(format!(
                "{program} verify-blob {flags} --bundle bundle blob"
            ));
        }
        if statements {
            lines.push(format!("{program} {attestation} {flags} {image}"));
        }
        // the `verify` of cosign 2 knows no bundles
        if statements && (program, cosign) != ("cosign", Cosign::Two) {
            lines.push(format!("{program} verify {flags} {image}"));
        }
        for line in lines {
            holds_by_its_root_alone(shell, &line)?;
        }
    }
    Ok(())
}

/// The key with which cosign verifies.
fn of_cosign(case: &Case) -> Option<String> {
    if case.with_file {
        return Some("key.pub".to_owned());
    }
    case.place.key_for_cosign(case.key)
}

/// Who verifies, and with which key.
fn verifiers(case: &Case) -> Vec<(&'static str, String)> {
    let of_cosign = of_cosign(case).map(|key| ("cosign", key));
    let ours = ("windlass", case.place.key(case.key));
    of_cosign.into_iter().chain([ours]).collect()
}

/// What the controller signs with, and the version of the log. That of version 1 takes no envelopes with SHA-384 or
/// SHA-512, with which AWS signs by the larger curves.
const BY_CONTROLLER: [(Place, &str, u32); 8] = [
    (Place::OpenBao, "p256", 1),
    (Place::OpenBao, "p256", 2),
    (Place::Aws, "p256", 1),
    (Place::Aws, "p256", 2),
    (Place::Aws, "p384", 2),
    (Place::Aws, "p521", 2),
    (Place::Token, "p256", 1),
    (Place::Token, "p256", 2),
];

#[test]
fn what_the_controller_logs_with_a_key_in_a_service_is_verified_by_cosign() -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::without_controller(Kind::Real, cosign, |testbed| {
            let registry = Registry::start(&testbed.shell().folder().join("registry"))?;
            let shell = testbed.shell_with_login(&registry.docker_config(""))?;
            // in a folder of its own, because what the testbed exported has another PATH
            let (services, shell) = Services::start(&shell.beside("services")?)?;
            let logs = Logs::start(&shell)?;
            secret(&shell, "right", &registry.docker_config(""))?;
            let secrets = json!({ "imagePullSecrets": [{ "name": "right" }] });
            account(&shell, "build-bot", &secrets)?;
            images::configure_windlass(&shell, &[("storage.oci.encoding-format", "both")])?;
            let command = services.controller(testbed, &shell)?;
            let mut controller = command.start()?;
            let mut following = Following {
                shell: &shell,
                command: &command,
                controller: &mut controller,
                version: None,
            };
            following.wait_until_loaded(1)?;
            for (place, key, version) in BY_CONTROLLER {
                // cosign 2 knows no log of version 2
                if (cosign, version) == (Cosign::Two, 2) {
                    continue;
                }
                let name = format!("{}-{key}-{version}", place.word());
                let case = case(version, place, key, [true, true]);
                let key = place.key(key);
                shell.ok(&format!("windlass public-key --key {key} > key.pub"))?;
                following.configure(&services, &case, &logs)?;
                let image = push(&shell, &format!("{}/{name}", registry.host()))?;
                images::start(&shell, &name, "build-bot", &json!({}))?;
                images::finish(&shell, &name, &image)?;
                runs::wait_until_signed(&shell, &format!("taskrun/{name}"))?;
                judged(&shell, cosign, &case, &image)
                    .with_context(|| format!("{name}, {cosign:?}"))?;
                for what in [image, format!("taskrun/{name}")] {
                    let verify = format!("verify --trusted-root TRUST.json --key {key} {what}");
                    holds_by_its_root_alone(&shell, &format!("windlass {verify}"))?;
                }
            }
            ensure!(controller.is_running(), "the controller ended");
            Ok(())
        })?;
    }
    Ok(())
}

/// A controller, and who configures it.
struct Following<'a> {
    shell: &'a Shell,
    command: &'a Command,
    controller: &'a mut Controller,
    /// The version of the log that it uses.
    version: Option<&'static str>,
}

/// How often a controller has loaded a configuration.
fn times_loaded(command: &Command) -> Result<usize> {
    Ok(command.log()?.matches(": configuration loaded").count())
}

impl Following<'_> {
    /// Has it sign everything with a key and log it, and waits until that is loaded.
    fn configure(&mut self, services: &Services, case: &Case, logs: &Logs) -> Result<()> {
        let (url, key, version) = match case.version {
            1 => (logs.first.address(), logs.first.public_key(), "1"),
            _ => (logs.second.address(), logs.second.public_key(), "2"),
        };
        let mut own = vec![
            ("storage.oci.encoding-format", "both"),
            ("transparency.version", version),
            ("transparency.public-key", key),
        ];
        if version == "2" {
            own.push(("transparency.origin", logs.second.origin()));
            own.push(("transparency.timestamp-url", logs.times.address()));
            own.push(("transparency.timestamp-chain", logs.times.chain()));
        }
        let before = times_loaded(self.command)?;
        // each change is loaded: that of `windlass-config`, if there is one, and that of `chains-config`
        let changes = match self.version.replace(version) {
            Some(last) if last == version => 1,
            None | Some(_) => 2,
        };
        images::configure_windlass(self.shell, &own)?;
        let mut settings = vec![
            ("artifacts.oci.signer", "kms".to_owned()),
            ("artifacts.oci.storage", "oci".to_owned()),
            ("artifacts.taskrun.signer", "kms".to_owned()),
            ("artifacts.pipelinerun.signer", "kms".to_owned()),
            ("artifacts.taskrun.storage", "tekton,oci".to_owned()),
            ("transparency.enabled", "true".to_owned()),
            ("transparency.url", url.to_owned()),
        ];
        settings.extend(services.settings(case.place, case.key));
        let settings: Vec<_> = settings
            .iter()
            .map(|(key, value)| (*key, &**value))
            .collect();
        images::configure(self.shell, &settings)?;
        self.wait_until_loaded(before + changes)
    }

    /// Waits until so many configurations were loaded.
    fn wait_until_loaded(&mut self, count: usize) -> Result<()> {
        let command = self.command;
        let loaded = || times_loaded(command).is_ok_and(|found| found >= count);
        self.controller.wait_until(Duration::from_secs(30), loaded)
    }
}

/// cosign verifies what is attached to an image, and does not with the key of another log.
fn judged(shell: &Shell, cosign: Cosign, case: &Case, image: &str) -> Result<()> {
    let key = of_cosign(case).context("cosign has no key")?;
    let tags = "SIGSTORE_REKOR_PUBLIC_KEY=TRUST.pub cosign";
    let bundles = "--new-bundle-format --trusted-root TRUST.json";
    let ways = match (cosign, case.version) {
        (Cosign::Two, _) => vec![(tags, "")],
        (Cosign::Three, 1) => vec![(tags, "--new-bundle-format=false"), ("cosign", bundles)],
        (Cosign::Three, _) => vec![("cosign", bundles)],
    };
    for (program, flags) in ways {
        for verb in ["verify", "verify-attestation --type slsaprovenance"] {
            let line = format!("{program} {verb} {flags} --key {key} {image}");
            holds_by_its_root_alone(shell, &line)?;
        }
    }
    Ok(())
}
