//! A machine that is not there: the figures of an ordinary server, always the same for a number.

use bartizan_proto::inventory::{Fact, Item, Items, Record, difference, records};
use bartizan_proto::samples::{Metric, Samples, Series};

use crate::numbers::Numbers;

/// How a figure moves.
#[derive(Debug, Clone, Copy)]
enum Course {
    /// It stays.
    Still,
    /// A step of at most so many hundredths either way, not below 0.
    Hundredths(u16),
    /// A step of at most so many pages of 4 KiB either way.
    Pages(u16),
    /// It rises by at most so much.
    Rises(u32),
    /// It rises by sixty.
    Clock,
}

/// Name, label, first value, course: what `bartizan-guard` sends of a machine with two file systems, an interface and a disk.
const FIGURES: &[(&str, &str, f64, Course)] = &[
    ("bartizan_cpu_percent", "user", 12.0, Course::Hundredths(400)),
    ("bartizan_cpu_percent", "system", 4.0, Course::Hundredths(150)),
    ("bartizan_cpu_percent", "iowait", 0.3, Course::Hundredths(30)),
    ("bartizan_cpu_percent", "steal", 0.0, Course::Still),
    ("bartizan_load1", "", 0.8, Course::Hundredths(30)),
    ("bartizan_load5", "", 0.7, Course::Hundredths(10)),
    ("bartizan_load15", "", 0.6, Course::Hundredths(4)),
    ("bartizan_memory_total_bytes", "", 8_324_431_872.0, Course::Still),
    ("bartizan_memory_used_bytes", "", 3_221_225_472.0, Course::Pages(2000)),
    ("bartizan_memory_available_bytes", "", 4_831_838_208.0, Course::Pages(2000)),
    ("bartizan_swap_total_bytes", "", 2_147_479_552.0, Course::Still),
    ("bartizan_swap_used_bytes", "", 41_943_040.0, Course::Still),
    ("bartizan_filesystem_size_bytes", "/", 52_571_344_896.0, Course::Still),
    ("bartizan_filesystem_used_bytes", "/", 21_474_836_480.0, Course::Pages(300)),
    ("bartizan_filesystem_free_bytes", "/", 28_991_029_248.0, Course::Pages(300)),
    ("bartizan_filesystem_inodes", "/", 3_276_800.0, Course::Still),
    ("bartizan_filesystem_inodes_free", "/", 2_900_000.0, Course::Hundredths(400)),
    ("bartizan_filesystem_size_bytes", "/srv", 1_056_763_904_000.0, Course::Still),
    ("bartizan_filesystem_used_bytes", "/srv", 612_032_838_656.0, Course::Pages(4000)),
    ("bartizan_filesystem_free_bytes", "/srv", 390_842_023_936.0, Course::Pages(4000)),
    ("bartizan_filesystem_inodes", "/srv", 65_536_000.0, Course::Still),
    ("bartizan_filesystem_inodes_free", "/srv", 64_000_000.0, Course::Still),
    ("bartizan_network_receive_bytes_total", "eth0", 9e9, Course::Rises(30_000_000)),
    ("bartizan_network_transmit_bytes_total", "eth0", 2e10, Course::Rises(60_000_000)),
    ("bartizan_network_receive_packets_total", "eth0", 9e6, Course::Rises(30_000)),
    ("bartizan_network_transmit_packets_total", "eth0", 2e7, Course::Rises(50_000)),
    ("bartizan_network_receive_errors_total", "eth0", 0.0, Course::Still),
    ("bartizan_network_transmit_errors_total", "eth0", 0.0, Course::Still),
    ("bartizan_network_receive_drops_total", "eth0", 17.0, Course::Still),
    ("bartizan_network_transmit_drops_total", "eth0", 0.0, Course::Still),
    ("bartizan_disk_read_bytes_total", "sda", 3.2e10, Course::Rises(4_000_000)),
    ("bartizan_disk_written_bytes_total", "sda", 9.6e10, Course::Rises(20_000_000)),
    ("bartizan_disk_reads_total", "sda", 900_000.0, Course::Rises(400)),
    ("bartizan_disk_writes_total", "sda", 4_000_000.0, Course::Rises(1500)),
    ("bartizan_disk_busy_seconds_total", "sda", 10_000.0, Course::Rises(3)),
    ("bartizan_processes", "", 212.0, Course::Hundredths(0)),
    ("bartizan_process_cpu_percent", "postgres", 9.0, Course::Hundredths(300)),
    ("bartizan_process_cpu_percent", "nginx", 3.0, Course::Hundredths(150)),
    ("bartizan_process_cpu_percent", "php-fpm8.4", 6.0, Course::Hundredths(300)),
    ("bartizan_process_cpu_percent", "systemd-journal", 0.4, Course::Hundredths(20)),
    ("bartizan_process_cpu_percent", "bartizan-agent", 0.05, Course::Hundredths(2)),
    ("bartizan_process_memory_percent", "postgres", 22.0, Course::Hundredths(20)),
    ("bartizan_process_memory_percent", "nginx", 1.2, Course::Hundredths(2)),
    ("bartizan_process_memory_percent", "php-fpm8.4", 9.0, Course::Hundredths(40)),
    ("bartizan_process_memory_percent", "systemd-journal", 0.9, Course::Hundredths(2)),
    ("bartizan_process_memory_percent", "snapd", 0.4, Course::Still),
    ("bartizan_uptime_seconds", "", 1_000_000.0, Course::Clock),
];

/// The machine with a number.
#[derive(Debug, Clone)]
pub struct Machine {
    numbers: Numbers,
    values: Vec<f64>,
}

impl Machine {
    /// As it is when it is first looked at.
    pub fn new(number: u32) -> Self {
        let values = FIGURES.iter().map(|(_, _, first, _)| *first).collect();
        Self { numbers: Numbers::new(u64::from(number)), values }
    }

    /// So many samples, a minute apart, the first at a time.
    pub fn batch(&mut self, first: u64, count: usize) -> Samples {
        let times: Vec<u64> = (0..).map(|n| first + 60 * n).take(count).collect();
        let mut rows: Vec<Vec<Option<f64>>> = vec![Vec::with_capacity(count); FIGURES.len()];
        for _ in 0..count {
            self.go_on();
            for (row, value) in rows.iter_mut().zip(&self.values) {
                row.push(Some(*value));
            }
        }
        let series = FIGURES.iter().zip(rows).filter_map(|((name, label, _, _), values)| {
            Some(Series { metric: Metric::named(name)?, label: (*label).to_owned(), values })
        });
        Samples { times, series: series.collect(), unknown: 0 }
    }

    /// The first inventory of its packages, as the records an endpoint sends: most are those of every machine at one of five
    /// levels of patches, some are its own.
    pub fn packages(&mut self, count: u32) -> Vec<Vec<u8>> {
        let level = below(&mut self.numbers, 5);
        let mut items = Items::new();
        for package in 0..count {
            let common = package < count / 15 * 13;
            let which = if common { package } else { 100_000 + below(&mut self.numbers, 20_000) };
            let text = |text: &str| Fact::Text(text.to_owned());
            let item = [
                ("arch".to_owned(), text("amd64")),
                ("manager".to_owned(), text("dpkg")),
                ("version".to_owned(), text(&format!("1.{which}.{level}-1"))),
            ];
            items.insert(format!("package-{which:06}"), Item::from(item));
        }
        let delta = difference(&Items::new(), &items);
        records("packages", &items, None, delta).iter().map(Record::encode).collect()
    }

    fn go_on(&mut self) {
        for ((_, _, _, course), value) in FIGURES.iter().zip(&mut self.values) {
            *value = match course {
                Course::Still => *value,
                Course::Clock => *value + 60.0,
                Course::Rises(most) => *value + f64::from(below(&mut self.numbers, *most)),
                Course::Pages(most) => {
                    *value
                        + 4096.0
                            * (f64::from(below(&mut self.numbers, u32::from(*most) * 2))
                                - f64::from(*most))
                }
                Course::Hundredths(most) => {
                    let step = f64::from(below(&mut self.numbers, u32::from(*most) * 2))
                        - f64::from(*most);
                    ((*value * 100.0 + step).round() / 100.0).max(0.0)
                }
            };
        }
    }
}

fn below(numbers: &mut Numbers, end: u32) -> u32 {
    u32::try_from(numbers.draw() % u64::from(end.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_proto::samples::REPORT_LIMITS;

    #[test]
    fn its_packages_go_in_parts_and_are_whole() {
        let parts = Machine::new(7).packages(1500);
        let read: Vec<Record> = parts.iter().map(|part| Record::decode(part).unwrap()).collect();
        assert!(read.len() > 1 && read.iter().all(|part| usize::from(part.parts) == read.len()));
        let items: usize = read.iter().map(|part| part.set.len()).sum();
        assert!((1400..=1500).contains(&items), "{items}");
    }

    #[test]
    fn a_machine_sends_what_an_endpoint_could() {
        let mut machine = Machine::new(7);
        let batch = machine.batch(1_800_000_000, 5);
        assert_eq!(batch.count(), FIGURES.len() * 5, "every name is in the catalogue");
        assert_eq!(Samples::decode(&batch.encode(), &REPORT_LIMITS), Ok(batch.clone()));
        assert_eq!(Machine::new(7).batch(1_800_000_000, 5), batch, "the same again");
    }
}
