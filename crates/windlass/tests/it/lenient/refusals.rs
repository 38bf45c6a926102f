//! API servers that are overloaded, or do not accept the login: every verb says so, soon and in
//! words of ours.

use std::time::{Duration, Instant};

use windlass_sandbox::{Fault, FaultAnswer, Reply};

use crate::scene::Scene;

/// A cluster that gives this reply to requests whose path contains `path`, so many times.
fn refusing(path: &str, times: usize, reply: Reply) -> Scene {
    let scene = Scene::new(&["team-a"]);
    let mut fault = Fault::new("GET", path, FaultAnswer::Status(reply));
    fault.times = times;
    fault.method = None;
    scene.cluster.fail(fault);
    scene
}

fn always(path: &str, reply: Reply) -> Scene {
    refusing(path, usize::MAX, reply)
}

#[test]
fn an_overloaded_api_server_is_asked_again_for_a_short_time_only() {
    for status in [429, 503] {
        let scene = refusing("/taskruns", 2, status.into());
        let outcome = scene.shell.run("tr list");
        assert_eq!(outcome.code, 0, "{status}: {}", outcome.stderr);
        let scene = always("/taskruns", status.into());
        let start = Instant::now();
        let told = format!("(HTTP {status})");
        scene.shell.fail(2, "tr list", &told);
        assert!(start.elapsed() < Duration::from_secs(30), "{status}");
    }
    // as long as that nobody waits
    let scene = always("/taskruns", Reply::from(429).retry_after("86400"));
    let start = Instant::now();
    scene.shell.fail(2, "tr list", "(HTTP 429)");
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_login_that_is_not_accepted_is_told_with_what_to_do_in_every_verb() {
    let scene = always("/", 401.into());
    let advice = "log in to the cluster again, or choose another context";
    for line in [
        "tr list",
        "audit",
        "doctor",
        "migrate --check",
        "uninstall --check",
        "resign tr/x",
        "generate-key-pair k8s://team-a/keys",
        "registry grant --docker-config config.json --service-account bot",
    ] {
        scene
            .shell
            .write("config.json", r#"{"auths":{"r.io":{"auth":"YTpi"}}}"#);
        let words: Vec<&str> = line.split(' ').collect();
        let outcome = scene.shell.with(&[("COSIGN_PASSWORD", "")], &words);
        let told = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, 2, "{line}: {told}");
        assert!(told.contains(advice), "{line}: {told}");
        assert!(told.contains("(HTTP 401)"), "{line}: {told}");
    }
}

/// How a page in place of the API server's response is told.
const STRANGER: &str = "a login page or a proxy responds in place of the API server";

#[test]
fn a_login_page_in_place_of_the_api_server_is_told_and_never_followed() {
    let page = |status: u16| {
        Reply::from(status)
            .body("<html>s3cret page</html>")
            .media_type("text/html; charset=utf-8")
    };
    let portal = Scene::new(&[]);
    let portal = portal.cluster.url();
    let mut answers: Vec<(FaultAnswer<_>, u16)> = [200, 302, 403, 404]
        .map(|status| (FaultAnswer::Status(page(status)), status))
        .into();
    answers.push((
        FaultAnswer::RedirectTo(format!("{portal}/login?token=s3cret")),
        307,
    ));
    for (answer, status) in answers {
        let scene = Scene::new(&["team-a"]);
        let mut fault = Fault::new("GET", "/", answer).repeated(usize::MAX);
        fault.method = None;
        scene.cluster.fail(fault);
        let server = scene.cluster.url();
        scene
            .shell
            .write("config.json", r#"{"auths":{"r.io":{"auth":"YTpi"}}}"#);
        for line in [
            "tr list",
            "tr describe x",
            "pr list -o json",
            "audit",
            "generate-key-pair k8s://team-a/keys",
            "registry grant --docker-config config.json --service-account bot -n team-a",
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let outcome = scene.shell.with(&[("COSIGN_PASSWORD", "")], &words);
            let told = format!("{}{}", outcome.stdout, outcome.stderr);
            assert_eq!(outcome.code, 2, "{status} {line}: {told}");
            for part in [STRANGER, &server, "correct the server in the kubeconfig"] {
                assert!(told.contains(part), "{status} {line}: {told}");
            }
            for no in ["s3cret", "<html", "/login"] {
                assert!(!told.contains(no), "{status} {line}: {told}");
            }
        }
    }
}

#[test]
fn what_the_api_server_says_of_a_secret_is_told_without_types_of_a_library() {
    for (reply, why) in [
        (Reply::from(500).body("\u{1b}[2Jno"), "(HTTP 500)"),
        (Reply::from(404).body("404 page not found"), "(HTTP 404)"),
        (Reply::from(200).body("<html>"), STRANGER),
        (Reply::from(302).body(""), STRANGER),
        (
            Reply::from(200).body("{\"kind\":\"Pod\"}"),
            "sent something else",
        ),
    ] {
        let scene = always("/secrets", reply);
        let words = ["generate-key-pair", "k8s://team-a/keys"];
        let outcome = scene.shell.with(&[("COSIGN_PASSWORD", "")], &words);
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        let begin = "error: cannot read secret keys in namespace team-a: ";
        assert!(outcome.stderr.starts_with(begin), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
        for no in ["Status {", "ApiError", "deserializing", "\u{1b}"] {
            assert!(!outcome.stderr.contains(no), "{}", outcome.stderr);
        }
    }
}

#[test]
fn nobody_is_told_that_there_are_no_runs_when_they_could_not_be_listed() {
    let scene = always("/taskruns", 403.into());
    let outcome = scene.shell.run("audit");
    assert_eq!(outcome.code, 2);
    assert!(
        !outcome.stderr.contains("No runs found"),
        "{}",
        outcome.stderr
    );
    let scene = always("/", 403.into());
    let outcome = scene.shell.run("migrate --check");
    assert_eq!(outcome.code, 2);
    let head = "Runs: 0 that could be read\nKey:  none that could be read\n";
    assert!(outcome.stdout.starts_with(head), "{}", outcome.stdout);
}
