//! `mailshelf mail list`: mails, newest first.

use jiff::Timestamp;
use mailshelf::site::Look;
use mailshelf_storage::model::MailQuery;

use super::view::{Names, View};
use crate::cli::filter::Filter;
use crate::cli::output::Output;
use crate::cli::{library, when};

/// Mails read at a time.
const AT_ONCE: usize = 256;
/// Rows of a table; after so many another one begins, so that no list has to stand in memory as a whole.
const ROWS: usize = 1000;

#[derive(clap::Args)]
pub struct List {
    /// Only those taken then or later
    #[arg(long, value_name = "TIME", value_parser = when::before_now)]
    since: Option<Timestamp>,
    /// Only those taken earlier
    #[arg(long, value_name = "TIME", value_parser = when::before_now)]
    until: Option<Timestamp>,
    /// Only the newest N; 0 is all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    last: usize,
    #[command(flatten)]
    filter: Filter,
}

/// A list under way.
struct Listing<'a> {
    list: &'a List,
    site: &'a Look,
    out: &'a Output,
    query: MailQuery,
    rows: Vec<View>,
    printed: usize,
}

impl List {
    pub fn run(&self, site: &Look, out: &Output) -> anyhow::Result<()> {
        if let Some(name) = &self.filter.library {
            library::find(&*site.catalog.read()?, name)?;
        }
        let query = MailQuery { since: self.since, until: self.until, before: None, limit: AT_ONCE };
        Listing { list: self, site, out, query, rows: Vec::new(), printed: 0 }.run()
    }
}

impl Listing<'_> {
    fn run(mut self) -> anyhow::Result<()> {
        loop {
            let (page, is_last) = self.page()?;
            for view in page {
                if self.is_full() {
                    return self.end("are");
                }
                self.rows.push(view);
                if self.out.is_json() || self.rows.len() == ROWS {
                    self.flush()?;
                }
            }
            match is_last || self.out.is_closed() {
                true => return self.end(""),
                // To know, the rest of ten million mails might have to be looked through.
                false if self.is_full() => return self.end("may be"),
                false => {}
            }
        }
    }

    fn is_full(&self) -> bool {
        self.list.last > 0 && self.printed + self.rows.len() == self.list.last
    }

    /// The next mails that are meant, and whether there are none after them. The reader is gone before anything is
    /// printed: somebody may take his time to read.
    fn page(&mut self) -> anyhow::Result<(Vec<View>, bool)> {
        let reader = self.site.catalog.read()?;
        let names = Names::read(&*reader)?;
        let mails = reader.mails(&self.query)?;
        let is_last = mails.len() < self.query.limit;
        self.query.before = mails.last().map(|mail| mail.delivery);
        let mut page = Vec::new();
        for mail in mails {
            let outcomes = reader.outcomes(mail.delivery)?;
            if names.matches(&self.list.filter, &mail, &outcomes) {
                let wanted = self.out.is_json();
                let documents = if wanted { reader.documents_of(mail.delivery)? } else { Vec::new() };
                page.push(View::new(mail, outcomes, &names, &documents));
            }
        }
        Ok((page, is_last))
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.printed += self.rows.len();
        self.out.list(&std::mem::take(&mut self.rows), "No mail matches.")
    }

    /// `more`: whether there "are" or "may be" more, or nothing.
    fn end(mut self, more: &str) -> anyhow::Result<()> {
        if !self.rows.is_empty() || self.printed == 0 {
            self.flush()?;
        }
        if more.is_empty() || self.out.is_json() {
            return Ok(());
        }
        self.out.line(&format!("There {more} more than these {}: -n N shows N, -n 0 all.", self.printed))
    }
}
