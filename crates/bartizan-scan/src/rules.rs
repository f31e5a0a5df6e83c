//! Packs made ready to be matched.

use std::collections::HashMap;

use boreal::compiler::CompilerBuilder;
use boreal::scanner::ScanParams;
use boreal::{Compiler, Scanner};
use data_encoding::HEXLOWER_PERMISSIVE;
use globset::GlobSet;

use crate::digest::Wanted;
use crate::limits;
use crate::model::Rule;
use crate::needles::Needles;
use crate::pack::{CommandRule, FileCondition, FileKind, Pack, RegistryRule};
use crate::path::{self, Globs};

/// Rules in force.
pub struct Rules {
    pub(crate) files: Vec<CompiledFile>,
    /// Which of them may be about a kind of file.
    by_kind: HashMap<FileKind, Vec<usize>>,
    /// By digest: the rule, and what the file is.
    pub(crate) digests: HashMap<Box<[u8]>, DigestTarget>,
    pub(crate) digest_lists: Vec<CompiledList>,
    pub(crate) registry: Vec<CompiledRegistry>,
    pub(crate) commands: Vec<(String, CommandRule)>,
    pub(crate) yara: Option<Scanner>,
    /// What bytes must have for YARA rules to be asked; absent: they always are.
    needles: Option<Needles>,
    pub(crate) yara_heads: HashMap<String, (String, Rule)>,
    wanted: Wanted,
}

pub(crate) struct CompiledFile {
    pub(crate) pack: String,
    pub(crate) rule: Rule,
    pub(crate) when: FileCondition,
    pub(crate) path: Option<Globs>,
    pub(crate) not_path: Option<Globs>,
    pub(crate) interpreter: Option<Globs>,
    pub(crate) digest: Vec<Vec<u8>>,
}

pub(crate) struct CompiledList {
    pub(crate) pack: String,
    pub(crate) rule: Rule,
    pub(crate) path: Option<Globs>,
}

#[derive(Debug, Clone)]
pub(crate) struct DigestTarget {
    pub(crate) list: usize,
    pub(crate) what: String,
}

pub(crate) struct CompiledRegistry {
    pub(crate) pack: String,
    pub(crate) rule: RegistryRule,
    pub(crate) key: GlobSet,
    pub(crate) value: Option<GlobSet>,
}

/// What became of one pack's rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// In force.
    pub rules: u64,
    /// Not in force, and why.
    pub problems: Vec<String>,
}

/// Makes packs ready. A rule that cannot be used is a problem that the report names; the others still work.
pub fn compile(packs: &[Pack]) -> (Rules, Vec<Loaded>) {
    let mut rules = Rules {
        files: Vec::new(),
        by_kind: HashMap::new(),
        digests: HashMap::new(),
        digest_lists: Vec::new(),
        registry: Vec::new(),
        commands: Vec::new(),
        yara: None,
        needles: None,
        yara_heads: HashMap::new(),
        wanted: Wanted::default(),
    };
    let mut compiler = yara_compiler();
    let mut sources = Vec::new();
    let mut loaded = Vec::new();
    for pack in packs {
        let mut result = Loaded::default();
        rules.add_files(pack, &mut result);
        rules.add_digests(pack, &mut result);
        rules.add_registry(pack, &mut result);
        for rule in &pack.commands {
            rules.commands.push((pack.name.clone(), lower(rule)));
            result.rules += 1;
        }
        rules.add_yara(pack, &mut compiler, (&mut sources, &mut result));
        loaded.push(result);
    }
    if !sources.is_empty() {
        rules.needles = Needles::new(&sources);
        let mut scanner = compiler.finalize();
        scanner.set_scan_params(scan_params());
        rules.yara = Some(scanner);
    }
    (rules, loaded)
}

/// Rules in the wild use these; the engine gives them values for every file.
pub(crate) const YARA_SYMBOLS: [&str; 5] =
    ["filename", "filepath", "extension", "filetype", "owner"];

pub(crate) fn yara_compiler() -> Compiler {
    let mut compiler = CompilerBuilder::new().build();
    for symbol in YARA_SYMBOLS {
        compiler.define_symbol(symbol, "");
    }
    compiler
}

fn scan_params() -> ScanParams {
    ScanParams::default()
        .compute_full_matches(false)
        .timeout_duration(Some(core::time::Duration::from_millis(limits::YARA_MS_MAX)))
        .memory_chunk_size(Some(limits::FILE_TAIL_BYTES))
        .max_fetched_region_size(limits::FILE_HEAD_BYTES)
}

impl Rules {
    /// Rules about files of a kind.
    pub(crate) fn about(&self, kind: FileKind) -> impl Iterator<Item = &CompiledFile> {
        let places = self.by_kind.get(&kind).into_iter().flatten();
        places.filter_map(|place| self.files.get(*place))
    }

    /// Whether a YARA rule may be about these bytes.
    pub(crate) fn may_match_yara(&self, bytes: &[u8]) -> bool {
        !bytes.is_empty()
            && self.yara.is_some()
            && self.needles.as_ref().is_none_or(|needles| needles.may_match(bytes))
    }

    /// Which digests of a file are needed.
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    fn add_files(&mut self, pack: &Pack, result: &mut Loaded) {
        for rule in &pack.files {
            match self.compile_file(pack, rule) {
                Ok(compiled) => {
                    let when = &compiled.when;
                    for kind in FileKind::ALL {
                        let wanted = when.kind.is_empty() || when.kind.contains(&kind);
                        if wanted && !when.not_kind.contains(&kind) {
                            self.by_kind.entry(kind).or_default().push(self.files.len());
                        }
                    }
                    self.files.push(compiled);
                    result.rules += 1;
                }
                Err(why) => result.problems.push(format!("{}: {why}", rule.rule.id)),
            }
        }
    }

    fn compile_file(
        &mut self,
        pack: &Pack,
        rule: &crate::pack::FileRule,
    ) -> Result<CompiledFile, String> {
        let mut digest = Vec::new();
        for text in &rule.when.digest {
            digest.push(self.digest(text)?);
        }
        let when = FileCondition {
            original_name: rule.when.original_name.iter().map(|name| name.to_lowercase()).collect(),
            contains: rule.when.contains.iter().map(|text| text.to_lowercase()).collect(),
            ..rule.when.clone()
        };
        if when == FileCondition::default() {
            return Err("no condition: it would match every file".to_owned());
        }
        Ok(CompiledFile {
            pack: pack.name.clone(),
            rule: rule.rule.clone(),
            path: globs(&rule.when.path)?,
            not_path: globs(&rule.when.not_path)?,
            interpreter: globs(&rule.when.interpreter)?,
            digest,
            when,
        })
    }

    fn add_digests(&mut self, pack: &Pack, result: &mut Loaded) {
        for list in &pack.digests {
            let path = match globs(&list.path) {
                Ok(path) => path,
                Err(why) => {
                    result.problems.push(format!("{}: {why}", list.rule.id));
                    continue;
                }
            };
            let index = self.digest_lists.len();
            self.digest_lists.push(CompiledList {
                pack: pack.name.clone(),
                rule: list.rule.clone(),
                path,
            });
            for entry in &list.entries {
                match self.digest(&entry.digest) {
                    Ok(digest) => {
                        let target = DigestTarget { list: index, what: entry.what.clone() };
                        self.digests.entry(digest.into_boxed_slice()).or_insert(target);
                        result.rules += 1;
                    }
                    Err(why) => result.problems.push(format!("{}: {why}", list.rule.id)),
                }
            }
        }
    }

    /// Reads a digest and notes that its kind is needed.
    fn digest(&mut self, text: &str) -> Result<Vec<u8>, String> {
        let bytes = HEXLOWER_PERMISSIVE
            .decode(text.as_bytes())
            .map_err(|_| format!("`{text}` is no hexadecimal digest"))?;
        match bytes.len() {
            16 => self.wanted.md5 = true,
            20 => self.wanted.sha1 = true,
            32 => {}
            _ => return Err(format!("`{text}` is no MD5, SHA-1 or SHA-256: wrong length")),
        }
        Ok(bytes)
    }

    fn add_registry(&mut self, pack: &Pack, result: &mut Loaded) {
        for rule in &pack.registry {
            let key = path::compile(core::iter::once(&rule.key)).map_err(|e| e.to_string());
            let value = rule.value.as_ref().map(|value| path::compile(core::iter::once(value)));
            match (key, value.transpose()) {
                (Ok(key), Ok(value)) => {
                    let mut lowered = rule.clone();
                    lowered.data = rule.data.iter().map(|text| text.to_lowercase()).collect();
                    self.registry.push(CompiledRegistry {
                        pack: pack.name.clone(),
                        rule: lowered,
                        key,
                        value,
                    });
                    result.rules += 1;
                }
                (Err(why), _) => result.problems.push(format!("{}: {why}", rule.rule.id)),
                (_, Err(why)) => result.problems.push(format!("{}: {why}", rule.rule.id)),
            }
        }
    }

    fn add_yara<'p>(
        &mut self,
        pack: &'p Pack,
        compiler: &mut Compiler,
        (sources, result): (&mut Vec<&'p str>, &mut Loaded),
    ) {
        for (index, source) in pack.yara.iter().enumerate() {
            if source.source.len() > limits::RULE_SOURCE_BYTES_MAX {
                result.problems.push(format!("{}: source above the limit", source.rule.id));
                continue;
            }
            let namespace = format!("{}/{index}", pack.name);
            match compiler.add_rules_str_in_namespace(&source.source, &namespace) {
                Ok(_) => {
                    sources.push(&source.source);
                    result.rules += u64::from(source.rules);
                    self.yara_heads.insert(namespace, (pack.name.clone(), source.rule.clone()));
                }
                Err(error) => result.problems.push(format!("{}: {error}", source.rule.id)),
            }
        }
    }
}

fn globs(patterns: &[String]) -> Result<Option<Globs>, String> {
    if patterns.is_empty() {
        return Ok(None);
    }
    Globs::new(patterns).map(Some).map_err(|error| error.to_string())
}

fn lower(rule: &CommandRule) -> CommandRule {
    let list = |texts: &[String]| texts.iter().map(|text| text.to_lowercase()).collect();
    CommandRule {
        all: list(&rule.all),
        any: list(&rule.any),
        none: list(&rule.none),
        ..rule.clone()
    }
}
