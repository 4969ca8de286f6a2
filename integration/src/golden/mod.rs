//! Golden cases: what a real Spark on a real Kafka did, run again here from the recordings.

mod batches;
mod case;
mod cell;
mod checkpoint;
mod cluster;
pub(crate) mod compare;
mod frames;
mod literal;
mod outcome;
mod probes;
mod runner;

pub(crate) use batches::same_shape;
pub use case::Case;
pub(crate) use checkpoint::same_files as same_checkpoint_files;
pub use cluster::{Cluster, has};
pub use outcome::{Outcome, Record, summary};

/// Runs one case on the cluster at `bootstrap`.
pub async fn run(case: &Case, bootstrap: &str) -> Outcome {
    match runner::Runner::prepare(case, bootstrap).await {
        Ok(runner) => runner.run(case).await,
        Err(why) => Outcome::Failed(format!("preparing: {why}")),
    }
}
