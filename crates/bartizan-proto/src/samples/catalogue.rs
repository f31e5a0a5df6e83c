//! What is measured: names as they are shown and asked for, numbers as they travel.

/// Whether a value is a state or a count that only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Says how much there is now.
    Gauge,
    /// Says how much there was since the machine started; falls only when it starts again.
    Counter,
}

/// A metric of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric(u8);

struct Described {
    code: u8,
    name: &'static str,
    /// What the label says; empty for a metric that a machine has once.
    label: &'static str,
    kind: MetricKind,
}

const fn gauge(code: u8, name: &'static str, label: &'static str) -> Described {
    Described { code, name, label, kind: MetricKind::Gauge }
}

const fn counter(code: u8, name: &'static str, label: &'static str) -> Described {
    Described { code, name, label, kind: MetricKind::Counter }
}

/// Numbers are never used again.
const CATALOGUE: &[Described] = &[
    gauge(1, "bartizan_cpu_percent", "mode"),
    gauge(2, "bartizan_load1", ""),
    gauge(3, "bartizan_load5", ""),
    gauge(4, "bartizan_load15", ""),
    gauge(5, "bartizan_memory_total_bytes", ""),
    gauge(6, "bartizan_memory_used_bytes", ""),
    gauge(7, "bartizan_memory_available_bytes", ""),
    gauge(8, "bartizan_swap_total_bytes", ""),
    gauge(9, "bartizan_swap_used_bytes", ""),
    gauge(10, "bartizan_filesystem_size_bytes", "mount"),
    gauge(11, "bartizan_filesystem_used_bytes", "mount"),
    gauge(12, "bartizan_filesystem_free_bytes", "mount"),
    gauge(13, "bartizan_filesystem_inodes", "mount"),
    gauge(14, "bartizan_filesystem_inodes_free", "mount"),
    counter(15, "bartizan_network_receive_bytes_total", "interface"),
    counter(16, "bartizan_network_transmit_bytes_total", "interface"),
    counter(17, "bartizan_network_receive_packets_total", "interface"),
    counter(18, "bartizan_network_transmit_packets_total", "interface"),
    counter(19, "bartizan_network_receive_errors_total", "interface"),
    counter(20, "bartizan_network_transmit_errors_total", "interface"),
    counter(21, "bartizan_network_receive_drops_total", "interface"),
    counter(22, "bartizan_network_transmit_drops_total", "interface"),
    counter(23, "bartizan_disk_read_bytes_total", "device"),
    counter(24, "bartizan_disk_written_bytes_total", "device"),
    counter(25, "bartizan_disk_reads_total", "device"),
    counter(26, "bartizan_disk_writes_total", "device"),
    counter(27, "bartizan_disk_busy_seconds_total", "device"),
    gauge(28, "bartizan_processes", ""),
    gauge(29, "bartizan_process_cpu_percent", "name"),
    gauge(30, "bartizan_process_memory_percent", "name"),
    gauge(31, "bartizan_uptime_seconds", ""),
];

impl Metric {
    /// All there are.
    pub fn all() -> impl Iterator<Item = Self> {
        CATALOGUE.iter().map(|described| Self(described.code))
    }

    /// The metric with a number, if this program knows one.
    pub fn of(code: u8) -> Option<Self> {
        CATALOGUE.iter().any(|described| described.code == code).then_some(Self(code))
    }

    /// The metric with a name.
    pub fn named(name: &str) -> Option<Self> {
        let described = CATALOGUE.iter().find(|described| described.name == name)?;
        Some(Self(described.code))
    }

    /// Its number.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.described().map_or("", |described| described.name)
    }

    /// What its label says; empty for a metric without one.
    pub fn label_key(self) -> &'static str {
        self.described().map_or("", |described| described.label)
    }

    /// Gauge or counter.
    pub fn kind(self) -> MetricKind {
        self.described().map_or(MetricKind::Gauge, |described| described.kind)
    }

    fn described(self) -> Option<&'static Described> {
        // In order and without gaps, as a test checks.
        CATALOGUE.get(usize::from(self.0).checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_metric_is_found_by_its_number_and_by_its_name() {
        for (number, metric) in (1..).zip(Metric::all()) {
            assert_eq!(metric.code(), number);
            assert_eq!(Metric::of(number), Some(metric));
            assert_eq!(Metric::named(metric.name()), Some(metric));
            let counts = metric.name().ends_with("_total");
            assert_eq!(metric.kind() == MetricKind::Counter, counts, "{}", metric.name());
        }
        assert_eq!((Metric::of(0), Metric::of(200), Metric::named("up")), (None, None, None));
    }
}
