//! The closed set of error codes, and the error that carries one to a person.

use alloc::string::String;
use core::fmt;

/// Calls the macro in brackets with every code: its variant, its name in WIT, and its cause in words.
///
/// The list stands here and nowhere else; the borders (bindings of the guest, the client and the host) get their
/// exhaustive matches from [`convert_code!`](crate::convert_code).
#[macro_export]
#[doc(hidden)]
macro_rules! for_each_code {
    ([$($then:tt)+] $($args:tt)*) => {
        $($then)+! { $($args)*
            (Access, "access", "permission denied")
            (Busy, "busy", "in use")
            (Closed, "closed", "the handle is closed")
            (CrossDevice, "cross-device", "the names are on different file systems")
            (Exist, "exist", "the name is taken")
            (Exhausted, "exhausted", "every name tried was taken")
            (FileTooLarge, "file-too-large", "larger than the file system allows")
            (Invalid, "invalid", "the argument is out of range or does not fit")
            (InvalidName, "invalid-name", "names of this form are refused")
            (Io, "io", "the storage failed")
            (IsDirectory, "is-directory", "it is a directory")
            (NameTooLong, "name-too-long", "the name is too long")
            (NoEntry, "no-entry", "there is no such file or directory")
            (NoScratch, "no-scratch", "no directory for temporary files is usable")
            (NoSpace, "no-space", "the file system is full")
            (NotDirectory, "not-directory", "it is not a directory")
            (NotEmpty, "not-empty", "the directory is not empty")
            (OutOfHandles, "out-of-handles", "no handle is left")
            (OutOfMemory, "out-of-memory", "memory is exhausted")
            (Quota, "quota", "a limit is reached")
            (ReadOnly, "read-only", "the file system is read-only")
            (Replaced, "replaced", "the name belongs to another file now")
            (Unsupported, "unsupported", "not supported here")
        }
    };
}

macro_rules! define_codes {
    ($(($variant:ident, $name:literal, $cause:literal))*) => {
        /// Why an operation failed: `error-code` of the interface, one variant each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = concat!("`", $name, "`: ", $cause, ".")] $variant,)*
        }

        impl ErrorCode {
            /// Every code, in the order of the interface.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant),*];

            /// The code's name in the interface.
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $name,)* }
            }

            fn cause(self) -> &'static str {
                match self { $(ErrorCode::$variant => $cause,)* }
            }
        }
    };
}
for_each_code!([define_codes]);

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `convert_code!(code, From => To)`: the code of the same name in another type. Both are enums with one variant a
/// code; the match is exhaustive, so a code that one side lacks does not compile.
#[macro_export]
macro_rules! convert_code {
    ($code:expr, $from:ty => $to:ty) => {
        $crate::for_each_code!([$crate::__convert_code]($code)($from)($to))
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __convert_code {
    (($code:expr) ($from:ty) ($to:ty) $(($variant:ident, $name:literal, $cause:literal))*) => {
        match $code { $(<$from>::$variant => <$to>::$variant,)* }
    };
}

/// A failure: the code to act on, and a line for people. The line says the operation, the name as the caller knows
/// it, and the cause; it never holds anything the caller did not say or was not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What to act on.
    pub code: ErrorCode,
    /// One line for people.
    pub message: String,
}

impl Error {
    /// `operation "subject": cause (code)`.
    // Put together by hand, and never inlined: the formatting machinery is a tenth of the provider component, and a copy
    // of this at every `?` is another.
    #[cold]
    #[inline(never)]
    pub fn new(code: ErrorCode, operation: &str, subject: &str) -> Self {
        let mut message = String::from(operation);
        message.push(' ');
        push_quoted(&mut message, subject);
        for part in [": ", code.cause(), " (", code.as_str(), ")"] {
            message.push_str(part);
        }
        Error { code, message }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}

/// Gives a bare code its operation and subject.
pub(crate) trait Context<T> {
    fn during(self, operation: &str, subject: &str) -> Result<T, Error>;
}

impl<T> Context<T> for Result<T, ErrorCode> {
    fn during(self, operation: &str, subject: &str) -> Result<T, Error> {
        self.map_err(|code| Error::new(code, operation, subject))
    }
}

/// A name in quotes, on one line whatever it holds, and cut where it would fill a screen.
fn push_quoted(message: &mut String, name: &str) {
    const SHOWN: usize = 256;
    message.push('"');
    let mut chars = name.chars();
    for c in chars.by_ref().take(SHOWN) {
        match c {
            '"' | '\\' => message.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => message.extend(c.escape_unicode()),
            c => message.push(c),
        }
    }
    message.push_str(if chars.next().is_some() { "…\"" } else { "\"" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_and_bounded_whatever_the_name_holds() {
        let name = "a\nb\u{0}".repeat(1000);
        let error = Error::new(ErrorCode::InvalidName, "create", &name);
        assert!(!error.message.contains('\n'));
        assert!(!error.message.contains('\0'));
        assert!(error.message.len() < 2048, "{}", error.message.len());
        assert!(error.message.ends_with("(invalid-name)"));
    }

    #[test]
    fn a_code_survives_a_border() {
        mod wit {
            macro_rules! plain {
                ($(($variant:ident, $name:literal, $cause:literal))*) => {
                    #[derive(Debug, Clone, Copy, PartialEq)]
                    pub(super) enum Code { $($variant,)* }
                };
            }
            for_each_code!([plain]);
        }
        for &code in ErrorCode::ALL {
            let there = convert_code!(code, ErrorCode => wit::Code);
            assert_eq!(convert_code!(there, wit::Code => ErrorCode), code);
        }
    }
}
