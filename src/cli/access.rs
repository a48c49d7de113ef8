//! `mailshelf access`: who may file in a library by mail, and why.

use mailshelf::authorise::{Question, Verdict, authorise};
use mailshelf::config::Config;
use mailshelf::escape::Escaped;
use mailshelf::sender::Identity;
use mailshelf_storage::model::{Level, Library, Role, SenderPolicy, UnusedAddress, User, Way};
use mailshelf_storage::{Error, LibraryName, Login, Reader};
use serde::Serialize;

use super::output::{Show, Tone};
use super::paste::quoted;
use super::{Context, DONE, library, user};
use proof::Proof;

mod proof;

/// Show who may file in a library by mail, and why
///
/// A line for each user who has a role there, and one for anyone where senders need no proof. Where the library takes
/// mail from anyone and the site only from whom it knows, every user has a line.
#[derive(clap::Args)]
#[command(after_help = "Example: mailshelf access invoices --user alice")]
pub struct Access {
    /// Where
    library: LibraryName,
    /// Only this user, in sentences, and what would make a no a yes
    #[arg(long, value_name = "LOGIN")]
    user: Option<Login>,
}

/// So many ways by one right are told.
const WAYS: usize = 20;

/// Whether somebody may file.
#[derive(Serialize)]
struct View {
    library: LibraryName,
    /// `None`: whoever is not proven to be a user.
    user: Option<Login>,
    role: Option<Role>,
    may_file: bool,
    ways: Vec<Way>,
    because: String,
    /// What must prove that a mail is theirs, or why nothing can.
    proof: String,
    /// What would make a no a yes: commands, and what to configure.
    hints: Vec<String>,
}

impl Show for View {
    const COLUMNS: &'static [&'static str] = &["user", "role", "may file", "because", "proof"];

    fn row(&self) -> Vec<String> {
        vec![
            self.name().to_owned(),
            self.role.map(Role::as_str).unwrap_or("none").to_owned(),
            library::word(self.may_file),
            self.because.clone(),
            self.proof.clone(),
        ]
    }

    fn tone(&self, heading: &str) -> Option<Tone> {
        let tone = if self.may_file { Tone::Filed } else { Tone::Rejected };
        (heading == "may file").then_some(tone)
    }
}

impl View {
    fn name(&self) -> &str {
        self.user.as_ref().map_or("anyone", Login::as_str)
    }

    /// In sentences.
    fn text(&self) -> String {
        let may = if self.may_file { "may" } else { "may not" };
        let mut lines = vec![format!("{} {may} file in {}: {}.", self.name(), self.library, self.because)];
        let role = ways(&self.ways).unwrap_or("none".to_owned());
        if role != self.because {
            lines.push(format!("Role: {role}."));
        }
        lines.push(format!("Proof: {}.", self.proof));
        lines.extend(self.hints.iter().map(|command| format!("What would help: {command}")));
        let lines: Vec<_> = lines.iter().map(|line| Escaped(line).to_string()).collect();
        lines.join("\n")
    }
}

/// All ways, in words; `None` if there is none.
fn ways(ways: &[Way]) -> Option<String> {
    let mut texts: Vec<_> = ways.iter().map(Way::to_string).collect();
    let first = |way: &Way| way.through.first().cloned();
    if ways.iter().any(|way| ways.iter().filter(|other| first(other) == first(way)).count() == WAYS) {
        texts.push("perhaps more".to_owned());
    }
    (!texts.is_empty()).then(|| texts.join("; "))
}

impl Access {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let site = context.site()?;
        let reader = site.catalog.read()?;
        let library = library::find(&*reader, &self.library)?;
        let asked =
            Asked { config: &site.config, reader: &*reader, library, unused: reader.unused_addresses()? };
        if let Some(login) = &self.user {
            let view = asked.of_user(&user::find(&*reader, login)?)?;
            context.out.value(&view, || view.text())?;
            return Ok(DONE);
        }
        let none = format!(
            "Nobody may file in library {0}. Give somebody the right: mailshelf grant {0} user:LOGIN contributor",
            self.library
        );
        context.out.list(&asked.of_all()?, &none)?;
        Ok(DONE)
    }
}

/// A library that is asked about.
struct Asked<'a> {
    config: &'a Config,
    reader: &'a dyn Reader,
    library: Library,
    /// The addresses of all users that nobody is found by.
    unused: Vec<UnusedAddress>,
}

/// What stands in the way, and the command that would take it away.
#[derive(Clone)]
pub struct Obstacle {
    pub what: String,
    pub hint: String,
}

/// Why no mail can prove in a library that a user has sent it, if none can. Of the library it hangs on nothing but whether
/// it believes From. `unused` are the addresses of all users that nobody is found by.
pub fn unprovable(
    config: &Config,
    reader: &dyn Reader,
    library: &Library,
    user: &User,
    unused: &[UnusedAddress],
) -> Result<Option<Obstacle>, Error> {
    let asked = Asked { config, reader, library: library.clone(), unused: unused.to_vec() };
    Ok(Proof::of(&asked, user)?.obstacle)
}

impl Asked<'_> {
    /// Whoever has a role, or may file without one; then whoever is not proven.
    fn of_all(&self) -> Result<Vec<View>, Error> {
        let anyone = self.library.settings.sender_policy == SenderPolicy::Anyone;
        let all = anyone && !self.lets_anyone();
        let mut views = Vec::new();
        for user in self.reader.users()? {
            let view = self.of_user(&user)?;
            if all || view.role.is_some() {
                views.push(view);
            }
        }
        views.extend(self.lets_anyone().then(|| self.of_anyone()));
        Ok(views)
    }

    /// What becomes of mail from this user, or from nobody we know, as a pass decides it.
    fn verdict(&self, user: Option<&User>, role: Option<Role>) -> Verdict {
        let identity = Identity {
            address: None,
            user: user.cloned(),
            level: Level::None,
            proof: String::new(),
            known: user.is_some(),
        };
        authorise(Question {
            policy: self.library.settings.sender_policy,
            authenticated_only: self.config.site.authenticated_only,
            identity: &identity,
            role,
        })
    }

    /// Whether mail that nobody is proven to have sent is filed.
    fn lets_anyone(&self) -> bool {
        self.verdict(None, None) == Verdict::Anonymous
    }

    fn disabled(&self) -> Option<Obstacle> {
        let name = quoted(self.library.name.as_str());
        (!self.library.settings.enabled).then(|| Obstacle {
            what: "the library takes no mail (enabled is no)".to_owned(),
            hint: format!("mailshelf library set {name} --enabled yes"),
        })
    }

    fn of_anyone(&self) -> View {
        let system_account = &self.config.site.system_account;
        let disabled = self.disabled();
        View {
            library: self.library.name.clone(),
            user: None,
            role: None,
            may_file: disabled.is_none(),
            ways: Vec::new(),
            proof: format!("none is asked for; what is not proven is filed by {system_account}"),
            because: disabled.as_ref().map_or(ANYONE.to_owned(), |obstacle| obstacle.what.clone()),
            hints: disabled.into_iter().map(|obstacle| obstacle.hint).collect(),
        }
    }

    fn of_user(&self, user: &User) -> Result<View, Error> {
        let ways = self.reader.ways(self.library.id, user.id, WAYS)?;
        let role = ways.first().map(|way| way.role);
        let proof = Proof::of(self, user)?;
        let disabled = self.disabled();
        let (refused, unprovable) = (self.not_permitted(user, role), proof.obstacle);
        let named = refused.is_none() && unprovable.is_none();
        let may_file = disabled.is_none() && (named || self.lets_anyone());
        let because = match (&disabled, named, self.library.settings.sender_policy) {
            (None, true, SenderPolicy::Permissions) => self::ways(&ways).unwrap_or_default(),
            (None, true, SenderPolicy::Anyone) => ANYONE.to_owned(),
            (None, false, _) if may_file => {
                format!("{ANYONE}, but under the name of {}", self.config.site.system_account)
            }
            _ => String::new(),
        };
        let obstacles: Vec<_> = disabled.into_iter().chain(refused).chain(unprovable).collect();
        let what: Vec<_> = obstacles.iter().map(|obstacle| obstacle.what.as_str()).collect();
        let because = if because.is_empty() { what.join("; ") } else { because };
        Ok(View {
            library: self.library.name.clone(),
            user: Some(user.login.clone()),
            role,
            may_file,
            ways,
            because,
            proof: proof.text,
            hints: obstacles.into_iter().filter(|_| !may_file).map(|obstacle| obstacle.hint).collect(),
        })
    }

    /// What is missing for a user who is proven.
    fn not_permitted(&self, user: &User, role: Option<Role>) -> Option<Obstacle> {
        let what = match (self.verdict(Some(user), role), role) {
            (Verdict::As(_) | Verdict::Anonymous, _) => return None,
            (Verdict::Refused(_), Some(role)) => format!("{role} is not enough: contributor is needed"),
            (Verdict::Refused(_), None) => "no role there: contributor is needed".to_owned(),
        };
        let (library, user) = (quoted(self.library.name.as_str()), quoted(&format!("user:{}", user.login)));
        Some(Obstacle { what, hint: format!("mailshelf grant {library} {user} contributor") })
    }
}

const ANYONE: &str = "the library takes mail from anyone (sender-policy anyone)";
