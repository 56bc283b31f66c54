//! A workspace with what is made from it once: compiled templates and adapters. Replaced as a whole by a reload.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use super::desk::Desk;
use crate::{
    adapter::{
        registry::{ChannelProblemKind, Registry},
        webhook,
    },
    audio::Studio,
    config::{SecretError, Secrets},
    domain::{
        channel::{AdapterConfig, Channel},
        detail::Detail,
        id::{ChannelId, ScheduleId},
        secret::Secret,
        workspace::Workspace,
    },
    render::Renderer,
    store::pause::Topics,
    version::Versions,
};

/// A workspace, ready to be worked with.
#[derive(Debug)]
pub struct Live {
    /// The workspace.
    pub workspace: Arc<Workspace>,
    /// Its templates.
    pub renderer: Renderer,
    /// What has to be approved, in its current versions.
    pub versions: Versions,
    /// Its channels' adapters.
    pub adapters: Registry,
    /// Channels without an adapter here, ascending. Another node may have what this one lacks.
    pub lacking: Vec<ChannelId>,
    /// Why they have none, as it stands in the record.
    pub faults: HashMap<ChannelId, Detail>,
    /// What devices sign their own reports with, newest first.
    pub reporters: HashMap<ChannelId, Vec<Secret>>,
    /// What counter screens show to be let in.
    pub screens: HashMap<ChannelId, Secret>,
    /// Channels that take sound.
    pub sounding: HashSet<ChannelId>,
    /// Channels for tests.
    pub tests: HashSet<ChannelId>,
    /// Which bulletins are of which topic.
    pub topics: Topics,
    /// What makes its sounds.
    pub studio: Studio,
    /// Where it was read.
    pub root: PathBuf,
    /// The orders for them.
    pub desk: Desk,
}

/// The secrets of channels whose devices report by themselves. One that is missing or that nothing can be signed with is logged;
/// what it signs is not believed.
fn reporters(workspace: &Workspace, secrets: &Secrets) -> HashMap<ChannelId, Vec<Secret>> {
    let mut reporters: HashMap<ChannelId, Vec<Secret>> = HashMap::new();
    for channel in workspace.channels.values() {
        for reference in &channel.reports {
            let of_channel = reporters.entry(channel.id.clone()).or_default();
            match secrets.resolve(reference) {
                Ok(secret) if webhook::is_key(&secret) => of_channel.push(secret),
                Ok(_) => {
                    tracing::error!(channel.id = %channel.id, secret = %reference, "reports of a channel cannot be believed: the secret has to be base64 of 24 to 64 bytes, with or without whsec_");
                }
                Err(error) => {
                    tracing::error!(channel.id = %channel.id, error = %error, "reports of a channel cannot be believed");
                }
            }
        }
    }
    reporters
}

/// The shortest key of a screen, in characters: whoever guesses it could say that a sign was seen.
const SHORTEST_KEY: usize = 16;

/// The keys of counter screens. A missing or short one is logged; its screen is not let in.
fn screens(workspace: &Workspace, secrets: &Secrets) -> HashMap<ChannelId, Secret> {
    let mut screens = HashMap::new();
    for channel in workspace.channels.values() {
        let AdapterConfig::Screen(screen) = &channel.adapter else {
            continue;
        };
        match secrets.resolve(&screen.key) {
            Ok(key) if key.expose().chars().count() >= SHORTEST_KEY => {
                screens.insert(channel.id.clone(), key);
            }
            Ok(_) => {
                tracing::error!(channel.id = %channel.id, shortest = SHORTEST_KEY, "the key of a screen is too short, so no screen is let in");
            }
            Err(error) => {
                tracing::error!(channel.id = %channel.id, error = %error, "a screen cannot be let in");
            }
        }
    }
    screens
}

impl Live {
    /// Makes everything once. A channel whose secret is missing has no adapter: its deliveries fail with that reason,
    /// and nobody else's do. Every such channel is logged here.
    #[must_use]
    pub fn new(workspace: Arc<Workspace>, secrets: &Secrets) -> Self {
        let (renderer, broken) = Renderer::new(&workspace);
        for error in broken {
            // The checks refuse such a workspace; this cannot be reached through them.
            tracing::error!(
                template = error.template,
                error.message,
                "a template is broken"
            );
        }
        let (adapters, problems) = secrets.registry(&workspace);
        let mut faults = HashMap::new();
        for problem in problems {
            tracing::error!(channel.id = %problem.channel, error = %problem, "a channel cannot be used");
            // The first says enough.
            let fault = fault(&problem.kind);
            faults.entry(problem.channel).or_insert(fault);
        }
        let reporters = reporters(&workspace, secrets);
        let screens = screens(&workspace, secrets);
        let lacking = workspace
            .channels
            .keys()
            .filter(|id| adapters.get(id).is_none())
            .cloned()
            .collect();
        let mut topics = Topics::new();
        for bulletin in workspace.bulletins.values() {
            let of_topic = topics.entry(bulletin.topic.clone()).or_default();
            of_topic.push(bulletin.id.clone());
        }
        let those = |is: fn(&Channel) -> bool| {
            let channels = workspace.channels.values().filter(|channel| is(channel));
            channels.map(|channel| channel.id.clone()).collect()
        };
        let sounding = those(|channel| channel.audio.is_some());
        let tests = those(|channel| channel.test);
        let versions = Versions::of(&workspace, &renderer);
        let token = workspace.settings.audio.engine.token();
        let token = token.and_then(|reference| match secrets.resolve(reference) {
            Ok(token) => Some(token),
            Err(error) => {
                tracing::error!(error = %error, "the speech service cannot be used");
                None
            }
        });
        let studio = Studio::new(&workspace, &secrets.home(), token);
        Self {
            workspace,
            renderer,
            versions,
            adapters,
            lacking,
            faults,
            reporters,
            screens,
            sounding,
            tests,
            topics,
            studio,
            root: secrets.home().root,
            desk: Desk::default(),
        }
    }

    /// Whether `schedule` may send anything to `channel`: a test to a test channel, everything else to no test channel. What
    /// is no channel any more is none for tests.
    #[must_use]
    pub fn may_get(&self, channel: &ChannelId, schedule: &ScheduleId) -> bool {
        self.tests.contains(channel) == schedule.is_test()
    }
}

/// What is told of a channel without an adapter.
#[must_use]
pub fn fault(problem: &ChannelProblemKind) -> Detail {
    if let ChannelProblemKind::Secret { source, .. } = problem
        && let Some(error) = source.downcast_ref::<SecretError>()
    {
        return error.told();
    }
    problem.told()
}
