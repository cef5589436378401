//! Takes out of a component what no host reads: custom sections, and the length of the names inside.
//!
//! A component has names of two kinds. Those of its imports and exports are the interface. Those that the modules and components in it are
//! tied together by are nobody's, and have only to be equal where they were equal. The linker writes each function's full name four times,
//! `scratch:tempfile/tempfile@0.1.0#[method]temp-dir.create-directory` among them; here they become numbers. It gives each function seven
//! sections of its own, of three bytes each before their content; here they share theirs. And it spells out an enum once for each interface that
//! mentions it; here it is spelt out once.

use std::collections::HashMap;
use std::convert::Infallible;
use std::mem;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils, utils};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, ComponentExportSection,
    ComponentImportSection, ComponentInstanceSection, ComponentTypeSection, ExportSection, ImportSection,
    InstanceSection, Module, NestedComponentSection,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentAliasSectionReader, ComponentDefinedType, ComponentExport,
    ComponentExternalKind, ComponentImport, ComponentImportSectionReader, ComponentInstance,
    ComponentOuterAliasKind, ComponentType, ComponentTypeRef, ComponentTypeSectionReader,
    CustomSectionReader, Export, Imports, Instance, Parser, Payload,
};

type Done = Result<(), Error<Infallible>>;

/// The same component in fewer bytes.
pub(crate) fn component(bytes: &[u8]) -> Result<Vec<u8>, Error<Infallible>> {
    let mut shrunk = Component::new();
    let mut shrink = Shrink::default();
    shrink.parse_component(&mut shrunk, Parser::new(0), bytes)?;
    shrink.gathered.write(&mut shrunk);
    Ok(shrunk.finish())
}

#[derive(Default)]
struct Shrink {
    /// The numbers given to names so far.
    numbers: HashMap<String, &'static str>,
    /// How many components the present one is in.
    depth: usize,
    /// How many types the outermost component has so far.
    types: u32,
    /// Its enums, by their cases.
    enums: HashMap<Vec<String>, u32>,
    /// Content of several sections, not written yet.
    gathered: Gathered,
}

/// What stands in the component in this order, whatever order it came in: none of it refers to what comes after it here. What each defines is
/// counted by itself, but for functions: those that come after it here must not have come before it.
#[derive(Default)]
struct Gathered {
    types: ComponentTypeSection,
    core_aliases: ComponentAliasSection,
    lifts: CanonicalFunctionSection,
    imports: ComponentImportSection,
    exports: ComponentExportSection,
}

impl Gathered {
    fn write(self, component: &mut Component) {
        let Self { types, core_aliases, lifts, imports, exports } = self;
        if !types.is_empty() {
            component.section(&types);
        }
        if !core_aliases.is_empty() {
            component.section(&core_aliases);
        }
        if !lifts.is_empty() {
            component.section(&lifts);
        }
        if !imports.is_empty() {
            component.section(&imports);
        }
        if !exports.is_empty() {
            component.section(&exports);
        }
    }
}

/// A resource's type refers to its destructor, a core function.
fn is_resource(ty: &wasmparser::Result<ComponentType<'_>>) -> bool {
    matches!(ty, Ok(ComponentType::Resource { .. }))
}

fn is_of_core(alias: &wasmparser::Result<ComponentAlias<'_>>) -> bool {
    matches!(alias, Ok(ComponentAlias::CoreInstanceExport { .. }))
}

fn is_lift(function: &wasmparser::Result<CanonicalFunction>) -> bool {
    matches!(function, Ok(CanonicalFunction::Lift { .. }))
}

fn is_function_import(import: &wasmparser::Result<ComponentImport<'_>>) -> bool {
    matches!(import, Ok(ComponentImport { ty: ComponentTypeRef::Func(_), .. }))
}

fn is_function_export(export: &wasmparser::Result<ComponentExport<'_>>) -> bool {
    matches!(export, Ok(ComponentExport { kind: ComponentExternalKind::Func, .. }))
}

/// The cases of an enum.
fn cases(ty: &ComponentType<'_>) -> Option<Vec<String>> {
    match ty {
        ComponentType::Defined(ComponentDefinedType::Enum(cases)) => {
            Some(cases.iter().map(|case| (*case).to_owned()).collect())
        }
        _ => None,
    }
}

/// The cases of a section's enum, if that is all there is in it.
fn only_enum(section: &ComponentTypeSectionReader<'_>) -> Option<Vec<String>> {
    let only = section.clone().into_iter().next().filter(|_| section.count() == 1);
    only.and_then(Result::ok).as_ref().and_then(cases)
}

impl Shrink {
    /// Counts what the outermost component calls a type from here on.
    fn count(&mut self, payload: &Payload<'_>) -> wasmparser::Result<()> {
        let mut count = |defines| self.types += u32::from(defines);
        match payload {
            Payload::ComponentTypeSection(types) => {
                for ty in types.clone() {
                    if let Some(cases) = cases(&ty?) {
                        self.enums.insert(cases, self.types);
                    }
                    self.types += 1;
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone() {
                    count(matches!(import?.ty, ComponentTypeRef::Type(_)));
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports.clone() {
                    count(export?.kind == ComponentExternalKind::Type);
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases.clone() {
                    count(matches!(
                        alias?,
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Type, .. }
                            | ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type, .. }
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn number(&mut self, name: &str) -> &'static str {
        let next = self.numbers.len();
        // A letter first, as components want it. Leaked: a few hundred of them, and a build script ends soon.
        self.numbers.entry(name.to_owned()).or_insert_with(|| format!("n{next:x}").leak())
    }
}

impl Reencode for Shrink {
    type Error = Infallible;

    fn parse_custom_section(&mut self, _: &mut Module, _: CustomSectionReader<'_>) -> Done {
        Ok(())
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: Export<'_>) -> Done {
        let name = self.number(export.name);
        utils::parse_export(self, exports, Export { name, ..export })
    }

    fn parse_imports(&mut self, section: &mut ImportSection, imports: Imports<'_>) -> Done {
        // One by one, whatever groups they came in.
        for import in imports {
            let (_, import) = import?;
            let (module, name) = (self.number(import.module), self.number(import.name));
            section.import(module, name, self.entity_type(import.ty)?);
        }
        Ok(())
    }
}

impl ReencodeComponent for Shrink {
    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn parse_component_subcomponent(
        &mut self,
        component: &mut Component,
        parser: Parser,
        data: &[u8],
        whole: &[u8],
    ) -> Done {
        self.push_depth();
        let mut inner = Component::new();
        component_utils::parse_component(self, &mut inner, parser, data, whole)?;
        mem::take(&mut self.gathered).write(&mut inner);
        component.section(&NestedComponentSection(&inner));
        self.pop_depth();
        Ok(())
    }

    fn parse_component_payload(
        &mut self,
        component: &mut Component,
        payload: Payload<'_>,
        whole: &[u8],
    ) -> Done {
        if self.depth == 0 {
            self.count(&payload)?;
        }
        let mut gathered = mem::take(&mut self.gathered);
        match payload {
            Payload::ComponentTypeSection(types) if !types.clone().into_iter().any(|ty| is_resource(&ty)) => {
                let known =
                    only_enum(&types).filter(|_| self.depth > 0).and_then(|cases| self.enums.get(&cases));
                if let Some(index) = known {
                    mem::take(&mut gathered).write(component);
                    let count = u32::try_from(self.depth).expect("a component's depth");
                    let kind = wasm_encoder::ComponentOuterAliasKind::Type;
                    let mut alias = ComponentAliasSection::new();
                    alias.alias(Alias::Outer { kind, count, index: *index });
                    component.section(&alias);
                } else {
                    self.parse_component_type_section(&mut gathered.types, types)?;
                }
            }
            Payload::ComponentAliasSection(aliases)
                if aliases.clone().into_iter().all(|alias| is_of_core(&alias)) =>
            {
                self.parse_component_alias_section(&mut gathered.core_aliases, aliases)?;
            }
            Payload::ComponentCanonicalSection(functions)
                if functions.clone().into_iter().all(|function| is_lift(&function)) =>
            {
                if !gathered.imports.is_empty() || !gathered.exports.is_empty() {
                    mem::take(&mut gathered).write(component);
                }
                self.parse_component_canonical_section(&mut gathered.lifts, functions)?;
            }
            Payload::ComponentImportSection(imports)
                if imports.clone().into_iter().all(|import| is_function_import(&import)) =>
            {
                if !gathered.exports.is_empty() {
                    mem::take(&mut gathered).write(component);
                }
                self.parse_component_import_section(&mut gathered.imports, imports)?;
            }
            Payload::ComponentExportSection(exports)
                if exports.clone().into_iter().all(|export| is_function_export(&export)) =>
            {
                self.parse_component_export_section(&mut gathered.exports, exports)?;
            }
            other => {
                gathered.write(component);
                return component_utils::parse_component_payload(self, component, other, whole);
            }
        }
        self.gathered = gathered;
        Ok(())
    }

    fn parse_component_custom_section(&mut self, _: &mut Component, _: CustomSectionReader<'_>) -> Done {
        Ok(())
    }

    fn parse_component_import_section(
        &mut self,
        imports: &mut ComponentImportSection,
        section: ComponentImportSectionReader<'_>,
    ) -> Done {
        if self.depth == 0 {
            return component_utils::parse_component_import_section(self, imports, section);
        }
        for import in section {
            let ComponentImport { name, ty } = import?;
            imports.import(self.number(name.name), self.component_type_ref(ty)?);
        }
        Ok(())
    }

    fn parse_component_instance(
        &mut self,
        instances: &mut ComponentInstanceSection,
        mut instance: ComponentInstance<'_>,
    ) -> Done {
        if let ComponentInstance::Instantiate { args, .. } = &mut instance {
            args.iter_mut().for_each(|arg| arg.name = self.number(arg.name));
        }
        component_utils::parse_component_instance(self, instances, instance)
    }

    fn parse_component_alias_section(
        &mut self,
        aliases: &mut ComponentAliasSection,
        section: ComponentAliasSectionReader<'_>,
    ) -> Done {
        for alias in section {
            let alias = match component_utils::component_alias(self, alias?)? {
                Alias::CoreInstanceExport { instance, kind, name } => {
                    Alias::CoreInstanceExport { instance, kind, name: self.number(name) }
                }
                other => other,
            };
            aliases.alias(alias);
        }
        Ok(())
    }

    fn parse_instance(&mut self, instances: &mut InstanceSection, instance: Instance<'_>) -> Done {
        let instance = match instance {
            Instance::Instantiate { module_index, mut args } => {
                args.iter_mut().for_each(|arg| arg.name = self.number(arg.name));
                Instance::Instantiate { module_index, args }
            }
            Instance::FromExports(mut exports) => {
                exports.iter_mut().for_each(|export| export.name = self.number(export.name));
                Instance::FromExports(exports)
            }
        };
        component_utils::parse_instance(self, instances, instance)
    }
}
