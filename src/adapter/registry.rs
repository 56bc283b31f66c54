//! From a workspace to one adapter for each channel. A new sort of adapter is one line in [`Registry::new`].

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    convert::Infallible,
    error::Error,
    sync::Arc,
};

use super::{
    Adapter, NOBODY,
    axis::AxisAdapter,
    email::{EmailAdapter, NoMailbox},
    icecast::IcecastAdapter,
    recipe::{CompiledRecipe, RecipeAdapter, RecipeProblem},
    screen::ScreenAdapter,
    snapcast::SnapcastAdapter,
    vnpt::VnptAdapter,
    webhook::{WebhookAdapter, WebhookProblem},
    zalo::ZaloAdapter,
};
use crate::domain::{
    channel::{AdapterConfig, Channel, Parameter, Parameters},
    detail::Detail,
    id::{ChannelId, RecipeId},
    mail::EmailConfig,
    secret::{Secret, SecretRef},
    workspace::Workspace,
    zalo::ZaloConfig,
};

/// An adapter for each channel that has a working one.
#[derive(Debug, Default)]
pub struct Registry {
    adapters: HashMap<ChannelId, Arc<dyn Adapter>>,
}

/// Why a channel has no adapter.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct ChannelProblem {
    /// The channel.
    pub channel: ChannelId,
    /// What is wrong.
    #[source]
    pub kind: ChannelProblemKind,
}

/// Sorts of problems.
#[derive(Debug, thiserror::Error)]
pub enum ChannelProblemKind {
    /// A secret could not be had.
    #[error("the secret {reference} could not be read")]
    Secret {
        /// Which.
        reference: SecretRef,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The workspace has no such recipe.
    #[error("there is no recipe {0}")]
    NoRecipe(RecipeId),
    /// The recipe is broken, or does not fit the channel's parameters.
    #[error("recipe: {0}")]
    Recipe(RecipeProblem),
    /// The address is not one.
    #[error("the address is not one that begins with http:// or https://")]
    Address,
    /// The webhook cannot work.
    #[error("webhook: {0}")]
    Webhook(WebhookProblem),
    /// No mail can be sent.
    #[error("email: {0}")]
    Email(NoMailbox),
}

impl ChannelProblemKind {
    /// What people are told, in the reader's language.
    #[must_use]
    pub fn told(&self) -> Detail {
        match self {
            Self::Recipe(problem) => problem.told(&[]),
            Self::Address | Self::Webhook(WebhookProblem::Address) => Detail::new("call-address"),
            Self::Webhook(WebhookProblem::NoSecret) => Detail::new("call-webhook-no-secret"),
            Self::Webhook(WebhookProblem::Secret(number)) => {
                Detail::new("call-webhook-secret").with("number", number)
            }
            Self::NoRecipe(_) | Self::Email(_) | Self::Secret { .. } => {
                Detail::new("channel-unusable").with("problem", self)
            }
        }
    }
}

impl Registry {
    /// Builds an adapter for every channel of the workspace, and names the channels that get none, with every reason
    /// that is found. `resolve` gives the values of secrets.
    pub fn new<E: Error + Send + Sync + 'static>(
        workspace: &Workspace,
        resolve: &dyn Fn(&SecretRef) -> Result<Secret, E>,
    ) -> (Self, Vec<ChannelProblem>) {
        let recipes: HashMap<&RecipeId, Result<Arc<CompiledRecipe>, Vec<RecipeProblem>>> =
            workspace
                .recipes
                .iter()
                .map(|(id, recipe)| (id, CompiledRecipe::new(recipe)))
                .collect();
        let mut adapters = Vec::new();
        let mut problems = Vec::new();
        for (id, channel) in &workspace.channels {
            let built = match &channel.adapter {
                AdapterConfig::Recipe { recipe, with } => match recipes.get(recipe) {
                    None => Err(vec![ChannelProblemKind::NoRecipe(recipe.clone())]),
                    Some(Err(broken)) => Err(broken
                        .iter()
                        .cloned()
                        .map(ChannelProblemKind::Recipe)
                        .collect()),
                    Some(Ok(recipe)) => recipe_adapter(recipe, channel, with, resolve),
                },
                AdapterConfig::Webhook { url, secrets } => {
                    webhook_adapter(channel, url, secrets, resolve)
                }
                AdapterConfig::Email(config) => email_adapter(config, resolve),
                AdapterConfig::Zalo(config) => zalo_adapter(channel, config, resolve),
                AdapterConfig::Axis(config) => {
                    with_password(&config.password, resolve, |password| {
                        Some(Arc::new(AxisAdapter::new(config, password).ok()?))
                    })
                }
                AdapterConfig::Vnpt(config) => VnptAdapter::new(config)
                    .map(|adapter| Arc::new(adapter) as Arc<dyn Adapter>)
                    .map_err(|_| vec![ChannelProblemKind::Address]),
                AdapterConfig::Icecast(config) => {
                    with_password(&config.password, resolve, |password| {
                        Some(Arc::new(IcecastAdapter::new(config, password).ok()?))
                    })
                }
                AdapterConfig::Snapcast(config) => SnapcastAdapter::new(config)
                    .map(|adapter| Arc::new(adapter) as Arc<dyn Adapter>)
                    .map_err(|_| vec![ChannelProblemKind::Address]),
                AdapterConfig::Screen(_) => Ok(Arc::new(ScreenAdapter) as Arc<dyn Adapter>),
            };
            match built {
                Ok(adapter) => adapters.push((id.clone(), adapter)),
                Err(kinds) => {
                    problems.extend(kinds.into_iter().map(|kind| ChannelProblem {
                        channel: id.clone(),
                        kind,
                    }));
                }
            }
        }
        (adapters.into_iter().collect(), problems)
    }

    /// [`Self::new`] where no secret is read, for trials and the simulated city: `stand_in` says what a reference is worth. One
    /// that is a whole address, as those of chat groups are, gets an address that leads nowhere.
    pub fn with_stand_ins(
        workspace: &Workspace,
        stand_in: &dyn Fn(&SecretRef) -> Secret,
    ) -> (Self, Vec<ChannelProblem>) {
        let addresses = secret_addresses(workspace);
        Self::new(workspace, &|reference| {
            Ok::<_, Infallible>(if addresses.contains(reference) {
                as_address(reference)
            } else {
                stand_in(reference)
            })
        })
    }

    /// The adapter of a channel.
    #[must_use]
    pub fn get(&self, channel: &ChannelId) -> Option<&Arc<dyn Adapter>> {
        self.adapters.get(channel)
    }

    /// Every channel that has an adapter, with it, in any order.
    pub fn iter(&self) -> impl Iterator<Item = (&ChannelId, &Arc<dyn Adapter>)> {
        self.adapters.iter()
    }
}

impl FromIterator<(ChannelId, Arc<dyn Adapter>)> for Registry {
    fn from_iter<T: IntoIterator<Item = (ChannelId, Arc<dyn Adapter>)>>(adapters: T) -> Self {
        Self {
            adapters: adapters.into_iter().collect(),
        }
    }
}

/// The secrets that are whole addresses to a recipe of the workspace.
fn secret_addresses(workspace: &Workspace) -> HashSet<&SecretRef> {
    let mut addresses = HashSet::new();
    for channel in workspace.channels.values() {
        let AdapterConfig::Recipe { recipe, with } = &channel.adapter else {
            continue;
        };
        let is_secret =
            |(_, parameter): (&str, &Parameter)| matches!(parameter, Parameter::Secret(_));
        let recipe = workspace.recipes.get(recipe);
        let Some(recipe) = recipe.filter(|_| with.iter().any(is_secret)) else {
            continue;
        };
        // What is broken is told by who builds it.
        let Ok(recipe) = CompiledRecipe::new(recipe) else {
            continue;
        };
        for name in recipe.trial_without_secrets(with).0 {
            if let Some(Parameter::Secret(reference)) = with.get(name) {
                addresses.insert(reference);
            }
        }
    }
    addresses
}

/// What stands for an address that is secret: `https://env.LOA_HOOK.invalid`, which leads nowhere.
fn as_address(reference: &SecretRef) -> Secret {
    let name = reference.to_string();
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'));
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    Secret::new(format!("https://{}{NOBODY}", parts.join(".")))
}

type Built = Result<Arc<dyn Adapter>, Vec<ChannelProblemKind>>;

fn recipe_adapter<E: Error + Send + Sync + 'static>(
    recipe: &Arc<CompiledRecipe>,
    channel: &Channel,
    with: &Parameters,
    resolve: &dyn Fn(&SecretRef) -> Result<Secret, E>,
) -> Built {
    let mut values = BTreeMap::new();
    let mut secrets = Vec::new();
    let mut problems = Vec::new();
    for (name, parameter) in with.iter() {
        match parameter {
            Parameter::Plain(value) => {
                values.insert(name.to_owned(), value.clone());
            }
            Parameter::Secret(reference) => match read_secret(reference, resolve) {
                Ok(secret) => {
                    values.insert(name.to_owned(), secret.expose().to_owned());
                    secrets.push(secret);
                }
                Err(problem) => problems.push(problem),
            },
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let adapter = RecipeAdapter::new(recipe, channel, &values, secrets)
        .map_err(|problem| vec![ChannelProblemKind::Recipe(problem)])?;
    Ok(Arc::new(adapter))
}

fn webhook_adapter<E: Error + Send + Sync + 'static>(
    channel: &Channel,
    url: &str,
    references: &[SecretRef],
    resolve: &dyn Fn(&SecretRef) -> Result<Secret, E>,
) -> Built {
    let mut secrets = Vec::new();
    let mut problems = Vec::new();
    for reference in references {
        match read_secret(reference, resolve) {
            Ok(secret) => secrets.push(secret),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let adapter = WebhookAdapter::new(channel, url, secrets)
        .map_err(|problem| vec![ChannelProblemKind::Webhook(problem)])?;
    Ok(Arc::new(adapter))
}

fn email_adapter<E: Error + Send + Sync + 'static>(
    config: &EmailConfig,
    resolve: &dyn Fn(&SecretRef) -> Result<Secret, E>,
) -> Built {
    let read = |reference: Option<&SecretRef>| {
        reference
            .map(|reference| read_secret(reference, resolve))
            .transpose()
    };
    let password = read(config.login.as_ref().map(|(_, password)| password));
    match (password, read(config.ca.as_ref())) {
        (Ok(password), Ok(authorities)) => {
            let adapter = EmailAdapter::new(config, password, authorities);
            match adapter {
                Ok(adapter) => Ok(Arc::new(adapter)),
                Err(problem) => Err(vec![ChannelProblemKind::Email(problem)]),
            }
        }
        (password, authorities) => {
            let problems = password.err().into_iter().chain(authorities.err());
            Err(problems.collect())
        }
    }
}

fn zalo_adapter<E: Error + Send + Sync + 'static>(
    channel: &Channel,
    config: &ZaloConfig,
    resolve: &dyn Fn(&SecretRef) -> Result<Secret, E>,
) -> Built {
    let secret = read_secret(&config.secret, resolve);
    let reports = config.reports.as_ref();
    let reports = reports
        .map(|reference| read_secret(reference, resolve))
        .transpose();
    match (secret, reports) {
        (Ok(secret), Ok(reports)) => {
            Ok(Arc::new(ZaloAdapter::new(channel, config, secret, reports)))
        }
        (secret, reports) => Err(secret.err().into_iter().chain(reports.err()).collect()),
    }
}

/// An adapter that wants one password and an address.
fn with_password<E: Error + Send + Sync + 'static>(
    reference: &SecretRef,
    resolve: &dyn Fn(&SecretRef) -> Result<Secret, E>,
    build: impl FnOnce(Secret) -> Option<Arc<dyn Adapter>>,
) -> Built {
    let password = read_secret(reference, resolve).map_err(|problem| vec![problem])?;
    build(password).ok_or_else(|| vec![ChannelProblemKind::Address])
}

fn read_secret<E: Error + Send + Sync + 'static>(
    reference: &SecretRef,
    resolve: &dyn Fn(&SecretRef) -> Result<Secret, E>,
) -> Result<Secret, ChannelProblemKind> {
    resolve(reference).map_err(|error| ChannelProblemKind::Secret {
        reference: reference.clone(),
        source: Box::new(error),
    })
}
