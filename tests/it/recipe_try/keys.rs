//! Secrets that have to be written in some way: what stands in their place where nobody reads them.

use super::{SESSION, folder, tried};

/// A key in hexadecimal digits, as a token of one's own is sealed with it: a reference is none.
#[test]
fn a_secret_that_is_decoded_has_digits_in_its_place() {
    let folder = folder();
    let sealed = SESSION.replace(
        "password: \"{{ with.password }}\"",
        "proof: '{{ channel.id | hmac_sha256(key=with.password, key_from=\"hex\") }}'",
    );
    folder.write("channels/recipes/phien.yaml", &sealed);
    let said = tried(&folder, &["loa-phien"], "");
    assert!(said.out.contains("/login"), "{said:?}");
    assert!(!said.out.contains("hunter2"), "{said:?}");
}
