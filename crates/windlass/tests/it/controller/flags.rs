//! The controller as Tekton's operator starts it: the flags of Tekton Chains, and no verb.

use std::time::Instant;

use super::process::{Controller, finished_run, mark, scene, until};

/// The arguments that the operator writes into the Deployment.
const OPERATOR: [&str; 4] = [
    "-threads-per-controller=3",
    "-kube-api-qps=40.03",
    "-kube-api-burst=33",
    "-disable-ha",
];

#[test]
fn the_arguments_of_the_operator_without_a_verb_start_a_controller_that_signs() {
    let scene = scene();
    finished_run(&scene, "a", "build");
    finished_run(&scene, "default", "elsewhere");
    let mut words = OPERATOR.to_vec();
    words.extend(["-namespace", "a, b", "-log-format", "text"]);
    let controller = Controller::start(&scene, &words);
    until("the run is signed", || {
        mark(&scene, "a", "build").as_deref() == Some("true")
    });
    assert_eq!(mark(&scene, "default", "elsewhere"), None);
    controller.stop();
}

#[test]
fn flags_of_klog_are_read_in_both_forms_and_one_line_says_that_they_have_no_effect() {
    let scene = scene();
    let words = [
        "-v=2",
        "-v",
        "3",
        "--logtostderr",
        "-alsologtostderr=false",
        "-stderrthreshold=INFO",
        "--vmodule",
        "a=1,b=2",
        "-log_dir=/tmp",
        "-log_file_max_size",
        "1800",
        "-legacy_stderr_threshold_behavior=T",
        "-skip_headers",
        "-log_backtrace_at=main.go:1",
    ];
    let log = Controller::start(&scene, &words).stop();
    let notes: Vec<&String> = log
        .iter()
        .filter(|line| line.contains("no effect"))
        .collect();
    let [note] = notes[..] else {
        panic!("{log:#?}");
    };
    for flag in ["vmodule", "logtostderr", "stderrthreshold"] {
        assert!(note.contains(flag), "{note}");
    }
}

#[test]
fn flags_that_chains_refuses_are_refused() {
    let scene = scene();
    for (line, reason) in [
        ("-unknown", "unexpected argument '--unknown'"),
        ("-kube-api-qps=-1", "at least 0"),
        ("-kube-api-qps=NaN", "at least 0"),
        ("-kube-api-burst=many", "at least 0"),
        ("-disable-ha=maybe", "expected true or false"),
        ("-threads-per-controller", "a value is required"),
        ("-v=high", "invalid digit"),
    ] {
        scene.shell.fail(2, line, reason);
    }
}

#[test]
fn a_controller_sends_no_more_requests_than_its_limit_allows() {
    let scene = scene();
    for number in 0..40 {
        finished_run(&scene, "a", &format!("build-{number}"));
    }
    scene.cluster.clear_requests();
    let begun = Instant::now();
    let words = [
        "-kube-api-qps=20",
        "-kube-api-burst=5",
        "-threads-per-controller=8",
    ];
    let controller = Controller::start(&scene, &words);
    until("all runs are signed", || {
        (0..40).all(|number| mark(&scene, "a", &format!("build-{number}")).is_some())
    });
    let (requests, elapsed) = (scene.cluster.requests(), begun.elapsed().as_secs_f64());
    let leases = requests.iter().filter(|request| request.is("", "/leases"));
    let others = requests.len() - leases.count();
    let allowed = 5.0 + 20.0 * elapsed;
    assert!(
        others >= 40 && f64::from(u32::try_from(others).unwrap()) <= allowed,
        "{others} requests in {elapsed} s"
    );
    controller.stop();
}
