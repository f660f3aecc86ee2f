//! Stories of the feature, told through HTTP on both engines.

mod do_not_call;
mod imports;
mod lists;
mod peer;
mod sources;
mod workbooks;
mod world;
