//! Are the settings usable?

use super::{Check, Hint, Typed};

const ID: &str = "settings";

/// With any mistake, a server sends nothing to a shop.
pub(super) fn judge(mistakes: &[String], typed: &Typed) -> Check {
    let Some(first) = mistakes.first() else {
        return Check::fine(ID, "no mistakes");
    };
    let (what, hint) = first.split_once("; hint: ").unwrap_or((first, ""));
    let more = match mistakes.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let plain = hint.replace('`', "");
    let advice = if plain.is_empty() { "" } else { "; " };
    Check::error(
        ID,
        format!("{what}{more}"),
        Hint::run(
            format!("{plain}{advice}all mistakes, and where each value comes from"),
            typed.command("config"),
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use shared::paths::Home;

    use super::*;

    #[test]
    fn the_first_mistake_is_shown_with_its_hint_and_the_others_are_counted() {
        let typed = Typed::new(None, Path::new("/exe"), &Home::at("/h"), None);
        assert!(judge(&[], &typed).ok);
        let mistakes = [
            "`log`: `laud` is none of the words; hint: one of `off`, `warn`".to_owned(),
            "`x`: y; hint: z".to_owned(),
        ];
        let check = judge(&mistakes, &typed);
        assert_eq!(
            check.summary,
            "`log`: `laud` is none of the words (and 1 more)"
        );
        assert_eq!(
            check.hint.unwrap().to_string(),
            "one of off, warn; all mistakes, and where each value comes from: `/exe config`"
        );
    }
}
