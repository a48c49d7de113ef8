//! Stage 6: identity × policy × rights → who files it, or why nobody does.

use mailshelf_storage::Login;
use mailshelf_storage::model::{Role, SenderPolicy};

use crate::outcome::Reason;
use crate::sender::Identity;

/// What is known when the question is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The library's policy.
    pub policy: SenderPolicy,
    /// The site's switch, which outranks it.
    pub authenticated_only: bool,
    /// Who sent the mail.
    pub identity: &'a Identity,
    /// What that user may do in the library.
    pub role: Option<Role>,
}

/// Who files a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This user does.
    As(Login),
    /// Nobody we know does: the System Account stands in.
    Anonymous,
    /// Nobody may.
    Refused(Reason),
}

/// The table of policies and proofs.
pub fn authorise(question: Question<'_>) -> Verdict {
    let identity = question.identity;
    match (&identity.user, question.policy) {
        (Some(user), SenderPolicy::Anyone) => Verdict::As(user.login.clone()),
        (Some(user), SenderPolicy::Permissions) => match question.role {
            Some(role) if role >= Role::Contributor => Verdict::As(user.login.clone()),
            _ => Verdict::Refused(Reason::NoPermission),
        },
        (None, SenderPolicy::Anyone) if !question.authenticated_only => Verdict::Anonymous,
        (None, _) if identity.known => Verdict::Refused(Reason::UnauthenticatedSender),
        (None, _) => Verdict::Refused(Reason::UnknownSender),
    }
}

#[cfg(test)]
mod tests {
    use mailshelf_storage::UserId;
    use mailshelf_storage::model::{Level, User};

    use super::*;

    fn identity(user: bool, known: bool) -> Identity {
        let user =
            user.then(|| User { id: UserId(1), login: "alice".parse().unwrap(), addresses: Vec::new() });
        Identity { address: None, user, level: Level::None, proof: String::new(), known }
    }

    #[test]
    fn every_cell_of_the_table() {
        use Reason::{NoPermission, UnauthenticatedSender, UnknownSender};
        use SenderPolicy::{Anyone, Permissions};
        let alice = || Verdict::As("alice".parse().unwrap());
        let no = Verdict::Refused;
        let contributor = Some(Role::Contributor);
        for (policy, only, user, known, role, expected) in [
            (Permissions, false, true, true, contributor, alice()),
            (Permissions, true, true, true, contributor, alice()),
            (Permissions, false, true, true, Some(Role::Owner), alice()),
            (Permissions, false, true, true, Some(Role::Reader), no(NoPermission)),
            (Permissions, true, true, true, None, no(NoPermission)),
            (Permissions, false, false, true, None, no(UnauthenticatedSender)),
            (Permissions, true, false, true, None, no(UnauthenticatedSender)),
            (Permissions, false, false, false, None, no(UnknownSender)),
            (Permissions, true, false, false, None, no(UnknownSender)),
            (Anyone, false, true, true, contributor, alice()),
            (Anyone, false, true, true, None, alice()),
            (Anyone, true, true, true, contributor, alice()),
            (Anyone, true, true, true, None, alice()),
            (Anyone, false, false, true, None, Verdict::Anonymous),
            (Anyone, false, false, false, None, Verdict::Anonymous),
            (Anyone, true, false, true, None, no(UnauthenticatedSender)),
            (Anyone, true, false, false, None, no(UnknownSender)),
        ] {
            let identity = identity(user, known);
            let question = Question { policy, authenticated_only: only, identity: &identity, role };
            assert_eq!(authorise(question), expected, "{policy} {only} {user} {known} {role:?}");
        }
    }
}
