//! Conversions between core's types and the bindings'.

tempfile_core::conversions!(super::interface::tempfile, super::interface::ledger);
