//! The table of conditions, `conditions.txt`, which explains its form.

const TABLE: &str = include_str!("conditions.txt");

/// SQLSTATE (empty if there is none) and text of a condition. A condition that is not in the table, but whose parent
/// is, has the parent's.
pub(super) fn find(condition: &str) -> Option<(&'static str, String)> {
    let own = entry(condition);
    let Some((sqlstate, before)) = condition.split_once('.').and_then(|(parent, _)| entry(parent)) else {
        return own;
    };
    let text = own.map_or(String::new(), |(_, text)| text);
    let blank = if text.is_empty() || before.is_empty() { "" } else { " " };
    Some((sqlstate, format!("{before}{blank}{text}")))
}

fn entry(condition: &str) -> Option<(&'static str, String)> {
    let mut lines = TABLE.lines();
    let sqlstate = lines.find_map(|line| line.strip_prefix(condition)?.strip_prefix(' '))?;
    let text: Vec<&str> = lines.take_while(|line| line.starts_with(' ')).map(str::trim).collect();
    Some((sqlstate.trim_matches('-'), text.join(" ").replace("\\n", "\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_children_have_their_parents_state() {
        let heads = || TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with([' ', '#']));
        assert!(heads().is_sorted());
        for head in heads() {
            let (name, sqlstate) = head.split_once(' ').unwrap();
            assert_eq!(find(name).unwrap().0, sqlstate.trim_matches('-'), "{name}");
            assert!(name.split_once('.').is_none_or(|(parent, _)| entry(parent).is_some()), "{name}");
        }
    }
}
