//! Recipes: that they can act.

use crate::source::{raw::recipe::RawRecipe, reader::Notebook};

pub(super) fn check(_notebook: &Notebook, _recipes: &[RawRecipe]) {}
