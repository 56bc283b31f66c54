//! Channels that are Zalo Official Accounts: whether what they carry can go out there.

use std::time::Duration;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        bulletin::Format,
        channel::{AdapterConfig, ChannelKind},
        time::format_duration,
        zalo::{ARTICLE_TIME, ZaloConfig},
    },
    source::{
        notebook::Notebook,
        raw::channel::{RawAdapter, RawChannel},
    },
};

/// `time` is what all calls of an attempt have together.
pub(super) fn check(notebook: &Notebook, channels: &[RawChannel], time: Duration) {
    for raw in channels {
        let Some(RawAdapter::Other(AdapterConfig::Zalo(config))) = &raw.adapter else {
            continue;
        };
        let help = match (raw.kind, raw.format) {
            (Some(kind), _) if kind != ChannelKind::Chat => Some("L261-help-kind"),
            (_, format) => lacking(format, config),
        };
        if let Some(help) = help {
            let diagnostic =
                Diagnostic::new(Code::ZaloCannot, raw.at.clone()).with("channel", raw.id.as_str());
            notebook.report(diagnostic.help(Phrase::new(help)));
        } else if raw.format == Format::Article && time < ARTICLE_TIME {
            let diagnostic = Diagnostic::new(Code::ZaloHurried, raw.at.clone())
                .with("channel", raw.id.as_str())
                .with("given", format_duration(time));
            let help = Phrase::new("L295-help").with("least", format_duration(ARTICLE_TIME));
            notebook.report(diagnostic.help(help));
        }
    }
}

/// What a channel of this format still needs.
fn lacking(format: Format, config: &ZaloConfig) -> Option<&'static str> {
    match format {
        Format::Message if config.user.is_none() => Some("L261-help-user"),
        Format::Article if config.cover.is_none() => Some("L261-help-cover"),
        Format::Message | Format::Article => None,
        Format::Script | Format::Sign => Some("L261-help-format"),
    }
}
