//! A plugin that does nothing: what an instance costs.

fn main() {}
