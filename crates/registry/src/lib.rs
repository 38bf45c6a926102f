//! OCI distribution client and credential keychain. Empty until image signatures are stored.
