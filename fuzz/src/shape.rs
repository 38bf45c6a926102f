//! Documents in the shapes that the formats read: task runs, pipeline runs, results and params.
//!
//! A shape is a table of fields. Each field is there or not, and now and then holds any JSON instead
//! of what it should hold.

use libfuzzer_sys::arbitrary::{Result, Unstructured};

use crate::text::{comma, digest, free, image, images, name, one_of, quote, word};

type Write = fn(&mut Unstructured<'_>, &mut String) -> Result<()>;

const RESULT_NAMES: [&str; 20] = [
    "IMAGE_URL",
    "IMAGE_DIGEST",
    "a-IMAGE_URL",
    "a-IMAGE_DIGEST",
    "b_IMAGE_URL",
    "b_IMAGE_DIGEST",
    "IMAGES",
    "ARTIFACT_URI",
    "ARTIFACT_DIGEST",
    "x-ARTIFACT_URI",
    "x-ARTIFACT_DIGEST",
    "ARTIFACT_INPUTS",
    "s-ARTIFACT_INPUTS",
    "ARTIFACT_OUTPUTS",
    "s-ARTIFACT_OUTPUTS",
    "CHAINS-GIT_URL",
    "CHAINS-GIT_COMMIT",
    "digest",
    "a",
    "IMAGE_URLS",
];
const TIMES: [&str; 9] = [
    "2024-01-02T03:04:05Z",
    "2024-01-02T03:04:06.5+02:00",
    "0001-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.123456789123Z",
    "2024-02-30T00:00:00Z",
    "2024-01-02T03:04:60Z",
    "-000001-01-01T00:00:00Z",
    "",
];
const TASKS: [&str; 4] = ["build", "deploy", "a", ""];

/// A task run's document.
pub fn task_run(data: &mut Unstructured<'_>) -> Result<String> {
    document(
        data,
        "TaskRun",
        &[
            ("metadata", metadata),
            ("spec", task_run_spec),
            ("status", task_run_status),
        ],
    )
}

/// A pipeline run's document.
pub fn pipeline_run(data: &mut Unstructured<'_>) -> Result<String> {
    document(
        data,
        "PipelineRun",
        &[
            ("metadata", metadata),
            ("spec", pipeline_run_spec),
            ("status", pipeline_run_status),
        ],
    )
}

/// A finished task run that has nothing but results on itself and its steps, and params.
pub fn hints(data: &mut Unstructured<'_>) -> Result<String> {
    let mut out = r#"{"kind":"TaskRun","spec":{"params":"#.to_owned();
    params(data, &mut out)?;
    out.push_str(r#"},"status":{"results":"#);
    results(data, &mut out)?;
    out.push_str(r#","steps":[{"name":"a","results":"#);
    results(data, &mut out)?;
    out.push_str("}]}}");
    Ok(out)
}

fn document(data: &mut Unstructured<'_>, kind: &str, parts: &[(&str, Write)]) -> Result<String> {
    let mut out = format!(r#"{{"kind":"{kind}","apiVersion":"tekton.dev/v1""#);
    for (part, write) in parts {
        if data.ratio(15, 16)? {
            out.push(',');
            member(data, &mut out, part, *write)?;
        }
    }
    out.push('}');
    Ok(out)
}

/// An object of some of the fields.
fn object(data: &mut Unstructured<'_>, out: &mut String, fields: &[(&str, Write)]) -> Result<()> {
    out.push('{');
    let mut count = 0;
    for (name, write) in fields {
        if data.ratio(3, 4)? {
            comma(out, count);
            member(data, out, name, *write)?;
            count += 1;
        }
    }
    if data.ratio(1, 32)? {
        comma(out, count);
        quote(out, &word(data)?);
        out.push(':');
        free(data, out, 3)?;
    }
    out.push('}');
    Ok(())
}

fn member(data: &mut Unstructured<'_>, out: &mut String, name: &str, write: Write) -> Result<()> {
    quote(out, name);
    out.push(':');
    if data.ratio(1, 48)? {
        return free(data, out, 3);
    }
    write(data, out)
}

fn list(data: &mut Unstructured<'_>, out: &mut String, most: i32, write: Write) -> Result<()> {
    out.push('[');
    for index in 0..data.int_in_range(0..=most)? {
        comma(out, index);
        write(data, out)?;
    }
    out.push(']');
    Ok(())
}

fn quoted(out: &mut String, text: Result<String>) -> Result<()> {
    quote(out, &text?);
    Ok(())
}

fn a_word(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    quoted(out, word(data))
}

fn words(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    list(data, out, 3, a_word)
}

fn an_image(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    quoted(out, image(data))
}

fn a_name(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    quoted(out, name(data))
}

fn a_task(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    quote(out, one_of(data, &TASKS)?);
    Ok(())
}

fn task_names(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    list(data, out, 3, a_task)
}

fn time(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    // Most runs have a time that can be read, so that the formats are reached.
    let time = if data.ratio(7, 8)? {
        TIMES[0]
    } else {
        one_of(data, &TIMES)?
    };
    quote(out, time);
    Ok(())
}

fn any(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    free(data, out, 4)
}

fn text_map(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    out.push('{');
    for index in 0..data.int_in_range(0..=3)? {
        comma(out, index);
        a_word(data, out)?;
        out.push(':');
        a_word(data, out)?;
    }
    out.push('}');
    Ok(())
}

fn labels(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    if data.ratio(1, 4)? {
        return text_map(data, out);
    }
    let fields: [(&str, Write); 2] = [
        ("tekton.dev/pipelineTask", a_task),
        ("chains.tekton.dev/reproducible", a_word),
    ];
    object(data, out, &fields)
}

fn metadata(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 7] = [
        ("name", a_task),
        ("namespace", a_word),
        ("uid", a_word),
        ("labels", labels),
        ("annotations", text_map),
        ("creationTimestamp", time),
        ("finalizers", words),
    ];
    object(data, out, &fields)
}

fn value(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    match data.int_in_range(0..=8)? {
        0 => quoted(out, images(data)),
        1 => a_name(data, out),
        2 => quoted(out, digest(data)),
        3 => words(data, out),
        4..=6 => {
            let fields: [(&str, Write); 3] = [
                ("uri", a_name),
                ("digest", a_digest),
                ("isBuildArtifact", a_word),
            ];
            object(data, out, &fields)
        }
        7 => a_word(data, out),
        _ => any(data, out),
    }
}

fn a_digest(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    quoted(out, digest(data))
}

fn result_name(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    quote(out, one_of(data, &RESULT_NAMES)?);
    Ok(())
}

fn result(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 3] = [("name", result_name), ("type", a_word), ("value", value)];
    object(data, out, &fields)
}

fn results(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    list(data, out, 8, result)
}

fn param(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 2] = [("name", result_name), ("value", value)];
    object(data, out, &fields)
}

fn params(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    list(data, out, 4, param)
}

fn param_specs(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    list(data, out, 3, |data, out| {
        let fields: [(&str, Write); 3] = [
            ("name", result_name),
            ("default", value),
            ("properties", any),
        ];
        object(data, out, &fields)
    })
}

fn reference(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 5] = [
        ("name", a_task),
        ("kind", a_word),
        ("apiVersion", a_word),
        ("resolver", a_word),
        ("params", params),
    ];
    object(data, out, &fields)
}

fn provenance(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 2] = [
        ("refSource", |data, out| {
            let fields: [(&str, Write); 3] = [
                ("uri", a_name),
                ("digest", text_map),
                ("entryPoint", a_word),
            ];
            object(data, out, &fields)
        }),
        ("featureFlags", |data, out| {
            let fields: [(&str, Write); 3] = [
                ("enableAPIFields", a_word),
                ("awaitSidecarReadiness", any),
                ("maxResultSize", any),
            ];
            object(data, out, &fields)
        }),
    ];
    object(data, out, &fields)
}

fn environment(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    list(data, out, 2, |data, out| {
        let fields: [(&str, Write); 3] = [
            ("name", a_word),
            ("value", a_word),
            ("valueFrom", |data, out| {
                let fields: [(&str, Write); 2] =
                    [("secretKeyRef", text_map), ("configMapKeyRef", any)];
                object(data, out, &fields)
            }),
        ];
        object(data, out, &fields)
    })
}

fn container(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 9] = [
        ("name", a_word),
        ("image", a_name),
        ("script", a_word),
        ("command", words),
        ("args", words),
        ("env", environment),
        ("computeResources", |data, out| {
            out.push_str(r#"{"limits":"#);
            text_map(data, out)?;
            out.push('}');
            Ok(())
        }),
        ("timeout", a_word),
        ("securityContext", any),
    ];
    object(data, out, &fields)
}

fn containers(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    list(data, out, 3, container)
}

fn task_spec(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 4] = [
        ("params", param_specs),
        ("steps", containers),
        ("sidecars", containers),
        ("volumes", any),
    ];
    object(data, out, &fields)
}

fn task_run_spec(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 7] = [
        ("params", params),
        ("taskRef", reference),
        ("taskSpec", task_spec),
        ("serviceAccountName", a_word),
        ("timeout", a_word),
        ("workspaces", any),
        ("podTemplate", any),
    ];
    object(data, out, &fields)
}

fn step_state(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 5] = [
        ("name", a_word),
        ("imageID", an_image),
        ("results", results),
        ("provenance", provenance),
        ("terminated", any),
    ];
    object(data, out, &fields)
}

fn steps(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    list(data, out, 3, step_state)
}

fn conditions(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    list(data, out, 2, |data, out| {
        let fields: [(&str, Write); 4] = [
            ("type", a_word),
            ("status", a_word),
            ("reason", a_word),
            ("message", a_word),
        ];
        object(data, out, &fields)
    })
}

fn task_run_status(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 8] = [
        ("conditions", conditions),
        ("startTime", time),
        ("completionTime", time),
        ("steps", steps),
        ("sidecars", steps),
        ("results", results),
        ("taskSpec", task_spec),
        ("provenance", provenance),
    ];
    object(data, out, &fields)
}

fn pipeline_run_spec(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 5] = [
        ("params", params),
        ("pipelineRef", reference),
        ("taskRunTemplate", |data, out| {
            object(
                data,
                out,
                &[
                    ("serviceAccountName", a_word as Write),
                    ("podTemplate", any),
                ],
            )
        }),
        ("timeouts", text_map),
        ("taskRunSpecs", any),
    ];
    object(data, out, &fields)
}

fn pipeline_task(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 7] = [
        ("name", a_task),
        ("taskRef", reference),
        ("taskSpec", task_spec),
        ("runAfter", task_names),
        ("params", params),
        ("matrix", |data, out| {
            out.push_str(r#"{"params":"#);
            params(data, out)?;
            out.push_str(r#","include":[{"params":"#);
            params(data, out)?;
            out.push_str("}]}");
            Ok(())
        }),
        ("when", |data, out| {
            list(data, out, 2, |data, out| {
                let fields: [(&str, Write); 3] =
                    [("input", a_word), ("values", words), ("cel", a_word)];
                object(data, out, &fields)
            })
        }),
    ];
    object(data, out, &fields)
}

fn pipeline_tasks(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    list(data, out, 3, pipeline_task)
}

fn pipeline_run_status(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let fields: [(&str, Write); 7] = [
        ("conditions", conditions),
        ("startTime", time),
        ("completionTime", time),
        ("results", results),
        ("pipelineSpec", |data, out| {
            let fields: [(&str, Write); 3] = [
                ("params", param_specs),
                ("tasks", pipeline_tasks),
                ("finally", pipeline_tasks),
            ];
            object(data, out, &fields)
        }),
        ("childReferences", |data, out| {
            list(data, out, 4, |data, out| {
                let fields: [(&str, Write); 3] = [
                    ("kind", a_word),
                    ("name", a_task),
                    ("pipelineTaskName", a_task),
                ];
                object(data, out, &fields)
            })
        }),
        ("provenance", provenance),
    ];
    object(data, out, &fields)
}
