//! Why a case did not pass, with every cause in one text.

use std::{error::Error, fmt};

use crate::text::chain;

/// The outcome of one case.
///
/// ```
/// use kindwright::{CaseResult, Ctx};
///
/// async fn the_shop_is_open(ctx: Ctx) -> CaseResult {
///     ctx.get("shop", "/open").send().await?.expect(200)?;
///     Ok(())
/// }
/// ```
pub type CaseResult = Result<(), Failure>;

/// Why a case did not pass.
///
/// It is made from any error with `?`, by [`ensure!`](crate::ensure), or by one of these:
///
/// ```
/// use kindwright::{CaseResult, Ctx, Failure};
///
/// async fn the_shop_takes_vouchers(ctx: Ctx) -> CaseResult {
///     let answer = ctx.get("shop", "/features").send().await?.expect(200)?;
///     let features: Vec<String> = answer.json()?;
///     if !features.iter().any(|feature| feature == "vouchers") {
///         return Err(Failure::skip("this shop has no vouchers"));
///     }
///     let answer = ctx.post("shop", "/vouchers").send().await?;
///     if answer.status() >= 500 {
///         return Err(Failure::new(format_args!("the shop broke down:\n{}", answer.exchange())));
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Failure {
    text: String,
    skips: bool,
}

impl Failure {
    /// A failure that no other error explains.
    ///
    /// ```
    /// use kindwright::Failure;
    ///
    /// fn first(orders: &[String]) -> Result<&String, Failure> {
    ///     orders.first().ok_or_else(|| Failure::new("nothing was ordered"))
    /// }
    /// ```
    pub fn new(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), skips: false }
    }

    /// Says that the case cannot be judged here, and why: it is reported as ignored, with this reason.
    ///
    /// What the case has done is undone as after any other. A run in which no case was judged because all
    /// that ran skipped themselves is not green: it ends with exit code 70.
    ///
    /// ```no_run
    /// # use kindwright::{CaseResult, Ctx, Failure};
    /// # async fn case(ctx: Ctx) -> CaseResult {
    /// if ctx.get("shop", "/vouchers").send().await?.status() == 404 {
    ///     return Err(Failure::skip("this shop has no vouchers"));
    /// }
    /// # Ok(()) }
    /// ```
    pub fn skip(reason: impl fmt::Display) -> Self {
        Self { text: reason.to_string(), skips: true }
    }

    /// Whether the case skipped itself.
    pub(crate) fn skips(&self) -> bool {
        self.skips
    }

    /// The same, with when it happened.
    pub(crate) fn at(self, when: &str) -> Self {
        Self { text: format!("{when}: {}", self.text), ..self }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// `libtest_mimic::Failed` keeps the top line only; walk the causes while we still have them.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(chain(&error))
    }
}
