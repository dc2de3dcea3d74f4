//! Corpus, invariants and fake servers for the tests of this workspace.
