//! The cluster metadata, kept fresh.
