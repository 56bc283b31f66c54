//! `email` in `channels/*.yaml`.

use crate::{
    diagnostic::{Code, Phrase},
    domain::{
        channel::AdapterConfig,
        mail::{EmailConfig, MailTls, Mailbox, is_near_by_name},
        secret::SecretRef,
    },
    source::{
        address::is_host,
        reader::{Fields, Value},
    },
};

/// The most recipients of one letter that every server takes (RFC 5321, section 4.5.3.1.8).
pub(in crate::source) const MOST_RECIPIENTS: usize = 100;

pub(super) fn by_email(fields: &Fields<'_>) -> Option<AdapterConfig> {
    let server = fields.required("server").and_then(|value| {
        value.parsed(Code::BadMailServer, "L267-help", |text| {
            let is_good = is_host(text) || text.parse::<std::net::IpAddr>().is_ok();
            is_good.then(|| text.to_owned())
        })
    });
    let ways = MailTls::ALL.map(|way| (way.as_str(), way));
    let tls_at = fields.get("tls");
    let tls = fields.or("tls", MailTls::Implicit, |value| value.one_of(&ways));
    let port = fields
        .get("port")
        .and_then(|value| value.integer(1..=u64::from(u16::MAX)))
        .and_then(|port| port.try_into().ok());
    let user = fields.get("user").and_then(|value| value.words());
    // One without the other is a mistake in whichever is not there.
    let password = match (fields.get("password"), fields.get("user")) {
        (None, Some(_)) => fields.required("password"),
        (password, _) => password,
    };
    if password.is_some() {
        fields.required("user");
    }
    let password = password.and_then(|value| value.secret());
    let from = fields.required("from").and_then(mailbox);
    let to = fields.required("to").and_then(recipients);
    let reply_to = fields.get("reply_to").and_then(mailbox);
    let ca = fields.get("ca");
    let authorities = ca.and_then(authorities);
    let server = server?;
    if let Some(at) = tls_at
        && tls == MailTls::None
        && !is_near_by_name(&server)
    {
        let diagnostic = at.wrong(Code::MailInClear).with("server", server.as_str());
        at.notebook
            .report(diagnostic.help(Phrase::new("L266-help")));
    }
    if let Some(value) = ca
        && tls == MailTls::None
    {
        let _: Option<()> = useless(value, "ca-without-tls", "L277-help-tls");
    }
    Some(AdapterConfig::Email(Box::new(EmailConfig {
        server,
        port: port.unwrap_or(tls.usual_port()),
        tls,
        ca: authorities,
        login: user.zip(password),
        from: from?,
        to: to?,
        reply_to,
    })))
}

/// The file of certificates. They are nobody's secret, so that a plain path is as good as a reference.
fn authorities(value: Value<'_>) -> Option<SecretRef> {
    let text = value.words()?;
    if text.contains("-----BEGIN") {
        return useless(value, "ca-itself", "L277-help");
    }
    let reference = SecretRef::parse(&text);
    if reference.is_none() && (text.starts_with("env:") || text.starts_with("file:")) {
        value.notebook.report(value.plain_secret(&text));
        return None;
    }
    Some(reference.unwrap_or(SecretRef::File(text)))
}

fn useless<T>(value: Value<'_>, problem: &'static str, help: &'static str) -> Option<T> {
    let diagnostic = value.wrong(Code::BadAuthorities);
    let diagnostic = diagnostic.with("problem", Phrase::new(problem));
    value.notebook.report(diagnostic.help(Phrase::new(help)));
    None
}

fn mailbox(value: Value<'_>) -> Option<Mailbox> {
    value.parsed(Code::BadMailbox, "L264-help", Mailbox::parse)
}

/// Who gets it: one at least, nobody twice.
fn recipients(value: Value<'_>) -> Option<Vec<Mailbox>> {
    let mut known: Vec<String> = Vec::new();
    let all = value.list(|value| {
        let mailbox = mailbox(value)?;
        let address = mailbox.address.to_ascii_lowercase();
        if known.contains(&address) {
            let diagnostic = value.wrong(Code::RecipientTwice);
            let diagnostic = diagnostic.with("address", mailbox.address.as_str());
            value
                .notebook
                .report(diagnostic.help(Phrase::new("L268-help")));
        }
        known.push(address);
        Some(mailbox)
    })?;
    if value.is_empty_list() {
        let diagnostic = value.wrong(Code::MissingKey).with("key", "to");
        value
            .notebook
            .report(diagnostic.help(Phrase::new("L013-help-recipients")));
    }
    if all.len() > MOST_RECIPIENTS {
        let most = MOST_RECIPIENTS.to_string();
        let diagnostic = value.wrong(Code::TooManyRecipients).with("most", most);
        value
            .notebook
            .report(diagnostic.help(Phrase::new("L269-help")));
    }
    Some(all)
}
