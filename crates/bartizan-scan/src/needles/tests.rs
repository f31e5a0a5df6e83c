use proptest::prelude::*;

use super::*;

fn rule(strings: &str, condition: &str) -> String {
    format!("rule A {{ strings: {strings} condition: {condition} }}")
}

fn may(source: &str, bytes: &[u8]) -> Option<bool> {
    Needles::new(&[source]).map(|needles| needles.may_match(bytes))
}

#[test]
fn what_no_file_can_do_without_is_found_in_conditions() {
    let abc = "$a = \"abc\" $b = \"<%@\" $r = /x+/";
    for (strings, condition, without, with) in [
        (abc, "$a", &b"xxxx"[..], &b"xxabcxx"[..]),
        (abc, "$a and $r", b"xxxx", b"abc"),
        // The rarer of the two.
        (abc, "$a and $b", b"abc", b"<%@"),
        (abc, "$a or $b", b"ab <%", b"<%@"),
        (abc, "any of ($a, $b)", b"ab", b"abc"),
        (abc, "all of them", b"abc", b"<%@"),
        (abc, "filesize < 10 and $a at 0", b"xxxx", b"xabc"),
        ("$a = \"abc\" $c = \"def\"", "2 of them", b"xxxx", b"def"),
        ("$a = \"AbC\" nocase", "$a", b"axbc", b"xABc"),
        ("$a = \"abc\" wide", "$a", b"abc", b"a\0b\0c\0"),
        ("$a = \"abc\" wide ascii", "$a", b"ab", b"abc"),
        ("$a = { 4d 5a ?? 01 02 03 }", "$a", b"MZ", b"\x01\x02\x03"),
        (abc, "uint16(0) == 0x5a4d and $r", b"xMZ", b"MZ"),
        (abc, "0x5a4d == uint16(0)", b"xMZ", b"MZ"),
        ("$a = /[xyz]{3}\\.exe+/", "$a", b"xyz exe", b"xyz.exe"),
        ("$a = /a(bc|de)+f/", "$a", b"abf", b"abcf"),
        ("$a = /a(bc){0,2}defg/ nocase", "$a", b"abc", b"aDEFG"),
        ("$a = /abb+cd{2}/i", "$a", b"axbd", b"xABX"),
        ("$a = /x[0-9]+ab/ wide", "$a", b"x1ab", b"x\x001\0a\0b\0"),
        (abc, "uint32be(0) == 0x7f454c46 or $a", b"ELF", b"\x7fELF"),
    ] {
        let source = rule(strings, condition);
        assert_eq!(may(&source, without), Some(false), "{source}");
        assert_eq!(may(&source, with), Some(true), "{source}");
    }
}

#[test]
fn rules_that_can_do_without_any_text_are_always_asked() {
    let strings = "$a = \"abc\" $r = /x+/ $r1 = /[a-z]{3}/ $r2 = /(abc)?d/ $r3 = /(abc|d)/ $r4 = /(abc){0,2}./ $x = \"abc\" xor $b = \"abc\" base64 $s = \"a\"";
    for condition in [
        "$r1",
        "$r2",
        "$r3",
        "$r4",
        "$a or $r",
        "not $a",
        "none of them",
        "any of them",
        "0 of them",
        "$x",
        "$b",
        "$s",
        "#a == 0",
        "filesize > 3",
        "uint16(2) == 0x5a4d",
        "uint16(0) != 0x5a4d",
        "for any of ($a) : ( # < 3 )",
        "true",
    ] {
        let source = rule(strings, condition);
        assert_eq!(may(&source, b"abc"), None, "{source}");
    }
    assert_eq!(
        may("rule A { strings: $a = \"abc\" condition: $a } rule B { condition: true }", b""),
        None
    );
    let many: Vec<String> = (10..80).map(|n| format!("$a{n} = \"text {n}\"")).collect();
    let many = many.join(" ");
    assert_eq!(may(&rule(&many, "any of them"), b"text 10"), None, "too many");
}

#[test]
fn a_rule_that_others_name_counts_where_it_is_named() {
    let source = |more: &str| {
        format!(
            "private rule P {{ condition: filesize > 0 }} private rule Q {{ strings: $q = \"quite\" condition: $q }} {more}"
        )
    };
    let named = source("rule A { condition: P and Q }");
    assert_eq!((may(&named, b"text"), may(&named, b"quite")), (Some(false), Some(true)));
    assert_eq!(may(&source("rule A { condition: P }"), b"text"), None);
}

#[test]
fn a_window_within_another_hides_none() {
    let source = rule("$a = \"abab1\" $b = \"bab2\" $c = \"abab3\"", "any of them");
    for (bytes, expected) in
        [(&b"abab2"[..], true), (b"abab3", true), (b"ababab1", true), (b"abab", false)]
    {
        assert_eq!(may(&source, bytes), Some(expected), "{bytes:?}");
    }
}

#[test]
fn the_rules_that_are_built_in_need_texts() {
    let packs = crate::builtin::packs().unwrap();
    let sources: Vec<&str> =
        packs.iter().flat_map(|pack| &pack.yara).map(|yara| yara.source.as_str()).collect();
    let needles = Needles::new(&sources).expect("otherwise every file is searched");
    assert!(!needles.may_match(b"an ordinary text of no interest, with process and html in it"));
    assert!(needles.may_match(b"MZ") && needles.may_match(b"<?php eval($_POST['x']);"));
}

fn text() -> impl Strategy<Value = String> {
    "[ab<%]{2,5}"
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("$a".to_owned()),
        Just("$b".to_owned()),
        Just("$c at 0".to_owned()),
        Just("$d".to_owned()),
        Just("filesize > 6".to_owned()),
        Just("uint16(0) == 0x6261".to_owned()),
        Just("all of ($a, $b)".to_owned()),
        Just("any of them".to_owned()),
        Just("2 of them".to_owned()),
        Just("not $c".to_owned()),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        (prop::collection::vec(inner, 2..4), any::<bool>()).prop_map(|(parts, all)| {
            format!("({})", parts.join(if all { " and " } else { " or " }))
        })
    })
}

/// Regular expressions of every form that is looked into.
fn regex() -> impl Strategy<Value = String> {
    let leaf =
        prop_oneof![4 => "[ab<%]{1,3}", 1 => Just("[ab]".to_owned()), 1 => Just(".".to_owned())];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let repeated = prop::sample::select(vec!["?", "*", "+", "{2}", "{1,2}", "{0,2}", ""]);
        prop_oneof![
            (inner.clone(), repeated).prop_map(|(part, times)| format!("({part}){times}")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}|{other})")),
            prop::collection::vec(inner, 2..4).prop_map(|parts| parts.concat()),
        ]
    })
}

proptest! {
    /// The quick question may say yes in vain; it never says no where a rule matches.
    #[test]
    fn no_match_is_lost(
        (a, b, c) in (text(), text(), text()),
        (nocase, wide, d) in (any::<bool>(), any::<bool>(), regex()),
        condition in condition(),
        bytes in "[abAB<%]{0,24}",
        spread in any::<bool>(),
    ) {
        let more = format!("{}{}", if nocase { " nocase" } else { "" }, if wide { " wide ascii" } else { "" });
        let source = rule(&format!("$a = \"{a}\" $b = \"{b}\"{more} $c = {{ {} }} $d = /{d}/{more}", hex(&c)), &format!("{condition} and (filesize >= 0 or any of them)"));
        let bytes: Vec<u8> = if spread {
            bytes.bytes().flat_map(|byte| [byte, 0]).collect()
        } else {
            bytes.into_bytes()
        };
        let mut compiler = crate::rules::yara_compiler();
        // An expression that nothing is too short for is none.
        prop_assume!(compiler.add_rules_str(&source).is_ok());
        let matches = !compiler.finalize().scan_mem(&bytes).unwrap().rules.is_empty();
        if matches {
            prop_assert_ne!(may(&source, &bytes), Some(false), "{}", source);
        }
    }
}

fn hex(text: &str) -> String {
    data_encoding::HEXLOWER.encode(text.as_bytes())
}
