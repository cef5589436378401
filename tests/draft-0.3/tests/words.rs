//! The draft says what version 0.1.0 says, in the same words.

use std::collections::BTreeMap;
use std::path::Path;

use wit_parser::{Function, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId};

/// The functions whose bytes or entries travel as a stream in the draft, as the draft has them.
const STREAMS: [(&str, &str); 3] = [
    (
        "tempfile [method]file.read",
        "(self: borrow<file>, length: option<u64>, offset: u64) -> \
         tuple<stream<u8>, future<result<_, error>>>",
    ),
    (
        "tempfile [method]file.write",
        "(self: borrow<file>, buffer: stream<u8>, offset: u64) -> future<result<_, error>>",
    ),
    (
        "tempfile [method]temp-dir.entries",
        "(self: borrow<temp-dir>, path: string) -> \
         tuple<stream<entry>, future<result<_, error>>>",
    ),
];

/// A package's types and functions: where each stands and how it is written.
struct Words {
    types: BTreeMap<String, String>,
    functions: BTreeMap<String, String>,
}

fn words(folder: &str) -> Words {
    let mut resolve = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit").join(folder);
    let (package, _) = resolve.push_path(folder).expect("the folder is a package");
    let mut words = Words { types: BTreeMap::new(), functions: BTreeMap::new() };
    for (interface, id) in &resolve.packages[package].interfaces {
        collect(&resolve, interface, *id, &mut words);
    }
    words
}

fn collect(resolve: &Resolve, interface: &str, id: InterfaceId, words: &mut Words) {
    for (name, id) in &resolve.interfaces[id].types {
        words.types.insert(format!("{interface} {name}"), definition(resolve, *id));
    }
    for (name, function) in &resolve.interfaces[id].functions {
        // What a name says of the kind of function, asynchronous ones have in another form.
        let name = name.replace("[async ", "[").replace("[async]", "");
        words.functions.insert(format!("{interface} {name}"), signature(resolve, function));
    }
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let params: Vec<String> = function
        .params
        .iter()
        .map(|param| format!("{}: {}", param.name, reference(resolve, &param.ty)))
        .collect();
    format!("({}) -> {}", params.join(", "), optional(resolve, &function.result))
}

fn optional(resolve: &Resolve, ty: &Option<Type>) -> String {
    ty.as_ref().map_or_else(|| "_".into(), |ty| reference(resolve, ty))
}

/// A type as it is used: its name if it has one.
fn reference(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Id(id) => match &resolve.types[*id].name {
            Some(name) => name.clone(),
            None => definition(resolve, *id),
        },
        primitive => format!("{primitive:?}").to_lowercase(),
    }
}

/// A type as it is defined.
fn definition(resolve: &Resolve, id: TypeId) -> String {
    let of = |ty: &Type| reference(resolve, ty);
    match &resolve.types[id].kind {
        TypeDefKind::Record(record) => {
            let fields: Vec<String> = record
                .fields
                .iter()
                .map(|field| format!("{}: {}", field.name, of(&field.ty)))
                .collect();
            format!("record {{ {} }}", fields.join(", "))
        }
        TypeDefKind::Variant(variant) => {
            let cases: Vec<String> = variant
                .cases
                .iter()
                .map(|case| format!("{}({})", case.name, optional(resolve, &case.ty)))
                .collect();
            format!("variant {{ {} }}", cases.join(", "))
        }
        TypeDefKind::Enum(cases) => {
            let cases: Vec<&str> = cases.cases.iter().map(|case| case.name.as_str()).collect();
            format!("enum {{ {} }}", cases.join(", "))
        }
        TypeDefKind::Resource => "resource".into(),
        TypeDefKind::Handle(Handle::Own(id)) => of(&Type::Id(*id)),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", of(&Type::Id(*id))),
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(of).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Option(ty) => format!("option<{}>", of(ty)),
        TypeDefKind::Result(result) => {
            format!("result<{}, {}>", optional(resolve, &result.ok), optional(resolve, &result.err))
        }
        TypeDefKind::List(ty) => format!("list<{}>", of(ty)),
        TypeDefKind::Stream(ty) => format!("stream<{}>", optional(resolve, ty)),
        TypeDefKind::Future(ty) => format!("future<{}>", optional(resolve, ty)),
        TypeDefKind::Type(ty) => of(ty),
        other => panic!("this package has no type of this kind: {other:?}"),
    }
}

#[test]
fn every_type_is_the_same() {
    assert_eq!(words("draft-0.3").types, words("tempfile").types);
}

#[test]
fn every_function_is_the_same_but_for_streams() {
    let mut expected = words("tempfile").functions;
    for (name, signature) in STREAMS {
        let replaced = expected.insert(name.into(), signature.into());
        assert!(replaced.is_some(), "{name} is not in version 0.1.0");
    }
    assert_eq!(words("draft-0.3").functions, expected);
}
