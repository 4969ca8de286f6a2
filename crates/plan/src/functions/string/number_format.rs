//! Formats of numbers in `to_char` and `to_number`: `[MI|S] [$] digits [.|D digits] [$] [PR|MI|S]`.
//!
//! | in a format | `to_number` | `to_char` |
//! |---|---|---|
//! | `0...` | exactly so many digits | zeros in front |
//! | `9...` | at most so many | blanks in front |
//! | `,` `G` | a group ends; the last groups count | a comma behind a digit, else a blank |
//! | `.` `D` | a point, if there is one | a point |
//! | `$` | a dollar sign | the same |
//! | `S` | a sign, if there is one | the sign |
//! | `MI` | a minus, if there is one | a minus or a blank |
//! | `PR` | angle brackets around negative numbers | the same, or two blanks |
//!
//! Letters may be of either case. A number with more digits than the format becomes `#` for each digit. Blanks between
//! digits are passed over; a sign in front of blanks moves behind them.

use crate::error::{Error, Result, SparkError};

/// A compiled format.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct NumberFormat {
    /// In upper case, as Spark names it in errors.
    pub text: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Token {
    /// Groups between separators, from the left.
    Digits(Vec<Group>),
    Point,
    Dollar,
    Sign,
    Minus,
    Open,
    Close,
    Other(char),
}

/// Runs of digits without a separator between them.
type Group = Vec<Run>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Run {
    length: usize,
    /// Whether all the digits must be there.
    exact: bool,
}

type Is = fn(&Token) -> bool;

/// The order in which tokens may stand.
const ORDER: [&[Is]; 8] = [
    &[|t| *t == Token::Open],
    &[|t| *t == Token::Minus, |t| *t == Token::Sign],
    &[|t| *t == Token::Dollar],
    &[|t| matches!(t, Token::Digits(_))],
    &[|t| *t == Token::Point],
    &[|t| matches!(t, Token::Digits(_))],
    &[|t| *t == Token::Dollar],
    &[|t| *t == Token::Minus, |t| *t == Token::Sign, |t| *t == Token::Close],
];

impl Token {
    fn describe(&self) -> String {
        match self {
            Self::Digits(_) => "digit sequence".to_owned(),
            Self::Point => ". or D".to_owned(),
            Self::Dollar => "$".to_owned(),
            Self::Sign => "S".to_owned(),
            Self::Minus => "MI".to_owned(),
            Self::Open | Self::Close => "PR".to_owned(),
            Self::Other(c) => format!("character '{c}''"),
        }
    }
}

fn digits(groups: &[Group]) -> usize {
    groups.iter().flatten().map(|run| run.length).sum()
}

impl NumberFormat {
    /// Compiles a format.
    ///
    /// # Errors
    /// `INVALID_FORMAT.*`, or more digits than a decimal has.
    pub fn new(format: &str) -> Result<Self> {
        let text = format.to_uppercase();
        let tokens = tokens(&text);
        let format = Self { text, tokens };
        format.check()?;
        let (precision, _) = format.decimal();
        if precision > 38 {
            let parameters = [("precision", precision.to_string()), ("maxPrecision", "38".to_owned())];
            return Err(SparkError::new("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", parameters).into());
        }
        Ok(format)
    }

    /// Precision and scale of the numbers that it describes.
    pub fn decimal(&self) -> (usize, usize) {
        let point = self.tokens.iter().position(|t| *t == Token::Point).unwrap_or(self.tokens.len());
        let count = |tokens: &[Token]| -> usize {
            tokens.iter().map(|t| if let Token::Digits(groups) = t { digits(groups) } else { 0 }).sum()
        };
        let scale = count(&self.tokens[point..]);
        (count(&self.tokens[..point]) + scale, scale)
    }

    fn check(&self) -> Result<()> {
        let fault = |child: &str, token: Option<String>| -> Result<()> {
            let format = ("format", format!("'{}'", self.text));
            let parameters = std::iter::once(format).chain(token.map(|token| ("token", token)));
            Err(Error::from(SparkError::new(&format!("INVALID_FORMAT.{child}"), parameters)))
        };
        let is_digits = |t: &Token| matches!(t, Token::Digits(_));
        let place = |wanted: &Token| self.tokens.iter().position(|t| t == wanted);
        let separated = |t: &Token| matches!(t, Token::Digits(groups) if groups.len() > 1);
        let lone = |t: &Token| matches!(t, Token::Digits(groups) if groups.iter().any(Vec::is_empty));
        if self.text.is_empty() {
            return fault("EMPTY", None);
        }
        if !self.tokens.iter().any(is_digits) {
            return fault("WRONG_NUM_DIGIT", None);
        }
        if place(&Token::Dollar).is_some_and(|at| self.tokens[..at].iter().any(is_digits)) {
            return fault("CUR_MUST_BEFORE_DIGIT", None);
        }
        let (point, dollar) = (place(&Token::Point), place(&Token::Dollar));
        if point.is_some_and(|point| dollar.is_some_and(|dollar| dollar > point)) {
            return fault("CUR_MUST_BEFORE_DEC", None);
        }
        if point.is_some_and(|point| self.tokens[point..].iter().any(separated)) {
            return fault("THOUSANDS_SEPS_MUST_BEFORE_DEC", None);
        }
        if self.tokens.iter().any(lone) {
            return fault("CONT_THOUSANDS_SEPS", None);
        }
        for token in [Token::Point, Token::Sign, Token::Dollar, Token::Minus, Token::Close] {
            if self.tokens.iter().filter(|t| **t == token).count() > 1 {
                return fault("WRONG_NUM_TOKEN", Some(token.describe()));
            }
        }
        let next = ORDER.iter().fold(0, |next, allowed| {
            let fits = self.tokens.get(next).is_some_and(|token| allowed.iter().any(|is| is(token)));
            next + usize::from(fits)
        });
        self.tokens.get(next).map_or(Ok(()), |token| fault("UNEXPECTED_TOKEN", Some(token.describe())))
    }

    /// The number of a text, as digits of the format's scale. None if the text is not of the format.
    pub fn parse(&self, text: &str) -> Option<i128> {
        let mut rest = text;
        let (mut whole, mut fraction) = (String::new(), String::new());
        let (mut behind_point, mut open, mut negative) = (false, false, false);
        let eat = |rest: &mut &str, sign: char| {
            let behind = rest.strip_prefix(sign);
            *rest = behind.unwrap_or(rest);
            behind.is_some()
        };
        for token in &self.tokens {
            match token {
                Token::Digits(groups) => {
                    let into = if behind_point { &mut fraction } else { &mut whole };
                    read_groups(groups, &mut rest, into)?;
                }
                Token::Point => behind_point = eat(&mut rest, '.'),
                Token::Dollar => {
                    if !eat(&mut rest, '$') {
                        return None;
                    }
                }
                Token::Sign => negative ^= !eat(&mut rest, '+') && eat(&mut rest, '-'),
                Token::Minus => negative ^= eat(&mut rest, '-'),
                Token::Open => open = eat(&mut rest, '<'),
                Token::Close => {
                    let closed = eat(&mut rest, '>');
                    if open != closed {
                        return None;
                    }
                    negative ^= closed;
                }
                Token::Other(_) => return None,
            }
        }
        if !rest.is_empty() || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let (_, scale) = self.decimal();
        let number: i128 = format!("{whole}{fraction:0<scale$}").parse().ok()?;
        Some(if negative { -number } else { number })
    }

    /// A decimal number without exponent, such as `-12.30`, in the format.
    pub fn format(&self, number: &str) -> String {
        let (negative, body) = number.strip_prefix('-').map_or((false, number), |body| (true, body));
        let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let (precision, scale) = self.decimal();
        let too_large = whole.len() > precision - scale || fraction.len() > scale;
        // Nothing but zeros has no sign.
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        let mut out = String::new();
        let mut behind_point = false;
        for token in &self.tokens {
            match token {
                Token::Digits(groups) if too_large => {
                    write_groups(groups, &"#".repeat(digits(groups)), &mut out)
                }
                Token::Digits(groups) if behind_point => {
                    write_groups(groups, &format!("{fraction:0<0$}", digits(groups)), &mut out);
                }
                Token::Digits(groups) => write_groups(groups, &filled(groups, whole), &mut out),
                Token::Point => {
                    if out.ends_with(' ') {
                        out.pop();
                        out.push('0');
                    }
                    out.push('.');
                    behind_point = true;
                }
                Token::Dollar => out.push('$'),
                Token::Sign => sign(&mut out, if negative { '-' } else { '+' }),
                Token::Minus if negative => sign(&mut out, '-'),
                Token::Open if negative => out.push('<'),
                Token::Close if negative => sign(&mut out, '>'),
                Token::Open => {}
                Token::Close => {
                    blank_for_point(&mut out);
                    out.push_str("  ");
                }
                Token::Minus => out.push(' '),
                Token::Other(c) => out.push(*c),
            }
        }
        blank_for_point(&mut out);
        out
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let (mut at, mut behind_point) = (0, false);
    while let Some(&c) = chars.get(at) {
        let run = chars[at..].iter().take_while(|c| matches!(c, '0' | '9')).count();
        let pair = (c, chars.get(at + 1).copied().unwrap_or(' '));
        at += match pair {
            ('M', 'I') | ('P', 'R') => 2,
            _ => run.max(1),
        };
        match pair {
            ('0' | '9', _) => {
                let run = Run { length: run, exact: c == '0' && !behind_point };
                match tokens.last_mut() {
                    Some(Token::Digits(groups)) => match groups.last_mut() {
                        Some(group) => group.push(run),
                        None => groups.push(vec![run]),
                    },
                    _ => tokens.push(Token::Digits(vec![vec![run]])),
                }
            }
            (',' | 'G', _) => match tokens.last_mut() {
                Some(Token::Digits(groups)) => groups.push(Vec::new()),
                _ => tokens.push(Token::Digits(vec![Vec::new(), Vec::new()])),
            },
            ('.' | 'D', _) => {
                behind_point = true;
                tokens.push(Token::Point);
            }
            ('$', _) => tokens.push(Token::Dollar),
            ('S', _) => tokens.push(Token::Sign),
            ('M', 'I') => tokens.push(Token::Minus),
            ('P', 'R') => {
                tokens.insert(0, Token::Open);
                tokens.push(Token::Close);
            }
            (other, _) => tokens.push(Token::Other(other)),
        }
    }
    tokens
}

/// Reads digits, blanks and separators. The last group of the text is the last of the format.
fn read_groups(groups: &[Group], rest: &mut &str, into: &mut String) -> Option<()> {
    let is_part = |c: char| c.is_ascii_digit() || c == ',' || c.is_whitespace();
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let (part, behind) = rest.split_at(end);
    *rest = behind;
    let found: Vec<String> =
        part.split(',').map(|group| group.chars().filter(char::is_ascii_digit).collect()).collect();
    if found.len() > groups.len() {
        return None;
    }
    let missing = groups.len() - found.len();
    for (at, group) in groups.iter().enumerate() {
        let text = at.checked_sub(missing).map_or("", |at| found[at].as_str());
        let (all, exact) = (group.iter().map(|run| run.length).sum(), group.iter().any(|run| run.exact));
        if text.len() > all || (exact && text.len() < all) {
            return None;
        }
        into.push_str(text);
    }
    Some(())
}

/// Digits in front of the point with zeros or blanks before them.
fn filled(groups: &[Group], whole: &str) -> String {
    let runs = groups.iter().flatten();
    let fill: String =
        runs.flat_map(|run| std::iter::repeat_n(if run.exact { '0' } else { ' ' }, run.length)).collect();
    let kept = fill.len() - whole.len().min(fill.len());
    format!("{}{whole}", &fill[..kept])
}

/// `text` has a character for each digit.
fn write_groups(groups: &[Group], text: &str, out: &mut String) {
    let mut rest = text.chars();
    for (at, group) in groups.iter().enumerate() {
        if at > 0 {
            let comma = out.ends_with(|c: char| c.is_ascii_digit());
            write(out, if comma { ',' } else { ' ' });
        }
        let length = group.iter().map(|run| run.length).sum();
        rest.by_ref().take(length).for_each(|c| write(out, c));
    }
}

/// A sign stays next to the digits: a blank goes in front of it.
fn write(out: &mut String, c: char) {
    match out.chars().last() {
        Some(sign @ ('+' | '-' | '<')) if c == ' ' => {
            out.pop();
            out.extend([' ', sign]);
        }
        _ => out.push(c),
    }
}

fn sign(out: &mut String, sign: char) {
    blank_for_point(out);
    let digits = out.trim_end_matches(' ').len();
    out.insert(digits.max(if out.trim().is_empty() { out.len() } else { 0 }), sign);
}

fn blank_for_point(out: &mut String) {
    if out.ends_with('.') {
        out.pop();
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_by_the_format() {
        let read = |format: &str, text: &str| NumberFormat::new(format).unwrap().parse(text);
        assert_eq!(read("9,999.9", "1,234.5"), Some(12_345));
        assert_eq!(read("99PR", "<12>"), Some(-12));
        assert_eq!(read("000", "07"), None);
        assert_eq!(read("9.9", "."), None);
    }

    #[test]
    fn numbers_are_written_in_the_format() {
        let write = |format: &str, number: &str| NumberFormat::new(format).unwrap().format(number);
        assert_eq!(write("S999,999.9", "1234.5"), "  +1,234.5");
        assert_eq!(write("99", "123.4"), "##");
        assert_eq!(write("9.9pr", "-0.5"), " <.5>");
        assert!(NumberFormat::new("9.9.9").is_err());
    }
}
