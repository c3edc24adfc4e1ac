//! The formats of tracers: which there are, how one is known, and its reader.
