//! TLS of the metrics server: what is asked for (`settings`), the files as they are now (`files`), and
//! the connections (`listener`).

pub(super) use self::files::Certificates;
pub(super) use self::listener::TlsListener;
pub(crate) use self::settings::Tls;

mod files;
mod listener;
mod settings;
