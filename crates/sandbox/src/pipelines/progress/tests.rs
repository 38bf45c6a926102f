//! Tables of small pipelines: what has happened, and what comes next.

use serde_json::{Value, json};

use super::Progress;
use crate::pipelines::facts::{Child, End, Facts, Overdue, PlannedTask, Request};
use crate::pipelines::graph::Graph;
use crate::pipelines::references;
use crate::pipelines::state::State;
use crate::pipelines::verdict::{Names, Verdict};

/// A pipeline in a line: `a b<a !f`; `<` names what a task waits for, `!` is in `finally`.
struct Scene {
    tasks: Vec<PlannedTask>,
    children: Vec<Vec<Child>>,
    waits: Vec<(String, Vec<String>)>,
    request: Option<Request>,
    overdue: Overdue,
}

impl Scene {
    fn new(pipeline: &str) -> Self {
        let mut scene = Self {
            tasks: Vec::new(),
            children: Vec::new(),
            waits: Vec::new(),
            request: None,
            overdue: Overdue::default(),
        };
        for task in pipeline.split_whitespace() {
            let (name, waits) = task.split_once('<').unwrap_or((task, ""));
            let waits: Vec<String> = waits
                .split(',')
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect();
            let plain = name.trim_start_matches('!').to_owned();
            scene.tasks.push(PlannedTask {
                name: plain.clone(),
                is_final: name.starts_with('!'),
                spec: json!({"name": plain}),
            });
            scene.children.push(Vec::new());
            scene.waits.push((plain, waits));
        }
        scene
    }

    fn place(&self, task: &str) -> usize {
        self.tasks.iter().position(|one| one.name == task).unwrap()
    }

    fn with(mut self, task: &str, field: &str, value: Value) -> Self {
        let place = self.place(task);
        for reference in references::results(&value) {
            if !self.tasks[place].is_final {
                self.waits[place].1.push(reference.task);
            }
        }
        self.tasks[place].spec[field] = value;
        self
    }

    /// `a:ok b:failed c:runs d:cancelled e:late`
    fn after(mut self, ends: &str) -> Self {
        for end in ends.split_whitespace() {
            let (task, end) = end.split_once(':').unwrap();
            let end = match end {
                "ok" => Some(End::Succeeded),
                "failed" => Some(End::Failed),
                "cancelled" => Some(End::Cancelled),
                "late" => Some(End::OutOfTime),
                _ => None,
            };
            let place = self.place(task);
            self.children[place].push(Child {
                end,
                reason: "R".to_owned(),
                results: Vec::new(),
            });
        }
        self
    }

    fn result(mut self, task: &str, name: &str, value: Value) -> Self {
        let place = self.place(task);
        let child = self.children[place].last_mut().unwrap();
        child.results.push((name.to_owned(), value));
        self
    }

    fn look<T>(self, seen: impl FnOnce(&Facts<'_>, &Progress) -> T) -> T {
        let graph = Graph::of(&self.waits).unwrap();
        let facts = Facts {
            tasks: &self.tasks,
            graph: &graph,
            children: self.children,
            request: self.request,
            overdue: self.overdue,
        };
        let progress = Progress::of(&facts);
        seen(&facts, &progress)
    }

    /// Each task with its state in a word.
    fn states(self) -> String {
        self.look(|facts, progress| {
            let states = facts.tasks.iter().zip(&progress.states);
            let words = states.map(|(task, state)| {
                let word = match state {
                    State::Waiting => "waits".to_owned(),
                    State::Ready(_) => "ready".to_owned(),
                    State::Running => "runs".to_owned(),
                    State::Succeeded => "ok".to_owned(),
                    State::Failed => "failed".to_owned(),
                    State::IgnoredFailure => "ignored".to_owned(),
                    State::Cancelled => "cancelled".to_owned(),
                    State::Skipped(skip) => format!("{skip:?}"),
                    State::Invalid(_) => "invalid".to_owned(),
                };
                format!("{}:{word}", task.name)
            });
            words.collect::<Vec<_>>().join(" ")
        })
    }

    fn verdict(self) -> (&'static str, &'static str, String) {
        let names = Names {
            run: "r".to_owned(),
            pipeline_timeout: "1h0m0s".to_owned(),
            tasks_timeout: "1s".to_owned(),
        };
        self.look(|facts, progress| {
            let verdict = Verdict::of(facts, progress, &names);
            (verdict.status, verdict.reason, verdict.message)
        })
    }
}

fn never() -> Value {
    json!([{"input": "a", "operator": "in", "values": ["b"]}])
}

#[test]
fn tasks_start_once_those_before_them_have_succeeded() {
    for (pipeline, after, states) in [
        ("a b<a", "", "a:ready b:waits"),
        ("b<a a", "", "b:waits a:ready"),
        ("a b c<a,b", "a:ok b:runs", "a:ok b:runs c:waits"),
        ("a b c<a,b", "a:ok b:ok", "a:ok b:ok c:ready"),
        ("a !f", "a:runs", "a:runs f:waits"),
        ("a !f", "a:ok", "a:ok f:ready"),
        ("a b<a !f", "a:failed", "a:failed b:Stopping f:ready"),
        ("a b c<a", "b:failed a:runs", "a:runs b:failed c:Stopping"),
        ("a !f !g", "a:ok f:failed", "a:ok f:failed g:ready"),
        ("a b<a", "a:cancelled", "a:cancelled b:Stopping"),
        ("a b<a", "a:late", "a:failed b:Stopping"),
    ] {
        assert_eq!(
            Scene::new(pipeline).after(after).states(),
            states,
            "{pipeline} after {after}"
        );
    }
}

#[test]
fn a_when_expression_skips_a_task_and_those_that_need_its_results() {
    let scene = || Scene::new("a b<a c").with("a", "when", never());
    assert_eq!(scene().states(), "a:WhenExpressions b:ready c:ready");
    let refers = json!([{"name": "p", "value": "$(tasks.a.results.r)"}]);
    let scene = scene().with("c", "params", refers);
    assert_eq!(scene.states(), "a:WhenExpressions b:ready c:MissingResults");
    // and those after one that misses its results
    let refers = json!([{"name": "p", "value": "$(tasks.a.results.r)"}]);
    let scene = Scene::new("a b c<b")
        .with("a", "when", never())
        .with("b", "params", refers);
    assert_eq!(
        scene.states(),
        "a:WhenExpressions b:MissingResults c:ParentTasks"
    );
}

#[test]
fn a_when_expression_waits_for_what_it_refers_to() {
    let when = json!([{"input": "$(tasks.a.results.r)", "operator": "in", "values": ["yes"]}]);
    let scene = |after: &str| {
        Scene::new("a b")
            .with("b", "when", when.clone())
            .after(after)
    };
    assert_eq!(scene("").states(), "a:ready b:waits");
    assert_eq!(
        scene("a:ok").result("a", "r", json!("yes")).states(),
        "a:ok b:ready"
    );
    let no = scene("a:ok").result("a", "r", json!("no"));
    assert_eq!(no.states(), "a:ok b:WhenExpressions");
}

#[test]
fn a_result_that_a_finished_task_does_not_have_ends_the_run() {
    let refers = json!([{"name": "p", "value": "$(tasks.a.results.r)"}]);
    let scene = || {
        Scene::new("a b c<b !f")
            .with("b", "params", refers.clone())
            .after("a:ok")
    };
    assert_eq!(scene().states(), "a:ok b:invalid c:Stopping f:ready");
    let (status, reason, message) = scene().after("f:ok").verdict();
    assert_eq!((status, reason), ("False", "PipelineValidationFailed"));
    assert!(
        message.contains("Failed Validation: 1 (Invalid task result reference"),
        "{message}"
    );
}

#[test]
fn an_index_beyond_the_end_of_a_result_is_found_before_the_task_starts() {
    let scene = |index: &str| {
        let refers = json!([
            {"name": "p", "value": "$(tasks.a.results.other)"},
            {"name": "q", "value": format!("x $(tasks.a.results{index}) y")},
        ]);
        let scene = Scene::new("a b !f").with("b", "params", refers.clone());
        let scene = scene.with("f", "params", refers).after("a:ok");
        let scene = scene.result("a", "other", json!("there"));
        scene.result("a", "r", json!(["x", "y"]))
    };
    let found = |scene: Scene| scene.look(|_, progress| progress.index_out_of_bound());
    for index in [".r[2]", ".r[99]", "['r'][2]"] {
        assert_eq!(scene(index).states(), "a:ok b:ready f:waits", "{index}");
        let why = found(scene(index)).unwrap();
        let end = "Task a Result r is out of bound of size 2";
        assert!(
            why.starts_with("array Result Index ") && why.ends_with(end),
            "{why}"
        );
    }
    for index in [".r[1]", "['r'][0]"] {
        assert_eq!(found(scene(index)), None, "{index}");
    }
    // a task in `finally` is skipped
    let ended = || scene(".r[2]").after("b:ok");
    assert_eq!(ended().states(), "a:ok b:ok f:MissingResults");
    assert_eq!(found(ended()), None);
    // the result that does not exist is named, not the first one that is referred to
    let (_, _, message) = scene(".gone").after("f:ok").verdict();
    assert!(
        message.contains("Could not find result with name gone"),
        "{message}"
    );
}

#[test]
fn results_of_every_type_are_filled_in() {
    let params = json!([
        {"name": "text", "value": "<$(tasks.a.results.text)>"},
        {"name": "item", "value": "$(tasks.a.results.list[1])"},
        {"name": "list", "value": "$(tasks.a.results.list[*])"},
        {"name": "object", "value": "$(tasks.a.results.object[*])"},
        {"name": "field", "value": "$(tasks.a.results.object.url)"},
    ]);
    let scene = Scene::new("a b").with("b", "params", params).after("a:ok");
    let scene = scene.result("a", "text", json!("t"));
    let scene = scene.result("a", "list", json!(["x", "y"]));
    let scene = scene.result("a", "object", json!({"url": "u"}));
    scene.look(|_, progress| {
        let State::Ready(spec) = &progress.states[1] else {
            panic!()
        };
        let values: Vec<&Value> = spec["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["value"])
            .collect();
        assert_eq!(
            json!(values),
            json!(["<t>", "y", ["x", "y"], {"url": "u"}, "u"])
        );
    });
}

#[test]
fn a_matrix_is_done_with_its_last_run_and_gives_lists_of_results() {
    let matrix = json!({"params": [{"name": "p", "value": ["1", "2"]}]});
    let scene = |after: &str| {
        let params = json!([
            {"name": "all", "value": "$(tasks.a.results.r[*])"},
            {"name": "size", "value": "$(tasks.a.matrix.r.length) of $(tasks.a.matrix.length)"},
        ]);
        let scene = Scene::new("a b").with("a", "matrix", matrix.clone());
        scene.with("b", "params", params).after(after)
    };
    assert_eq!(scene("a:ok a:runs").states(), "a:runs b:waits");
    assert_eq!(scene("a:failed a:runs").states(), "a:runs b:waits");
    let done = scene("a:ok")
        .result("a", "r", json!("x"))
        .after("a:ok")
        .result("a", "r", json!("y"));
    done.look(|_, progress| {
        let State::Ready(spec) = &progress.states[1] else {
            panic!()
        };
        assert_eq!(spec["params"][0]["value"], json!(["x", "y"]));
        assert_eq!(spec["params"][1]["value"], "2 of 2");
    });
    let empty = Scene::new("a").with(
        "a",
        "matrix",
        json!({"params": [{"name": "p", "value": []}]}),
    );
    assert_eq!(empty.states(), "a:EmptyMatrix");
}

#[test]
fn finally_sees_how_the_tasks_ended() {
    for (after, expected) in [
        ("a:ok b:ok", "Succeeded R Succeeded"),
        ("a:failed", "Failed R Failed"),
        ("a:ok b:cancelled", "Succeeded R Failed"),
    ] {
        let value = "$(tasks.a.status) $(tasks.a.reason) $(tasks.status)";
        let params = json!([{"name": "p", "value": value}]);
        let scene = Scene::new("a b<a !f")
            .with("f", "params", params)
            .after(after);
        scene.look(|_, progress| {
            let State::Ready(spec) = &progress.states[2] else {
                panic!("{after}")
            };
            assert_eq!(spec["params"][0]["value"], expected, "{after}");
        });
    }
    let params =
        json!([{"name": "p", "value": "$(tasks.a.status)$(tasks.a.reason) $(tasks.status)"}]);
    let scene = Scene::new("a !f")
        .with("a", "when", never())
        .with("f", "params", params);
    scene.look(|_, progress| {
        let State::Ready(spec) = &progress.states[1] else {
            panic!()
        };
        assert_eq!(spec["params"][0]["value"], "None Completed");
    });
}

#[test]
fn a_task_in_finally_without_its_results_is_skipped() {
    let refers = json!([{"name": "p", "value": "$(tasks.a.results.r)"}]);
    let scene = Scene::new("a !f !g")
        .with("f", "params", refers)
        .after("a:failed");
    assert_eq!(scene.states(), "a:failed f:MissingResults g:ready");
}

#[test]
fn a_failure_that_is_ignored_lets_the_run_go_on() {
    let scene = |after: &str| {
        Scene::new("a b<a")
            .with("a", "onError", json!("continue"))
            .after(after)
    };
    assert_eq!(scene("a:failed").states(), "a:ignored b:ready");
    let (status, reason, message) = scene("a:failed b:ok").verdict();
    assert_eq!((status, reason), ("True", "Succeeded"));
    assert_eq!(
        message,
        "Tasks Completed: 2 (Failed: 1 (Ignored: 1), Cancelled 0), Skipped: 0"
    );
}

#[test]
fn requests_and_times_decide_what_is_still_started() {
    let mut scene = Scene::new("a b<a !f").after("a:ok");
    scene.request = Some(Request::StopRunFinally);
    assert_eq!(scene.states(), "a:ok b:GracefullyStopped f:ready");
    let mut scene = Scene::new("a b<a !f").after("a:runs");
    scene.request = Some(Request::CancelRunFinally);
    assert_eq!(scene.states(), "a:runs b:GracefullyCancelled f:waits");
    let mut scene = Scene::new("a b<a !f").after("a:ok");
    scene.overdue.tasks = true;
    assert_eq!(scene.states(), "a:ok b:TasksTimeout f:ready");
    let mut scene = Scene::new("a !f !g").after("a:ok f:late");
    scene.overdue.finally = true;
    assert_eq!(scene.states(), "a:ok f:failed g:FinallyTimeout");
}

#[test]
fn the_condition_tells_how_the_run_stands_in_tektons_words() {
    let counts = |done: usize, failed: usize, cancelled: usize, skipped: usize| {
        format!(
            "Tasks Completed: {done} (Failed: {failed}, Cancelled {cancelled}), Skipped: {skipped}"
        )
    };
    for (pipeline, after, status, reason, message) in [
        (
            "a b<a",
            "a:ok b:ok",
            "True",
            "Succeeded",
            counts(2, 0, 0, 0),
        ),
        ("a b<a", "a:failed", "False", "Failed", counts(1, 1, 0, 1)),
        (
            "a b<a",
            "a:cancelled",
            "False",
            "Cancelled",
            counts(1, 0, 1, 1),
        ),
        (
            "a !f",
            "a:ok f:failed",
            "False",
            "Failed",
            counts(2, 1, 0, 0),
        ),
        ("a b", "a:ok b:late", "False", "Failed", counts(2, 1, 0, 0)),
    ] {
        let found = Scene::new(pipeline).after(after).verdict();
        assert_eq!(found, (status, reason, message), "{pipeline} after {after}");
    }
    for (pipeline, after, reason, failed, incomplete) in [
        ("a b<a", "a:runs", "Running", 0, 2),
        ("a b", "a:failed b:runs", "PipelineRunStopping", 1, 1),
        ("a b !f", "a:failed b:runs", "Running", 1, 2),
    ] {
        let found = Scene::new(pipeline).after(after).verdict();
        let message = format!(
            "Tasks Completed: {failed} (Failed: {failed}, Cancelled 0), Incomplete: {incomplete}, Skipped: 0"
        );
        assert_eq!(
            found,
            ("Unknown", reason, message),
            "{pipeline} after {after}"
        );
    }
    let skipped = Scene::new("a b")
        .with("a", "when", never())
        .after("b:ok")
        .verdict();
    assert_eq!(skipped, ("True", "Completed", counts(1, 0, 0, 1)));
}

#[test]
fn a_run_that_was_stopped_or_is_late_says_so() {
    let mut scene = Scene::new("a b<a !f").after("a:ok f:ok");
    scene.request = Some(Request::StopRunFinally);
    assert_eq!(
        scene.verdict(),
        (
            "False",
            "Cancelled",
            "PipelineRun \"r\" was cancelled".to_owned()
        )
    );
    let mut scene = Scene::new("a").after("a:runs");
    scene.overdue.pipeline = true;
    let message = "PipelineRun \"r\" failed to finish within \"1h0m0s\"".to_owned();
    assert_eq!(scene.verdict(), ("False", "PipelineRunTimeout", message));
    let mut scene = Scene::new("a !f").after("a:late f:runs");
    scene.overdue.tasks = true;
    assert_eq!(scene.verdict().1, "PipelineRunTimeoutRunningFinally");
    let mut scene = Scene::new("a !f").after("a:late f:ok");
    scene.overdue.tasks = true;
    let message = "PipelineRun \"r\" failed due to tasks failed to finish within \"1s\"".to_owned();
    assert_eq!(scene.verdict(), ("False", "PipelineRunTimeout", message));
}
