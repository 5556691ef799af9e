//! Layers made again, part by part. A part first gathers the files that it is made of: where bytes of
//! packs are missing it says which, and goes on once it has them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Error, Float64Array, Object};
use mica_core::pack::{BlockCache, FileReader, LAYER_BLOCKS_SIZE, decode_places};
use mica_core::recipe::RecipeBytes;
use mica_core::restore::{
    FileIds, FileMap, FileRange, FileSource, LayerEncoder, RestoreError, Restorer, Scratch,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::to_js_error;
use crate::number::to_size;
use crate::packs::{Fetched, PackRange, Packs, SourceError};
use crate::report::{layer_summary, object, size};

/// A layer that can be made again.
#[wasm_bindgen]
pub struct OpenedRestoration(Rc<Restoration>);

struct Restoration {
    restorer: Restorer,
    recipe: Vec<u8>,
    map: FileMap,
    ids: RefCell<FileIds>,
    /// Packs there are.
    packs: usize,
    blocks: RefCell<BlockCache>,
    scratch: RefCell<Scratch>,
}

#[wasm_bindgen]
impl OpenedRestoration {
    /// Reads a recipe. `places`: where each of its files is, 16 bytes each.
    #[wasm_bindgen(constructor)]
    pub fn new(recipe: Vec<u8>, packs: usize, places: &[u8]) -> Result<Self, Error> {
        let restoration = Restoration::new(recipe, packs, places);
        let restoration = restoration.map_err(|error| to_js_error(&error))?;
        Ok(Self(Rc::new(restoration)))
    }

    /// The layer.
    pub fn summary(&self) -> Object {
        layer_summary(self.0.restorer.index().summary())
    }

    /// Where each part ends in the layer, bytes.
    #[wasm_bindgen(js_name = partEnds)]
    pub fn part_ends(&self) -> Float64Array {
        let ends = self
            .0
            .restorer
            .parts()
            .iter()
            .map(|part| to_size(part.end()));
        Float64Array::from(&ends.collect::<Vec<_>>()[..])
    }

    /// What the parts are to be passed through, in order and from the first on; absent where they are the
    /// layer.
    pub fn encoder(&self) -> Result<Option<PartEncoder>, Error> {
        let encoder = self.0.restorer.encoder();
        let encoder = encoder.map_err(|error| to_js_error(&error))?;
        Ok(encoder.map(|encoder| PartEncoder {
            restoration: Rc::clone(&self.0),
            encoder,
        }))
    }

    /// Begins a part.
    pub fn part(&self, number: usize) -> PartMaker {
        PartMaker::new(Rc::clone(&self.0), number)
    }
}

impl Restoration {
    fn new(recipe: Vec<u8>, packs: usize, places: &[u8]) -> Result<Self, RestoreError> {
        let bytes = RecipeBytes(&recipe);
        let restorer = Restorer::read::<_, RestoreError>(&bytes)?;
        let map = FileMap::new(&restorer, decode_places(places))?;
        Ok(Self {
            restorer,
            recipe,
            map,
            ids: RefCell::default(),
            packs,
            blocks: RefCell::new(BlockCache::new(LAYER_BLOCKS_SIZE)),
            scratch: RefCell::default(),
        })
    }
}

/// Makes a layer of its parts' bytes.
#[wasm_bindgen]
pub struct PartEncoder {
    restoration: Rc<Restoration>,
    encoder: LayerEncoder,
}

#[wasm_bindgen]
impl PartEncoder {
    /// Takes the next bytes, and gives those of the layer that are ready then.
    pub fn encode(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let mut ready = Vec::new();
        let pushed = self
            .encoder
            .push(&self.restoration.restorer, bytes, &mut ready);
        pushed.map_err(|error| to_js_error(&error))?;
        Ok(ready)
    }
}

/// A part of a layer on its way.
#[wasm_bindgen]
pub struct PartMaker {
    restoration: Rc<Restoration>,
    number: usize,
    /// What of files is not gathered yet.
    ranges: VecDeque<FileRange>,
    gathered: Vec<u8>,
    reader: FileReader,
    fetched: Option<Fetched>,
    missing: Option<PackRange>,
}

#[wasm_bindgen]
impl PartMaker {
    /// Goes on as far as it can: the part's bytes, or nothing if it lacks those that `missing` tells.
    pub fn step(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self.advance() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(SourceError::Missing(range)) => {
                self.missing = Some(range);
                Ok(None)
            }
            Err(error) => Err(error.to_js()),
        }
    }

    /// Which bytes are needed next.
    pub fn missing(&self) -> Option<Object> {
        let PackRange {
            pack,
            offset,
            length,
        } = self.missing?;
        Some(object([
            ("pack", pack.into()),
            ("offset", size(offset)),
            ("length", size(u64::try_from(length).unwrap_or(u64::MAX))),
        ]))
    }

    /// Takes the bytes that were missing; fewer of them if their pack ends before.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let Some(range) = self.missing.take() else {
            return Ok(());
        };
        let PackRange {
            pack,
            offset,
            length,
        } = range;
        if bytes.len() < length {
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            let end = offset.saturating_add(length);
            return Err(to_js_error(&RestoreError::PackEnd { pack, end }));
        }
        self.fetched = Some(Fetched {
            pack,
            offset,
            bytes,
        });
        Ok(())
    }
}

impl PartMaker {
    fn new(restoration: Rc<Restoration>, number: usize) -> Self {
        let ranges = match restoration.restorer.parts().get(number) {
            Some(part) => {
                let (start, end) = part.wanted_tar();
                let tar = restoration.restorer.tar();
                tar.file_ranges(start, end).collect()
            }
            None => VecDeque::new(),
        };
        Self {
            restoration,
            number,
            ranges,
            gathered: Vec::new(),
            reader: FileReader::default(),
            fetched: None,
            missing: None,
        }
    }

    fn advance(&mut self) -> Result<Vec<u8>, SourceError> {
        while let Some(&range) = self.ranges.front() {
            self.gather(range)?;
            self.ranges.pop_front();
        }
        let mut bytes = Vec::new();
        let Restoration {
            restorer,
            recipe,
            scratch,
            ..
        } = self.restoration.as_ref();
        restorer.restore_part::<_, _, SourceError>(
            &mut scratch.borrow_mut(),
            &RecipeBytes(recipe),
            &mut Gathered(&self.gathered),
            self.number,
            &mut bytes,
        )?;
        Ok(bytes)
    }

    /// Gathers a stretch of a file; where bytes are missing, what was gathered stays.
    fn gather(&mut self, range: FileRange) -> Result<(), SourceError> {
        let Restoration {
            restorer,
            recipe,
            map,
            ids,
            packs,
            blocks,
            ..
        } = self.restoration.as_ref();
        let FileRange {
            file,
            offset,
            length,
        } = range;
        let lacking = RestoreError::FileLength {
            file,
            offset,
            got: 0,
            expected: length,
        };
        let recipe = RecipeBytes(recipe);
        let found = map.find(&mut ids.borrow_mut(), &recipe, restorer, file)?;
        let (pack, start) = found.ok_or(lacking)?;
        let mut packs = Packs {
            count: *packs,
            blocks,
            fetched: self.fetched.as_ref(),
        };
        let before = self.gathered.len();
        let wanted = (offset, length);
        let read = self
            .reader
            .read(&mut packs, pack, start, wanted, &mut self.gathered);
        let got = u64::try_from(self.gathered.len().saturating_sub(before)).unwrap_or(u64::MAX);
        if let Some(rest) = self.ranges.front_mut() {
            rest.offset = offset.saturating_add(got);
            rest.length = length.saturating_sub(got);
        }
        read
    }
}

/// What was gathered of files, in the order in which it is asked for.
struct Gathered<'a>(&'a [u8]);

impl FileSource for Gathered<'_> {
    type Error = RestoreError;

    fn read_file(
        &mut self,
        file: u64,
        offset: u64,
        length: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), RestoreError> {
        let count = usize::try_from(length).unwrap_or(usize::MAX);
        let Some((bytes, rest)) = self.0.split_at_checked(count) else {
            return Err(RestoreError::FileLength {
                file,
                offset,
                got: u64::try_from(self.0.len()).unwrap_or(u64::MAX),
                expected: length,
            });
        };
        output.extend_from_slice(bytes);
        self.0 = rest;
        Ok(())
    }
}
