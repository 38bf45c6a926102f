//! The names of a server on loopback, and the requests that mean it.
//!
//! Every web page that somebody opens on the same machine can reach such a server: through a name of
//! its own that resolves to 127.0.0.1, or with a request that needs no consent of the server, such
//! as a form. A browser states both, the name in `Host` and the page in `Origin`. No client of
//! these servers is a web page.

use std::net::SocketAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

/// What clients call a server: a host, with its port unless that is the scheme's own.
#[derive(Debug)]
pub(crate) struct Names(Vec<String>);

/// Why a request does not mean the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misdirected {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Names {
    /// The names of a server that listens at `address`: the address itself, `localhost`, and `more`,
    /// with their ports.
    pub(crate) fn new(address: SocketAddr, scheme: &str, more: &[String]) -> Self {
        let (ip, port) = (address.ip().to_string(), address.port());
        let is_own = matches!((scheme, port), ("http", 80) | ("https", 443));
        let mut names = more.to_vec();
        for host in [ip, "localhost".to_owned()] {
            names.push(format!("{host}:{port}"));
            if is_own {
                names.push(host);
            }
        }
        Self(names)
    }

    /// Refuses a request to another server, and any from a web page.
    pub(crate) fn admit(&self, parts: &Parts) -> Result<(), Misdirected> {
        if parts.headers.contains_key(ORIGIN) {
            return Err(Misdirected {
                status: StatusCode::FORBIDDEN,
                message: "the request has the header Origin; web pages may not use this server"
                    .to_owned(),
            });
        }
        let text = |host: &HeaderValue| host.to_str().unwrap_or_default().to_owned();
        let stated = parts.headers.get_all(HOST).iter().map(text);
        let authority = parts.uri.authority().map(ToString::to_string);
        let stated: Vec<_> = stated.chain(authority).collect();
        if !stated.is_empty() && stated.iter().all(|host| self.contain(host)) {
            return Ok(());
        }
        Err(Misdirected {
            status: StatusCode::MISDIRECTED_REQUEST,
            message: format!(
                "the request is for another host; this server is {}",
                self.0.join(" or ")
            ),
        })
    }

    fn contain(&self, host: &str) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn names(scheme: &str, port: u16) -> Names {
        Names::new(
            SocketAddr::from(([127, 0, 0, 1], port)),
            scheme,
            &["registry.test".to_owned(), "registry.test:5000".to_owned()],
        )
    }

    fn status(names: &Names, uri: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let refused = names.admit(&parts).err();
        refused.map_or(200, |refused| refused.status.as_u16())
    }

    #[test]
    fn a_server_responds_to_its_own_names_and_port_only() {
        let names = names("http", 5000);
        for host in [
            "127.0.0.1:5000",
            "localhost:5000",
            "LocalHost:5000",
            "registry.test:5000",
            "registry.test",
        ] {
            assert_eq!(status(&names, "/v2/", &[("host", host)]), 200, "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:5000",
            "127.0.0.1",
            "127.0.0.1:5001",
            "127.0.0.1:+5000",
            "127.0.0.1:05000",
            "localhost.:5000",
            "localhost.evil.example:5000",
            "user@127.0.0.1:5000",
            "127.1:5000",
            "2130706433:5000",
            "[::1]:5000",
            "0.0.0.0:5000",
            "127.0.0.1:5000, evil.example",
            "xregistry.test:5000",
        ] {
            assert_eq!(status(&names, "/v2/", &[("host", host)]), 421, "{host}");
        }
        assert_eq!(status(&names, "/v2/", &[]), 421);
    }

    #[test]
    fn the_port_may_be_left_out_where_it_is_that_of_the_scheme() {
        assert_eq!(
            status(&names("http", 80), "/", &[("host", "localhost")]),
            200
        );
        assert_eq!(
            status(&names("https", 443), "/", &[("host", "127.0.0.1")]),
            200
        );
        assert_eq!(
            status(&names("https", 80), "/", &[("host", "127.0.0.1")]),
            421
        );
    }

    #[test]
    fn all_names_that_a_request_states_have_to_be_the_servers() {
        let names = names("http", 5000);
        let good = "http://127.0.0.1:5000/v2/";
        assert_eq!(status(&names, good, &[]), 200);
        assert_eq!(status(&names, good, &[("host", "evil.example:5000")]), 421);
        let evil = "http://evil.example:5000/v2/";
        assert_eq!(status(&names, evil, &[("host", "127.0.0.1:5000")]), 421);
        let both = [("host", "127.0.0.1:5000"), ("host", "evil.example:5000")];
        assert_eq!(status(&names, "/v2/", &both), 421);
    }

    #[test]
    fn no_web_page_is_let_in_not_even_one_from_the_server_itself() {
        let names = names("http", 5000);
        for origin in ["https://evil.example", "null", "", "http://127.0.0.1:5000"] {
            let headers = [("host", "127.0.0.1:5000"), ("origin", origin)];
            assert_eq!(status(&names, "/v2/", &headers), 403, "{origin}");
        }
    }
}
