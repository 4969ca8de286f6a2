//! `millstream broker`: the embedded broker as a process of its own.

use crate::Outcome;
use clap::Args;
use millstream_broker::net::Server;
use millstream_broker::{Broker, BrokerOptions};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct BrokerArguments {
    /// Host to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port of the first node; further nodes take the ports behind it. 0 takes free ports.
    #[arg(long, default_value_t = 9092)]
    port: u16,
    /// Simulated nodes, each with a listener.
    #[arg(long, default_value_t = 1)]
    nodes: usize,
    /// Partitions of topics that are created without a count.
    #[arg(long, default_value_t = 1)]
    partitions: i32,
    /// Folder that keeps the logs; without it everything is in memory and gone with the process.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

pub(crate) async fn run(arguments: BrokerArguments) -> Outcome {
    let options = BrokerOptions {
        nodes: arguments.nodes,
        host: arguments.host.clone(),
        port: arguments.port,
        default_partitions: arguments.partitions,
        data_dir: arguments.data_dir.clone(),
        ..BrokerOptions::default()
    };
    let server = Server::start(Broker::new(options)?, &arguments.host, arguments.port).await?;
    let kept = match &arguments.data_dir {
        Some(folder) => format!("logs in {}", folder.display()),
        None => "logs in memory".to_owned(),
    };
    println!("listening on {}, {kept}; Ctrl-C ends", server.bootstrap());
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    Ok(())
}
