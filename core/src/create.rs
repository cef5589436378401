//! Creation: create+exclusive under a random name, or with no name at all.

use alloc::string::String;

use rand_core::TryRng;

use crate::birth::{Birth, Held};
use crate::dir::TempDir;
use crate::error::{Context, Error, ErrorCode};
use crate::file::{File, Origin};
use crate::ledger;
use crate::name::{Draft, Options};
use crate::path::{Kind, NamePath, Place};
use crate::platform::Platform;
use crate::remove::CleanupFailure;
use crate::temp_path::TempPath;

/// How often a taken name is followed by another. With 80 random bits a second taken name is an attack or a broken source;
/// with a short random part this many draws find a free name while one in twenty is free.
pub const MAX_TRIES: u32 = 128;

/// Creates something under a name that was free: the delicate loop, written once.
///
/// `create` is tried with names from the pattern until it answers anything but `exist`. The value and the name it was
/// created under come back together.
///
/// # Errors
/// `invalid-name` before any try; `exhausted` after [`MAX_TRIES`] taken names, or `exist` where the name has no random part; every other
/// error of `create` at once.
pub fn under_new_name<T, R: TryRng>(
    options: &Options,
    source: &mut R,
    create: impl FnMut(&str) -> Result<T, ErrorCode>,
) -> Result<(T, String), ErrorCode> {
    draw_until_free(Draft::new("", options)?, source, create)
        .map(|(value, draft)| (value, draft.into_path().0))
}

fn draw_until_free<'a, T, R: TryRng>(
    mut draft: Draft<'a>,
    source: &mut R,
    mut create: impl FnMut(&str) -> Result<T, ErrorCode>,
) -> Result<(T, Draft<'a>), ErrorCode> {
    for _ in 0..MAX_TRIES {
        if !draft.draw(source)? {
            continue;
        }
        match create(draft.name()) {
            Ok(value) => return Ok((value, draft)),
            Err(ErrorCode::Exist) if !draft.is_fixed() => {}
            Err(code) => return Err(code),
        }
    }
    Err(ErrorCode::Exhausted)
}

/// Creates a file under a name that was free.
pub(crate) fn create_file<P: Platform, R: TryRng>(
    platform: &P,
    source: &mut R,
    options: &Options,
    place: &Place<P>,
) -> Result<(P::File, NamePath), ErrorCode> {
    let draft = Draft::new(&place.path, options)?;
    let create = |name: &str| platform.create_file(&place.dir, name.as_bytes());
    draw_until_free(draft, source, create).map(|(file, draft)| (file, draft.into()))
}

/// Creates a named file: `named` of the interface.
///
/// # Errors
/// Those of [`under_new_name`] and of the platform.
pub fn named<P: Platform, R: TryRng>(
    platform: &P,
    source: &mut R,
    options: &Options,
    place: &Place<P>,
) -> Result<(File<P>, TempPath<P>), Error> {
    create_named(platform, source, options, place).during("create a file in", &place.path)
}

fn create_named<P: Platform, R: TryRng>(
    platform: &P,
    source: &mut R,
    options: &Options,
    place: &Place<P>,
) -> Result<(File<P>, TempPath<P>), ErrorCode> {
    platform.admit_handles(2)?;
    let (file, path) = create_file(platform, source, options, place)?;
    let (file, birth) = if place.kind == Kind::Shared {
        match platform.identity(&file) {
            Ok(identity) => (Held::Alone(file), Birth::known(identity)),
            Err(code) => {
                // Half-way: the caller will never learn the name, so nobody but us can remove it.
                drop(file);
                half_way(platform, &path, platform.remove_file(&place.dir, path.name()));
                return Err(code);
            }
        }
    } else {
        Held::named(file)
    };
    let path = TempPath::new(platform.clone(), place.clone(), path, birth, options.label.as_deref());
    Ok((File::held(platform.clone(), file, Origin::Named), path))
}

/// Creates a file that no name leads to: `unnamed` of the interface.
///
/// # Errors
/// Those of the platform, and `exhausted`.
pub fn unnamed<P: Platform, R: TryRng>(
    platform: &P,
    source: &mut R,
    place: &Place<P>,
) -> Result<File<P>, Error> {
    platform.admit_handles(1).during("create an unnamed file in", &place.path)?;
    let (file, origin) = create_unnamed(platform, source, place)?;
    Ok(File::new(platform.clone(), file, origin))
}

/// As [`unnamed`], for a spooled file that moves to disk: that one has its line in the ledger already.
pub(crate) fn unlisted<P: Platform, R: TryRng>(
    platform: &P,
    source: &mut R,
    place: &Place<P>,
) -> Result<File<P>, Error> {
    let (file, origin) = create_unnamed(platform, source, place)?;
    Ok(File::unlisted(platform.clone(), file, origin))
}

fn create_unnamed<P: Platform, R: TryRng>(
    platform: &P,
    source: &mut R,
    place: &Place<P>,
) -> Result<(P::File, Origin<P>), Error> {
    match platform.create_unnamed(&place.dir, place.kind != Kind::Default) {
        Ok(file) => Ok((file, Origin::Unnamed)),
        Err(ErrorCode::Unsupported) => create_and_unlink(platform, source, place),
        Err(code) => Err(code),
    }
    .during("create an unnamed file in", &place.path)
}

fn create_and_unlink<P: Platform, R: TryRng>(
    platform: &P,
    source: &mut R,
    place: &Place<P>,
) -> Result<(P::File, Origin<P>), ErrorCode> {
    let (file, path) = create_file(platform, source, &Options::default(), place)?;
    let origin = match platform.remove_file(&place.dir, path.name()) {
        Ok(()) | Err(ErrorCode::NoEntry) => Origin::Unlinked,
        Err(_) => Origin::Hidden { place: place.clone(), path },
    };
    Ok((file, origin))
}

/// Creates a directory: `directory` of the interface.
///
/// # Errors
/// Those of [`under_new_name`] and of the platform.
pub fn directory<P: Platform, R: TryRng>(
    platform: &P,
    source: &mut R,
    options: &Options,
    place: &Place<P>,
) -> Result<TempDir<P>, Error> {
    create_directory(platform, source, options, place).during("create a directory in", &place.path)
}

fn create_directory<P: Platform, R: TryRng>(
    platform: &P,
    source: &mut R,
    options: &Options,
    place: &Place<P>,
) -> Result<TempDir<P>, ErrorCode> {
    platform.admit_handles(1)?;
    let create = |name: &str| platform.create_directory(&place.dir, name.as_bytes());
    let ((), draft) = draw_until_free(Draft::new(&place.path, options)?, source, create)?;
    let path = NamePath::from(draft);
    match platform.open_directory(&place.dir, path.name()) {
        Ok(dir) => Ok(TempDir::new(platform.clone(), place.clone(), path, dir, options.label.as_deref())),
        Err(code) => {
            half_way(platform, &path, platform.remove_directory(&place.dir, path.name()));
            Err(code)
        }
    }
}

/// Takes over the promise to remove a name that the caller created by other means: a socket, a link.
///
/// # Errors
/// `no-entry` if it is not there, and others of the system. Nothing is removed.
pub fn adopt<P: Platform>(platform: &P, place: &Place<P>, name: &str) -> Result<TempPath<P>, Error> {
    let path = NamePath::new(&place.path, name);
    let identity = platform.identity_at(&place.dir, name.as_bytes()).during("look at", path.path())?;
    Ok(TempPath::new(platform.clone(), place.clone(), path, Birth::known(identity), None))
}

/// What a creation that failed half-way could not take back, the ledger remembers.
fn half_way<P: Platform>(platform: &P, path: &NamePath, removed: Result<(), ErrorCode>) {
    if let Err(code) = removed {
        let error = Error::new(code, "remove", path.path());
        ledger::left_over(platform, CleanupFailure { path: path.path().into(), error });
    }
}

/// Opens an existing directory as a place to create in: `location.directory` of the interface.
///
/// # Errors
/// Those of guest paths.
pub fn place_at<P: Platform>(platform: &P, path: &str) -> Result<Place<P>, Error> {
    crate::path::open_place(platform, path).during("open the directory", path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Broken, Counting, Zeros};

    #[test]
    fn a_taken_name_is_followed_by_another() {
        let mut tried = 0;
        let ((), _) = under_new_name(&Options::default(), &mut Counting::default(), |_| {
            tried += 1;
            if tried < 5 { Err(ErrorCode::Exist) } else { Ok(()) }
        })
        .unwrap();
        assert_eq!(tried, 5);
    }

    #[test]
    fn tries_are_bounded() {
        let mut tried = 0;
        let end = under_new_name(&Options::default(), &mut Zeros, |_| {
            tried += 1;
            Err::<(), _>(ErrorCode::Exist)
        });
        assert_eq!((end, tried), (Err(ErrorCode::Exhausted), MAX_TRIES));
    }

    #[test]
    fn any_other_error_ends_the_tries_at_once() {
        let mut tried = 0;
        let end = under_new_name(&Options::default(), &mut Zeros, |_| {
            tried += 1;
            Err::<(), _>(ErrorCode::Access)
        });
        assert_eq!((end, tried), (Err(ErrorCode::Access), 1));
    }

    #[test]
    fn a_fixed_name_is_tried_once() {
        let options = Options { random_chars: Some(0), ..Options::default() };
        let mut tried = 0;
        let end = under_new_name(&options, &mut Zeros, |_| {
            tried += 1;
            Err::<(), _>(ErrorCode::Exist)
        });
        assert_eq!((end, tried), (Err(ErrorCode::Exist), 1));
    }

    #[test]
    fn without_randomness_nothing_is_tried() {
        let end = under_new_name(&Options::default(), &mut Broken, |_| -> Result<(), _> { panic!("tried") });
        assert_eq!(end, Err(ErrorCode::Io));
    }
}
