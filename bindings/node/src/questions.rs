//! Asks JavaScript while a job runs, one question at a time.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use napi::bindgen_prelude::{Buffer, FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Result, Status};

use crate::job::{JobContext, JobError};

/// The question's number and what it is about.
pub(crate) type Question = FnArgs<(u32, Buffer)>;

/// Weak: the promise keeps the process alive, not the question.
type Call = ThreadsafeFunction<(u32, Vec<u8>), (), Question, Status, false, true>;

/// That a job should end is a flag: who waits for an answer looks at it so often.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// A job's side.
pub(crate) struct Questions {
    call: Call,
    answers: Receiver<Answer>,
    /// How many were asked; the last one's number.
    count: u32,
}

/// JavaScript's side.
pub(crate) struct Answers(Sender<Answer>);

struct Answer {
    question: u32,
    wanted: Vec<u32>,
}

impl Questions {
    pub(crate) fn new(act: &Function<'_, Question, ()>) -> Result<(Self, Answers)> {
        let builder = act.build_threadsafe_function::<(u32, Vec<u8>)>();
        let call = builder.weak::<true>().build_callback(|context| {
            let (question, about): (u32, Vec<u8>) = context.value;
            Ok(FnArgs::from((question, Buffer::from(about))))
        })?;
        let (sender, answers) = channel();
        let questions = Self {
            call,
            answers,
            count: 0,
        };
        Ok((questions, Answers(sender)))
    }

    /// Asks. The answer to an earlier question counts no longer.
    pub(crate) fn ask(&mut self, about: Vec<u8>) {
        self.count = self.count.wrapping_add(1);
        let mode = ThreadsafeFunctionCallMode::NonBlocking;
        self.call.call((self.count, about), mode);
    }

    /// The answer to the last question, if it has come.
    pub(crate) fn answer(&self) -> Option<Vec<u32>> {
        let mut answers = self.answers.try_iter();
        let answer = answers.find(|answer| answer.question == self.count)?;
        Some(answer.wanted)
    }

    /// Waits for the answer to the last question.
    ///
    /// # Errors
    /// [`JobError::Canceled`] when the job should end, or nobody can answer any more.
    pub(crate) fn wait(&self, context: &JobContext) -> std::result::Result<Vec<u32>, JobError> {
        loop {
            context.check()?;
            match self.answers.recv_timeout(CHECK_INTERVAL) {
                Ok(answer) if answer.question == self.count => return Ok(answer.wanted),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(JobError::Canceled),
            }
        }
    }
}

impl Answers {
    /// Without effect when the job has ended.
    pub(crate) fn give(&self, question: u32, wanted: Vec<u32>) {
        drop(self.0.send(Answer { question, wanted }));
    }
}
