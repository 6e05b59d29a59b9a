//! The scheduling of a run, against a world made of memory.
