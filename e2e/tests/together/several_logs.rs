//! Signing by hand with two logs of version 2 and two timestamp authorities at once, as a signing
//! configuration asks: cosign 3 verifies what windlass signed, and windlass what cosign 3 signed, also whoever
//! trusts one of the operators only.
//!
//! Both logs are the real Rekor. One authority is the real one, of which one can run at a time; the other is
//! the sandbox's, and cosign judges its timestamps.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::by_hand::{
    make_signer, sign_with_cosign, sign_with_windlass, verifying_lines, write_inputs,
};
use windlass_e2e::images::push;
use windlass_e2e::{
    Cosign, Fulcio, Registry, RekorV2, Shell, Timestamps, Workstation, trusted_root,
};
use windlass_sandbox::timestamps::TimestampAuthority;

/// The flags of both programs that name the services.
const SERVICES: &str = "--signing-config config.json";
/// The roots of whoever trusts both operators, and one of them.
const ROOTS: [&str; 3] = ["both", "one", "other"];

/// What signs, logs and tells the time.
struct Servers {
    fulcio: Fulcio,
    logs: [RekorV2; 2],
    times: Timestamps,
    other_times: TimestampAuthority,
}

#[test]
fn what_two_logs_and_two_authorities_vouch_for_is_verified_both_ways() -> Result<()> {
    let machine = Workstation::new(Cosign::Three)?;
    let shell = machine.shell();
    let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
    let runtime = tokio::runtime::Runtime::new()?;
    let servers = Servers {
        fulcio: Fulcio::start(shell)?,
        logs: [
            RekorV2::start_as(shell, "first")?,
            RekorV2::start_as(shell, "second")?,
        ],
        times: Timestamps::start(shell)?,
        other_times: runtime.block_on(TimestampAuthority::start())?,
    };
    write_inputs(shell)?;
    make_signer(shell)?;
    servers.write(shell)?;
    servers.fulcio.write_token(shell)?;
    let identity = servers.fulcio.identity_flags(Fulcio::ROBOT);
    for (who, sign, check) in [
        ("key", "--key signer.key", "--key signer.pub"),
        ("identity", "--identity-token token", &*identity),
    ] {
        let image = push(shell, &format!("{}/ours-{who}", registry.host()))?;
        let before = servers.entries(shell)?;
        let flags = format!("{sign} {SERVICES} --trusted-root both.json");
        sign_with_windlass(shell, &image, &flags)
            .with_context(|| format!("windlass signs, {who}"))?;
        let after = servers.entries(shell)?;
        ensure!(
            after == before.map(|count| count + 4),
            "{who}: {before:?}, then {after:?}"
        );
        verified(shell, &image, check).with_context(|| format!("of windlass, {who}"))?;
        spoilt(shell, check).with_context(|| format!("a wrong entry, {who}"))?;
    }
    let image = push(shell, &format!("{}/theirs", registry.host()))?;
    let before = servers.entries(shell)?;
    let flags = format!("--key signer.key {SERVICES} --yes");
    sign_with_cosign(shell, &image, &flags).context("cosign signs")?;
    let after = servers.entries(shell)?;
    ensure!(after == before.map(|count| count + 4), "cosign: {after:?}");
    verified(shell, &image, "--key signer.pub").context("of cosign")
}

impl Servers {
    /// The signing configuration, which asks for all, and a trusted root for each reader.
    fn write(&self, shell: &Shell) -> Result<()> {
        let service = |url: &str, version: u32, operator: &str| {
            json!({
                "url": url, "majorApiVersion": version, "operator": operator,
                "validFor": { "start": "2020-01-01T00:00:00Z" },
            })
        };
        let [one, other] = &self.logs;
        let fulcio = self.fulcio.address();
        let config = json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service(fulcio, 1, "one")],
            "oidcUrls": [],
            "rekorTlogUrls": [service(one.address(), 2, "one"), service(other.address(), 2, "other")],
            "rekorTlogConfig": { "selector": "ALL" },
            "tsaUrls": [
                service(self.times.address(), 1, "one"),
                service(&self.other_times.url(), 1, "other"),
            ],
            "tsaConfig": { "selector": "EXACT", "count": 2 },
        });
        shell.write("config.json", config.to_string())?;
        let logs = self.logs.each_ref().map(RekorV2::trusted);
        let chain = self.other_times.chain_pem();
        let times = [
            self.times.trusted(),
            trusted_root::authority(&self.other_times.url(), &chain),
        ];
        let write = |name: &str, logs: &[Value], times: &[Value]| {
            let root = trusted_root::of(logs, Some(self.fulcio.trusted()), times);
            shell.write(&format!("{name}.json"), root.to_string())
        };
        write("both", &logs, &times)?;
        write("one", &logs[..1], &times[..1])?;
        write("other", &logs[1..], &times[1..])?;
        let mut stranger = logs[0].clone();
        let der =
            "openssl genpkey -algorithm ed25519 | openssl pkey -pubout -outform DER | base64 -w0";
        stranger["publicKey"]["rawBytes"] = json!(shell.ok(der)?.trim());
        write("stranger", &[stranger], &times)
    }

    /// How many entries the logs have.
    fn entries(&self, shell: &Shell) -> Result<[u64; 2]> {
        Ok([self.logs[0].entries(shell)?, self.logs[1].entries(shell)?])
    }
}

/// How many entries and timestamps a bundle has.
fn vouchers(shell: &Shell, name: &str) -> Result<(usize, usize)> {
    let bundle = bundle(shell, name)?;
    let material = &bundle["verificationMaterial"];
    let count = |list: &Value| list.as_array().map_or(0, Vec::len);
    let stamps = &material["timestampVerificationData"]["rfc3161Timestamps"];
    Ok((count(&material["tlogEntries"]), count(stamps)))
}

fn bundle(shell: &Shell, name: &str) -> Result<Value> {
    let text = std::fs::read(shell.folder().join(name))?;
    Ok(serde_json::from_slice(&text)?)
}

/// Both verify what is attached to the image and in the bundles, by the root of each reader.
fn verified(shell: &Shell, image: &str, check: &str) -> Result<()> {
    for name in ["bundle", "att"] {
        let found = vouchers(shell, name)?;
        ensure!(found == (2, 2), "{name} has {found:?}");
    }
    for program in ["cosign", "windlass"] {
        let flags = format!("--trusted-root TRUST.json --use-signed-timestamps {check}");
        for line in verifying_lines(program, image, &flags) {
            for root in ROOTS {
                shell.ok(&line.replace("TRUST", root))?;
            }
            let stranger = shell.run(&line.replace("TRUST", "stranger"))?;
            ensure!(stranger.code != 0, "{line}: a strange log is believed");
        }
    }
    Ok(())
}

/// Neither believes a bundle whose second entry is of something else, unless it does not know that log.
fn spoilt(shell: &Shell, check: &str) -> Result<()> {
    let mut spoilt = bundle(shell, "bundle")?;
    let other = bundle(shell, "att")?;
    let place = "/verificationMaterial/tlogEntries/1";
    let entry = spoilt.pointer_mut(place).context("a second entry")?;
    *entry = other.pointer(place).context("a second entry")?.clone();
    let log = entry["logId"]["keyId"].clone();
    shell.write("spoilt", spoilt.to_string())?;
    let flags = format!("--use-signed-timestamps {check} --bundle spoilt blob");
    for program in ["cosign", "windlass"] {
        for root in ROOTS {
            let line = format!("{program} verify-blob --trusted-root {root}.json {flags}");
            let logs = bundle(shell, &format!("{root}.json"))?;
            let logs = logs["tlogs"].as_array().context("logs")?.clone();
            let is_known = logs.iter().any(|one| one["logId"]["keyId"] == log);
            let is_believed = shell.run(&line)?.code == 0;
            ensure!(is_believed != is_known, "{line}: believed: {is_believed}");
        }
    }
    Ok(())
}
