//! What stands on the wire, byte for byte, and what it is read as.
