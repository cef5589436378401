// Included twice: `tempfile` is that crate, or this one. Only what both promise is asserted.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub(crate) fn main() -> io::Result<()> {
    unnamed()?;
    named()?;
    persisted()?;
    paths()?;
    directories()?;
    builders()?;
    spooled()?;
    made()
}

fn unnamed() -> io::Result<()> {
    let mut file = tempfile::tempfile()?;
    writeln!(file, "one\ntwo")?;
    file.seek(SeekFrom::Start(0))?;
    let lines: Vec<String> = BufReader::new(&file).lines().collect::<io::Result<_>>()?;
    assert_eq!(lines, ["one", "two"]);
    file.set_len(3)?;
    file.sync_all()?;
    file.sync_data()?;
    assert_eq!(file.metadata()?.len(), 3);
    let dir = tempfile::tempdir()?;
    tempfile::tempfile_in(dir.path())?.write_all(b"x")
}

fn named() -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(b"named")?;
    let mut again = file.reopen()?;
    let mut text = String::new();
    again.read_to_string(&mut text)?;
    assert_eq!(text, "named");
    (&file).write_all(b"!")?;
    assert_eq!(file.as_file().metadata()?.len(), 6);
    file.as_file_mut().set_len(0)?;
    let path: PathBuf = file.path().to_path_buf();
    let _: &Path = file.as_ref();
    file.close()?;
    assert!(!path.exists());

    let file = tempfile::NamedTempFile::with_prefix("prefix-")?;
    assert!(name(file.path()).starts_with("prefix-"));
    let file = tempfile::NamedTempFile::with_suffix(".suffix")?;
    assert!(name(file.path()).ends_with(".suffix"));
    let (file, path) = file.keep()?;
    drop(file);
    assert!(path.exists());
    std::fs::remove_file(path)
}

fn persisted() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let target = dir.path().join("target");
    let mut file = tempfile::NamedTempFile::new_in(&dir)?;
    file.write_all(b"first")?;
    let mut open = file.persist(&target)?;
    open.seek(SeekFrom::End(0))?;
    open.write_all(b"!")?;
    assert_eq!(std::fs::read(&target)?, b"first!");

    let second = tempfile::NamedTempFile::new_in(&dir)?;
    let refused: tempfile::PersistError = second.persist_noclobber(&target).unwrap_err();
    assert_eq!(refused.error.kind(), io::ErrorKind::AlreadyExists);
    let second: tempfile::NamedTempFile = refused.file;
    assert!(second.path().exists());
    let missing = dir.path().join("missing").join("target");
    let error: io::Error = second.persist(missing).unwrap_err().into();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    dir.close()
}

fn paths() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let path: tempfile::TempPath = tempfile::NamedTempFile::new_in(dir.path())?.into_temp_path();
    assert!(path.exists());
    let _: &OsStr = path.as_ref();
    let target = dir.path().join("kept");
    path.persist(&target)?;
    assert!(target.exists());

    let (file, path) = tempfile::NamedTempFile::new()?.into_parts();
    let file = tempfile::NamedTempFile::from_parts(file, path);
    let mut path = file.into_temp_path();
    path.disable_cleanup(true);
    let place = path.to_path_buf();
    drop(path);
    std::fs::remove_file(place)?;

    let path = tempfile::NamedTempFile::new()?.into_temp_path();
    let refused: tempfile::PathPersistError = path.persist_noclobber(&target).unwrap_err();
    refused.path.close()
}

fn directories() -> io::Result<()> {
    let dir = tempfile::Builder::new().prefix("dir-").suffix(".d").rand_bytes(12).tempdir()?;
    let base = name(dir.path());
    assert!(base.starts_with("dir-") && base.ends_with(".d"));
    assert_eq!(base.len(), 4 + 12 + 2);
    std::fs::create_dir_all(dir.path().join("a/b"))?;
    std::fs::write(dir.path().join("a/b/c"), "deep")?;
    let inside = tempfile::tempdir_in(&dir)?;
    let path = dir.path().to_path_buf();
    dir.close()?;
    assert!(!path.exists() && !inside.path().exists());

    let mut dir = tempfile::TempDir::with_prefix("kept-")?;
    dir.disable_cleanup(false);
    let path: PathBuf = dir.keep();
    std::fs::remove_dir(path)
}

fn builders() -> io::Result<()> {
    let dir = tempfile::TempDir::new()?;
    let mut builder = tempfile::Builder::new();
    let mut file = builder
        .prefix("fixed")
        .suffix(".txt")
        .rand_bytes(0)
        .append(true)
        .tempfile_in(dir.path())?;
    assert_eq!(name(file.path()), "fixed.txt");
    let taken = tempfile::Builder::new()
        .prefix("fixed")
        .suffix(".txt")
        .rand_bytes(0)
        .tempfile_in(dir.path());
    assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    file.write_all(b"one")?;
    file.rewind()?;
    file.write_all(b"two")?;
    assert_eq!(std::fs::read(file.path())?, b"onetwo");

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let readable = std::fs::Permissions::from_mode(0o644);
        let file =
            tempfile::Builder::new().permissions(readable).disable_cleanup(false).tempfile()?;
        assert_eq!(std::fs::metadata(file.path())?.permissions().mode() & 0o777, 0o644);
    }
    let _: PathBuf = tempfile::env::temp_dir();
    Ok(())
}

fn spooled() -> io::Result<()> {
    let mut file: tempfile::SpooledTempFile = tempfile::spooled_tempfile(8);
    file.write_all(b"12345678")?;
    assert!(!file.is_rolled());
    file.write_all(b"9")?;
    assert!(file.is_rolled());
    file.rewind()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    assert_eq!(text, "123456789");

    let mut small = tempfile::SpooledTempFile::new(8);
    small.write_all(b"abc")?;
    small.set_len(2)?;
    match small.into_inner() {
        tempfile::SpooledData::InMemory(cursor) => assert_eq!(cursor.into_inner(), b"ab"),
        tempfile::SpooledData::OnDisk(_) => panic!("it is small"),
    }
    let mut rolled = tempfile::SpooledTempFile::new(8);
    rolled.roll()?;
    assert_eq!(rolled.into_file()?.metadata()?.len(), 0);
    Ok(())
}

#[cfg(windows)]
fn made() -> io::Result<()> {
    let made = tempfile::Builder::new().make(|path| std::fs::File::create_new(path))?;
    let path = made.path().to_path_buf();
    assert!(path.exists());
    drop(made);
    assert!(!path.exists());
    Ok(())
}

#[cfg(unix)]
fn made() -> io::Result<()> {
    use std::os::unix::net::UnixListener;
    let dir = tempfile::tempdir()?;
    let listener = tempfile::Builder::new()
        .prefix("s")
        .make_in(dir.path(), |path| UnixListener::bind(path))?;
    let path = listener.path().to_path_buf();
    assert!(path.exists());
    let _: &UnixListener = listener.as_file();
    drop(listener);
    assert!(!path.exists());
    Ok(())
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap()
}
