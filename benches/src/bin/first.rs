//! A plugin that creates one file, which stays open with its instance for as long as the host lets
//! that live.

fn main() {
    std::mem::forget(wasi_tempfile::NamedTempFile::new().expect("there is scratch space"));
}
