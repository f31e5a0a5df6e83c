//! One command, one function.

mod alarm;
mod alerts;
pub(crate) mod approve;
pub(crate) mod change;
mod checks;
pub(crate) mod confirm;
pub(crate) mod control;
mod countersign;
mod customer;
pub(crate) mod endpoints;
pub(crate) mod enroll;
pub(crate) mod export;
mod firewall;
mod fleet_drill;
pub(crate) mod freeze;
mod init;
mod inventory;
pub(crate) mod keys;
mod log;
mod marks;
mod metrics;
mod mirror;
pub(crate) mod monitoring;
pub(crate) mod operator;
pub(crate) mod options;
pub(crate) mod orders;
mod pack;
pub(crate) mod policy;
mod preflight;
pub(crate) mod receipts;
mod recover;
pub(crate) mod recovery;
mod resign;
pub(crate) mod rollout;
mod run;
mod scan;
mod scans;
mod scripts;
mod statement;
pub(crate) mod trigger;
pub(crate) mod update;
pub(crate) mod watch;
mod windows_firewall;
mod witness;

pub(crate) use endpoints::{fetch_all, url_encoded};
pub(crate) use freeze::scope_text;

use std::path::PathBuf;

use anyhow::Result;
use bartizan_trust::control::ControlView;
use bartizan_trust::id::{Anchor, EndpointId, SiteId, StatementId, TenantId};
use bartizan_trust::state::TrustState;
use bartizan_trust::statement::Bundle;
use clap::{Args, Subcommand};

use crate::api::{Api, session};
use crate::exit::{Code, fail};
use crate::home::{Home, OrgFile};
use crate::terminal::Terminal;

/// What every command has.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) home: Home,
    pub(crate) terminal: Terminal,
    pub(crate) key: Option<String>,
}

/// A verified connection: who we are, whom we talk to, what we believe.
pub(crate) struct Console {
    pub(crate) api: Api,
    pub(crate) org: OrgFile,
    /// The bundle in force.
    pub(crate) trust: TrustState,
    /// All that the control log says.
    pub(crate) view: ControlView,
    /// Bundles that were in force before.
    pub(crate) former: Vec<Bundle>,
}

impl Context {
    /// Logs in if needed and verifies the control log.
    pub(crate) fn connect(&self) -> Result<Console> {
        let org = self.home.org()?;
        let api = session::open(&self.home, &org, self.key.as_deref())?;
        let (view, former) = crate::trust::view_and_history(&api, org.anchor)?;
        crate::expiry::remember(&self.home, &view.chain.current.bundle)?;
        Ok(Console { api, org, trust: view.chain.current.clone(), view, former })
    }
}

/// What an operator can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keys to sign with
    #[command(subcommand)]
    Key(keys::KeyCommand),
    /// Print your public keys for the one who puts the organisation together
    Card(keys::CardOptions),
    /// Make, countersign or publish the genesis bundle
    Init(init::InitOptions),
    /// Make this console part of an organisation that exists
    Join {
        /// The anchor, from another operator
        #[arg(long)]
        anchor: Anchor,
        /// Operator plane, host:port
        #[arg(long)]
        server: String,
    },
    /// Show the organisation, its anchor and words
    Org,
    /// Show the server's and the logs' state
    Status,
    /// List endpoints
    Endpoints(endpoints::ListOptions),
    /// One endpoint
    #[command(subcommand)]
    Endpoint(endpoints::EndpointCommand),
    /// What endpoints report of themselves, what changed, and searches
    Inventory(inventory::InventoryOptions),
    /// What endpoints measure of themselves: processors, memory, disks, network, over time
    Metrics(metrics::MetricsOptions),
    /// Custom fields of tenants, sites and endpoints
    #[command(subcommand)]
    Field(marks::FieldCommand),
    /// Tags of endpoints
    #[command(subcommand)]
    Tag(marks::TagCommand),
    /// Saved queries
    #[command(subcommand)]
    Group(marks::GroupCommand),
    /// Let new endpoints in: prints the install command
    Enroll(enroll::EnrollOptions),
    /// Run a script on endpoints
    Run(Box<run::RunOptions>),
    /// List the scripts that you keep, or exchange them with a folder
    Scripts {
        #[command(subcommand)]
        command: Option<scripts::ScriptsCommand>,
    },
    /// Have endpoints look for traces of a compromise
    Scan(Box<scan::ScanOptions>),
    /// Update the endpoints' own programs from the vendor's repository
    Update(update::UpdateOptions),
    /// List jobs that wait for a signature
    Pending,
    /// List jobs
    Jobs,
    /// Show one job
    Job {
        /// Its id, or enough of its beginning
        id: String,
    },
    /// List standing orders, or take one back
    Orders {
        #[command(subcommand)]
        command: Option<orders::OrdersCommand>,
    },
    /// Stop things at once, everywhere
    Freeze(freeze::FreezeOptions),
    /// Show what stands still, and bundles that wait; or of one freeze, who stands still
    Frozen {
        /// The freeze's id
        id: Option<StatementId>,
    },
    /// End a freeze; needs two operators
    Thaw {
        /// The freeze's id
        id: StatementId,
        /// Why, for the others
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// The fleet in a browser: pages that this process serves to this computer only
    Console(crate::console::ConsoleOptions),
    /// Who may do what
    #[command(subcommand)]
    Bundle(control::BundleCommand),
    /// The people, their keys and roles
    #[command(subcommand)]
    Operator(operator::OperatorCommand),
    /// Tenants that countersign
    #[command(subcommand)]
    Customer(customer::CustomerCommand),
    /// The recovery key and its sheet of paper
    #[command(subcommand)]
    Recovery(recovery::RecoveryCommand),
    /// New people, by the recovery key
    #[command(subcommand)]
    Recover(recover::RecoverCommand),
    /// Read, check and countersign a job, a bundle, a thaw
    Approve {
        /// Its id, or enough of its beginning
        id: String,
        /// Return at once
        #[arg(long)]
        no_wait: bool,
        /// Countersign for the tenant whose person you are
        #[arg(long)]
        as_customer: bool,
    },
    /// Follow a job until it has ended everywhere
    Watch {
        /// Its id, or enough of its beginning
        id: String,
        /// Stop after this long, with exit code 4
        #[arg(long, value_parser = options::seconds)]
        timeout: Option<u64>,
    },
    /// Follow a job by its stages
    Rollout(rollout::RolloutOptions),
    /// Let the next stage of a job begin, on evidence verified here
    Promote(rollout::PromoteOptions),
    /// Show and verify the receipts of a job
    Receipts {
        /// Its id, or enough of its beginning
        id: String,
    },
    /// Rule packs of the scanner
    #[command(subcommand)]
    Pack(pack::PackCommand),
    /// What endpoints look at
    #[command(subcommand)]
    Policy(monitoring::PolicyCommand),
    /// How everything stands that endpoints look at
    Checks(checks::ChecksOptions),
    /// The public logs
    #[command(subcommand)]
    Log(log::LogCommand),
    /// Statements in files, offline
    #[command(subcommand)]
    Statement(statement::StatementCommand),
    /// Co-sign the logs, again and again
    Witness(witness::WitnessOptions),
    /// Alarms that go out by themselves, never through the server
    #[command(subcommand)]
    Alarm(alarm::AlarmCommand),
    /// What needs somebody: endpoints that are away, checks that fail; and who is told
    #[command(args_conflicts_with_subcommands = true)]
    Alerts(Box<alerts::AlertsOptions>),
    /// Is this server what we think it is? Ends its quarantine, or begins one
    Preflight(preflight::PreflightOptions),
    /// Firewall rules, for nftables or Windows: an endpoint's network half reaches what the bundle names, and nothing else
    Firewall(firewall::FirewallOptions),
    /// The whole product in two minutes, on this machine
    Demo {
        /// End everything after the story
        #[arg(long)]
        once: bool,
    },
    /// Play attackers who own the server against a real, temporary fleet, and report
    Drill {
        /// Write the report as one page of HTML
        #[arg(long)]
        html: Option<File>,
        /// Only the harmless part, on the fleet that is there: a freeze that stops nothing, and every signature in the logs
        #[arg(long, conflicts_with = "html")]
        fleet: bool,
        /// With --fleet: freeze the whole organisation for up to ten minutes instead of nothing
        #[arg(long, requires = "fleet")]
        org: bool,
    },
    /// Print a completion script
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// More help: `help exit-codes`
    Help {
        /// On what
        topic: Option<String>,
    },
}

/// Which endpoints a list is about.
#[derive(Debug, Default, Args)]
pub(crate) struct Filter {
    /// Words in name or system
    #[arg(long)]
    pub(crate) search: Option<String>,
    /// Of this tenant
    #[arg(long, value_parser = options::slug::<TenantId>)]
    pub(crate) tenant: Option<TenantId>,
    /// At this site
    #[arg(long, value_parser = options::slug::<SiteId>)]
    pub(crate) site: Option<SiteId>,
}

/// Runs a command.
pub(crate) fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Key(command) => keys::run(context, &command),
        Command::Card(options) => keys::card(context, &options),
        Command::Init(options) => init::run(context, &options),
        Command::Join { anchor, server } => init::join(context, anchor, &server),
        Command::Org => init::show_org(context),
        Command::Status => log::status(context),
        Command::Endpoints(options) => endpoints::list(context, &options),
        Command::Endpoint(command) => endpoints::run(context, &command),
        Command::Inventory(options) => inventory::run(context, &options),
        Command::Metrics(options) => metrics::run(context, &options),
        Command::Field(command) => marks::field(context, &command),
        Command::Tag(command) => marks::tag(context, &command),
        Command::Group(command) => marks::group(context, &command),
        Command::Enroll(options) => enroll::run(context, &options),
        Command::Run(options) => run::run(context, &options),
        Command::Scripts { command } => scripts::run(context, command.as_ref()),
        Command::Scan(options) => scan::run(context, &options),
        Command::Update(options) => update::run(context, &options),
        Command::Pending => watch::list(context, "pending"),
        Command::Jobs => watch::list(context, ""),
        Command::Job { id } => watch::show(context, &id),
        Command::Approve { id, no_wait, as_customer: false } => approve::run(context, &id, no_wait),
        Command::Approve { id, no_wait, as_customer: true } => {
            approve::as_customer(context, &id, no_wait)
        }
        Command::Orders { command } => orders::run(context, command.as_ref()),
        Command::Console(options) => crate::console::run(context, &options),
        Command::Freeze(options) => freeze::freeze(context, &options),
        Command::Frozen { id } => freeze::frozen(context, id),
        Command::Thaw { id, reason } => control::thaw(context, id, &reason),
        Command::Bundle(command) => control::bundle(context, &command),
        Command::Operator(command) => operator::run(context, &command),
        Command::Customer(command) => customer::run(context, &command),
        Command::Recovery(command) => recovery::run(context, &command),
        Command::Recover(command) => recover::run(context, &command),
        Command::Watch { id, timeout } => watch::run(context, &id, timeout),
        Command::Rollout(options) => rollout::run(context, &options),
        Command::Promote(options) => rollout::promote(context, &options),
        Command::Receipts { id } => receipts::run(context, &id),
        Command::Log(command) => log::run(context, &command),
        Command::Policy(command) => monitoring::run(context, &command),
        Command::Checks(options) => checks::run(context, &options),
        Command::Pack(command) => pack::run(context, &command),
        Command::Statement(command) => statement::run(context, &command),
        Command::Witness(options) => witness::run(context, &options),
        Command::Alarm(command) => alarm::run(context, &command),
        Command::Alerts(options) => alerts::run(context, &options),
        Command::Preflight(options) => preflight::run(context, &options),
        Command::Firewall(options) => firewall::run(context, &options),
        Command::Drill { fleet: true, org, .. } => fleet_drill::run(context, org),
        // Handled before a home is needed.
        Command::Demo { .. }
        | Command::Drill { fleet: false, .. }
        | Command::Completions { .. }
        | Command::Help { .. } => Ok(()),
    }
}

/// Longer help.
pub(crate) fn help(topic: Option<&str>, command: &mut clap::Command) -> Result<()> {
    match topic {
        Some("exit-codes") => crate::terminal::line(crate::exit::HELP.trim_end())?,
        None => command.print_help()?,
        Some(other) => match command.find_subcommand_mut(other) {
            Some(found) => found.print_help()?,
            None => {
                return Err(fail(
                    Code::Usage,
                    format!("no help on `{other}`"),
                    "see `bartizan help` and `bartizan help exit-codes`",
                ));
            }
        },
    }
    Ok(())
}

/// The path of an endpoint's resource.
pub(crate) fn endpoint_path(id: &EndpointId) -> String {
    format!("/v1/endpoints/{id}")
}

/// A file to write or read.
pub(crate) type File = PathBuf;
