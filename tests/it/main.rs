mod support;
mod web;
