//! The values of options: sizes, durations, mounts, variables.

use std::num::{IntErrorKind, ParseIntError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use wasi_tempfile_host::Mount;

/// The provider of the interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    /// The built-in component.
    Component,
    /// This program itself.
    Host,
    /// A component in a file.
    File(PathBuf),
}

/// Parses `component`, `host`, or the path of a component. A file with one of these names can be
/// written `./host`.
pub(super) fn provider(text: &str) -> Result<Provider, String> {
    match text {
        "" => Err("expected `component`, `host` or a file".to_owned()),
        "component" => Ok(Provider::Component),
        "host" => Ok(Provider::Host),
        path if Path::new(path).exists() => Ok(Provider::File(path.into())),
        _ => {
            Err("there is no such file; expected `host`, `component` or a component's file"
                .to_owned())
        }
    }
}

/// Parses `64MiB`, `64M`, `1G`, `1T`, `4096`: bytes, in powers of 1024.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = split_number(text);
    let factor: u64 = match unit {
        "" | "B" => 1,
        "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        "T" | "TiB" => 1 << 40,
        _ => return Err("expected a number of bytes, such as 4096, 512K, 64MiB or 1G".to_owned()),
    };
    let number: u64 = whole_number(digits)?;
    number.checked_mul(factor).ok_or_else(|| "the number is too large".to_owned())
}

/// Parses the limit on memory: a size, and not 0, with which no plugin begins.
pub(super) fn memory(text: &str) -> Result<u64, String> {
    match size(text)? {
        0 => Err("a plugin cannot begin without memory".to_owned()),
        size => Ok(size),
    }
}

/// Parses a number of things.
pub(super) fn count(text: &str) -> Result<u64, String> {
    match split_number(text) {
        (digits, "") => whole_number(digits),
        _ => Err("expected a number without a unit, such as 1000".to_owned()),
    }
}

fn whole_number<N: FromStr<Err = ParseIntError>>(digits: &str) -> Result<N, String> {
    digits.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "the number is too large".to_owned(),
        _ => "expected a whole number first".to_owned(),
    })
}

/// Parses a limit on time: a duration, and not 0, in which no plugin ends.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("a plugin cannot end in no time".to_owned()),
        time => Ok(time),
    }
}

/// Parses an interval: a duration, and not 0, which would leave no time for anything else.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("an interval cannot be zero".to_owned()),
        time => Ok(time),
    }
}

/// Parses `500ms`, `10s`, `2m`, `1h`, or `10` for seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = split_number(text);
    let number: u32 = whole_number(digits)?;
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "" | "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3600),
        _ => return Err("expected a time, such as 500ms, 10s, 2m or 1h".to_owned()),
    };
    Ok(unit * number)
}

/// Parses `HOST::GUEST` or `HOST::GUEST:ro`.
pub(super) fn mount(text: &str) -> Result<Mount, String> {
    let (text, read_only) = match text.strip_suffix(":ro") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (host, guest) = text.split_once("::").ok_or("expected HOST::GUEST or HOST::GUEST:ro")?;
    if host.is_empty() {
        return Err("the directory of the host is missing".to_owned());
    }
    // Most likely a misspelt `:ro`, which must not become a directory of that name that is open for
    // writing.
    if guest.contains(':') {
        return Err("expected nothing, or `:ro`, after the path in the plugin".to_owned());
    }
    let mount = Mount::new(host, guest).map_err(|error| error.to_string())?;
    Ok(if read_only { mount.read_only() } else { mount })
}

/// Parses `NAME=VALUE`.
pub(super) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected NAME=VALUE".to_owned()),
    }
}

fn split_number(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_powers_of_1024() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("16MiB"), Ok(16 << 20));
        assert_eq!(size("2G"), Ok(2 << 30));
        for wrong in ["", "M", "-1", "1.5M", "1 M", "1MB", "18446744073709551616", "99999999999G"] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_time_without_a_unit_is_in_seconds() {
        assert_eq!(duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("4294967295h").map(|time| time.as_secs()), Ok(4_294_967_295 * 3600));
        for wrong in ["", "s", "-1s", "1d", "1.5s"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn limits_of_nothing_and_numbers_with_units_are_refused() {
        assert_eq!(memory("64MiB"), Ok(64 << 20));
        assert_eq!(timeout("1ms"), Ok(Duration::from_millis(1)));
        assert_eq!(count("1000"), Ok(1000));
        assert!(memory("0").is_err() && memory("0MiB").is_err());
        assert!(timeout("0").is_err() && timeout("0ms").is_err());
        assert_eq!(interval("1m"), Ok(Duration::from_secs(60)));
        assert!(interval("0").is_err() && interval("0ms").is_err());
        for wrong in ["", "1KiB", "-1", "1.5", "18446744073709551616"] {
            assert!(count(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_mount_has_two_sides() {
        assert!(mount("here::/data").is_ok());
        assert_eq!(mount("here::/data:ro"), mount("here::/data").map(Mount::read_only));
        for wrong in [
            "here",
            "here:/data",
            "::/data",
            "here::",
            "here::/tmp",
            "here::data",
            "here::/data:rw",
        ] {
            assert!(mount(wrong).is_err(), "{wrong:?}");
        }
    }
}
