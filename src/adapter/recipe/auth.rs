//! How a recipe's requests prove who is calling.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    RecipeProblem, Scene,
    text::{Reading, Text},
};
use crate::{
    adapter::{Exchange, Request, digest::Caller},
    domain::recipe,
};

/// How requests prove who is calling, read.
#[derive(Debug)]
pub(super) enum Auth {
    Basic { user: Text, password: Text },
    Bearer(Text),
    Digest { user: Text, password: Text },
}

impl Auth {
    pub(super) fn read(reading: &mut Reading, auth: &recipe::Auth) -> Self {
        let mut text = |path: &str, text: &str| reading.text(&format!("auth.{path}"), text);
        match auth {
            recipe::Auth::Basic { user, password } => Self::Basic {
                user: text("basic.user", user),
                password: text("basic.password", password),
            },
            recipe::Auth::Bearer(token) => Self::Bearer(text("bearer", token)),
            recipe::Auth::Digest { user, password } => Self::Digest {
                user: text("digest.user", user),
                password: text("digest.password", password),
            },
        }
    }

    /// Every text in it.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        let (one, other) = match self {
            Self::Basic { user, password } | Self::Digest { user, password } => {
                (user, Some(password))
            }
            Self::Bearer(token) => (token, None),
        };
        std::iter::once(one).chain(other)
    }

    /// What a request carries from the start, as the value of `Authorization`.
    pub(super) fn value(&self, scene: &Scene<'_>) -> Result<Option<String>, RecipeProblem> {
        Ok(match self {
            Self::Basic { user, password } => {
                let pair = format!("{}:{}", scene.text(user)?, scene.text(password)?);
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
            Self::Bearer(token) => Some(format!("Bearer {}", scene.text(token)?)),
            Self::Digest { .. } => None,
        })
    }

    /// Lets a request carry a digest where its host has asked for one before in this attempt.
    pub(super) fn go_ahead(
        &self,
        request: &mut Request,
        past: &[Exchange],
        scene: &Scene<'_>,
    ) -> Result<(), RecipeProblem> {
        if !past.is_empty() {
            self.as_caller(scene, |caller| caller.go_ahead(request, past))?;
        }
        Ok(())
    }

    /// The last request of `past` again with the answer to its challenge; `None` where there is nothing to answer. `turn`
    /// counts the answers of this call from 1.
    pub(super) fn answer(
        &self,
        past: &[Exchange],
        scene: &Scene<'_>,
        turn: usize,
    ) -> Result<Option<Request>, RecipeProblem> {
        let answer = self.as_caller(scene, |caller| caller.answer(past, turn))?;
        Ok(answer.flatten())
    }

    fn as_caller<T>(
        &self,
        scene: &Scene<'_>,
        then: impl FnOnce(Caller<'_>) -> T,
    ) -> Result<Option<T>, RecipeProblem> {
        let Self::Digest { user, password } = self else {
            return Ok(None);
        };
        let (user, password) = (scene.text(user)?, scene.text(password)?);
        Ok(Some(then(Caller {
            user: &user,
            password: &password,
            message: scene.message(),
        })))
    }
}
