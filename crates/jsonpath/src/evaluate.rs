//! From pieces and a document to values.

use serde_json::Value;

use crate::error::JsonPathError;
use crate::item::Item;
use crate::print::Output;
use crate::syntax::{Filter, Path, Piece, Slice, SliceEnd, Step, StepKind};

/// Bound on the values looked at by one template, loops included.
const MAX_VALUES: usize = 10_000_000;

type Result<T> = std::result::Result<T, JsonPathError>;

/// Applies the pieces to the document and prints what they yield.
pub(crate) fn run(pieces: &[Piece], document: &Value, output: &mut Output) -> Result<()> {
    let mut run = Run { left: MAX_VALUES };
    run.pieces(pieces, 0, pieces.len(), Item::Value(document), output)
}

struct Run {
    /// Values that may still be looked at.
    left: usize,
}

impl Run {
    fn spend(&mut self, values: usize, column: usize) -> Result<()> {
        self.left = self.left.checked_sub(values).ok_or_else(|| {
            JsonPathError::new(
                column,
                format!("the template visits more than {MAX_VALUES} values"),
            )
        })?;
        Ok(())
    }

    fn pieces<'a>(
        &mut self,
        pieces: &'a [Piece],
        from: usize,
        to: usize,
        current: Item<'a>,
        output: &mut Output,
    ) -> Result<()> {
        let mut index = from;
        while index < to {
            self.spend(1, 1)?;
            match &pieces[index] {
                Piece::End => {}
                Piece::Text(text) => output.results(&[Item::Value(text)], 1)?,
                Piece::Path(path) => {
                    let column = path.first().map_or(1, |step| step.column);
                    let results = self.path(path, vec![current])?;
                    output.results(&results, column)?;
                }
                Piece::Range { path, end, resume } => {
                    for item in self.path(path, vec![current])? {
                        self.pieces(pieces, index + 1, *end, item, output)?;
                    }
                    index = *resume;
                    continue;
                }
            }
            index += 1;
        }
        Ok(())
    }

    fn path<'a>(&mut self, path: &'a Path, mut items: Vec<Item<'a>>) -> Result<Vec<Item<'a>>> {
        for step in path {
            self.spend(items.len() + 1, step.column)?;
            items = self.step(step, items)?;
        }
        Ok(items)
    }

    fn step<'a>(&mut self, step: &'a Step, items: Vec<Item<'a>>) -> Result<Vec<Item<'a>>> {
        match &step.kind {
            StepKind::Field(key) => {
                Ok(items.into_iter().filter_map(|item| item.get(key)).collect())
            }
            StepKind::DottedKey { path, key } => {
                let found = self.path(path, items.clone())?;
                if !found.is_empty() {
                    return Ok(found);
                }
                Ok(items.into_iter().filter_map(|item| item.get(key)).collect())
            }
            StepKind::Wildcard => self.wildcard(&items, step.column),
            StepKind::Recursive => self.recursive(items, step.column),
            StepKind::Slice(slice) => self.slice(*slice, &items, step.column),
            StepKind::Union(paths) => {
                let mut results = Vec::new();
                for path in paths {
                    results.extend(self.path(path, items.clone())?);
                }
                Ok(results)
            }
            StepKind::Filter(filter) => self.filter(filter, &items, step.column),
            StepKind::Text(text) => Ok(vec![Item::Value(text)]),
            StepKind::Constant(value) => Ok(vec![Item::Value(value); items.len()]),
        }
    }

    fn wildcard<'a>(&mut self, items: &[Item<'a>], column: usize) -> Result<Vec<Item<'a>>> {
        let mut results = Vec::new();
        for item in items {
            let children = item.children();
            self.spend(children.len(), column)?;
            results.extend(children);
        }
        Ok(results)
    }

    /// Every object, list and string that is not empty, parents before children.
    fn recursive<'a>(&mut self, items: Vec<Item<'a>>, column: usize) -> Result<Vec<Item<'a>>> {
        let mut results = Vec::new();
        let mut waiting = items;
        waiting.reverse();
        while let Some(item) = waiting.pop() {
            self.spend(1, column)?;
            if matches!(item, Item::Value(Value::String(text)) if !text.is_empty()) {
                results.push(item);
                continue;
            }
            let children = item.children();
            if !children.is_empty() {
                results.push(item);
                waiting.extend(children.into_iter().rev());
            }
        }
        Ok(results)
    }

    fn slice<'a>(
        &mut self,
        slice: Slice,
        items: &[Item<'a>],
        column: usize,
    ) -> Result<Vec<Item<'a>>> {
        let mut results = Vec::new();
        for item in items {
            let list = match item {
                Item::Value(Value::Null) => continue,
                Item::Value(Value::Array(list)) => list,
                other => {
                    let message = format!("{} cannot be indexed; only a list can", other.noun());
                    return Err(JsonPathError::new(column, message));
                }
            };
            let (start, end, step) = slice
                .bounds(list.len())
                .map_err(|message| JsonPathError::new(column, message))?;
            self.spend(end - start, column)?;
            results.extend(list[start..end].iter().step_by(step).map(Item::Value));
        }
        Ok(results)
    }

    fn filter<'a>(
        &mut self,
        filter: &'a Filter,
        items: &[Item<'a>],
        column: usize,
    ) -> Result<Vec<Item<'a>>> {
        let mut results = Vec::new();
        for item in items {
            let Item::Value(Value::Array(list)) = item else {
                let message = format!("{} cannot be filtered; only a list can", item.noun());
                return Err(JsonPathError::new(column, message));
            };
            for element in list.iter().map(Item::Value) {
                if self.passes(filter, element, column)? {
                    results.push(element);
                }
            }
        }
        Ok(results)
    }

    fn passes<'a>(&mut self, filter: &'a Filter, item: Item<'a>, column: usize) -> Result<bool> {
        let left = self.path(&filter.left, vec![item])?;
        let Some((operator, right)) = &filter.comparison else {
            return Ok(!left.is_empty());
        };
        let right = self.path(right, vec![item])?;
        match (left.as_slice(), right.as_slice()) {
            ([], _) | (_, []) => Ok(false),
            ([left], [right]) => operator
                .holds(*left, *right)
                .map_err(|message| JsonPathError::new(column, message)),
            _ => Err(JsonPathError::new(
                column,
                "a filter compares one value with one value",
            )),
        }
    }
}

impl Slice {
    /// Start, end and step for a list of `length` elements, all in bounds.
    fn bounds(self, length: usize) -> std::result::Result<(usize, usize, usize), String> {
        let size = i64::try_from(length).map_err(|_| "the list is too long".to_owned())?;
        let from_end = |index: i64| {
            if index < 0 {
                index.saturating_add(size)
            } else {
                index
            }
        };
        let written = self.start.unwrap_or(0);
        let start = from_end(written);
        let end = match self.end {
            SliceEnd::Open => size,
            SliceEnd::At(end) => from_end(end),
            SliceEnd::AfterStart => start.saturating_add(1),
        };
        if start == end {
            return Ok((0, 0, 1));
        }
        let outside = |index: i64| format!("index {index} is outside a list of {length}");
        if start < 0 || start >= size {
            return Err(outside(written));
        }
        if end < 0 || end > size {
            return Err(outside(end.saturating_sub(1)));
        }
        if start > end {
            return Err(format!("the start {start} is after the end {end}"));
        }
        let step = usize::try_from(self.step.unwrap_or(1)).unwrap_or(0);
        if step == 0 {
            return Err("the step of a slice must be above 0".to_owned());
        }
        let index = |value: i64| usize::try_from(value).map_err(|_| outside(value));
        Ok((index(start)?, index(end)?, step))
    }
}
