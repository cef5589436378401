//! Creation: exclusively under a random name, or without a name.

use alloc::string::String;

use rand_core::TryRng;

use crate::context::{Context, PlatformFile};
use crate::dir::TempDir;
use crate::error::{Cause, Error, ErrorCode, ResultExt};
use crate::failures::CleanupFailure;
use crate::file::{File, Origin};
use crate::ledger::ExplainExt;
use crate::location::OpenLocation;
use crate::name::{Draft, NamePath, Options, pattern};
use crate::platform::Platform;
use crate::temp_path::TempPath;

/// How often a taken name is followed by another.
///
/// With 80 random bits a second taken name means an attack or a broken random source. With a short
/// random part, this many draws find a free name as long as one in twenty is free.
pub const MAX_TRIES: u32 = 128;

/// Creates something under a free name: the only loop that draws names.
///
/// `create` is called with names of the pattern until it returns anything but `exist`. Returns what
/// it created and the name.
///
/// # Errors
/// `invalid-name` and `name-too-long` before any try; `exhausted` after [`MAX_TRIES`] taken names,
/// or `exist` if the name has no random part; every other error of `create` without another try.
pub fn under_new_name<T, R: TryRng>(
    options: &Options,
    source: &mut R,
    create: impl FnMut(&str) -> Result<T, ErrorCode>,
) -> Result<(T, String), ErrorCode> {
    let mut draft = Draft::new("", options).map_err(|cause| cause.code)?;
    let created = draw_until_free(&mut draft, source, create)?;
    Ok((created, String::from(draft.name())))
}

fn draw_until_free<T, R: TryRng>(
    draft: &mut Draft<'_>,
    source: &mut R,
    mut create: impl FnMut(&str) -> Result<T, ErrorCode>,
) -> Result<T, ErrorCode> {
    for _ in 0..MAX_TRIES {
        if !draft.draw(source)? {
            continue;
        }
        match create(draft.name()) {
            Ok(value) => return Ok(value),
            Err(ErrorCode::Exist) if !draft.is_fixed() => {}
            Err(code) => return Err(code),
        }
    }
    Err(ErrorCode::Exhausted)
}

/// Creates a file under a free name.
pub(crate) fn create_file<C: Context, R: TryRng>(
    ctx: &C,
    source: &mut R,
    draft: &mut Draft<'_>,
    location: &OpenLocation<C>,
) -> Result<(PlatformFile<C>, NamePath), ErrorCode> {
    let create = |name: &str| ctx.platform().create_file(&location.dir, name.as_bytes());
    let file = draw_until_free(draft, source, create)?;
    Ok((file, NamePath::from(&*draft)))
}

/// Checks `options`, calls `create` with a name draft, and adds the operation and the path to its
/// error.
fn under_draft<C: Context, T>(
    ctx: &C,
    operation: &str,
    options: &Options,
    location: &OpenLocation<C>,
    create: impl FnOnce(&mut Draft<'_>) -> Result<T, ErrorCode>,
) -> Result<T, Error> {
    let shown = || pattern(&location.path, options);
    let mut draft = Draft::new(&location.path, options)
        .map_err(|cause| cause.about(operation, &shown(), &location.path))?;
    create(&mut draft).explained(ctx.ledger()).map_err(|cause| match draft.tried() {
        Some(path) if cause.code == ErrorCode::Exhausted => cause.about(operation, &shown(), path),
        Some(path) => cause.at(operation, path),
        None => cause.about(operation, &shown(), &location.path),
    })
}

/// Creates a named file: `named` of the interface.
///
/// # Errors
/// Those of [`under_new_name`] and of the platform; `quota`; `invalid` if the label is too long.
pub fn named<C: Context, R: TryRng>(
    ctx: &C,
    source: &mut R,
    options: &Options,
    location: &OpenLocation<C>,
) -> Result<(File<C>, TempPath<C>), Error> {
    under_draft(ctx, "create a file", options, location, |draft| {
        create_named(ctx, source, draft, options.label.as_deref(), location)
    })
}

fn create_named<C: Context, R: TryRng>(
    ctx: &C,
    source: &mut R,
    draft: &mut Draft<'_>,
    label: Option<&str>,
    location: &OpenLocation<C>,
) -> Result<(File<C>, TempPath<C>), ErrorCode> {
    ctx.ledger().admit_handles(2)?;
    let charge = ctx.ledger().admit_handle(draft.path().0.len() + label.map_or(0, str::len))?;
    let file_charge = ctx.ledger().admit_handle(0)?;
    let (file, path) = create_file(ctx, source, draft, location)?;
    let identity = match location.shared.then(|| ctx.platform().identity(&file)).transpose() {
        Ok(identity) => identity,
        Err(code) => {
            drop(file);
            let removed = ctx.platform().remove_file(&location.dir, path.name());
            record_half_way(ctx, &path, removed);
            return Err(code);
        }
    };
    let path = TempPath::new(ctx.clone(), location.clone(), path, identity, label, charge);
    Ok((File::new(ctx.clone(), file, Origin::Named, file_charge), path))
}

/// Creates a file that has no name: `unnamed` of the interface.
///
/// # Errors
/// Those of the platform; `exhausted`; `quota`.
pub fn unnamed<C: Context, R: TryRng>(
    ctx: &C,
    source: &mut R,
    location: &OpenLocation<C>,
) -> Result<File<C>, Error> {
    const OPERATION: &str = "create an unnamed file in";
    let mut create = || {
        let charge = ctx.ledger().admit_handle(0)?;
        let (file, origin) = create_unnamed(ctx, source, location)?;
        Ok::<_, Cause>(File::new(ctx.clone(), file, origin, charge))
    };
    create().explained(ctx.ledger()).at(OPERATION, &location.path)
}

/// Creates the unnamed file to which a spooled file moves. The spooled file is already in the
/// ledger.
pub(crate) fn unlisted<C: Context, R: TryRng>(
    ctx: &C,
    source: &mut R,
    location: &OpenLocation<C>,
) -> Result<File<C>, Error> {
    let (file, origin) = create_unnamed(ctx, source, location)
        .explained(ctx.ledger())
        .at("move a spooled file to a file in", &location.path)?;
    Ok(File::unlisted(ctx.clone(), file, origin))
}

fn create_unnamed<C: Context, R: TryRng>(
    ctx: &C,
    source: &mut R,
    location: &OpenLocation<C>,
) -> Result<(PlatformFile<C>, Origin<C>), Cause> {
    match ctx.platform().create_unnamed(&location.dir, location.state) {
        Ok(file) => Ok((file, Origin::Unnamed)),
        Err(ErrorCode::Unsupported) => create_under_private_name(ctx, source, location),
        Err(code) => Err(code.into()),
    }
}

/// Creates a file under a private name, which the system removes with the last handle or which is
/// removed at once.
fn create_under_private_name<C: Context, R: TryRng>(
    ctx: &C,
    source: &mut R,
    location: &OpenLocation<C>,
) -> Result<(PlatformFile<C>, Origin<C>), Cause> {
    let platform = ctx.platform();
    let options = Options::default();
    let mut draft = Draft::new(&location.path, &options)?;
    let mut deleted_on_close = true;
    let file = draw_until_free(&mut draft, source, |name| {
        match platform.create_delete_on_close(&location.dir, name.as_bytes()) {
            Err(ErrorCode::Unsupported) => {
                deleted_on_close = false;
                platform.create_file(&location.dir, name.as_bytes())
            }
            created => created,
        }
    })?;
    if deleted_on_close {
        return Ok((file, Origin::Unlinked));
    }
    let path = NamePath::from(&draft);
    let origin = match platform.remove_file(&location.dir, path.name()) {
        Ok(()) | Err(ErrorCode::NoEntry) => Origin::Unlinked,
        Err(_) => Origin::PrivateName { location: location.clone(), path },
    };
    Ok((file, origin))
}

/// Creates a directory: `directory` of the interface.
///
/// # Errors
/// As [`named`].
pub fn directory<C: Context, R: TryRng>(
    ctx: &C,
    source: &mut R,
    options: &Options,
    location: &OpenLocation<C>,
) -> Result<TempDir<C>, Error> {
    under_draft(ctx, "create a directory", options, location, |draft| {
        create_directory(ctx, source, draft, options.label.as_deref(), location)
    })
}

fn create_directory<C: Context, R: TryRng>(
    ctx: &C,
    source: &mut R,
    draft: &mut Draft<'_>,
    label: Option<&str>,
    location: &OpenLocation<C>,
) -> Result<TempDir<C>, ErrorCode> {
    let charge = ctx.ledger().admit_handle(draft.path().0.len() + label.map_or(0, str::len))?;
    let create = |name: &str| ctx.platform().create_directory(&location.dir, name.as_bytes());
    draw_until_free(draft, source, create)?;
    let path = NamePath::from(&*draft);
    TempDir::open(ctx.clone(), location.clone(), path.clone(), label, charge).inspect_err(|_| {
        let removed = ctx.platform().remove_directory(&location.dir, path.name());
        record_half_way(ctx, &path, removed);
    })
}

/// Records what a creation that failed half way could not remove: nobody else knows the name.
pub(crate) fn record_half_way<C: Context>(
    ctx: &C,
    path: &NamePath,
    removed: Result<(), ErrorCode>,
) {
    if let Err(code) = removed {
        let error = Error::new(code, "remove", path.path());
        ctx.ledger().record_leftover(CleanupFailure { path: path.path().into(), error });
    }
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
        let create = |_: &str| -> Result<(), _> { panic!("tried") };
        let end = under_new_name(&Options::default(), &mut Broken, create);
        assert_eq!(end, Err(ErrorCode::Io));
    }
}
