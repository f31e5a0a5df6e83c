//! Containers, from the state folders of their runtimes.

use serde_json::Value;

use super::root::{Root, Unread};
use super::section::{Item, Section};
use super::services::populated;

/// Largest description of a container, or of all of podman's.
const STATE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Containers of docker, podman and containerd, of the whole machine. Those that people keep in their home folders are not looked for.
pub(super) fn containers(root: &Root) -> Section {
    let mut section = Section::new("containers");
    docker(root, &mut section);
    podman(root, &mut section);
    containerd(root, &mut section);
    section.finish()
}

fn docker(root: &Root, section: &mut Section) {
    let folder = "/var/lib/docker/containers";
    let ids = match root.names(folder) {
        Ok(ids) => ids,
        Err(Unread::Absent) => return,
        Err(Unread::Failed(why)) => return section.unknown("docker", &why),
    };
    for id in ids {
        let short = id.get(..12).unwrap_or(&id).to_owned();
        let text = match root.large_text(&format!("{folder}/{id}/config.v2.json"), STATE_BYTES_MAX)
        {
            Ok(text) => text,
            Err(Unread::Absent) => continue,
            Err(Unread::Failed(why)) => {
                section.unknown(&format!("docker {short}"), &why);
                continue;
            }
        };
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            section.unknown(&format!("docker {short}"), "its description is no JSON");
            continue;
        };
        let word =
            |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let running = value.pointer("/State/Running").and_then(Value::as_bool) == Some(true);
        let item = Item::default()
            .text("name", word("/Name").trim_start_matches('/'))
            .text("image", word("/Config/Image"))
            .text("created", word("/Created").get(..19).unwrap_or_default())
            .text("state", if running { "running" } else { "stopped" });
        section.add(&format!("docker {short}"), item.text("runtime", "docker"));
    }
}

fn podman(root: &Root, section: &mut Section) {
    let base = "/var/lib/containers/storage";
    for driver in ["overlay", "vfs", "btrfs"] {
        let path = format!("{base}/{driver}-containers/containers.json");
        let text = match root.large_text(&path, STATE_BYTES_MAX) {
            Ok(text) => text,
            Err(Unread::Absent) => continue,
            Err(Unread::Failed(why)) => {
                section.unknown("podman", &why);
                continue;
            }
        };
        let Ok(Value::Array(all)) = serde_json::from_str::<Value>(&text) else {
            section.unknown("podman", "its list of containers is no JSON list");
            continue;
        };
        for one in all {
            let word = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
            let id = word("id");
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                continue;
            }
            let name = one.pointer("/names/0").and_then(Value::as_str).unwrap_or_default();
            let running =
                populated(root, &format!("/sys/fs/cgroup/machine.slice/libpod-{id}.scope"));
            let item = Item::default()
                .text("name", name)
                .text("image", &image(&one))
                .text("created", word("created").get(..19).unwrap_or_default())
                .text("state", if running { "running" } else { "stopped" });
            section.add(
                &format!("podman {}", id.get(..12).unwrap_or(id)),
                item.text("runtime", "podman"),
            );
        }
    }
}

/// The name of the image is in a description within the description.
fn image(container: &Value) -> String {
    let inner = container.get("metadata").and_then(Value::as_str).unwrap_or_default();
    let inner = serde_json::from_str::<Value>(inner).unwrap_or_default();
    inner.get("image-name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn containerd(root: &Root, section: &mut Section) {
    let base = "/run/containerd/io.containerd.runtime.v2.task";
    for space in root.names(base).unwrap_or_default() {
        // Docker's own are listed above, with their names.
        if space == "moby" {
            continue;
        }
        for id in root.names(&format!("{base}/{space}")).unwrap_or_default() {
            let item = Item::default()
                .text("name", &id)
                .text("namespace", &space)
                .text("state", "running");
            section.add(&format!("containerd {space} {id}"), item.text("runtime", "containerd"));
        }
    }
}
