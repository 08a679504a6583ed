//! How large a page and its parts may be. Told to every live client at its hello.

/// Limits on what one page takes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one change, inflated.
    pub change_bytes: usize,
    /// Operations in one change.
    pub change_ops: usize,
    /// Changes in one message, and operations in one batch of the JSON protocol.
    pub batch: usize,
    /// UTF-8 bytes of text in one block.
    pub block_text_bytes: usize,
    /// Blocks on one page, deleted ones included.
    pub blocks: usize,
    /// Bytes of the page, counted as the sum of its changes since the last save plus that save.
    pub document_bytes: usize,
    /// Maps and lists inside one another.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            change_bytes: 4 << 20,
            change_ops: 50_000,
            batch: 1_000,
            block_text_bytes: 256 << 10,
            blocks: 50_000,
            document_bytes: 8 << 20,
            nesting: 16,
        }
    }
}
