//! One operation of AWS KMS.

use crate::sign::kms::operation::Operation;

/// A call of an operation of the service, for one key.
pub(super) struct Call {
    /// The service's name of the operation.
    pub(super) name: &'static str,
    pub(super) operation: Operation,
}

impl Call {
    pub(super) fn new(name: &'static str, verb: &str, key: &str) -> Self {
        // a permission has the name of its operation
        let permission = format!(
            "kms:{name} on the key to this identity, in its IAM policy or in the policy of the key"
        );
        let operation = Operation::new(verb, key, permission);
        Self { name, operation }
    }
}
