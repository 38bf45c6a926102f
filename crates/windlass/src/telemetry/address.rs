//! Where the servers of the controller listen.
//!
//! Where metrics are served is said by a flag, or as Tekton Chains is told: by variables, then by the
//! ConfigMap that the variable `CONFIG_OBSERVABILITY_NAME` names (docs/behaviour.md, "Metrics").

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::net::TcpListener;

/// The port of metrics, unless another is set.
const METRICS: u16 = 9090;
/// The first port that may be set, as in Chains.
const FIRST_PORT: u16 = 1024;

/// Name of the variable for the host.
const HOST: &str = "METRICS_PROMETHEUS_HOST";
/// Name of the variable for the port.
const PORT: &str = "METRICS_PROMETHEUS_PORT";

/// Reads an environment variable; one that is empty is not set, as in Chains.
pub(crate) type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// At this address.
    One(SocketAddr),
    /// At all addresses of the machine, IPv6 and IPv4.
    All(u16),
    /// At the address that this name stands for.
    Named(String, u16),
}

/// Whether and where metrics are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MetricsPlace {
    /// `None` if they are turned off.
    pub(crate) address: Option<Address>,
    /// What of the ConfigMap is not followed, and why.
    pub(crate) warnings: Vec<String>,
}

/// A variable that Chains refuses as well.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve metrics: {PORT} is {value:?}; set it to a port from {FIRST_PORT} to 65535")]
pub(crate) struct PortError {
    value: String,
}

impl Address {
    /// Starts to listen.
    pub(super) async fn bind(&self) -> std::io::Result<TcpListener> {
        match self {
            Self::One(address) => TcpListener::bind(address).await,
            Self::Named(host, port) => TcpListener::bind((host.as_str(), *port)).await,
            Self::All(port) => {
                // a machine may have no IPv6
                let addresses = [
                    SocketAddr::from((Ipv6Addr::UNSPECIFIED, *port)),
                    SocketAddr::from((Ipv4Addr::UNSPECIFIED, *port)),
                ];
                TcpListener::bind(&addresses[..]).await
            }
        }
    }

    fn new(host: &str, port: u16) -> Self {
        if host.is_empty() {
            return Self::All(port);
        }
        match host.parse() {
            Ok(ip) => Self::One(SocketAddr::new(ip, port)),
            Err(_) => Self::Named(host.to_owned(), port),
        }
    }

    fn host(&self) -> String {
        match self {
            Self::One(address) => address.ip().to_string(),
            Self::All(_) => String::new(),
            Self::Named(host, _) => host.clone(),
        }
    }

    fn port(&self) -> u16 {
        match self {
            Self::One(address) => address.port(),
            Self::All(port) | Self::Named(_, port) => *port,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(address) => write!(formatter, "{address}"),
            Self::All(port) => write!(formatter, ":{port}"),
            Self::Named(host, port) => write!(formatter, "{host}:{port}"),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self::One(address));
        }
        let expected = || "expected HOST:PORT, or :PORT for all addresses".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let port = port.parse().map_err(|_| expected())?;
        if host.contains([':', '[', ']', ' ', '/']) {
            return Err(expected());
        }
        Ok(Self::new(host, port))
    }
}

impl MetricsPlace {
    /// The place that Chains would serve metrics at, by its variables and its ConfigMap. Unlike
    /// Chains, windlass serves them unless it is told not to, and a bad ConfigMap does not end it.
    pub(crate) fn of_chains(
        data: &BTreeMap<String, String>,
        variable: Variable<'_>,
    ) -> Result<Self, PortError> {
        let mut warnings = Vec::new();
        let entry = |name: &str| data.get(name).map(|value| value.trim());
        let mut address = Address::All(METRICS);
        match entry("metrics-protocol").unwrap_or("prometheus") {
            "none" => {
                let address = None;
                return Ok(Self { address, warnings });
            }
            "prometheus" => match entry("metrics-endpoint").filter(|it| !it.is_empty()) {
                None => {}
                Some(endpoint) => match endpoint.parse::<Address>() {
                    Ok(parsed) if parsed.port() >= FIRST_PORT => address = parsed,
                    _ => warnings.push(format!(
                        "metrics-endpoint is {endpoint:?}, expected HOST:PORT with a port from \
                         {FIRST_PORT}; using {address}"
                    )),
                },
            },
            "grpc" | "http/protobuf" => warnings.push(
                "metrics are not pushed to a collector; they are served for Prometheus instead"
                    .to_owned(),
            ),
            other => warnings.push(format!(
                "metrics-protocol is {other:?}, expected prometheus or none; using prometheus"
            )),
        }
        let port = match variable(PORT) {
            None => address.port(),
            Some(value) => match value.parse() {
                Ok(port) if port >= FIRST_PORT => port,
                _ => return Err(PortError { value }),
            },
        };
        let host = variable(HOST).unwrap_or_else(|| address.host());
        Ok(Self {
            address: Some(Address::new(&host, port)),
            warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(data: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<MetricsPlace, PortError> {
        let data = data
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        let variable = |name: &str| variables.get(name).map(|value| (*value).to_owned());
        MetricsPlace::of_chains(&data.collect(), &variable)
    }

    fn address(data: &[(&str, &str)], variables: &[(&str, &str)]) -> String {
        let place = place(data, variables).unwrap();
        assert_eq!(place.warnings, [""; 0]);
        place.address.map_or("off".to_owned(), |it| it.to_string())
    }

    #[test]
    fn metrics_are_served_where_chains_would_serve_them() {
        let prometheus = ("metrics-protocol", "prometheus");
        for (data, variables, expected) in [
            (&[][..], &[][..], ":9090"),
            (&[prometheus], &[], ":9090"),
            (&[prometheus, ("metrics-endpoint", ":8000")], &[], ":8000"),
            (&[("metrics-endpoint", "[::1]:8000")], &[], "[::1]:8000"),
            (
                &[("metrics-endpoint", "host:8000")],
                &[(HOST, "10.0.0.1")],
                "10.0.0.1:8000",
            ),
            (
                &[("metrics-endpoint", "h:8000")],
                &[(PORT, "9000")],
                "h:9000",
            ),
            (
                &[],
                &[(HOST, "localhost"), (PORT, "1024")],
                "localhost:1024",
            ),
            (&[], &[(HOST, "::")], "[::]:9090"),
            (&[("metrics-protocol", "none")], &[(PORT, "9000")], "off"),
            // what was valid before Chains 0.27
            (&[("metrics.backend-destination", "none")], &[], ":9090"),
        ] {
            assert_eq!(address(data, variables), expected, "{data:?} {variables:?}");
        }
    }

    #[test]
    fn a_bad_entry_is_a_warning_and_a_bad_port_an_error() {
        for data in [
            ("metrics-protocol", "grpc"),
            ("metrics-protocol", "statsd"),
            ("metrics-endpoint", "nowhere"),
            ("metrics-endpoint", "host:80"),
        ] {
            let place = place(&[data], &[]).unwrap();
            assert_eq!(place.address, Some(Address::All(9090)), "{data:?}");
            assert_eq!(place.warnings.len(), 1, "{data:?}");
        }
        for port in ["80", "0", "65536", "metrics", "-1"] {
            let error = place(&[], &[(PORT, port)]).unwrap_err().to_string();
            assert!(error.contains(PORT) && error.contains(port), "{error}");
        }
    }

    #[test]
    fn an_address_is_written_as_go_writes_it() {
        for text in ["127.0.0.1:0", "[::1]:9090", ":9090", "localhost:9090"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in [
            "nowhere",
            "::1:9090",
            "host:",
            "host:70000",
            "http://host:1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
