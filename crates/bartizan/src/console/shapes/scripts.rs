//! The operator's scripts. They are kept here; that people have reviewed one is what the jobs log shows, and nothing else.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Difference, Problem, ScriptLanguage, Variable};

/// All scripts, in order of name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScriptLibrary {
    /// At most 1,000.
    pub(crate) scripts: Vec<LibraryScript>,
    /// Why nobody can say now which versions were reviewed: the server is away, or its log does not verify.
    pub(crate) unknown: Option<Problem>,
}

/// What a script is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptAbout {
    /// Small letters, digits and dashes.
    pub(crate) name: String,
    /// What it does, in a line; the title of its jobs.
    pub(crate) title: String,
    /// For people.
    #[serde(default)]
    pub(crate) description: String,
    /// Who reads it.
    pub(crate) interpreter: ScriptLanguage,
    /// Longest run.
    pub(crate) timeout_s: u32,
    /// It deletes or disables something.
    #[serde(default)]
    pub(crate) destructive: bool,
    /// Local account; root unless said.
    pub(crate) run_as: Option<String>,
    /// What is asked for before each job.
    #[serde(default)]
    pub(crate) parameters: Vec<ScriptParameter>,
}

/// A variable that a person fills in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptParameter {
    /// Of the variable.
    pub(crate) name: String,
    /// What to write there.
    #[serde(default)]
    pub(crate) about: String,
    /// What stands there at first.
    #[serde(default)]
    pub(crate) value: String,
}

/// A script of the library.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LibraryScript {
    /// What it is.
    pub(crate) about: ScriptAbout,
    /// Newest first, at least one.
    pub(crate) versions: Vec<ScriptVersion>,
}

/// A text that it had.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScriptVersion {
    /// Of the text.
    pub(crate) sha256: String,
    /// In bytes.
    pub(crate) size: u32,
    /// When it was kept here.
    pub(crate) at: u64,
    /// Jobs in the log that more than one person signed, newest first.
    pub(crate) reviews: Vec<ScriptReview>,
}

/// A job that shows that people have reviewed a script.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ScriptReview {
    /// The job.
    pub(crate) job: String,
    /// Place in the jobs log of the entry that has all these signatures.
    pub(crate) log_index: u64,
    /// Its title.
    pub(crate) title: String,
    /// When its author made it.
    pub(crate) at: u64,
    /// Names of those who signed it, the author first.
    pub(crate) people: Vec<String>,
    /// Who read it there.
    pub(crate) interpreter: String,
    /// Arguments it had.
    pub(crate) args: Vec<String>,
    /// `NAME=VALUE`
    pub(crate) env: Vec<String>,
    /// Local account.
    pub(crate) run_as: Option<String>,
    /// Whether it was called destructive.
    pub(crate) destructive: bool,
}

/// Which text to compare with.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionQuery {
    /// SHA-256 of another version.
    pub(crate) since: Option<String>,
}

/// One text of a script.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionText {
    /// Verified here.
    pub(crate) sha256: String,
    /// The exact text.
    pub(crate) text: String,
    /// What differs since another version.
    pub(crate) difference: Option<Difference>,
}

/// A script to be kept.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptToKeep {
    /// What it is.
    pub(crate) about: ScriptAbout,
    /// The text.
    pub(crate) text: String,
}

/// Files of a folder: `NAME.sh`, `.bash` or `.py`, and `NAME.json` that says what it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptFiles {
    /// Without folders in their names.
    pub(crate) files: Vec<ScriptFile>,
}

/// A file.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptFile {
    /// `clear-cache.sh`
    pub(crate) name: String,
    /// What is in it.
    pub(crate) text: String,
}

/// What came of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScriptsImported {
    /// Names of scripts that were not there.
    pub(crate) new: Vec<String>,
    /// Those that are other ones now.
    pub(crate) changed: Vec<String>,
    /// How many are as they were.
    pub(crate) same: u32,
    /// Those that were not taken in.
    pub(crate) refused: Vec<RefusedFile>,
}

/// A file that was not taken in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedFile {
    /// Its name: hostile text.
    pub(crate) name: String,
    /// Why.
    pub(crate) reason: String,
}

/// A script as a job would have it, before it is signed: enough to say whether people have reviewed it in exactly this form.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewScript {
    /// Of the text.
    pub(crate) sha256: String,
    /// In bytes.
    pub(crate) size: u32,
    /// Who reads it.
    pub(crate) interpreter: ScriptLanguage,
    /// Arguments.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Variables.
    #[serde(default)]
    pub(crate) env: Vec<Variable>,
    /// Local account.
    pub(crate) run_as: Option<String>,
}
