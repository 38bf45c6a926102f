//! Expected outputs were compared with `kubectl` 1.32 on the same document, the deliberate
//! differences apart.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn document() -> Value {
    json!({
        "metadata": {
            "name": "x", "uid": "u-1",
            "annotations": {"chains.tekton.dev/signed": "true", "k": "<a&b>"},
        },
        "spec": {
            "n": 3, "f": 1.5, "big": 1e21, "small": 1e-7, "one": 1.0, "t": true, "nul": null,
            "empty": [], "str": "hey", "a": {"b": "nested"}, "a.b": "literal", "comma,key": "c",
        },
        "status": {
            "conditions": [
                {"type": "Succeeded", "status": "True", "n": 1, "l": [1, 2]},
                {"type": "Other", "status": "False", "n": 2, "l": []},
                {"type": "Third", "status": "Unknown", "n": 3, "l": [5]},
            ],
            "groups": [
                {"name": "g1", "items": [{"v": 1}, {"v": 2}]},
                {"name": "g2", "items": []},
                {"name": "g3", "items": [{"v": 3}]},
            ],
            "nums": [0, 1, 2, 3, 4],
        },
    })
}

fn render(template: &str) -> Result<String, JsonPathError> {
    Template::parse(template)?.render(&document())
}

#[track_caller]
fn table(rows: &[(&str, &str)]) {
    for (template, expected) in rows {
        assert_eq!(render(template).as_deref(), Ok(*expected), "{template}");
    }
}

#[test]
fn fields_are_found_and_missing_ones_are_empty() {
    table(&[
        ("{.metadata.name}", "x"),
        ("{$.metadata.uid}", "u-1"),
        ("{ .metadata.name }", "x"),
        ("{['metadata'].name}", "x"),
        ("{.metadata.nam\\e}", "x"),
        ("{.metadata.name.x}", ""),
        ("{.missing.x[0]}", ""),
        ("{.}", ""),
        ("{.spec.nul}", "null"),
        ("{.spec.nul.x}{.spec.nul[0]}", ""),
        ("{.status.conditions.type}", ""),
        ("{.metadata.name .metadata.uid}", ""),
        ("{.metadata.name}}", "x}"),
        ("text only", "text only"),
        ("metadata.name", "metadata.name"),
        ("", ""),
    ]);
}

#[test]
fn dots_in_keys_are_escaped_or_quoted() {
    table(&[
        (
            r"{.metadata.annotations.chains\.tekton\.dev/signed}",
            "true",
        ),
        (
            r"{.metadata.annotations['chains\.tekton\.dev/signed']}",
            "true",
        ),
        (
            "{.metadata.annotations['chains.tekton.dev/signed']}",
            "true",
        ),
        ("{.spec['a.b']}", "nested"),
        (r"{.spec.a\.b}", "literal"),
        ("{.spec['comma,key']}", "c"),
    ]);
}

#[test]
fn a_path_without_braces_is_a_path() {
    table(&[
        (".metadata.name", "x"),
        ("$.metadata.name", "x"),
        ("['metadata'].name", "x"),
    ]);
}

#[test]
fn lists_are_indexed_sliced_and_joined_with_a_space() {
    table(&[
        ("{.status.nums[0]}{.status.nums[-1]}{.status.nums[]}", "040"),
        ("{.status.nums[-2:]}", "3 4"),
        ("{.status.nums[0:2]}", "0 1"),
        ("{.status.nums[0:4:2]}", "0 2"),
        ("{.status.nums[::2]}", "0 2 4"),
        ("{.status.nums[2:2]}", ""),
        ("{.status.nums[1,3]}", "1 3"),
        ("{.status.nums[*]}", "0 1 2 3 4"),
        ("{.metadata['name','uid']}", "x u-1"),
        ("{.metadata['name', 'missing']}", "x"),
        ("{.status.conditions[0,1].type}", "Succeeded Other"),
    ]);
}

#[test]
fn an_empty_list_does_not_hide_the_lists_after_it() {
    table(&[("{.status.groups[*].items[*].v}", "1 2 3")]);
}

#[test]
fn recursion_and_wildcards_reach_everything_below() {
    table(&[
        ("{..name}", "x g1 g2 g3"),
        ("{...v}", "1 2 3"),
        ("{.status..['v']}", "1 2 3"),
        ("{.spec..b}", "nested"),
        ("{.spec.str.*}", "104 101 121"),
        ("{.metadata.annotations.*}", "true <a&b>"),
    ]);
}

#[test]
fn filters_compare_scalars() {
    table(&[
        (
            r#"{.status.conditions[?(@.type=="Succeeded")].status}"#,
            "True",
        ),
        (
            "{.status.conditions[?(@.type=='Succeeded')].status}",
            "True",
        ),
        (
            r#"{.status.conditions[?(@.type!="Succeeded")].type}"#,
            "Other Third",
        ),
        ("{.status.conditions[?(@.n>1)].type}", "Other Third"),
        ("{.status.conditions[?(@.n>=2)].type}", "Other Third"),
        ("{.status.conditions[?(@.n<2)].type}", "Succeeded"),
        (
            "{.status.conditions[?( @.n <= 2 )].type}",
            "Succeeded Other",
        ),
        ("{.status.conditions[?(@.n<2.5)].type}", "Succeeded Other"),
        ("{.status.conditions[?(@.l)].type}", "Succeeded Other Third"),
        ("{.status.conditions[?(@.zz)].type}", ""),
        (r#"{.status.conditions[?(@.zz=="a")].type}"#, ""),
        (r#"{.status.conditions[?("Other"==@.type)].type}"#, "Other"),
        (r#"{.status.conditions[?(@.type=="a)b")].type}"#, ""),
        ("{.status.nums[?(@>2)]}", "3 4"),
    ]);
}

#[test]
fn loops_print_their_body_for_each_value() {
    table(&[
        (
            "{range .status.conditions[*]}{.type}={.n};{end}|{.metadata.name}",
            "Succeeded=1;Other=2;Third=3;|x",
        ),
        (
            "{range .status.groups[*]}{.name}:{range .items[*]}{.v},{end};{end}",
            "g1:1,2,;g2:;g3:3,;",
        ),
        ("{range .missing[*]}{.x}{end}done", "done"),
        ("{range.status.nums[*]}{@}{end}", "01234"),
    ]);
}

#[test]
fn a_loop_without_end_goes_on_like_in_kubectl() {
    table(&[
        (
            "{range .status.conditions[*]}{.type};",
            "Succeeded;Other;Third;;",
        ),
        (
            "{range .status.groups[*]}{.name}:{range .items[*]}{.v},{end};",
            "g1:1,2,;g2:;g3:3,;;",
        ),
    ]);
}

#[test]
fn strings_and_numbers_print_as_in_go() {
    table(&[
        (
            r#"{.metadata.name}{"\n"}{"\t"}{'q\'s'}{"\u00e9"}{"\x41"}{"}"}{"\\"}"#,
            "x\n\tq's\u{e9}A}\\",
        ),
        (r#"{"a" "b"}"#, "b"),
        ("{1}{-2.5}{true}{+7}", "1-2.5true7"),
        (
            "{.spec.f} {.spec.big} {.spec.small} {.spec.one} {.spec.t}",
            "1.5 1e+21 1e-07 1 true",
        ),
        (
            "{.metadata.annotations}",
            r#"{"chains.tekton.dev/signed":"true","k":"\u003ca\u0026b\u003e"}"#,
        ),
        (
            "{.spec.empty}{.status.conditions[0]}",
            r#"[]{"l":[1,2],"n":1,"status":"True","type":"Succeeded"}"#,
        ),
    ]);
}

#[test]
fn the_json_form_prints_an_array_for_each_action() {
    let template = Template::parse("{.metadata.name}{.spec.a}{.missing}").unwrap();
    assert_eq!(
        template.render_as_json(&document()).unwrap(),
        "[\n    \"x\"\n]\n[\n    {\n        \"b\": \"nested\"\n    }\n]\n[]\n"
    );
}

#[test]
fn errors_name_the_column() {
    for (template, column) in [
        ("{.a", 1),
        ("ab{.metadata.name", 3),
        ("{.metadata.name]", 16),
        ("{.status.nums[1", 14),
        ("{.status.nums[x]}", 15),
        ("{.status.nums[1,x]}", 17),
        ("{.status.nums[--1]}", 15),
        ("{.status.nums[99999999999999999999]}", 15),
        ("{.metadata[\"name\"]}", 12),
        ("{items}", 2),
        ("{end}", 1),
        ("é{range .a}{end}{end}", 17),
        ("{..*}", 4),
        ("{....v}", 4),
        ("{.a range}", 5),
        (r#"{"\q"}"#, 3),
        (r#"{.c[?(@.type=="a" && @.n==1)].type}"#, 19),
        (r#"{.c[?(@.t=="x"]}"#, 4),
        (r#"{.c[?(@.t=="x")}"#, 16),
        (r#"{.c[?(@.t=~"x")]}"#, 10),
    ] {
        assert_eq!(
            Template::parse(template).unwrap_err().column,
            column,
            "{template}"
        );
    }
}

#[test]
fn values_that_do_not_fit_a_step_are_errors() {
    for (template, said) in [
        ("{.status.nums[9]}", "index 9 is outside a list of 5"),
        ("{.status.nums[-9]}", "index -9 is outside a list of 5"),
        ("{.status.nums[3:1]}", "the start 3 is after the end 1"),
        ("{.status.nums[::0]}", "step"),
        ("{.status.nums[::-1]}", "step"),
        ("{.spec.str[0]}", "a string cannot be indexed"),
        ("{.metadata[?(@.x)]}", "an object cannot be filtered"),
        (
            r#"{.status.conditions[?(@.n=="2")]}"#,
            "cannot compare a number with a string",
        ),
        (
            "{.status.conditions[?(@.l==5)]}",
            "cannot compare a list with a number",
        ),
        (
            "{.status.conditions[?(@.l[*]==5)]}",
            "one value with one value",
        ),
    ] {
        let error = render(template).unwrap_err().to_string();
        assert!(error.contains(said), "{template}: {error}");
    }
}

#[test]
fn loops_in_loops_run_into_the_limit_instead_of_for_ever() {
    let unclosed = "{range @}".repeat(60);
    assert!(render(&unclosed).unwrap_err().message.contains("values"));
    let too_many = "{range @}".repeat(5000);
    assert_eq!(render(&too_many).unwrap_err().column, 64 * 9 + 1);
}

proptest! {
    #[test]
    fn no_template_panics(template in ".{0,60}") {
        let _ = render(&template);
    }

    #[test]
    fn no_template_of_real_tokens_panics_or_hangs(tokens in proptest::collection::vec(
        prop::sample::select(vec![
            "{", "}", "{range ", "{end}", ".status", ".nums", "..", "[*]", "[", "]", "[?(", ")]",
            "@", "$", "==", "<", "'a.b'", "\"x\"", "\\", ",", "-1", ":", ".*", "text", " ", "é",
        ]), 0..24,
    )) {
        let _ = render(&tokens.concat());
    }

    #[test]
    fn an_escaped_key_is_found_whatever_it_contains(key in "[^\\\\*]{1,20}") {
        let written: String = key.chars().flat_map(|letter| ['\\', letter]).collect();
        let document = json!({ key.as_str(): "here" });
        let template = Template::parse(&format!("{{.{written}}}")).unwrap();
        prop_assert_eq!(template.render(&document).unwrap(), "here");
    }
}
