//! Templates of Go beside the real kubectl and the real tkn: the same template and run to all three, byte
//! for byte.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::{Cosign, Kind, Shell, Testbed};

use super::tkn::create;

/// What is printed of one run.
const TEMPLATES: [&str; 76] = [
    "{{.metadata.name}}",
    "{{.kind}} {{.apiVersion}}",
    "{{.metadata.name}}\n",
    "{{ .metadata.name }}{{ .metadata.namespace -}} \n x",
    "{{- .metadata.name }} {{- \" y\" }}",
    "{{/* nothing */}}{{.metadata.name}}{{- /* more */ -}}  z",
    "{{.metadata.labels}}",
    "{{.metadata.annotations}}",
    "{{index .metadata.annotations \"example.com/a.b\"}}",
    "{{index .metadata.annotations \"example.com/none\"}}",
    "{{index .metadata.labels \"tekton.dev/task\" | printf \"%q\"}}",
    "{{.metadata.generation}} {{printf \"%T\" .metadata.generation}}",
    "{{.missing}} {{.missing.at.all}} {{.metadata.nothing}}",
    "{{.spec.params}}",
    "{{range .spec.params}}{{.name}}={{.value}}\n{{end}}",
    "{{range $i, $p := .spec.params}}{{if $i}}, {{end}}{{$p.name}}{{end}}",
    "{{range $k, $v := .metadata.labels}}{{$k}}: {{$v}}\n{{end}}",
    "{{range $name, $value := .metadata.annotations}}{{$name | printf \"%-20s\"}}|{{end}}",
    "{{range .spec.nothing}}x{{else}}none{{end}}",
    "{{range .spec.params}}{{if eq .name \"list\"}}{{continue}}{{end}}{{.name}} {{end}}",
    "{{range .spec.params}}{{if eq .name \"list\"}}{{break}}{{end}}{{.name}} {{end}}",
    "{{range 3}}{{.}}{{end}}",
    "{{range $i := 2}}<{{$i}}>{{end}}",
    "{{range .spec.params}}{{range .value}}{{.}};{{end}}{{break}}{{end}}",
    "{{range .status.conditions}}{{if eq .type \"Succeeded\"}}{{.status}} {{.reason}}{{end}}{{end}}",
    "{{(index .status.conditions 0).reason}}",
    "{{with index .status.conditions 0}}{{.type}}: {{.message}}{{end}}",
    "{{with .status.nothing}}x{{else}}no{{end}}",
    "{{with .status.nothing}}x{{else with .kind}}{{.}}{{end}}",
    "{{with $x := .kind}}{{$x}}{{$.metadata.name}}{{end}}",
    "{{if .status.conditions}}ended{{end}}",
    "{{if .spec.nothing}}a{{else if .spec.params}}b{{else}}c{{end}}",
    "{{if and .kind (not .missing)}}yes{{end}} {{or .missing .kind}} {{and .kind .missing}}",
    "{{$n := .metadata.name}}{{$n}} {{$n = \"new\"}}{{$n}}",
    "{{$last := \"\"}}{{range .spec.params}}{{$last = .name}}{{end}}{{$last}}",
    "{{$}}{{/* all of it */}}{{if false}}x{{end}}",
    "{{len .spec.params}} {{len .metadata.name}} {{len .metadata.labels}} {{.spec.params | len}}",
    "{{slice .metadata.name 0 4}} {{slice .metadata.name 4}} {{len (slice .spec.params 1)}}",
    "{{index .spec.params 1 \"value\" 0}} {{index .metadata.name 0}}",
    "{{eq .kind \"TaskRun\" \"PipelineRun\"}} {{ne .kind \"x\"}} {{lt 1 2}} {{ge \"b\" \"a\"}} {{eq .missing nil}}",
    "{{le .metadata.generation 5}} {{gt (len .spec.params) 2}}",
    "{{print .kind \"-\" .metadata.name}} {{print 1 2 \"a\" true nil 1.5}}",
    "{{println .kind 1}}{{println}}",
    "{{printf \"%s|%20s|%-20s|%.3s|%q\" .kind .kind .kind .kind .kind}}",
    "{{printf \"%d|%5d|%05d|%x|%v|%T\" 42 42 42 42 42 42}}",
    "{{printf \"%f|%.2f|%e|%g|%v\" 1.5 1.005 12345.678 1e21 1000000.0}}",
    "{{printf \"%v %s %q\" .spec.params .status.results .metadata.labels}}",
    "{{printf \"%#v\" .metadata.labels}}",
    "{{printf \"%d %s\" .kind 1}} {{printf \"%d\"}} {{printf \"x\" 1}}",
    "{{printf \"%t %v %c %U %#x\" true false 65 9731 255}}",
    "{{printf \"%[2]s %[1]s %*d\" \"a\" \"b\" 5}}",
    "{{.kind | printf \"%s/%s\" \"a\" | printf \"<%s>\"}}",
    "{{html (index .metadata.annotations \"example.com/text\")}}",
    "{{js (index .metadata.annotations \"example.com/text\")}}",
    "{{urlquery (index .metadata.annotations \"example.com/text\")}}",
    "{{index .metadata.annotations \"example.com/text\" | html | len}}",
    "{{base64decode (index .metadata.annotations \"example.com/b64\")}}",
    "{{index .metadata.annotations \"example.com/b64\" | base64decode | printf \"%q\"}}",
    "{{exists . \"status\" \"results\"}} {{exists . \"status\" \"nothing\"}} {{exists .metadata.labels \"app\"}}",
    "{{exists .spec.params 0}} {{exists .spec.params 99}} {{exists nil}}",
    "{{define \"row\"}}[{{.name}}]{{end}}{{range .spec.params}}{{template \"row\" .}}{{end}}",
    "{{block \"b\" .kind}}<{{.}}>{{end}}{{template \"b\" 1}}",
    "{{define \"t\"}}{{range .}}{{if .}}.{{end}}{{end}}{{end}}{{template \"t\" .spec.params}}",
    "{{template \"none\"}}",
    "{{.kind.x}}",
    "{{index .spec.params 99}}",
    "{{eq .metadata.generation \"1\"}}",
    "{{range .kind}}{{end}}",
    "{{unknown .kind}}",
    "{{.kind",
    "{{if .kind}}",
    "{{\"a\\tb\" }}{{`raw \\n`}}{{'a'}}",
    "{{1}} {{-2}} {{0x1f}} {{1_000}} {{1e3}} {{true}}",
    "{{(print \"a\" (printf \"%d\" (len .spec.params)))}}",
    "{{range .status.steps}}{{.name}} {{.terminated.exitCode}} {{.terminated.reason}}\n{{end}}",
    "{{range .status.results}}{{.name}}={{.value}}{{\"\\n\"}}{{end}}",
];

/// What is printed of several runs.
const OF_LISTS: [&str; 6] = [
    "{{range .items}}{{.metadata.name}}\n{{end}}",
    "{{len .items}} {{.kind}} {{.apiVersion}}",
    "{{range $i, $run := .items}}{{$i}} {{$run.metadata.name}} {{range $run.status.conditions}}{{.reason}}{{end}};{{end}}",
    "{{(index .items 0).metadata.name}}",
    "{{range .items}}{{.kind}} {{.apiVersion}} {{end}}",
    "{{range .items}}{{with .metadata.labels}}{{.app}}{{else}}-{{end}}{{end}}",
];

/// Flags with the template of the file `0`, which prints the name, in every spelling.
const SPELLINGS: [&str; 10] = [
    "-o go-template='{{.metadata.name}}'",
    "-o template='{{.metadata.name}}'",
    "-o go-template-file=0",
    "-o templatefile=0",
    "-o go-template --template='{{.metadata.name}}'",
    "-o template --template '{{.metadata.name}}'",
    "-o go-template-file --template=0",
    "-o templatefile --template=0",
    "-o jsonpath --template='{.metadata.name}'",
    "-o jsonpath-as-json --template='{.metadata.name}'",
];

#[test]
fn templates_of_go_print_what_kubectl_and_tkn_print() -> Result<()> {
    Testbed::without_controller(Kind::Real, Cosign::Three, |testbed| {
        create(
            testbed,
            &[run("first", 30), run("second", 20), run("third", 10)],
        )?;
        let shell = testbed.shell();
        let mut unlike = Vec::new();
        let mut compare = |asked: &str, flags: &str, others: &[&str]| -> Result<()> {
            let verb = |asked: &str| format!("windlass tr {asked} -n one {flags}");
            let ours = shell.run(&verb(asked))?;
            for other in others {
                let theirs = shell.run(&format!("{other} -n one {flags}"))?;
                let is_same = (ours.code == 0) == (theirs.code == 0)
                    && (theirs.code != 0 || ours.stdout == theirs.stdout);
                if !is_same {
                    unlike.push(format!("{flags}\n--- {other}\n{ours:?}\n{theirs:?}"));
                }
            }
            Ok(())
        };
        let describe = "describe second";
        let others = ["kubectl get taskrun second", "tkn tr describe second"];
        for (number, template) in TEMPLATES.iter().enumerate() {
            shell.write(&number.to_string(), template)?;
            // tkn leaves out fields that are empty, and adds others
            let is_whole = template.starts_with("{{$}}");
            let others = if is_whole { &others[..1] } else { &others };
            compare(describe, &format!("-o go-template-file={number}"), others)?;
        }
        for flags in SPELLINGS {
            compare(describe, flags, &others)?;
        }
        // tkn takes no notice of it
        compare(describe, "--template='{{.metadata.name}}'", &others[..1])?;
        for (number, template) in OF_LISTS.iter().enumerate() {
            let file = format!("list-{number}");
            shell.write(&file, template)?;
            let flags = format!("-o go-template-file={file}");
            compare("list", &flags, &["tkn tr list"])?;
        }
        ensure!(
            unlike.is_empty(),
            "{} differ\n{}",
            unlike.len(),
            unlike.join("\n\n")
        );
        an_error_names_the_place(shell)
    })
}

/// The originals repeat the whole object on standard output; windlass says what is wrong, and where.
fn an_error_names_the_place(shell: &Shell) -> Result<()> {
    let flags = "-n one -o go-template='{{.metadata.name}} {{.kind.x}}'";
    let ours = shell.run(&format!("windlass tr describe second {flags}"))?;
    let ours = ours.exits(2)?.says("line 1, column 22")?;
    ensure!(ours.stdout.is_empty(), "{}", ours.stdout);
    Ok(())
}

/// A run that started so many minutes ago.
fn run(name: &str, minutes: i64) -> Value {
    let time = (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes))
        .round(jiff::Unit::Second)
        .unwrap_or_default()
        .to_string();
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {
            "name": name, "namespace": "one",
            "labels": { "app": "shop", "tekton.dev/task": "build" },
            "annotations": {
                "example.com/a.b": "dotted",
                "example.com/text": "é <b> & 'x' \"q\" a=b \\ 日本",
                "example.com/b64": "aGVsbG8K",
            },
        },
        "spec": {
            "taskRef": { "name": "build", "kind": "Task" },
            "serviceAccountName": "bot",
            "timeout": "1h0m0s",
            "params": [
                { "name": "object", "value": { "url": "https://git.example.com", "branch": "main" } },
                { "name": "list", "value": ["a", "b c", ""] },
                { "name": "text", "value": "main <x>" },
            ],
        },
        "status": {
            "startTime": time, "completionTime": time,
            "conditions": [{
                "type": "Succeeded", "status": "True", "reason": "Succeeded",
                "message": "All Steps have completed executing", "lastTransitionTime": time,
            }],
            "results": [
                { "name": "digest", "type": "string", "value": "sha256:abc" },
                { "name": "tags", "type": "array", "value": ["v1", "latest"] },
            ],
            "steps": [{
                "name": "push", "container": "step-push",
                "terminated": {
                    "exitCode": 0, "reason": "Completed", "startedAt": time, "finishedAt": time,
                },
            }],
        },
    })
}
