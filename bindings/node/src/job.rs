//! Work that runs on a thread while JavaScript holds a promise.
//!
//! A job owns its inputs, asks its context now and then whether to go on, and gives a value that is
//! converted on JavaScript's thread. Its promise settles once the thread has let go of everything:
//! then files may be removed. A job that is canceled before a thread took it settles at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mica_core::error::CoreError;
use napi::bindgen_prelude::{Function, Object, ToNapiValue, Uint32Array};
use napi::{Env, JsDeferred, Result};
use napi_derive::napi;

use crate::cancel::CancelToken;
use crate::error::{plain_js_error, to_js_error};
use crate::pool::{Due, Pool};
use crate::progress::Progress;
use crate::questions::{Answers, Question, Questions};

/// Why a job gave no value.
pub(crate) enum JobError {
    /// Nobody wants the value any more.
    Canceled,
    /// A defect of the core; the message is the panic's.
    Panicked(String),
    /// No thread could be started.
    NoThread(std::io::Error),
    /// The job's own error.
    Failed(Box<dyn CoreError + Send>),
}

impl<E: CoreError + Send + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl JobError {
    fn to_js(&self, env: &Env) -> napi::Error {
        match self {
            Self::Canceled => plain_js_error(env, "CANCELED", "the job was canceled".to_owned()),
            Self::Panicked(message) => {
                plain_js_error(env, "PANIC", format!("the core panicked: {message}"))
            }
            Self::NoThread(error) => {
                plain_js_error(env, "NO_THREAD", format!("cannot start a thread: {error}"))
            }
            Self::Failed(error) => to_js_error(env, error.as_ref()),
        }
    }
}

/// JavaScript's hold on one job: cancels it, hears of its progress, and answers its questions.
#[napi]
pub struct JobControl {
    token: CancelToken,
    progress: Mutex<Option<Progress>>,
    questions: Mutex<Option<Questions>>,
    answers: Option<Answers>,
}

#[napi]
impl JobControl {
    /// `on_progress` is given the bytes done so far; it may miss some values, and hears none after
    /// the job has ended. `on_question` is given a question's number and what it is about.
    #[napi(constructor)]
    pub fn new(
        on_progress: Option<Function<'_, i64, ()>>,
        on_question: Option<Function<'_, Question, ()>>,
    ) -> Result<Self> {
        let questions = on_question.map(|act| Questions::new(&act)).transpose()?;
        let (questions, answers) = questions.unzip();
        Ok(Self {
            token: CancelToken::default(),
            progress: Mutex::new(on_progress.map(|act| Progress::new(&act)).transpose()?),
            questions: Mutex::new(questions),
            answers,
        })
    }

    /// Answers the question of that number, with what is wanted of what it is about. Without effect if
    /// it is not the last one.
    #[napi]
    pub fn answer(&self, question: u32, wanted: Uint32Array) {
        if let Some(answers) = &self.answers {
            answers.give(question, wanted.to_vec());
        }
    }

    /// Ends the job soon. Without effect on one that has ended.
    #[napi]
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// What the job is given. The functions are moved there, as they may refer to this object: kept
    /// here, none would ever be freed.
    fn open_context(&self, pool: &Pool) -> JobContext {
        JobContext {
            token: self.token.clone(),
            closing: pool.closing(),
            progress: take(&self.progress),
            questions: Mutex::new(take(&self.questions)),
        }
    }
}

/// What a running job knows of those who wait for it.
pub(crate) struct JobContext {
    token: CancelToken,
    closing: Arc<AtomicBool>,
    progress: Option<Progress>,
    questions: Mutex<Option<Questions>>,
}

impl JobContext {
    /// To be asked between pieces of work of a few milliseconds.
    ///
    /// # Errors
    /// [`JobError::Canceled`] when the job should end.
    pub(crate) fn check(&self) -> std::result::Result<(), JobError> {
        if self.token.is_canceled() || self.closing.load(Ordering::Relaxed) {
            return Err(JobError::Canceled);
        }
        Ok(())
    }

    /// Says how many bytes are done; cheap enough for every piece.
    pub(crate) fn progress(&self, done: u64) {
        if let Some(progress) = &self.progress {
            progress.report(done);
        }
    }

    /// What the job may ask; once, and nothing if JavaScript does not listen.
    pub(crate) fn questions(&self) -> Option<Questions> {
        take(&self.questions)
    }
}

/// Makes a job's outcome a value or an error, on JavaScript's thread.
type Settle<T> = Box<dyn FnOnce(Env) -> Result<T> + Send>;

/// A job that no thread has taken. Whoever takes it has to settle it: a promise that is never settled
/// would keep the process alive.
struct Waiting<T: ToNapiValue, F> {
    run: F,
    context: JobContext,
    deferred: JsDeferred<T, Settle<T>>,
}

/// The place where the thread and the canceler look for the job; the first one has it.
type Slot<T, F> = Arc<Mutex<Option<Waiting<T, F>>>>;

/// Queues a job and gives its promise. `control` serves one job only.
///
/// # Errors
/// JavaScript's own, when it cannot make a promise.
pub(crate) fn start<'env, T, F>(
    env: &'env Env,
    pool: &Pool,
    control: &JobControl,
    run: F,
) -> Result<Object<'env>>
where
    T: ToNapiValue + Send + 'static,
    F: FnOnce(&JobContext) -> std::result::Result<T, JobError> + Send + 'static,
{
    start_due(env, (pool, Due::default()), control, run)
}

/// Does as [`start`] for a job that may wait for others that are due before.
///
/// # Errors
/// As [`start`].
pub(crate) fn start_due<'env, T, F>(
    env: &'env Env,
    (pool, due): (&Pool, Due),
    control: &JobControl,
    run: F,
) -> Result<Object<'env>>
where
    T: ToNapiValue + Send + 'static,
    F: FnOnce(&JobContext) -> std::result::Result<T, JobError> + Send + 'static,
{
    let context = control.open_context(pool);
    let (deferred, promise) = env.create_deferred()?;
    let waiting = Waiting {
        run,
        context,
        deferred,
    };
    let slot: Slot<T, F> = Arc::new(Mutex::new(Some(waiting)));
    let queued = Arc::clone(&slot);
    if let Err(error) = pool.submit(due, Box::new(move || run_waiting(&queued))) {
        end_waiting(&slot, JobError::NoThread(error));
    }
    control
        .token
        .on_cancel(move || end_waiting(&slot, JobError::Canceled));
    Ok(promise)
}

fn run_waiting<T, F>(slot: &Slot<T, F>)
where
    T: ToNapiValue + Send + 'static,
    F: FnOnce(&JobContext) -> std::result::Result<T, JobError>,
{
    let Some(waiting) = take(slot) else { return };
    let Waiting {
        run,
        context,
        deferred,
    } = waiting;
    let outcome = catch_unwind(AssertUnwindSafe(move || run(&context)))
        .unwrap_or_else(|payload| Err(JobError::Panicked(panic_message(payload.as_ref()))));
    settle(deferred, outcome);
}

fn end_waiting<T, F>(slot: &Slot<T, F>, error: JobError)
where
    T: ToNapiValue + Send + 'static,
{
    if let Some(Waiting { deferred, .. }) = take(slot) {
        settle(deferred, Err(error));
    }
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn settle<T>(deferred: JsDeferred<T, Settle<T>>, outcome: std::result::Result<T, JobError>)
where
    T: ToNapiValue + Send + 'static,
{
    deferred.resolve(Box::new(move |env| {
        outcome.map_err(|error| error.to_js(&env))
    }));
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
