//! The person behind the client, as far as this server can reach them.
//!
//! Here: what is asked and what may come back. Not here: how a client is asked (`elicit`), and when it is (`tools::writing`).

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

/// What a person is asked before something weighty is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What would be done, in a few words.
    pub title: String,
    /// What they have to see before they agree: lines in which a shop's words are cleaned and quoted.
    pub text: String,
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// They agree.
    Yes,
    /// They do not, or they closed the question.
    No,
    /// They cannot be asked, or said nothing. A preview takes the question's place.
    Silent,
    /// The client asks them once it has this call's answer, and then repeats the call.
    Later,
}

/// Whoever can be asked.
pub trait Person: Send + Sync {
    /// Asks. `token` is what a later repetition of the call has to bring back.
    fn ask<'a>(&'a self, question: &'a Question, token: &'a str) -> BoxFuture<'a, Decision>;

    /// Whether asking has a chance: their client says that it can ask, and has not shown otherwise.
    fn can_be_asked(&self) -> bool {
        false
    }

    /// What this call brings back from an earlier one that ended with [`Decision::Later`]: its token, and what they decided.
    fn brought(&self) -> Option<(&str, Decision)> {
        None
    }
}

/// There is nobody: a command line, a test, a resource.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Person for Nobody {
    fn ask<'a>(&'a self, _: &'a Question, _: &'a str) -> BoxFuture<'a, Decision> {
        ready(Decision::Silent).boxed()
    }
}
