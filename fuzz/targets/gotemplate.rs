//! Templates of Go: no template hangs, overflows the stack or fills the memory, an error names a place in
//! the template, and the same input gives the same output.
//!
//! Input is a template, a newline and a JSON document on the last line; without a newline, both are built.

#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use windlass_fuzz::text::{free, one_of, word};
use windlass_gotemplate::Template;

const PIECES: [&str; 40] = [
    "{{",
    "}}",
    "{{- ",
    " -}}",
    "{{end}}",
    "{{else}}",
    "{{else if ",
    "{{if ",
    "{{with ",
    "{{range ",
    "{{range $k, $v := ",
    "{{define \"d\"}}",
    "{{template \"d\" .}}",
    "{{block \"d\" .}}",
    "{{break}}",
    "{{continue}}",
    "{{$k := ",
    "{{$k = ",
    "$k",
    ".",
    ".a",
    ".b",
    "$",
    " ",
    "(",
    ")",
    " | ",
    "\"a\"",
    "`b`",
    "3",
    "1.5",
    "nil",
    "true",
    "print ",
    "printf \"%+-08.3[1]v%q\" ",
    "index . ",
    "len ",
    "eq ",
    "slice ",
    "html ",
];
const LONGEST: usize = 64 << 20;

fuzz_target!(|data: &[u8]| {
    if let Some(end) = data.iter().rposition(|byte| *byte == b'\n') {
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
    for _ in 0..data.int_in_range(1..=24)? {
        template.push_str(one_of(data, &PIECES)?);
        if data.ratio(1, 8)? {
            template.push_str(&word(data)?);
        }
    }
    Ok((template, document))
}

fn check(text: &str, document: &Value) {
    let rendered = Template::parse(text).and_then(|template| template.render(document));
    match &rendered {
        Ok(bytes) => assert!(bytes.len() <= LONGEST),
        Err(error) => {
            let line = text.split('\n').nth(error.line - 1);
            let length = line.map(|line| line.chars().count());
            assert!(
                length.is_some_and(|length| (1..=length + 1).contains(&error.column)),
                "{text:?}: {error}"
            );
        }
    }
    let again = Template::parse(text).and_then(|template| template.render(document));
    assert_eq!(rendered, again, "{text:?}");
}
