//! The default directory: where temporary files go unless the caller says otherwise.

use rand_core::TryRng;

use crate::create::create_file;
use crate::error::{Context, Error, ErrorCode};
use crate::name::Options;
use crate::path::{Kind, Place, open_place};
use crate::platform::Platform;

/// Where the environment may say so; the order is Python's.
const VARIABLES: [&str; 3] = ["TMPDIR", "TEMP", "TMP"];

/// Where systems keep temporary files.
const USUAL: [&str; 3] = ["/tmp", "/var/tmp", "/usr/tmp"];

/// Looks for the default directory: the first candidate that a file can be created in and written to. A probe leaves nothing.
///
/// # Errors
/// `no-scratch` if none can.
pub fn default_place<P: Platform, R: TryRng>(platform: &P, source: &mut R) -> Result<Place<P>, Error> {
    for name in &VARIABLES {
        let candidate = platform.variable(name);
        if let Some(place) = candidate.and_then(|path| usable(platform, source, &path)) {
            return Ok(place);
        }
    }
    for path in &USUAL {
        if let Some(place) = usable(platform, source, path) {
            return Ok(place);
        }
    }
    for path in &platform.last_resorts() {
        if let Some(place) = usable(platform, source, path) {
            return Ok(place);
        }
    }
    Err(ErrorCode::NoScratch).during("look for", "a directory for temporary files")
}

fn usable<P: Platform, R: TryRng>(platform: &P, source: &mut R, path: &str) -> Option<Place<P>> {
    let place = open_place(platform, path).ok()?;
    let (file, path) = create_file(platform, source, &Options::default(), &place).ok()?;
    // A full disk still takes new names; it is the first byte that fails.
    let written = platform.write(&file, 0, b"x");
    drop(file);
    let removed = platform.remove_file(&place.dir, path.name());
    (written.is_ok() && removed.is_ok()).then_some(Place { kind: Kind::Default, ..place })
}
