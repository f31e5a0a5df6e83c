use super::*;

const SHA256: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const MD5: &str = "00112233445566778899aabbccddeeff";

fn digests(imported: &Imported) -> Vec<&str> {
    let entries = imported.pack.digests.iter().flat_map(|list| &list.entries);
    entries.map(|entry| entry.digest.as_str()).collect()
}

fn names(imported: &Imported) -> Vec<&str> {
    imported.pack.network.iter().map(|rule| rule.indicator.as_str()).collect()
}

#[test]
fn lists_with_and_without_a_head_are_read() {
    let with_head =
        format!("# made today\nIndicator;Description\n{SHA256};dropper\nbad[.]example;server\n");
    let imported = csv("list.csv", with_head.as_bytes()).unwrap();
    assert_eq!((digests(&imported), names(&imported)), (vec![SHA256], vec!["bad.example"]));
    assert_eq!(imported.pack.digests[0].entries[0].what, "dropper");
    let without = format!("x,{MD5}\ny,192.0.2.7\nz,words only\n");
    let imported = csv("list.csv", without.as_bytes()).unwrap();
    assert_eq!((digests(&imported), names(&imported)), (vec![MD5], vec!["192.0.2.7"]));
    assert_eq!(imported.not_understood["lines without an indicator"], 1);
}

#[test]
fn a_truncated_digest_is_rejected_by_name() {
    let text = format!("sha256\n{}\n{SHA256}\n", &SHA256[1..]);
    let imported = csv("list.csv", text.as_bytes()).unwrap();
    assert_eq!(digests(&imported), [SHA256]);
    assert_eq!(imported.rejected_count, 1);
    assert_eq!(imported.rejected[0].place, "list.csv:2");
    assert!(imported.rejected[0].why.contains("63 characters"), "{:?}", imported.rejected);
}

#[test]
fn stix_indicators_keep_their_dates_and_leave_out_what_says_more() {
    let bundle = serde_json::json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "identity", "id": "identity--1"},
        {"type": "indicator", "id": "indicator--1", "pattern_type": "stix", "name": "dropper",
         "pattern": format!("[file:hashes.'SHA-256' = '{SHA256}' OR file:name = 'agent.crt']")},
        {"type": "indicator", "id": "indicator--2", "pattern": "[ipv4-addr:value = '192.0.2.7'] OR [domain-name:value = 'bad.example']",
         "valid_from": "2021-07-01T00:00:00Z", "valid_until": "2021-08-01T00:00:00.000Z"},
        {"type": "indicator", "id": "indicator--3", "pattern": "[file:name = 'a' AND file:size = 3]"},
        {"type": "indicator", "id": "indicator--4", "pattern": "[file:name = 'x']", "revoked": true},
        {"type": "indicator", "id": "indicator--5", "pattern": "rule x {}", "pattern_type": "yara"},
        {"type": "indicator", "id": "indicator--6", "pattern": "[mutex:name = 'it\\'s']"},
    ]});
    let imported = stix("b.json", bundle.to_string().as_bytes()).unwrap();
    assert_eq!(digests(&imported), [SHA256]);
    assert_eq!(imported.pack.files[0].when.path, ["**/agent.crt"]);
    assert_eq!(names(&imported), ["192.0.2.7", "bad.example"]);
    assert_eq!(imported.pack.network[0].until.unwrap().to_string(), "2021-08-01T00:00:00Z");
    assert_eq!(imported.not_understood.values().sum::<u64>(), 5, "{:?}", imported.not_understood);
    assert!(stix("b.json", b"{}").is_err());
    assert!(stix("b.json", br#"{"type":"report"}"#).is_err());
}

#[test]
fn misp_attributes_alone_and_in_objects_are_read() {
    let event = serde_json::json!({"Event": {"info": "Case", "uuid": "u", "Attribute": [
        {"type": "filename|sha256", "value": format!("a.exe|{SHA256}"), "uuid": "1"},
        {"type": "ip-dst|port", "value": "192.0.2.7|443", "uuid": "2", "last_seen": "2021-07-03T00:00:00+00:00"},
        {"type": "url", "value": "hxxp://bad[.]example:8080/x?y", "uuid": "3"},
        {"type": "regkey", "value": "HKLM\\SOFTWARE\\Example", "uuid": "4"},
        {"type": "text", "value": "note", "uuid": "5"},
        {"type": "domain", "value": "benign.example", "uuid": "6", "to_ids": false},
    ], "Object": [{"name": "file", "Attribute": [{"type": "md5", "value": MD5, "uuid": "7"}]}]}});
    let imported = misp("event.json", event.to_string().as_bytes()).unwrap();
    assert_eq!(digests(&imported), [SHA256, MD5]);
    assert_eq!(names(&imported), ["192.0.2.7", "bad.example"]);
    assert_eq!(imported.pack.registry[0].key, r"software\example");
    assert_eq!(imported.not_understood.values().sum::<u64>(), 2);
    assert!(misp("event.json", b"[1]").is_err());
}

#[test]
fn openioc_leaves_of_or_are_read() {
    let text = format!(
        "<?xml version=\"1.0\"?><ioc><short_description>Case &amp; more</short_description><definition>
         <Indicator operator=\"OR\">
           <IndicatorItem condition=\"is\"><Context document=\"FileItem\" search=\"FileItem/Md5sum\"/><Content type=\"md5\">{MD5}</Content></IndicatorItem>
           <IndicatorItem condition=\"contains\"><Context search=\"FileItem/FullPath\"/><Content>\\kworking\\</Content></IndicatorItem>
           <IndicatorItem condition=\"is\"><Context search=\"ProcessItem/name\"/><Content>x</Content></IndicatorItem>
           <Indicator operator=\"AND\"><IndicatorItem condition=\"is\"><Context search=\"FileItem/FileName\"/><Content>a</Content></IndicatorItem></Indicator>
         </Indicator></definition></ioc>"
    );
    let imported = openioc("x.ioc", text.as_bytes()).unwrap();
    assert_eq!(digests(&imported), [MD5]);
    assert_eq!(imported.pack.files[0].when.path, ["**/*/kworking/*"]);
    assert_eq!(imported.pack.files[0].rule.reason, "Case & more");
    assert_eq!(imported.not_understood.values().sum::<u64>(), 2, "{:?}", imported.not_understood);
    assert!(openioc("x.ioc", b"<html></html>").is_err());
    assert!(openioc("x.ioc", b"<ioc><a></ioc>").is_err());
    assert!(
        openioc(
            "x.ioc",
            "<ioc>".to_owned().replace("<ioc>", &"<Indicator>".repeat(200)).as_bytes()
        )
        .is_err()
    );
}

#[test]
fn sources_of_rules_are_taken_whole_or_not_at_all() {
    let good = "title: x\nlogsource:\n    product: windows\ndetection:\n    s:\n        EventID: 1\n    condition: s\n";
    let imported = sigma([("good.yml", good), ("bad.yml", "title: x\n"), ("worse.yml", ": :")]);
    assert_eq!(imported.pack.sigma.len(), 1);
    assert_eq!(imported.rejected_count, 2);
    let imported = yara([
        ("two.yar", "rule a { condition: false } rule b { condition: false }"),
        ("bad.yar", "rule a { condition: nothing }"),
        ("empty.yar", "// nothing"),
    ]);
    assert_eq!(imported.pack.yara.len(), 1);
    assert_eq!(imported.pack.yara[0].rules, 2);
    assert_eq!(imported.rejected_count, 2);
}

#[test]
fn paths_lose_what_differs_from_machine_to_machine() {
    let path = |text: &str| {
        let mut imported = Imported::default();
        imported.path(text, &Context::default());
        imported.pack.files.first().map(|file| file.when.path[0].clone())
    };
    assert_eq!(path(r"C:\Windows\mpsvc.dll").as_deref(), Some("**/windows/mpsvc.dll"));
    assert_eq!(path(r"%LOCALAPPDATA%\Temp\MsMpEng.exe").as_deref(), Some("**/temp/msmpeng.exe"));
    assert_eq!(path("agent.crt").as_deref(), Some("**/agent.crt"));
    assert_eq!(path("[").as_deref(), None);
}
