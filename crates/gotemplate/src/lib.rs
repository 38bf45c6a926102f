//! Go's `text/template` as `kubectl -o go-template` offers it: a template of text and `{{…}}` actions
//! applied to a JSON document.
//!
//! The rules are those of Go 1.26 with `kubectl`'s functions `exists` and `base64decode`. A missing
//! key is printed as `<no value>`. Numbers of the document are `int64` where they are whole, as in
//! `kubectl`, else `float64`. Values have no methods and are no functions, so `call` always fails.
//! What cannot come of JSON is refused with an error that says so: complex numbers, hexadecimal
//! fractions, `%p` and the hexadecimal forms of a fraction.
//!
//! Size, nesting, work, memory and output are bounded, so that no template can hang, overflow the
//! stack or fill the memory. An error names the line and the column.
//!
//! The crates that exist were tried first. `gtmpl` has had no release since 2021. `gotmpl` follows Go
//! closely, but its errors while a template is applied name no place, and neither the work of
//! templates that call each other nor the size of what is kept in variables has a bound.

use std::collections::BTreeMap;

use serde_json::Value;

use self::error::Fault;
pub use self::error::GoTemplateError;
use self::evaluate::Limits;
use self::syntax::Node;

mod compare;
mod error;
mod escape;
mod evaluate;
mod float;
mod format;
mod function;
mod lex;
mod number;
mod parse;
mod print;
mod quote;
mod syntax;
#[cfg(test)]
mod tests;
mod value;

/// A parsed template.
///
/// ```
/// use windlass_gotemplate::Template;
///
/// let list = serde_json::json!({"items": [{"name": "a"}, {"name": "b"}]});
/// let template = Template::parse("{{range .items}}{{.name}};{{end}}")?;
/// assert_eq!(template.render(&list)?, b"a;b;");
/// # Ok::<(), windlass_gotemplate::GoTemplateError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    /// The template itself and those that it defines, by name.
    named: BTreeMap<String, Vec<Node>>,
}

impl Template {
    /// Parses a template; the error names the place of the first thing that makes no sense.
    pub fn parse(text: &str) -> Result<Self, GoTemplateError> {
        let named = parse::template(text).map_err(|fault| fault.within(text))?;
        Ok(Self {
            text: text.to_owned(),
            named,
        })
    }

    /// What `kubectl -o go-template=…` prints for `document`; no newline is added. It may be no
    /// UTF-8, since `base64decode` and escapes make bytes.
    pub fn render(&self, document: &Value) -> Result<Vec<u8>, GoTemplateError> {
        self.render_within(document, Limits::default())
    }

    fn render_within(&self, document: &Value, limits: Limits) -> Result<Vec<u8>, GoTemplateError> {
        let rendered = evaluate::run(&self.named, document, limits);
        rendered.map_err(|fault: Fault| fault.within(&self.text))
    }
}
