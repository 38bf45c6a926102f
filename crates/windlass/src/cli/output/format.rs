//! Output formats: what `-o` names, in the spellings of `kubectl`.

use std::str::FromStr;

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use windlass_jsonpath::print;

use super::messages;
use crate::input::Input;

/// Longest file of a template, in bytes.
const TEMPLATE_LIMIT: usize = 1 << 20;
const KNOWN: &str = "known formats are json, yaml, name, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE, \
                     jsonpath-file=FILE, go-template=TEMPLATE and go-template-file=FILE";

/// A format for programs.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    Json,
    Yaml,
    /// `taskrun.tekton.dev/NAME`, one a line.
    Name,
    /// A template; no newline is added.
    JsonPath(windlass_jsonpath::Template),
    /// A template whose results are printed as JSON arrays.
    JsonPathAsJson(windlass_jsonpath::Template),
    /// A template of Go; no newline is added.
    GoTemplate(windlass_gotemplate::Template),
}

/// A format that a template belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Templated {
    JsonPath,
    JsonPathAsJson,
    JsonPathFile,
    GoTemplate,
    GoTemplateFile,
}

impl Templated {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "jsonpath" => Self::JsonPath,
            "jsonpath-as-json" => Self::JsonPathAsJson,
            "jsonpath-file" => Self::JsonPathFile,
            "go-template" | "template" => Self::GoTemplate,
            "go-template-file" | "templatefile" => Self::GoTemplateFile,
            _ => return None,
        })
    }

    /// The format with this template, or with the file of this name.
    fn with(self, text: &str) -> Result<Format, String> {
        use windlass_gotemplate::Template as GoTemplate;
        use windlass_jsonpath::Template as JsonPath;
        let json_path = |text: &str| JsonPath::parse(text).map_err(|error| error.to_string());
        let go = |text: &str| GoTemplate::parse(text).map_err(|error| error.to_string());
        match self {
            Self::JsonPath => json_path(text).map(Format::JsonPath),
            Self::JsonPathAsJson => json_path(text).map(Format::JsonPathAsJson),
            Self::JsonPathFile => {
                let text = template_in(text)?;
                json_path(text.trim_end_matches(['\r', '\n'])).map(Format::JsonPath)
            }
            Self::GoTemplate => go(text).map(Format::GoTemplate),
            Self::GoTemplateFile => go(&template_in(text)?).map(Format::GoTemplate),
        }
    }

    /// How it is written with a template.
    fn example(self) -> &'static str {
        match self {
            Self::JsonPath => "jsonpath needs a template: -o jsonpath='{.metadata.name}'",
            Self::JsonPathAsJson => {
                "jsonpath-as-json needs a template: -o jsonpath-as-json='{.metadata.name}'"
            }
            Self::JsonPathFile => "jsonpath-file needs a file: -o jsonpath-file=FILE",
            Self::GoTemplate => "go-template needs a template: -o go-template='{{.metadata.name}}'",
            Self::GoTemplateFile => "go-template-file needs a file: -o go-template-file=FILE",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        match written.parse()? {
            Written::Format(format) => Ok(format),
            Written::Awaiting(templated) => Err(templated.example().to_owned()),
        }
    }
}

/// A format as it is typed.
#[derive(Debug, Clone)]
enum Written {
    Format(Format),
    /// The template is that of `--template`.
    Awaiting(Templated),
}

impl FromStr for Written {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        let (name, template) = match written.split_once('=') {
            Some((name, template)) => (name, Some(template)),
            None => (written, None),
        };
        if let Some(templated) = Templated::named(name) {
            return match template {
                None => Ok(Self::Awaiting(templated)),
                Some("") => Err(templated.example().to_owned()),
                Some(text) => templated.with(text).map(Self::Format),
            };
        }
        match written {
            "json" => Ok(Self::Format(Format::Json)),
            "yaml" => Ok(Self::Format(Format::Yaml)),
            "name" => Ok(Self::Format(Format::Name)),
            _ => Err(match name {
                "json" | "yaml" | "name" => format!("{name} takes nothing behind it; {KNOWN}"),
                _ => KNOWN.to_owned(),
            }),
        }
    }
}

/// The text of a file.
fn template_in(path: &str) -> Result<String, String> {
    let failed = |why: &dyn std::fmt::Display| format!("cannot read the template {path}: {why}");
    let content = Input::File(path.into()).read(TEMPLATE_LIMIT);
    let text = String::from_utf8(content.map_err(|error| failed(&error))?);
    text.map_err(|_| failed(&"it is not UTF-8"))
}

/// The flags for the format of objects of the cluster.
#[derive(Debug, clap::Args)]
pub(crate) struct ObjectFormat {
    /// json, yaml, name, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE, go-template=TEMPLATE,
    /// or with a file: jsonpath-file=FILE, go-template-file=FILE
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Written>,
    /// Template or file for a format of -o that is written without one (default format: go-template)
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    template: Option<String>,
}

impl ObjectFormat {
    /// The format; nothing where a view for people is wanted.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Format>> {
        let template = self.template.as_deref().filter(|text| !text.is_empty());
        let templated = match (&self.output, template) {
            (None, None) => return Ok(None),
            (None, Some(_)) => Templated::GoTemplate,
            (Some(Written::Awaiting(templated)), _) => *templated,
            (Some(Written::Format(format)), None) => return Ok(Some(format.clone())),
            (Some(Written::Format(format)), Some(_)) if format.has_template() => {
                bail!(
                    "there is a template behind -o, and another one behind --template; leave one out"
                )
            }
            (Some(Written::Format(format)), Some(_)) => {
                messages::warn(&[
                    "this format has no template; --template has no effect".to_owned()
                ]);
                return Ok(Some(format.clone()));
            }
        };
        let template = template.context(templated.example())?;
        let format = templated.with(template);
        format.map(Some).map_err(|why| anyhow!("--template: {why}"))
    }
}

impl Format {
    fn has_template(&self) -> bool {
        match self {
            Self::Json | Self::Yaml | Self::Name => false,
            Self::JsonPath(_) | Self::JsonPathAsJson(_) | Self::GoTemplate(_) => true,
        }
    }

    /// What is printed for one object or list. `names` are the lines of the format `name`.
    pub(crate) fn text(&self, document: &Value, names: &[String]) -> anyhow::Result<Vec<u8>> {
        let text = match self {
            Self::Json => print::pretty(document).map_err(anyhow::Error::msg)?,
            Self::Yaml => serde_saphyr::to_string(document).context("cannot write YAML")?,
            Self::Name => names.iter().flat_map(|name| [name, "\n"]).collect(),
            Self::JsonPath(template) => template.render(document)?,
            Self::JsonPathAsJson(template) => template.render_as_json(document)?,
            Self::GoTemplate(template) => return Ok(template.render(document)?),
        };
        Ok(text.into_bytes())
    }

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

    fn read(output: Option<&str>, template: Option<&str>) -> Result<Vec<u8>, String> {
        let typed = ObjectFormat {
            output: output.map(str::parse).transpose()?,
            template: template.map(str::to_owned),
        };
        let format = typed.read().map_err(|error| format!("{error:#}"))?;
        let run = json!({"metadata": {"name": "a"}});
        format
            .unwrap()
            .text(&run, &[])
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_template_stands_behind_the_format_or_is_given_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let go = folder.path().join("name.tmpl");
        std::fs::write(&go, "{{.metadata.name}}\n").unwrap();
        let go = go.to_str().unwrap();
        let path = folder.path().join("name.jsonpath");
        std::fs::write(&path, "{.metadata.name}\n").unwrap();
        let path = path.to_str().unwrap();
        let name = "{{.metadata.name}}";
        for (output, template, expected) in [
            (Some("go-template={{.metadata.name}}"), None, "a"),
            (Some("template={{.metadata.name}}"), None, "a"),
            (Some(&*format!("go-template-file={go}")), None, "a\n"),
            (Some(&*format!("templatefile={go}")), None, "a\n"),
            (Some("go-template"), Some(name), "a"),
            (Some("template"), Some(name), "a"),
            (None, Some(name), "a"),
            (Some("go-template-file"), Some(go), "a\n"),
            (Some("templatefile"), Some(go), "a\n"),
            (Some("jsonpath"), Some("{.metadata.name}"), "a"),
            (
                Some("jsonpath-as-json"),
                Some("{.metadata.name}"),
                "[\n    \"a\"\n]\n",
            ),
            (Some("jsonpath-file"), Some(path), "a"),
            (Some("yaml"), Some(name), "metadata:\n  name: a\n"),
        ] {
            let printed = read(output, template).unwrap();
            assert_eq!(printed, expected.as_bytes(), "{output:?} {template:?}");
        }
        for (output, template, expected) in [
            (
                Some("go-template"),
                None,
                "-o go-template='{{.metadata.name}}'",
            ),
            (
                Some("go-template="),
                None,
                "-o go-template='{{.metadata.name}}'",
            ),
            (Some("jsonpath"), Some(""), "-o jsonpath='{.metadata.name}'"),
            (
                Some("go-template-file"),
                Some("gone"),
                "cannot read the template gone",
            ),
            (Some("go-template={{.a"), None, "line 1, column 1"),
            (None, Some("{{.a}}\n{{end}}"), "line 2, column 1"),
            (Some("jsonpath={.a}"), Some(name), "leave one out"),
            (Some("go-templates={{.a}}"), None, "known formats"),
            (Some("json=x"), None, "json takes nothing behind it"),
            (Some("yaml="), None, "yaml takes nothing behind it"),
            (Some("name=x"), None, "known formats are json"),
        ] {
            let error = read(output, template).unwrap_err();
            assert!(error.contains(expected), "{output:?} {template:?}: {error}");
        }
    }

    #[test]
    fn a_template_may_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("name.jsonpath");
        std::fs::write(&path, "{.metadata.name}\n").unwrap();
        let format = Format::from_str(&format!("jsonpath-file={}", path.display())).unwrap();
        let run = json!({"metadata": {"name": "a"}});
        assert_eq!(format.text(&run, &[]).unwrap(), b"a");
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
            let format = Format::from_str(format).unwrap();
            let text = format.text(&document, &["x".to_owned()]).unwrap();
            String::from_utf8(text).unwrap()
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
