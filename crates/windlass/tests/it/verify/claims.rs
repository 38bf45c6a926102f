//! Claims: what an attestation has to say, on whose word, and of which repository.

use serde_json::{Value, json};
use windlass_sandbox::registry::Options;

use super::registry::{ImageScene, SLSA};

const TASK: &str = "--task-ref https://g.io/tasks@sha1:55";
const SOURCE: &str = "--source-uri https://g.io/r --source-commit 33";

fn attested() -> ImageScene {
    let scene = ImageScene::new(Options::default());
    scene.attest(&[ImageScene::provenance(scene.hex()).to_string()]);
    scene
}

#[test]
fn a_source_counts_if_a_task_that_is_trusted_stated_it_or_claims_are_accepted() {
    let scene = attested();
    let builder = "--builder-id https://tekton.dev/chains/v2";
    for good in [
        builder.to_owned(),
        TASK.to_owned(),
        format!("{SOURCE} {TASK}"),
        format!("{SOURCE} {builder} --allow-claimed-source"),
        "--source-uri https://g.io/tasks --source-commit 55".to_owned(),
    ] {
        let report = scene.verify(&good);
        assert_eq!(report.code, 0, "{good}: {}", report.stdout);
    }
    for bad in [
        SOURCE.to_owned(),
        "--source-uri https://g.io/r".to_owned(),
        "--source-commit 33".to_owned(),
        format!("{SOURCE} --task-ref https://g.io/tasks"),
        format!("{SOURCE} --task-ref https://g.io/tasks@sha1:56"),
        format!("--source-uri https://g.io/x {TASK}"),
        format!("--source-commit 34 {TASK} --allow-claimed-source"),
        "--builder-id x".to_owned(),
        "--task-ref x".to_owned(),
        "--pipeline-ref https://g.io/tasks@sha1:55".to_owned(),
    ] {
        let report = scene.verify(&bad);
        assert_eq!(report.code, 1, "{bad}: {}", report.stdout);
    }
}

#[test]
fn the_report_says_of_each_claim_whether_it_is_verified_and_on_whose_word() {
    let scene = attested();
    let refused = scene.verify(SOURCE).stdout;
    for text in [
        "  source-uri https://g.io/r: claimed, by the task of the run, which its author chose",
        "--task-ref URI@ALGORITHM:HEX",
        "--allow-claimed-source",
    ] {
        assert!(refused.contains(text), "{text}: {refused}");
    }
    let json = scene.verify(&format!("{SOURCE} {TASK} -o report")).stdout;
    let report: Value = serde_json::from_str(&json).unwrap();
    let claims = &report["entries"][0]["claims"];
    let task = json!({
        "claim": "task-ref", "value": "https://g.io/tasks@sha1:55", "standing": "verified",
        "by": "the resolver that read it",
    });
    assert_eq!(claims[0], task);
    assert_eq!(claims[1]["claim"], "source-uri");
    assert_eq!(claims[1]["by"], "the task https://g.io/tasks@sha1:55");
    let json = scene
        .verify(&format!("{SOURCE} --allow-claimed-source -o report"))
        .stdout;
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["verified"], true);
    assert_eq!(report["entries"][0]["claims"][0]["standing"], "claimed");
}

#[test]
fn a_blank_expectation_is_a_usage_error_of_every_verb() {
    let scene = attested();
    let image = scene.image();
    let blanks = ["", " ", "\t", "\u{a0}"];
    for verb in ["verify", "verify-attestation"] {
        for option in [
            "--source-uri",
            "--source-commit",
            "--builder-id",
            "--task-ref",
            "--pipeline-ref",
            "--identity",
            "--type",
        ] {
            for blank in blanks {
                let words = [verb, "--key", "cosign.pub", option, blank, &image];
                let outcome = scene.shell.words(&words);
                assert_eq!(
                    outcome.code, 2,
                    "{verb} {option} {blank:?}: {}",
                    outcome.stdout
                );
            }
        }
        for (option, value) in [
            ("--source-uri", "git+"),
            ("--source-uri", ".git"),
            ("--source-uri", "git+/.git"),
            ("--task-ref", "@sha1:55"),
            ("--task-ref", "https://g.io/tasks@sha1:"),
            ("--pipeline-ref", "https://g.io/tasks@sha256:"),
        ] {
            let words = [verb, "--key", "cosign.pub", option, value, &image];
            assert_eq!(scene.shell.words(&words).code, 2, "{verb} {option} {value}");
        }
    }
    let envelope = scene.envelope(&ImageScene::provenance("").to_string());
    scene.shell.write("envelope", envelope);
    for blank in blanks {
        for (digest, algorithm) in [(blank, "sha256"), ("ab12", blank)] {
            let words = [
                "verify-blob-attestation",
                "--key",
                "cosign.pub",
                "--signature",
                "envelope",
                "--type",
                "slsaprovenance",
                "--digest",
                digest,
                "--digestAlg",
                algorithm,
            ];
            let outcome = scene.shell.words(&words);
            assert_eq!(
                outcome.code, 2,
                "{digest:?} {algorithm:?}: {}",
                outcome.stderr
            );
        }
    }
}

#[test]
fn an_image_without_a_type_needs_a_signature_as_for_cosign() {
    let scene = attested();
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    let accepted = format!("--type {SLSA}");
    assert!(outcome.stderr.contains(&accepted), "{}", outcome.stderr);
    assert_eq!(scene.verify(&accepted).code, 0);
    scene.sign(&scene.key);
    assert_eq!(scene.verify("").code, 0);
}

#[test]
fn the_repository_of_a_signature_is_shown_and_compared_if_that_is_asked_for() {
    let scene = attested();
    scene.sign(&scene.key);
    let report = scene.verify("").stdout;
    assert!(report.contains("  repository: r.io/app\n"), "{report}");
    for kind in ["", "--type slsaprovenance"] {
        assert_eq!(scene.verify(&format!("{kind} --identity r.io/app")).code, 0);
        let outcome = scene.verify(&format!("{kind} --identity r.io/prod"));
        assert_eq!(outcome.code, 1, "{}", outcome.stdout);
        let told = "it is for `r.io/app`, expected `r.io/prod`";
        assert!(outcome.stdout.contains(told), "{}", outcome.stdout);
    }
    // a bundle of cosign names none
    let bundle = ImageScene::new(Options::default());
    bundle.refer(&bundle.signature_statement());
    assert_eq!(bundle.verify("").code, 0);
    assert_eq!(bundle.verify("--identity r.io/app").code, 1);
    let line = "verify --key cosign.pub --identity r.io/app cosign.pub";
    scene.shell.fail(2, line, "--identity is about images");
}

#[test]
fn a_repository_that_a_signature_names_cannot_steer_the_terminal() {
    let scene = ImageScene::new(Options::default());
    scene.sign_as("r.io/\u{1b}[2Jprod\u{202e}x");
    let report = scene.verify("").stdout;
    assert!(
        report.contains("repository: r.io/\\u{1b}[2Jprod\\u{202e}x"),
        "{report}"
    );
}
