//! A registry that lists and sends more than anybody verifies.
//!
//! CVE-2024-29902, CVE-2024-29903: cosign read any number of layers of any size.

use serde_json::{Value, json};
use windlass_sandbox::registry::{Fault, FaultAnswer, Options, Referrers};

use super::registry::{BUNDLE, ImageScene};

const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
const MIB: usize = 1 << 20;

/// What reads attachments, without the image.
const READERS: [&str; 2] = [
    "verify --key cosign.pub --type slsaprovenance",
    "verify-attestation --key cosign.pub --type slsaprovenance",
];

/// A layer with an envelope that is valid.
fn good(scene: &ImageScene) -> Value {
    let payload = ImageScene::provenance(scene.hex()).to_string();
    let mut layer = scene.put_blob(&scene.envelope(&payload));
    layer["mediaType"] = json!(ENVELOPE);
    layer
}

fn attach(scene: &ImageScene, layers: &[Value]) {
    scene.push(&format!("sha256-{}.att", scene.hex()), layers, None);
    scene.registry.take_requests();
}

/// How many blobs have been fetched.
fn fetched(scene: &ImageScene) -> usize {
    let requests = scene.registry.take_requests();
    let blobs = requests.iter().filter(|seen| seen.path.contains("/blobs/"));
    blobs.count()
}

#[test]
fn a_content_that_is_listed_many_times_is_fetched_and_judged_once() {
    let scene = ImageScene::new(Options::default());
    attach(&scene, &vec![good(&scene); 40]);
    let report = scene.verify("--type slsaprovenance");
    assert_eq!(report.code, 0, "{}", report.stdout);
    assert_eq!(fetched(&scene), 1);
    assert_eq!(report.stdout.matches("attestation: valid").count(), 1);
    assert!(
        report.stdout.contains("listed 40 times"),
        "{}",
        report.stdout
    );
}

#[test]
fn a_bundle_that_many_referrers_share_is_fetched_once() {
    let scene = ImageScene::new(Options::default());
    let payload = scene.signature_statement();
    scene.refer(&payload);
    let shared = scene.bundle(&payload);
    for note in 0..5 {
        let mut layer = shared.clone();
        layer["annotations"] = json!({ "note": note.to_string() });
        scene.push("bundle", &[layer], Some(&scene.digest));
    }
    scene.registry.take_requests();
    let report = scene.verify("");
    assert_eq!(report.stdout.matches("signature: valid").count(), 6);
    assert_eq!(fetched(&scene), 1);
}

#[test]
fn a_content_of_another_size_than_its_descriptor_states_is_invalid_and_the_others_count() {
    for (size, finding) in [
        (10, "longer than the 10 bytes"),
        (5000, "its descriptor states 5000"),
        (17 * MIB, "larger than 16 MiB"),
    ] {
        let scene = ImageScene::new(Options::default());
        let payload = json!({ "padding": "x" }).to_string();
        let mut lie = scene.put_blob(&scene.envelope(&payload));
        lie["mediaType"] = json!(ENVELOPE);
        lie["size"] = json!(size);
        attach(&scene, std::slice::from_ref(&lie));
        let report = scene.verify("--type slsaprovenance");
        assert_eq!(report.code, 1, "{}", report.stdout);
        assert!(report.stdout.contains(finding), "{}", report.stdout);
        attach(&scene, &[lie, good(&scene)]);
        assert_eq!(scene.verify("--type slsaprovenance").code, 0);
    }
}

#[test]
fn the_manifest_of_a_referrer_has_the_size_that_the_list_states() {
    let scene = ImageScene::new(Options {
        referrers: Referrers::NotFound,
        ..Options::default()
    });
    let digest = scene.refer(&scene.signature_statement());
    for (size, code) in [(scene.size_of(&digest), 0), (10, 1), (100_000, 1)] {
        scene.list_under_tag(&digest, size);
        let report = scene.verify("");
        assert_eq!(report.code, code, "{size}: {}", report.stdout);
    }
}

/// As many bytes as the bounds allow, so that nothing waits for memory for ever.
#[test]
fn contents_up_to_the_bounds_are_read() {
    let scene = ImageScene::new(Options::default());
    let mut layers = vec![good(&scene)];
    for number in 0..3 {
        let mut layer = scene.put_blob(&format!("{number}{}", " ".repeat(16 * MIB - 1)));
        layer["mediaType"] = json!(ENVELOPE);
        layers.push(layer);
    }
    attach(&scene, &layers);
    let report = scene.verify("--type slsaprovenance --timeout 1m");
    assert_eq!(report.code, 0, "{}{}", report.stdout, report.stderr);
    let invalid = report.stdout.matches("attestation: invalid");
    assert_eq!(invalid.count(), 3);
}

#[test]
fn one_digest_listed_with_several_sizes_is_valid_only_with_its_own() {
    let scene = ImageScene::new(Options::default());
    let right = good(&scene);
    let mut wrong = right.clone();
    wrong["size"] = json!(7);
    attach(&scene, &[wrong, right]);
    let report = scene.verify("--type slsaprovenance");
    assert_eq!(fetched(&scene), 1);
    assert_eq!(report.stdout.matches("attestation: valid").count(), 1);
    assert_eq!(report.stdout.matches("attestation: invalid").count(), 1);
}

#[test]
fn contents_of_more_than_64_mib_together_are_not_read() {
    let scene = ImageScene::new(Options::default());
    let mut layers = vec![good(&scene)];
    for number in 0..5 {
        let mut layer = scene.put_blob(&format!("{number}"));
        layer["mediaType"] = json!(ENVELOPE);
        layer["size"] = json!(14 * MIB);
        layers.push(layer);
    }
    attach(&scene, &layers);
    for reader in READERS {
        let line = format!("{reader} {}", scene.image());
        scene.shell.fail(2, &line, "more than 64 MiB");
    }
}

#[test]
fn more_entries_than_are_read_end_every_reader_before_any_content_is_fetched() {
    let scene = ImageScene::new(Options::default());
    attach(&scene, &vec![good(&scene); 14_000]);
    for reader in READERS.into_iter().chain(["tree"]) {
        let line = format!("{reader} {}", scene.image());
        scene.shell.fail(2, &line, "14000 entries; at most 1000");
        assert_eq!(fetched(&scene), 0);
    }
    attach(&scene, &vec![good(&scene); 1000]);
    assert_eq!(scene.verify("--type slsaprovenance").code, 0);
}

/// Each page of the list leads to another one, for ever.
fn endless(scene: &ImageScene) {
    let path = format!("/v2/team/app/referrers/{}", scene.digest);
    for (query, next) in [("last=a", "b"), ("", "a")] {
        scene.registry.fail(Fault {
            path_contains: "/referrers/".to_owned(),
            query_contains: query.to_owned(),
            times: usize::MAX,
            answer: FaultAnswer::Header(
                "link".parse().unwrap(),
                format!("<{path}?last={next}>; rel=\"next\""),
            ),
            ..Fault::default()
        });
    }
}

#[test]
fn a_list_of_referrers_without_end_ends_at_the_bound() {
    let scene = ImageScene::new(Options::default());
    scene.refer(&scene.signature_statement());
    endless(&scene);
    for reader in READERS.into_iter().chain(["tree"]) {
        let line = format!("{reader} {}", scene.image());
        scene.shell.fail(2, &line, "limit of 1000 entries");
    }
}

#[test]
fn a_registry_that_does_not_respond_is_given_up_at_the_deadline() {
    for place in ["/manifests/", "/referrers/", "/blobs/"] {
        let scene = ImageScene::new(Options::default());
        attach(&scene, &[good(&scene)]);
        scene.registry.fail(Fault {
            path_contains: place.to_owned(),
            times: usize::MAX,
            answer: FaultAnswer::Hang,
            ..Fault::default()
        });
        let line = format!("{} --timeout 1s {}", READERS[0], scene.image());
        scene.shell.fail(2, &line, "not finished within 1s");
    }
    let scene = ImageScene::new(Options::default());
    for bad in ["0s", "-1s", "soon", ""] {
        let outcome = scene.shell.words(&["tree", "--timeout", bad, "r.io/app"]);
        assert_eq!(outcome.code, 2, "{bad}: {}", outcome.stdout);
    }
}

#[test]
fn a_report_has_a_bounded_number_of_lines_of_bounded_length() {
    let scene = ImageScene::new(Options::default());
    let long = "x".repeat(100_000);
    let layers = (0..900).map(|number| {
        json!({
            "mediaType": format!("text/{long:.900}{number}"), "size": 1,
            "digest": format!("sha256:{}", "11".repeat(32)),
        })
    });
    let mut layers: Vec<Value> = layers.collect();
    let statement = json!({ "_type": long, "predicateType": long, "subject": [] });
    let mut layer = scene.put_blob(&scene.envelope(&statement.to_string()));
    layer["mediaType"] = json!(ENVELOPE);
    layers.insert(0, layer);
    layers.push(good(&scene));
    attach(&scene, &layers);
    let report = scene.verify("--type slsaprovenance");
    assert_eq!(report.code, 0, "{}", report.stdout);
    assert!(report.stdout.len() < 200_000, "{}", report.stdout.len());
    assert!(report.stdout.contains("801 more are invalid or skipped"));
    let json = scene.verify("--type slsaprovenance -o report").stdout;
    assert!(json.len() < 2_000_000, "{}", json.len());
    assert!(serde_json::from_str::<Value>(&json).is_ok());
}

#[test]
fn a_media_type_that_only_begins_like_a_bundle_is_none() {
    let scene = ImageScene::new(Options::default());
    let mut layer = scene.bundle(&scene.signature_statement());
    layer["mediaType"] = json!(format!("{BUNDLE}EVIL"));
    scene.push("bundle", &[layer], Some(&scene.digest));
    let report = scene.verify("");
    assert_eq!(report.code, 1, "{}", report.stdout);
    assert!(report.stdout.contains("skipped"), "{}", report.stdout);
}
