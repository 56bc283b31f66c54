//! `find`: the question whether it is there already, through as many pages as its list has.

use serde_json::{Map, Value};

use super::{
    RecipeAdapter, RecipeProblem, Scene,
    judge::{Answer, Condition, Take, take_all},
    links, parts,
    replay::{Halt, Manner},
    text::{Reading, Text},
};
use crate::{
    adapter::{
        Adapter as _, Exchange, Failure, classify,
        course::Course,
        quote,
        transport::{Address, Astray},
    },
    domain::{delivery::Reason, detail::Detail, recipe},
};

/// How much of a foreign host's name is told, in letters.
const LONGEST_HOST: usize = 100;

/// A list that comes in pages, read.
#[derive(Debug)]
pub(super) struct Pages {
    turn: Turn,
    /// How many are looked through at most.
    most: u16,
}

/// How a page is turned, read.
#[derive(Debug)]
enum Turn {
    /// After such an answer, by its number.
    Number(Box<Condition>),
    Address(Next),
}

/// Where the address of the next page is, read.
#[derive(Debug)]
struct Next {
    take: Take,
    rel: Option<String>,
}

impl Pages {
    pub(super) fn read(reading: &mut Reading, path: &str, pages: &recipe::Pages) -> Option<Self> {
        let turn = match &pages.turn {
            recipe::Turn::Number(more) => {
                let more = Condition::read_success(reading, &format!("{path}.more"), more);
                Turn::Number(Box::new(more))
            }
            recipe::Turn::Address(next) => Turn::Address(Next {
                take: Take::read(reading, &format!("{path}.next"), &next.take)?,
                rel: next.rel.clone(),
            }),
        };
        Some(Self {
            turn,
            most: pages.most,
        })
    }

    /// Every text in it, for trials.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        let more = match &self.turn {
            Turn::Number(more) => Some(more),
            Turn::Address(_) => None,
        };
        more.into_iter().flat_map(|more| more.texts())
    }
}

impl Next {
    /// The link to the next page as the answer gives it, which may be no text; `None` where it gives none.
    fn given(&self, answer: &Answer<'_>) -> Option<Result<String, Astray>> {
        let value = match (&self.take, &self.rel) {
            (Take::Header(name), Some(rel)) => {
                let headers: Vec<_> = answer.response.headers.each(name).collect();
                let mut links = headers.iter().map(|header| links::with(header, rel));
                Value::String(links.find_map(|link| link)?)
            }
            (take, _) => take.from(answer)?,
        };
        match value {
            Value::Null | Value::Bool(false) => None,
            Value::String(text) => {
                let text = text.trim();
                (!text.is_empty()).then(|| Ok(text.to_owned()))
            }
            _ => Some(Err(Astray::Nowhere)),
        }
    }
}

/// What `find` found out.
enum Asked {
    Found(Map<String, Value>),
    Absent,
    /// Not on this page; the next one is at this address, if it does not go by its number.
    More(Option<Address>),
    Failed(Failure),
}

impl RecipeAdapter {
    /// What is there already; `None` where nothing is.
    pub(super) fn find(
        &self,
        find: &parts::Question,
        scene: &Scene<'_>,
        done: &mut Course<'_>,
    ) -> Result<Option<Map<String, Value>>, Halt> {
        let most = find.pages.as_ref().map_or(1, |pages| pages.most);
        let mut address: Option<Address> = None;
        let mut asked = Vec::new();
        for page in 1..=most {
            let scene = scene.and("page", Value::from(page));
            let manner = Manner {
                is_private: find.is_private,
                address: address.as_ref(),
                ..Manner::default()
            };
            let exchange = self.call(&find.call, &scene, done, &manner)?;
            let failed = |failure| Err(self.failed(&find.call, exchange, failure, &scene));
            asked.push(exchange.request.url.bare());
            match self.answered(find, exchange, &scene)? {
                Asked::Found(found) => return Ok(Some(found)),
                Asked::Absent => return Ok(None),
                Asked::More(None) => {}
                // Whatever stands on the pages that nobody came to could be ours.
                Asked::More(Some(next)) if asked.contains(&next.bare()) => {
                    let detail = Detail::new("call-next-again").with("page", page);
                    return failed(Failure::retry(Reason::Unexpected, detail));
                }
                Asked::More(next) => address = next,
                Asked::Failed(failure) => return failed(failure),
            }
        }
        let detail = Detail::new("call-pages").with("most", most);
        Err(Halt::Failed(Failure::reject(Reason::Unexpected, detail)))
    }

    fn answered(
        &self,
        find: &parts::Question,
        exchange: &Exchange,
        scene: &Scene<'_>,
    ) -> Result<Asked, RecipeProblem> {
        let Ok(response) = &exchange.result else {
            let failure = classify(exchange);
            // Before a step's question, steps that change something may have been made.
            let own = self.recipe.find.as_ref();
            return Ok(Asked::Failed(
                if own.is_some_and(|own| std::ptr::eq(own, find)) {
                    failure.without_effect()
                } else {
                    failure.of_step()
                },
            ));
        };
        let answer = Answer::new(response);
        let found = match &find.list {
            None => find.found.holds(&answer, scene)?.then_some(None),
            Some(list) => {
                let items = answer.at(list).and_then(Value::as_array);
                let items = items.into_iter().flatten();
                let ours = find.found.first_of(items, &answer, scene)?;
                ours.map(|item| Some(answer.item(item)))
            }
        };
        if let Some(item) = found {
            if let Some(failure) = self.overruled(&find.found, &answer, scene, &[])? {
                return Ok(Asked::Failed(failure.without_effect()));
            }
            let taken = take_all(&find.take, item.as_ref().unwrap_or(&answer));
            return Ok(match taken {
                Ok(found) => Asked::Found(found),
                Err(place) => {
                    let detail = Detail::new("call-no-field").with("pointer", place);
                    Asked::Failed(Failure::retry(Reason::Unexpected, detail))
                }
            });
        }
        if let Some(asked) = self.turned(find, exchange, &answer, scene)? {
            return Ok(asked);
        }
        if find.absent.holds(&answer, scene)? {
            let overruled = self.overruled(&find.absent, &answer, scene, &[])?;
            return Ok(overruled.map_or(Asked::Absent, |failure| {
                Asked::Failed(failure.without_effect())
            }));
        }
        self.neither(exchange, &answer, scene)
    }

    /// What an answer says of other pages; `None` where it is the last one, or no answer of a list in pages.
    fn turned(
        &self,
        find: &parts::Question,
        exchange: &Exchange,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
    ) -> Result<Option<Asked>, RecipeProblem> {
        let next = match find.pages.as_ref().map(|pages| &pages.turn) {
            None => return Ok(None),
            Some(Turn::Number(more)) => {
                let is_more = more.holds(answer, scene)?;
                return Ok(is_more.then_some(Asked::More(None)));
            }
            Some(Turn::Address(next)) => next,
        };
        let given = next.given(answer).filter(|_| answer.response.is_success());
        let Some(given) = given else {
            return Ok(None);
        };
        let is_page = |list: &String| answer.at(list).is_some_and(Value::is_array);
        if !find.list.as_ref().is_none_or(is_page) {
            return self.neither(exchange, answer, scene).map(Some);
        }
        if let Some(failure) = self.overruled(&find.absent, answer, scene, &[])? {
            return Ok(Some(Asked::Failed(failure.without_effect())));
        }
        let followed = given.and_then(|link| exchange.request.url.follow(&link));
        Ok(Some(match followed {
            Ok(address) => Asked::More(Some(address)),
            Err(astray) => {
                let detail = match astray {
                    Astray::Nowhere => Detail::new("call-next-nowhere"),
                    Astray::Elsewhere(host) => Detail::new("call-next-elsewhere")
                        .with("host", quote(&host, self.secrets(), LONGEST_HOST)),
                };
                Asked::Failed(Failure::reject(Reason::Unexpected, detail))
            }
        }))
    }

    /// What comes of an answer that says neither yes nor no.
    fn neither(
        &self,
        exchange: &Exchange,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
    ) -> Result<Asked, RecipeProblem> {
        let detail = Detail::new("call-neither").with("status", answer.response.status);
        let failure = self.refused(exchange, answer, scene, &[], detail)?;
        Ok(Asked::Failed(failure.without_effect()))
    }
}
