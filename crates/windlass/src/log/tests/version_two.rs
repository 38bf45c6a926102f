//! A log of version 2 and a timestamp authority, right and lying.

use windlass_core::key::Certificate;
use windlass_core::timestamp::Stamp;
use windlass_registry::Digest;
use windlass_sandbox::timestamps::{
    Fault as StampFault, FaultAnswer as StampAnswer, Quirk as StampQuirk, TimestampAuthority,
    Validity,
};

use super::*;

const ENTRIES: &str = "/api/v2/log/entries";
const CERTIFICATE: &[u8] =
    include_bytes!("../../../../core/tests/fixtures/x509/p256-certificate.pem");
const CERTIFIED: &[u8] = include_bytes!("../../../../core/tests/fixtures/x509/p256.pem");

/// A log, an authority, and the client of both.
struct Both {
    stage: Stage,
    times: TimestampAuthority,
}

impl Both {
    async fn new() -> Self {
        Self::with(TimestampAuthority::start().await.unwrap()).await
    }

    async fn with(times: TimestampAuthority) -> Self {
        let stage = Stage::new().await;
        let mut both = Self { stage, times };
        let origin = both.stage.server.origin();
        both.configure(origin, &both.times.chain_pem());
        both
    }

    fn configure(&mut self, origin: &str, chain: &str) {
        let (url, key) = (self.stage.server.url(), self.stage.server.public_key());
        let entries = [("transparency.enabled", "true"), ("transparency.url", &url)];
        let own = [
            ("transparency.version", "2"),
            ("transparency.public-key", &key),
            ("transparency.origin", origin),
            ("transparency.timestamp-url", &self.times.url()),
            ("transparency.timestamp-chain", chain),
        ];
        self.stage.config = config(&entries, &own);
    }

    async fn add(&self, signed: &Signed) -> Result<Added, LogError> {
        self.stage.add(signed, None).await
    }

    async fn add_claimed(&self, signed: &Signed, claimed: Claimed) -> Added {
        self.add_stamped(signed, STAMPED, claimed).await
    }

    async fn add_stamped(&self, signed: &Signed, stamped: &[Stamped], claimed: Claimed) -> Added {
        let until = Instant::now() + Duration::from_secs(30);
        let run = json!({ "kind": "TaskRun", "metadata": { "uid": "u" } }).to_string();
        let run = Run::parse(run.as_bytes()).unwrap();
        let log = self.stage.logs.of(&self.stage.config, &run);
        log.add(&run, (signed, stamped), claimed, until)
            .await
            .unwrap()
    }

    fn lies_about_time(&self, quirk: StampQuirk) {
        let answer = StampAnswer::Quirk(quirk);
        self.times.fail(StampFault::new("POST", "", answer));
    }
}

/// What a run keeps of the entry of something signed.
fn kept(signed: &Signed) -> Claimed {
    let entry = signed.entry.get().unwrap();
    Claimed {
        url: Some(entry.url.clone()),
        ..proof_alone(signed.stored_proof())
    }
}

/// What a run keeps that has the proof, and not the place of the entry.
fn proof_alone(proof: serde_json::Map<String, serde_json::Value>) -> Claimed {
    Claimed {
        proof: Some(serde_json::Value::Object(proof).to_string()),
        ..Claimed::default()
    }
}

#[tokio::test]
async fn an_entry_and_its_timestamp_take_one_request_each() {
    let both = Both::new().await;
    let image = signed_by(&key(), Payload::of_image(&image(1)));
    for (number, signed) in [statement(1), image].iter().enumerate() {
        assert_eq!(both.add(signed).await.unwrap(), Added::Now);
        let entry = signed.entry.get().unwrap();
        assert_eq!(entry.entry.index, number as u64);
        assert!(signed.timestamp.get().is_some());
        // the file is there, and a client that asks for it finds the entry
        let place = format!(
            "/api/v2/tile/entries/000.p/{}?logIndex={number}",
            number + 1
        );
        assert_eq!(entry.url, format!("{}{place}", both.stage.server.url()));
        assert_eq!(both.add(signed).await.unwrap(), Added::Nothing);
    }
    assert_eq!(both.stage.server.requests().len(), 2);
    assert_eq!(both.times.requests().len(), 2);
}

#[tokio::test]
async fn what_a_log_of_version_2_has_already_is_proved_by_its_files_and_not_added_again() {
    let both = Both::new().await;
    for number in 0..5 {
        both.add(&statement(number)).await.unwrap();
    }
    for lost in [
        FaultAnswer::StatusAfterwards(503.into()),
        FaultAnswer::ResetAfterwards,
    ] {
        both.stage.server.fail(Fault::new("POST", ENTRIES, lost));
        let signed = statement(7);
        assert_eq!(both.add(&signed).await.unwrap(), Added::Now);
        let entry = &signed.entry.get().unwrap().entry;
        assert_eq!((entry.index, entry.proof.size), (5, 6));
    }
    assert_eq!(both.stage.server.entries().len(), 6);
    // the number of another entry leads to no proof of this one
    let answer = FaultAnswer::Quirk(Quirk::OtherNumber);
    both.stage.server.fail(Fault::new("POST", ENTRIES, answer));
    let (retry, text) = both.stage.refused(&statement(7)).await;
    assert!(text.contains("does not lead to the root"), "{text}");
    assert_eq!(retry, Retry::Backoff);
    let number = "x-log-index".parse().unwrap();
    let answer = FaultAnswer::WithoutHeader(number);
    both.stage.server.fail(Fault::new("POST", ENTRIES, answer));
    let (_, text) = both.stage.refused(&statement(7)).await;
    assert!(text.contains("does not say under which number"), "{text}");
}

#[tokio::test]
async fn files_of_a_log_that_are_missing_or_changed_are_told_and_nothing_is_taken_from_them() {
    let both = Both::new().await;
    for number in 0..3 {
        both.add(&statement(number)).await.unwrap();
    }
    for (path, answer, why) in [
        (
            "/checkpoint",
            FaultAnswer::Status(404.into()),
            "read the files",
        ),
        ("/tile/", FaultAnswer::Status(404.into()), "read the files"),
        ("/tile/", FaultAnswer::CutBody(32), "read the files"),
        (
            "/tile/",
            FaultAnswer::WrongContent,
            "does not lead to the root",
        ),
        ("/checkpoint", FaultAnswer::WrongContent, "not valid"),
    ] {
        both.stage
            .server
            .fail(Fault::new("GET", path, answer).repeated(ATTEMPTS));
        let (retry, text) = both.stage.refused(&statement(1)).await;
        both.stage.server.clear_faults();
        assert!(text.contains(why), "{path}: {text}");
        assert_eq!(retry, Retry::Backoff);
    }
    both.add(&statement(1)).await.unwrap();
    assert_eq!(both.stage.server.entries().len(), 3);
}

#[tokio::test]
async fn a_log_of_version_2_that_lies_is_not_believed_and_the_error_says_which_check_failed() {
    for (quirk, why) in [
        (Quirk::OtherEntry, "the entry of another signature"),
        (Quirk::OtherLogId, "its log ID is not that"),
        (Quirk::OtherRoot, "does not lead to the root"),
        (Quirk::OtherSigner, "the log did not sign it"),
        (Quirk::OtherTree, "another tree than the checkpoint"),
        (Quirk::OtherOrigin, "of a log of another name"),
        (Quirk::NoProof, "not an entry with an inclusion proof"),
    ] {
        let both = Both::new().await;
        both.add(&statement(9)).await.unwrap();
        let answer = FaultAnswer::Quirk(quirk);
        both.stage.server.fail(Fault::new("POST", ENTRIES, answer));
        let (retry, text) = both.stage.refused(&statement(1)).await;
        assert!(text.contains(why), "{quirk:?}: {text}");
        assert_eq!(retry, Retry::Backoff);
        // the truth is found the next time, and is one entry
        both.add(&statement(1)).await.unwrap();
        assert_eq!(both.stage.server.entries().len(), 2, "{quirk:?}");
    }
}

#[tokio::test]
async fn a_log_of_version_2_has_the_key_and_the_name_of_the_settings() {
    let mut both = Both::new().await;
    let chain = both.times.chain_pem();
    // the name is that of its host where the settings have none
    both.configure("", &chain);
    let (_, text) = both.stage.refused(&statement(1)).await;
    assert!(text.contains("log of another name"), "{text}");
    let origin = both.stage.server.origin();
    both.configure(origin, &chain);
    both.stage.server.replace_key().unwrap();
    let (_, text) = both.stage.refused(&statement(2)).await;
    assert!(text.contains("its log ID is not that"), "{text}");
    both.configure(origin, &chain);
    both.add(&statement(3)).await.unwrap();
}

#[tokio::test]
async fn an_authority_that_lies_about_time_is_named_by_its_lie_and_nothing_is_logged() {
    let day = Duration::from_secs(86_400);
    for (quirk, why) in [
        (StampQuirk::OtherSignature, "it is of another signature"),
        (StampQuirk::OtherNonce, "it answers another request"),
        (StampQuirk::NoNonce, "it answers another request"),
        (StampQuirk::Ahead(day), "it has a time in the future"),
        (StampQuirk::Ago(day / 4), "it is older than the request"),
        (
            StampQuirk::Ago(30 * day),
            "not valid at the time of the timestamp",
        ),
        (StampQuirk::OtherAuthority, "no trusted authority signed it"),
        (StampQuirk::OtherContent, "no trusted authority signed it"),
        (StampQuirk::Refused, "its status is 2"),
    ] {
        let both = Both::new().await;
        both.lies_about_time(quirk);
        let (retry, text) = both.stage.refused(&statement(1)).await;
        assert!(text.contains(why), "{quirk:?}: {text}");
        assert_eq!(retry, Retry::Backoff);
        assert!(both.stage.server.requests().is_empty(), "nothing is logged");
        both.add(&statement(1)).await.unwrap();
    }
}

#[tokio::test]
async fn an_authority_whose_certificate_has_ended_is_not_believed() {
    let ended = TimestampAuthority::with(Validity::Ended).await.unwrap();
    let both = Both::with(ended).await;
    let (_, text) = both.stage.refused(&statement(1)).await;
    assert!(
        text.contains("not valid at the time of the timestamp"),
        "{text}"
    );
}

#[tokio::test]
async fn an_authority_with_other_certificates_than_those_of_the_settings_is_not_believed() {
    let mut both = Both::new().await;
    let other = TimestampAuthority::start().await.unwrap();
    let origin = both.stage.server.origin();
    both.configure(origin, &other.chain_pem());
    let (_, text) = both.stage.refused(&statement(1)).await;
    assert!(text.contains("no trusted authority signed it"), "{text}");
    // the right one, which another root has not issued
    let own = both.times.chain_pem();
    let end = "-----END CERTIFICATE-----\n";
    let leaf = own.split_inclusive(end).next().unwrap();
    let chain = other.chain_pem();
    let root = chain.split_inclusive(end).nth(1).unwrap();
    both.configure(origin, &format!("{leaf}{root}"));
    let (_, text) = both.stage.refused(&statement(1)).await;
    assert!(text.contains("is not one for timestamps"), "{text}");
}

#[tokio::test]
async fn an_entry_of_a_certificate_has_the_certificate_and_a_timestamp() {
    let both = Both::new().await;
    let leaf = Certificate::from_pem(CERTIFICATE).unwrap();
    let details = windlass_core::certificate::Details::of(&leaf).unwrap();
    let now = jiff::Timestamp::now();
    let is_valid = details.not_before() <= now && now <= details.not_after();
    let key = PrivateKey::from_x509_pem(CERTIFIED).unwrap();
    let payload = Payload::image_statement(&image(1));
    let chain = String::new();
    let signature = Signature {
        bytes: key.sign(&message(&payload)).unwrap(),
        identity: Arc::new(Identity::Certificate {
            leaf: leaf.clone(),
            chain,
        }),
        repeatability: Repeatability::Repeatable,
    };
    let signed = Signed::new(Artifact::Image(image(1)), payload, signature);
    assert!(is_valid, "the fixture has to be valid now");
    both.add(&signed).await.unwrap();
    let stored = signed.entry.get().unwrap();
    assert!(signed.timestamp.get().is_some());
    let body = String::from_utf8(stored.entry.body.clone()).unwrap();
    assert!(body.contains("x509Certificate"), "{body}");
}

#[tokio::test]
async fn what_a_run_keeps_is_taken_without_any_request_if_it_is_of_this_signature() {
    let both = Both::new().await;
    let (first, other) = (statement(1), statement(2));
    both.add(&first).await.unwrap();
    both.add(&other).await.unwrap();
    both.stage.server.clear_requests();
    both.times.clear_requests();
    let again = statement(1);
    assert_eq!(both.add_claimed(&again, kept(&first)).await, Added::Nothing);
    assert_eq!(again.entry.get(), first.entry.get());
    assert!(both.stage.server.requests().is_empty() && both.times.requests().is_empty());
    // that of another signature is not taken, and the log has this one
    let again = statement(1);
    both.add_claimed(&again, kept(&other)).await;
    let entry = again.entry.get().unwrap();
    assert_eq!(entry.entry.index, 0);
    assert_ne!(again.timestamp.get(), other.timestamp.get());
    // without the entry itself, its number leads to it
    let again = statement(1);
    let proof = None;
    let url = kept(&first).url;
    assert_eq!(
        both.add_claimed(
            &again,
            Claimed {
                url,
                proof,
                index: None
            }
        )
        .await,
        Added::Nothing
    );
    for proof in ["", "{", "[]", r#"{"tlogEntries":[{}]}"#, "\u{e9}"] {
        let again = statement(1);
        let proof = Some(proof.to_owned());
        both.add_claimed(
            &again,
            Claimed {
                proof,
                ..Claimed::default()
            },
        )
        .await;
        assert_eq!(again.entry.get().unwrap().entry.index, 0);
    }
    assert_eq!(both.stage.server.entries().len(), 2);
}

#[tokio::test]
async fn a_timestamp_of_the_signature_and_one_of_the_envelope_are_asked_for_once_each() {
    const BOTH: &[Stamped] = &[Stamped::Signature, Stamped::Envelope];
    let both = Both::new().await;
    let (first, claimed) = (statement(1), Claimed::default());
    both.add_stamped(&first, BOTH, claimed).await;
    assert_eq!(both.times.requests().len(), 2);
    for what in BOTH {
        let stamp = Stamp::read(first.timestamp_of(*what).get().unwrap()).unwrap();
        let bytes = first.stamped_bytes(*what).unwrap();
        assert_eq!(stamp.digest(), Digest::of(&bytes).as_str());
    }
    let again = statement(1);
    both.add_stamped(&again, BOTH, kept(&first)).await;
    assert_eq!(both.times.requests().len(), 2);
    for what in BOTH {
        assert_eq!(again.timestamp_of(*what), first.timestamp_of(*what));
    }
    // neither stands for the other, whoever wrote them there
    let mut swapped = first.stored_proof();
    let of_envelope = swapped["envelopeTimestamp"].clone();
    let stamps = &mut swapped["timestampVerificationData"]["rfc3161Timestamps"];
    let of_signature = std::mem::replace(&mut stamps[0], of_envelope);
    swapped["envelopeTimestamp"] = of_signature;
    let again = statement(1);
    both.add_stamped(&again, BOTH, proof_alone(swapped)).await;
    assert_eq!(both.times.requests().len(), 4);
    // an earlier windlass kept that of the signature alone
    let again = statement(1);
    both.add_stamped(&again, BOTH, proof_alone(first.proof()))
        .await;
    assert_eq!(both.times.requests().len(), 5);
    assert_eq!(again.timestamp.get(), first.timestamp.get());
    assert_eq!(both.stage.server.entries().len(), 1);
}

#[tokio::test]
async fn a_log_that_takes_no_more_entries_or_no_such_key_is_told_until_the_settings_change() {
    let both = Both::new().await;
    for (status, why) in [(405, "takes no more entries"), (400, "refuses the entry")] {
        let answer = FaultAnswer::Status(status.into());
        both.stage.server.fail(Fault::new("POST", ENTRIES, answer));
        let (retry, text) = both.stage.refused(&statement(1)).await;
        assert_eq!(retry, Retry::Settings);
        assert!(text.contains(why), "{text}");
    }
    both.stage.server.clear_requests();
    let pem = include_bytes!("../../../../core/tests/fixtures/x509/ed25519.pem");
    let pure = PrivateKey::from_x509_pem(pem).unwrap();
    let (retry, text) = both
        .stage
        .refused(&signed_by(&pure, Payload::image_statement(&image(1))))
        .await;
    assert_eq!(retry, Retry::Settings);
    assert!(text.contains("by Ed25519 with a key of Ed25519"), "{text}");
    assert!(both.stage.server.requests().is_empty());
}

#[tokio::test]
async fn a_log_of_version_1_gets_timestamps_too_and_its_entries_are_kept() {
    let both = Both::new().await;
    let (url, times) = (both.stage.server.url(), both.times.url());
    let chain = both.times.chain_pem();
    let entries = [
        ("transparency.enabled", "true"),
        ("transparency.url", &*url),
    ];
    let own = [
        ("transparency.timestamp-url", &*times),
        ("transparency.timestamp-chain", &*chain),
    ];
    let both = Both {
        stage: Stage {
            config: config(&entries, &own),
            ..both.stage
        },
        times: both.times,
    };
    let first = statement(1);
    both.add(&first).await.unwrap();
    let entry = first.entry.get().unwrap();
    assert!(first.timestamp.get().is_some() && entry.entry.promise.is_some());
    both.stage.server.clear_requests();
    let again = statement(1);
    assert_eq!(both.add_claimed(&again, kept(&first)).await, Added::Nothing);
    assert_eq!(again.entry.get(), first.entry.get());
    assert_eq!(both.stage.server.count("POST", ""), 0);
    assert_eq!(both.times.requests().len(), 1);
}
