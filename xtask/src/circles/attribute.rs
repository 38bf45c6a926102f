//! What attributes say of the items below them: which code is for tests, and which paths they name.

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Item, Lit, LitStr, Meta, Token};

use super::mention::{self, TokenPath};

/// Whether `#[cfg(test)]` or a `cfg` that demands it is among the attributes.
pub(crate) fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<Meta>()
                .is_ok_and(|condition| demands_test(&condition))
    })
}

fn demands_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else {
        return condition.path().is_ident("test");
    };
    let Ok(parts) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
        return false;
    };
    if list.path.is_ident("all") {
        parts.iter().any(demands_test)
    } else {
        list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(demands_test)
    }
}

/// The value of `#[path = "..."]`.
pub(crate) fn path(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(path),
                    ..
                }) => Some(path.value()),
                _ => None,
            },
            _ => None,
        })
}

/// Whether the item is a macro that is a name of the root of its crate, wherever it is written.
pub(crate) fn is_exported_macro(item: &Item) -> bool {
    matches!(item, Item::Macro(item) if item.attrs.iter().any(|attribute| {
        attribute.path().is_ident("macro_export")
    }))
}

/// The paths that an attribute names: among its tokens, and in strings, as serde takes them.
pub(crate) fn paths(attribute: &Attribute) -> Vec<TokenPath> {
    match &attribute.meta {
        Meta::List(list) => {
            let mut paths = mention::among(list.tokens.clone());
            in_strings(list.tokens.clone(), &mut paths);
            paths
        }
        Meta::Path(_) | Meta::NameValue(_) => Vec::new(),
    }
}

fn in_strings(tokens: TokenStream, paths: &mut Vec<TokenPath>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => in_strings(group.stream(), paths),
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line;
                let text = syn::parse2::<LitStr>(TokenTree::from(literal).into());
                let path = text.ok().and_then(|text| text.parse::<syn::Path>().ok());
                let segments = path.into_iter().flat_map(|path| path.segments);
                let path: Vec<String> = segments.map(|segment| segment.ident.to_string()).collect();
                if path.len() > 1 {
                    paths.push(TokenPath { path, line });
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

pub(crate) fn of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
