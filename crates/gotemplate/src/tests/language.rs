//! The language: what `kubectl` 1.36 prints for the same template and document.

use super::table;

#[test]
fn fields_of_objects_are_found_and_missing_ones_have_no_value() {
    table(&[
        ("{{.name}}", "x"),
        (
            "{{.num}} {{.neg}} {{.big}} {{.f}} {{.t}} {{.no}}",
            "3 -4 123456789012 1.5 true false",
        ),
        (
            "{{.missing}} {{.missing.x.y}} {{.nul}}",
            "<no value> <no value> <no value>",
        ),
        ("{{.m.a}}{{ .m.a }}{{$.m.a}}{{(.m).a}}", "1111"),
        ("{{$.kind}} {{$.missing}}", "TaskRun <no value>"),
        ("a{{/* nothing */}}b", "ab"),
        ("plain } text { }}", "plain } text { }}"),
        ("{{.blank}}", ""),
        ("", ""),
    ]);
}

#[test]
fn numbers_are_integers_where_they_are_whole_and_else_written_shortly() {
    table(&[
        (
            "{{.whole}} {{.half}} {{.small}} {{.huge}}",
            "1000000 1.2345675e+06 1e-07 1e+21",
        ),
        (
            r#"{{printf "%T %T %T" .num .whole .f}}"#,
            "int64 int64 float64",
        ),
        (
            "{{1}} {{-1}} {{+1}} {{0x1F}} {{0o17}} {{017}} {{0b11}} {{1_000}} {{0x_1f}}",
            "1 -1 1 31 15 15 3 1000 31",
        ),
        (
            "{{1.5}} {{.5}} {{1e3}} {{1e6}} {{100000.0}} {{1e-4}} {{1e-5}} {{123456789.0}}",
            "1.5 0.5 1000 1e+06 100000 0.0001 1e-05 1.23456789e+08",
        ),
        (r"{{'a'}} {{'\n'}} {{'é'}} {{'\x41'}}", "97 10 233 65"),
    ]);
}

#[test]
fn lists_and_objects_are_printed_as_go_prints_them() {
    table(&[
        ("{{.list}}", "[1 two <nil> map[a:1 b:[x]] [] map[] true]"),
        ("{{.m}}", "map[a:1 b:2 x.y/z:dotted]"),
        ("{{.empty}} {{.none}}", "[] map[]"),
        (
            "{{.conds}}",
            "[map[status:True type:Succeeded] map[status:False type:Other]]",
        ),
    ]);
}

#[test]
fn strings_have_the_escapes_of_go() {
    table(&[
        (r#"{{"a\tb\n\"q\" \u00e9 \x41 \101"}}"#, "a\tb\n\"q\" é A A"),
        (r#"{{`raw \n "x"`}}"#, r#"raw \n "x""#),
        (r#"{{"{{"}} {{`}}`}}"#, "{{ }}"),
    ]);
}

#[test]
fn space_is_trimmed_at_a_minus() {
    table(&[
        ("a {{- .name -}} b", "axb"),
        ("a {{- /* c */ -}} b", "ab"),
        (r#"  {{- "x"}}  {{"y" -}}   z"#, "x  yz"),
        ("{{.name\n}}x", "xx"),
        ("x {{-3}} {{- 3 -}} x", "x -33x"),
    ]);
}

#[test]
fn a_range_goes_over_lists_objects_and_integers() {
    table(&[
        ("{{range .nums}}{{.}},{{end}}", "1,2,3,"),
        (
            "{{range $i, $e := .strs}}{{$i}}={{$e}};{{end}}",
            "0=a;1=b;2=c;",
        ),
        ("{{range $e := .strs}}{{$e}}{{end}}", "abc"),
        (
            "{{range $k, $v := .m}}{{$k}}:{{$v}} {{end}}",
            "a:1 b:2 x.y/z:dotted ",
        ),
        ("{{range .m}}{{.}} {{end}}", "1 2 dotted "),
        (
            "{{range .empty}}x{{else}}none{{end}}{{range .missing}}x{{else}}none{{end}}{{range .nul}}x{{else}}n{{end}}",
            "nonenonen",
        ),
        (
            "{{range .nums}}{{if eq . 2}}{{continue}}{{end}}{{.}}{{end}}",
            "13",
        ),
        (
            "{{range .nums}}{{if eq . 2}}{{break}}{{end}}{{.}}{{end}}",
            "1",
        ),
        (
            "{{range 3}}{{.}}{{end}} {{range $i := 2}}{{$i}}{{end}} {{range .num}}{{.}}{{end}}",
            "012 01 012",
        ),
        ("{{range .zero}}x{{else}}zero{{end}}", "zero"),
        (
            "{{range .list}}{{.}};{{end}}",
            "1;two;<no value>;map[a:1 b:[x]];[];map[];true;",
        ),
        (
            "{{range $i, $c := .conds}}{{if $i}}, {{end}}{{$c.type}}={{$c.status}}{{end}}",
            "Succeeded=True, Other=False",
        ),
        ("{{range $x := .empty}}{{else}}{{$x}}{{end}}", "[]"),
    ]);
}

#[test]
fn conditions_are_true_for_what_is_not_empty() {
    table(&[
        (
            "{{if .t}}yes{{else}}no{{end}} {{if .no}}yes{{else}}no{{end}}",
            "yes no",
        ),
        (
            "{{if .blank}}1{{else if .empty}}2{{else if .none}}3{{else if .zero}}4{{else if .nul}}5{{else}}6{{end}}",
            "6",
        ),
        (
            "{{with .m}}{{.a}}{{end}} {{with .nul}}x{{else}}nul{{end}}",
            "1 nul",
        ),
        ("{{with .missing}}x{{else with .name}}{{.}}{{end}}", "x"),
        ("{{with $x := .num}}{{$x}} {{.}} {{$.name}}{{end}}", "3 3 x"),
    ]);
}

#[test]
fn variables_live_until_the_end_of_their_block() {
    table(&[
        (
            "{{$x := 1}}{{if .t}}{{$x = 2}}{{$x := 3}}{{end}}{{$x}}",
            "2",
        ),
        (
            r#"{{$last := ""}}{{range .strs}}{{$last = .}}{{end}}{{$last}}"#,
            "c",
        ),
        (
            "{{$a := 0}}{{$b := 0}}{{range $a, $b = .strs}}{{end}}{{$a}}{{$b}}",
            "2c",
        ),
        ("{{$x := .m}}{{$x.a}} {{$y := $x}}{{$y.b}}", "1 2"),
    ]);
}

#[test]
fn templates_are_defined_and_called() {
    table(&[
        (
            r#"{{define "x"}}[{{.}}]{{end}}{{template "x" .kind}}{{template "x"}}{{template "x" 3}}"#,
            "[TaskRun][<no value>][3]",
        ),
        (
            r#"{{block "y" .kind}}<{{.}}>{{end}}{{template "y" "again"}}"#,
            "<TaskRun><again>",
        ),
        (
            r#"{{define "a"}}{{end}}{{define "a"}}x{{end}}{{template "a"}}"#,
            "x",
        ),
        (r#"{{define "only"}}x{{end}}"#, ""),
        (
            r#"{{define "count"}}{{range .}}{{.}}{{end}}{{end}}{{template "count" .nums}}"#,
            "123",
        ),
    ]);
}

#[test]
fn pipelines_hand_their_value_on_as_the_last_argument() {
    table(&[
        (r#"{{.name | printf "%s-%s" "a"}}"#, "a-x"),
        (
            r#"{{.num | eq 3}} {{.name | len | printf "%03d"}}"#,
            "true 001",
        ),
        (r#"{{print "a" | print "b" | print "c"}}"#, "cba"),
        ("{{.name |}}", "x"),
        (
            r#"{{(print "a" "b")}} {{((.num))}} {{(print .name | len)}}"#,
            "ab 3 1",
        ),
    ]);
}
