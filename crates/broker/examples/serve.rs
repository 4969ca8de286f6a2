//! A broker for Kafka's own tools: `cargo run -p millstream-broker --example serve -- [PORT [NODES
//! [DATA_DIR]]]`.

use millstream_broker::{BrokerOptions, Error, net};

fn main() -> Result<(), Error> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let mut args = std::env::args().skip(1);
    let port = args.next().and_then(|port| port.parse().ok()).unwrap_or(9092);
    let nodes = args.next().and_then(|nodes| nodes.parse().ok()).unwrap_or(1);
    let data_dir = args.next().map(Into::into);
    let server = net::start_in_thread(BrokerOptions { port, nodes, data_dir, ..BrokerOptions::default() })?;
    println!("listening on {}", server.bootstrap());
    loop {
        std::thread::park();
    }
}
