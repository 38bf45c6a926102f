use proptest::prelude::*;

use super::*;

#[test]
fn numbers_keep_their_text() {
    let text = r#"{"a":[1.50,1e3,12345678901234567890,-0]}"#;
    assert_eq!(Json::parse(text).unwrap().to_compact(), text);
    assert_eq!(Json::parse(text).unwrap().to_sorted(), text);
}

#[test]
fn a_predicate_has_sorted_members_and_doubles() {
    let json = Json::parse(r#"{"b":12345678901234567890,"a":[1.50,1e21,1e-7,0.000001,100,-0]}"#);
    assert_eq!(
        json.unwrap().to_predicate(),
        r#"{"a":[1.5,1e+21,1e-7,0.000001,100,-0],"b":12345678901234567000}"#
    );
}

#[test]
fn go_escapes_for_html_and_a_predicate_does_not() {
    let json = Json::from("<&>\u{2028}\u{7f}\u{1}\u{8}\n\"\\/");
    assert_eq!(
        json.to_go(),
        "\"\\u003c\\u0026\\u003e\\u2028\u{7f}\\u0001\\b\\n\\\"\\\\/\""
    );
    assert_eq!(
        json.to_predicate(),
        "\"<&>\u{2028}\u{7f}\\u0001\\b\\n\\\"\\\\/\""
    );
}

#[test]
fn duplicates_depth_and_bad_text_are_refused() {
    assert!(matches!(
        Json::parse(r#"{"a":1,"b":2,"a":3}"#),
        Err(JsonError::Duplicate { .. })
    ));
    let deep = "[".repeat(100_000);
    assert_eq!(Json::parse(&deep), Err(JsonError::TooDeep));
    for bad in [
        "",
        "{",
        "[1,]",
        "{\"a\"}",
        "01",
        "1.",
        "--1",
        "\"\\ud800\"",
        "tru",
        "1 2",
        "\"a\nb\"",
        "\"\\",
    ] {
        assert!(Json::parse(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_like_serde_json_reads_it(text in r#"[\[\]{}:,"\\0-9a-etrufalsn. -]{0,24}"#) {
        let ours = Json::parse(&text);
        if let Ok(ours) = ours {
            let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
            let again: serde_json::Value = serde_json::from_str(&ours.to_go()).unwrap();
            prop_assert_eq!(theirs, again);
        }
    }

    #[test]
    fn any_string_survives(text in any::<String>()) {
        for written in [Json::from(text.as_str()).to_go(), Json::from(text.as_str()).to_predicate()] {
            prop_assert_eq!(&serde_json::from_str::<String>(&written).unwrap(), &text);
        }
    }
}
