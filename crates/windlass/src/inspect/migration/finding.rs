//! Findings: what is different, and what to do about it.

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// A setting that windlass reads in another way.
    Settings,
    /// A store, signer or log that does not exist yet.
    Unsupported,
    /// The signing key.
    Key,
    /// Repositories for which only the controller has a credential.
    Credentials,
    /// Registries that windlass does not connect to.
    Addresses,
    /// Marks without evidence.
    Marks,
}

impl Topic {
    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Unsupported => "unsupported",
            Self::Key => "key",
            Self::Credentials => "credentials",
            Self::Addresses => "addresses",
            Self::Marks => "marks",
        }
    }
}

/// Something that will be different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) topic: Topic,
    pub(crate) cause: String,
    pub(crate) remedy: String,
    /// The command that does it, if one does.
    pub(crate) command: Option<String>,
}

/// The command that sets one key of a ConfigMap.
pub(super) fn set(namespace: &str, config_map: &str, key: &str, value: &str) -> String {
    let patch = serde_json::json!({ "data": { key: value } }).to_string();
    let (config_map, namespace, patch) = (word(config_map), word(namespace), word(&patch));
    format!("kubectl patch configmap {config_map} -n {namespace} --type merge -p {patch}")
}

/// A word for a POSIX shell, which takes nothing in it for anything else.
pub(super) fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:@=,".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The first few of a list, and how many more there are.
pub(super) fn several(items: impl IntoIterator<Item = impl ToString>) -> String {
    const SHOWN: usize = 5;
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    let shown = items.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    match items.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_a_word_for_nothing_else() {
        assert_eq!(word("r.io:5000/team/app"), "r.io:5000/team/app");
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("'; rm -rf $HOME"), r"''\''; rm -rf $HOME'");
        assert_eq!(word(""), "''");
    }

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(several(["a", "b"]), "a, b");
        assert_eq!(several(1..=7), "1, 2, 3, 4, 5 and 2 more");
    }
}
