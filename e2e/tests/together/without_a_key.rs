//! What cosign signs without a key: images under tags and with bundles, attestations and files, with the entries of
//! the real Rekor of either version. windlass verifies them by the identity, the log, the log of certificates and
//! the authority, and says which of them is another one.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use windlass_e2e::by_hand::{KIND, TRUSTED_FILES, signing_config, write_inputs};
use windlass_e2e::images::push;
use windlass_e2e::{
    Cosign, Fulcio, Registry, RekorV1, RekorV2, Shell, Timestamps, Workstation, trusted_root,
};

/// What cosign is asked for, with the name of it.
struct Way {
    name: &'static str,
    flags: String,
    /// Whether it signs images, and files.
    images: bool,
    files: bool,
}

#[test]
fn what_cosign_2_signs_without_a_key_windlass_verifies() -> Result<()> {
    signed_and_verified(Cosign::Two, |servers| {
        let services = servers.flags();
        vec![
            Way {
                name: "tags",
                flags: services.clone(),
                images: true,
                files: false,
            },
            // it puts attestations into bundles, and signatures of images never
            Way {
                name: "bundles",
                flags: format!("{services} --new-bundle-format"),
                images: false,
                files: true,
            },
        ]
    })
}

#[test]
fn what_cosign_3_signs_without_a_key_windlass_verifies() -> Result<()> {
    let bundles = |name, config| Way {
        name,
        flags: format!("--signing-config {config} --trusted-root root.json"),
        images: true,
        files: true,
    };
    signed_and_verified(Cosign::Three, |servers| {
        vec![
            Way {
                name: "tags",
                flags: format!(
                    "{} --use-signing-config=false --new-bundle-format=false",
                    servers.flags()
                ),
                images: true,
                files: false,
            },
            bundles("bundles-v1", "v1.json"),
            bundles("bundles-v2", "v2.json"),
        ]
    })
}

struct Servers {
    fulcio: Fulcio,
    first: RekorV1,
    second: RekorV2,
    times: Timestamps,
}

fn signed_and_verified(cosign: Cosign, ways: impl Fn(&Servers) -> Vec<Way>) -> Result<()> {
    let machine = Workstation::new(cosign)?;
    let shell = machine.shell();
    let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
    let servers = Servers {
        fulcio: Fulcio::start(shell)?,
        first: RekorV1::start(shell)?,
        second: RekorV2::start(shell)?,
        times: Timestamps::start(shell)?,
    };
    write_inputs(shell)?;
    servers.fulcio.write_token(shell)?;
    servers.write(shell)?;
    // the library of cosign 2.5 takes the number 0, of the first entry of a log, for none
    shell.ok(&format!(
        "windlass sign-blob --identity-token token {} --trusted-root root.json --bundle first predicate",
        servers.flags()
    ))?;
    for way in ways(&servers) {
        let image = push(shell, &format!("{}/{}", registry.host(), way.name))?;
        signed(shell, &way, &image)
            .and_then(|()| servers.judged(shell, &way, &image))
            .with_context(|| format!("{cosign:?}, {}", way.name))?;
    }
    Ok(())
}

/// The lines with which cosign signs; an attestation is made each way.
fn signed(shell: &Shell, way: &Way, image: &str) -> Result<()> {
    // a file without a line end, which cosign would send along
    let flags = format!("--yes --identity-token token {}", way.flags);
    let attest = format!("--predicate predicate --type {KIND}");
    let mut lines = vec![format!("attest {flags} {attest} {image}")];
    if way.images {
        lines.push(format!("sign {flags} {image}"));
    }
    if way.files {
        lines.push(format!("sign-blob {flags} --bundle bundle blob"));
        lines.push(format!("attest-blob {flags} {attest} --bundle att blob"));
    }
    for line in lines {
        shell.ok(&format!("{TRUSTED_FILES}cosign {line}"))?;
    }
    Ok(())
}

impl Servers {
    /// The flags that name Fulcio and the log of version 1.
    fn flags(&self) -> String {
        let (fulcio, log) = (self.fulcio.address(), self.first.address());
        format!("--fulcio-url {fulcio} --rekor-url {log}")
    }

    /// The signing configurations, the trusted root, and others that each have one part that is not of here.
    fn write(&self, shell: &Shell) -> Result<()> {
        let fulcio = Some(self.fulcio.address());
        let config = signing_config(fulcio, (self.first.address(), 1), None);
        shell.write("v1.json", config.to_string())?;
        let log = (self.second.address(), 2);
        let config = signing_config(fulcio, log, Some(self.times.address()));
        shell.write("v2.json", config.to_string())?;
        let root = trusted_root::of(
            &[self.first.trusted(), self.second.trusted()],
            Some(self.fulcio.trusted()),
            &[self.times.trusted()],
        );
        let unknown = trusted_root::unknown_log(shell, "unknown")?;
        let another = |name: &str, part: &str, value: Value| {
            let mut root = root.clone();
            root[part] = value;
            shell.write(name, root.to_string())
        };
        another("root.json", "mediaType", root["mediaType"].clone())?;
        another("other-log.json", "tlogs", json!([unknown.clone()]))?;
        another("other-certificates.json", "ctlogs", json!([unknown]))?;
        // one that certifies timestamps only
        let authority = trusted_root::authority("https://other.test", self.times.chain());
        another(
            "other-authority.json",
            "certificateAuthorities",
            json!([authority]),
        )
    }

    /// windlass verifies it all, and refuses it if one thing is another one.
    fn judged(&self, shell: &Shell, way: &Way, image: &str) -> Result<()> {
        let who = |identity: &str, issuer: &str| {
            format!("--certificate-identity={identity} --certificate-oidc-issuer={issuer}")
        };
        let issuer = self.fulcio.issuer();
        let right = who(Fulcio::ROBOT, issuer);
        let somebody = who("https://kubernetes.io/somebody", issuer);
        let elsewhere = who(Fulcio::ROBOT, "https://issuer.test");
        // in version 2 the checkpoint alone names the log
        let log = if way.name == "bundles-v2" {
            "no log of the trusted root signed the checkpoint"
        } else {
            "by a transparency log that the trusted root does not have"
        };
        let refused = [
            ("root", somebody, "identity"),
            ("root", elsewhere, "issuer"),
            ("other-log", right.clone(), log),
            (
                "other-certificates",
                right.clone(),
                "(SCT) is by another log of certificates",
            ),
            ("other-authority", right.clone(), "authority"),
        ];
        for line in verifying(way, image) {
            let typed = |root: &str, who: &str| {
                line.replace("TRUST", &format!("--trusted-root {root}.json {who}"))
            };
            let said = shell.run(&typed("root", &right))?.exits(0)?;
            if line.contains("blob") {
                said.says("Verified OK")?;
            }
            for (root, who, named) in &refused {
                shell.run(&typed(root, who))?.exits(1)?.says(named)?;
            }
        }
        Ok(())
    }
}

/// The lines with which windlass verifies what was signed.
fn verifying(way: &Way, image: &str) -> Vec<String> {
    let mut lines = vec![format!("verify-attestation --type {KIND} TRUST {image}")];
    if way.images {
        lines.push(format!("verify TRUST {image}"));
    }
    if way.files {
        lines.push("verify-blob TRUST --bundle bundle blob".to_owned());
        lines.push(format!(
            "verify-blob-attestation --type {KIND} TRUST --bundle att blob"
        ));
    }
    lines
        .iter()
        .map(|line| format!("windlass {line}"))
        .collect()
}
