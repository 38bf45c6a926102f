//! Lists in pages: tags, and the next page of any list.
//! Source: OCI distribution specification 1.1, "Listing Tags"; RFC 8288 for the header `Link`.

use http::Method;
use http::header::LINK;
use serde::Deserialize;

use super::call::Call;
use super::send::Remote;
use crate::error::Error;
use crate::http::{Place, Response, is_same_origin};

/// Tags of a page, if the registry honours it.
const PAGE: usize = 1000;

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Remote {
    /// The tags of the repository, in the registry's order; none if the repository does not exist.
    pub async fn tags(&self) -> Result<Vec<String>, Error> {
        let limits = &self.session.options.limits;
        let mut call = Call::new(Method::GET, format!("tags/list?n={PAGE}"), "list tags")
            .expect(&[200, 404])
            .limit(limits.manifest);
        let mut tags = Vec::new();
        let mut bytes = 0;
        loop {
            let response = self.send(&call).await?;
            if response.status == 404 {
                return Ok(tags);
            }
            let page: Tags =
                serde_json::from_slice(&response.body).map_err(|_| Error::Malformed {
                    at: self.at(&call.doing),
                    what: "the list of tags is not JSON with tags".to_owned(),
                })?;
            let page = page.tags.unwrap_or_default();
            let is_empty = page.is_empty();
            tags.extend(page);
            bytes += response.body.len();
            self.check_extent(&call.doing, tags.len(), bytes)?;
            match self.next_page(&call.doing, &response)? {
                Some(next) if !is_empty => call = call.at(next),
                _ => return Ok(tags),
            }
        }
    }

    /// Refuses a list with too many entries or bytes: its pages need not end.
    pub(super) fn check_extent(
        &self,
        doing: &str,
        entries: usize,
        bytes: usize,
    ) -> Result<(), Error> {
        let limits = &self.session.options.limits;
        if entries > limits.entries {
            return Err(Error::TooMany {
                at: self.at(doing),
                limit: limits.entries,
            });
        }
        if bytes > limits.list {
            return Err(Error::ListTooLarge {
                at: self.at(doing),
                limit: limits.list,
            });
        }
        Ok(())
    }

    /// The place of the next page: the link with the relation `next`, at the same origin.
    pub(crate) fn next_page(
        &self,
        doing: &str,
        response: &Response,
    ) -> Result<Option<Place>, Error> {
        let mut links = response.headers.get_all(LINK).iter();
        let next = links.find_map(|link| next_link(link.to_str().ok()?));
        let Some(next) = next else {
            return Ok(None);
        };
        let here = &response.from.place.url;
        let next = here.join(next).map_err(|_| Error::Malformed {
            at: self.at(doing),
            what: "the Link to the next page is not a URL".to_owned(),
        })?;
        let http = &self.session.http;
        let next = http.hop(&self.at(doing), &self.tenant, &response.from, next)?;
        if !is_same_origin(&next.url, here) {
            let why = "the next page is at another host";
            return Err(crate::http::unfollowed(&self.at(doing), &next.url, why));
        }
        Ok((next.url != *here).then_some(next))
    }
}

/// The target of a link whose relation is `next`.
fn next_link(link: &str) -> Option<&str> {
    let (target, params) = link.trim_start().strip_prefix('<')?.split_once('>')?;
    let mut params = params.split(';').map(str::trim);
    let is_next = params.any(|param| {
        let relation = param
            .split_once('=')
            .filter(|(name, _)| name.trim() == "rel");
        relation.is_some_and(|(_, value)| value.trim().trim_matches('"') == "next")
    });
    is_next.then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_to_the_next_page_is_read() {
        assert_eq!(
            next_link(r#"</v2/a?n=1&last=b>; rel="next""#),
            Some("/v2/a?n=1&last=b")
        );
        assert_eq!(next_link("<x>;rel=next"), Some("x"));
        assert_eq!(next_link("<x>; rel=prev"), None);
        assert_eq!(next_link("x; rel=next"), None);
    }
}
