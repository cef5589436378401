//! The manifest `workload.yaml`, and its workload as wasmCloud's runtime takes it.
//!
//! The types here have the fields of wasmCloud's `WorkloadDeployment` and of Kubernetes'
//! `Deployment` that the manifest uses, and no others: a misspelt field is an error.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use serde::Deserialize;
use wash_runtime::types;
use wash_runtime::wit::WitInterface;

mod node;

pub use node::Node;

/// The text of the manifest.
pub const MANIFEST: &str = include_str!("../workload.yaml");

/// The documents of the manifest.
#[derive(Debug)]
pub struct Manifest {
    /// What wasmCloud's operator runs.
    pub workload: Object<WorkloadDeployment>,
    /// What is added to the pods of its hosts.
    pub hosts: Object<Deployment>,
}

impl Manifest {
    /// Parses [`MANIFEST`].
    ///
    /// # Errors
    ///
    /// If it has other documents or other fields than expected.
    pub fn read() -> Result<Self> {
        let documents: Vec<_> = serde_yaml_ng::Deserializer::from_str(MANIFEST).collect();
        let count = documents.len();
        let [workload, hosts] = <[_; 2]>::try_from(documents)
            .map_err(|_| anyhow::anyhow!("{count} documents instead of 2"))?;
        let workload: Object<WorkloadDeployment> =
            Object::deserialize(workload).context("the workload")?;
        let hosts: Object<Deployment> = Object::deserialize(hosts).context("the hosts")?;
        for (object, version, kind) in [
            (workload.head(), "runtime.wasmcloud.dev/v1alpha1", "WorkloadDeployment"),
            (hosts.head(), "apps/v1", "Deployment"),
        ] {
            if object != (version, kind) {
                bail!("{object:?} instead of {kind} of {version}");
            }
        }
        Ok(Self { workload, hosts })
    }

    /// The workload for wasmCloud's runtime, with these bytes as the image of its one component,
    /// and `scratch` in place of the directory of its one volume.
    ///
    /// # Errors
    ///
    /// If it has another number of components or volumes.
    pub fn runtime_workload(&self, image: Bytes, scratch: &str) -> Result<types::Workload> {
        let spec = &self.workload.spec.template.spec;
        let [component] = &spec.components[..] else { bail!("not one component") };
        let [volume] = &spec.volumes[..] else { bail!("not one volume") };
        let resources = &component.local_resources;
        let mounts = resources.volume_mounts.iter().map(|mount| types::VolumeMount {
            name: mount.name.clone(),
            mount_path: mount.mount_path.clone(),
            read_only: false,
        });
        let local_resources = types::LocalResources {
            environment: resources.environment.config.clone(),
            volume_mounts: mounts.collect(),
            ..Default::default()
        };
        let host_path = types::HostPathVolume { local_path: scratch.to_owned() };
        Ok(types::Workload {
            namespace: "default".to_owned(),
            name: self.workload.metadata.name.clone(),
            annotations: HashMap::new(),
            service: None,
            components: vec![types::Component {
                bytes: image,
                local_resources,
                ..Default::default()
            }],
            host_interfaces: spec.host_interfaces.iter().map(HostInterface::wit).collect(),
            volumes: vec![types::Volume {
                name: volume.name.clone(),
                volume_type: types::VolumeType::HostPath(host_path),
            }],
        })
    }

    /// The container of the hosts' pods with this name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn container(&self, name: &str) -> Result<&Container> {
        let containers = &self.hosts.spec.template.spec.containers;
        containers.iter().find(|container| container.name == name).context("no such container")
    }
}

/// An object of Kubernetes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Object<S> {
    api_version: String,
    kind: String,
    /// Its name.
    pub metadata: Metadata,
    /// What it asks for.
    pub spec: S,
}

impl<S> Object<S> {
    fn head(&self) -> (&str, &str) {
        (&self.api_version, &self.kind)
    }
}

/// The name of an object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Metadata {
    pub name: String,
}

/// The template of what there are several of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Template<S> {
    pub spec: S,
}

/// The specification of wasmCloud's `WorkloadDeployment`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct WorkloadDeployment {
    pub replicas: u32,
    pub template: Template<Workload>,
}

/// One workload.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Workload {
    pub host_selector: HashMap<String, String>,
    pub host_interfaces: Vec<HostInterface>,
    pub components: Vec<Component>,
    pub volumes: Vec<HostVolume>,
}

/// An interface that the host has to provide.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct HostInterface {
    pub namespace: String,
    pub package: String,
    pub interfaces: Vec<String>,
    #[serde(default)]
    pub config: HashMap<String, String>,
}

impl HostInterface {
    fn wit(&self) -> WitInterface {
        WitInterface {
            namespace: self.namespace.clone(),
            package: self.package.clone(),
            interfaces: self.interfaces.iter().cloned().collect(),
            version: None,
            config: self.config.clone(),
        }
    }
}

/// A component of a workload.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Component {
    pub name: String,
    pub image: String,
    pub local_resources: LocalResources,
}

/// What a component has besides its interfaces.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct LocalResources {
    pub environment: Environment,
    pub volume_mounts: Vec<VolumeMount>,
}

/// The variables of a component.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Environment {
    pub config: HashMap<String, String>,
}

/// Where a component or a container has a volume.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct VolumeMount {
    pub name: String,
    pub mount_path: String,
}

/// A directory of the host, which is a process in a container.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct HostVolume {
    pub name: String,
    pub host_path: HostPath,
}

/// The path of a directory of the host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct HostPath {
    pub path: String,
}

/// The part of Kubernetes' `Deployment` that is added to the hosts of wasmCloud's chart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Deployment {
    pub template: Template<Pod>,
}

/// What is added to the pods.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Pod {
    pub volumes: Vec<PodVolume>,
    pub containers: Vec<Container>,
}

/// A volume that lives as long as its pod.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct PodVolume {
    pub name: String,
    pub empty_dir: EmptyDir,
}

/// How large it may become.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct EmptyDir {
    pub size_limit: String,
}

/// A container: what is added to that of the host, or the whole of another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Container {
    pub name: String,
    pub image: Option<String>,
    #[serde(default)]
    pub args: Vec<String>,
    pub volume_mounts: Vec<VolumeMount>,
    /// What it may do and have is Kubernetes' affair, and not looked at here.
    pub security_context: Option<serde_yaml_ng::Value>,
    /// As above.
    pub resources: Option<serde_yaml_ng::Value>,
}
