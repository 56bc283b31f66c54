//! `loa zalo authorize`: walks the operator through the consent of an Official Account's administrator.

use std::io::{self, BufRead as _, Read as _};

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};

use super::{
    Findings, Global, named,
    output::{Format, Output},
    place::{Place, eprint_text},
    run::transport,
};
use crate::{
    adapter::{
        Adapter as _, Exchange, attempt,
        transport::Transport,
        zalo::{
            HOSTS, ZaloAdapter,
            oauth::{self, Account, Callback},
        },
    },
    clock::Clock,
    domain::{
        channel::{AdapterConfig, Channel},
        secret::Secret,
        zalo::ZaloConfig,
    },
    store::{World, account::NewPair},
};

/// The longest line that is read: an address with a code in it.
const LONGEST: u64 = 8_192;

/// What to do with an Official Account.
#[derive(Debug, Args)]
pub(super) struct ZaloArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Have the account's administrator permit this system to send
    Authorize(AuthorizeArgs),
}

#[derive(Debug, Args)]
struct AuthorizeArgs {
    /// A channel of the Official Account
    channel: String,
    /// Who does it
    #[arg(long, value_name = "NAME", default_value = "")]
    by: String,
}

/// Authorises an account.
///
/// # Errors
/// [`Findings`] where something is missing; others when Zalo refuses or the store fails.
pub(super) async fn run(global: &Global, args: &ZaloArgs, output: &Output) -> anyhow::Result<()> {
    let What::Authorize(args) = &args.what;
    // An account that may not be used any more does not wait until a file of somebody else is mended.
    let place = Place::of_record(global, output)?;
    let channel = named::channel(&place.workspace, &args.channel, output)?;
    let AdapterConfig::Zalo(config) = &channel.adapter else {
        bail!(output.say("cli.zalo-not-zalo", &[("channel", &channel.id)]));
    };
    let secret = missing(&place, channel, config, output)?;
    let adapter = ZaloAdapter::new(channel, config, secret, None);
    let account = adapter
        .account()
        .context("an Official Account has an account")?;
    let (transport, city) = transport(global, &place, output).await?;
    // A code is good once: before it is asked for there has to be somewhere to put what it is spent for.
    let store = place.desk(output).await?;
    let verifier = random()?;
    let state = random()?;
    let consent = account.consent(&verifier, state.expose());
    let callback = match place.world {
        World::Real => ask(config, &consent, output)?,
        World::Simulated => consented(&transport, &consent).await,
    };
    let Some(callback) = callback else {
        bail!(output.say("cli.zalo-no-code", &[]));
    };
    check(&callback, account, state.expose(), output)?;
    let now = place.now(&store).await?;
    let request = account.exchange(&callback.code, &verifier);
    let result = transport.call(&request, Clock::system().now()).await;
    let pair = match oauth::read(&Exchange { request, result }) {
        Ok(pair) => pair,
        Err(no_pair) if no_pair.is_about_code() => bail!(output.say("cli.zalo-code-over", &[])),
        Err(no_pair) => bail!(output.say(
            "cli.zalo-refused",
            &[("why", &output.detail(no_pair.detail()))]
        )),
    };
    let person = if args.by.trim().is_empty() {
        "loa zalo authorize"
    } else {
        args.by.trim()
    };
    let new = NewPair {
        access: &pair.access,
        refresh: &pair.refresh,
        now,
        life: pair.life,
    };
    store.authorise(account.id(), &new, person).await?;
    store.close().await;
    // What was given is on record, whatever the account says of itself.
    let moment = || Clock::system().now();
    let answers = attempt::probe(&adapter, Some(&pair.access), &transport, moment).await;
    if let Some(city) = city {
        city.shutdown().await;
    }
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "channel": channel.id,
            "app": config.app,
            "oa": config.oa,
            "seconds": pair.life.as_secs(),
            "answers": matches!(answers, Some(Ok(()))),
        }))?,
        Format::Text => output.line(&output.say("cli.zalo-authorized", &[("oa", &config.oa)]))?,
    }
    if let Some(Err(failure)) = answers {
        let why = output.failure(&failure);
        return Err(Findings(output.say("cli.zalo-does-not-answer", &[("why", &why)])).into());
    }
    Ok(())
}

/// Says all that is missing before anybody is sent to a consent page, and gives the application's secret.
fn missing(
    place: &Place,
    channel: &Channel,
    config: &ZaloConfig,
    output: &Output,
) -> anyhow::Result<Secret> {
    let mut lacking = Vec::new();
    let secret = place.secrets.resolve(&config.secret);
    if let Err(error) = &secret {
        let why = output.detail(&error.told());
        let args: [(&str, &dyn std::fmt::Display); 2] =
            [("reference", &config.secret), ("why", &why)];
        lacking.push(output.say("cli.zalo-needs-secret", &args));
    }
    let rules = &place.workspace.settings.allow;
    for host in HOSTS {
        if !rules.iter().any(|rule| rule.may_name_public(host)) {
            lacking.push(output.say("cli.zalo-needs-host", &[("host", &host)]));
        }
    }
    match secret {
        Ok(secret) if lacking.is_empty() => Ok(secret),
        _ => {
            for one in &lacking {
                eprint_text(&format!("- {one}"));
            }
            let told = output.say("cli.zalo-missing", &[("channel", &channel.id)]);
            Err(Findings(told).into())
        }
    }
}

/// Shows the consent page's address and reads what the operator brings back from there.
fn ask(config: &ZaloConfig, consent: &str, output: &Output) -> anyhow::Result<Option<Callback>> {
    eprint_text(&output.say(
        "cli.zalo-steps",
        &[
            ("app", &config.app),
            ("oa", &config.oa),
            ("callback", &config.callback),
            ("url", &consent),
        ],
    ));
    let mut line = String::new();
    io::stdin().lock().take(LONGEST).read_line(&mut line)?;
    Ok(oauth::callback(&line))
}

/// What the simulated city's administrator answers.
async fn consented(transport: &Transport, consent: &str) -> Option<Callback> {
    let now = Clock::system().now();
    let answer = transport.call(&oauth::visit(consent), now).await.ok()?;
    oauth::callback(&answer.headers.get("location")?)
}

/// Refuses a code that somebody else asked for, or that is for another account.
fn check(
    callback: &Callback,
    account: &Account,
    state: &str,
    output: &Output,
) -> anyhow::Result<()> {
    if callback
        .state
        .as_deref()
        .is_some_and(|known| known != state)
    {
        bail!(output.say("cli.zalo-wrong-state", &[]));
    }
    if let Some(oa) = callback.oa.as_deref().filter(|oa| *oa != account.oa()) {
        bail!(output.say(
            "cli.zalo-wrong-oa",
            &[("oa", &oa), ("wanted", &account.oa())]
        ));
    }
    Ok(())
}

/// A text that nobody can guess: 32 bytes of the system's, as RFC 7636 asks for.
fn random() -> anyhow::Result<Secret> {
    let mut bytes = [0_u8; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}
