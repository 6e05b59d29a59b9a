//! How cases are listed, and how they fail.

/// Lists the named functions as cases, so that a name is written once.
///
/// ```
/// # use kindwright::{CaseResult, Ctx, Suite, cases};
/// # async fn an_order_is_taken(ctx: Ctx) -> CaseResult { Ok(()) }
/// # async fn an_order_is_paid(ctx: Ctx) -> CaseResult { Ok(()) }
/// let suite = Suite::new("shop", "shop-tests").cases(cases![an_order_is_taken, an_order_is_paid]);
/// ```
#[macro_export]
macro_rules! cases {
    ($($function:ident),* $(,)?) => {
        [$($crate::case!($function)),*]
    };
}

/// The named function as a case, for [`Suite::case`](crate::Suite::case) and what else is said of it.
///
/// ```
/// # use kindwright::{CaseResult, Ctx, Suite, case};
/// # async fn a_restart_loses_nothing(ctx: Ctx) -> CaseResult { Ok(()) }
/// let suite = Suite::new("shop", "shop-tests").case(case!(a_restart_loses_nothing).alone());
/// ```
#[macro_export]
macro_rules! case {
    ($function:ident) => {
        $crate::Case::named(stringify!($function), $function)
    };
}

/// The named function as a step, for [`Suite::step`](crate::Suite::step) and
/// [`Suite::after_cases`](crate::Suite::after_cases).
///
/// ```
/// # use kindwright::{CaseResult, Ctx, Suite, step};
/// # async fn open_the_shop(ctx: Ctx) -> CaseResult { Ok(()) }
/// let suite = Suite::new("shop", "shop-tests").step(step!(open_the_shop));
/// ```
#[macro_export]
macro_rules! step {
    ($function:ident) => {
        $crate::Step::named(stringify!($function), $function)
    };
}

/// Fails the case, with a message, unless the condition holds.
///
/// ```
/// # use kindwright::{Failure, ensure};
/// fn is_cheap(price: u32) -> Result<(), Failure> {
///     ensure!(price < 10, "it costs {price}");
///     Ok(())
/// }
///
/// assert!(is_cheap(9).is_ok() && is_cheap(10).is_err());
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return ::core::result::Result::Err($crate::Failure::new(format_args!($($message)+)));
        }
    };
}
