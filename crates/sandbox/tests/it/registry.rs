//! The registry through a socket: plain and TLS, client certificates, bodies that never arrive.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use windlass_sandbox::registry::{
    ClientCertificate, Fault, FaultAnswer, Options, Registry, Transport,
};

/// A connection, and the host that its requests name.
struct Sender {
    requests: SendRequest<Full<Bytes>>,
    host: String,
}

type Failure = Box<dyn std::error::Error>;

async fn sender<S>(stream: S, registry: &Registry) -> Result<Sender, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let host = registry.host();
    Ok(Sender { requests, host })
}

async fn plain(registry: &Registry) -> Sender {
    let stream = TcpStream::connect(registry.host()).await.unwrap();
    sender(stream, registry).await.unwrap()
}

async fn tls(registry: &Registry, client: Option<&ClientCertificate>) -> Result<Sender, Failure> {
    let mut roots = RootCertStore::empty();
    let ca = registry.ca_pem().unwrap();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let config = match client {
        None => config.with_no_client_auth(),
        Some(client) => {
            let chain = CertificateDer::from_pem_slice(client.certificate_pem.as_bytes())?;
            let key = PrivateKeyDer::from_pem_slice(client.key_pem.as_bytes())?;
            config.with_client_auth_cert(vec![chain], key)?
        }
    };
    let stream = TcpStream::connect(registry.host()).await?;
    let name = ServerName::try_from("127.0.0.1")?;
    let connector = TlsConnector::from(Arc::new(config));
    sender(connector.connect(name, stream).await?, registry).await
}

async fn send(
    sender: &mut Sender,
    method: &str,
    path: &str,
    body: impl Into<Bytes>,
) -> Result<http::Response<Incoming>, hyper::Error> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", &sender.host)
        .body(Full::new(body.into()))
        .unwrap();
    sender.requests.send_request(request).await
}

async fn status(sender: &mut Sender) -> Result<u16, hyper::Error> {
    let response = send(sender, "GET", "/v2/", "").await?;
    let status = response.status().as_u16();
    response.into_body().collect().await?;
    Ok(status)
}

async fn start(transport: Transport) -> Registry {
    let options = Options {
        transport,
        ..Options::default()
    };
    Registry::start(options).await.unwrap()
}

fn once(registry: &Registry, answer: FaultAnswer) {
    registry.fail(Fault {
        answer,
        ..Fault::default()
    });
}

#[tokio::test]
async fn tls_is_trusted_through_the_given_authority() {
    let registry = start(Transport::Tls).await;
    assert!(registry.url().starts_with("https://"));
    let mut sender = tls(&registry, None).await.unwrap();
    assert_eq!(status(&mut sender).await.unwrap(), 200);
    assert!(registry.client_certificate().is_none());
    registry.shutdown().await;
}

#[tokio::test]
async fn only_a_client_with_the_certificate_is_served_where_one_is_asked_for() {
    let registry = start(Transport::MutualTls).await;
    let mut known = tls(&registry, registry.client_certificate()).await.unwrap();
    assert_eq!(status(&mut known).await.unwrap(), 200);
    let refused = match tls(&registry, None).await {
        Ok(mut unknown) => status(&mut unknown).await.is_err(),
        Err(_) => true,
    };
    assert!(refused);
    let other = start(Transport::MutualTls).await;
    let refused = match tls(&registry, other.client_certificate()).await {
        Ok(mut unknown) => status(&mut unknown).await.is_err(),
        Err(_) => true,
    };
    assert!(refused);
    assert_eq!(registry.requests().len(), 1);
}

#[tokio::test]
async fn a_connection_is_closed_before_or_after_the_write() {
    let registry = start(Transport::Plain).await;
    let path = "/v2/a/blobs/uploads/";
    once(&registry, FaultAnswer::Reset);
    assert!(
        send(&mut plain(&registry).await, "POST", path, "")
            .await
            .is_err()
    );
    assert_eq!(registry.open_uploads(), 0);
    once(&registry, FaultAnswer::ResetAfterwards);
    assert!(
        send(&mut plain(&registry).await, "POST", path, "")
            .await
            .is_err()
    );
    assert_eq!(registry.open_uploads(), 1);
    assert_eq!(registry.requests()[1].status, 0);
}

#[tokio::test]
async fn a_reset_is_told_from_a_close() {
    let registry = start(Transport::Plain).await;
    for (answer, expected) in [
        (FaultAnswer::Reset, Err(ErrorKind::ConnectionReset)),
        (FaultAnswer::Close, Ok(0)),
    ] {
        once(&registry, answer);
        let mut stream = TcpStream::connect(registry.host()).await.unwrap();
        let request = format!("GET /v2/ HTTP/1.1\r\nhost: {}\r\n\r\n", registry.host());
        stream.write_all(request.as_bytes()).await.unwrap();
        let read = stream.read(&mut [0; 8]).await;
        assert_eq!(read.map_err(|error| error.kind()), expected);
    }
}

#[tokio::test]
async fn a_body_that_is_cut_ends_with_an_error() {
    let registry = start(Transport::Plain).await;
    let path = format!("/v2/a/blobs/{}", registry.put_blob("a", "0123456789"));
    once(&registry, FaultAnswer::CutBody(4));
    let response = send(&mut plain(&registry).await, "GET", &path, "")
        .await
        .unwrap();
    assert_eq!(response.headers()["content-length"], "10");
    let mut body = response.into_body();
    let part = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(part, "0123");
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn an_endless_body_goes_on_beyond_its_content() {
    let registry = start(Transport::Plain).await;
    let path = format!("/v2/a/blobs/{}", registry.put_blob("a", "0123456789"));
    once(&registry, FaultAnswer::EndlessBody);
    let response = send(&mut plain(&registry).await, "GET", &path, "")
        .await
        .unwrap();
    assert!(!response.headers().contains_key("content-length"));
    let mut body = response.into_body();
    let mut read = 0;
    while read < 5 << 20 {
        let frame = body.frame().await.unwrap().unwrap();
        read += frame.into_data().unwrap().len();
    }
    drop(body);
    registry.shutdown().await;
}

#[tokio::test]
async fn what_hangs_ends_when_the_registry_stops() {
    let registry = start(Transport::Plain).await;
    once(&registry, FaultAnswer::Hang);
    let mut sender = plain(&registry).await;
    let hanging = send(&mut sender, "GET", "/v2/", "");
    let answered = tokio::time::timeout(Duration::from_millis(50), hanging).await;
    assert!(answered.is_err());
    assert_eq!(registry.requests()[0].status, 0);
    let stopped = tokio::time::timeout(Duration::from_secs(5), registry.shutdown()).await;
    assert!(stopped.is_ok());
}

#[tokio::test]
async fn a_refused_push_leaves_the_connection_usable() {
    let registry = start(Transport::Plain).await;
    once(&registry, FaultAnswer::Status(401.into()));
    let mut sender = plain(&registry).await;
    let body = vec![b'x'; 100_000];
    let response = send(&mut sender, "PUT", "/v2/a/manifests/v1", body)
        .await
        .unwrap();
    assert_eq!(response.status(), 401);
    response.into_body().collect().await.unwrap();
    assert_eq!(status(&mut sender).await.unwrap(), 200);
    assert_eq!(registry.connections(), 1);
}

#[tokio::test]
async fn head_states_the_length_it_does_not_send() {
    let registry = start(Transport::Plain).await;
    let path = format!("/v2/a/blobs/{}", registry.put_blob("a", "0123456789"));
    let mut sender = plain(&registry).await;
    let response = send(&mut sender, "HEAD", &path, "").await.unwrap();
    assert_eq!(response.headers()["content-length"], "10");
    assert_eq!(status(&mut sender).await.unwrap(), 200);
}

#[tokio::test]
async fn a_location_uses_the_name_the_client_used() {
    let registry = start(Transport::Plain).await;
    let mut sender = plain(&registry).await;
    let response = send(&mut sender, "POST", "/v2/a/blobs/uploads/", "")
        .await
        .unwrap();
    let location = response.headers()["location"].to_str().unwrap();
    let uploads = format!("{}/v2/a/blobs/uploads/", registry.url());
    assert!(location.starts_with(&uploads));
}

#[tokio::test]
async fn a_taken_port_is_named_in_the_error() {
    let registry = start(Transport::Plain).await;
    let port: u16 = registry.host().rsplit_once(':').unwrap().1.parse().unwrap();
    let options = Options {
        port: Some(port),
        ..Options::default()
    };
    let error = Registry::start(options).await.unwrap_err();
    assert!(error.to_string().contains(&port.to_string()));
}

#[tokio::test]
async fn a_page_reaches_the_registry_neither_by_another_name_nor_from_its_own_origin() {
    let registry = start(Transport::Plain).await;
    let host = registry.host();
    let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let upload = format!("/v2/team/app/blobs/uploads/?digest={digest}");
    let rebound = [("host", "evil.example:80")];
    let cross_site = [("host", host.as_str()), ("origin", "https://evil.example")];
    for (method, path, headers, expected) in [
        ("GET", "/v2/_catalog", &rebound[..], 421),
        ("HEAD", "/v2/", &rebound, 421),
        ("POST", &upload, &rebound, 421),
        ("POST", &upload, &cross_site, 403),
        ("GET", "/v2/_catalog", &cross_site, 403),
    ] {
        let mut sender = plain(&registry).await;
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from_static(b"abc"))).unwrap();
        let response = sender.requests.send_request(request).await.unwrap();
        assert_eq!(response.status().as_u16(), expected, "{method} {path}");
    }
    let path = format!("/v2/team/app/blobs/{digest}");
    let blob = send(&mut plain(&registry).await, "GET", &path, "").await;
    assert_eq!(blob.unwrap().status().as_u16(), 404);
    assert_eq!(registry.requests().len(), 6);
    registry.shutdown().await;
}
