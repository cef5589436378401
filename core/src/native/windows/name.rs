//! Names in UTF-16, as the system takes them.

use std::ops::Deref;
use std::string::String;

use super::nt;
use crate::error::ErrorCode;
use crate::name::check_portable;
use crate::platform::name_to_str;

/// A name in UTF-16, on the stack: creation and removal allocate nothing for it.
pub(super) struct Name {
    units: [u16; nt::MAX_NAME],
    len: usize,
}

impl Name {
    fn push(&mut self, units: impl IntoIterator<Item = u16>) -> Result<(), ErrorCode> {
        for unit in units {
            *self.units.get_mut(self.len).ok_or(ErrorCode::NameTooLong)? = unit;
            self.len += 1;
        }
        Ok(())
    }
}

impl Deref for Name {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        &self.units[..self.len]
    }
}

/// A name as the system takes it: one component. What could lead elsewhere is refused, a stream of
/// the file (`name:stream`) included.
pub(super) fn wide(name: &[u8]) -> Result<Name, ErrorCode> {
    if name.iter().any(|byte| matches!(byte, b'\\' | b'/' | b':' | 0)) || name.is_empty() {
        return Err(ErrorCode::InvalidName);
    }
    let mut units = Name { units: [0; nt::MAX_NAME], len: 0 };
    let mut rest = name;
    while let Err(error) = str::from_utf8(rest) {
        let (valid, other) = rest.split_at(error.valid_up_to());
        units.push(name_to_str(valid).unwrap_or_default().encode_utf16())?;
        // Half of a surrogate pair, as a listing encodes it.
        let [0xED, high @ 0xA0..=0xBF, low @ 0x80..=0xBF, after @ ..] = other else {
            return Err(ErrorCode::InvalidName);
        };
        units.push([0xD000 | u16::from(high & 0x3F) << 6 | u16::from(low & 0x3F)])?;
        rest = after;
    }
    units.push(name_to_str(rest).unwrap_or_default().encode_utf16())?;
    Ok(units)
}

/// A name for something new: one that every program can use.
pub(super) fn new_name(name: &[u8]) -> Result<Name, ErrorCode> {
    let text = name_to_str(name).ok_or(ErrorCode::InvalidName)?;
    check_portable(text)?;
    wide(name)
}

/// Whether two names differ in nothing but case. The system compares names by an upper-case table
/// of its own, which is not quite Unicode's: for two names that are equal there and not here, a
/// rename that must not replace succeeds, and changes only the case of the name.
pub(super) fn is_same_name(one: &[u16], other: &[u16]) -> bool {
    let folded = |units: &[u16]| -> String {
        char::decode_utf16(units.iter().copied())
            .flat_map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER).to_uppercase())
            .collect()
    };
    one.len() == other.len() && folded(one) == folded(other)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::windows::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_listed_name_is_found_again_whatever_its_units() {
        for units in [
            &[u16::from(b'a')][..],
            &[0x00E9, 0x65E5],
            &[0xD83D, 0xDC4B],
            &[0xD800],
            &[u16::from(b'a'), 0xDFFF, u16::from(b'b'), 0xD800, u16::from(b'c')],
        ] {
            let listed = OsString::from_wide(units).into_encoded_bytes();
            assert_eq!(&*wide(&listed).unwrap(), units);
        }
    }

    #[test]
    fn no_name_leads_elsewhere() {
        for name in ["", "a\\b", "a/b", "a:b", "a\0b"] {
            assert_eq!(wide(name.as_bytes()).err(), Some(ErrorCode::InvalidName), "{name:?}");
        }
        assert_eq!(wide(b"\xFF").err(), Some(ErrorCode::InvalidName));
        assert_eq!(wide(&[b'x'; 256]).err(), Some(ErrorCode::NameTooLong));
        assert_eq!(wide(&[b'x'; 255]).unwrap().len(), 255);
    }
}
