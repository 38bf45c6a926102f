use super::*;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[test]
fn a_run_is_named_in_one_word_or_two() {
    let expected = (Kind::Pipeline, "release".to_owned());
    for line in [
        &["pr/release"][..],
        &["pipelinerun", "release"],
        &["pipelineruns.tekton.dev/release"],
    ] {
        assert_eq!(target(&words(line)).unwrap(), expected);
    }
}

#[test]
fn a_name_without_a_kind_is_refused_with_the_way_out() {
    let refusal = target(&words(&["release"])).unwrap_err().to_string();
    assert!(refusal.contains("pipelinerun/NAME"), "{refusal}");
    assert!(target(&words(&["pod/x"])).is_err());
}
