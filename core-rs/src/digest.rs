//! File ids and content digests.
