//! Channels that send mail: whether what they carry can be written as a letter.

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        bulletin::Format,
        channel::{AdapterConfig, ChannelKind},
    },
    source::{
        notebook::Notebook,
        raw::channel::{RawAdapter, RawChannel},
    },
};

pub(super) fn check(notebook: &Notebook, channels: &[RawChannel]) {
    for raw in channels {
        let is_mail = matches!(
            raw.adapter,
            Some(RawAdapter::Other(AdapterConfig::Email(_)))
        );
        let is_chat = raw.kind.is_none_or(|kind| kind == ChannelKind::Chat);
        let can = is_chat && matches!(raw.format, Format::Message | Format::Article);
        if is_mail && !can {
            let diagnostic =
                Diagnostic::new(Code::MailCannot, raw.at.clone()).with("channel", raw.id.as_str());
            notebook.report(diagnostic.help(Phrase::new("L265-help")));
        }
    }
}
