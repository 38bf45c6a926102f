//! A trace as a picture, and as a page around it.
//!
//! Every text in it was chosen by whoever signed or wrote a run: it is escaped as XML, and there is no
//! link, script, style or file from elsewhere in the result.

use std::fmt::Write as _;

use super::layout::{LINE, Layout, Placed, WIDTH};
use crate::cli::output::clean;
use crate::cli::story;
use crate::inspect::trace::{Node, State, Trace};

const STYLE: &str = "text{font:13px ui-sans-serif,system-ui,sans-serif;fill:#1b1f24}\
    rect{fill:#fff;stroke-width:1.5}path{fill:none;stroke:#6e7781;stroke-width:1.2}\
    .h{font-weight:600}.e{font-size:11px;fill:#57606a}";

/// The picture.
pub(super) fn picture(trace: &Trace) -> String {
    let layout = Layout::of(trace);
    let Layout { width, height, .. } = layout;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" style=\"fill:#f6f8fa\"/>\n"
    );
    for edge in &trace.edges {
        if let (Some(from), Some(to)) = (layout.boxes.get(edge.from), layout.boxes.get(edge.to)) {
            add_edge(&mut text, from, to, edge.role.name());
        }
    }
    for (node, placed) in trace.nodes.iter().zip(&layout.boxes) {
        add_box(&mut text, node, placed);
    }
    text + "</svg>\n"
}

/// The page.
pub(super) fn page(trace: &Trace) -> String {
    let title = trace.nodes.first().map_or("", |root| root.name.as_str());
    let title = xml(title);
    let verdict = if trace.is_verified() {
        "verified"
    } else {
        "not verified"
    };
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{title}</title>\n\
         <style>body{{font:15px system-ui,sans-serif;margin:2rem}}td{{padding:.2rem .8rem .2rem 0;\
         vertical-align:top}}.p{{overflow:auto}}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <p>{verdict}</p>\n<div class=\"p\">\n{}</div>\n",
        picture(trace)
    );
    for node in &trace.nodes {
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "<h2>{}: {}</h2>\n<table>",
            node.kind.name(),
            xml(&node.name)
        );
        for (label, value) in facts(node) {
            let value = xml(&value);
            let _ = writeln!(text, "<tr><td>{label}</td><td>{value}</td></tr>");
        }
        text.push_str("</table>\n");
    }
    if trace.left_out > 0 {
        let _ = writeln!(text, "<p>{} more are not shown</p>", trace.left_out);
    }
    text + "</body>\n</html>\n"
}

fn facts(node: &Node) -> Vec<(&'static str, String)> {
    let mut facts = vec![("state", node.state.name().to_owned())];
    facts.extend(node.state.reason().map(|why| ("reason", why.to_owned())));
    facts.extend(node.digest.clone().map(|digest| ("digest", digest)));
    if let Some(told) = &node.told {
        facts.extend(story::lines(&told.story));
        facts.push(("signed with", told.key.clone()));
        facts.push(("found in", told.place.clone()));
    }
    facts
}

fn add_edge(text: &mut String, from: &Placed, to: &Placed, role: &str) {
    let (x1, y1) = (from.x + WIDTH, from.y + from.height / 2);
    let (x2, y2) = (to.x, to.y + to.height / 2);
    let middle = usize::midpoint(x1, x2);
    let (x, y) = (middle, usize::midpoint(y1, y2).saturating_sub(4));
    // writing to a string cannot fail
    let _ = writeln!(
        text,
        "<path d=\"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}\"/>\
         <text class=\"e\" text-anchor=\"middle\" x=\"{x}\" y=\"{y}\">{role}</text>"
    );
}

fn add_box(text: &mut String, node: &Node, placed: &Placed) {
    let Placed {
        x,
        y,
        height,
        lines,
    } = placed;
    let (colour, dash) = match &node.state {
        State::Verified => ("#1a7f37", ""),
        State::Claimed => ("#6e7781", " stroke-dasharray=\"5 3\""),
        State::Unverified(_) => ("#bf8700", ""),
        State::Unread(_) | State::Beyond(_) => ("#cf222e", " stroke-dasharray=\"2 3\""),
    };
    // writing to a string cannot fail
    let _ = writeln!(
        text,
        "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{height}\" \
         rx=\"6\" stroke=\"{colour}\"{dash}/>",
        xml(&node.name)
    );
    for (number, line) in lines.iter().enumerate() {
        let (x, y) = (x + 10, y + LINE * (number + 1));
        let class = if number == 0 { " class=\"h\"" } else { "" };
        let line = xml(line);
        let _ = writeln!(text, "<text{class} x=\"{x}\" y=\"{y}\">{line}</text>");
    }
    text.push_str("</g>\n");
}

/// Text in XML and HTML, in an element or an attribute.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in clean::line(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // no characters of XML
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_place() {
        let escaped = xml("</text><script>alert('x')&\"\u{1b}[0m\u{202e}\u{ffff}");
        assert!(!escaped.contains(['<', '>', '"', '\'', '\u{1b}', '\u{202e}', '\u{ffff}']));
        assert!(
            escaped.starts_with("&lt;/text&gt;&lt;script&gt;"),
            "{escaped}"
        );
    }
}
