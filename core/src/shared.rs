//! Shared ownership and interior mutability, for several threads natively and for one in a
//! component.

#[cfg(not(all(feature = "native", any(unix, windows))))]
pub(crate) use single::{Lock, Shared, WeakShared};
#[cfg(all(feature = "native", any(unix, windows)))]
pub(crate) use threads::{Lock, Shared, WeakShared};

#[cfg(all(feature = "native", any(unix, windows)))]
mod threads {
    use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

    pub(crate) use std::sync::{Arc as Shared, Weak as WeakShared};

    pub(crate) struct Lock<T>(Mutex<T>);

    impl<T> Lock<T> {
        pub(crate) const fn new(value: T) -> Self {
            Lock(Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            // No code under this lock panics half way, so a poisoned value is still consistent.
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// None if somebody holds the lock.
        pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            match self.0.try_lock() {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            }
        }
    }
}

#[cfg(not(all(feature = "native", any(unix, windows))))]
mod single {
    use core::cell::{RefCell, RefMut};

    pub(crate) use alloc::rc::{Rc as Shared, Weak as WeakShared};

    pub(crate) struct Lock<T>(RefCell<T>);

    impl<T> Lock<T> {
        pub(crate) const fn new(value: T) -> Self {
            Lock(RefCell::new(value))
        }

        pub(crate) fn lock(&self) -> RefMut<'_, T> {
            self.0.borrow_mut()
        }

        /// None if somebody holds the lock.
        pub(crate) fn try_lock(&self) -> Option<RefMut<'_, T>> {
            self.0.try_borrow_mut().ok()
        }
    }
}
