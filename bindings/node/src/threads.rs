//! The jobs that JavaScript can start, each as conversion and one call.

use std::sync::Arc;
use std::thread;

use mica_core::error::CoreError;
use mica_core::pack::{self, decode_places};
use mica_core::recipe::RecipeIndex;
use mica_core::restore::{TarMap, read_file_ids};
use mica_core::segment::Proof;
use napi::bindgen_prelude::{Buffer, Either, Object, Uint32Array};
use napi::{Env, Result};
use napi_derive::napi;

use crate::check_pack::CheckPack;
use crate::error::to_js_error;
use crate::file::Input;
use crate::hash::parse_algorithm;
use crate::hash_file::HashFile;
use crate::ingest::IngestLayer;
use crate::job::{self, JobControl};
use crate::number::to_size;
use crate::pack_files::PackFiles;
use crate::packed_files::PackedFiles;
use crate::pool::Pool;
use crate::recipe_file::{RecipeFile, SourceError};
use crate::report::IngestedLayer;
use crate::restoration::OpenedRestoration;
use crate::restore::OpenRestoration;
use crate::restore_memory::OpenMemory;

/// Threads that run jobs. They end with the JavaScript environment that made them.
#[napi]
pub struct Threads {
    pool: Arc<Pool>,
    restoring: OpenMemory,
}

/// How a layer is taken apart.
#[napi(object)]
pub struct IngestOptions {
    /// Of the layer's digest.
    #[napi(ts_type = "'sha256' | 'sha512'")]
    pub algorithm: String,
    /// Bytes that the layer's tar may have.
    pub tar_limit: Option<i64>,
    /// Whether the caller makes the layer again, as its proof.
    pub is_proven_later: Option<bool>,
    /// Path of the pack for the files that the control's questions find to be wanted: each is about ids,
    /// 32 bytes each, and the answer are positions among them, which ascend.
    pub pack: Option<String>,
}

#[napi]
impl Threads {
    /// At most `size` threads; as many as the machine can run at once when absent. Those in the background
    /// give way to all others.
    #[napi(constructor)]
    pub fn new(env: Env, size: Option<u32>, is_background: Option<bool>) -> Result<Self> {
        let size = size.and_then(|size| usize::try_from(size).ok());
        let size = size.unwrap_or_else(available_parallelism);
        let pool = Arc::new(Pool::new(size, is_background.unwrap_or(false)));
        // The addon's code may be unloaded after the environment has ended: no thread may be in it.
        env.add_env_cleanup_hook(Arc::clone(&pool), |pool| pool.close())?;
        Ok(Self {
            pool,
            restoring: OpenMemory::default(),
        })
    }

    /// Threads at most.
    #[napi(getter)]
    pub fn size(&self) -> u32 {
        u32::try_from(self.pool.size()).unwrap_or(u32::MAX)
    }

    /// Resolves with a [`crate::hash_file::FileDigest`]. `expected_size` is in bytes.
    #[napi(ts_return_type = "Promise<FileDigest>")]
    pub fn hash_file<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        file: Either<i32, String>,
        algorithm: String,
        expected_size: Option<i64>,
    ) -> Result<Object<'env>> {
        let job = HashFile {
            input: Input::new(file).map_err(|error| to_js_error(env, &error))?,
            algorithm: parse_algorithm(env, &algorithm)?,
            expected_size: expected_size.and_then(|size| u64::try_from(size).ok()),
        };
        job::start(env, &self.pool, control, |context| job.run(context))
    }

    /// Resolves with a [`crate::report::IngestedLayer`].
    #[napi(ts_return_type = "Promise<IngestedLayer>")]
    pub fn ingest<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        layer: Either<i32, String>,
        recipe: String,
        options: IngestOptions,
    ) -> Result<Object<'env>> {
        let job = IngestLayer {
            layer: Input::new(layer).map_err(|error| to_js_error(env, &error))?,
            algorithm: parse_algorithm(env, &options.algorithm)?,
            tar_limit: to_limit(options.tar_limit),
            proof: match options.is_proven_later {
                Some(true) => Proof::Later,
                _ => Proof::Now,
            },
            recipe,
            pack: options.pack,
            workers: self.pool.size(),
        };
        job::start(env, &self.pool, control, |context| {
            let (report, packed) = job.run(context)?;
            Ok(IngestedLayer::new(report, packed))
        })
    }

    /// Resolves with a [`PackedFiles`]. Each different file of the recipe is written once when `files`
    /// is absent.
    #[napi(ts_return_type = "Promise<PackedFiles>")]
    pub fn pack_files<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        layer: Either<i32, String>,
        recipe: Either<i32, String>,
        pack: String,
        files: Option<Uint32Array>,
    ) -> Result<Object<'env>> {
        let job = PackFiles {
            layer: Input::new(layer).map_err(|error| to_js_error(env, &error))?,
            recipe: Input::new(recipe).map_err(|error| to_js_error(env, &error))?,
            pack,
            files: files.map(|files| files.to_vec()),
        };
        job::start(env, &self.pool, control, |context| {
            job.run(context).map(PackedFiles::from)
        })
    }

    /// Resolves with a [`CheckedPack`]. `size`: bytes of the pack, all that there are when absent.
    #[napi(ts_return_type = "Promise<CheckedPack>")]
    pub fn check_pack<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        pack: Either<i32, String>,
        size: Option<i64>,
    ) -> Result<Object<'env>> {
        let job = CheckPack {
            pack: Input::new(pack).map_err(|error| to_js_error(env, &error))?,
            size: size.and_then(|size| u64::try_from(size).ok()),
        };
        job::start(env, &self.pool, control, |context| {
            job.run(context).map(CheckedPack::from)
        })
    }

    /// Resolves with the ids of a recipe's files, 32 bytes each.
    #[napi(ts_return_type = "Promise<Buffer>")]
    pub fn file_ids<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        recipe: Either<i32, String>,
    ) -> Result<Object<'env>> {
        self.read_recipe(env, control, recipe, |recipe, index| {
            let ids = read_file_ids(recipe, index)?;
            Ok(ids.iter().flat_map(|id| *id.as_bytes()).collect())
        })
    }

    /// Resolves with the sizes of a recipe's files, 8 bytes little-endian each.
    #[napi(ts_return_type = "Promise<Buffer>")]
    pub fn file_sizes<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        recipe: Either<i32, String>,
    ) -> Result<Object<'env>> {
        self.read_recipe(env, control, recipe, |recipe, index| {
            let map = TarMap::read(recipe, index)?;
            let sizes = map.files().map(|file| file.size.to_le_bytes());
            Ok(sizes.flatten().collect())
        })
    }

    /// Resolves with an [`OpenedRestoration`]. `places`: where each file of the recipe is, 16 bytes
    /// each.
    #[napi(ts_return_type = "Promise<OpenedRestoration>")]
    pub fn open_restoration<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        recipe: Either<i32, String>,
        packs: Vec<Either<i32, String>>,
        places: &[u8],
    ) -> Result<Object<'env>> {
        let packs: std::result::Result<_, _> = packs.into_iter().map(Input::new).collect();
        let job = OpenRestoration {
            recipe: Input::new(recipe).map_err(|error| to_js_error(env, &error))?,
            packs: packs.map_err(|error| to_js_error(env, &error))?,
            places: decode_places(places),
            memory: self.restoring.get(),
        };
        let pool = Arc::clone(&self.pool);
        job::start(env, &self.pool, control, |context| {
            let restoration = Arc::new(job.run(context)?);
            Ok(OpenedRestoration::new(restoration, pool))
        })
    }
}

impl Threads {
    /// Resolves with bytes that are worked out from a recipe.
    fn read_recipe<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        recipe: Either<i32, String>,
        read: impl FnOnce(&RecipeFile, &RecipeIndex) -> std::result::Result<Vec<u8>, SourceError>
        + Send
        + 'static,
    ) -> Result<Object<'env>> {
        let recipe = Input::new(recipe).map_err(|error| to_js_error(env, &error))?;
        job::start(env, &self.pool, control, |_| {
            let recipe = RecipeFile::new(recipe.open()?)?;
            let index = RecipeIndex::read(&recipe)?;
            Ok(Buffer::from(read(&recipe, &index)?))
        })
    }
}

/// What of a pack is whole.
#[napi(object)]
pub struct CheckedPack {
    /// Blocks that are whole.
    pub blocks: i64,
    /// Blocks that are not.
    pub damaged_blocks: i64,
    /// The first of these.
    pub damage: Option<PackDamage>,
    /// Ids of the files that are whole, 32 bytes each.
    pub ids: Buffer,
}

/// A block that is not whole.
#[napi(object)]
pub struct PackDamage {
    /// What is wrong, as the errors' codes.
    pub code: String,
    /// Where the block begins.
    pub offset: i64,
}

impl From<pack::CheckedPack> for CheckedPack {
    fn from(checked: pack::CheckedPack) -> Self {
        let ids = checked.files.iter().flat_map(|id| *id.as_bytes());
        Self {
            blocks: to_size(checked.blocks),
            damaged_blocks: to_size(checked.damaged_blocks),
            damage: checked.damage.map(|damage| PackDamage {
                code: damage.source.code().to_owned(),
                offset: to_size(damage.offset),
            }),
            ids: ids.collect::<Vec<u8>>().into(),
        }
    }
}

/// A limit in bytes; none when absent.
fn to_limit(limit: Option<i64>) -> u64 {
    limit
        .and_then(|limit| u64::try_from(limit).ok())
        .unwrap_or(u64::MAX)
}

fn available_parallelism() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
