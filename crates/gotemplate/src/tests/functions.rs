//! The functions: what `kubectl` 1.36 prints for the same template and document.

use super::table;

#[test]
fn values_are_put_together_as_go_does() {
    table(&[
        (
            r#"{{print 1 2 "a" "b" 3 4 nil true 1.5}}|{{print}}"#,
            "1 2ab3 4 <nil> true 1.5|",
        ),
        (r#"{{println 1 "a" nil}}|{{println}}"#, "1 a <nil>\n|\n"),
        (
            "{{print .name .name 1 .name}} {{print .nums .m}}",
            "xx1x [1 2 3] map[a:1 b:2 x.y/z:dotted]",
        ),
    ]);
}

#[test]
fn logic_gives_the_value_that_decides() {
    table(&[
        (
            r#"{{and .t .name}} {{and .no .name}} {{or .no .name}} {{or .nul .missing}} {{and 1 0 2}} {{or 0 "" 3}}"#,
            "x false x <no value> 0 3",
        ),
        (
            "{{not .t}} {{not .nul}} {{.t | and .no}} {{.no | or 0}}",
            "false true false false",
        ),
        ("{{or .t .name.x}} {{and .no .name.x}}", "true false"),
    ]);
}

#[test]
fn values_of_one_kind_compare_and_anything_with_no_value() {
    table(&[
        (
            r#"{{eq .num 3}} {{eq .name "x"}} {{eq .name "a" "b" "x"}} {{ne .num 4}}"#,
            "true true true true",
        ),
        (
            r#"{{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1.5 1.5}} {{lt "a" "B"}}"#,
            "true true true true false",
        ),
        (
            "{{eq .f 1.5}} {{eq .t true}} {{eq .nul nil}} {{eq .missing nil}} {{eq .nul .missing}} {{eq .missing 3}} {{eq .name nil}} {{ne .nul 1}} {{eq .list .nul}}",
            "true true true true true false false true false",
        ),
        (
            "{{eq (index .name 0) 120}} {{lt (index .name 0) 200}} {{eq .whole 1000000}}",
            "true true true",
        ),
    ]);
}

#[test]
fn what_is_in_a_value_is_indexed_sliced_and_counted() {
    table(&[
        (
            "{{len .name}} {{len .list}} {{len .m}} {{len .s}} {{.nums | len}} {{len .blank}}",
            "1 7 3 28 3 0",
        ),
        (
            r#"{{index .list 1}} {{index .m "a"}} {{index .m "x.y/z"}} {{index .m "nope"}} {{index .list 3 "b" 0}} {{index .name 0}} {{index .m}}"#,
            "two 1 dotted <no value> x 120 map[a:1 b:2 x.y/z:dotted]",
        ),
        (
            "{{slice .nums 1}} {{slice .nums 1 2}} {{slice .name 0 1}} {{slice .nums}} {{slice .strs 0 2 3}}",
            "[2 3] [2] x [1 2 3] [a b]",
        ),
        (r#"{{slice .s 0 2 | printf "%q"}}"#, r#""h\xc3""#),
    ]);
}

#[test]
fn what_exists_is_found_out_as_kubectl_does() {
    table(&[
        (
            r#"{{exists nil}} {{exists .nul}} {{exists . "nul"}} {{exists . "name"}} {{exists . "m" "a"}} {{exists . "m" "z"}}"#,
            "true true false true true false",
        ),
        (
            r#"{{exists . "list" 0}} {{exists . "list" 2}} {{exists . "list" 99}} {{exists . "name" 0}} {{exists . 1}} {{exists .m nil}} {{exists . "num" "x"}}"#,
            "true false false true false false false",
        ),
    ]);
}

#[test]
fn base64_is_decoded_over_line_ends() {
    table(&[(
        r#"{{base64decode .b64}} {{.b64 | base64decode}} {{"aGVs\nbG8=" | base64decode}}"#,
        "hello hello hello",
    )]);
}

#[test]
fn text_is_escaped_for_html_javascript_and_queries() {
    table(&[
        (
            "{{html .s}}",
            "hé &lt;b&gt; &amp; &#39;x&#39; &#34;q&#34; a=b\\ \u{1} \u{200b}",
        ),
        (
            "{{js .s}}",
            r#"hé \u003Cb\u003E \u0026 \'x\' \"q\" a\u003Db\\ \u0001 \u200B"#,
        ),
        (
            "{{urlquery .s}}",
            "h%C3%A9+%3Cb%3E+%26+%27x%27+%22q%22+a%3Db%5C+%01+%E2%80%8B",
        ),
        (
            r#"{{html 1 2 "a" nil}} {{html .missing}} {{.name | html}}"#,
            "1 2a&lt;no value&gt; &lt;no value&gt; x",
        ),
        (
            r#"{{js .lines}} {{urlquery "a b&c=d/é~-_."}}"#,
            r"a\u000Ab\u0009c a+b%26c%3Dd%2F%C3%A9~-_.",
        ),
    ]);
}

#[test]
fn printf_writes_integers() {
    table(&[
        (
            r#"{{printf "%5d|%-5d|%05d|%+d|% d|%x|%#x|%o|%#o|%O|%b|%#b" 42 42 42 42 42 255 255 8 8 8 5 5}}"#,
            "   42|42   |00042|+42| 42|ff|0xff|10|010|0o10|101|0b101",
        ),
        (
            r#"{{printf "%c|%q|%U|%#U|%X" 65 65 65 128512 -255}}"#,
            "A|'A'|U+0041|U+1F600 '😀'|-FF",
        ),
        (
            r#"{{printf "%.3d|%8.3d|%-8.3d|%+.2d|%.0d|%5.0d|" 7 7 7 7 0 0}}"#,
            "007|     007|007     |+07||     |",
        ),
    ]);
}

#[test]
fn printf_writes_strings() {
    table(&[
        (
            r#"{{printf "%5s|%-5s|%.2s|%5.1s|%05s|" "abc" "abc" "abc" "abc" "abc"}}"#,
            "  abc|abc  |ab|    a|00abc|",
        ),
        (
            r#"{{printf "%q|%+q|%#q|% x|%#x|%# x|%X" .s .s "abc" "abc" "abc" "abc" "abc"}}"#,
            r#""hé <b> & 'x' \"q\" a=b\\ \x01 \u200b"|"h\u00e9 <b> & 'x' \"q\" a=b\\ \x01 \u200b"|`abc`|61 62 63|0x616263|0x61 0x62 0x63|616263"#,
        ),
        (r#"{{print .lines | printf "%q"}}"#, r#""a\nb\tc""#),
    ]);
}

#[test]
fn printf_writes_fractions() {
    table(&[
        (
            r#"{{printf "%f|%.2f|%8.3f|%-8.1f|%08.2f|%+f|% f|" 1.5 1.005 3.14159 2.5 -2.5 1.0 1.0}}"#,
            "1.500000|1.00|   3.142|2.5     |-0002.50|+1.000000| 1.000000|",
        ),
        (
            r#"{{printf "%e|%E|%g|%G|%.3g|%.10g|%v" 12345.678 0.00012 1e21 1e-7 12345.678 1234.5 100000.0}}"#,
            "1.234568e+04|1.200000E-04|1e+21|1E-07|1.23e+04|1234.5|100000",
        ),
        (
            r#"{{printf "%.0f %.0f %.0f %.1f %g %g" 0.5 1.5 2.5 0.25 100000.0 1000000.0}}"#,
            "0 2 2 0.2 100000 1e+06",
        ),
    ]);
}

#[test]
fn printf_writes_any_value() {
    table(&[
        (
            r#"{{printf "%v %s %q %d %x" .list .strs .strs .nums .strs}}"#,
            r#"[1 two <nil> map[a:1 b:[x]] [] map[] true] [a b c] ["a" "b" "c"] [1 2 3] [61 62 63]"#,
        ),
        (
            r#"{{printf "%#v %#v %#v %#v %#v %#v" .list .m .name 1 1.0 nil}}"#,
            r#"[]interface {}{1, "two", interface {}(nil), map[string]interface {}{"a":1, "b":[]interface {}{"x"}}, []interface {}{}, map[string]interface {}{}, true} map[string]interface {}{"a":1, "b":2, "x.y/z":"dotted"} "x" 1 1 <nil>"#,
        ),
        (
            r#"{{printf "%T %T %T %T %T %T %T %T %T" 1 .num .f .name .t .list .m nil (index .name 0)}}"#,
            "int int64 float64 string bool []interface {} map[string]interface {} <nil> uint8",
        ),
        (
            r#"{{printf "%+v %6v|%-6v|%06v|%5v|%3v" .m 42 .name .num nil .nums}}"#,
            "map[a:1 b:2 x.y/z:dotted]     42|x     |000003|<nil>|[  1   2   3]",
        ),
        (
            r#"{{printf "%t %5t|%-7t|" true false true}}"#,
            "true false|true   |",
        ),
    ]);
}

#[test]
fn printf_says_what_is_wrong_where_it_is() {
    table(&[
        (
            r#"{{printf "%d %s %t %f" "a" 1 1 1}}"#,
            "%!d(string=a) %!s(int=1) %!t(int=1) %!f(int=1)",
        ),
        (
            r#"{{printf "%d %s %v" .nul .missing .nul}}"#,
            "%!d(<nil>) %!s(<nil>) <nil>",
        ),
        (
            r#"{{printf "%d"}} {{printf "x" 1 "a" nil}} {{printf "%"}} {{printf "%!"}} {{printf "%z" 1}} {{printf "100%%"}}"#,
            "%!d(MISSING) x%!(EXTRA int=1, string=a, <nil>) %!(NOVERB) %!!(MISSING) %!z(int=1) 100%",
        ),
        (
            r#"{{printf "%[2]d %[1]d" 1 2}} {{printf "%[3]d" 1}} {{printf "%[x]d" 1}}"#,
            "2 1 %!d(BADINDEX) %!d(BADINDEX)",
        ),
        (
            r#"{{printf "%*d|%-*d|%.*f" 5 42 5 42 2 3.14159}} {{printf "%*d" "a" 1}}"#,
            "   42|42   |3.14 %!(BADWIDTH)1",
        ),
    ]);
}
