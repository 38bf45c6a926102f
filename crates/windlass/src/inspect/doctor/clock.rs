//! Whether the clock of this machine agrees with the API server's. In a pod it is the controller's own,
//! by which cloud tokens and certificates are judged.

use http::header::DATE;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use kube::Client;
use windlass_core::run::Kind;

use super::finding::{Finding, Help, Level};
use crate::cluster::call::Call;
use crate::cluster::runs::collection;

const AREA: &str = "clock";
/// Seconds that two clocks may be apart: the time of a response is told in whole ones.
const TOLERANCE: i64 = 30;

pub(super) async fn skew(client: &Client) -> Option<Finding> {
    let path = collection(Kind::Task, None).query(&[("limit", "1")]);
    let call = Call::get("ask for the time".to_owned(), path);
    // an error is told by the findings on Tekton
    let headers = call.headers(client).await.ok()?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| rfc2822::parse(date).ok()) else {
        let help = Help::new(
            "a response has no date, or something between here and there takes it away",
            "compare the clocks yourself",
            "kubectl get --raw /version -v=8 2>&1 | grep Date: ; date -u",
        );
        let what = "the API server does not tell its time";
        return Some(Finding::new(AREA, Level::Unknown, what, help));
    };
    let skew = Timestamp::now().as_second() - theirs.timestamp().as_second();
    Some(judge(skew))
}

/// What it means that this machine is so many seconds ahead.
fn judge(skew: i64) -> Finding {
    if skew.abs() <= TOLERANCE {
        return Finding::ok(AREA, "this machine and the API server agree on the time");
    }
    let order = if skew > 0 { "ahead of" } else { "behind" };
    let what = format!("this machine is {} s {order} the API server", skew.abs());
    let help = Help::new(
        "tokens and certificates look expired or not yet valid",
        "synchronize the clocks of this machine and of the nodes",
        "chronyc tracking",
    );
    Finding::new(AREA, Level::Problem, what, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_with_the_direction() {
        assert_eq!(judge(TOLERANCE).level, Level::Ok);
        assert_eq!(judge(-TOLERANCE).level, Level::Ok);
        assert!(judge(31).what.contains("31 s ahead of"));
        assert!(judge(-3600).what.contains("3600 s behind"));
    }
}
