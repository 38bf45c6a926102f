//! Applies a template to a document.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Fault, Outcome};
use crate::function::{self, Function};
use crate::print::Printer;
use crate::syntax::{Branch, Command, Node, OUTPUT, Pipeline, Term, TermKind};
use crate::value::{Item, Text, sorted};

/// What a template may use up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Parts of the template that are visited, and values that are looked at.
    pub(crate) steps: usize,
    /// Bytes of output.
    pub(crate) output: usize,
    /// Bytes of all strings that functions make.
    pub(crate) made: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 10_000_000,
            output: 64 * 1024 * 1024,
            made: 64 * 1024 * 1024,
        }
    }
}

/// Deepest nesting of templates, blocks and parentheses that are worked on at once.
const MAX_DEPTH: usize = 400;
/// As many bytes are as much work as one step.
const BYTES_PER_STEP: usize = 64;

/// What the template prints for the document.
pub(crate) fn run(
    named: &BTreeMap<String, Vec<Node>>,
    document: &Value,
    limits: Limits,
) -> Outcome<Vec<u8>> {
    let root = Item::from(document);
    let mut run = Run {
        named,
        output: Vec::new(),
        variables: vec![("$", root.clone())],
        depth: 0,
        left: limits,
    };
    let nodes = named.get(OUTPUT).map(Vec::as_slice).unwrap_or_default();
    run.nodes(nodes, &root)?;
    Ok(run.output)
}

/// How it goes on behind a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Run<'a> {
    named: &'a BTreeMap<String, Vec<Node>>,
    output: Vec<u8>,
    /// The latest last; a name may be there several times.
    variables: Vec<(&'a str, Item<'a>)>,
    depth: usize,
    left: Limits,
}

impl<'a> Run<'a> {
    fn spend(&mut self, at: usize, steps: usize) -> Outcome<()> {
        let left = self.left.steps.checked_sub(steps);
        self.left.steps = left.ok_or_else(|| {
            Fault::new(
                at,
                "the template does not come to an end within its bounds; make its ranges and \
                 templates do less",
            )
        })?;
        Ok(())
    }

    fn deeper<T>(&mut self, at: usize, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.depth == MAX_DEPTH {
            let message = format!("templates and blocks are nested more than {MAX_DEPTH} deep");
            return Err(Fault::new(at, message));
        }
        self.depth += 1;
        let worked = work(self);
        self.depth -= 1;
        worked
    }

    fn nodes(&mut self, nodes: &'a [Node], dot: &Item<'a>) -> Outcome<Flow> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &'a Node, dot: &Item<'a>) -> Outcome<Flow> {
        match node {
            Node::Text { at, text } => {
                self.print(*at, &Item::Text(Text::Borrowed(text.as_bytes())))?;
            }
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.print(pipeline.at, &value)?;
                }
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            Node::Template { at, name, argument } => {
                self.template(*at, name, argument.as_ref(), dot)?;
            }
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                let known = self.variables.len();
                let flow = self.deeper(branch.pipeline.at, |run| match node {
                    Node::Range(_) => run.range(branch, dot),
                    _ => run.choose(branch, matches!(node, Node::With(_)), dot),
                })?;
                self.variables.truncate(known);
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn print(&mut self, at: usize, value: &Item<'_>) -> Outcome<()> {
        self.spend(at, 1)?;
        let mut printer = Printer::new(&mut self.output, self.left.output);
        let done = match value {
            Item::Missing | Item::Null => printer.raw(b"<no value>"),
            Item::Text(text) => printer.raw(text.bytes()),
            other => printer.item(other, 'v'),
        };
        done.map_err(|message| Fault::new(at, message))
    }

    fn choose(&mut self, branch: &'a Branch, is_with: bool, dot: &Item<'a>) -> Outcome<Flow> {
        let value = self.pipeline(&branch.pipeline, dot)?;
        if !value.is_true() {
            return self.nodes(&branch.otherwise, dot);
        }
        let dot = if is_with { &value } else { dot };
        self.nodes(&branch.body, dot)
    }

    fn template(
        &mut self,
        at: usize,
        name: &str,
        argument: Option<&'a Pipeline>,
        dot: &Item<'a>,
    ) -> Outcome<()> {
        self.spend(at, 1)?;
        let Some(nodes) = self.named.get(name) else {
            let message = format!("there is no template {name:?}; it needs a define");
            return Err(Fault::new(at, message));
        };
        let dot = match argument {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Item::Missing,
        };
        let outside = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        self.deeper(at, |run| run.nodes(nodes, &dot))?;
        self.variables = outside;
        Ok(())
    }

    fn range(&mut self, branch: &'a Branch, dot: &Item<'a>) -> Outcome<Flow> {
        let pipeline = &branch.pipeline;
        let at = pipeline.at;
        let value = self.pipeline(pipeline, dot)?;
        let mut ran = false;
        match value {
            Item::List(list) => {
                for (index, element) in list.iter().enumerate() {
                    ran = true;
                    let index = Item::Integer(i64::try_from(index).unwrap_or(i64::MAX));
                    if !self.turn(branch, index, &Item::from(element))? {
                        break;
                    }
                }
            }
            Item::Map(map) => {
                self.spend(at, map.len())?;
                for (key, member) in sorted(map) {
                    ran = true;
                    let key = Item::Text(Text::Borrowed(key.as_bytes()));
                    if !self.turn(branch, key, &Item::from(member))? {
                        break;
                    }
                }
            }
            Item::Integer(_) | Item::Long(_) | Item::Byte(_) => {
                if pipeline.variables.len() > 1 {
                    let message = "a range over a number has one variable";
                    return Err(Fault::new(at, message));
                }
                let end = value.integer().unwrap_or_default();
                for number in 0..end {
                    ran = true;
                    let number = match value {
                        Item::Long(_) => Item::Long(number),
                        Item::Byte(_) => Item::Byte(u8::try_from(number).unwrap_or(u8::MAX)),
                        _ => Item::Integer(number),
                    };
                    if !self.turn(branch, Item::Missing, &number)? {
                        break;
                    }
                }
            }
            Item::Missing | Item::Null => {}
            Item::Boolean(_) | Item::Fraction(_) | Item::Text(_) => {
                let message = format!(
                    "range goes over a list, an object or an integer, and this is {}",
                    value.noun()
                );
                return Err(Fault::new(at, message));
            }
        }
        if ran {
            return Ok(Flow::On);
        }
        self.nodes(&branch.otherwise, dot)
    }

    /// One turn of a range; whether another one follows.
    fn turn(&mut self, branch: &'a Branch, key: Item<'a>, element: &Item<'a>) -> Outcome<bool> {
        let pipeline = &branch.pipeline;
        self.spend(pipeline.at, 1)?;
        let known = self.variables.len();
        match (pipeline.assigns, pipeline.variables.as_slice()) {
            (_, []) => {}
            (true, [name]) => self.assign(pipeline.at, name, element.clone())?,
            (true, [first, second, ..]) => {
                self.assign(pipeline.at, first, key)?;
                self.assign(pipeline.at, second, element.clone())?;
            }
            // they are the latest ones, since the pipeline set them
            (false, names) => {
                let values = [key, element.clone()];
                let values = values.into_iter().skip(usize::from(names.len() == 1));
                let places = self.variables.iter_mut().rev().take(names.len()).rev();
                for ((_, place), value) in places.zip(values) {
                    *place = value;
                }
            }
        }
        let flow = self.nodes(&branch.body, element)?;
        self.variables.truncate(known);
        Ok(flow != Flow::Break)
    }

    fn assign(&mut self, at: usize, name: &str, value: Item<'a>) -> Outcome<()> {
        let place = self.variables.iter_mut().rfind(|(known, _)| *known == name);
        let Some((_, place)) = place else {
            let message = format!("there is no variable {name}; make it with :=");
            return Err(Fault::new(at, message));
        };
        *place = value;
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &'a Pipeline, dot: &Item<'a>) -> Outcome<Item<'a>> {
        let mut value = None;
        for command in &pipeline.commands {
            let next = self.command(command, dot, value)?;
            value = Some(next.settled());
        }
        let value = value.unwrap_or(Item::Missing);
        for name in &pipeline.variables {
            if pipeline.assigns {
                self.assign(pipeline.at, name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &'a Command,
        dot: &Item<'a>,
        last: Option<Item<'a>>,
    ) -> Outcome<Item<'a>> {
        let Command { first, arguments } = command;
        if let TermKind::Function(function) = first.kind {
            return self.call(first.at, function, arguments, dot, last);
        }
        if last.is_some() || !arguments.is_empty() {
            let message = "only a function takes arguments, and this is none";
            return Err(Fault::new(first.at, message));
        }
        if let TermKind::Nil = first.kind {
            return Err(Fault::new(
                first.at,
                "nil cannot be printed; it is an argument only",
            ));
        }
        self.term(first, dot)
    }

    fn term(&mut self, term: &'a Term, dot: &Item<'a>) -> Outcome<Item<'a>> {
        self.spend(term.at, 1)?;
        Ok(match &term.kind {
            TermKind::Dot => dot.clone(),
            TermKind::Nil => Item::Missing,
            TermKind::Boolean(boolean) => Item::Boolean(*boolean),
            TermKind::Integer(number) => Item::Integer(*number),
            TermKind::Fraction(number) => Item::Fraction(*number),
            TermKind::Text(text) => Item::Text(Text::Borrowed(text)),
            TermKind::Field(path) => fields(term.at, dot.clone(), path)?,
            TermKind::Variable(name, path) => {
                let known = self.variables.iter().rfind(|(known, _)| known == name);
                let value = known.map(|(_, value)| value.clone());
                let value = value.ok_or_else(|| {
                    Fault::new(term.at, format!("there is no variable {name} here"))
                })?;
                fields(term.at, value, path)?
            }
            TermKind::Function(function) => self.call(term.at, *function, &[], dot, None)?,
            TermKind::Parentheses(pipeline) => {
                self.deeper(term.at, |run| run.pipeline(pipeline, dot))?
            }
            TermKind::Chain(first, path) => {
                let value = self.term(first, dot)?;
                fields(term.at, value, path)?
            }
        })
    }

    fn call(
        &mut self,
        at: usize,
        function: Function,
        arguments: &'a [Term],
        dot: &Item<'a>,
        last: Option<Item<'a>>,
    ) -> Outcome<Item<'a>> {
        self.spend(at, 1)?;
        let failed = |message: String| Fault::new(at, message);
        let count = arguments.len() + usize::from(last.is_some());
        function.check(count).map_err(failed)?;
        if let Function::And | Function::Or = function {
            return self.decide(function, arguments, dot, last);
        }
        let mut values = Vec::with_capacity(count);
        for (index, term) in arguments.iter().enumerate() {
            let value = self.term(term, dot)?;
            check(function, index, term.at, &value)?;
            values.push(value);
        }
        if let Some(last) = last {
            check(function, values.len(), at, &last)?;
            values.push(last);
        }
        // what compares strings looks at each of their bytes
        let looked_at: usize = values.iter().map(bytes).sum();
        self.spend(at, looked_at / BYTES_PER_STEP)?;
        let value = function::call(function, &values, self.left.made).map_err(failed)?;
        if let Item::Text(Text::Made(made)) = &value {
            self.left.made = self.left.made.saturating_sub(made.len());
        }
        Ok(value)
    }

    /// `and` and `or`: the first value that decides, or the last one.
    fn decide(
        &mut self,
        function: Function,
        arguments: &'a [Term],
        dot: &Item<'a>,
        last: Option<Item<'a>>,
    ) -> Outcome<Item<'a>> {
        let mut value = Item::Missing;
        for term in arguments {
            value = self.term(term, dot)?;
            if value.is_true() == (function == Function::Or) {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }
}

/// How many bytes of a value a function may look at.
fn bytes(item: &Item<'_>) -> usize {
    match item {
        Item::Text(text) => text.bytes().len(),
        _ => 0,
    }
}

/// Says where an argument has to be a string and is none.
fn check(function: Function, argument: usize, at: usize, value: &Item<'_>) -> Outcome<()> {
    if !function.wants_text(argument) || matches!(value, Item::Text(_)) {
        return Ok(());
    }
    let message = format!(
        "{} needs a string here, and this is {}; print makes one of any value",
        function.name(),
        value.noun()
    );
    Err(Fault::new(at, message))
}

fn fields<'a>(at: usize, value: Item<'a>, path: &[String]) -> Outcome<Item<'a>> {
    let mut value = value;
    for name in path {
        value = match &value {
            Item::Map(map) => map.get(name).map_or(Item::Missing, Item::from),
            Item::Missing => Item::Missing,
            other => {
                let message = match other {
                    Item::Null => format!(
                        "there is no .{name} in null; put this in {{{{with …}}}}, which passes over it"
                    ),
                    Item::List(_) => format!(
                        "there is no .{name} in a list; use range for each of it, or index for one"
                    ),
                    _ => format!("there is no .{name} in {}", other.noun()),
                };
                return Err(Fault::new(at, message));
            }
        };
    }
    Ok(value)
}
