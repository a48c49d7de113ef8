//! The program: arguments, tracing, one command, exit code.

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

mod cli;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(cli::panicked));
    let arguments = match cli::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_writer(|| cli::Log)
        // Ours: what an event quotes could not be told from it.
        .with_ansi(false)
        .init();
    cli::run(arguments)
}

/// What is logged: `MAILSHELF_LOG`, or warnings. A setting that is none must not keep mail from being filed.
fn filter() -> EnvFilter {
    let usual = || EnvFilter::new("warn");
    let Some(wanted) = std::env::var_os("MAILSHELF_LOG").filter(|wanted| !wanted.is_empty()) else {
        return usual();
    };
    let wanted = wanted.to_string_lossy();
    EnvFilter::try_new(&wanted).unwrap_or_else(|error| {
        let hint = "it is one of error, warn, info, debug, trace, or such as mailshelf=debug; now it is warn";
        cli::complain(&format!("MAILSHELF_LOG {wanted}: {error}"), Some(hint));
        usual()
    })
}
