//! The column VERIFIED of lists, by a name.

use serde_json::json;

use super::Scene;

#[test]
fn a_list_verifies_runs_by_the_name_in_their_certificates() {
    let scene = Scene::new(&json!({}));
    scene.signed("app");
    let (controller, somebody) = scene.as_controller_and_somebody("tr list");
    for (outcome, expected) in [(controller, "yes"), (somebody, "no")] {
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let rows: Vec<&str> = outcome.stdout.lines().collect();
        assert!(rows[0].ends_with("VERIFIED"), "{}", outcome.stdout);
        let last = rows[1].split_whitespace().last();
        assert_eq!(last, Some(expected), "{}", outcome.stdout);
    }
    scene.shell.fail(
        2,
        "tr list --trusted-root root.json",
        "--certificate-identity",
    );
    let document = format!("tr list -o json {}", scene.who());
    scene.shell.fail(2, &document, "cannot be used with");
}
