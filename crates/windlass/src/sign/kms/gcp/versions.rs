//! The versions of a key: which one is meant where the reference names none.

use serde::Deserialize;

use super::line::Line;
use super::operation::operation;
use crate::sign::kms::error::KmsError;

/// Versions in one response.
const PAGE: usize = 200;
/// Most responses that are read.
const PAGES: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    crypto_key_versions: Vec<Version>,
    #[serde(default)]
    next_page_token: String,
}

#[derive(Deserialize)]
struct Version {
    name: String,
    state: String,
}

/// The newest version of a key that is enabled, `KEY/cryptoKeyVersions/N`.
pub(super) async fn newest(line: &Line, key: &str) -> Result<String, KmsError> {
    let list = operation(
        "list the versions of",
        key,
        "cloudkms.cryptoKeyVersions.list",
    );
    let (mut newest, mut token) = (None, String::new());
    for _ in 0..PAGES {
        let page: Page = line.call(&list, &path(key, &token), None).await?;
        let numbers = page.crypto_key_versions.iter();
        let numbers = numbers.filter_map(|version| number(key, version));
        newest = numbers.chain(newest).max();
        token = page.next_page_token;
        if token.is_empty() {
            return newest
                .map(|number| format!("{key}/cryptoKeyVersions/{number}"))
                .ok_or_else(|| list.unusable("no version of it is enabled; enable or create one"));
        }
    }
    Err(list.failed(&format!(
        "there are more than {} of them; name one with /cryptoKeyVersions/N",
        PAGE * PAGES
    )))
}

fn path(key: &str, token: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("filter", "state=ENABLED")
        .append_pair("orderBy", "name desc")
        .append_pair("pageSize", &PAGE.to_string())
        .append_pair("pageToken", token)
        .finish();
    format!("{key}/cryptoKeyVersions?{query}")
}

/// The number of an enabled version of this key.
fn number(key: &str, version: &Version) -> Option<u64> {
    let number = version.name.strip_prefix(key)?;
    let number = number.strip_prefix("/cryptoKeyVersions/")?;
    number.parse().ok().filter(|_| version.state == "ENABLED")
}
