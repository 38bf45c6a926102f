//! How lines of the guide are typed, and how pages are read: what other scenarios stand on.

use windlass_e2e::Cosign;
use windlass_e2e::guide::{CONFIGURE, FETCH, Signing, VERIFY};
use windlass_e2e::page;

#[test]
fn only_the_program_of_a_line_is_renamed() {
    assert_eq!(
        Signing::Windlass.typed(FETCH[0]),
        "export TASKRUN_UID=$(windlass tr describe --last -o  jsonpath='{.metadata.uid}')"
    );
    let configure = Signing::Windlass.typed(CONFIGURE);
    assert!(configure.starts_with("kubectl patch configmap"));
    assert!(configure.contains("artifacts.oci.storage"));
}

#[test]
fn cosign_gets_the_flags_of_its_release_and_windlass_none() {
    let typed = Signing::Cosign(Cosign::Three).typed(VERIFY);
    assert!(typed.contains("--new-bundle-format=false --key k8s://"));
    assert_eq!(
        Signing::Windlass.typed(VERIFY),
        VERIFY.replacen("cosign", "windlass", 1)
    );
}

#[test]
fn a_command_is_read_with_its_document_and_without_its_output() {
    let text = "text\n   ```console\n   $ cat > f <<'END'\n   a: 1\n     b: 2\n   END\n   $ x\n   output\n   \
                ```\n```sh\n$ y\n```\n";
    assert_eq!(
        page::commands(text),
        ["cat > f <<'END'\na: 1\n  b: 2\nEND", "x"]
    );
}

#[test]
fn a_row_is_found_by_what_its_first_cell_names() {
    let text = "| a | b |\n|---|---|\n| `x`, `y` | `1` |\n";
    let row = Some(vec!["`x`, `y`".to_owned(), "`1`".to_owned()]);
    assert_eq!(page::row(text, "`y`"), row);
    assert_eq!(page::row(text, "`z`"), None);
}
