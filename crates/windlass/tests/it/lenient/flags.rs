//! Go's spellings of flags.

use crate::attest::runs;

#[test]
fn a_boolean_takes_a_value_in_every_verb() {
    let shell = runs::folder();
    shell.write("own.pub", shell.succeed("public-key --key cosign.key"));
    let signed = shell.succeed("sign-blob --key cosign.key task.yaml");
    shell.write("signature", &signed);
    for flags in [
        "--yes=true",
        "-y=t",
        "--yes=false",
        "--b64=1",
        "--b64=T --b64",
    ] {
        shell.succeed(&format!("sign-blob --key cosign.key {flags} task.yaml"));
    }
    let raw = shell.words(&[
        "sign-blob",
        "--key",
        "cosign.key",
        "--b64=F",
        "--output-signature",
        "raw",
        "task.yaml",
    ]);
    assert_eq!(raw.code, 0, "{}", raw.stderr);
    assert!(!shell.read("raw").is_ascii());
    for flags in [
        "--insecure-ignore-tlog=true",
        "--insecure-ignore-tlog=0",
        "--offline=False --private-infrastructure=TRUE",
        "--sk=false",
        "-d=true",
    ] {
        let line = format!("verify-blob --key own.pub {flags} --signature signature task.yaml");
        shell.succeed(&line);
    }
    shell.fail(
        2,
        "sign-blob --key cosign.key --yes=maybe task.yaml",
        "use true or false",
    );
    shell.fail(
        2,
        "verify-blob --sk=true --key own.pub --signature x y",
        "hardware keys",
    );
}

#[test]
fn a_flag_of_cosign_takes_one_dash_as_cosign_itself_does() {
    let shell = runs::folder();
    shell.write("own.pub", shell.succeed("public-key -key cosign.key"));
    shell.write(
        "signature",
        shell.succeed("sign-blob -key=cosign.key task.yaml"),
    );
    shell.succeed(
        "verify-blob -key own.pub -insecure-ignore-tlog=true -signature signature task.yaml",
    );
    shell.fail(
        1,
        "verify-blob -key own.pub -signature signature pipeline.yaml",
        "not verified",
    );
}

#[test]
fn a_count_that_is_none_is_refused_with_what_would_be_one() {
    let shell = runs::folder();
    for count in ["-1", "x", "1.5", ""] {
        let line = ["tr", "list", "--limit", count];
        let outcome = shell.words(&line);
        assert_eq!(outcome.code, 2, "{count}");
        let expected = "use 0, which shows all, or a positive number";
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    }
}

#[test]
fn of_a_flag_that_is_repeated_the_last_one_counts() {
    let shell = runs::folder();
    shell.succeed("payload -f pipeline.yaml -f task.yaml --format in-toto --format tekton");
    shell.succeed("sign-blob --yes --yes --key none --key cosign.key task.yaml");
}
