//! The cluster through a socket: TLS by its own authority, HTTP/1.1, faults that end connections.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use windlass_sandbox::{Cluster, Fault, FaultAnswer, Options};

async fn get(cluster: &Cluster, path: &str) -> Result<(u16, Bytes), hyper::Error> {
    let address = cluster.url().strip_prefix("https://").unwrap().to_owned();
    get_with(cluster, path, &[("host", &address)]).await
}

async fn get_with(
    cluster: &Cluster,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<(u16, Bytes), hyper::Error> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(cluster.ca_pem().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = cluster.url().strip_prefix("https://").unwrap().to_owned();
    let stream = TcpStream::connect(&address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let token = format!("Bearer {}", cluster.token());
    let mut request = Request::builder().uri(path).header("authorization", token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    drop(sender);
    connection.await.unwrap()?;
    Ok((status, body))
}

#[tokio::test]
async fn the_certificate_is_trusted_through_the_given_authority() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let (status, body) = get(&cluster, "/api/v1/namespaces/default").await.unwrap();
    assert_eq!(status, 200);
    assert!(body.starts_with(b"{"));
    cluster.shutdown().await;
}

#[tokio::test]
async fn a_page_reaches_the_api_neither_by_another_name_nor_from_its_own_origin() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let address = cluster.url().strip_prefix("https://").unwrap().to_owned();
    let rebound = [("host", "evil.example:443")];
    let cross_site = [("host", address.as_str()), ("origin", "null")];
    for path in ["/healthz", "/api/v1/namespaces/default"] {
        let (status, body) = get_with(&cluster, path, &rebound).await.unwrap();
        assert_eq!(status, 421, "{path}");
        assert!(body.starts_with(b"{\"apiVersion\"") || body.starts_with(b"{\"kind\""));
        let refused = get_with(&cluster, path, &cross_site).await.unwrap();
        assert_eq!(refused.0, 403, "{path}");
    }
    cluster.shutdown().await;
}

#[tokio::test]
async fn a_reset_ends_the_connection_without_an_answer() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    cluster.fail(Fault {
        answer: FaultAnswer::Reset,
        ..Fault::default()
    });
    assert!(get(&cluster, "/version").await.is_err());
    assert_eq!(get(&cluster, "/version").await.unwrap().0, 200);
    assert_eq!(cluster.requests()[0].status, 0);
    cluster.shutdown().await;
}

#[tokio::test]
async fn a_taken_port_is_named_in_the_error() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let port: u16 = cluster.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let error = Cluster::start(Options {
        port: Some(port),
        ..Options::default()
    })
    .await;
    assert!(error.unwrap_err().to_string().contains(&port.to_string()));
}

#[tokio::test]
async fn the_kubeconfig_names_the_cluster_and_its_token() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let config: serde_json::Value = serde_saphyr::from_str(&cluster.kubeconfig()).unwrap();
    assert_eq!(config["current-context"], "windlass");
    assert_eq!(config["clusters"][0]["cluster"]["server"], cluster.url());
    assert_eq!(config["users"][0]["user"]["token"], cluster.token());
    assert_eq!(config["contexts"][0]["context"]["namespace"], "default");
}
