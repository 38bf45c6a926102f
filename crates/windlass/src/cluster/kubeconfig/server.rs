//! The address of the API server in a kubeconfig, completed as client-go completes it, and refused where
//! no request could be sent to it.

use http::Uri;
use kube::config::{Cluster, KubeConfigOptions, Kubeconfig, NamedContext};

/// Puts a scheme before every address that has none: `https` where the cluster or the user of the context
/// says something about TLS, else `http`.
pub(super) fn complete(file: &mut Kubeconfig, options: &KubeConfigOptions) {
    let has_certificate = has_certificate(file, options);
    for cluster in &mut file.clusters {
        let Some(cluster) = &mut cluster.cluster else {
            continue;
        };
        let has_tls = has_certificate || speaks_tls(cluster);
        if let Some(server) = &mut cluster.server {
            *server = completed(server, has_tls);
        }
    }
}

/// An address with a scheme.
pub(in crate::cluster) fn completed(server: &str, has_tls: bool) -> String {
    let is_whole = server.contains("://") || server.is_empty();
    match (is_whole, has_tls) {
        (true, _) => server.to_owned(),
        (false, true) => format!("https://{server}"),
        (false, false) => format!("http://{server}"),
    }
}

/// Whether requests can be sent to this address.
pub(in crate::cluster) fn is_usable(url: &Uri) -> bool {
    let has_scheme = matches!(url.scheme_str(), Some("http" | "https"));
    // a port that is too large is none
    let authority = url.authority().map(http::uri::Authority::as_str);
    let port = authority.and_then(|text| text.rsplit_once(':'));
    let has_port = port.is_some_and(|(_, port)| !port.contains(']'));
    has_scheme
        && url.host().is_some_and(|host| !host.is_empty())
        && (!has_port || url.port_u16().is_some())
}

/// An address without the name and the password that it may have.
pub(in crate::cluster) fn shown(url: &Uri) -> String {
    let scheme = url.scheme_str().unwrap_or_default();
    let authority = url.authority().map_or("", http::uri::Authority::as_str);
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", url.path())
}

fn speaks_tls(cluster: &Cluster) -> bool {
    cluster.certificate_authority.is_some()
        || cluster.certificate_authority_data.is_some()
        || cluster.insecure_skip_tls_verify == Some(true)
}

/// Whether the user of the context shows a certificate.
fn has_certificate(file: &Kubeconfig, options: &KubeConfigOptions) -> bool {
    let user = user(file, options);
    let mut infos = file.auth_infos.iter();
    let info = infos.find(|info| Some(info.name.as_str()) == user.as_deref());
    info.and_then(|info| info.auth_info.as_ref())
        .is_some_and(|info| {
            info.client_certificate.is_some() || info.client_certificate_data.is_some()
        })
}

/// The user of the context, empty where it names none.
pub(super) fn user(file: &Kubeconfig, options: &KubeConfigOptions) -> Option<String> {
    let chosen = options.context.as_ref().or(file.current_context.as_ref())?;
    let is_chosen = |known: &&NamedContext| known.name == *chosen;
    let context = file.contexts.iter().find(is_chosen)?.context.as_ref();
    context.and_then(|context| context.user.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_completed_and_one_without_a_place_is_refused() {
        for (server, has_tls, expected) in [
            ("127.0.0.1:6443", true, Some("https://127.0.0.1:6443/")),
            ("localhost", false, Some("http://localhost/")),
            (
                "api.example.com/prefix",
                true,
                Some("https://api.example.com/prefix"),
            ),
            ("[::1]:6443", true, Some("https://[::1]:6443/")),
            ("https://[::1]/", false, Some("https://[::1]/")),
            ("https://api:6443", false, Some("https://api:6443/")),
            ("https://api:99999", true, None),
            ("https://", true, None),
            ("/", true, None),
            ("ftp://api", true, None),
            ("", true, None),
        ] {
            let url = completed(server, has_tls).parse::<Uri>().ok();
            let url = url.filter(is_usable).map(|url| url.to_string());
            assert_eq!(url.as_deref(), expected, "{server}");
        }
    }

    #[test]
    fn an_address_is_shown_without_a_password() {
        let shown = |url: &str| shown(&url.parse().unwrap());
        assert_eq!(
            shown("https://name:secret@api:6443/x"),
            "https://api:6443/x"
        );
        assert_eq!(shown("https://api:6443"), "https://api:6443/");
        assert_eq!(shown("https://api/a@b"), "https://api/a@b");
    }
}
