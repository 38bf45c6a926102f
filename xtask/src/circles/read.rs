//! Reads the files of a crate into a [`Tree`], beginning at its root.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ImplItem, Item, ItemMod, ItemUse, Type};

use super::attribute;
use super::mention::{self, Import, TokenPath};
use super::source::Source;
use super::tree::{Call, FileId, Function, Mention, MentionKind, ModuleId, Name, Tree};

pub(crate) fn read(root: &Path) -> Result<Tree> {
    let mut tree = Tree::default();
    let source = Source::beside_its_children(root.to_owned());
    read_file(&mut tree, source, None)?;
    Ok(tree)
}

fn read_file(tree: &mut Tree, source: Source, parent: Option<ModuleId>) -> Result<ModuleId> {
    let text = fs::read_to_string(&source.path)
        .with_context(|| format!("reading {}", source.path.display()))?;
    let syntax = syn::parse_file(&text).map_err(|error| {
        let at = error.span().start();
        anyhow::anyhow!("{}:{}: {error}", source.path.display(), at.line)
    })?;
    let file = tree.add_file(source.path.clone());
    let module = tree.add_module(file, parent);
    let mut reader = Reader {
        tree,
        source,
        file,
        module,
        of: None,
        body: 0,
        inline: Vec::new(),
        failure: None,
    };
    if !attribute::is_test_only(&syntax.attrs) {
        reader.visit_file(&syntax);
    }
    match reader.failure {
        Some(failure) => Err(failure),
        None => Ok(module),
    }
}

/// Reads one file. A visitor cannot return an error, so the first one is kept in `failure`.
struct Reader<'a> {
    tree: &'a mut Tree,
    source: Source,
    file: FileId,
    module: ModuleId,
    /// The type of the `impl` block around.
    of: Option<Vec<String>>,
    /// How many blocks are around; names defined in one are not names of the module.
    body: usize,
    /// The names of the inline modules around.
    inline: Vec<String>,
    failure: Option<anyhow::Error>,
}

impl Reader<'_> {
    fn mention(&mut self, path: Vec<String>, line: usize, kind: MentionKind) {
        self.tree.mentions.push(Mention {
            module: self.module,
            line,
            path,
            kind,
        });
    }

    fn mention_all(&mut self, paths: Vec<TokenPath>) {
        for TokenPath { path, line } in paths {
            self.mention(path, line, MentionKind::Code);
        }
    }

    fn child(&mut self, item: &ItemMod) -> Result<()> {
        let name = item.ident.unraw().to_string();
        let child = if let Some((_, items)) = &item.content {
            self.inline_module(&name, items)
        } else {
            let source = match attribute::path(&item.attrs) {
                Some(path) => self.source.child_at(&self.inline, &path),
                None => self.source.child(&self.inline, &name)?,
            };
            read_file(self.tree, source, Some(self.module))?
        };
        self.tree
            .module_mut(self.module)
            .define(name, Name::Module(child));
        Ok(())
    }

    fn inline_module(&mut self, name: &str, items: &[Item]) -> ModuleId {
        let outer = self.module;
        let inner = self.tree.add_module(self.file, Some(outer));
        self.module = inner;
        self.inline.push(name.to_owned());
        for item in items {
            self.visit_item(item);
        }
        self.inline.pop();
        self.module = outer;
        inner
    }

    fn import(&mut self, item: &ItemUse) {
        // a leading `::` leads out of the crate
        if item.leading_colon.is_some() {
            return;
        }
        for leaf in mention::leaves(&item.tree) {
            let kind = match leaf.import {
                Import::Glob => MentionKind::Glob,
                Import::Name(_) | Import::Nameless => MentionKind::Use,
            };
            let module = self.tree.module_mut(self.module);
            match leaf.import {
                Import::Name(name) if self.body == 0 => {
                    module.define(name, Name::Import(leaf.path.clone()));
                }
                Import::Name(name) => {
                    let names = module.in_bodies.entry(name).or_default();
                    names.push(Name::Import(leaf.path.clone()));
                }
                Import::Glob => module.globs.push(leaf.path.clone()),
                Import::Nameless => {}
            }
            self.mention(leaf.path, leaf.line, kind);
        }
    }

    /// An associated function of the type whose `impl` block is around.
    fn function(&self, name: &syn::Ident) -> Option<Function> {
        let of = self.of.clone()?;
        let name = name.unraw().to_string();
        Some(Function {
            module: self.module,
            of,
            name,
        })
    }

    fn call(&mut self, name: &syn::Ident) {
        let line = name.span().start().line;
        let function = self.function(name);
        self.tree
            .calls
            .extend(function.map(|function| Call { function, line }));
    }

    /// Enters what an item defines into the names of its module.
    fn define(&mut self, item: &Item) {
        let (ident, name) = match item {
            Item::Enum(item) => (&item.ident, Name::Type(self.file)),
            Item::Struct(item) => (&item.ident, Name::Type(self.file)),
            Item::Trait(item) => (&item.ident, Name::Type(self.file)),
            Item::TraitAlias(item) => (&item.ident, Name::Type(self.file)),
            Item::Type(item) => (&item.ident, Name::Type(self.file)),
            Item::Union(item) => (&item.ident, Name::Type(self.file)),
            Item::Const(item) => (&item.ident, Name::Value(self.file)),
            Item::Fn(item) => (&item.sig.ident, Name::Value(self.file)),
            Item::Static(item) => (&item.ident, Name::Value(self.file)),
            Item::Macro(item) => match &item.ident {
                Some(ident) => (ident, Name::Value(self.file)),
                None => return,
            },
            _ => return,
        };
        let module = if attribute::is_exported_macro(item) {
            Tree::ROOT
        } else {
            self.module
        };
        self.tree
            .module_mut(module)
            .define(ident.unraw().to_string(), name);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if attribute::is_test_only(attribute::of_item(item)) {
            return;
        }
        if self.body == 0 {
            self.define(item);
        }
        match item {
            Item::Mod(item) => {
                if let Err(error) = self.child(item) {
                    self.failure.get_or_insert(error);
                }
            }
            Item::Use(item) => self.import(item),
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outer = std::mem::replace(&mut self.of, path_of(&item.self_ty));
        // what a trait asks for is called through the trait
        let own = if item.trait_.is_none() {
            item.items.as_slice()
        } else {
            &[]
        };
        for item in own {
            if let ImplItem::Fn(item) = item {
                let function = self.function(&item.sig.ident);
                self.tree.functions.extend(function);
            }
        }
        visit::visit_item_impl(self, item);
        self.of = outer;
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("self")) {
            self.call(&call.method);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_impl_item_fn(&mut self, method: &'ast syn::ImplItemFn) {
        if !attribute::is_test_only(&method.attrs) {
            visit::visit_impl_item_fn(self, method);
        }
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        if !attribute::is_test_only(&item.attrs) {
            visit::visit_impl_item_const(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !attribute::is_test_only(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !attribute::is_test_only(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.body += 1;
        visit::visit_block(self, block);
        self.body -= 1;
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none()
            && path.segments.len() > 1
            && let Some(first) = path.segments.first()
        {
            let line = first.ident.span().start().line;
            let segments = path
                .segments
                .iter()
                .map(|segment| segment.ident.unraw().to_string());
            self.mention(segments.collect(), line, MentionKind::Code);
            if first.ident == "Self" {
                self.call(&path.segments[1].ident);
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.mention_all(mention::among(mac.tokens.clone()));
        visit::visit_macro(self, mac);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        self.mention_all(attribute::paths(attribute));
    }

    /// `pub(in path)` says who may use an item, and uses nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// The path of a type that has one.
fn path_of(of: &Type) -> Option<Vec<String>> {
    let Type::Path(of) = of else { return None };
    let segments = of.path.segments.iter();
    Some(
        segments
            .map(|segment| segment.ident.unraw().to_string())
            .collect(),
    )
}
