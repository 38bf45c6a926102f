//! Why there are no traces.

/// Why no traces can be sent where variables ask for them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TracesError {
    /// Another protocol is asked for.
    #[error(
        "{0} is not http/protobuf, the one protocol of traces here; remove it, and give the address \
         where the collector takes HTTP, usually at port 4318"
    )]
    Protocol(&'static str),
    /// It is no address.
    #[error("{0} is no address of a collector; give one such as http://collector.example.com:4318")]
    Endpoint(&'static str),
    /// The settings do not fit together.
    #[cfg(feature = "opentelemetry")]
    #[error("cannot set up traces; check the variables OTEL_EXPORTER_OTLP_… of the controller")]
    Settings,
    /// The program was built without them.
    #[cfg(not(feature = "opentelemetry"))]
    #[error(
        "{0} is set, but this windlass was built without the cargo feature opentelemetry; remove \
         the variable, or build with the feature"
    )]
    Absent(&'static str),
}
