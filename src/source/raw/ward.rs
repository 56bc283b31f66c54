//! `channels/wards.yaml`.

use crate::{
    diagnostic::Place,
    domain::{
        id::{ScheduleId, WardId},
        ward::{Ward, WardKind},
    },
    source::{notebook::Named, reader::Value},
};

/// A ward and its places.
#[derive(Debug)]
pub(crate) struct RawWard {
    /// The ward.
    pub ward: Ward,
    /// Its key.
    pub at: Place,
    /// Its name.
    pub name_at: Place,
    /// Its code in the list of administrative units.
    pub code_at: Option<Place>,
    /// Its neighbours, one by one.
    pub neighbours: Vec<(WardId, Place)>,
}

/// Reads the file.
pub(crate) fn read(root: Value<'_>) -> Vec<RawWard> {
    super::defined(root, "wards", Named::Ward, WardId::parse, ward)
}

fn ward(id: WardId, value: Value<'_>) -> Option<RawWard> {
    value.map(|fields| {
        let kinds = [("phuong", WardKind::Phuong), ("xa", WardKind::Xa)];
        let kind = fields
            .required("kind")
            .and_then(|value| value.one_of(&kinds))
            .unwrap_or(WardKind::Phuong);
        let name = fields.required("name");
        let name_at = name.map_or_else(|| value.key_place(), |name| name.place());
        let short = name.and_then(|value| value.words()).unwrap_or_default();
        let neighbours = fields.or("neighbours", Vec::new(), |value| {
            value.list(|value| Some((value.reference(Named::Ward, WardId::parse)?, value.place())))
        });
        let code = fields.get("code");
        let ward = Ward {
            id,
            kind,
            name: format!("{} {short}", kind.word()),
            short,
            code: code.and_then(|value| value.words()),
            valid: fields
                .get("valid")
                .and_then(super::validity)
                .unwrap_or_default(),
            neighbours: neighbours.iter().map(|(id, _)| id.clone()).collect(),
            first: fields.or("first", Vec::new(), |value| {
                value.list(|value| value.reference(Named::Schedule, ScheduleId::parse))
            }),
        };
        RawWard {
            ward,
            at: value.key_place(),
            name_at,
            code_at: code.map(|value| value.place()),
            neighbours,
        }
    })
}
