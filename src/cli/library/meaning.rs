//! What a setting of a library means, in a sentence.

use mailshelf::config::Config;
use mailshelf::sender::trusts_from;
use mailshelf_storage::model::{Attachments, LibrarySettings, SenderPolicy, TrustFrom};

use super::view::quota as written;
use super::word;

/// Each setting but the title: its value, and what that does at this site. In the order in which they are shown.
pub fn meanings(settings: &LibrarySettings, config: &Config) -> Vec<String> {
    let LibrarySettings { attachments, overwrite, save_original, save_invitations, inline_images, .. } =
        settings;
    let LibrarySettings { sender_policy, trust_from, enabled, quota, anonymous_quota, .. } = settings;
    let told =
        |yes: bool, if_yes: &str, if_no: &str| format!("{}: {}", word(yes), if yes { if_yes } else { if_no });
    vec![
        format!("{attachments}: {}", place(*attachments)),
        told(
            *overwrite,
            "a document whose name is taken becomes a new version of the one there; the older ones stay",
            "a document whose name is taken gets a number: a (2).pdf",
        ),
        told(
            *save_original,
            "the mail itself is filed too, beside its attachments",
            "of a mail only the attachments are filed",
        ),
        told(*save_invitations, "invitations are filed too, as .ics", "invitations are left out"),
        told(
            *inline_images,
            "images that the text of a mail shows are filed too",
            "images that the text of a mail shows are left out",
        ),
        format!("{sender_policy}: {}", policy(*sender_policy, config.site.authenticated_only)),
        format!("{trust_from}: {}", trust(*trust_from, config.sender.trust_from)),
        told(*enabled, "it takes mail", "mail to it is rejected as mail-disabled"),
        format!("{}: {}", written(*quota), bound(quota.is_some())),
        format!("{}: {}", written(*anonymous_quota), bound_of_nobody(anonymous_quota.is_some())),
    ]
}

fn place(attachments: Attachments) -> &'static str {
    match attachments {
        Attachments::Root => "documents stand in the root of the library",
        Attachments::Subject => "the documents of a mail stand in a folder named by its subject",
        Attachments::Sender => "the documents of a mail stand in a folder named by its From address",
    }
}

fn bound(is_set: bool) -> &'static str {
    match is_set {
        true => {
            "mail that would take its documents, all versions and removed ones included, beyond that is rejected as quota-exceeded, and kept aside"
        }
        false => "its documents may come to any size",
    }
}

fn bound_of_nobody(is_set: bool) -> &'static str {
    match is_set {
        true => {
            "senders whom nothing proves may file so much there in a day, all together; more is rejected as anonymous-quota-exceeded"
        }
        false => "senders whom nothing proves may file there as much as others",
    }
}

fn policy(policy: SenderPolicy, authenticated_only: bool) -> &'static str {
    match (policy, authenticated_only) {
        (SenderPolicy::Permissions, _) => "takes mail from proven users with the right to contribute",
        (SenderPolicy::Anyone, false) => "takes mail from anyone, nobody proven included",
        (SenderPolicy::Anyone, true) => {
            "takes mail from anyone who is a proven user: site.authenticated_only outranks it"
        }
    }
}

fn trust(trust_from: TrustFrom, site: bool) -> &'static str {
    match (trust_from, trusts_from(trust_from, site)) {
        (TrustFrom::Inherit, true) => "as sender.trust_from of the site: the bare From header is believed",
        (TrustFrom::Inherit, false) => "as sender.trust_from of the site: who sent a mail must be proven",
        (_, true) => "the bare From header is believed, which anybody can forge",
        (_, false) => "who sent a mail must be proven",
    }
}
