//! The closed set of error codes, and the error that carries one to a person.

use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write as _};

use crate::limits::Refusal;

/// Calls the macro in brackets with every code: its variant, its name in WIT, and its cause in
/// words.
///
/// The only list of codes. The bindings of the provider component, the client and the host convert
/// codes by the exhaustive match that [`convert_code!`](crate::convert_code) expands to.
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
            (NotDurable, "not-durable", "done, but not yet on stable storage")
            (NotEmpty, "not-empty", "the directory is not empty")
            (Other, "other", "the system gave another cause")
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

/// `convert_code!(code, From => To)`: the code of the same name in another type. Both are enums
/// with one variant per code; the match is exhaustive, so a code that one side lacks does not
/// compile.
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

/// A failure: `error` of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The code that a program acts on.
    pub code: ErrorCode,
    /// One line for people: the operation, the name that was tried, and the cause. It contains
    /// nothing that the caller did not pass or was not told.
    pub message: String,
    /// The path that the operation was about, as the caller knows it; none if it is longer than a
    /// path and the path of a child together may be.
    pub path: Option<String>,
}

/// The longest path in an error, in bytes: a caller must not pay for a megabyte that it passed by
/// mistake, nor a host for one that was passed on purpose.
const MAX_SHOWN: usize = 8192;

impl Error {
    /// A failure that concerns `path`. The message is `operation "path": cause (code)`.
    #[cold]
    pub fn new(code: ErrorCode, operation: &str, path: &str) -> Self {
        Cause::from(code).at(operation, path)
    }

    /// A failure that concerns no path.
    #[cold]
    pub fn without_path(code: ErrorCode, operation: &str) -> Self {
        Cause::from(code).without_path(operation)
    }

    /// A failure that concerns a text which is no path. The message is `operation "text": cause
    /// (code)`.
    #[cold]
    pub fn about_text(code: ErrorCode, operation: &str, text: &str) -> Self {
        let message = format!("{operation} {}: {} ({code})", Quoted(text), Cause::from(code));
        Error { code, message, path: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}

/// Why something failed, before the operation and the path are known: a code and, if it does not
/// say enough, the rule that refused the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// What a program decides by.
    pub code: ErrorCode,
    /// What refused the request; none where the code says enough.
    reason: Option<Reason>,
}

/// What refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// A rule, in words.
    Rule(&'static str),
    Limit(Refusal),
}

impl Cause {
    /// A request that a rule refuses, such as "a path cannot contain a NUL".
    pub const fn rule(code: ErrorCode, rule: &'static str) -> Self {
        Cause { code, reason: Some(Reason::Rule(rule)) }
    }

    pub(crate) fn at(self, operation: &str, path: &str) -> Error {
        self.about(operation, path, path)
    }

    /// An error whose message shows `shown` instead of the path.
    #[cold]
    pub(crate) fn about(self, operation: &str, shown: &str, path: &str) -> Error {
        let message = format!("{operation} {}: {self} ({})", Quoted(shown), self.code);
        let path = (path.len() <= MAX_SHOWN).then(|| String::from(path));
        Error { code: self.code, message, path }
    }

    #[cold]
    pub(crate) fn without_path(self, operation: &str) -> Error {
        let message = format!("{operation}: {self} ({})", self.code);
        Error { code: self.code, message, path: None }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Some(Reason::Rule(rule)) => f.write_str(rule),
            Some(Reason::Limit(refusal)) => refusal.fmt(f),
            None => f.write_str(self.code.cause()),
        }
    }
}

impl From<ErrorCode> for Cause {
    fn from(code: ErrorCode) -> Self {
        Cause { code, reason: None }
    }
}

impl From<Refusal> for Cause {
    fn from(refusal: Refusal) -> Self {
        Cause { code: ErrorCode::Quota, reason: Some(Reason::Limit(refusal)) }
    }
}

/// Adds the operation and the path to a bare cause.
pub(crate) trait ResultExt<T> {
    fn at(self, operation: &str, path: &str) -> Result<T, Error>;
    fn without_path(self, operation: &str) -> Result<T, Error>;
}

impl<T, E: Into<Cause>> ResultExt<T> for Result<T, E> {
    fn at(self, operation: &str, path: &str) -> Result<T, Error> {
        self.map_err(|cause| cause.into().at(operation, path))
    }

    fn without_path(self, operation: &str) -> Result<T, Error> {
        self.map_err(|cause| cause.into().without_path(operation))
    }
}

/// A name in quotes, escaped to one line without control characters, and cut at 256 characters.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 256;
        f.write_char('"')?;
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(SHOWN) {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if is_hostile(c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        f.write_str(if chars.next().is_some() { "…\"" } else { "\"" })
    }
}

/// Whether a character may control a terminal or change the order of text around it.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
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
    fn a_path_that_no_file_can_have_is_left_out() {
        let error = |length| Error::new(ErrorCode::NameTooLong, "create", &"x".repeat(length));
        assert_eq!(error(MAX_SHOWN).path.map(|path| path.len()), Some(MAX_SHOWN));
        assert_eq!(error(MAX_SHOWN + 1).path, None);
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
