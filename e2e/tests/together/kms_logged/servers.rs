//! Where keys are, and the logs.

use anyhow::Result;
use serde_json::json;
use windlass_e2e::by_hand::signing_config;
use windlass_e2e::{
    Command, LocalKms, OpenBao, RekorV1, RekorV2, Shell, SoftHsm, Testbed, Timestamps, trusted_root,
};

/// Where a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    OpenBao,
    Aws,
    Token,
}

impl Place {
    pub(super) const ALL: [Self; 3] = [Self::OpenBao, Self::Aws, Self::Token];

    /// A key, as windlass names it in a shell.
    pub(super) fn key(self, name: &str) -> String {
        match self {
            Self::OpenBao => format!("openbao://{name}"),
            Self::Aws => format!("awskms:///alias/{name}"),
            Self::Token => format!("'pkcs11:token={};object={name}'", SoftHsm::TOKEN),
        }
    }

    /// The same as cosign names it. The one of the package sources has no client for Vault.
    pub(super) fn key_for_cosign(self, name: &str) -> Option<String> {
        match self {
            Self::OpenBao => None,
            Self::Aws => Some(self.key(name)),
            Self::Token => Some(format!("'hsm://token={};object={name}'", SoftHsm::TOKEN)),
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::OpenBao => "openbao",
            Self::Aws => "aws",
            Self::Token => "token",
        }
    }
}

/// The services with their keys.
pub(super) struct Services {
    pub(super) bao: OpenBao,
    pub(super) kms: LocalKms,
    pub(super) token: SoftHsm,
    /// With which a controller logs in to OpenBao.
    pub(super) login: String,
}

impl Services {
    /// Starts them; a shell whose programs use all of them.
    pub(super) fn start(shell: &Shell) -> Result<(Self, Shell)> {
        let bao = OpenBao::start(shell.folder())?;
        let kms = LocalKms::start(shell.folder())?;
        let token = SoftHsm::new(shell)?;
        let shell = token.shell(&kms.shell(&bao.shell(shell)));
        let login = bao.set_up(&shell)?;
        for (name, spec) in [
            ("p256", "ECC_NIST_P256"),
            ("p384", "ECC_NIST_P384"),
            ("p521", "ECC_NIST_P521"),
            ("rsa", "RSA_2048"),
        ] {
            kms.create_key(&shell, name, spec)?;
        }
        for (name, algorithm) in [("p256", "ecdsa-p256"), ("rsa", "rsa-2048")] {
            token.create_key(&shell, name, algorithm)?;
        }
        let services = Self {
            bao,
            kms,
            token,
            login,
        };
        Ok((services, shell))
    }

    /// What the controller is told of a key.
    pub(super) fn settings(&self, place: Place, name: &str) -> Vec<(&'static str, String)> {
        let reference = match place {
            Place::Token => format!(
                "pkcs11:token={};object={name}?pin-source={}",
                SoftHsm::TOKEN,
                self.token.pin_file().display()
            ),
            Place::OpenBao | Place::Aws => place.key(name),
        };
        vec![
            ("signers.kms.kmsref", reference),
            ("signers.kms.auth.address", self.bao.address().to_owned()),
            ("signers.kms.auth.token", self.login.clone()),
        ]
    }

    /// A controller that may use all of them.
    pub(super) fn controller(&self, testbed: &Testbed, shell: &Shell) -> Result<Command> {
        let mut command = Command::windlass("chains-0", testbed.kubeconfig(), shell.folder())?;
        let folder = self.token.plugins().display().to_string();
        let variables = self.token.variables();
        let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(",");
        let flags = ["--kms-plugin-dir", &folder, "--kms-plugin-env", &names];
        command.words.extend(flags.map(str::to_owned));
        command.variables.extend(variables);
        command.variables.extend(self.kms.variables());
        Ok(command)
    }
}

/// The logs, and who tells the time.
pub(super) struct Logs {
    pub(super) first: RekorV1,
    pub(super) second: RekorV2,
    pub(super) times: Timestamps,
}

impl Logs {
    /// Starts them, and writes a trusted root of them, `root.json`, and one of other logs, `other.json`; of the first
    /// its key too, `root.pub` and `other.pub`.
    pub(super) fn start(shell: &Shell) -> Result<Self> {
        let logs = Self {
            first: RekorV1::start(shell)?,
            second: RekorV2::start(shell)?,
            times: Timestamps::start(shell)?,
        };
        let known = [logs.first.trusted(), logs.second.trusted()];
        let root = trusted_root::of(&known, None, &[logs.times.trusted()]);
        shell.write("root.json", root.to_string())?;
        shell.write("root.pub", logs.first.public_key())?;
        let mut other = root;
        other["tlogs"] = json!([trusted_root::unknown_log(shell, "other")?]);
        shell.write("other.json", other.to_string())?;
        let times = Some(logs.times.address());
        let config = signing_config(None, (logs.second.address(), 2), times);
        shell.write("v2.json", config.to_string())?;
        let config = signing_config(None, (logs.first.address(), 1), None);
        shell.write("v1.json", config.to_string())?;
        // the library of cosign 2.5 takes the number 0, of the first entry of a log, for none
        let rekor = logs.first.address();
        shell.write("first.txt", "the first entry")?;
        shell.ok(&format!(
            "windlass sign-blob --key openbao://p256 --rekor-url {rekor} --bundle first first.txt"
        ))?;
        Ok(logs)
    }

    /// The flags that name the log of a version.
    pub(super) fn flags(&self, version: u32) -> String {
        match version {
            1 => format!("--rekor-url {}", self.first.address()),
            _ => "--signing-config v2.json".to_owned(),
        }
    }
}
