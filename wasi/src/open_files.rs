//! Open files whose names can change on a host that changes no name of an open file.
//!
//! wasmtime on Windows opens files so that nobody can rename or remove them. There a change that is
//! refused is tried once more with the files of that name closed; then they are opened again.

use alloc::rc::{Rc, Weak};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use tempfile_core::ErrorCode;

/// A directory handle and a name in it.
pub(crate) type At<'a, D> = (&'a Rc<D>, &'a str);

/// The open files of a component, found by their names: of directories `D` and files `F`.
pub(crate) struct OpenFiles<D, F> {
    open: fn(&D, &str) -> Result<F, ErrorCode>,
    /// Whether two handles are of one directory.
    is_same: fn(&D, &D) -> bool,
    files: RefCell<Vec<Weak<OpenFile<D, F>>>>,
}

/// An open file with the names that it can be opened by.
pub(crate) struct OpenFile<D, F> {
    /// None while it is closed for a change of its name, and if it could not be opened after that:
    /// then each use tries it again.
    file: RefCell<Option<F>>,
    /// A directory is open for as long as the file is: the host would not remove it before anyway.
    names: RefCell<Vec<(Rc<D>, String)>>,
    all: Rc<OpenFiles<D, F>>,
}

impl<D, F> OpenFiles<D, F> {
    /// No files. Those of a name are opened again by `open`.
    pub(crate) fn new(
        open: fn(&D, &str) -> Result<F, ErrorCode>,
        is_same: fn(&D, &D) -> bool,
    ) -> Self {
        OpenFiles { open, is_same, files: RefCell::default() }
    }

    /// Adds a file until it is dropped.
    pub(crate) fn add(self: &Rc<Self>, file: F, (dir, name): At<'_, D>) -> Rc<OpenFile<D, F>> {
        let names = Vec::from([(dir.clone(), String::from(name))]);
        let (file, names) = (RefCell::new(Some(file)), RefCell::new(names));
        let file = Rc::new(OpenFile { file, names, all: self.clone() });
        self.files.borrow_mut().push(Rc::downgrade(&file));
        file
    }

    /// Renames by `rename`.
    pub(crate) fn rename(
        &self,
        from: At<'_, D>,
        to: At<'_, D>,
        rename: impl Fn() -> Result<(), ErrorCode>,
    ) -> Result<(), ErrorCode> {
        self.change(&self.find(from), true, rename, |file| file.replace_name(from, Some(to)))
    }

    /// Gives a file a second name by `link`.
    pub(crate) fn link(
        &self,
        from: At<'_, D>,
        to: At<'_, D>,
        link: impl Fn() -> Result<(), ErrorCode>,
    ) -> Result<(), ErrorCode> {
        self.change(&self.find(from), false, link, |file| file.replace_name(to, Some(to)))
    }

    /// Removes a name by `remove`. A file is closed for that only if it can be opened by another
    /// name.
    pub(crate) fn remove(
        &self,
        at: At<'_, D>,
        remove: impl Fn() -> Result<(), ErrorCode>,
    ) -> Result<(), ErrorCode> {
        let files = self.find(at);
        let closable = files.iter().all(|file| file.names.borrow().len() > 1);
        self.change(&files, closable, remove, |file| file.replace_name(at, None))
    }

    /// Changes a name of these files by `change`, and records it by `record` if that succeeds.
    fn change(
        &self,
        files: &[Rc<OpenFile<D, F>>],
        closable: bool,
        change: impl Fn() -> Result<(), ErrorCode>,
        record: impl Fn(&OpenFile<D, F>),
    ) -> Result<(), ErrorCode> {
        let mut changed = change();
        let refused = matches!(changed, Err(ErrorCode::Access | ErrorCode::Busy));
        let closed = refused && closable && !files.is_empty();
        if closed {
            files.iter().for_each(|file| drop(file.file.take()));
            changed = change();
        }
        if changed.is_ok() {
            files.iter().for_each(|file| record(file));
        }
        if closed {
            for file in files {
                // Before somebody else takes the name. A failure is that of the next use.
                let _ = file.with(|_| Ok(()));
            }
        }
        changed
    }

    fn find(&self, at: At<'_, D>) -> Vec<Rc<OpenFile<D, F>>> {
        let files = self.files.borrow();
        let files = files.iter().filter_map(Weak::upgrade);
        files.filter(|file| file.names.borrow().iter().any(|known| self.is(known, at))).collect()
    }

    /// Whether a name may be this one: such a host folds case.
    fn is(&self, (dir, name): &(Rc<D>, String), at: At<'_, D>) -> bool {
        name.eq_ignore_ascii_case(at.1) && (Rc::ptr_eq(dir, at.0) || (self.is_same)(dir, at.0))
    }
}

impl<D, F> OpenFile<D, F> {
    /// Uses the file.
    ///
    /// # Errors
    /// Those of `act`; those of opening it, if it has been closed.
    pub(crate) fn with<T>(
        &self,
        act: impl FnOnce(&F) -> Result<T, ErrorCode>,
    ) -> Result<T, ErrorCode> {
        if let Some(file) = &*self.file.borrow() {
            return act(file);
        }
        let file = self.open()?;
        act(self.file.borrow_mut().insert(file))
    }

    #[cold]
    fn open(&self) -> Result<F, ErrorCode> {
        let names = self.names.borrow();
        let mut opened = Err(ErrorCode::Access);
        for (dir, name) in &*names {
            opened = (self.all.open)(dir, name);
            if opened.is_ok() {
                break;
            }
        }
        opened
    }

    /// Forgets a name, and adds another.
    fn replace_name(&self, old: At<'_, D>, new: Option<At<'_, D>>) {
        let mut names = self.names.borrow_mut();
        names.retain(|known| !self.all.is(known, old));
        names.extend(new.map(|(dir, name)| (dir.clone(), String::from(name))));
    }
}

impl<D, F> Drop for OpenFile<D, F> {
    fn drop(&mut self) {
        let mut files = self.all.files.borrow_mut();
        // The last one that was opened is often the first to be closed.
        let found = files.iter().rposition(|file| core::ptr::eq(file.as_ptr(), self));
        found.map(|index| files.swap_remove(index));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap as Map;

    use super::*;

    /// A directory of a host that changes no name of an open file: names, each with the number of
    /// a file, and the number of handles of each file.
    #[derive(Clone, Default)]
    struct Directory {
        names: Rc<RefCell<Map<String, u32>>>,
        open: Rc<RefCell<Map<u32, u32>>>,
    }

    struct Handle {
        number: u32,
        open: Rc<RefCell<Map<u32, u32>>>,
    }

    impl Drop for Handle {
        fn drop(&mut self) {
            *self.open.borrow_mut().get_mut(&self.number).unwrap() -= 1;
        }
    }

    impl Directory {
        fn open(&self, name: &str) -> Result<Handle, ErrorCode> {
            let number = *self.names.borrow().get(name).ok_or(ErrorCode::NoEntry)?;
            *self.open.borrow_mut().entry(number).or_default() += 1;
            Ok(Handle { number, open: self.open.clone() })
        }

        fn remove(&self, name: &str) -> Result<u32, ErrorCode> {
            let number = *self.names.borrow().get(name).ok_or(ErrorCode::NoEntry)?;
            if self.open.borrow().get(&number).is_some_and(|handles| *handles > 0) {
                return Err(ErrorCode::Access);
            }
            self.names.borrow_mut().remove(name);
            Ok(number)
        }

        fn is_same(&self, other: &Directory) -> bool {
            Rc::ptr_eq(&self.names, &other.names)
        }

        fn rename(&self, name: &str, target: &str) -> Result<(), ErrorCode> {
            let number = self.remove(name)?;
            self.names.borrow_mut().insert(target.into(), number);
            Ok(())
        }

        fn link(&self, name: &str, target: &str) {
            let number = self.names.borrow()[name];
            self.names.borrow_mut().insert(target.into(), number);
        }
    }

    type Files = Rc<OpenFiles<Directory, Handle>>;

    /// A directory with the files `a` and `b`, of the numbers 1 and 2.
    fn two_files() -> (Rc<Directory>, Files) {
        let dir = Rc::new(Directory::default());
        dir.names.borrow_mut().extend([("a".into(), 1), ("b".into(), 2)]);
        (dir, Rc::new(OpenFiles::new(Directory::open, Directory::is_same)))
    }

    fn add(files: &Files, dir: &Rc<Directory>, name: &str) -> Rc<OpenFile<Directory, Handle>> {
        files.add(dir.open(name).unwrap(), (dir, name))
    }

    fn rename(files: &Files, dir: &Rc<Directory>, name: &str, target: &str) -> Option<ErrorCode> {
        let rename = || dir.rename(name, target);
        files.rename((dir, name), (dir, target), rename).err()
    }

    fn number(file: &OpenFile<Directory, Handle>) -> Result<u32, ErrorCode> {
        file.with(|handle| Ok(handle.number))
    }

    #[test]
    fn a_file_is_renamed_though_it_is_open_and_stays_open() {
        let (dir, files) = two_files();
        let (file, again) = (add(&files, &dir, "a"), add(&files, &dir, "a"));
        assert_eq!(rename(&files, &dir, "a", "c"), None);
        assert_eq!(rename(&files, &dir, "c", "d"), None);
        assert_eq!(dir.names.borrow().keys().collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!((number(&file), number(&again)), (Ok(1), Ok(1)));
        assert_eq!(dir.open.borrow()[&1], 2);
    }

    #[test]
    fn a_refused_rename_leaves_the_file_open_under_its_name() {
        let (dir, files) = two_files();
        let file = add(&files, &dir, "a");
        let refuse = || Err(ErrorCode::Access);
        let refused = files.rename((&dir, "a"), (&dir, "c"), refuse);
        assert_eq!((refused, number(&file)), (Err(ErrorCode::Access), Ok(1)));
        assert_eq!(dir.open.borrow()[&1], 1);
        assert_eq!(rename(&files, &dir, "a", "c"), None);
    }

    #[test]
    fn what_others_have_open_is_not_renamed() {
        let (dir, files) = two_files();
        let _others = dir.open("a").unwrap();
        let file = add(&files, &dir, "b");
        assert_eq!(rename(&files, &dir, "a", "c"), Some(ErrorCode::Access));
        assert_eq!(number(&file), Ok(2));
    }

    #[test]
    fn the_only_name_of_an_open_file_is_not_removed() {
        let (dir, files) = two_files();
        let file = add(&files, &dir, "a");
        let removed = files.remove((&dir, "a"), || dir.remove("a").map(|_| ()));
        assert_eq!((removed, number(&file)), (Err(ErrorCode::Access), Ok(1)));
        drop(file);
        assert_eq!(files.remove((&dir, "a"), || dir.remove("a").map(|_| ())), Ok(()));
    }

    #[test]
    fn one_of_two_names_of_an_open_file_is_removed() {
        let (dir, files) = two_files();
        let file = add(&files, &dir, "a");
        let link = || {
            dir.link("a", "c");
            Ok(())
        };
        assert_eq!(files.link((&dir, "a"), (&dir, "c"), link), Ok(()));
        assert_eq!(files.remove((&dir, "a"), || dir.remove("a").map(|_| ())), Ok(()));
        assert_eq!(number(&file), Ok(1));
        assert_eq!(rename(&files, &dir, "c", "d"), None);
        assert_eq!(number(&file), Ok(1));
    }

    #[test]
    fn a_file_that_could_not_be_opened_is_opened_by_the_next_use() {
        let (dir, files) = two_files();
        let file = add(&files, &dir, "a");
        let hidden = || {
            dir.rename("a", "elsewhere")?;
            Ok(())
        };
        assert_eq!(files.rename((&dir, "a"), (&dir, "c"), hidden), Ok(()));
        assert_eq!(number(&file), Err(ErrorCode::NoEntry));
        assert_eq!(dir.rename("elsewhere", "c"), Ok(()));
        assert_eq!(number(&file), Ok(1));
    }

    #[test]
    fn a_dropped_file_is_closed_and_forgotten() {
        let (dir, files) = two_files();
        drop(add(&files, &dir, "a"));
        assert_eq!(dir.open.borrow()[&1], 0);
        assert!(files.files.borrow().is_empty());
    }

    #[test]
    fn a_file_is_found_through_another_handle_of_its_directory() {
        let (dir, files) = two_files();
        let file = add(&files, &dir, "a");
        let other = Rc::new(Directory::clone(&dir));
        assert_eq!(rename(&files, &other, "a", "c"), None);
        assert_eq!(number(&file), Ok(1));
    }

    #[test]
    fn a_file_is_found_by_its_name_in_another_case() {
        let (dir, files) = two_files();
        let file = add(&files, &dir, "a");
        let rename = || dir.rename("a", "c");
        assert_eq!(files.rename((&dir, "A"), (&dir, "c"), rename), Ok(()));
        assert_eq!(number(&file), Ok(1));
    }

    #[test]
    fn a_file_of_that_name_in_another_directory_stays_open() {
        let ((dir, files), (elsewhere, _)) = (two_files(), two_files());
        let _file = add(&files, &elsewhere, "a");
        let _others = dir.open("a").unwrap();
        assert_eq!(rename(&files, &dir, "a", "c"), Some(ErrorCode::Access));
        assert_eq!(elsewhere.open.borrow()[&1], 1);
        assert!(files.find((&dir, "a")).is_empty());
    }
}
