//! `mailshelf serve`: the service.

use std::path::Path;
use std::thread;

use mailshelf::config::Config;
use mailshelf::confine::{Confinement, Free, Reach};
use mailshelf::escape::Escaped;
use mailshelf::pass::Completed;
use mailshelf::service::{Bell, Ended, Load, NotLoaded, Prove, Service, Told};
use mailshelf::site::Site;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::output::Output;
use super::{Context, DONE, complain, confine, hint, open, run, wrong};
use teller::Teller;

mod keeper;
mod probe;
mod teller;

/// Stay, and file mail as soon as it arrives
///
/// Makes a pass at each time of schedule.cron, which is each minute unless set otherwise, and as soon as mail arrives.
/// Whatever happens to the watch over the drop folder, the next pass of the schedule finds all mail. Prints the passes
/// that found something; all of them are in the event log.
#[derive(clap::Args)]
#[command(
    after_help = "SIGHUP: read the configuration again. SIGTERM, SIGINT: end after the batch in hand; a second one: at \
                  once, which loses nothing either.\n\
                  Exit code 75: another service or pass holds this drop.\n\
                  Example: mailshelf --config /srv/mailshelf/mailshelf.toml serve"
)]
pub struct Serve {
    /// What the keeper has started, and whether another went before it.
    #[arg(long, hide = true, value_enum)]
    kept: Option<keeper::Turn>,
}

impl Serve {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        match (self.kept, confine::wanted()?) {
            (Some(keeper::Turn::Probe), _) => probe::run(context),
            (Some(turn), _) => kept(context, turn),
            (None, Ok(())) => keeper::keep(context),
            (None, Err(free)) => unconfined(context, free),
        }
    }
}

/// Serves from within a confinement.
fn kept(context: &Context, turn: keeper::Turn) -> anyhow::Result<u8> {
    keeper::leave_signals()?;
    let site = match opened(context, turn) {
        Err(error) if turn != keeper::Turn::First => return Ok(keeper::not_yet(&said(&error))),
        opened => opened?,
    };
    let file = site.config.file.clone();
    // Before there is any other thread.
    let reach = Reach::of(&site.config, site.program.as_deref()).reading_again(&file);
    let confinement = confine::now(reach)?;
    let bell = Bell::default();
    let line = keeper::listen(&bell)?;
    let prove = || probe::ask(&line);
    match serve(context, site, bell, &confinement, &prove, turn != keeper::Turn::First)? {
        Ended::Stopped => Ok(DONE),
        Ended::OutOfReach(place) => {
            tracing::info!(place = %Escaped(&place.to_string_lossy()), "out of reach: another process goes on");
            Ok(keeper::NEXT)
        }
    }
}

fn opened(context: &Context, turn: keeper::Turn) -> anyhow::Result<Site> {
    let config = context.config_of_ours()?;
    if turn != keeper::Turn::First {
        has_catalog(&config)?;
    }
    open(config)
}

fn unconfined(context: &Context, free: Free) -> anyhow::Result<u8> {
    // Before anything takes its time: a signal that nobody listens for would end us.
    let bell = Bell::default();
    listen(&bell)?;
    if free == Free::Unable {
        complain(&format!("confinement: {}", confine::words(Err(free))), None);
    }
    let site = open(context.config_of_ours()?)?;
    serve(context, site, bell, &Confinement::none(), &|| Ok(()), false).map(|_| DONE)
}

fn serve(
    context: &Context,
    site: Site,
    bell: Bell,
    confinement: &Confinement,
    prove: &Prove<'_>,
    goes_on: bool,
) -> anyhow::Result<Ended> {
    let file = site.config.file.clone();
    let read = || load(&file, confinement);
    let load = Load { read: &read, prove };
    // A journal knows of no working folder.
    let drop = std::path::absolute(&site.config.drop.path)?.display().to_string();
    let out = Output::new(context.out.is_json());
    let teller = Teller::start(move |told| show(&out, &drop, told))?;
    let mut tell = |told| teller.tell(told);
    let service = match goes_on {
        true => Service::going_on(site, load, bell, confinement, &mut tell),
        false => Service::new(site, load, bell, confinement, &mut tell)?,
    };
    let ended = service.run();
    teller.end().map(|()| ended)
}

/// For a service that runs.
fn load(file: &Path, confinement: &Confinement) -> Result<Site, NotLoaded> {
    let config = Config::load(file).map_err(|error| not_loaded(error.into()))?;
    has_catalog(&config).map_err(not_loaded)?;
    match confinement.reaches(&config) {
        Ok(()) => open(config).map_err(not_loaded),
        Err(place) => Err(NotLoaded::OutOfReach(place)),
    }
}

fn not_loaded(error: anyhow::Error) -> NotLoaded {
    NotLoaded::Wrong(said(&error))
}

/// A service that runs makes no catalog: one that is not there is being put back, or not mounted, and an empty one would
/// have all mail rejected.
fn has_catalog(config: &Config) -> anyhow::Result<()> {
    let catalog = &config.storage.catalog;
    if std::fs::metadata(catalog).is_ok_and(|found| found.len() > 0) {
        return Ok(());
    }
    let what = format!("catalog {}: there is none, or it is empty", catalog.display());
    Err(wrong(what, Some("put it back; a running service makes none".to_owned())))
}

fn said(error: &anyhow::Error) -> String {
    let hint = hint(error).map(|hint| format!(" ({hint})"));
    format!("{error:#}{}", hint.unwrap_or_default())
}

/// Has signals ring the bell. The second one that asks for the end gets it at once.
fn listen(bell: &Bell) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let bell = bell.clone();
    let listening = move || {
        for signal in signals.forever() {
            match signal {
                SIGHUP => bell.reload(),
                _ if bell.stop() => std::process::exit(128 + signal),
                _ => {}
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(listening)?;
    Ok(())
}

fn show(out: &Output, drop: &str, told: Told) -> anyhow::Result<()> {
    match told {
        Told::Trouble { why, hint } => complain(&why, hint.as_deref()),
        Told::Pass(completed) => return pass(out, &completed),
        Told::Watching(_) | Told::Reloaded if out.is_json() => {}
        Told::Watching(how) => out.line(&format!("Serving {}; watch: {how}", Escaped(drop)))?,
        Told::Reloaded => out.line("The configuration was read again.")?,
    }
    Ok(())
}

fn pass(out: &Output, completed: &Completed) -> anyhow::Result<()> {
    completed.faults.iter().for_each(|fault| complain(fault, None));
    if out.is_json() {
        return completed.lines.iter().try_for_each(|line| out.line(line));
    }
    let event = &completed.event;
    if event.processed == 0 && completed.warnings.is_empty() {
        return Ok(());
    }
    out.line(&event.time)?;
    run::text(out, completed)
}
