//! Whether a recipe takes a message for done by what the receiver said when it only took it.

use std::collections::BTreeMap;

use super::{Wanted, answer};
use crate::adapter::{
    Headers, Hopes, Response,
    recipe::{
        CompiledRecipe, Facts, Scene,
        judge::Answer,
        specimen::{sample, sample_of},
    },
};

/// What a parameter stands for that no channel has filled in.
const PARAMETER: &str = "1";

/// What the receiver may call what it took.
const REFERENCE: &str = "7301460";

impl CompiledRecipe {
    /// Whether an answer with all that `accepted` asks for has all that `confirm.confirmed` asks for, but for the status: then being
    /// taken is told as being done. `false` where no such answer can be thought of.
    #[must_use]
    pub fn confirms_what_it_accepts(&self) -> bool {
        self.is_confirmed_by_acceptance().unwrap_or(false)
    }

    fn is_confirmed_by_acceptance(&self) -> Option<bool> {
        let confirmed = &self.confirm.as_ref()?.confirmed;
        let with: BTreeMap<String, String> = self
            .parameters
            .iter()
            .map(|(name, default)| {
                let value = default.clone().unwrap_or_else(|| PARAMETER.to_owned());
                (name.clone(), value)
            })
            .collect();
        let (facts, message) = (Facts::new("sample", "Sample", &with), sample());
        let mut scene = Scene::new(self, &facts, Some(&message));
        for step in &self.steps {
            scene.know_step(&step.name, sample_of(&step.take));
        }
        let wanted = Wanted {
            receipt: self.receipt.as_ref(),
            ..Wanted::of(&self.accepted)
        };
        let hopes = Hopes {
            is_there: false,
            given: "",
            receipt: Some(REFERENCE),
        };
        let hoped = answer(wanted, &scene, hopes)?;
        let headers = hoped
            .headers
            .iter()
            .map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
        let response = Response {
            // What is asked for afterwards is answered with a status of its own.
            status: confirmed.status.first().map_or(200, |range| range.low),
            headers: headers.collect::<Option<Headers>>()?,
            body: hoped.body,
            retry_after: None,
        };
        let answer = Answer::new(&response);
        let receipt = self.receipt.as_ref().and_then(|take| take.from(&answer));
        scene.know("receipt", receipt.unwrap_or_else(|| REFERENCE.into()));
        confirmed.holds(&answer, &scene).ok()
    }
}
