//! What every command that talks to a cluster needs: the brokers, Java property names, and a runtime.

use crate::Outcome;
use clap::Args;
use millstream::client::{ClientOptions, Kafka, ParsedProperties};

#[derive(Args, Debug, Clone)]
pub(crate) struct ConnectionArguments {
    /// Brokers to ask first, as host:port, separated by commas.
    #[arg(short = 'b', long = "brokers", env = "KAFKA_BROKERS", value_name = "HOST:PORT,..")]
    pub(crate) brokers: String,
    /// A client property by its Java name, as name=value; may be repeated.
    #[arg(short = 'X', value_name = "NAME=VALUE")]
    pub(crate) properties: Vec<String>,
}

impl ConnectionArguments {
    /// The typed options; a name that no client knows is an error with the nearest one.
    pub(crate) fn parse(&self) -> Result<ParsedProperties, Box<dyn std::error::Error + Send + Sync>> {
        let mut pairs = vec![("bootstrap.servers", self.brokers.as_str())];
        for property in &self.properties {
            let pair =
                property.split_once('=').ok_or_else(|| format!("-X {property}: write it as NAME=VALUE"))?;
            pairs.push(pair);
        }
        let parsed = ClientOptions::from_properties(pairs)?;
        if let Some((name, nearest)) = parsed.unknown.first() {
            let hint =
                nearest.as_ref().map(|nearest| format!("; did you mean '{nearest}'?")).unwrap_or_default();
            return Err(format!("-X {name}: no Kafka client has this property{hint}").into());
        }
        Ok(parsed)
    }

    pub(crate) async fn connect(
        &self,
    ) -> Result<(Kafka, ParsedProperties), Box<dyn std::error::Error + Send + Sync>> {
        let parsed = self.parse()?;
        Ok((Kafka::connect(parsed.client.clone()).await?, parsed))
    }
}

/// Runs a command to its end, or until Ctrl-C.
pub(crate) fn block_on(command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(command);
    // Background fetches must not hold up the exit.
    runtime.shutdown_background();
    outcome
}
