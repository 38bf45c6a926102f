//! What vouches for a signature: the log that gets its entry, and the authority that tells its time.

use anyhow::{Context as _, bail, ensure};
use clap::ValueHint;
use jiff::Timestamp;
use windlass_core::config::{Endpoint, LogNeed, LogVersion, Transparency, TransparencyMode};
use windlass_core::signed::Stamped;
use windlass_core::trusted_root::Roots;

use crate::cli::output;
use crate::cli::trusted_root::RootRef;
use crate::cluster::Connection;
use crate::input::Input;
use crate::log::{Log, Stamper, check_address};
use crate::signing::roots;
use crate::signing::services::{self, RekorService, Services, ServicesError};

/// Heading of the flags in help texts.
const LOGGING: &str = "Transparency log";

/// The log and the authority, and what they are checked against.
#[derive(Debug, clap::Args)]
pub(super) struct LogFlags {
    /// Address of the transparency log (Rekor) that gets an entry of each signature; without it
    /// nothing is logged
    #[arg(long, value_name = "URL", help_heading = LOGGING)]
    rekor_url: Option<String>,
    /// Whether the signature is logged where --rekor-url or --signing-config says; without one of
    /// them there is no log to upload to, whatever cosign's default
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set, help_heading = LOGGING)]
    tlog_upload: Option<bool>,
    /// Whole address of a timestamp authority (RFC 3161); without it there are no timestamps
    #[arg(long, value_name = "URL", help_heading = LOGGING)]
    timestamp_server_url: Option<String>,
    /// Signing configuration that names Fulcio, the log and the timestamp authority, as cosign takes it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = LOGGING)]
    signing_config: Option<Input>,
    /// Trusted root that the certificate, the log and the timestamp are checked against: a file, or
    /// k8s://<namespace>/<configmap>
    #[arg(long, value_name = "FILE|REF", value_hint = ValueHint::FilePath, help_heading = LOGGING)]
    trusted_root: Option<RootRef>,
}

/// Where a signature is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Place {
    /// In a layer under a tag, which has a place for entries of version 1 and for timestamps.
    Tag,
    /// The same for an attestation. cosign looks there for a timestamp of the whole envelope, and not of the
    /// signature as in a bundle.
    AttestationTag {
        /// Whether it is also written to a file, in a bundle.
        with_bundle: bool,
    },
    /// In a bundle, which has a place for both, of any version.
    Bundle,
    /// Nowhere but with a file for its timestamp.
    Files,
    /// By itself.
    Bare,
}

/// Where entries are added, and who tells the time.
pub(super) struct Vouching {
    pub(super) logs: Vec<Log>,
    pub(super) stampers: Vec<Stamper>,
    /// Whether the entries of the logs have a time.
    tells_time: bool,
}

impl Place {
    /// That of a file: in its bundle, or by itself with a file for its timestamp.
    pub(in crate::cli) fn of_file(has_bundle: bool, has_timestamp: bool) -> Self {
        match (has_bundle, has_timestamp) {
            (true, _) => Self::Bundle,
            (false, true) => Self::Files,
            (false, false) => Self::Bare,
        }
    }

    /// Whether it has a place for the entries of several logs and the timestamps of several authorities.
    pub(super) fn takes_several(self) -> bool {
        self == Self::Bundle
    }

    /// The newest version of a log whose entries it has a place for.
    pub(super) fn newest_log(self) -> LogVersion {
        match self {
            Self::Bundle => LogVersion::Two,
            Self::Tag | Self::AttestationTag { .. } | Self::Files | Self::Bare => LogVersion::One,
        }
    }

    /// What verifiers look for a timestamp of.
    pub(super) fn stamped(self) -> &'static [Stamped] {
        match self {
            Self::AttestationTag { with_bundle: false } => &[Stamped::Envelope],
            Self::AttestationTag { with_bundle: true } => &[Stamped::Signature, Stamped::Envelope],
            Self::Tag | Self::Bundle | Self::Files | Self::Bare => &[Stamped::Signature],
        }
    }

    /// How to get a place for entries of version 2, and for several of each.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Bundle => "",
            Self::Tag | Self::AttestationTag { .. } => " without --new-bundle-format",
            Self::Files | Self::Bare => " without --bundle FILE",
        }
    }
}

impl Vouching {
    fn is_logged(&self) -> bool {
        self.logs.iter().any(Log::is_on)
    }
}

impl LogFlags {
    /// The trusted root.
    pub(super) fn trusted_root(&self) -> Option<&RootRef> {
        self.trusted_root.as_ref()
    }

    /// Whether a service is asked for.
    pub(super) fn names_service(&self) -> bool {
        let named = [&self.rekor_url, &self.timestamp_server_url];
        named.iter().any(|url| url.is_some())
            || self.signing_config.is_some()
            || self.tlog_upload == Some(true)
    }

    /// Whether the log of the signing configuration is left out.
    fn takes_no_log_of_file(&self) -> bool {
        self.tlog_upload == Some(false) || self.rekor_url.is_some()
    }

    /// Whether it was said that there is an entry or that there is none.
    pub(super) fn says_whether(&self) -> bool {
        self.tlog_upload.is_some()
    }

    /// The services of the signing configuration, for a result that is put there.
    pub(super) fn services(&self, place: Place) -> anyhow::Result<Services> {
        let Some(input) = &self.signing_config else {
            return Ok(Services::default());
        };
        let content = input.read(services::LARGEST);
        let content = content.with_context(|| format!("cannot read {input}"))?;
        let newest = if self.takes_no_log_of_file() {
            LogVersion::Two
        } else {
            place.newest_log()
        };
        let mut read = Services::read(&content, Timestamp::now(), newest);
        if let Ok(services) = &mut read
            && self.takes_no_log_of_file()
        {
            services.rekor.clear();
        }
        if let Ok(services) = &mut read
            && self.timestamp_server_url.is_some()
        {
            services.timestamps.clear();
        }
        if !place.takes_several() {
            read = read.and_then(Services::one_of_each);
        }
        let hint = match read {
            Err(ServicesError::NoPlace | ServicesError::Several { .. }) => place.hint(),
            _ => "",
        };
        read.with_context(|| format!("cannot use the signing configuration {input}{hint}"))
    }

    /// What the trusted root has.
    pub(super) async fn roots(&self, connection: &Connection) -> anyhow::Result<Roots> {
        let Some(root) = &self.trusted_root else {
            return Ok(Roots::default());
        };
        let read = Roots::read(&root.read(connection).await?);
        read.with_context(|| format!("cannot use the trusted root {root}"))
    }

    /// The log and the authority that are named, by a flag or else by the signing configuration.
    pub(super) fn vouching(
        &self,
        services: &Services,
        roots: &Roots,
        place: Place,
    ) -> anyhow::Result<Vouching> {
        let rekors = self.rekors(services)?;
        let logs = rekors.iter().map(|rekor| match rekor.version {
            LogVersion::One => self.log_of_version_one(&rekor.url, roots),
            LogVersion::Two => self.log_of_version_two(&rekor.url, roots),
        });
        Ok(Vouching {
            logs: logs.collect::<anyhow::Result<_>>()?,
            stampers: self.stampers(services, roots, place)?,
            tells_time: rekors.iter().any(|rekor| rekor.version == LogVersion::One),
        })
    }

    /// Tells of a signature that has no time.
    pub(super) fn tell_undated(vouching: &Vouching) {
        if vouching.is_logged() && !vouching.tells_time && vouching.stampers.is_empty() {
            output::note(
                "a log of version 2 tells no time: verifiers that need one refuse the signature, unless a \
                 timestamp authority is named with --timestamp-server-url",
            );
        }
    }

    /// Refuses to sign without a key where nobody can tell later when that was.
    pub(super) fn check_dated(&self, vouching: &Vouching) -> anyhow::Result<()> {
        if vouching.tells_time || !vouching.stampers.is_empty() {
            return Ok(());
        }
        ensure!(
            !vouching.is_logged(),
            "a log of version 2 tells no time, and a certificate is valid for minutes, so nobody could \
             tell that it was valid when it signed; name a timestamp authority with --timestamp-server-url"
        );
        ensure!(
            self.tlog_upload == Some(false),
            "a certificate is valid for minutes, and without a log entry or a timestamp nobody can tell \
             that it was valid when it signed; name a log with --rekor-url or an authority with \
             --timestamp-server-url, or do without by --tlog-upload=false"
        );
        Ok(())
    }

    /// The logs that are named, unless there is to be none.
    fn rekors(&self, services: &Services) -> anyhow::Result<Vec<RekorService>> {
        if self.tlog_upload == Some(false) {
            return Ok(Vec::new());
        }
        let typed = self.rekor_url.as_ref().map(|url| RekorService {
            url: url.clone(),
            version: LogVersion::One,
        });
        let rekors = typed.map_or_else(|| services.rekor.clone(), |typed| vec![typed]);
        ensure!(
            !rekors.is_empty() || self.tlog_upload.is_none(),
            "no transparency log is named; give its address with --rekor-url (the public one is \
             https://rekor.sigstore.dev, where everybody sees it for good), or leave --tlog-upload out"
        );
        Ok(rekors)
    }

    /// The flag that names the log.
    fn log_flag(&self) -> &'static str {
        if self.rekor_url.is_some() {
            "--rekor-url"
        } else {
            "--signing-config"
        }
    }

    fn log_of_version_one(&self, url: &str, roots: &Roots) -> anyhow::Result<Log> {
        let settings = Transparency {
            mode: TransparencyMode::Always,
            url: self.log_address(url)?,
            need: LogNeed::Required,
            public_key: roots.key_of_log(url).cloned(),
            version: LogVersion::One,
            origin: String::new(),
            timestamps: None,
        };
        ensure!(
            self.trusted_root.is_none() || settings.public_key.is_some(),
            "the trusted root has no key of the log at that address; add it there, or correct {}",
            self.log_flag()
        );
        Ok(Log::named(&settings))
    }

    fn log_of_version_two(&self, url: &str, roots: &Roots) -> anyhow::Result<Log> {
        let url_of_log = self.log_address(url)?;
        ensure!(
            self.trusted_root.is_some(),
            "the signing configuration names a log of version 2, which tells nobody its key: give a \
             trusted root that has it with --trusted-root (`windlass trust show -o root` prints the public \
             one), or name a log of version 1 with --rekor-url"
        );
        let trusted = roots::logs_of_version_two(roots, url, Timestamp::now());
        ensure!(
            !trusted.is_empty(),
            "the trusted root has no log that is valid now; add the key of the log of the signing \
             configuration there"
        );
        Ok(Log::of_version_two(&url_of_log, trusted))
    }

    fn log_address(&self, url: &str) -> anyhow::Result<Endpoint> {
        let form = "write https://HOST";
        address(url, self.log_flag(), ("a transparency log", form))
    }

    fn stampers(
        &self,
        services: &Services,
        roots: &Roots,
        place: Place,
    ) -> anyhow::Result<Vec<Stamper>> {
        let typed = self.timestamp_server_url.as_ref();
        let urls = typed.map_or(services.timestamps.as_slice(), std::slice::from_ref);
        if urls.is_empty() {
            return Ok(Vec::new());
        }
        ensure!(
            place != Place::Bare,
            "the timestamp would be lost: write it to a file, such as a bundle with --bundle"
        );
        let flag = match typed {
            Some(_) => "--timestamp-server-url",
            None => "tsaUrls of --signing-config",
        };
        let trusted = roots.time_authorities.as_slice();
        ensure!(
            self.trusted_root.is_none() || !trusted.is_empty(),
            "the trusted root has no timestamp authority; add it there, or leave out --trusted-root"
        );
        let is_trusted = self.trusted_root.is_some();
        if !is_trusted {
            output::note(
                "who signs the timestamp is not checked; give a trusted root with --trusted-root",
            );
        }
        let form = "write it whole, such as https://HOST/api/v1/timestamp";
        let stampers = urls.iter().map(|url| {
            let address = address(url, flag, ("a timestamp authority", form))?;
            let stamper = Stamper::of_command(&address, is_trusted.then_some(trusted));
            stamper.context("cannot ask for timestamps")
        });
        stampers.collect()
    }
}

/// The address that a flag gives. It may have a password where it must not, so it is not repeated.
fn address(url: &str, flag: &str, (of, form): (&str, &str)) -> anyhow::Result<Endpoint> {
    let address = Endpoint::from(url);
    if let Err(why) = check_address(&address) {
        bail!("{flag} is no address of {of}: {why}; {form}");
    }
    Ok(address)
}
