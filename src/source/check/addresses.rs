//! The addresses of channels: that no two loudspeakers share one, and that the network rules let them be reached.

use std::{collections::BTreeMap, net::IpAddr};

use crate::{
    adapter::zalo,
    diagnostic::{Code, Diagnostic, Phrase, Place},
    domain::{
        channel::{AdapterConfig, Channel, ChannelKind, Parameter},
        mail::is_near,
        settings::AllowRule,
        workspace::Workspace,
    },
    source::{
        address::host,
        notebook::Notebook,
        raw::channel::{RawAdapter, RawChannel},
    },
};

use super::reach::shared;

pub(super) fn check(notebook: &Notebook, workspace: &Workspace, channels: &[RawChannel]) {
    let mut by_address: BTreeMap<String, &RawChannel> = BTreeMap::new();
    for raw in channels {
        let Some(channel) = workspace.channels.get(&raw.id) else {
            continue;
        };
        let Some((url, at)) = address(raw, channel) else {
            if let Some(RawAdapter::Other(AdapterConfig::Email(mail))) = &raw.adapter {
                reachable(notebook, workspace, &mail.server, &raw.at);
            }
            continue;
        };
        if raw.kind == Some(ChannelKind::Loudspeaker) {
            let first = by_address.entry(identity(url, channel)).or_insert(raw);
            // One id twice is reported as that.
            if first.id != raw.id {
                let same = Diagnostic::new(Code::SameAddress, at.clone())
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
        if let Some(host) = host(url) {
            reachable(notebook, workspace, host, at);
            let sends_secret = || {
                let AdapterConfig::Recipe { recipe, .. } = &channel.adapter else {
                    return false;
                };
                let recipe = workspace.recipes.get(recipe);
                recipe.is_some_and(|recipe| !shared(recipe).is_empty())
            };
            let is_clear = url.trim_start().to_ascii_lowercase().starts_with("http://");
            if is_clear && is_public(host) && sends_secret() {
                let found = Diagnostic::new(Code::SecretInClear, at.clone())
                    .with("channel", raw.id.as_str())
                    .with("host", host);
                notebook.report(found.help(Phrase::new("L286-help")));
            }
        }
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

/// Reports a host that the network rules keep calls from.
fn reachable(notebook: &Notebook, workspace: &Workspace, host: &str, at: &Place) {
    // What the rules were meant to be is not known where their file is wrong.
    let rules_known = !notebook.has_errors_in("loa.yaml");
    if rules_known && !may_reach(&workspace.settings.allow, host) {
        notebook.report(
            Diagnostic::new(Code::NotAllowed, at.clone())
                .help(Phrase::new("L185-help").with("host", host)),
        );
    }
}

/// The address that a channel's file gives, and where.
fn address<'r>(raw: &'r RawChannel, channel: &'r Channel) -> Option<(&'r str, &'r Place)> {
    match (&raw.adapter, &channel.adapter) {
        (Some(RawAdapter::Recipe { with, .. }), AdapterConfig::Recipe { with: values, .. }) => {
            let given = with.iter().find(|given| given.name == "url")?;
            match values.get("url") {
                Some(Parameter::Plain(url)) => Some((url, &given.at)),
                _ => None,
            }
        }
        (Some(RawAdapter::Other(AdapterConfig::Zalo(_))), _) => Some((zalo::API, &raw.at)),
        (Some(RawAdapter::Other(config)), _) => Some((config.facts().url?, &raw.at)),
        _ => None,
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
        Err(_) => matches!(rule, AllowRule::Range(_)),
    };
    rules
        .iter()
        .any(|rule| rule.names(host) || is_allowed(rule))
}
