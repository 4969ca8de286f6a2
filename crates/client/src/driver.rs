//! The one file that reads or writes a socket.
