//! Runs a model over a segment: once to find where it is wrong, and, knowing that, to find the tokens.

use super::corrections::{Change, Correction, MAX_PLACES};
use super::error::ReplayError;
use super::places::{match_of, number_of};
use crate::deflate::{MIN_MATCH, Token, TokenKind};
use crate::model::Model;

/// A block, or the part of one that is in the segment, as far as a model is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// A compressed block of so many bytes of plain text.
    Tokens {
        /// Bytes of plain text.
        length: usize,
    },
    /// A stored block. An empty one is a flush.
    Stored {
        /// Bytes of plain text.
        length: usize,
    },
}

impl Stretch {
    /// Bytes of plain text.
    pub const fn length(self) -> usize {
        match self {
            Self::Tokens { length } | Self::Stored { length } => length,
        }
    }

    /// Whether it is how compressors end a flush (`Z_SYNC_FLUSH` of zlib, `Flush` of Go).
    pub const fn is_flush(self) -> bool {
        matches!(self, Self::Stored { length: 0 })
    }
}

/// A segment's plain text, and where it stands in its stream.
#[derive(Clone, Copy, Debug)]
pub struct SegmentText<'a> {
    /// Bytes before the segment, as many as [its model](crate::model::Compressor::context_size) is given,
    /// then its own.
    pub text: &'a [u8],
    /// Where its own bytes begin in `text`.
    pub start: usize,
    /// Bytes between the last flush, or the beginning of the stream, and the segment.
    pub since_flush: u64,
}

/// How corrections tell matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchForm {
    /// By length and distance: found fast.
    Distance {
        /// Corrections at most; more are an error.
        most: usize,
    },
    /// By the number of their place where they have one: takes fewer bytes.
    Place,
}

impl MatchForm {
    /// Corrections at most.
    const fn most(self) -> usize {
        match self {
            Self::Distance { most } => most,
            Self::Place => usize::MAX,
        }
    }
}

/// Finds where the model is wrong. `stretches` cover the segment's text in order; `tokens` are those
/// of its compressed blocks, one after the other.
///
/// # Errors
/// If stretches, tokens and text do not fit together, or the form allows fewer corrections.
pub fn find_corrections<M: Model>(
    model: &mut M,
    segment: SegmentText<'_>,
    stretches: &[Stretch],
    mut tokens: &[Token],
    form: MatchForm,
) -> Result<Vec<Correction>, ReplayError> {
    let text = segment.text;
    let mut found = Found::new(form);
    let mut names = MatchNames::new(form);
    let mut literals = LiteralRun::new();
    walk(
        model,
        segment,
        stretches,
        |model, index, mut position, end| {
            if let Stretch::Stored { length } = stretches[index] {
                skip(model, text, position, length);
                position = end;
            }
            while position < end {
                let ahead = model.literals_ahead(position).min(end - position);
                if ahead > 0 {
                    let right = count_literals(tokens, &text[position..position + ahead]);
                    found.gap += right;
                    position += right as usize;
                    tokens = &tokens[right as usize..];
                    if position == end {
                        break;
                    }
                }
                let Some((&actual, rest)) = tokens.split_first() else {
                    return Err(ReplayError::TokensEnd { position });
                };
                if model.predict(text, position) == actual {
                    model.advance(text, position, actual);
                    found.gap += 1;
                    position += actual.length();
                    tokens = rest;
                    continue;
                }
                let portion = literal_portion(model, position, end);
                let change = if portion > position && literals.count(tokens) >= portion - position {
                    model.skip(text, position, portion - position);
                    tokens = &tokens[portion - position..];
                    position = portion;
                    Change::LiteralPortion
                } else {
                    let change = names.change_to(actual, text, position, end);
                    model.advance(text, position, actual);
                    tokens = rest;
                    position += actual.length();
                    change
                };
                found.push(change, position)?;
            }
            if position == end {
                return Ok(());
            }
            Err(ReplayError::Overrun { position, end })
        },
    )?;
    Ok(found.corrections)
}

/// Corrections that were found.
struct Found {
    corrections: Vec<Correction>,
    /// Right predictions since the last one.
    gap: u32,
    most: usize,
}

impl Found {
    const fn new(form: MatchForm) -> Self {
        Self {
            corrections: Vec::new(),
            gap: 0,
            most: form.most(),
        }
    }

    /// `position`: behind what the correction is for.
    fn push(&mut self, change: Change, position: usize) -> Result<(), ReplayError> {
        let most = self.most;
        if self.corrections.len() >= most {
            return Err(ReplayError::TooMany { position, most });
        }
        let gap = std::mem::take(&mut self.gap);
        self.corrections.push(Correction { gap, change });
        Ok(())
    }
}

/// Tells matches by their place, as long as it may.
struct MatchNames {
    places_left: usize,
}

impl MatchNames {
    const fn new(form: MatchForm) -> Self {
        let places_left = match form {
            MatchForm::Distance { .. } => 0,
            MatchForm::Place => MAX_PLACES,
        };
        Self { places_left }
    }

    /// What tells that `token` stands at `position` of a block that ends at `end`.
    fn change_to(&mut self, token: Token, text: &[u8], position: usize, end: usize) -> Change {
        let number = match token.kind() {
            TokenKind::Match { length, distance } if self.places_left > 0 => {
                number_of(text, position, end, (length, distance))
            }
            _ => None,
        };
        let Some(number) = number else {
            return Change::of(token);
        };
        self.places_left -= 1;
        Change::Place { number }
    }
}

/// How many of the first tokens are the literals of `plain`.
#[inline]
fn count_literals(tokens: &[Token], plain: &[u8]) -> u32 {
    let mut count = 0;
    for (token, &byte) in tokens.iter().zip(plain) {
        if *token != Token::literal(byte) {
            break;
        }
        count += 1;
    }
    count
}

/// The literals before the next match. Looks at every token once, however often it is asked.
struct LiteralRun {
    /// Tokens left where the match is the next one; 0 if there is none any more.
    match_left: usize,
}

impl LiteralRun {
    const fn new() -> Self {
        Self {
            match_left: usize::MAX,
        }
    }

    /// How many of the tokens left are literals before the first match.
    fn count(&mut self, tokens: &[Token]) -> usize {
        if tokens.len() < self.match_left {
            let literals = tokens.iter().take_while(|token| !token.is_match()).count();
            self.match_left = tokens.len() - literals;
        }
        tokens.len() - self.match_left
    }
}

/// A block of which all is known again.
#[derive(Clone, Copy, Debug)]
pub struct FoundBlock<'a> {
    /// Which stretch it is.
    pub index: usize,
    /// Its tokens; none if it is stored.
    pub tokens: &'a [Token],
    /// Its plain text.
    pub plain: &'a [u8],
}

/// Finds the tokens of a segment's blocks: what the model predicts, corrected. Each block is given to
/// `take_block`, in order, the stored ones too.
///
/// # Errors
/// If stretches and corrections do not fit the text, or what `take_block` says.
pub fn find_tokens<M: Model, E: From<ReplayError>>(
    model: &mut M,
    segment: SegmentText<'_>,
    stretches: &[Stretch],
    corrections: &[Correction],
    mut take_block: impl FnMut(FoundBlock<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let text = segment.text;
    let mut changes = Changes::new(corrections);
    let mut tokens = Vec::new();
    walk(
        model,
        segment,
        stretches,
        |model, index, mut position, end| {
            let plain = &text[position..end];
            tokens.clear();
            if let Stretch::Stored { length } = stretches[index] {
                skip(model, text, position, length);
                position = end;
            }
            while position < end {
                let ahead = model.literals_ahead(position).min(end - position);
                let right = changes.skip(ahead);
                if right > 0 {
                    push_literals(&mut tokens, &text[position..position + right]);
                    position += right;
                    if position == end {
                        break;
                    }
                }
                let predicted = model.predict(text, position);
                let token = match changes.next() {
                    None => predicted,
                    Some(Change::Literal) => Token::literal(text[position]),
                    Some(Change::Match { length, distance }) => Token::matched(length, distance),
                    Some(Change::Place { number }) => place_token(text, position, end, number)?,
                    Some(Change::LiteralPortion) => {
                        let portion = literal_portion(model, position, end);
                        if portion == position {
                            return Err(ReplayError::NoPortion { position }.into());
                        }
                        model.skip(text, position, portion - position);
                        push_literals(&mut tokens, &text[position..portion]);
                        position = portion;
                        continue;
                    }
                };
                check(token, text, position, end)?;
                model.advance(text, position, token);
                tokens.push(token);
                position += token.length();
            }
            let tokens = &tokens;
            take_block(FoundBlock {
                index,
                tokens,
                plain,
            })
        },
    )?;
    match changes.next {
        None => Ok(()),
        Some(_) => Err(ReplayError::CorrectionsLeft.into()),
    }
}

fn push_literals(tokens: &mut Vec<Token>, plain: &[u8]) {
    tokens.extend(plain.iter().copied().map(Token::literal));
}

/// The longest match with the place of this number.
fn place_token(
    text: &[u8],
    position: usize,
    end: usize,
    number: u16,
) -> Result<Token, ReplayError> {
    let (length, distance) =
        match_of(text, position, end, number).ok_or(ReplayError::NoPlace { position, number })?;
    Ok(Token::matched(length, distance))
}

/// Gives out corrections where their gaps end.
struct Changes<'a> {
    corrections: std::slice::Iter<'a, Correction>,
    next: Option<&'a Correction>,
    gap: u32,
}

impl<'a> Changes<'a> {
    fn new(corrections: &'a [Correction]) -> Self {
        let mut changes = Self {
            corrections: corrections.iter(),
            next: None,
            gap: 0,
        };
        changes.go_on();
        changes
    }

    fn go_on(&mut self) {
        self.next = self.corrections.next();
        self.gap = self.next.map_or(u32::MAX, |correction| correction.gap);
    }

    /// Goes over the next predictions, `most` at most, as long as they are right. Gives their number.
    #[inline]
    fn skip(&mut self, most: usize) -> usize {
        let right = u32::try_from(most).unwrap_or(u32::MAX).min(self.gap);
        self.gap -= right;
        right as usize
    }

    /// What stands in place of the next prediction, if that is wrong.
    #[inline]
    fn next(&mut self) -> Option<Change> {
        if self.gap > 0 {
            self.gap -= 1;
            return None;
        }
        let change = self.next.map(|correction| correction.change);
        self.go_on();
        change
    }
}

/// Calls `take_block` with index, position and end of every stretch, and tells the model of flushes.
fn walk<M: Model, E: From<ReplayError>>(
    model: &mut M,
    segment: SegmentText<'_>,
    stretches: &[Stretch],
    mut take_block: impl FnMut(&mut M, usize, usize, usize) -> Result<(), E>,
) -> Result<(), E> {
    let SegmentText {
        text,
        start,
        mut since_flush,
    } = segment;
    let mut has_begun = false;
    let mut position = start;
    for (index, stretch) in stretches.iter().enumerate() {
        let end = position.saturating_add(stretch.length());
        if end > text.len() {
            return Err(ReplayError::TextEnds { position, end }.into());
        }
        if stretch.is_flush() {
            if has_begun {
                let input_end = input_end(position, &stretches[index + 1..]);
                model.flush(text, position, input_end.min(text.len()));
            }
            since_flush = 0;
        } else if !has_begun {
            let input_end = input_end(position, &stretches[index..]);
            model.begin(text, start, since_flush, input_end.min(text.len()));
            has_begun = true;
        }
        take_block(model, index, position, end)?;
        position = end;
    }
    if position == text.len() {
        return Ok(());
    }
    Err(ReplayError::TextLeft {
        position,
        end: text.len(),
    }
    .into())
}

/// Goes over a stored block; a model may not have begun before an empty one.
fn skip<M: Model>(model: &mut M, text: &[u8], position: usize, length: usize) {
    if length > 0 {
        model.skip(text, position, length);
    }
}

/// Where the input of the compressor ended that is to write `stretches` from `position` on.
fn input_end(position: usize, stretches: &[Stretch]) -> usize {
    stretches
        .iter()
        .take_while(|stretch| !stretch.is_flush())
        .fold(position, |end, stretch| {
            end.saturating_add(stretch.length())
        })
}

/// Where the portion of input ends that `position` is in, but not after the block's `end`.
fn literal_portion<M: Model>(model: &M, position: usize, end: usize) -> usize {
    model
        .portion_end(position)
        .map_or(position, |portion| portion.min(end).max(position))
}

/// Whether the token gives the text at `position`. A model's own predictions are trusted to be
/// matches: what comes of it is compared at ingest, and hashed at restore.
fn check(token: Token, text: &[u8], position: usize, end: usize) -> Result<(), ReplayError> {
    let is_possible = match token.kind() {
        TokenKind::Literal(byte) => text.get(position) == Some(&byte),
        TokenKind::Match { length, distance } => {
            usize::from(length) <= end - position
                && length >= MIN_MATCH
                && usize::from(distance) <= position
                && distance > 0
        }
    };
    if is_possible {
        return Ok(());
    }
    Err(ReplayError::WrongToken { position, token })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn literal_run_counts_the_literals_before_the_next_match(
            matches in prop::collection::vec(prop::bool::weighted(0.2), 0..60),
            steps in prop::collection::vec(0_usize..9, 0..40),
        ) {
            let token = |is_match| if is_match { Token::matched(3, 1) } else { Token::literal(0) };
            let tokens: Vec<Token> = matches.into_iter().map(token).collect();
            let (mut run, mut rest) = (LiteralRun::new(), &tokens[..]);
            for step in steps {
                let plain = rest.iter().take_while(|token| !token.is_match()).count();
                prop_assert_eq!(run.count(rest), plain);
                rest = &rest[step.min(rest.len())..];
            }
        }
    }
}
