//! What the machine is made of, from `/sys` and `/proc`.

use super::root::{Root, Unread, value_of};
use super::section::{Item, Section};

/// Names that firmware carries when its maker filled nothing in.
const EMPTY: [&str; 8] = [
    "to be filled by o.e.m.",
    "default string",
    "system serial number",
    "system product name",
    "system manufacturer",
    "not specified",
    "none",
    "0123456789",
];

/// Vendor, model, serial number, processor, memory.
pub(super) fn hardware(root: &Root) -> Section {
    let mut section = Section::new("hardware");
    let mut any = false;
    for (key, file) in [
        ("vendor", "sys_vendor"),
        ("model", "product_name"),
        ("version", "product_version"),
        ("serial", "product_serial"),
        ("uuid", "product_uuid"),
        ("board", "board_name"),
        ("board_serial", "board_serial"),
        ("chassis", "chassis_type"),
        ("bios", "bios_version"),
        ("bios_date", "bios_date"),
    ] {
        match root.text(&format!("/sys/class/dmi/id/{file}")) {
            Ok(text) if EMPTY.contains(&text.trim().to_lowercase().as_str()) => any = true,
            Ok(text) => {
                any = true;
                section.value(key, if key == "chassis" { chassis(text.trim()) } else { &text });
            }
            Err(Unread::Absent) => {}
            Err(Unread::Failed(why)) => section.unknown(key, &why),
        }
    }
    if !any {
        match root.line("/proc/device-tree/model") {
            Some(model) => section.value("model", &model),
            None => section.unknown(
                "vendor",
                "the firmware tells nothing: no /sys/class/dmi/id, as in containers",
            ),
        }
    }
    processor(root, &mut section);
    memory(root, &mut section);
    section.finish()
}

fn chassis(number: &str) -> &str {
    match number {
        "3" | "4" | "5" | "6" | "7" | "15" | "16" | "35" => "desktop",
        "8" | "9" | "10" | "14" | "31" => "laptop",
        "11" | "30" | "32" => "tablet",
        "17" | "23" | "25" | "28" | "29" => "server",
        "13" => "all in one",
        "1" | "2" => "other",
        other => other,
    }
}

fn processor(root: &Root, section: &mut Section) {
    match root.large_text("/proc/cpuinfo", 4 * 1024 * 1024) {
        Ok(text) => {
            let count = text.lines().filter(|line| line.starts_with("processor")).count();
            let model = ["model name", "Model", "cpu model", "Hardware"];
            let model =
                model.iter().find_map(|name| value_of(&text, name, ':')).unwrap_or_default();
            let item = Item::default()
                .text("model", model)
                .number("count", u64::try_from(count).unwrap_or(0));
            section.add("cpu", item);
        }
        Err(error) => {
            section.unknown("cpu", error.failure().unwrap_or("/proc/cpuinfo is not there"));
        }
    }
}

fn memory(root: &Root, section: &mut Section) {
    match root.text("/proc/meminfo") {
        Ok(text) => {
            let bytes = |name| {
                let number = value_of(&text, name, ':')
                    .and_then(|v| v.strip_suffix("kB")?.trim().parse::<u64>().ok());
                number.unwrap_or(0).saturating_mul(1024)
            };
            let item = Item::default()
                .number("total", bytes("MemTotal"))
                .number("swap", bytes("SwapTotal"));
            section.add("memory", item);
        }
        Err(error) => {
            section.unknown("memory", error.failure().unwrap_or("/proc/meminfo is not there"));
        }
    }
}

/// Block devices that are disks or layers over them.
pub(super) fn disks(root: &Root) -> Section {
    let mut section = Section::new("disks");
    let names = match root.names("/sys/block") {
        Ok(names) => names,
        Err(error) => {
            section.unknown("disks", error.failure().unwrap_or("/sys/block is not there"));
            return section;
        }
    };
    for name in names
        .iter()
        .filter(|name| !["loop", "ram", "zram", "nbd"].iter().any(|kind| name.starts_with(kind)))
    {
        let fact = |file: &str| root.line(&format!("/sys/block/{name}/{file}"));
        let sectors = fact("size").and_then(|size| size.parse::<u64>().ok()).unwrap_or(0);
        if sectors == 0 {
            // A drive without a medium.
            continue;
        }
        let uuid = fact("dm/uuid");
        let mut item = Item::default()
            .text("name", name)
            .number("size", sectors.saturating_mul(512))
            .maybe("vendor", fact("device/vendor").as_deref())
            .maybe("model", fact("device/model").as_deref())
            .maybe("serial", fact("device/serial").or_else(|| fact("serial")).as_deref())
            .maybe("volume", fact("dm/name").as_deref())
            .flag("removable", fact("removable").as_deref() == Some("1"));
        if let Some(rotational) = fact("queue/rotational") {
            item = item.text("kind", if rotational == "1" { "rotating" } else { "solid state" });
        }
        if let Some(uuid) = uuid {
            let encrypted = uuid.starts_with("CRYPT-");
            item = item.flag("encrypted", encrypted);
            if let Some(kind) = uuid.split('-').nth(1).filter(|_| encrypted) {
                item = item.text("encryption", kind);
            }
        }
        section.add(name, item);
    }
    section.finish()
}
