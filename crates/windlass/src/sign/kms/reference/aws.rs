//! `awskms://[HOST]/ID`: a key of AWS KMS. ID is a key id, an alias as `alias/NAME`, or the ARN of
//! either. HOST is an endpoint, reached over https.

use std::fmt;

use super::error::ReferenceError;
use super::word::is_word;

pub(crate) const SCHEME: &str = "awskms://";
const FORM: &str =
    "awskms:///ID, awskms:///alias/NAME or awskms:///arn:aws:kms:REGION:ACCOUNT:key/ID";

/// A key of AWS KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsKey {
    /// Host, and port if there is one, of an endpoint other than the region's own.
    pub(crate) endpoint: Option<String>,
    /// What the service calls `KeyId`: an id, `alias/NAME`, or an ARN.
    pub(crate) id: String,
}

impl AwsKey {
    pub(super) fn parse(rest: &str) -> Result<Self, ReferenceError> {
        let malformed = |why| ReferenceError::Malformed {
            scheme: SCHEME,
            why,
            form: FORM,
        };
        let (host, id) = rest
            .split_once('/')
            .ok_or(malformed("no `/` ends the host"))?;
        if !host.is_empty() && !is_word(host, b".-:[]") {
            return Err(malformed("the endpoint is no host"));
        }
        let is_id = match id.strip_prefix("arn:") {
            Some(arn) => is_arn(arn),
            None => is_alias(id) || is_word(id, b"-"),
        };
        if !is_id {
            return Err(malformed(
                "what follows the host is no key id, alias or ARN",
            ));
        }
        Ok(Self {
            endpoint: (!host.is_empty()).then(|| host.to_owned()),
            id: id.to_owned(),
        })
    }
}

impl fmt::Display for AwsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.endpoint.as_deref().unwrap_or_default();
        write!(f, "{host}/{}", self.id)
    }
}

fn is_alias(text: &str) -> bool {
    let name = text.strip_prefix("alias/");
    name.is_some_and(|name| is_word(name, b"/_-"))
}

/// `PARTITION:kms:REGION:ACCOUNT:key/ID`, or `alias/NAME` at its end.
fn is_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(5, ':').collect();
    let [partition, "kms", region, account, resource] = parts[..] else {
        return false;
    };
    let is_key = resource
        .strip_prefix("key/")
        .is_some_and(|id| is_word(id, b"-"));
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_partition = partition.starts_with("aws") && is_word(partition, b"-");
    is_partition && is_word(region, b"-") && is_account && (is_key || is_alias(resource))
}
