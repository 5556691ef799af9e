//! Headers and trailers of gzip members (RFC 1952).
