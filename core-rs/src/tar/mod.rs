//! A tar stream as literal bytes and file contents.
