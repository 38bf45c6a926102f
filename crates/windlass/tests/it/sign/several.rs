//! Signing by hand with several logs and several timestamp authorities at once, which a signing configuration
//! asks for.

use serde_json::{Value, json};
use windlass_sandbox::sigstore::Sigstore;
use windlass_sandbox::{rekor, timestamps};

use super::scene::{layers, scene};
use crate::verify::registry::ImageScene;

const KIND: &str = "https://example.com/p";
const SIGN: &str = "--key signer.pem --signing-config config.json --trusted-root both.json";
const CHECK: &str = "--key cosign.pub --use-signed-timestamps";

/// Two operators, each with a log of both versions and an authority for timestamps.
struct Stage {
    scene: ImageScene,
    operators: [Sigstore; 2],
    _runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let start = || runtime.block_on(Sigstore::start()).unwrap();
        let stage = Self {
            scene: scene(),
            operators: [start(), start()],
            _runtime: runtime,
        };
        stage.write(
            "config.json",
            &stage.config(2, &json!({ "selector": "ALL" })),
        );
        let [one, other] = stage.operators.each_ref().map(Sigstore::trusted_root);
        let mut both = one.clone();
        for kind in ["tlogs", "timestampAuthorities"] {
            both[kind] = json!([one[kind][0], other[kind][0]]);
        }
        stage.write("one.json", &one);
        stage.write("other.json", &other);
        stage.write("both.json", &both);
        stage.scene.shell.write("app", "content");
        stage.scene.shell.write("predicate", "{}");
        stage
    }

    fn write(&self, name: &str, content: &Value) {
        self.scene.shell.write(name, content.to_string());
    }

    /// The services of both, with logs of this version.
    fn config(&self, version: u32, selector: &Value) -> Value {
        let services = |url: fn(&Sigstore) -> String, version: u32| {
            let all = self.operators.iter().enumerate();
            let all = all.map(|(number, one)| {
                json!({
                    "url": url(one), "majorApiVersion": version,
                    "operator": format!("operator {number}"),
                    "validFor": { "start": format!("202{number}-01-01T00:00:00Z") },
                })
            });
            json!(all.collect::<Vec<_>>())
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "rekorTlogUrls": services(|one| one.log.url(), version),
            "rekorTlogConfig": selector,
            "tsaUrls": services(|one| one.times.url(), 1),
            "tsaConfig": selector,
        })
    }

    /// How many entries the logs have.
    fn entries(&self) -> [usize; 2] {
        self.operators.each_ref().map(|one| one.log.entries().len())
    }

    #[track_caller]
    fn succeed(&self, line: &str) {
        self.scene.shell.succeed(line);
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.scene.shell.read(name)).unwrap()
    }
}

/// How many entries and timestamps a bundle has.
fn vouchers(bundle: &Value) -> (usize, usize) {
    let material = &bundle["verificationMaterial"];
    let count = |list: &Value| list.as_array().map_or(0, Vec::len);
    let stamps = &material["timestampVerificationData"]["rfc3161Timestamps"];
    (count(&material["tlogEntries"]), count(stamps))
}

#[test]
fn all_logs_and_authorities_that_are_asked_for_vouch_for_a_signature() {
    let stage = Stage::new();
    let image = stage.scene.image();
    for _ in 0..2 {
        stage.succeed(&format!("sign {SIGN} --new-bundle-format {image}"));
        stage.succeed(&format!(
            "attest {SIGN} --new-bundle-format --predicate predicate --type {KIND} {image}"
        ));
    }
    assert_eq!(stage.entries(), [2, 2], "each is signed once");
    stage.succeed(&format!("sign-blob {SIGN} --bundle bundle app"));
    stage.succeed(&format!(
        "attest-blob {SIGN} --predicate predicate --type {KIND} --bundle att app"
    ));
    for name in ["bundle", "att"] {
        assert_eq!(vouchers(&stage.json(name)), (2, 2));
    }
    assert_eq!(stage.entries(), [4, 4]);
    // whoever trusts one of the operators has an entry and a timestamp of that
    for root in ["both", "one", "other"] {
        let check = format!("{CHECK} --trusted-root {root}.json");
        stage.succeed(&format!("verify {check} {image}"));
        stage.succeed(&format!("verify-attestation --type {KIND} {check} {image}"));
        stage.succeed(&format!("verify-blob {check} --bundle bundle app"));
        stage.succeed(&format!(
            "verify-blob-attestation {check} --type {KIND} --bundle att app"
        ));
    }
}

#[test]
fn exactly_so_many_logs_of_version_1_get_an_entry() {
    let stage = Stage::new();
    let exact = |count: u32| stage.config(1, &json!({ "selector": "EXACT", "count": count }));
    let mut both = stage.json("both.json");
    for (number, one) in stage.operators.iter().enumerate() {
        both["tlogs"][number]["baseUrl"] = json!(one.log.url());
    }
    stage.write("both.json", &both);
    // the second time the newest has it already, by the same signature
    for (count, entries) in [(1, [0, 1]), (2, [1, 1])] {
        stage.write("config.json", &exact(count));
        stage.succeed(&format!("sign-blob {SIGN} --bundle bundle app"));
        assert_eq!(stage.entries(), entries, "the newest first");
        let count = usize::try_from(count).unwrap();
        assert_eq!(vouchers(&stage.json("bundle")), (count, count));
        stage.succeed(&format!(
            "verify-blob {CHECK} --trusted-root both.json --bundle bundle app"
        ));
    }
    stage.write("config.json", &exact(3));
    let line = format!("sign-blob {SIGN} --bundle none app");
    stage
        .scene
        .shell
        .fail(2, &line, "2 of its operators can be used now");
}

#[test]
fn an_entry_or_a_timestamp_that_is_wrong_fails_a_bundle_whose_others_are_right() {
    let stage = Stage::new();
    stage.succeed(&format!("sign-blob {SIGN} --bundle bundle app"));
    stage.scene.shell.write("app", "other");
    stage.succeed(&format!("sign-blob {SIGN} --bundle other app"));
    stage.scene.shell.write("app", "content");
    let (right, other) = (stage.json("bundle"), stage.json("other"));
    let check =
        |root: &str| format!("verify-blob {CHECK} --trusted-root {root}.json --bundle wrong app");
    // the newest service is asked first, so the second entry is of the first operator
    let entries = "/verificationMaterial/tlogEntries/1";
    let mut wrong = right.clone();
    *wrong.pointer_mut(entries).unwrap() = other.pointer(entries).unwrap().clone();
    stage.write("wrong", &wrong);
    stage
        .scene
        .shell
        .fail(1, &check("both"), "another artifact");
    stage.scene.shell.fail(1, &check("one"), "another artifact");
    // it is of a log that this root does not have, so it counts for nothing
    stage.succeed(&check("other"));
    let mut twice = right.clone();
    let first = twice["verificationMaterial"]["tlogEntries"][0].clone();
    *twice.pointer_mut(entries).unwrap() = first;
    stage.write("wrong", &twice);
    stage
        .scene
        .shell
        .fail(1, &check("both"), "the same log entry twice");
    let stamps = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
    let mut foreign = right.clone();
    *foreign.pointer_mut(stamps).unwrap() = other.pointer(stamps).unwrap().clone();
    stage.write("wrong", &foreign);
    stage.scene.shell.fail(1, &check("both"), "timestamp");
}

#[test]
fn nothing_is_signed_before_all_logs_and_authorities_have_it() {
    let stage = Stage::new();
    let image = stage.scene.image();
    let lines = [
        format!("sign {SIGN} --new-bundle-format {image}"),
        format!("sign-blob {SIGN} --bundle bundle app"),
    ];
    // asked last, since it is older
    let last = &stage.operators[0];
    let fault = timestamps::Fault::new("POST", "", timestamps::FaultAnswer::Status(400.into()));
    last.times.fail(fault.repeated(usize::MAX));
    for line in &lines {
        stage.scene.shell.fail(2, line, "without a timestamp");
    }
    assert_eq!(stage.entries(), [0, 0], "an entry cannot be taken back");
    last.times.clear_faults();
    let fault = rekor::Fault::new("POST", "", rekor::FaultAnswer::Status(400.into()));
    last.log.fail(fault.repeated(usize::MAX));
    for line in &lines {
        stage.scene.shell.fail(2, line, "but not logged");
    }
    let bundle = stage
        .scene
        .shell
        .run("verify-blob --key cosign.pub --bundle bundle app");
    assert_eq!(bundle.code, 2, "no bundle is written");
    stage
        .scene
        .shell
        .fail(1, &format!("verify --key cosign.pub {image}"), "");
    last.log.clear_faults();
    for line in &lines {
        stage.succeed(line);
    }
    stage.succeed(&format!("verify {CHECK} --trusted-root both.json {image}"));
}

#[test]
fn several_are_refused_where_there_is_a_place_for_one() {
    let stage = Stage::new();
    let image = stage.scene.image();
    for version in [1, 2] {
        let all = stage.config(version, &json!({ "selector": "ALL" }));
        stage.write("config.json", &all);
        let line = format!("sign {SIGN} {image}");
        stage
            .scene
            .shell
            .fail(2, &line, "without --new-bundle-format");
    }
    assert_eq!(stage.entries(), [0, 0]);
    assert!(layers(&stage.scene, ".sig").is_empty());
}
