//! Keys in OpenBao: the controller signs with them, and cosign verifies with the public key. A file that
//! windlass signs OpenBao verifies, and the other way round. With the real logs of both versions, cosign verifies what
//! is logged with such a key.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::by_hand::{
    KIND, TRUSTED_FILES, holds_by_its_root_alone, signing_config, write_inputs,
};
use windlass_e2e::images::{self, account, push, secret};
use windlass_e2e::{
    Cosign, Kind, OpenBao, Registry, RekorV1, RekorV2, RunRecord, Shell, Testbed, Timestamps,
    Workstation, on_both_clusters, runs, trusted_root,
};

on_both_clusters!(
    runs_signed_with_a_key_in_openbao_are_verified_by_cosign,
    a_rotated_key_in_openbao_signs_what_comes_after_it,
);

/// The kinds of keys, by the name of the key.
const KINDS: [(&str, &str); 4] = [
    ("p256", "ecdsa-p256"),
    ("p384", "ecdsa-p384"),
    ("ed25519", "ed25519"),
    ("rsa", "rsa-2048"),
];

/// What a controller may do.
const POLICY: &str = r#"
path "transit/keys/*" { capabilities = ["read"] }
path "transit/sign/*" { capabilities = ["update"] }
"#;

/// The engine, a key of each kind, and a token for a controller.
fn set_up(shell: &Shell) -> Result<String> {
    shell.ok("bao secrets enable transit")?;
    for (name, kind) in KINDS {
        shell.ok(&format!("bao write -f transit/keys/{name} type={kind}"))?;
    }
    shell.write("windlass.hcl", POLICY)?;
    shell.ok("bao policy write windlass windlass.hcl")?;
    let token = "bao token create -policy=windlass -period=1h -field=token";
    Ok(shell.ok(token)?.trim().to_owned())
}

/// Has the controller sign with this key.
fn configure(shell: &Shell, bao: &OpenBao, key: &str, token: &str) -> Result<()> {
    let patch = json!({"data": {
        "artifacts.oci.storage": "",
        "artifacts.taskrun.signer": "kms",
        "artifacts.pipelinerun.signer": "kms",
        "signers.kms.kmsref": format!("hashivault://{key}"),
        "signers.kms.auth.address": bao.address(),
        "signers.kms.auth.token": token,
    }});
    let patch = patch.to_string();
    shell.ok(&format!(
        "kubectl patch configmap chains-config -p '{patch}'"
    ))?;
    Ok(())
}

/// A run that is signed, and verifies with the key in this file.
fn signed(shell: &Shell, name: &str, cosign: Cosign, key: &str) -> Result<()> {
    runs::create_batch(shell, name, 1)?;
    runs::finish(shell, &format!("-f {name}.json"))?;
    // the change of the settings may reach the controller a little later than the run
    RunRecord::wait(
        shell,
        &format!("{name}-0"),
        "is signed with the key",
        |run| run.annotation("signed") == "true",
    )?;
    let run = RunRecord::get(shell, &format!("{name}-0"))?;
    ensure!(
        run.verifies(shell, cosign, key)?,
        "cosign does not verify run {name} with {key}"
    );
    Ok(())
}

fn runs_signed_with_a_key_in_openbao_are_verified_by_cosign(kind: Kind) -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::with(kind, cosign, |testbed| {
            let bao = OpenBao::start(testbed.shell().folder())?;
            let shell = &bao.shell(testbed.shell());
            let token = set_up(shell)?;
            for (key, _) in KINDS {
                configure(shell, &bao, key, &token)?;
                let reference = format!("hashivault://{key}");
                let file = format!("{key}.pub");
                shell.ok(&format!("windlass public-key --key {reference} > {file}"))?;
                wait_for_key(shell, key, &file, cosign)?;
                signed(shell, key, cosign, &file)?;
                let line = format!("windlass verify taskrun/{key}-0 --key {reference}");
                shell.ok(&line)?;
                both_ways(shell, cosign, key)?;
            }
            ensure!(testbed.controller_is_running(), "the controller ended");
            Ok(())
        })?;
    }
    Ok(())
}

/// Makes runs until one is signed with a key: from then on the controller uses it.
fn wait_for_key(shell: &Shell, key: &str, file: &str, cosign: Cosign) -> Result<()> {
    for attempt in 0..60 {
        let name = format!("try-{key}-{attempt}");
        runs::settle(shell, &name)?;
        let run = RunRecord::get(shell, &format!("{name}-0"))?;
        if run.verifies(shell, cosign, file)? {
            return Ok(());
        }
    }
    anyhow::bail!("the controller never signed with {key}")
}

/// A file that windlass signs and OpenBao and cosign verify, and the other way round. The cosign of the
/// package sources has no client for Vault, so it gets the public key.
fn both_ways(shell: &Shell, cosign: Cosign, key: &str) -> Result<()> {
    let (reference, file) = (format!("hashivault://{key}"), format!("{key}.pub"));
    shell.write("blob", format!("signed with {key}\n"))?;
    shell.ok(&format!(
        "windlass sign-blob --key {reference} blob > signature"
    ))?;
    verified(shell, cosign, &reference, &file)?;
    let how = "hash_algorithm=sha2-256 marshaling_algorithm=asn1 signature_algorithm=pkcs1v15 \
               input=$(base64 -w 0 blob)";
    let valid = shell.ok(&format!(
        "bao write -field=valid transit/verify/{key} {how} signature=vault:v1:$(cat signature)"
    ))?;
    ensure!(valid.trim() == "true", "OpenBao does not verify: {valid}");
    shell.ok(&format!(
        "bao write -field=signature transit/sign/{key} {how} | cut -d : -f 3 > signature"
    ))?;
    verified(shell, cosign, &reference, &file)
}

/// windlass and cosign verify what was signed.
fn verified(shell: &Shell, cosign: Cosign, reference: &str, file: &str) -> Result<()> {
    let flags = cosign.verify_flags();
    let verify = |key: &str| format!("--key {key} --signature signature blob");
    for line in [
        format!("cosign verify-blob {flags}{}", verify(file)),
        format!("windlass verify-blob {}", verify(file)),
        format!("windlass verify-blob {}", verify(reference)),
    ] {
        shell.run(&line)?.exits(0)?.says("Verified OK")?;
    }
    Ok(())
}

fn a_rotated_key_in_openbao_signs_what_comes_after_it(kind: Kind) -> Result<()> {
    Testbed::with(kind, Cosign::Three, |testbed| {
        let bao = OpenBao::start(testbed.shell().folder())?;
        let shell = &bao.shell(testbed.shell());
        let token = set_up(shell)?;
        let public = "windlass public-key --key openbao://p256";
        shell.ok(&format!("{public} > old.pub"))?;
        configure(shell, &bao, "p256", &token)?;
        wait_for_key(shell, "p256", "old.pub", Cosign::Three)?;
        // the first version signs no longer, so the controller looks at the key at once
        shell.ok("bao write -f transit/keys/p256/rotate")?;
        shell.ok("bao write transit/keys/p256/config min_encryption_version=2")?;
        shell.ok(&format!("{public} > new.pub"))?;
        signed(shell, "after", Cosign::Three, "new.pub")?;
        let old = RunRecord::all(shell)?;
        let old = old.iter().find(|run| run.name().starts_with("try-p256-"));
        let old = old.context("there is a run of the old version")?;
        ensure!(
            old.verifies(shell, Cosign::Three, "old.pub")?,
            "what the old version signed is no longer there"
        );
        let events = shell.ok("kubectl get events -o json")?;
        ensure!(
            events.contains("KeyRotated"),
            "no Event tells of the rotation"
        );
        Ok(())
    })
}

/// What is logged with a key.
struct Logged {
    version: u32,
    key: &'static str,
    /// Whether the log takes its signature of a file, which it sees as a hash, and of a statement.
    takes: [bool; 2],
}

const fn logged_in(version: u32, key: &'static str, takes: [bool; 2]) -> Logged {
    Logged {
        version,
        key,
        takes,
    }
}

/// OpenBao signs SHA-256 digests with keys on P-384, as sigstore asks it to.
const LOGGED: [Logged; 8] = [
    logged_in(1, "p256", [true, true]),
    logged_in(1, "rsa", [true, true]),
    logged_in(1, "p384", [false, true]),
    logged_in(1, "ed25519", [false, true]),
    logged_in(2, "p256", [true, true]),
    logged_in(2, "rsa", [true, true]),
    logged_in(2, "p384", [false, false]),
    logged_in(2, "ed25519", [false, false]),
];

#[test]
fn what_is_logged_with_a_key_in_openbao_is_verified_by_cosign() -> Result<()> {
    for cosign in Cosign::BOTH {
        let machine = Workstation::new(cosign)?;
        let bao = OpenBao::start(machine.shell().folder())?;
        let shell = &bao.shell(machine.shell());
        let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
        let (first, second) = (RekorV1::start(shell)?, RekorV2::start(shell)?);
        let times = Timestamps::start(shell)?;
        set_up(shell)?;
        write_inputs(shell)?;
        let logs = [first.trusted(), second.trusted()];
        let root = trusted_root::of(&logs, None, &[times.trusted()]);
        shell.write("root.json", root.to_string())?;
        let mut other = root;
        other["tlogs"] = json!([trusted_root::unknown_log(shell, "other")?]);
        shell.write("other.json", other.to_string())?;
        let config = signing_config(None, (second.address(), 2), Some(times.address()));
        shell.write("v2.json", config.to_string())?;
        // the library of cosign 2.5 takes the number 0, of the first entry of a log, for none
        let rekor = format!("--rekor-url {}", first.address());
        shell.ok(&format!(
            "windlass sign-blob --key openbao://p256 {rekor} --bundle first predicate"
        ))?;
        for case in LOGGED {
            // cosign 2 knows no log of version 2
            if (cosign, case.version) == (Cosign::Two, 2) {
                continue;
            }
            let (key, version) = (case.key, case.version);
            let how = match version {
                1 => rekor.as_str(),
                _ => "--signing-config v2.json",
            };
            let image = push(shell, &format!("{}/{key}-v{version}", registry.host()))?;
            logged(shell, cosign, (&case, how), &image)
                .with_context(|| format!("{key}, version {version}, cosign {cosign:?}"))?;
        }
    }
    Ok(())
}

/// windlass signs a file and an image with a key in OpenBao and logs that; cosign verifies with the public key, and
/// windlass with the key where it is. What the log does not take is not signed.
fn logged(shell: &Shell, cosign: Cosign, (case, how): (&Logged, &str), image: &str) -> Result<()> {
    let (key, [file, statements]) = (case.key, case.takes);
    let sign = format!("--key openbao://{key} {how} --trusted-root root.json");
    shell.ok(&format!(
        "windlass public-key --key openbao://{key} > {key}.pub"
    ))?;
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
    if statements && case.version == 1 {
        done(true, &format!("attest {sign} {attest} {image}"))?;
        let line = format!("windlass verify-attestation --type {KIND} --key {key}.pub");
        let shown = shell.ok(&format!("{line} --trusted-root root.json {image}"))?;
        let envelopes = shown.lines().count();
        ensure!(envelopes == 2, "under the tag, and in a bundle: {shown}");
    }
    let attestation = format!("verify-attestation --type {KIND}");
    for program in ["cosign", "windlass"] {
        let key = match program {
            "cosign" => format!("{key}.pub"),
            _ => format!("openbao://{key}"),
        };
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

#[test]
fn what_the_controller_logs_with_a_key_in_openbao_is_verified_by_cosign() -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::with(Kind::Real, cosign, |testbed| {
            let registry = Registry::start(&testbed.shell().folder().join("registry"))?;
            let shell = testbed.shell_with_login(&registry.docker_config(""))?;
            let bao = OpenBao::start(shell.folder())?;
            let shell = &bao.shell(&shell);
            let token = set_up(shell)?;
            let log = RekorV1::start(shell)?;
            trusted_root::unknown_log(shell, "other")?;
            shell.write("blob", "the first entry")?;
            let rekor = format!("--rekor-url {}", log.address());
            shell.ok(&format!(
                "windlass sign-blob --key openbao://p256 {rekor} --bundle first blob"
            ))?;
            secret(shell, "right", &registry.docker_config(""))?;
            let secrets = json!({ "imagePullSecrets": [{ "name": "right" }] });
            account(shell, "build-bot", &secrets)?;
            configure(shell, &bao, "p256", &token)?;
            images::configure(
                shell,
                &[
                    ("artifacts.oci.signer", "kms"),
                    ("artifacts.oci.storage", "oci"),
                    ("artifacts.taskrun.storage", "tekton,oci"),
                    ("transparency.enabled", "true"),
                    ("transparency.url", log.address()),
                ],
            )?;
            shell.ok("windlass public-key --key openbao://p256 > p256.pub")?;
            let image = push(shell, &format!("{}/team/app", registry.host()))?;
            images::start(shell, "build", "build-bot", &json!({}))?;
            images::finish(shell, "build", &image)?;
            runs::wait_until_signed(shell, "taskrun/build")?;
            let flags = match cosign {
                Cosign::Two => "",
                Cosign::Three => "--new-bundle-format=false",
            };
            for verb in ["verify", "verify-attestation --type slsaprovenance"] {
                let line = format!("cosign {verb} {flags} --key p256.pub {image}");
                shell.ok(&format!("{TRUSTED_FILES}{line}"))?;
                let other = shell.run(&format!("SIGSTORE_REKOR_PUBLIC_KEY=other.pub {line}"))?;
                ensure!(other.code != 0, "{line}: another log is believed");
            }
            ensure!(testbed.controller_is_running(), "the controller ended");
            Ok(())
        })?;
    }
    Ok(())
}
