//! Conversions between core's types and the bindings'.

tempfile_core::conversions!(
    crate::bindings::exports::scratch::tempfile::tempfile,
    crate::bindings::exports::scratch::tempfile::ledger
);
