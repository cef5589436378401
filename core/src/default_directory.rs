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
/// `quota` if it is a limit that lets no probe through, else `no-scratch`.
pub fn default_place<P: Platform, R: TryRng>(platform: &P, source: &mut R) -> Result<Place<P>, Error> {
    let mut cause = ErrorCode::NoScratch;
    let mut usable = |path: &str| match probe(platform, source, path) {
        Ok(place) => Some(place),
        Err(code) => {
            // Who has used up a limit would look for a missing directory in vain.
            if code == ErrorCode::Quota {
                cause = code;
            }
            None
        }
    };
    for name in &VARIABLES {
        if let Some(place) = platform.variable(name).and_then(|path| usable(&path)) {
            return Ok(place);
        }
    }
    for path in &USUAL {
        if let Some(place) = usable(path) {
            return Ok(place);
        }
    }
    for path in &platform.last_resorts() {
        if let Some(place) = usable(path) {
            return Ok(place);
        }
    }
    Err(cause).during("look for", "a directory for temporary files")
}

fn probe<P: Platform, R: TryRng>(platform: &P, source: &mut R, path: &str) -> Result<Place<P>, ErrorCode> {
    let place = open_place(platform, path)?;
    let (file, path) = create_file(platform, source, &Options::default(), &place)?;
    // A full disk still takes new names; it is the first byte that fails.
    let written = platform.write(&file, 0, b"x");
    drop(file);
    platform.remove_file(&place.dir, path.name())?;
    written.map(|_| Place { kind: Kind::Default, ..place })
}
