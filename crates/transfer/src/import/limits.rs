//! How much one import takes in.

/// Upper bounds, whatever is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of an archive, those of archives in it too.
    pub entries: usize,
    /// Bytes of everything, inflated.
    pub inflated_bytes: u64,
    /// How many times its packed size an entry of more than a mebibyte may be.
    pub ratio: u64,
    /// Archives in one another; 1 takes none inside.
    pub depth: usize,
    /// Bytes of one page's file.
    pub page_bytes: u64,
    /// Bytes of one file that a page shows. What a page's file may have counts too, and is less on most installations.
    pub file_bytes: u64,
    /// Pages.
    pub pages: usize,
    /// Files beside pages.
    pub files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 20_000,
            inflated_bytes: 2 << 30,
            ratio: 200,
            depth: 2,
            page_bytes: 32 << 20,
            file_bytes: 1 << 30,
            pages: 5_000,
            files: 10_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_file_a_page_may_have_comes_back_out_of_a_bundle() {
        assert!(Limits::default().file_bytes >= attachments::Limits::default().file_bytes);
    }
}
