//! Traces as pictures and for programs, whatever was signed.

use serde_json::{Value, json};
use windlass_sandbox::registry::Options;

use super::{Image, Scene, attest};

/// Names with which a page, a picture or a graph would be left.
const HOSTILE: &str =
    "x\"]; y [label=\"</text><script>alert(1)</script>&amp;'\u{1b}[31m\u{202e}\\N";

fn hostile() -> (Scene, windlass_sandbox::registry::Registry) {
    let scene = Scene::new();
    let registry = scene.registry(Options::default());
    let app = Image::push(&registry, "team/app");
    let material = json!({ "uri": HOSTILE, "digest": { HOSTILE: HOSTILE } });
    let image = json!({ "uri": format!("oci://{HOSTILE}"), "digest": { "sha256": "1" } });
    let mut statement = app.provenance(&[image]);
    statement["predicate"]["builder"]["id"] = HOSTILE.into();
    statement["predicate"]["materials"]
        .as_array_mut()
        .unwrap()
        .push(material);
    statement["predicate"]["invocation"]["environment"]["labels"]["tekton.dev/pipelineRun"] =
        HOSTILE.into();
    attest(&app, &scene.key, &[statement]);
    drop(app);
    (scene, registry)
}

fn shown(scene: &Scene, registry: &windlass_sandbox::registry::Registry, format: &str) -> String {
    let image = format!("{}/team/app:v1", registry.host());
    let outcome = scene.trace(&format!("-o {format} {image}"));
    assert_eq!(outcome.code, 0, "{format}: {}", outcome.stderr);
    assert!(!outcome.stdout.contains(['\u{1b}', '\u{202e}']), "{format}");
    outcome.stdout
}

#[test]
fn what_was_signed_stays_text_in_a_picture_and_on_a_page() {
    let (scene, registry) = hostile();
    for format in ["svg", "html"] {
        let text = shown(&scene, &registry, format);
        for part in ["<script", "href", "src=", "onload", "url("] {
            assert!(!text.contains(part), "{format} has {part}");
        }
        assert!(text.contains("&lt;script&gt;"), "{format}");
        let (open, closed) = (text.matches("<g>").count(), text.matches("</g>").count());
        assert_eq!((open, closed), (6, 6), "{format}");
        for label in [
            "image · verified",
            "run · verified",
            "source · claimed",
            "definition",
        ] {
            assert!(text.contains(label), "{format} lacks {label}");
        }
    }
    assert!(shown(&scene, &registry, "html").contains("default-src 'none'"));
}

#[test]
fn what_was_signed_stays_text_in_a_graph() {
    let (scene, registry) = hostile();
    let graph = shown(&scene, &registry, "dot");
    for line in graph.lines().filter(|line| line.contains("label=")) {
        let unquoted = line.replace("\\\\", "").replace("\\\"", "");
        assert_eq!(unquoted.matches('"').count(), 2, "{line}");
    }
    assert!(graph.contains("n1 -> n0 [label=\"built\"];"), "{graph}");
}

#[test]
fn the_json_of_a_trace_is_as_its_schema_says() {
    let (scene, registry) = hostile();
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let schema = std::fs::read_to_string(docs.join("schemas/trace.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let trace = scene.json(&format!("{}/team/app:v1", registry.host()));
    assert_eq!(flaws(&trace, &schema, &schema), Vec::<String>::new());
    // and the schema says something
    for (member, wrong) in [
        ("nodes", json!({})),
        ("version", json!(2)),
        ("other", json!(1)),
    ] {
        let mut other = trace.clone();
        other[member] = wrong;
        assert!(!flaws(&other, &schema, &schema).is_empty(), "{member}");
    }
}

/// What is wrong with a value by the words of JSON Schema that the schema has.
fn flaws(value: &Value, schema: &Value, root: &Value) -> Vec<String> {
    if let Some(place) = schema["$ref"].as_str() {
        let pointed = root.pointer(place.strip_prefix('#').unwrap()).unwrap();
        return flaws(value, pointed, root);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let each = any.iter().map(|one| flaws(value, one, root));
        return each.min_by_key(Vec::len).unwrap();
    }
    let mut found = Vec::new();
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_of_kind = match &schema["type"] {
        Value::Null => true,
        Value::String(one) => one == kind,
        several => several.as_array().unwrap().iter().any(|one| one == kind),
    };
    let is_listed = match schema["enum"].as_array() {
        Some(values) => values.contains(value),
        None => schema.get("const").is_none_or(|one| one == value),
    };
    if !is_of_kind || !is_listed {
        found.push(format!("{value} is not as {schema} says"));
    }
    for item in value.as_array().into_iter().flatten() {
        found.extend(flaws(item, &schema["items"], root));
    }
    let Some(members) = value.as_object() else {
        return found;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            found.push(format!("{name} is missing"));
        }
    }
    for (name, member) in members {
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => found.push(format!("{name} is not in the schema")),
            (Value::Null, other) => found.extend(flaws(member, other, root)),
            (known, _) => found.extend(flaws(member, known, root)),
        }
    }
    found
}
