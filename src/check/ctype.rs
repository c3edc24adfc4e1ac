//! How wide an argument is, by its C type.
