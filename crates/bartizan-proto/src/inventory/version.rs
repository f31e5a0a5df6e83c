//! Which of two versions is newer, by the rules of whoever numbers them. The same rule orders 1.9 before 1.10 for people, but
//! only its own ecosystem's rule says whether a fix is in.

use core::cmp::Ordering;

/// Whose rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Debian policy, section 5.6.12.
    Dpkg,
    /// `rpmvercmp`; pacman compares with the same.
    Rpm,
}

impl Scheme {
    /// The scheme of a package manager; none where only the manager itself can tell.
    pub fn of(manager: &str) -> Option<Self> {
        match manager {
            "dpkg" => Some(Self::Dpkg),
            "rpm" | "pacman" => Some(Self::Rpm),
            _ => None,
        }
    }
}

/// Compares two versions.
pub fn compare(scheme: Scheme, left: &str, right: &str) -> Ordering {
    let (left, right) = (split(scheme, left), split(scheme, right));
    let part = |left: &str, right: &str| match scheme {
        Scheme::Dpkg => dpkg(left.as_bytes(), right.as_bytes()),
        Scheme::Rpm => rpm(left.as_bytes(), right.as_bytes()),
    };
    let release = || match scheme {
        // `1.2` asked for as a whole is any release of it for rpm and pacman.
        Scheme::Rpm if left.2.is_empty() || right.2.is_empty() => Ordering::Equal,
        Scheme::Dpkg | Scheme::Rpm => part(left.2, right.2),
    };
    number(left.0.as_bytes(), right.0.as_bytes())
        .then_with(|| part(left.1, right.1))
        .then_with(release)
}

/// Epoch, version, revision.
fn split(scheme: Scheme, text: &str) -> (&str, &str, &str) {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) if !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit()) => {
            (epoch, rest)
        }
        _ => ("0", text),
    };
    match rest.rsplit_once('-') {
        Some((version, revision)) => (epoch, version, revision),
        None if scheme == Scheme::Dpkg => (epoch, rest, "0"),
        None => (epoch, rest, ""),
    }
}

/// Digits of any length.
fn number(left: &[u8], right: &[u8]) -> Ordering {
    let bare =
        |digits: &[u8]| digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    let (left, right) =
        (left.get(bare(left)..).unwrap_or_default(), right.get(bare(right)..).unwrap_or_default());
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn take<'t>(text: &mut &'t [u8], fits: impl Fn(u8) -> bool) -> &'t [u8] {
    let end = text.iter().position(|byte| !fits(*byte)).unwrap_or(text.len());
    let (head, tail) = text.split_at(end);
    *text = tail;
    head
}

fn dpkg(mut left: &[u8], mut right: &[u8]) -> Ordering {
    // A tilde sorts before the end, the end before letters, letters before the rest.
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    while !left.is_empty() || !right.is_empty() {
        let (words, others) =
            (take(&mut left, |b| !b.is_ascii_digit()), take(&mut right, |b| !b.is_ascii_digit()));
        for place in 0..words.len().max(others.len()) {
            let order = weight(words.get(place)).cmp(&weight(others.get(place)));
            if order.is_ne() {
                return order;
            }
        }
        let order = number(
            take(&mut left, |b| b.is_ascii_digit()),
            take(&mut right, |b| b.is_ascii_digit()),
        );
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

#[expect(clippy::match_same_arms, reason = "in the order in which they are asked")]
fn rpm(mut left: &[u8], mut right: &[u8]) -> Ordering {
    loop {
        let filler = |b: u8| !b.is_ascii_alphanumeric() && b != b'~' && b != b'^';
        take(&mut left, filler);
        take(&mut right, filler);
        // A tilde is before everything, also before the end; a caret is after the end and before everything else.
        match (left.first(), right.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                left = left.get(1..).unwrap_or_default();
                right = right.get(1..).unwrap_or_default();
                continue;
            }
            (None, None) => return Ordering::Equal,
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (Some(b'^') | None, Some(_)) => return Ordering::Less,
            (Some(_), Some(b'^')) => return Ordering::Greater,
            (Some(_), None) => return Ordering::Greater,
            (Some(_), Some(_)) => {}
        }
        let digits = left.first().is_some_and(u8::is_ascii_digit);
        if digits != right.first().is_some_and(u8::is_ascii_digit) {
            // Numbers are newer than words.
            return if digits { Ordering::Greater } else { Ordering::Less };
        }
        let order = if digits {
            number(
                take(&mut left, |b| b.is_ascii_digit()),
                take(&mut right, |b| b.is_ascii_digit()),
            )
        } else {
            take(&mut left, |b| b.is_ascii_alphabetic())
                .cmp(take(&mut right, |b| b.is_ascii_alphabetic()))
        };
        if order.is_ne() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scheme: Scheme, rows: &[(&str, Ordering, &str)]) {
        for (left, order, right) in rows {
            assert_eq!(compare(scheme, left, right), *order, "{left} {right}");
            assert_eq!(compare(scheme, right, left), order.reverse(), "{right} {left}");
        }
    }

    /// Every pair of versions that could trip a comparison, judged by dpkg itself.
    #[test]
    fn debian_versions_are_ordered_as_dpkg_orders_them() {
        let versions = [
            "1.0",
            "1.0-0",
            "1.0-1",
            "1.0~rc1-1",
            "1.0~~",
            "1.0~",
            "1.0a",
            "1.0+b1",
            "1.0.1",
            "1.9",
            "1.10",
            "01.10",
            "1:0.1",
            "0:1.0",
            "3.0.14-1~deb12u2",
            "3.0.14-1",
            "3.0.9",
            "2.31-13+deb11u5",
            "2.31-13+deb11u10",
            "1.2-3-4",
            "1.2-3",
            "9",
            "20230101",
            "99999999999999999999999",
            "1.0.",
            "1.a",
            "1.0-1ubuntu1",
            "1.0-1build1",
        ];
        for left in versions {
            for right in versions {
                let says = |operator: &str| {
                    let mut dpkg = std::process::Command::new("dpkg");
                    dpkg.args(["--compare-versions", left, operator, right]);
                    dpkg.status().expect("install `dpkg`").success()
                };
                let expected = if says("lt") {
                    Ordering::Less
                } else if says("gt") {
                    Ordering::Greater
                } else {
                    Ordering::Equal
                };
                assert_eq!(compare(Scheme::Dpkg, left, right), expected, "{left} {right}");
            }
        }
    }

    #[test]
    fn rpm_versions_follow_the_cases_of_its_manual() {
        use Ordering::{Equal, Greater, Less};
        check(
            Scheme::Rpm,
            &[
                ("1.0", Equal, "1.0"),
                ("1.0", Less, "2.0"),
                ("2.0.1", Greater, "2.0"),
                ("2.0.1a", Greater, "2.0.1"),
                ("5.5p1", Less, "5.5p2"),
                ("5.5p10", Greater, "5.5p1"),
                ("10xyz", Less, "10.1xyz"),
                ("xyz.4", Less, "8"),
                ("5.5p2", Less, "5.6p1"),
                ("6.0.rc1", Greater, "6.0"),
                ("10b2", Greater, "10a1"),
                ("1.0~rc1", Less, "1.0"),
                ("1.0~rc1~git1", Less, "1.0~rc1"),
                ("1.0^git1", Greater, "1.0"),
                ("1.0^git1", Less, "1.0.1"),
                ("1.0^git1~pre", Less, "1.0^git1"),
                ("1.0^", Greater, "1.0~"),
                ("2_0", Equal, "2.0"),
                ("1.05", Equal, "1.5"),
                ("1:1.0", Greater, "2.0"),
                ("3.0.14-2", Equal, "3.0.14"),
                ("3.0.14-2", Less, "3.0.14-10"),
            ],
        );
    }
}
