//! The story of a build as lines for people: labels and values, in the order in which they are asked.

use windlass_core::verify::{Listed, Material, Story};

/// Most things of a list that are shown to a person.
const SHOWN: usize = 10;
/// What is said of what the author of the run chose.
const CLAIMED: &str = " (claimed by the run)";

/// The lines of a story. Values are as they were signed: make them safe where they are shown.
pub(super) fn lines(story: &Story) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    lines.push(("built by", builder(story)));
    for product in shown(&story.products) {
        lines.push(("built", product));
    }
    if let Some(definition) = &story.definition {
        let told = format!("{} (recorded by the resolver)", material(definition));
        lines.push(("definition", told));
    }
    let more = [
        ("builder", Some(&story.builder).filter(|id| !id.is_empty())),
        ("account", story.account.as_ref()),
    ];
    for (label, value) in more {
        lines.extend(value.map(|value| (label, value.clone())));
    }
    lines.extend(time(story).map(|time| ("time", time)));
    for source in shown(&story.sources) {
        lines.push(("source", source + CLAIMED));
    }
    if story.sources.shown.is_empty() {
        lines.push(("source", "none is named".to_owned()));
    }
    for image in shown(&story.images) {
        lines.push(("step image", image));
    }
    lines
}

/// The run, with its pipeline and tasks.
fn builder(story: &Story) -> String {
    let mut text = story.kind.words().to_owned();
    if let Some(name) = story.run.as_ref().or(story.uid.as_ref()) {
        text = format!("{text} {name}");
    }
    if let Some(pipeline) = &story.pipeline {
        text = format!("{text}, pipeline {pipeline}");
    }
    match &story.tasks[..] {
        [] => {}
        [task] => text = format!("{text}, task {task}"),
        tasks => {
            let more = tasks.len().saturating_sub(SHOWN);
            let names = tasks[..tasks.len() - more].join(", ");
            text = format!("{text}, tasks {names}{}", and_more(more));
        }
    }
    let is_named = story.pipeline.is_some() || !story.tasks.is_empty();
    text + if is_named { CLAIMED } else { "" }
}

fn time(story: &Story) -> Option<String> {
    match (&story.started, &story.finished) {
        (Some(started), Some(finished)) => Some(format!("{started} to {finished}")),
        (Some(started), None) => Some(format!("from {started}")),
        (None, Some(finished)) => Some(format!("until {finished}")),
        (None, None) => None,
    }
}

/// Something with its digest.
pub(super) fn material(material: &Material) -> String {
    let mut text = material.uri.clone();
    for (algorithm, hex) in material.digests.iter().take(1) {
        text = format!("{text}@{algorithm}:{hex}");
    }
    if !material.path.is_empty() {
        text = format!("{text}#{}", material.path);
    }
    text
}

fn shown(listed: &Listed) -> Vec<String> {
    let mut shown: Vec<String> = listed.shown.iter().take(SHOWN).map(material).collect();
    let more = listed.shown.len() - shown.len() + listed.more;
    if let (Some(last), 1..) = (shown.last_mut(), more) {
        last.push_str(&and_more(more));
    }
    shown
}

fn and_more(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(" and {count} more"),
    }
}
