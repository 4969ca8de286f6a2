//! Tests read the tables at the heads of the decoders, so that a table cannot say something else than the code.

/// The cells of the first table in a module's documentation, without its head.
pub(crate) fn rows(source: &str) -> Vec<Vec<String>> {
    let lines = source.lines().skip_while(|line| !line.starts_with("//! |"));
    let table = lines.take_while(|line| line.starts_with("//! |"));
    let cells = |line: &str| {
        let line = line.trim_start_matches("//! |").trim_end_matches('|');
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    table.skip(2).map(cells).collect()
}

/// Fields of a layout with fixed places, as `(name, offset, size)`; rows without a size are left out. Panics if
/// one does not start where the one before ends.
pub(crate) fn fields(source: &str) -> Vec<(String, usize, usize)> {
    let mut fields: Vec<(String, usize, usize)> = Vec::new();
    for row in rows(source) {
        let (Ok(offset), Ok(size)) = (row[1].parse(), row[2].parse()) else { continue };
        let end = fields.last().map_or(0, |(_, offset, size)| offset + size);
        assert_eq!(offset, end, "{} follows the field before", row[0]);
        fields.push((row[0].clone(), offset, size));
    }
    fields
}
