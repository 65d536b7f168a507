//! `rtctrace token`: makes tokens for clients and for the API. The token is the one line on standard output.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::access::{self, Claims, Scope};
use crate::cli::Files;
use crate::config::{Secret, Span};

/// Which kind of token.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// A JWT that lets a client record, signed with the configured secret or a private key.
    Client(ClientToken),
    /// A random token of the API. It is shown this once; its hash is added to the file of API tokens, and a collector that runs
    /// takes it within seconds.
    Api(ApiToken),
}

/// A token for a client.
#[derive(Debug, Args)]
pub(crate) struct ClientToken {
    /// Whose session it is.
    #[arg(long)]
    user: Option<String>,
    /// The one session that it is for, by its UUID; any, if this is left out.
    #[arg(long)]
    session: Option<String>,
    /// Which conference the session belongs to.
    #[arg(long)]
    conference: Option<String>,
    /// How long it is good for connecting. A socket that is open then stays.
    #[arg(long, value_name = "TIME", default_value = "10m")]
    ttl: Span,
    /// Sign with this private key (PEM: RSA, P-256 or Ed25519) instead of the configured secret.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    settings: Files,
}

/// A token for the API.
#[derive(Debug, Args)]
pub(crate) struct ApiToken {
    /// What it allows: read, upload, delete, admin (all of them). Several are separated by commas.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
    scope: Vec<Scope>,
    /// What it is called in the file.
    #[arg(long)]
    name: String,
    #[command(flatten)]
    settings: Files,
}

/// Makes the token and prints it.
pub(crate) fn run(command: &TokenCommand) -> anyhow::Result<()> {
    let (TokenCommand::Client(ClientToken { settings, .. }) | TokenCommand::Api(ApiToken { settings, .. })) = command;
    let config = settings.load()?;
    let token: Secret = match command {
        TokenCommand::Client(wanted) => {
            let claims = Claims {
                user: wanted.user.clone(),
                session: wanted.session.clone(),
                conference: wanted.conference.clone(),
                expired: false,
            };
            access::mint_client_token(&config, wanted.key.as_deref(), &claims, wanted.ttl.0.as_secs())?
        }
        TokenCommand::Api(wanted) => {
            let file = config.api_token_file();
            let token = access::create_api_token(&file, &wanted.name, &wanted.scope)?;
            let note =
                format!("This is shown once. Its hash is in {}; take its line out to withdraw it.", file.display());
            let _ = writeln!(std::io::stderr(), "{note}");
            token
        }
    };
    writeln!(std::io::stdout(), "{}", token.expose()).context("cannot print the token")
}
