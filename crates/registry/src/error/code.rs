//! The codes of errors that registries and token endpoints are known to send. Only these are repeated
//! where others read: any other text may be made of what the registry was sent.
//! Sources: OCI distribution specification 1.1, "Error Codes"; CNCF Distribution, `errcode`; RFC 6749,
//! section 5.2.

const KNOWN: [&str; 28] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DENIED",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "MANIFEST_UNVERIFIED",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "PAGINATION_NUMBER_INVALID",
    "RANGE_INVALID",
    "SIZE_INVALID",
    "TAG_INVALID",
    "TOOMANYREQUESTS",
    "UNAUTHORIZED",
    "UNAVAILABLE",
    "UNKNOWN",
    "UNSUPPORTED",
    "FORBIDDEN",
    "NOT_FOUND",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
];

/// The known code that a text is.
pub(super) fn known(text: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| *known == text)
}
