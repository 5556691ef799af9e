//! Layers taken apart in memory.

use mica_core::digest::DigestAlgorithm;
use mica_core::ingest::{IngestError, LayerIngest};
use mica_core::segment::Proof;

/// Most plain text of a layer, bytes: fuzzers find bombs.
pub(crate) const TAR_LIMIT: u64 = 4 << 20;

/// The recipe of a layer that comes in pieces of these sizes, used over and over.
pub(crate) fn ingest(layer: &[u8], pieces: &[usize]) -> Result<Vec<u8>, IngestError> {
    ingest_proven(layer, pieces, Proof::Now)
}

/// The same, with this proof.
pub(crate) fn ingest_proven(
    layer: &[u8],
    pieces: &[usize],
    proof: Proof,
) -> Result<Vec<u8>, IngestError> {
    let mut ingest = LayerIngest::new(DigestAlgorithm::Sha256, TAR_LIMIT, proof);
    let mut recipe = Vec::new();
    let mut rest = layer;
    for size in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*size).clamp(1, rest.len()));
        recipe.extend(ingest.push(piece)?);
        rest = after;
    }
    recipe.extend(ingest.finish()?.0);
    Ok(recipe)
}
