//! The requests that an API server has seen, by verb, from its own counters.

use std::collections::BTreeMap;

use anyhow::Result;
use windlass_e2e::Api;

/// The counter of the API server.
const COUNTER: &str = "apiserver_request_total{";
/// What a controller of runs asks for.
const RESOURCES: [&str; 6] = [
    "taskruns",
    "pipelineruns",
    "events",
    "secrets",
    "serviceaccounts",
    "configmaps",
];
/// Verbs that change something.
const WRITES: [&str; 4] = ["PATCH", "APPLY", "PUT", "POST"];

/// How many requests of each verb there were. What runs are made with is left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests(BTreeMap<String, u64>);

impl Requests {
    /// All so far.
    pub(crate) async fn read(api: &Api) -> Result<Self> {
        Ok(Self::parse(&api.text("/metrics").await?))
    }

    fn parse(text: &str) -> Self {
        let mut requests = BTreeMap::<String, u64>::new();
        for line in text.lines().filter_map(|line| line.strip_prefix(COUNTER)) {
            let Some((labels, value)) = line.rsplit_once("} ") else {
                continue;
            };
            let label = |name: &str| {
                let begin = labels.find(&format!("{name}=\""))? + name.len() + 2;
                labels[begin..].split('"').next()
            };
            let (resource, verb) = (label("resource"), label("verb").unwrap_or_default());
            let is_of_runs = matches!(resource, Some("taskruns" | "pipelineruns"));
            let makes_runs = label("subresource") == Some("status") || verb == "POST";
            let is_theirs = resource.is_some_and(|resource| RESOURCES.contains(&resource));
            if !is_theirs || is_of_runs && makes_runs {
                continue;
            }
            // a float, as all values are
            let count = value.split('.').next().unwrap_or_default().parse::<u64>();
            *requests.entry(verb.to_owned()).or_default() += count.unwrap_or_default();
        }
        Self(requests)
    }

    /// How many there were since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let counts = self.0.iter().map(|(verb, count)| {
            let before = earlier.0.get(verb).copied().unwrap_or_default();
            (verb.clone(), count.saturating_sub(before))
        });
        Self(counts.filter(|(_, count)| *count > 0).collect())
    }

    pub(crate) fn writes(&self) -> u64 {
        WRITES.iter().filter_map(|verb| self.0.get(*verb)).sum()
    }

    /// Every verb with its count.
    pub(crate) fn text(&self) -> String {
        let counts = self.0.iter().map(|(verb, count)| format!("{verb} {count}"));
        counts.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_that_make_runs_are_not_the_controllers() {
        let text = r#"# TYPE apiserver_request_total counter
apiserver_request_total{code="200",resource="taskruns",subresource="",verb="PATCH"} 7
apiserver_request_total{code="409",resource="taskruns",subresource="",verb="PATCH"} 1
apiserver_request_total{code="200",resource="taskruns",subresource="status",verb="PATCH"} 90
apiserver_request_total{code="201",resource="taskruns",subresource="",verb="POST"} 90
apiserver_request_total{code="201",resource="events",subresource="",verb="POST"} 2
apiserver_request_total{code="200",resource="leases",subresource="",verb="PUT"} 50
"#;
        let requests = Requests::parse(text);
        assert_eq!(requests.text(), "PATCH 8, POST 2");
        assert_eq!(requests.writes(), 10);
        assert_eq!(requests.since(&requests).text(), "");
    }
}
