//! `millstream demo`: an embedded broker, a generator of invoices and two streaming queries over them, watched live.

mod generator;
mod queries;
mod watch;

use crate::Outcome;
use clap::Args;
use generator::Generator;
use millstream::client::{ClientOptions, Kafka, NewTopic};
use millstream::prelude::*;
use millstream_broker::net::Server;
use millstream_broker::{Broker, BrokerOptions};
use std::time::{Duration, Instant};

#[derive(Args, Debug)]
pub(crate) struct DemoArguments {
    /// Invoices a second.
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// How long invoices are generated.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
}

pub(crate) async fn run(arguments: DemoArguments) -> Outcome {
    let start = Instant::now();
    let server = Server::start(Broker::new(BrokerOptions::default())?, "127.0.0.1", 0).await?;
    let bootstrap = server.bootstrap();
    println!("an embedded broker listens on {bootstrap}");
    let kafka = Kafka::connect(ClientOptions::new(&bootstrap)).await?;
    let topics = [NewTopic::new(queries::INVOICES, 2), NewTopic::new(queries::NOTIFICATIONS, 3)];
    kafka.admin().create_topics(&topics, Duration::from_secs(10)).await?;

    let folder = tempfile::Builder::new().prefix("millstream-demo-").tempdir()?;
    let session = Session::builder().app_name("millstream demo").build()?;
    let running = queries::start(&session, &bootstrap, folder.path()).await?;
    println!("two queries run with checkpoints: '{}' and '{}'", running[0].title(), running[1].title());
    println!(
        "they began after {:.0} ms; now {} invoices/s for {} s",
        millis(start),
        arguments.rate,
        arguments.seconds
    );

    let generator = Generator::start(&kafka, queries::INVOICES, arguments.rate, arguments.seconds);
    watch::until_done(&running, &generator).await;
    let generated = generator.finish().await?;
    for query in &running {
        query.process_all_available().await?;
    }
    watch::summary(&running, generated);
    for query in &running {
        query.stop().await?;
    }
    queries::sample(&session, &bootstrap, folder.path()).await?;
    server.stop().await;
    Ok(())
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// The name to show for a query.
pub(crate) trait Title {
    /// Its name, or its id.
    fn title(&self) -> String;
}

impl Title for StreamingQuery {
    fn title(&self) -> String {
        self.name().map_or_else(|| self.id().to_string(), str::to_owned)
    }
}
