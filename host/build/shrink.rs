//! Takes out of a component what no host reads: custom sections, and the length of the names inside.
//!
//! A component has names of two kinds. Those of its imports and exports are the interface. Those that the modules and components in it are
//! tied together by are nobody's, and have only to be equal where they were equal. The linker writes each function's full name four times,
//! `scratch:tempfile/tempfile@0.1.0#[method]temp-dir.create-directory` among them; here they become numbers. And it gives each function three
//! sections of its own, of three bytes each before their content; here they share theirs.

use std::collections::HashMap;
use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils, utils};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, ComponentImportSection,
    ComponentInstanceSection, ComponentTypeSection, ExportSection, ImportSection, InstanceSection, Module,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentAliasSectionReader, ComponentImport,
    ComponentImportSectionReader, ComponentInstance, ComponentType, CustomSectionReader, Export, Imports,
    Instance, Parser, Payload,
};

type Done = Result<(), Error<Infallible>>;

/// The same component in fewer bytes.
pub(crate) fn component(bytes: &[u8]) -> Result<Vec<u8>, Error<Infallible>> {
    let mut shrunk = Component::new();
    Shrink::default().parse_component(&mut shrunk, Parser::new(0), bytes)?;
    Ok(shrunk.finish())
}

#[derive(Default)]
struct Shrink {
    /// The numbers given to names so far.
    numbers: HashMap<String, &'static str>,
    /// How many components the present one is in.
    depth: usize,
    /// Content of several sections, not written yet.
    gathered: Gathered,
}

/// What stands in the component in this order, whatever order it came in: none of it refers to what comes after it here, and what each defines is
/// counted by itself.
#[derive(Default)]
struct Gathered {
    types: ComponentTypeSection,
    core_aliases: ComponentAliasSection,
    lifts: CanonicalFunctionSection,
}

impl Gathered {
    fn write(self, component: &mut Component) {
        let Self { types, core_aliases, lifts } = self;
        if !types.is_empty() {
            component.section(&types);
        }
        if !core_aliases.is_empty() {
            component.section(&core_aliases);
        }
        if !lifts.is_empty() {
            component.section(&lifts);
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

impl Shrink {
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

    fn parse_component_payload(
        &mut self,
        component: &mut Component,
        payload: Payload<'_>,
        whole: &[u8],
    ) -> Done {
        let mut gathered = std::mem::take(&mut self.gathered);
        match payload {
            Payload::ComponentTypeSection(types) if !types.clone().into_iter().any(|ty| is_resource(&ty)) => {
                self.parse_component_type_section(&mut gathered.types, types)?;
            }
            Payload::ComponentAliasSection(aliases)
                if aliases.clone().into_iter().all(|alias| is_of_core(&alias)) =>
            {
                self.parse_component_alias_section(&mut gathered.core_aliases, aliases)?;
            }
            Payload::ComponentCanonicalSection(functions)
                if functions.clone().into_iter().all(|function| is_lift(&function)) =>
            {
                self.parse_component_canonical_section(&mut gathered.lifts, functions)?;
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
