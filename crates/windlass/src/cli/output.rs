//! Output formats: what `-o` names, shared by the verbs that show objects of the cluster.
//!
//! The spellings are `kubectl`'s. Formats for programs print values unchanged; views for people
//! go through [`clean`].

use std::io::Write;
use std::ops::ControlFlow;
use std::str::FromStr;

use anyhow::Context;
use serde_json::Value;
use windlass_jsonpath::{Template, print};

use crate::input::Input;

pub(crate) mod age;
pub(crate) mod cells;
pub(crate) mod clean;
pub(crate) mod look;
pub(crate) mod table;

/// Longest file of a template, in bytes.
const TEMPLATE_LIMIT: usize = 1 << 20;

/// A format for programs.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    Json,
    Yaml,
    /// `taskrun.tekton.dev/NAME`, one a line.
    Name,
    /// A template; no newline is added.
    JsonPath(Template),
    /// A template whose results are printed as JSON arrays.
    JsonPathAsJson(Template),
}

impl FromStr for Format {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        let (name, template) = match written.split_once('=') {
            Some((name, template)) => (name, Some(template)),
            None => (written, None),
        };
        let from_text = |variant: fn(Template) -> Self| match template {
            None | Some("") => Err(format!(
                "{name} needs a template: -o {name}='{{.metadata.name}}'"
            )),
            Some(text) => Template::parse(text)
                .map(variant)
                .map_err(|error| error.to_string()),
        };
        match name {
            "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            "name" => Ok(Self::Name),
            "jsonpath" => from_text(Self::JsonPath),
            "jsonpath-as-json" => from_text(Self::JsonPathAsJson),
            "go-template" | "go-template-file" | "template" | "templatefile" => {
                Err("Go templates are not supported; use jsonpath=TEMPLATE".to_owned())
            }
            "jsonpath-file" => match template {
                None | Some("") => Err(format!("{name} needs a file: -o {name}=FILE")),
                Some(path) => template_in(path).map(Self::JsonPath),
            },
            _ => Err("known formats are json, yaml, name, jsonpath=TEMPLATE and \
                      jsonpath-as-json=TEMPLATE"
                .to_owned()),
        }
    }
}

/// The template in a file, which may end with a line end.
fn template_in(path: &str) -> Result<Template, String> {
    let failed = |why: &dyn std::fmt::Display| format!("cannot read the template {path}: {why}");
    let content = Input::File(path.into()).read(TEMPLATE_LIMIT);
    let text = String::from_utf8(content.map_err(|error| failed(&error))?);
    let text = text.map_err(|_| failed(&"it is not UTF-8"))?;
    Template::parse(text.trim_end_matches(['\r', '\n'])).map_err(|error| error.to_string())
}

impl Format {
    /// The text for one object or list. `names` are the lines of the format `name`.
    pub(crate) fn text(&self, document: &Value, names: &[String]) -> anyhow::Result<String> {
        match self {
            Self::Json => print::pretty(document).map_err(anyhow::Error::msg),
            Self::Yaml => serde_saphyr::to_string(document).context("cannot write YAML"),
            Self::Name => Ok(names.iter().flat_map(|name| [name, "\n"]).collect()),
            Self::JsonPath(template) => Ok(template.render(document)?),
            Self::JsonPathAsJson(template) => Ok(template.render_as_json(document)?),
        }
    }
}

impl Format {
    /// Removes from an object, or from each of a list, who wrote which field, as `tkn` and `kubectl` do
    /// where a person reads all of it.
    pub(crate) fn without_managed_fields(&self, document: &mut Value) {
        if !matches!(self, Self::Json | Self::Yaml) {
            return;
        }
        let strip = |object: &mut Value| {
            if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("managedFields");
            }
        };
        strip(document);
        let items = document.get_mut("items").and_then(Value::as_array_mut);
        items.into_iter().flatten().for_each(strip);
    }
}

/// Writes to standard output. A reader that went away is no error.
pub(crate) fn write(content: impl AsRef<[u8]>) -> anyhow::Result<()> {
    stream(content).map(drop)
}

/// The same for output that goes on and on: it breaks off if nobody reads it any more.
pub(crate) fn stream(content: impl AsRef<[u8]>) -> anyhow::Result<ControlFlow<()>> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(content.as_ref());
    match written.and_then(|()| output.flush()) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// Writes lines to standard error, where they are no part of the output. What they quote of files, of
/// the cluster or of a registry is made safe for a terminal.
pub(crate) fn note(text: &str) {
    let lines: Vec<_> = text.split('\n').map(clean::line).collect();
    say(&format!("{}\n", lines.join("\n")));
}

/// Writes an error to standard error; its first word is coloured on a terminal.
pub(crate) fn error(text: &str) {
    let lines: Vec<_> = text.split('\n').map(clean::line).collect();
    let word = look::Look::of_stderr().alarm("error:");
    say(&format!("{word} {}\n", lines.join("\n")));
}

/// Writes to standard error. A reader that went away is no error, and there is nobody to tell of others.
pub(crate) fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes warnings to standard error.
pub(crate) fn warn(warnings: &[String]) {
    for warning in warnings {
        note(&format!("warning: {}", clean::line(warning)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_known_format_is_read() {
        for written in [
            "json",
            "yaml",
            "name",
            "jsonpath={.a}",
            "jsonpath-as-json={.a}",
        ] {
            let format = Format::from_str(written);
            assert!(format.is_ok(), "{written}: {format:?}");
        }
    }

    #[test]
    fn go_templates_are_refused_with_a_way_out() {
        let error = Format::from_str("go-template={{.metadata.name}}").unwrap_err();
        assert!(error.contains("jsonpath=TEMPLATE"), "{error}");
    }

    #[test]
    fn a_template_may_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("name.jsonpath");
        std::fs::write(&path, "{.metadata.name}\n").unwrap();
        let format = Format::from_str(&format!("jsonpath-file={}", path.display())).unwrap();
        let run = json!({"metadata": {"name": "a"}});
        assert_eq!(format.text(&run, &[]).unwrap(), "a");
        for (written, expected) in [
            ("jsonpath-file=gone", "cannot read the template gone"),
            ("jsonpath-file=", "jsonpath-file=FILE"),
        ] {
            let error = Format::from_str(written).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_broken_template_is_refused_with_its_column() {
        let error = Format::from_str("jsonpath={.a").unwrap_err();
        assert!(error.contains("column 1"), "{error}");
        assert!(Format::from_str("jsonpath=").is_err());
        assert!(Format::from_str("jsonpath").is_err());
    }

    #[test]
    fn fields_of_managers_are_left_out_where_a_person_reads_all() {
        let one = || json!({"metadata": {"name": "a", "managedFields": [1]}});
        let list = json!({"items": [one(), one()], "metadata": {}});
        for (format, stays) in [("json", false), ("yaml", false), ("jsonpath={.a}", true)] {
            let format = Format::from_str(format).unwrap();
            for document in [one(), list.clone()] {
                let mut document = document;
                format.without_managed_fields(&mut document);
                assert_eq!(document.to_string().contains("managedFields"), stays);
            }
        }
    }

    #[test]
    fn jsonpath_adds_no_newline_and_json_and_yaml_do() {
        let document = json!({"metadata": {"uid": "u-1"}});
        let text = |format: &str| {
            Format::from_str(format)
                .unwrap()
                .text(&document, &["x".to_owned()])
                .unwrap()
        };
        assert_eq!(text("jsonpath={.metadata.uid}"), "u-1");
        assert_eq!(
            text("json"),
            "{\n    \"metadata\": {\n        \"uid\": \"u-1\"\n    }\n}\n"
        );
        assert_eq!(text("yaml"), "metadata:\n  uid: u-1\n");
        assert_eq!(text("name"), "x\n");
    }
}
