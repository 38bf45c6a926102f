//! The reference of the configuration: every key that is read, with its values and its default, as the
//! reader of the ConfigMaps itself notes them.

/// A key of a ConfigMap.
///
/// ```
/// let keys = windlass_core::config::reference();
/// let format = keys.iter().find(|key| key.key == "artifacts.taskrun.format");
/// assert_eq!(format.map(|key| key.default.as_str()), Some("in-toto"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigKey {
    /// The ConfigMap that has it.
    pub config_map: &'static str,
    /// Its name.
    pub key: &'static str,
    /// Its values, each as it is written, or in words.
    pub values: Vec<String>,
    /// What counts if it is absent; empty for nothing.
    pub default: String,
}

/// A value in words, which is no value itself.
pub(super) fn words(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

/// Values as they are written.
pub(super) fn literals<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    names.into_iter().map(|name| format!("`{name}`")).collect()
}
