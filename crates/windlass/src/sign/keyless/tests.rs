//! The signer against the sandbox's Fulcio: what is taken, what is refused, and how often it asks.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::sync::Notify;
use windlass_core::certificate::{Authority, sct};
use windlass_core::config::{self, Config};
use windlass_core::error::Chain;
use windlass_core::key::{Certificate, PublicKey};
use windlass_core::signed::Identity;
use windlass_sandbox::Reply;
use windlass_sandbox::fulcio::{Fault, FaultAnswer, Fulcio, Quirk, Subject};

use super::error::KeylessError;
use super::means::Means;
use super::signer::KeylessSigner;
use crate::sign::error::SignError;
use crate::telemetry::recorded::Log;

const ACCOUNT: &str =
    "https://kubernetes.io/namespaces/tekton-chains/serviceaccounts/tekton-chains-controller";

/// Fulcio, and a folder with a token for it.
struct Stage {
    fulcio: Fulcio,
    folder: TempDir,
    settings: config::X509,
}

impl Stage {
    /// With the root and the log of the authority in the settings.
    async fn start() -> Self {
        let fulcio = Fulcio::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, fulcio.issue(&Subject::default())).unwrap();
        let settings = config::X509 {
            fulcio_enabled: true,
            fulcio_address: fulcio.url().as_str().into(),
            identity_token_file: file.display().to_string(),
            fulcio_root: fulcio.root_pem(),
            fulcio_ctlog_key: fulcio.log_key_pem(),
            ..Config::default().x509
        };
        Self {
            fulcio,
            folder,
            settings,
        }
    }

    fn token_file(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    fn means(&self) -> Means {
        Means {
            settings: self.settings.clone(),
            environment: |_| None,
            cluster: None,
            typed: None,
        }
    }

    async fn open(&self) -> Result<KeylessSigner, KeylessError> {
        KeylessSigner::open(&self.means(), &Arc::new(Notify::new())).await
    }

    /// Why there is no signer, when the next response is this one. Nothing secret is in it.
    async fn refused(&self, answer: FaultAnswer) -> String {
        self.fulcio.clear_faults();
        self.fulcio.fail(Fault {
            answer,
            times: usize::MAX,
            ..Fault::default()
        });
        let error = self.open().await.err().unwrap();
        self.fulcio.clear_faults();
        self.text(&error)
    }

    fn text(&self, error: &KeylessError) -> String {
        let text = Chain(error).to_string();
        let token = std::fs::read_to_string(self.token_file()).unwrap();
        for shown in [&text, &format!("{error:?}")] {
            for part in token.split('.').filter(|part| part.len() > 8) {
                assert!(!shown.contains(part), "{shown}");
            }
        }
        assert!(!text.contains('\n'), "{text}");
        text
    }
}

fn leaf(identity: &Identity) -> &Certificate {
    match identity {
        Identity::Certificate { leaf, .. } => leaf,
        Identity::Key(_) => panic!("there is no certificate"),
    }
}

#[tokio::test]
async fn a_certificate_names_the_signer_and_signs_many_times() {
    let stage = Stage::start().await;
    let signer = stage.open().await.unwrap();
    assert_eq!(signer.authority().identity(), ACCOUNT);
    assert_eq!(signer.authority().issuer(), "https://issuer.sandbox");
    assert!(signer.gaps().is_empty());
    let mut keys = Vec::new();
    for _ in 0..50 {
        let signature = signer.sign(b"message").await.unwrap();
        let key = signature.identity.public_key().clone();
        key.verify(b"message", &signature.bytes).unwrap();
        assert_eq!(leaf(&signature.identity).public_key(), &key);
        assert_eq!(signature.identity.chain_pem().matches("BEGIN").count(), 2);
        keys.push(key.key_id());
    }
    keys.dedup();
    assert_eq!(keys.len(), 1);
    assert_eq!(stage.fulcio.certificates(), 1);
}

#[tokio::test]
async fn an_email_address_is_proved_and_named() {
    let mut stage = Stage::start().await;
    let subject = Subject {
        email: Some("ci@example.com".to_owned()),
        issuer: "https://accounts.example.com".to_owned(),
        ..Subject::default()
    };
    std::fs::write(stage.token_file(), stage.fulcio.issue(&subject)).unwrap();
    stage.settings.fulcio_issuer = Some(subject.issuer);
    let signer = stage.open().await.unwrap();
    assert_eq!(signer.authority().identity(), "ci@example.com");
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_named_and_nothing_is_signed() {
    let stage = Stage::start().await;
    let minutes = |count: u64| Duration::from_secs(60 * count);
    for (quirk, expected) in [
        (Quirk::OtherKey, "for another key"),
        (Quirk::Ended(minutes(5)), "ended 300 s ago"),
        (Quirk::Early(minutes(5)), "begins to be valid"),
        (
            Quirk::Identity("odd name".to_owned()),
            "exactly one identity",
        ),
        (Quirk::OtherChain, "not issued by"),
        (Quirk::OtherAuthority, "not issued by"),
        (Quirk::Purpose, "not one for signing code"),
        (
            Quirk::NoLog,
            "no timestamp of a certificate transparency log",
        ),
        (Quirk::OtherLog, "whose key is not the given one"),
        (Quirk::OtherStamp, "for another certificate"),
        (Quirk::OtherDetached, "for another certificate"),
        (Quirk::Alone, "no certificate that can be read"),
        (Quirk::Many(8), "no certificate that can be read"),
    ] {
        let told = stage.refused(FaultAnswer::Quirk(quirk)).await;
        assert!(told.contains(expected), "{told}");
        assert!(told.contains(&stage.fulcio.url()), "{told}");
    }
    stage.open().await.unwrap();
}

#[tokio::test]
async fn a_promise_of_a_log_beside_the_certificate_counts_too() {
    let stage = Stage::start().await;
    stage
        .fulcio
        .fail(Fault::new("POST", "/", FaultAnswer::Quirk(Quirk::Detached)));
    stage.open().await.unwrap();
}

#[tokio::test]
async fn an_authority_or_a_log_that_is_not_the_given_one_is_refused() {
    let mut stage = Stage::start().await;
    let (root, log) = (stage.fulcio.root_pem(), stage.fulcio.log_key_pem());
    stage.fulcio.replace_authority().unwrap();
    let error = stage.open().await.err().unwrap();
    assert!(stage.text(&error).contains("signers.x509.fulcio.root"));
    // either of several is enough
    stage.settings.fulcio_root = root + &stage.fulcio.root_pem();
    stage.open().await.unwrap();
    let other = Fulcio::start().await.unwrap();
    stage.settings.fulcio_ctlog_key = other.log_key_pem();
    let error = stage.open().await.err().unwrap();
    assert!(stage.text(&error).contains("signers.x509.fulcio.ctlog-key"));
    stage.settings.fulcio_ctlog_key = other.log_key_pem() + &log;
    stage.open().await.unwrap();
}

#[tokio::test]
async fn what_is_not_checked_is_told() {
    let mut stage = Stage::start().await;
    stage.settings.fulcio_root = String::new();
    stage.settings.fulcio_ctlog_key = String::new();
    stage
        .fulcio
        .fail(Fault::new("POST", "/", FaultAnswer::Quirk(Quirk::NoLog)));
    let gaps = stage.open().await.unwrap().gaps();
    assert!(gaps[0].contains("signers.x509.fulcio.root"), "{gaps:?}");
    assert!(
        gaps[1].contains("signers.x509.fulcio.ctlog-key"),
        "{gaps:?}"
    );
}

#[tokio::test]
async fn nothing_that_a_hostile_server_says_is_repeated() {
    let stage = Stage::start().await;
    let token = std::fs::read_to_string(stage.token_file()).unwrap();
    let hostile = format!("\u{1b}[31mrun this\n{token}");
    for status in [200, 201, 307, 400, 401, 403, 404, 429, 500] {
        let reply = Reply::from(status).body(hostile.clone());
        let told = stage.refused(FaultAnswer::Status(reply)).await;
        assert!(
            !told.contains("run this") && !told.contains('\u{1b}'),
            "{told}"
        );
    }
    let told = stage.refused(FaultAnswer::Status(401.into())).await;
    assert!(
        told.contains("does not accept the identity token"),
        "{told}"
    );
    let told = stage.refused(FaultAnswer::Status(404.into())).await;
    assert!(told.contains("signers.x509.fulcio.address"), "{told}");
    let told = stage.refused(FaultAnswer::EndlessBody).await;
    assert!(told.contains("larger than"), "{told}");
}

#[tokio::test]
async fn the_token_is_sent_to_nobody_else() {
    let stage = Stage::start().await;
    let other = Fulcio::start().await.unwrap();
    let redirect = FaultAnswer::Redirect {
        status: 307,
        to: other.url(),
    };
    let told = stage.refused(redirect).await;
    assert!(told.contains("a redirect, which is not followed"), "{told}");
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_token_of_another_issuer_is_not_sent() {
    let mut stage = Stage::start().await;
    stage.settings.fulcio_issuer = Some("https://oauth2.sigstore.dev/auth".to_owned());
    let error = stage.open().await.err().unwrap();
    let told = stage.text(&error);
    assert!(told.contains("signers.x509.fulcio.issuer"), "{told}");
    assert_eq!(stage.fulcio.connections(), 0);
    stage.settings.fulcio_issuer = Some("https://issuer.sandbox".to_owned());
    stage.open().await.unwrap();
}

#[tokio::test]
async fn a_token_that_has_expired_is_not_sent_and_its_place_is_named() {
    let stage = Stage::start().await;
    let ended = Subject {
        lifetime: Duration::ZERO,
        ..Subject::default()
    };
    std::fs::write(stage.token_file(), stage.fulcio.issue(&ended)).unwrap();
    let error = stage.open().await.err().unwrap();
    let told = stage.text(&error);
    assert!(told.contains("has expired"), "{told}");
    assert!(
        told.contains(&stage.token_file().display().to_string()),
        "{told}"
    );
    assert_eq!(stage.fulcio.connections(), 0);
}

#[tokio::test]
async fn many_signatures_at_once_take_one_new_certificate_and_its_token_is_read_anew() {
    let stage = Stage::start().await;
    stage.fulcio.set_lifetime(Duration::from_secs(2));
    let signer = stage.open().await.unwrap();
    let first = signer.sign(b"message").await.unwrap().identity;
    // the first certificate ends, and so did its token
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.fulcio.set_lifetime(Duration::from_secs(600));
    std::fs::write(stage.token_file(), stage.fulcio.issue(&Subject::default())).unwrap();
    let signing = (0..40).map(|_| signer.sign(b"message"));
    for signature in futures::future::join_all(signing).await {
        let signature = signature.unwrap();
        let key = signature.identity.public_key();
        key.verify(b"message", &signature.bytes).unwrap();
        assert_ne!(*signature.identity, *first);
    }
    assert_eq!(stage.fulcio.certificates(), 2);
}

#[tokio::test]
async fn a_certificate_is_used_to_its_end_but_not_beyond_while_there_is_no_other() {
    let log = Log::default();
    let _logging = log.record("windlass=debug");
    let stage = Stage::start().await;
    stage.fulcio.set_lifetime(Duration::from_secs(12));
    let signer = stage.open().await.unwrap();
    stage.fulcio.fail(Fault {
        times: usize::MAX,
        answer: FaultAnswer::Status(401.into()),
        ..Fault::default()
    });
    // another one is due after two thirds of its time, and a fifth is left to log what was signed
    tokio::time::sleep(Duration::from_millis(8050)).await;
    signer.sign(b"message").await.unwrap();
    assert!(log.text().contains("is used to its end"));
    tokio::time::sleep(Duration::from_millis(1600)).await;
    let error = signer.sign(b"message").await.unwrap_err();
    assert!(matches!(error, SignError::Keyless(_)), "{error:?}");
    stage.fulcio.clear_faults();
    signer.sign(b"message").await.unwrap();
}

#[tokio::test]
async fn no_changed_byte_and_no_cut_of_a_certificate_is_believed() {
    let stage = Stage::start().await;
    let signer = stage.open().await.unwrap();
    let identity = signer.sign(b"message").await.unwrap().identity;
    let leaf = leaf(&identity);
    let chain = Certificate::all_from_pem(identity.chain_pem(), 2).unwrap();
    let (issuer, now) = (&chain[0], Timestamp::now());
    let keys = stage.fulcio.log_key_pem();
    let keys = [PublicKey::from_pem(keys.as_bytes()).unwrap()];
    assert!(signer.authority().has_issued(leaf));
    assert_eq!(sct::check_embedded(leaf, issuer, &keys, now), Ok(()));
    let der = leaf.der();
    let mut changed = 0;
    for place in 0..der.len() {
        let mut other = der.to_vec();
        other[place] ^= 0x55;
        for other in [other, der[..place].to_vec()] {
            let Ok(other) = Certificate::from_der(other) else {
                continue;
            };
            changed += 1;
            assert!(!signer.authority().has_issued(&other), "byte {place}");
            assert!(Authority::of(&other, issuer).is_err(), "byte {place}");
        }
    }
    assert!(changed > 100, "only {changed} could be read");
    // what the log signed is everything but its own promise and the signature
    let tbs = der.len() - 120;
    for place in (0..tbs).step_by(3) {
        let mut other = der.to_vec();
        other[place] ^= 0x55;
        if let Ok(other) = Certificate::from_der(other) {
            let checked = sct::check_embedded(&other, issuer, &keys, now);
            let is_promise = checked.is_ok();
            assert!(!is_promise, "byte {place}");
        }
    }
}

#[tokio::test]
async fn nobody_asks_for_a_certificate_that_nobody_needs() {
    let stage = Stage::start().await;
    stage.fulcio.set_lifetime(Duration::from_secs(1));
    let signer = stage.open().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    signer.look().await.unwrap();
    assert_eq!(stage.fulcio.certificates(), 1);
    signer.sign(b"message").await.unwrap();
    assert_eq!(stage.fulcio.certificates(), 2);
}

#[tokio::test]
async fn another_authority_or_identity_is_never_taken_up_unseen() {
    let stage = Stage::start().await;
    let mut settings = stage.settings.clone();
    settings.fulcio_root = String::new();
    let means = Means {
        settings,
        ..stage.means()
    };
    stage.fulcio.set_lifetime(Duration::from_millis(1500));
    let signer = KeylessSigner::open(&means, &Arc::default()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    stage.fulcio.replace_authority().unwrap();
    let error = signer.sign(b"message").await.unwrap_err();
    assert!(format!("{error:?}").contains("Changed"), "{error:?}");
    let error = signer.look().await.unwrap_err();
    assert!(matches!(error, KeylessError::Changed { .. }), "{error:?}");
    let somebody = FaultAnswer::Quirk(Quirk::Identity("https://somebody".to_owned()));
    stage.fulcio.fail(Fault::new("POST", "/", somebody));
    let error = signer.look().await.unwrap_err();
    assert!(matches!(error, KeylessError::Changed { .. }), "{error:?}");
}
