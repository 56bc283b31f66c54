//! `loa conformance --against`: the same at a vendor's test address, where nobody here plays the receiver.

use anyhow::bail;

use super::{
    ConformanceArgs, begins, name,
    report::{self, Examined},
    subject,
};
use crate::{
    adapter::transport::{host, public},
    catalogue::Lang,
    cli::{
        Global,
        output::Output,
        place::{Place, progress},
        run::transport,
    },
    clock::Clock,
    conformance::{self, Outside, Scenario},
    domain::channel::{
        AdapterConfig, AxisConfig, Channel, IcecastConfig, Parameter, SnapcastConfig,
    },
};

/// Does it at a real test address.
///
/// # Errors
/// When the channel is none for tests, cannot be given another address or may not be called there; then nothing is sent. [`super::super::Findings`]
/// when something does not hold.
pub(super) async fn run(
    global: &Global,
    (place, channels): (&Place, &[&Channel]),
    args: &ConformanceArgs,
    url: &str,
    output: &Output,
) -> anyhow::Result<()> {
    let mut workspace = (*place.workspace).clone();
    for channel in channels {
        let named: [(&str, &dyn std::fmt::Display); 1] = [("channel", &channel.id)];
        if !channel.test {
            bail!(output.say("conformance.not-test", &named));
        }
        let moved = moved(&channel.adapter, url);
        let Some(moved) = moved else {
            bail!(output.say("conformance.no-address", &named));
        };
        if let Some(channel) = workspace.channels.get_mut(&channel.id) {
            channel.adapter = moved;
        }
    }
    let (registry, problems) = place.secrets.registry(&workspace);
    let (transport, city) = transport(global, place, output).await?;
    if !transport.permits(url).await {
        let host = host(url).unwrap_or_default();
        bail!(output.say("conformance.not-permitted", &[("host", &host)]));
    }
    let clock = Clock::system();
    let begun = clock.now().to_utc().with_timezone(&place.zone());
    let begun = begun.format("%H%M").to_string();
    let most = transport.total_timeout();
    let words = crate::catalogue::text(Lang::Vi, "cli.test-words", &[]);
    let outside = Outside {
        transport: &transport,
        words: &words,
        run: &begun,
    };
    let mut all = Vec::new();
    for channel in channels {
        let subject = subject(place, channel, (&registry, &problems), Vec::new(), output)?;
        let busy = progress(&output.say("conformance.busy", &[("channel", &channel.id)]));
        let is_wanted = |scenario: &Scenario| args.only.is_empty() || args.only.contains(scenario);
        // A scenario may take as long as its calls: nobody is to think that nothing goes on.
        let begins = |scenario: &Scenario, mark: Option<&str>| {
            let (name, seconds) = (name(scenario, output), most.as_secs());
            let said = match mark {
                Some(mark) => output.say(
                    "conformance.named-begins",
                    &[("name", &name), ("mark", &mark), ("seconds", &seconds)],
                ),
                None => name,
            };
            begins(channel, &said, &busy, output);
        };
        let now = || clock.now();
        let seen = conformance::examine_outside(&subject, &outside, now, is_wanted, begins).await;
        busy.finish_and_clear();
        let is_secret = is_secret(place, &channel.adapter);
        let shown = public(url, is_secret);
        all.push(Examined::outside(channel, &subject, seen, shown));
    }
    if let Some(city) = city {
        city.shutdown().await;
    }
    report::tell(place, &all, args, output)
}

/// The same way to a channel, with another address.
fn moved(config: &AdapterConfig, url: &str) -> Option<AdapterConfig> {
    let url = url.to_owned();
    Some(match config.clone() {
        AdapterConfig::Recipe { recipe, with } => {
            with.get("url")?;
            let moved = with.iter().map(|(name, value)| {
                let is_address = name == "url";
                let value = if is_address {
                    Parameter::Plain(url.clone())
                } else {
                    value.clone()
                };
                (name.to_owned(), value)
            });
            let with = moved.collect();
            AdapterConfig::Recipe { recipe, with }
        }
        AdapterConfig::Webhook { secrets, .. } => AdapterConfig::Webhook { url, secrets },
        AdapterConfig::Axis(axis) => AdapterConfig::Axis(AxisConfig { url, ..axis }),
        AdapterConfig::Icecast(icecast) => AdapterConfig::Icecast(IcecastConfig { url, ..icecast }),
        AdapterConfig::Snapcast(snapcast) => {
            AdapterConfig::Snapcast(SnapcastConfig { url, ..snapcast })
        }
        AdapterConfig::Zalo(_)
        | AdapterConfig::Screen(_)
        | AdapterConfig::Vnpt(_)
        | AdapterConfig::Email(_) => return None,
    })
}

/// Whether the channel's recipe calls the address itself a secret.
fn is_secret(place: &Place, config: &AdapterConfig) -> bool {
    let AdapterConfig::Recipe { recipe, .. } = config else {
        return false;
    };
    let recipe = place.workspace.recipes.get(recipe);
    let spec = recipe.and_then(|recipe| recipe.parameters.get("url"));
    spec.is_some_and(|spec| spec.secret)
}
