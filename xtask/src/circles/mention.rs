//! Paths as the source has them: leaves of `use` trees, paths in code, paths among tokens.

use proc_macro2::{TokenStream, TokenTree};
use syn::UseTree;
use syn::ext::IdentExt;

/// A leaf of a `use` tree.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    pub(crate) import: Import,
}

/// What a leaf adds to the names of its module.
#[derive(Debug)]
pub(crate) enum Import {
    Name(String),
    Glob,
    /// `as _`: the methods of a trait, and no name.
    Nameless,
}

/// The leaves of a tree, groups and renames taken apart.
pub(crate) fn leaves(tree: &UseTree) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect(tree, &[], &mut found);
    found
}

fn collect(tree: &UseTree, prefix: &[String], found: &mut Vec<Leaf>) {
    let with = |ident: &syn::Ident| {
        let mut path = prefix.to_vec();
        path.push(ident.unraw().to_string());
        path
    };
    match tree {
        UseTree::Path(tree) => collect(&tree.tree, &with(&tree.ident), found),
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, prefix, found);
            }
        }
        UseTree::Glob(glob) => found.push(Leaf {
            path: prefix.to_vec(),
            line: glob.star_token.span.start().line,
            import: Import::Glob,
        }),
        UseTree::Name(leaf) => {
            let path = with(&leaf.ident);
            let named = path
                .iter()
                .rev()
                .find(|segment| *segment != "self")
                .cloned();
            let import = named.map_or(Import::Nameless, Import::Name);
            found.push(Leaf {
                path,
                line: leaf.ident.span().start().line,
                import,
            });
        }
        UseTree::Rename(leaf) => found.push(Leaf {
            path: with(&leaf.ident),
            line: leaf.ident.span().start().line,
            import: match leaf.rename.unraw().to_string() {
                name if name == "_" => Import::Nameless,
                name => Import::Name(name),
            },
        }),
    }
}

/// A path among tokens that no syntax tree was made of: the arguments of a macro or an attribute.
#[derive(Debug)]
pub(crate) struct TokenPath {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// The paths of more than one segment among tokens.
pub(crate) fn among(tokens: TokenStream) -> Vec<TokenPath> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        let at_first = rest;
        rest = after;
        match first {
            TokenTree::Group(group) => found.extend(among(group.stream())),
            TokenTree::Ident(ident) => {
                let mut path = vec![ident.unraw().to_string()];
                while let Some((segment, after)) = joined(rest) {
                    path.push(segment);
                    rest = after;
                }
                if path.len() > 1 {
                    found.push(TokenPath {
                        path,
                        line: ident.span().start().line,
                    });
                }
            }
            // colons with no name before them lead out of the crate, or come after generics
            TokenTree::Punct(_) => rest = joined(at_first).map_or(after, |(_, after)| after),
            TokenTree::Literal(_) => {}
        }
    }
    found
}

/// The name that two colons join to what is before, and the tokens after it.
fn joined(tokens: &[TokenTree]) -> Option<(String, &[TokenTree])> {
    let [
        TokenTree::Punct(first),
        TokenTree::Punct(second),
        TokenTree::Ident(name),
        after @ ..,
    ] = tokens
    else {
        return None;
    };
    let colons = first.as_char() == ':' && second.as_char() == ':';
    colons.then(|| (name.unraw().to_string(), after))
}
