//! What a case attaches to its failure, kept until it is known whether it fails.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use thiserror::Error;

use super::{
    Ctx,
    permission::{GivenUp, Permission},
};

/// How much all attachments of a case may have together, in bytes: they are kept in memory.
const LIMIT: usize = 8 << 20;
/// How long the name of one may be.
const LONGEST: usize = 100;

/// The attachments of one case, by name. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attachments(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

/// Why something could not be attached.
///
/// ```no_run
/// # use kindwright::{AttachError, CaseResult, Ctx};
/// # async fn case(ctx: Ctx) -> CaseResult {
/// if let Err(AttachError::TooMuch { left, .. }) = ctx.attach("report.json", vec![0; 9_000_000]) {
///     ctx.attach("report.json", format!("too long for {left} bytes"))?;
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttachError {
    /// It would be no file, or one elsewhere.
    #[error(
        "{name:?} is not a name for an attachment: use 1 to {LONGEST} of letters, digits and `_-.`, not `.` first"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The case has attached too much.
    #[error(
        "`{name}` has {size} bytes, and {left} of the {LIMIT} that a case may attach are left; attach only what explains a failure"
    )]
    TooMuch {
        /// What it is called.
        name: String,
        /// How many bytes it has.
        size: usize,
        /// How many bytes are left.
        left: usize,
    },
    /// The case is over.
    #[error(transparent)]
    GivenUp(#[from] GivenUp),
}

impl Ctx {
    /// Attaches something to the failure of this case, as a file of its evidence.
    ///
    /// It is kept if the case fails, without secrets where it is text, and dropped otherwise. A later one of
    /// the same name replaces it. All of a case together may have 8 MiB.
    ///
    /// ```no_run
    /// # async fn case(ctx: kindwright::Ctx) -> kindwright::CaseResult {
    /// let report = ctx.get("shop", "/report").send().await?;
    /// ctx.attach("report.json", report.text())?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The name is none of a file (letters, digits and `_-.`), or it is too much.
    pub fn attach(&self, name: &str, contents: impl Into<Vec<u8>>) -> Result<(), AttachError> {
        self.attachments().add(self.permission(), name, contents.into())
    }
}

impl Attachments {
    /// Keeps one; a later one of the same name replaces it.
    pub(super) fn add(
        &self,
        permission: &Permission,
        name: &str,
        contents: Vec<u8>,
    ) -> Result<(), AttachError> {
        permission.check()?;
        if !is_file_name(name) {
            return Err(AttachError::Name { name: name.to_owned() });
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others = all.iter().filter(|(other, _)| *other != name);
        let left = LIMIT - others.map(|(_, contents)| contents.len()).sum::<usize>();
        let size = contents.len();
        if size > left {
            return Err(AttachError::TooMuch { name: name.to_owned(), size, left });
        }
        all.insert(name.to_owned(), contents);
        Ok(())
    }

    /// Takes all of them.
    pub(crate) fn take(&self) -> BTreeMap<String, Vec<u8>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_file_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=LONGEST).contains(&name.len()) && !name.starts_with('.') && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attachment_has_the_name_of_a_file_that_stays_where_it_is_put() {
        assert!(["answer.json", "a", "Shot-2_b.png"].into_iter().all(is_file_name));
        let long = "a".repeat(LONGEST + 1);
        let bad = ["", ".", "..", ".hidden", "a/b", "a b", "ä.txt", "a\n", &long];
        assert!(!bad.into_iter().any(is_file_name));
    }

    #[test]
    fn the_latest_of_a_name_is_kept_and_all_together_have_a_limit() {
        let (attachments, permission) = (Attachments::default(), Permission::default());
        let add = |name: &str, size| attachments.add(&permission, name, vec![0; size]);
        add("a", LIMIT).unwrap();
        add("a", LIMIT - 2).unwrap();
        let error = add("b", 3).unwrap_err().to_string();
        assert!(error.starts_with("`b` has 3 bytes, and 2 of the 8388608"), "{error}");
        add("b", 2).unwrap();
        let sizes: Vec<_> = attachments.take().into_values().map(|kept| kept.len()).collect();
        assert_eq!(sizes, [LIMIT - 2, 2]);
    }

    #[test]
    fn a_case_that_is_over_attaches_nothing() {
        let (attachments, permission) = (Attachments::default(), Permission::default());
        permission.end();
        let added = attachments.add(&permission, "a", Vec::new());
        assert!(matches!(added, Err(AttachError::GivenUp(_))), "{added:?}");
        assert!(attachments.take().is_empty());
    }
}
