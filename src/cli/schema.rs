//! `loa schema`: JSON Schemas of the files that people edit, for editors that complete and check while one writes.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    named::unknown,
    output::{Format, Output},
};
use crate::source::schema;

/// Which schemas, and where they go.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// The sort of file, such as bulletin; without it, the sorts are listed
    name: Option<String>,
    /// Write every schema into this folder, and show the settings for VS Code
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    write: Option<PathBuf>,
}

/// Shows or writes schemas.
///
/// # Errors
/// When there is no such schema, or a file cannot be written.
pub(super) fn run(args: &SchemaArgs, output: &Output) -> anyhow::Result<()> {
    let all = schema::all(output.lang);
    if let Some(name) = &args.name {
        let Some(found) = all.iter().find(|schema| schema.name == name) else {
            let names = all.iter().map(|schema| (schema.name, schema.name));
            bail!(unknown(output, "cli.no-schema", name, names));
        };
        return Ok(output.line(&serde_json::to_string_pretty(&found.json)?)?);
    }
    if let Some(folder) = &args.write {
        std::fs::create_dir_all(folder).map_err(|error| output.file(folder, &error))?;
        let mut associations = Map::new();
        let mut written = Vec::new();
        for schema in &all {
            let path = folder.join(format!("{}.schema.json", schema.name));
            let text = serde_json::to_string_pretty(&schema.json)? + "\n";
            std::fs::write(&path, text).map_err(|error| output.file(&path, &error))?;
            let name = path.to_string_lossy().replace('\\', "/");
            let relative = if path.is_absolute() || name.starts_with('.') {
                name.clone()
            } else {
                format!("./{name}")
            };
            associations.insert(relative, json!(schema.files));
            written.push(name);
        }
        let settings = json!({ "yaml.schemas": associations });
        return match output.format {
            Format::Json => output.json(&json!({ "files": written, "settings": settings })),
            Format::Text => {
                output.line(&output.say(
                    "cli.schema-written",
                    &[("count", &written.len()), ("dir", &folder.display())],
                ))?;
                Ok(output.line(&serde_json::to_string_pretty(&settings)?)?)
            }
        };
    }
    match output.format {
        Format::Json => {
            let schemas: Map<String, Value> = all
                .into_iter()
                .map(|schema| (schema.name.to_owned(), schema.json))
                .collect();
            output.json(&schemas)
        }
        Format::Text => {
            for schema in &all {
                let title = schema.json["title"].as_str().unwrap_or_default();
                output.line(&format!("{:<10} {title}", schema.name))?;
            }
            Ok(())
        }
    }
}
