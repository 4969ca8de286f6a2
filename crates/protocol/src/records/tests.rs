//! Cases of the table of bad input, and the reader against its twins.
