//! The examples of the repository that the built-in cluster can be filled with.

/// A file of `examples/`.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// Its name.
    pub file: &'static str,
    /// One YAML document.
    pub text: &'static str,
}

/// Five steps and one result.
pub const TASK_OUTPUT_IMAGE: Example = Example {
    file: "task-output-image.yaml",
    text: include_str!("../../../../examples/task-output-image.yaml"),
};

/// A run that says which image it built.
pub const BUILD_IMAGE: Example = Example {
    file: "build-image.yaml",
    text: include_str!("../../../../examples/build-image.yaml"),
};

/// A pipeline from source to image.
pub const PIPELINE_OUTPUT_IMAGE: Example = Example {
    file: "pipeline-output-image.yaml",
    text: include_str!("../../../../examples/pipeline-output-image.yaml"),
};

/// All of them.
pub const ALL: [Example; 3] = [TASK_OUTPUT_IMAGE, BUILD_IMAGE, PIPELINE_OUTPUT_IMAGE];
