//! The walk from an image or a run to what it was made from, one level of images after the other.

use std::future::Future;

use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};
use windlass_core::error::Chain;
use windlass_core::verify::{Material, Story};
use windlass_registry::Reference;

use super::bounds::{AT_ONCE, Bounds};
use super::evidence::{self, Signed};
use super::graph::{IsNew, Node, NodeKind, Role, State, Trace};
use super::reach::Reach;
use super::told::Told;
use crate::inspect::image::ImageError;
use crate::inspect::verify::ExpectedSigner;
use crate::store::oci::attached::AttachedError;

/// What a walk takes.
pub(crate) struct Walk<'a> {
    /// A provenance counts if one of them signed it.
    pub(crate) signers: &'a [ExpectedSigner],
    pub(crate) reach: &'a Reach,
    pub(crate) bounds: Bounds,
}

/// Why what was asked about could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TraceError {
    /// The image was not found.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// What is attached to it was not read.
    #[error(transparent)]
    Attached(#[from] AttachedError),
    /// It took too long.
    #[error("a registry took too long: try again, or give it more time with --timeout")]
    Late,
}

/// An image that is to be read.
struct Next {
    node: usize,
    image: Reference,
}

/// Traces an image.
pub(crate) async fn of_image(image: &Reference, walk: &Walk<'_>) -> Result<Trace, TraceError> {
    let (reference, signed) = walk.read(image).await?;
    let mut course = Course::new(walk);
    let root = node(NodeKind::Image, reference.to_string(), state_of(&signed));
    course.trace.nodes.push(root);
    course.images = 1;
    let next = course.follow(0, signed.told);
    course.go(next, 1).await;
    Ok(course.trace)
}

/// Traces a run, whose provenance is verified unless there is none, for this reason.
pub(crate) async fn of_run(name: String, told: Result<Told, String>, walk: &Walk<'_>) -> Trace {
    let mut course = Course::new(walk);
    let (state, told) = match told {
        Ok(told) => (State::Verified, Some(told)),
        Err(why) => (State::Unverified(why), None),
    };
    let mut root = node(NodeKind::Run, name, state);
    root.told.clone_from(&told);
    course.trace.nodes.push(root);
    let next = told.map(|told| {
        course.products(0, &told.story);
        course.inputs(0, &told.story)
    });
    course.go(next.unwrap_or_default(), 1).await;
    course.trace
}

impl Walk<'_> {
    /// The image by its digest, and what is attached to it.
    async fn read(&self, image: &Reference) -> Result<(Reference, Signed), TraceError> {
        let until = self.bounds.until.min(Instant::now() + self.bounds.each);
        let read = async {
            let found = self.reach.resolve(image).await?;
            let signed = evidence::read(&found, self.signers).await?;
            let reference = Reference {
                repository: image.repository.clone(),
                tag: image.tag.clone(),
                digest: Some(found.digest),
            };
            Ok((reference, signed))
        };
        // what somebody else can draw out
        in_time(until, Box::pin(read)).await
    }
}

async fn in_time<T>(
    until: Instant,
    work: impl Future<Output = Result<T, TraceError>>,
) -> Result<T, TraceError> {
    timeout_at(until, work)
        .await
        .unwrap_or(Err(TraceError::Late))
}

/// A walk under way.
struct Course<'a> {
    walk: &'a Walk<'a>,
    trace: Trace,
    /// Images that were read, or will be.
    images: usize,
}

impl<'a> Course<'a> {
    fn new(walk: &'a Walk<'a>) -> Self {
        Self {
            walk,
            trace: Trace::default(),
            images: 0,
        }
    }

    /// Reads the images of a level, and then those that they lead to.
    async fn go(&mut self, mut level: Vec<Next>, mut depth: usize) {
        while !level.is_empty() {
            let Bounds {
                depth: most, until, ..
            } = self.walk.bounds;
            if depth > most {
                for next in level {
                    let why = format!("farther than --depth {most}");
                    self.trace.nodes[next.node].state = State::Beyond(why);
                }
                return;
            }
            let walk = self.walk;
            let reads = level
                .iter()
                .map(|next| async { (next.node, walk.read(&next.image).await) });
            let read: Vec<_> = stream::iter(reads).buffered(AT_ONCE).collect().await;
            let mut following = Vec::new();
            for (at, outcome) in read {
                match outcome {
                    Ok((_, signed)) => {
                        self.trace.nodes[at].state = state_of(&signed);
                        following.extend(self.follow(at, signed.told));
                    }
                    Err(_) if Instant::now() >= until => {
                        let why = "the time of --timeout is over".to_owned();
                        self.trace.nodes[at].state = State::Beyond(why);
                    }
                    Err(error) => {
                        self.trace.nodes[at].state = State::Unread(outline(&error));
                    }
                }
            }
            (level, depth) = (following, depth + 1);
        }
    }

    /// Adds the runs that built an image.
    fn follow(&mut self, image: usize, told: Vec<Told>) -> Vec<Next> {
        let column = self.trace.nodes[image].column + 1;
        let mut next = Vec::new();
        for told in told {
            let story = told.story.clone();
            let mut run = node(NodeKind::Run, run_name(&story), State::Verified);
            run.told = Some(told);
            run.column = column;
            let Some((at, is_new)) = self.trace.node(run) else {
                continue;
            };
            self.trace.edge(at, image, Role::Built);
            if is_new == IsNew::Yes {
                next.extend(self.inputs(at, &story));
            }
        }
        next
    }

    /// Adds what a run was made from.
    fn inputs(&mut self, run: usize, story: &Story) -> Vec<Next> {
        for source in &story.sources.shown {
            self.material(run, source, (NodeKind::Source, Role::Source));
        }
        if let Some(definition) = &story.definition {
            self.material(run, definition, (NodeKind::Definition, Role::Definition));
        }
        let images = story.images.shown.iter();
        let next = images.filter_map(|image| self.image(run, image)).collect();
        let Story {
            sources, images, ..
        } = story;
        self.trace.left_out += sources.more + images.more;
        next
    }

    /// Adds what a run made.
    fn products(&mut self, run: usize, story: &Story) {
        for product in &story.products.shown {
            let made = claimed(NodeKind::Product, product);
            if let Some((at, _)) = self.trace.node(made) {
                self.trace.edge(run, at, Role::Built);
            }
        }
        self.trace.left_out += story.products.more;
    }

    fn material(&mut self, run: usize, material: &Material, (kind, role): (NodeKind, Role)) {
        let mut input = claimed(kind, material);
        if kind == NodeKind::Definition {
            // the resolver recorded it
            input.state = State::Verified;
        }
        input.column = self.trace.nodes[run].column + 1;
        if let Some((at, _)) = self.trace.node(input) {
            self.trace.edge(at, run, role);
        }
    }

    /// Adds an image that a step ran in; it is to be read if it is new and within the bounds.
    fn image(&mut self, run: usize, material: &Material) -> Option<Next> {
        let column = self.trace.nodes[run].column + 1;
        let reference = reference(material);
        let mut image = match &reference {
            Ok(image) => node(NodeKind::Image, image.to_string(), State::Claimed),
            Err(why) => Node {
                state: State::Unread(why.clone()),
                ..claimed(NodeKind::Image, material)
            },
        };
        image.column = column;
        let (at, is_new) = self.trace.node(image)?;
        self.trace.edge(at, run, Role::RanIn);
        let image = reference.ok().filter(|_| is_new == IsNew::Yes)?;
        let most = self.walk.bounds.images;
        if self.images >= most {
            let why = format!("more than --most {most} images");
            self.trace.nodes[at].state = State::Beyond(why);
            return None;
        }
        self.images += 1;
        Some(Next { node: at, image })
    }
}

fn node(kind: NodeKind, name: String, state: State) -> Node {
    Node {
        kind,
        name,
        digest: None,
        state,
        told: None,
        column: 0,
    }
}

fn claimed(kind: NodeKind, material: &Material) -> Node {
    let digest = material.digests.first();
    let mut name = material.uri.clone();
    if !material.path.is_empty() {
        name = format!("{name}#{}", material.path);
    }
    Node {
        digest: digest.map(|(algorithm, hex)| format!("{algorithm}:{hex}")),
        ..node(kind, name, State::Claimed)
    }
}

/// The image that a provenance names; the error says why it cannot be read.
fn reference(material: &Material) -> Result<Reference, String> {
    let name = material.uri.split_once("://").map_or("", |(_, name)| name);
    let digest = material
        .digest("sha256")
        .ok_or("the provenance gives no sha256 digest of it")?;
    let parsed = Reference::parse(&format!("{name}@sha256:{digest}"));
    let mut parsed = parsed.map_err(|_| "its name is not that of an image".to_owned())?;
    // the digest says which it is
    parsed.tag = None;
    Ok(parsed)
}

fn state_of(signed: &Signed) -> State {
    match signed {
        Signed { valid: 1.., .. } => State::Verified,
        Signed { found: 0, .. } => State::Unverified("nothing is attached to it".to_owned()),
        Signed { found, .. } => State::Unverified(format!(
            "none of {found} signatures and attestations was made with a given key or name for it"
        )),
    }
}

fn run_name(story: &Story) -> String {
    let name = story.run.as_deref().or(story.uid.as_deref());
    match name {
        Some(name) => format!("{} {name}", story.kind.words()),
        None => format!("a {}", story.kind.words()),
    }
}

/// Why an image could not be read, without what its registry said.
fn outline(error: &TraceError) -> String {
    match error {
        TraceError::Image(ImageError::Open(error)) => error.outline(),
        TraceError::Image(ImageError::Registry(error))
        | TraceError::Attached(AttachedError::Registry(error)) => error.outline().to_string(),
        other => Chain(other).to_string().chars().take(300).collect(),
    }
}
