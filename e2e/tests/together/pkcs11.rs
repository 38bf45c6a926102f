//! Keys of a PKCS#11 token, by the plugin that comes with windlass: what windlass signs with them cosign
//! verifies and the other way round, with the key on the token and with the public key in a file.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::{Command, Cosign, Kind, RunRecord, Shell, SoftHsm, Testbed, Workstation, runs};

/// Algorithms of keys, by the names that plugins have for them.
const ALGORITHMS: [&str; 6] = [
    "ecdsa-p256",
    "ecdsa-p384",
    "ecdsa-p521",
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
];

#[test]
fn files_signed_with_keys_of_a_token_are_verified_both_ways() -> Result<()> {
    for cosign in Cosign::BOTH {
        let station = Workstation::new(cosign)?;
        let token = SoftHsm::new(station.shell())?;
        let shell = &token.shell(station.shell());
        for algorithm in ALGORITHMS {
            token.create_key(shell, algorithm, algorithm)?;
            both_ways(shell, cosign, algorithm)
                .with_context(|| format!("{algorithm}, cosign {cosign:?}"))?;
        }
    }
    Ok(())
}

/// Both sign a file, and both verify it. cosign 3.1 signs with the hash of the curve and verifies with
/// SHA-256, so that it does not verify what it signed itself on the larger curves.
fn both_ways(shell: &Shell, cosign: Cosign, name: &str) -> Result<()> {
    let part = format!("token={};object={name}", SoftHsm::TOKEN);
    let (ours, theirs) = (format!("'pkcs11:{part}'"), format!("'hsm://{part}'"));
    let file = format!("{name}.pub");
    shell.ok(&format!("windlass public-key --key {ours} > {file}"))?;
    shell.ok(&format!("cosign public-key --key {theirs} > {file}.cosign"))?;
    shell.ok(&format!("diff {file} {file}.cosign"))?;
    shell.write("blob", format!("signed with {name}\n"))?;
    let is_large = matches!(name, "ecdsa-p384" | "ecdsa-p521");
    let (verify_flags, sign_flags) = (cosign.verify_flags(), cosign.sign_flags());
    let verify = |key: &str| format!("--key {key} --signature signature blob");
    for (sign, cosign_verifies) in [
        (
            format!("windlass sign-blob --key {ours} blob > signature"),
            true,
        ),
        (
            format!(
                "cosign sign-blob {sign_flags}--key {theirs} --output-signature signature blob"
            ),
            cosign == Cosign::Two || !is_large,
        ),
    ] {
        shell.ok("rm -f signature")?;
        shell.ok(&sign)?;
        for key in [&file, &ours, &theirs] {
            let line = format!("windlass verify-blob {}", verify(key));
            shell.run(&line)?.exits(0)?.says("Verified OK")?;
        }
        for key in [&file, &theirs] {
            let line = format!("cosign verify-blob {verify_flags}{}", verify(key));
            let code = shell.run(&line)?.code;
            ensure!((code == 0) == cosign_verifies, "{line}: exit {code}");
        }
        shell.ok("cp blob blob.signed && echo more >> blob")?;
        for line in [
            format!("windlass verify-blob {}", verify(&theirs)),
            format!("cosign verify-blob {verify_flags}{}", verify(&theirs)),
        ] {
            let code = shell.run(&line)?.code;
            ensure!(code == 1, "{line}: exit {code} for a changed blob");
        }
        shell.ok("mv blob.signed blob")?;
    }
    Ok(())
}

#[test]
fn cosign_makes_a_key_on_a_token_and_signs_a_bundle_with_it() -> Result<()> {
    let station = Workstation::new(Cosign::Three)?;
    let token = SoftHsm::new(station.shell())?;
    let shell = &token.shell(station.shell());
    let part = format!("token={};object=made", SoftHsm::TOKEN);
    shell.ok(&format!("cosign generate-key-pair --kms 'hsm://{part}'"))?;
    shell.ok(&format!(
        "windlass public-key --key 'pkcs11:{part}' | diff - cosign.pub"
    ))?;
    shell.write("blob", "content\n")?;
    shell.ok(&format!(
        "cosign sign-blob --yes --use-signing-config=false --tlog-upload=false --key 'hsm://{part}' \
         --bundle bundle.json blob"
    ))?;
    for verify in [
        "cosign verify-blob --insecure-ignore-tlog=true",
        "windlass verify-blob --insecure-ignore-tlog",
    ] {
        let line = format!("{verify} --bundle bundle.json --key cosign.pub blob");
        shell.run(&line)?.exits(0)?.says("Verified OK")?;
    }
    Ok(())
}

#[test]
fn windlass_makes_a_key_on_a_token_once_and_cosign_signs_with_it() -> Result<()> {
    for cosign in Cosign::BOTH {
        let station = Workstation::new(cosign)?;
        let token = SoftHsm::new(station.shell())?;
        let shell = &token.shell(station.shell());
        let part = format!("token={};object=made", SoftHsm::TOKEN);
        let create = format!("windlass generate-key-pair --kms 'pkcs11:{part}'");
        shell.ok(&create)?;
        shell.ok(&format!(
            "cosign public-key --key 'hsm://{part}' | diff - cosign.pub"
        ))?;
        shell.ok("cp cosign.pub made.pub")?;
        shell.run(&create)?.exits(2)?.says("exists")?;
        shell.write("blob", "content\n")?;
        let flags = cosign.sign_flags();
        shell.ok(&format!(
            "cosign sign-blob {flags}--key 'hsm://{part}' --output-signature signature blob"
        ))?;
        let line = "windlass verify-blob --key made.pub --signature signature blob";
        shell.run(line)?.exits(0)?.says("Verified OK")?;
    }
    Ok(())
}

#[test]
fn a_pin_or_library_that_is_wrong_is_named_and_no_pin_is_shown() -> Result<()> {
    let station = Workstation::new(Cosign::Three)?;
    let token = SoftHsm::new(station.shell())?;
    let shell = &token.shell(station.shell());
    token.create_key(shell, "k", "ecdsa-p256")?;
    shell.write("blob", "content\n")?;
    let part = format!("token={};object=k", SoftHsm::TOKEN);
    let unset = "env -u COSIGN_PKCS11_PIN";
    for (before, query, said) in [
        ("", "", ""),
        (unset, "", "the token needs a PIN; set COSIGN_PKCS11_PIN"),
        (unset, "?pin-value=planted-wrong", "the PIN is wrong"),
        (
            unset,
            "?pin-source=/absent",
            "cannot read the PIN in /absent",
        ),
        (
            "env -u COSIGN_PKCS11_MODULE_PATH",
            "",
            "no PKCS#11 library is allowed",
        ),
        ("", "?module-name=planted", "is not allowed"),
        (
            "",
            "?module-path=/planted.so",
            "cannot load the PKCS#11 library",
        ),
        ("", ";serial=other", "no token that the URI names"),
        ("", ";id=%00", "the token has no public key"),
    ] {
        let line = format!("{before} windlass sign-blob --key 'pkcs11:{part}{query}' blob");
        let output = shell.run(&line)?;
        let told = format!("{}{}", output.stdout, output.stderr);
        ensure!((output.code == 0) == said.is_empty(), "{line}: {told}");
        ensure!(told.contains(said), "{line}: {told}");
        ensure!(!told.contains("planted-"), "{line}: {told}");
    }
    let source = token.pin_file();
    let line = format!(
        "{unset} windlass sign-blob --key 'pkcs11:{part}?pin-source={}' blob",
        source.display()
    );
    shell.ok(&line)?;
    shell.ok(&format!(
        "{unset} windlass sign-blob --key 'pkcs11:{part}?pin-value={}' blob",
        token.pin()
    ))?;
    shell.ok(&format!(
        "{unset} windlass public-key --key 'pkcs11:{part}'"
    ))?;
    Ok(())
}

#[test]
fn a_controller_signs_runs_with_a_key_of_a_token_and_shows_its_pin_nowhere() -> Result<()> {
    Testbed::without_controller(Kind::Real, Cosign::Three, |testbed| {
        // in a folder of its own, because what the testbed exported has another PATH
        let shell = testbed.shell().beside("token")?;
        let token = SoftHsm::new(&shell)?;
        let shell = &token.shell(&shell);
        token.create_key(shell, "runs", "ecdsa-p256")?;
        let part = format!("token={};object=runs", SoftHsm::TOKEN);
        let patch = json!({"data": {
            "artifacts.oci.storage": "",
            "artifacts.taskrun.signer": "kms",
            "artifacts.pipelinerun.signer": "kms",
            "signers.kms.kmsref": format!("pkcs11:{part}?pin-source={}", token.pin_file().display()),
        }});
        shell.ok(&format!(
            "kubectl patch configmap chains-config -p '{patch}'"
        ))?;
        let mut command = Command::windlass("chains-0", testbed.kubeconfig(), shell.folder())?;
        let folder = token.plugins().display().to_string();
        let names = token.variables();
        let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        let flags = [
            "--kms-plugin-dir",
            &folder,
            "--kms-plugin-env",
            &names.join(","),
        ];
        command.words.extend(flags.map(str::to_owned));
        command.variables.extend(token.variables());
        let mut controller = command.start()?;
        shell.ok(&format!(
            "windlass public-key --key 'pkcs11:{part}' > runs.pub"
        ))?;
        signed(shell, "first")?;
        shell.ok(&format!(
            "windlass verify taskrun/first-0 --key 'pkcs11:{part}' --require-seal"
        ))?;

        std::fs::write(token.pin_file(), "planted-pin-that-is-wrong\n")?;
        runs::create_batch(shell, "second", 1)?;
        runs::finish(shell, "-f second.json")?;
        let refused = || {
            command
                .log()
                .is_ok_and(|log| log.contains("what needs this signer waits"))
        };
        controller.wait_until(Duration::from_secs(60), refused)?;
        let waiting = RunRecord::get(shell, "second-0")?;
        ensure!(
            waiting.annotation("signed") != "true",
            "a run was signed with a wrong PIN"
        );
        std::fs::write(token.pin_file(), format!("{}\n", token.pin()))?;
        verified(shell, "second-0")?;

        ensure!(controller.is_running(), "the controller ended");
        let events = shell.ok("kubectl get events -o json")?;
        ensure!(
            events.contains("KeyUnavailable"),
            "no Event tells of the PIN"
        );
        let runs = shell.ok("kubectl get taskruns -o json")?;
        for (place, text) in [("log", command.log()?), ("events", events), ("runs", runs)] {
            ensure!(!text.contains("planted-pin"), "a PIN is in the {place}");
        }
        Ok(())
    })
}

fn signed(shell: &Shell, name: &str) -> Result<()> {
    runs::create_batch(shell, name, 1)?;
    runs::finish(shell, &format!("-f {name}.json"))?;
    verified(shell, &format!("{name}-0"))
}

/// Waits until a run is signed; cosign has to verify it with the public key.
fn verified(shell: &Shell, run: &str) -> Result<()> {
    RunRecord::wait(shell, run, "is signed", |run| {
        run.annotation("signed") == "true"
    })?;
    let is_valid = RunRecord::get(shell, run)?.verifies(shell, Cosign::Three, "runs.pub")?;
    ensure!(is_valid, "cosign does not verify {run}");
    Ok(())
}
