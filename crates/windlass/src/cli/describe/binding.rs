//! What a workspace is bound to, in the words of `tkn`.

use std::fmt::Write as _;

use serde_json::Value;

use super::field;
use crate::cli::output::clean;

/// The first kind of volume that a workspace names.
pub(super) fn binding(workspace: &Value) -> String {
    let named = |pointer: &str| clean::short(field::text(workspace, pointer));
    let is = |source: &str| workspace.get(source).is_some_and(Value::is_object);
    if is("volumeClaimTemplate") {
        "VolumeClaimTemplate".to_owned()
    } else if is("persistentVolumeClaim") {
        let claim = named("/persistentVolumeClaim/claimName");
        format!("PersistentVolumeClaim (claimName={claim})")
    } else if is("emptyDir") {
        format!("EmptyDir (emptyDir={})", named("/emptyDir/medium"))
    } else if is("configMap") {
        let items = items(workspace, "/configMap/items");
        format!("ConfigMap (config={}{items})", named("/configMap/name"))
    } else if is("secret") {
        let items = items(workspace, "/secret/items");
        format!("Secret (secret={}{items})", named("/secret/secretName"))
    } else if is("csi") {
        format!("CSI (Driver={})", named("/csi/driver"))
    } else if is("projected") {
        "Projected".to_owned()
    } else {
        String::new()
    }
}

/// The keys of a ConfigMap or Secret, with the path of each.
fn items(workspace: &Value, pointer: &str) -> String {
    let mut text = String::new();
    for item in field::list(workspace, pointer) {
        let part = |name| clean::short(field::text(item, name));
        let _ = write!(text, ",item={}={}", part("/key"), part("/path"));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_volume_is_named_with_what_it_holds() {
        for (workspace, expected) in [
            (json!({"emptyDir": {}}), "EmptyDir (emptyDir=)"),
            (
                json!({"emptyDir": {"medium": "Memory"}}),
                "EmptyDir (emptyDir=Memory)",
            ),
            (
                json!({"persistentVolumeClaim": {"claimName": "c"}}),
                "PersistentVolumeClaim (claimName=c)",
            ),
            (
                json!({"configMap": {"name": "c", "items": [{"key": "k", "path": "p"}]}}),
                "ConfigMap (config=c,item=k=p)",
            ),
            (json!({"secret": {"secretName": "s"}}), "Secret (secret=s)"),
            (json!({"csi": {"driver": "d"}}), "CSI (Driver=d)"),
            (json!({"volumeClaimTemplate": {}}), "VolumeClaimTemplate"),
            (json!({"projected": {}}), "Projected"),
            (json!({}), ""),
        ] {
            assert_eq!(binding(&workspace), expected);
        }
    }
}
