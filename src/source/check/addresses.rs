//! The addresses of channels: that no two loudspeakers share one, and that the network rules let them be reached.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::{
    adapter::zalo,
    diagnostic::{Code, Diagnostic, Phrase, Place},
    domain::{
        channel::{AdapterConfig, Channel, ChannelKind, Parameter},
        mail::is_near,
        recipe::Recipe,
        settings::AllowRule,
        workspace::Workspace,
    },
    source::{
        address::{host, is_web_address},
        notebook::Notebook,
        raw::{
            channel::{RawAdapter, RawChannel},
            recipe::RawRecipe,
        },
    },
};

use super::{
    reach::{carried, is_trusted, requests},
    recipes::place_at,
};

pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    channels: &[RawChannel],
    recipes: &[RawRecipe],
) {
    let mut by_address: BTreeMap<String, &RawChannel> = BTreeMap::new();
    for raw in channels {
        let Some(channel) = workspace.channels.get(&raw.id) else {
            continue;
        };
        if let AdapterConfig::Zalo(_) = &channel.adapter {
            reachable(notebook, workspace, &zalo::HOSTS, &raw.at);
        }
        let all = called(raw, channel);
        let own = all.iter().find(|called| called.is_own);
        if let Some(own) = own.filter(|_| raw.kind == Some(ChannelKind::Loudspeaker)) {
            let first = by_address.entry(identity(own.url, channel)).or_insert(raw);
            // One id twice is reported as that.
            if first.id != raw.id {
                let same = Diagnostic::new(Code::SameAddress, own.at.clone())
                    .with("channel", raw.id.as_str())
                    .with("other", first.id.as_str())
                    .help(Phrase::new("L184-help"))
                    .note(
                        first.at.clone(),
                        Phrase::new("note-channel").with("channel", first.id.as_str()),
                    );
                notebook.report(same);
            }
        }
        for called in all {
            let Some(host) = called.host() else {
                continue;
            };
            reachable(notebook, workspace, &[host], called.at);
            let sends_secret = || {
                let recipe = recipe_of(channel, workspace);
                let parameter = called.parameter;
                recipe
                    .zip(parameter)
                    .is_some_and(|(recipe, parameter)| is_trusted(recipe, parameter))
            };
            if is_clear(called.url) && is_public(host) && sends_secret() {
                tell_clear(notebook, called.at.clone(), raw.id.as_str(), host);
            }
        }
    }
    for raw in recipes {
        fixed(notebook, workspace, raw);
    }
}

/// The hosts that a recipe names itself, for whatever channel uses it.
fn fixed(notebook: &Notebook, workspace: &Workspace, raw: &RawRecipe) {
    let mut channels = workspace.channels.values();
    let uses = |channel: &&Channel| matches!(&channel.adapter, AdapterConfig::Recipe { recipe, .. } if *recipe == raw.recipe.id);
    let Some(channel) = channels.find(uses) else {
        return;
    };
    let mut told = BTreeSet::new();
    for (path, request) in requests(&raw.recipe) {
        let Some(host) = host(&request.url) else {
            continue;
        };
        let at = place_at(raw, &format!("{path}.url"));
        let sent = carried(&raw.recipe, request);
        let has_secret = sent.iter().any(|name| name.starts_with("with."));
        if is_clear(&request.url) && is_public(host) && has_secret {
            tell_clear(notebook, at.clone(), channel.id.as_str(), host);
        }
        if told.insert(host) {
            reachable(notebook, workspace, &[host], &at);
        }
    }
}

fn tell_clear(notebook: &Notebook, at: Place, channel: &str, host: &str) {
    let found = Diagnostic::new(Code::SecretInClear, at)
        .with("channel", channel)
        .with("host", host);
    notebook.report(found.help(Phrase::new("L286-help")));
}

fn is_clear(url: &str) -> bool {
    url.trim_start().to_ascii_lowercase().starts_with("http://")
}

fn recipe_of<'w>(channel: &Channel, workspace: &'w Workspace) -> Option<&'w Recipe> {
    match &channel.adapter {
        AdapterConfig::Recipe { recipe, .. } => workspace.recipes.get(recipe),
        _ => None,
    }
}

/// Names of networks of one's own: RFC 6762, RFC 8375, ICANN's `internal`, and what routers give out.
const OWN: [&str; 6] = [
    "localhost",
    "local",
    "lan",
    "internal",
    "arpa",
    "localdomain",
];

/// Whether the way to a host leads over networks of others, as far as its name shows.
fn is_public(host: &str) -> bool {
    host.parse::<IpAddr>().map_or_else(
        |_| {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            name.rsplit_once('.')
                .is_some_and(|(_, last)| !OWN.contains(&last))
        },
        |address| !is_near(address),
    )
}

/// Reports hosts that the network rules keep calls from.
fn reachable(notebook: &Notebook, workspace: &Workspace, hosts: &[&str], at: &Place) {
    // What the rules were meant to be is not known where their file is wrong.
    if notebook.has_errors_in("loa.yaml") {
        return;
    }
    let hosts = hosts.iter().copied();
    let outside = hosts.filter(|host| !may_reach(&workspace.settings.allow, host));
    let outside: Vec<&str> = outside.collect();
    if !outside.is_empty() {
        let help = Phrase::new("L185-help").with("host", outside.join("`, `"));
        notebook.report(Diagnostic::new(Code::NotAllowed, at.clone()).help(help));
    }
}

/// Something that a channel calls.
struct Called<'c> {
    /// An address, or only the name of a server.
    url: &'c str,
    /// Where it is written.
    at: &'c Place,
    /// The parameter of the channel's recipe that it stands in.
    parameter: Option<&'c str>,
    /// Whether it is the device itself.
    is_own: bool,
}

impl<'c> Called<'c> {
    fn of(url: &'c str, at: &'c Place, is_own: bool) -> Self {
        Self {
            url,
            at,
            parameter: None,
            is_own,
        }
    }

    fn host(&self) -> Option<&'c str> {
        if self.url.contains("://") {
            host(self.url)
        } else {
            Some(self.url)
        }
    }
}

/// What a channel calls, as far as its file says it.
fn called<'c>(raw: &'c RawChannel, channel: &'c Channel) -> Vec<Called<'c>> {
    let at = &raw.at;
    match (&raw.adapter, &channel.adapter) {
        (Some(RawAdapter::Recipe { with, .. }), AdapterConfig::Recipe { with: values, .. }) => {
            let address = |(name, value): (&'c str, &'c Parameter)| {
                let Parameter::Plain(url) = value else {
                    return None;
                };
                let given = with.iter().find(|given| given.name == name);
                is_web_address(url).then_some(Called {
                    url,
                    at: given.map_or(at, |given| &given.at),
                    parameter: Some(name),
                    is_own: name == "url",
                })
            };
            values.iter().filter_map(address).collect()
        }
        (Some(RawAdapter::Other(AdapterConfig::Email(mail))), _) => {
            vec![Called::of(&mail.server, at, false)]
        }
        (Some(RawAdapter::Other(config)), _) => {
            let url = config.facts().url;
            url.map(|url| Called::of(url, at, true))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// What tells one loudspeaker from another: the address with every parameter that is no secret.
fn identity(url: &str, channel: &Channel) -> String {
    let mut identity = url.trim_end_matches('/').to_ascii_lowercase();
    if let AdapterConfig::Recipe { recipe, with } = &channel.adapter {
        for (name, value) in with.iter() {
            if let Parameter::Plain(value) = value
                && name != "url"
            {
                identity.extend(["\n", name, "\n", value]);
            }
        }
        identity.extend(["\n", recipe.as_str()]);
    }
    if let AdapterConfig::Icecast(icecast) = &channel.adapter {
        identity.extend(["\n", icecast.mount.trim_start_matches('/')]);
    }
    if let AdapterConfig::Snapcast(snapcast) = &channel.adapter {
        identity.extend(["\n", &snapcast.stream]);
    }
    identity
}

/// What can be said of a host before it is looked up: a name may yet lead to an address in an allowed range.
fn may_reach(rules: &[AllowRule], host: &str) -> bool {
    let is_allowed = |rule: &AllowRule| match host.parse::<IpAddr>() {
        Ok(address) => rule.covers(address),
        Err(_) if zalo::HOSTS.contains(&host) => rule.may_name_public(host),
        Err(_) => matches!(rule, AllowRule::Range(_)),
    };
    rules
        .iter()
        .any(|rule| rule.names(host) || is_allowed(rule))
}
