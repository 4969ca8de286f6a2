//! Connections to brokers, one for each purpose.
