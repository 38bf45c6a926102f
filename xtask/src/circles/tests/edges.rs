//! Which line of a file is an edge to which other file.

use super::edges_of;

/// A crate with a facade: `http` re-exports what `http/call.rs` defines.
const HTTP: [(&str, &str); 2] = [
    (
        "http.rs",
        "mod call; pub use self::call::{Call, call}; pub(crate) use call::Call as Request;",
    ),
    (
        "http/call.rs",
        "pub struct Call; pub enum Kind { Get } pub fn call() {}",
    ),
];

struct Case {
    fact: &'static str,
    /// The text of `user.rs`, a sibling of `http`, `item` and `kinds`.
    user: &'static str,
    /// The files that `user.rs` has edges to.
    used: &'static [&'static str],
}

fn check(cases: &[Case]) {
    for Case { fact, user, used } in cases {
        let edges = edges_of(&[
            (
                "lib.rs",
                "mod http; mod item; mod user; mod kinds; pub use item::Item as Thing;",
            ),
            HTTP[0],
            HTTP[1],
            (
                "item.rs",
                "pub struct Item; pub mod inner { pub struct Deep; pub fn item() {} }",
            ),
            (
                "kinds.rs",
                "pub enum Kind { One, Two } pub use crate::http::*;",
            ),
            ("user.rs", user),
            ("user/part.rs", "pub struct Part;"),
        ]);
        let found: Vec<&str> = edges
            .iter()
            .filter_map(|edge| edge.strip_prefix("user.rs > "))
            .collect();
        assert_eq!(found, *used, "{fact}: {user}");
    }
}

#[test]
fn an_import_is_an_edge_to_the_file_that_defines_the_item() {
    check(&[
        Case {
            fact: "from the root",
            user: "use crate::item::Item;",
            used: &["item.rs"],
        },
        Case {
            fact: "from the parent",
            user: "use super::item::Item;",
            used: &["item.rs"],
        },
        Case {
            fact: "from the module itself",
            user: "mod part; use self::part::Part;",
            used: &["user/part.rs"],
        },
        Case {
            fact: "from a child",
            user: "mod part; use part::Part;",
            used: &["user/part.rs"],
        },
        Case {
            fact: "renamed",
            user: "use crate::item::Item as Other;",
            used: &["item.rs"],
        },
        Case {
            fact: "without a name",
            user: "use crate::item::Item as _;",
            used: &["item.rs"],
        },
        Case {
            fact: "in nested groups",
            user: "use crate::{item::{Item, inner::Deep}, kinds::Kind};",
            used: &["item.rs", "kinds.rs"],
        },
        Case {
            fact: "an inline module",
            user: "use crate::item::inner::Deep;",
            used: &["item.rs"],
        },
        Case {
            fact: "a variant",
            user: "use crate::kinds::Kind::One;",
            used: &["kinds.rs"],
        },
        Case {
            fact: "all variants",
            user: "use crate::kinds::Kind::*;",
            used: &["kinds.rs"],
        },
        Case {
            fact: "all of a module",
            user: "use crate::item::*;",
            used: &["item.rs"],
        },
        Case {
            fact: "public",
            user: "pub use crate::item::Item;",
            used: &["item.rs"],
        },
        Case {
            fact: "in a body",
            user: "fn f() { use crate::item::Item; }",
            used: &["item.rs"],
        },
    ]);
}

#[test]
fn an_import_through_a_facade_is_an_edge_to_what_is_behind_it() {
    check(&[
        Case {
            fact: "a type",
            user: "use crate::http::Call;",
            used: &["http/call.rs"],
        },
        Case {
            fact: "a renamed one",
            user: "use crate::http::Request;",
            used: &["http/call.rs"],
        },
        Case {
            fact: "at the root",
            user: "use crate::Thing;",
            used: &["item.rs"],
        },
        Case {
            fact: "through a glob",
            user: "use crate::kinds::Call;",
            used: &["http/call.rs"],
        },
        Case {
            fact: "a function with the name of its module",
            user: "use crate::http::call;",
            used: &["http/call.rs"],
        },
        Case {
            fact: "through a private import of the parent",
            user: "use crate::item::Item; mod part { use super::Item; }",
            used: &["item.rs"],
        },
    ]);
}

#[test]
fn a_path_in_code_is_an_edge() {
    check(&[
        Case {
            fact: "a type",
            user: "fn f(_: crate::item::Item) {}",
            used: &["item.rs"],
        },
        Case {
            fact: "a call",
            user: "fn f() { crate::http::call() }",
            used: &["http/call.rs"],
        },
        Case {
            fact: "a child",
            user: "mod part; type P = part::Part;",
            used: &["user/part.rs"],
        },
        Case {
            fact: "through an imported module",
            user: "use crate::http; fn f() { http::call() }",
            used: &["http/call.rs"],
        },
        Case {
            fact: "in arguments of a macro",
            user: "fn f() { println!(\"{:?}\", [crate::http::call()]) }",
            used: &["http/call.rs"],
        },
        Case {
            fact: "in a macro of its own",
            user: "macro_rules! m { () => { $crate::item::Item } }",
            used: &["item.rs"],
        },
        Case {
            fact: "in generics",
            user: "fn f() { Vec::<crate::item::Item>::new(); }",
            used: &["item.rs"],
        },
        Case {
            fact: "in a string for serde",
            user: "struct S { #[serde(with = \"crate::http::call\")] a: u8 }",
            used: &["http/call.rs"],
        },
        Case {
            fact: "in an attribute",
            user: "struct S { #[arg(value_parser = crate::http::call)] a: u8 }",
            used: &["http/call.rs"],
        },
    ]);
}

#[test]
fn a_call_by_self_is_an_edge_to_the_block_that_defines_the_function() {
    let blocks = "use crate::Machine; impl Machine { fn stop(&self) {} fn new() {} }";
    let cases = [
        ("by self", "fn run(&self) { self.stop() }", true),
        ("by Self", "fn run() { Self::new() }", true),
        (
            "as a value",
            "fn run(&self) { Some(self).map(Self::stop) }",
            true,
        ),
        (
            "of another value",
            "fn run(other: &Machine) { other.stop() }",
            false,
        ),
        ("of a field", "fn run(&self) { self.other.stop() }", false),
        ("of its own", "fn run(&self) { self.run() }", false),
    ];
    for (fact, function, is_edge) in cases {
        let edges = edges_of(&[
            ("lib.rs", "mod blocks; mod user; struct Machine;"),
            ("user.rs", &format!("impl super::Machine {{ {function} }}")),
            ("blocks.rs", blocks),
        ]);
        let edge = "user.rs > blocks.rs".to_owned();
        assert_eq!(edges.contains(&edge), is_edge, "{fact}: {edges:?}");
    }
}

#[test]
fn what_uses_no_item_of_another_file_is_no_edge() {
    check(&[
        Case {
            fact: "a declaration",
            user: "mod part;",
            used: &[],
        },
        Case {
            fact: "an import of a module",
            user: "use crate::http;",
            used: &[],
        },
        Case {
            fact: "one by self",
            user: "use crate::http::{self};",
            used: &[],
        },
        Case {
            fact: "another crate",
            user: "use item::Item; use std::http::Call;",
            used: &[],
        },
        Case {
            fact: "a leading ::",
            user: "use ::item::Item; type I = ::item::Item;",
            used: &[],
        },
        Case {
            fact: "its own item",
            user: "struct A; fn f() { self::A; Self::b() }",
            used: &[],
        },
        Case {
            fact: "a comment",
            user: "/// [`crate::item::Item`]\nstruct A;",
            used: &[],
        },
        Case {
            fact: "a visibility",
            user: "pub(in crate::item) struct A;",
            used: &[],
        },
        Case {
            fact: "a test module",
            user: "#[cfg(test)] mod tests { use crate::item::Item; }",
            used: &[],
        },
        Case {
            fact: "an import for tests",
            user: "#[cfg(all(test, unix))] use crate::item::Item;",
            used: &[],
        },
        Case {
            fact: "a method for tests",
            user: "struct A; impl A { #[cfg(test)] fn f(_: crate::item::Item) {} }",
            used: &[],
        },
    ]);
}

#[test]
fn code_that_is_also_outside_tests_counts() {
    check(&[
        Case {
            fact: "not",
            user: "#[cfg(not(test))] use crate::item::Item;",
            used: &["item.rs"],
        },
        Case {
            fact: "any",
            user: "#[cfg(any(test, unix))] use crate::item::Item;",
            used: &["item.rs"],
        },
        Case {
            fact: "a feature",
            user: "#[cfg(feature = \"test\")] use crate::item::Item;",
            used: &["item.rs"],
        },
    ]);
}

#[test]
fn a_module_has_its_source_where_the_compiler_looks() {
    let user = "use crate::low::Low;";
    let low = "pub struct Low;";
    let cases: [(&str, Vec<(&str, &str)>); 4] = [
        (
            "a folder",
            vec![
                ("lib.rs", "mod a; mod low;"),
                ("a/mod.rs", user),
                ("low.rs", low),
            ],
        ),
        (
            "an attribute",
            vec![
                ("lib.rs", "#[path = \"other/b.rs\"] mod a; mod low;"),
                ("other/b.rs", user),
                ("low.rs", low),
            ],
        ),
        (
            "inside an inline module",
            vec![
                ("lib.rs", "mod c { mod a; } mod low;"),
                ("c/a.rs", user),
                ("low.rs", low),
            ],
        ),
        (
            "named by a keyword",
            vec![
                ("lib.rs", "mod r#type; mod low;"),
                ("type.rs", user),
                ("low.rs", low),
            ],
        ),
    ];
    for (fact, files) in cases {
        let expected = format!("{} > low.rs", files[1].0);
        assert_eq!(edges_of(&files), [expected], "{fact}");
    }
}

#[test]
fn imports_that_lead_back_to_themselves_end() {
    let edges = edges_of(&[
        ("lib.rs", "mod a; mod b;"),
        (
            "a.rs",
            "pub use crate::b::*; pub use crate::b::Lost; fn f() { crate::b::Gone::x() }",
        ),
        ("b.rs", "pub use crate::a::*; pub use crate::a::Lost;"),
    ]);
    assert_eq!(edges, ["a.rs > b.rs", "b.rs > a.rs"]);
}
