//! Expected outputs are those of `kubectl` 1.36.

use proptest::prelude::*;
use serde_json::json;

use super::*;

mod functions;
mod language;

fn document() -> Value {
    json!({
        "kind": "TaskRun", "name": "x", "num": 3, "neg": -4, "big": 123_456_789_012_i64, "f": 1.5,
        "whole": 1_000_000.0, "small": 1e-7, "huge": 1e21, "half": 1_234_567.5, "nul": null, "t": true,
        "no": false, "list": [1, "two", null, {"a": 1, "b": ["x"]}, [], {}, true], "nums": [1, 2, 3],
        "strs": ["a", "b", "c"], "empty": [], "none": {}, "blank": "", "zero": 0,
        "s": "hé <b> & 'x' \"q\" a=b\\ \u{1} \u{200b}", "lines": "a\nb\tc", "b64": "aGVsbG8=",
        "m": {"b": 2, "a": 1, "x.y/z": "dotted"},
        "conds": [{"type": "Succeeded", "status": "True"}, {"type": "Other", "status": "False"}],
    })
}

fn render(template: &str) -> Result<String, GoTemplateError> {
    let rendered = Template::parse(template)?.render(&document())?;
    Ok(String::from_utf8(rendered).unwrap())
}

#[track_caller]
fn table(rows: &[(&str, &str)]) {
    for (template, expected) in rows {
        assert_eq!(render(template).as_deref(), Ok(*expected), "{template}");
    }
}

/// Each template fails, at the line and column, with a message that has these words.
#[track_caller]
fn refused(rows: &[(&str, usize, usize, &str)]) {
    for (template, line, column, words) in rows {
        let error = render(template).expect_err(template);
        assert!(error.message.contains(words), "{template}: {error}");
        assert_eq!(
            (error.line, error.column),
            (*line, *column),
            "{template}: {error}"
        );
    }
}

#[test]
fn a_template_that_cannot_be_read_is_refused_where_it_is_wrong() {
    refused(&[
        ("{{.name", 1, 1, "}} is missing"),
        ("{{.name\n{{end}}", 2, 1, "'{' has no meaning"),
        ("{{.name{{end}}", 1, 8, "}} is missing before"),
        ("a\n  {{foo}}", 2, 5, "no function foo"),
        ("{{name}}", 1, 3, ".name"),
        ("{{.a-b}}", 1, 5, "index"),
        ("{{.a.}}", 1, 5, "a blank is missing"),
        (r#"{{"a""b"}}"#, 1, 6, "a blank is missing"),
        (r#"{{"open}}"#, 1, 3, "unclosed string"),
        ("{{`open}}", 1, 3, "unclosed string"),
        (r#"{{"\q"}}"#, 1, 3, "unknown escape"),
        ("{{'ab'}}", 1, 3, "not one character"),
        ("é{{end}}", 1, 2, "no block"),
        ("{{else}}", 1, 1, "for this else"),
        ("{{if .t}}x", 1, 1, "{{end}} is missing"),
        ("{{if}}x{{end}}", 1, 5, "if has no value"),
        ("{{range .nums}}{{else}}{{else}}{{end}}", 1, 1, "else twice"),
        ("{{if .t}}{{else with .t}}{{end}}", 1, 17, "else if"),
        ("{{break}}", 1, 3, "outside of range"),
        (
            "{{range .nums}}{{block \"b\" .}}{{break}}{{end}}{{end}}",
            1,
            33,
            "outside of range",
        ),
        ("{{$x}}", 1, 3, "no variable $x"),
        (
            "{{$x := 1}}{{define \"d\"}}{{$x}}{{end}}",
            1,
            28,
            "no variable $x",
        ),
        ("{{$x, $y := .list}}", 1, 5, "only range"),
        ("{{template x}}", 1, 12, "in quotes"),
        (
            "{{if .t}}{{define \"d\"}}{{end}}{{end}}",
            1,
            10,
            "outside of blocks",
        ),
        (
            "{{define \"d\"}}a{{end}}{{define \"d\"}}b{{end}}",
            1,
            23,
            "defined twice",
        ),
        ("{{.x | 3}}", 1, 8, "has to be a function"),
        ("{{| .x}}", 1, 3, "a value is missing"),
        ("{{(.x}}", 1, 3, "unclosed parenthesis"),
        ("{{.x)}}", 1, 5, "no ( for this )"),
        ("{{()}}", 1, 4, "has no value"),
        ("{{}}", 1, 3, "nothing to print"),
        ("{{/* open }}", 1, 1, "unclosed comment"),
        ("{{/* x */ .a}}", 1, 10, "a comment ends with"),
        ("{{99999999999999999999}}", 1, 3, "too large"),
        ("{{089}}", 1, 3, "no number"),
        ("{{1__0}}", 1, 3, "no number"),
        ("{{0x1p4}}", 1, 3, "write it in decimal"),
        ("{{1i}}", 1, 3, "complex"),
        ("{{1e400}}", 1, 3, "too large"),
        ("{{\"a\".x}}", 1, 3, "has no fields"),
        ("{{a#b}}", 1, 4, "cannot stand in a name"),
        ("{{ # }}", 1, 4, "has no meaning"),
        ("{{ : }}", 1, 4, "has no meaning"),
        ("{{if end}}{{end}}", 1, 6, "begins an action"),
    ]);
}

#[test]
fn a_template_that_cannot_be_applied_is_refused_where_it_is_wrong() {
    refused(&[
        ("{{.name.x}}", 1, 3, "no .x in a string"),
        ("{{.list.x}}", 1, 3, "use range"),
        ("{{.nul.x}}", 1, 3, "no .x in null"),
        ("{{range .list}}{{.a}}{{end}}", 1, 18, "no .a in an integer"),
        ("{{index .list 7}}", 1, 3, "the length is 7"),
        ("{{index .list -1}}", 1, 3, "position -1"),
        ("{{index .list \"a\"}}", 1, 3, "a string is no position"),
        ("{{index .m 1}}", 1, 3, "no key"),
        ("{{index .nul 1}}", 1, 3, "no value to look into"),
        ("{{index .num 1}}", 1, 3, "nothing in it"),
        ("{{len .num}}", 1, 3, "no length"),
        ("{{slice .name 3}}", 1, 3, "the length is 1"),
        ("{{slice .nums 2 1}}", 1, 3, "have to rise"),
        ("{{slice .name 0 1 1}}", 1, 3, "start and an end only"),
        ("{{slice .num 1}}", 1, 3, "cannot be sliced"),
        ("{{eq .num 3.0}}", 1, 3, "without a point"),
        ("{{eq .f 1}}", 1, 3, "with a point"),
        ("{{eq .num \"3\"}}", 1, 3, "only text is quoted"),
        ("{{eq .list .list}}", 1, 3, "no equality"),
        ("{{lt .t .t}}", 1, 3, "no order"),
        ("{{eq 1}}", 1, 3, "needs at least 2 arguments, and has 1"),
        ("{{not 1 2}}", 1, 3, "takes 1 argument, and has 2"),
        ("{{nil}}", 1, 3, "an argument only"),
        ("{{.name \"x\"}}", 1, 3, "only a function"),
        ("{{3 | .num}}", 1, 7, "only a function"),
        ("{{call .name}}", 1, 3, "no function"),
        ("{{$x = 1}}", 1, 3, "with :="),
        ("{{template \"gone\"}}", 1, 12, "needs a define"),
        ("{{range .name}}{{end}}", 1, 9, "this is a string"),
        ("{{range $i, $e := 3}}{{end}}", 1, 9, "has one variable"),
        ("{{base64decode \"!\"}}", 1, 3, "not base64"),
        ("{{base64decode .num}}", 1, 16, "needs a string"),
        ("{{.num | printf}}", 1, 10, "needs a string"),
        ("{{printf \"%p\" .list}}", 1, 3, "address"),
        ("{{printf \"%x\" 1.5}}", 1, 3, "use %v"),
        ("{{printf \"%#g\" 1.5}}", 1, 3, "the flag #"),
    ]);
    let error = render("{{.name.x}}").unwrap_err().to_string();
    assert_eq!(
        error,
        "go-template, line 1, column 3: there is no .x in a string"
    );
}

#[test]
fn bytes_that_are_no_text_are_printed_as_they_are() {
    let template = Template::parse(r#"{{"\xff"}}{{"/w==" | base64decode}}"#).unwrap();
    assert_eq!(template.render(&json!({})).unwrap(), [0xff, 0xff]);
}

#[test]
fn a_template_that_works_for_ever_ends_with_an_error() {
    let limits = Limits {
        steps: 100_000,
        output: 1 << 20,
        made: 1 << 20,
    };
    let twice = |name: &str, next: &str| {
        format!(
            "{{{{define \"{name}\"}}}}{{{{template \"{next}\"}}}}{{{{template \"{next}\"}}}}{{{{end}}}}"
        )
    };
    let many: String = (0..60)
        .map(|number| twice(&number.to_string(), &(number + 1).to_string()))
        .collect();
    for (template, words) in [
        ("{{range 1000000000000}}{{end}}".to_owned(), "bounds"),
        (
            "{{range 1000000}}{{range 1000000}}{{end}}{{end}}".to_owned(),
            "bounds",
        ),
        (
            format!("{many}{{{{define \"60\"}}}}{{{{end}}}}{{{{template \"0\"}}}}"),
            "bounds",
        ),
        (
            format!("{{{{range 20000}}}}{}{{{{end}}}}", "x".repeat(100)),
            "64 MiB",
        ),
        (
            "{{$x := \"0123456789\"}}{{range 100}}{{$x = print $x $x}}{{end}}".to_owned(),
            "64 MiB",
        ),
        (
            "{{range 100}}{{$x := printf \"%99999d\" 1}}{{end}}".to_owned(),
            "64 MiB",
        ),
        (
            "{{define \"a\"}}{{template \"a\" .}}{{end}}{{template \"a\"}}".to_owned(),
            "deep",
        ),
        ("{{template \"output\" .}}".to_owned(), "deep"),
    ] {
        let error = Template::parse(&template).unwrap();
        let error = error.render_within(&json!({}), limits).unwrap_err();
        assert!(error.message.contains(words), "{template:.60}: {error}");
    }
}

#[test]
fn nesting_has_a_bound_that_no_stack_knows() {
    for (open, close, depth) in [
        ("{{if 1}}", "{{end}}", 90),
        ("{{with 1}}", "{{end}}", 90),
        ("{{range 1}}", "{{end}}", 90),
    ] {
        let template = open.repeat(depth) + "x" + &close.repeat(depth);
        assert_eq!(render(&template).as_deref(), Ok("x"), "{open}");
        let template = open.repeat(10_000) + &close.repeat(10_000);
        let error = Template::parse(&template).unwrap_err();
        assert!(error.message.contains("nested"), "{open}: {error}");
    }
    let parentheses = |depth| format!("{{{{{}1{}}}}}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(render(&parentheses(90)).as_deref(), Ok("1"));
    let error = Template::parse(&parentheses(100_000)).unwrap_err();
    assert!(error.message.contains("nested"), "{error}");
    let chain = "{{if 0}}".to_owned() + &"{{else if 0}}".repeat(10_000) + "{{end}}";
    assert!(Template::parse(&chain).is_err());
    let tree = (0..100).fold(json!(1), |inside, _| json!([inside]));
    let walk = "{{define \"t\"}}{{if (printf \"%T\" .) | eq \"int64\"}}{{.}}{{else}}{{range .}}[{{template \"t\" .}}]{{end}}{{end}}{{end}}{{template \"t\" .}}";
    let rendered = Template::parse(walk).unwrap().render(&tree).unwrap();
    assert_eq!(rendered.len(), 201);
}

#[test]
fn a_template_or_a_document_that_is_too_large_is_refused() {
    let error = Template::parse(&"x".repeat((1 << 20) + 1)).unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
    let deep = (0..1000).fold(json!(1), |inside, _| json!([inside]));
    let error = Template::parse("{{.}}").unwrap().render(&deep).unwrap_err();
    assert!(error.to_string().contains("too deeply"), "{error}");
    // taken apart level by level, so that dropping it needs no stack either
    let mut deep = deep;
    while let Value::Array(mut list) = deep {
        deep = list.pop().unwrap_or_default();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_rendered_or_refused_with_a_place_in_it(
        pieces in proptest::collection::vec(
            prop_oneof![
                "[ -~\\n]{0,6}",
                proptest::sample::select(vec![
                    "{{", "}}", "{{-", "-}}", " - ", "{{end}}", "{{else}}", "{{if .t}}", "{{with .m}}",
                    "{{range .list}}", "{{range $i, $e := .m}}", "{{define \"d\"}}", "{{template \"d\" .}}",
                    "{{block \"b\" .}}", "{{break}}", "{{/*", "*/}}", "{{$x := .num}}", "{{$x = 1}}", "{{$x}}",
                    "{{.}}", "{{.nul.a}}", "{{printf \"%*.3[1]q\" 3 .s}}", "{{index .list 0}}", "{{slice .s 1}}",
                    "{{eq .num 3}}", "(", ")", "|", "\"", "`", "'", "é", "print", ".a", "$", ":=", ",", "0x", "1e9",
                ]).prop_map(str::to_owned),
            ],
            0..14,
        )
    ) {
        let text = pieces.concat();
        let rendered = Template::parse(&text).and_then(|template| template.render(&document()));
        if let Err(error) = rendered {
            let lines = text.matches('\n').count() + 1;
            prop_assert!(error.line >= 1 && error.line <= lines, "{error}");
            prop_assert!(error.column >= 1, "{error}");
        }
    }

    #[test]
    fn any_format_is_written_or_refused(
        format in "[%a-zA-Z0-9#+ .*\\[\\]-]{0,16}",
        number in any::<i64>(),
        fraction in any::<f64>(),
        text in ".{0,8}",
    ) {
        let template = "{{printf .format .number .fraction .text .nothing .list}}";
        let document = json!({
            "format": format, "number": number, "fraction": fraction, "text": text, "list": [1, "a"],
        });
        let rendered = Template::parse(template).unwrap().render(&document);
        if let Ok(rendered) = rendered {
            prop_assert!(!rendered.is_empty() || format.is_empty() || !format.contains('%'));
        }
    }
}
