//! `JSONPath` templates: no template hangs or fills the memory, and both ways of printing agree.
//!
//! Input is a template, a newline and a JSON document; without a newline, both are built.

#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use windlass_fuzz::text::{free, one_of, word};
use windlass_jsonpath::{Template, print};

const STEPS: [&str; 34] = [
    ".a",
    ".b",
    ".*",
    "..",
    "..a",
    "..*",
    "[0]",
    "[-1]",
    "[*]",
    "[0:2]",
    "[::2]",
    "[:-1]",
    "[1:0]",
    "[0,1]",
    "[0,-1,0]",
    "['a']",
    "['a','b']",
    "['a.b']",
    "[?(@.a)]",
    "[?(@.a==1)]",
    "[?(@.a!=\"x\")]",
    "[?(@.a<=@.b)]",
    "[?(@..a>1)]",
    ".a\\.b",
    "\"text\"",
    "'t'",
    "1",
    "-1.5",
    "true",
    "{",
    "}",
    "@",
    "$",
    " ",
];
const LONGEST: usize = 64 << 20;
/// Output that is printed once only, to spend the time on other templates.
const LARGE: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    if let Some(end) = data.iter().position(|byte| *byte == b'\n') {
        let template = std::str::from_utf8(&data[..end]);
        let document = serde_json::from_slice::<Value>(&data[end + 1..]);
        if let (Ok(template), Ok(document)) = (template, document) {
            check(template, &document);
        }
        return;
    }
    if let Ok((template, document)) = build(&mut Unstructured::new(data)) {
        check(&template, &document);
    }
});

fn build(data: &mut Unstructured<'_>) -> Result<(String, Value)> {
    let mut json = String::new();
    free(data, &mut json, 5)?;
    let document = serde_json::from_str(&json).unwrap_or_default();
    let mut template = String::new();
    for _ in 0..data.int_in_range(1..=4)? {
        template.push_str(match data.int_in_range(0..=7)? {
            0 => "{range ",
            1 => "{end}",
            2 => "",
            _ => "{",
        });
        for _ in 0..data.int_in_range(0..=4)? {
            template.push_str(one_of(data, &STEPS)?);
        }
        template.push_str(if data.ratio(15, 16)? { "}" } else { "" });
        if data.ratio(1, 4)? {
            template.push_str(&word(data)?);
        }
    }
    Ok((template, document))
}

fn check(text: &str, document: &Value) {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(error) => {
            assert!(
                (1..=text.chars().count() + 1).contains(&error.column),
                "{error}"
            );
            return;
        }
    };
    let plain = template.render(document);
    if let Ok(plain) = &plain {
        assert!(plain.len() <= LONGEST);
        if plain.len() > LARGE {
            return;
        }
    }
    assert_eq!(plain, template.render(document), "{text:?}");
    if let Ok(json) = template.render_as_json(document) {
        assert!(json.len() <= LONGEST);
        assert!(
            plain.is_ok() || json.len() > LONGEST / 2,
            "{text:?}: {plain:?}"
        );
        for group in serde_json::Deserializer::from_str(&json).into_iter::<Value>() {
            match group {
                Ok(group) => assert!(group.is_array(), "{text:?}: {group}"),
                Err(error) => {
                    assert!(
                        error.to_string().contains("recursion limit"),
                        "{text:?}: {error}"
                    );
                    break;
                }
            }
        }
    }
    members(document);
}

/// A key in quotes finds the member of that name.
fn members(document: &Value) {
    let Value::Object(members) = document else {
        return;
    };
    for (key, value) in members {
        // In kubectl's grammar other letters end a key, quotes or not.
        let is_plain = |letter: char| letter.is_alphanumeric() || "_-/".contains(letter);
        if key.is_empty() || !key.chars().all(is_plain) {
            continue;
        }
        let found = Template::parse(&format!("{{['{key}']}}")).expect("a key in quotes");
        let Ok(found) = found.render_as_json(document) else {
            continue;
        };
        let expected = print::pretty(&Value::Array(vec![value.clone()])).expect("shallow");
        assert_eq!(found, expected, "{key:?}");
    }
}
