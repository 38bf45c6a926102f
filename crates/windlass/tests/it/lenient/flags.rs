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
fn of_a_flag_that_is_repeated_the_last_one_counts() {
    let shell = runs::folder();
    shell.succeed("payload -f pipeline.yaml -f task.yaml --format in-toto --format tekton");
    shell.succeed("sign-blob --yes --yes --key none --key cosign.key task.yaml");
}
