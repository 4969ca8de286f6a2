//! The declarations of a `.proto` text.
//!
//! Messages inside of messages are read by recursion, at most [`MAX_NESTING`] deep; whatever is passed over is counted
//! by its brackets, so it may be nested at will.

use super::lexer::{Lexer, Token};
use super::render::escaped;
use crate::protobuf::declared::{
    BYTES, Declared, DeclaredEnum, FieldDescriptor, File, GROUP, MESSAGE, SCALARS,
};
use crate::protobuf::set::MAX_NESTING;
use crate::{Error, Result};

/// Field numbers are below it.
const MAX_NUMBER: u64 = 1 << 29;

/// Reads a text; `name` is the path that others import it by.
pub(in crate::protobuf) fn parse(name: &str, text: &str) -> Result<File> {
    let mut parser = Parser { lexer: Lexer::new(text), token: Token::End, proto3: false };
    let parsed = parser.advance().and_then(|_| parser.file(text));
    parsed.map(|file| File { name: name.to_owned(), ..file }).map_err(|error| match error {
        Error::BadProto { line, why } if !name.is_empty() => {
            Error::BadProto { line, why: format!("{why} (in the imported file {name})") }
        }
        other => other,
    })
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The next one.
    token: Token<'a>,
    proto3: bool,
}

/// What stands before a field's type.
#[derive(Clone, Copy, PartialEq)]
enum Label {
    None,
    Optional,
    Required,
    Repeated,
}

impl<'a> Parser<'a> {
    /// Takes the next token.
    fn advance(&mut self) -> Result<Token<'a>> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn expected<T>(&self, what: &str) -> Result<T> {
        let found = match &self.token {
            Token::Word(word) => (*word).chars().take(40).collect(),
            Token::Integer(number) => number.to_string(),
            Token::Float(text) => (*text).chars().take(40).collect(),
            Token::String(_) => "a string".to_owned(),
            Token::Symbol(symbol) => char::from(*symbol).to_string(),
            Token::End => "the end of the text".to_owned(),
        };
        Err(self.lexer.error(format!("{what} was expected, and {found} found")))
    }

    fn is(&self, symbol: u8) -> bool {
        self.token == Token::Symbol(symbol)
    }

    /// Takes the symbol if it is the next token.
    fn accept(&mut self, symbol: u8) -> Result<bool> {
        let found = self.is(symbol);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, symbol: u8) -> Result<()> {
        if self.accept(symbol)? { Ok(()) } else { self.expected(&format!("{:?}", char::from(symbol))) }
    }

    fn word(&mut self) -> Result<&'a str> {
        let Token::Word(word) = self.token else { return self.expected("a name") };
        self.advance()?;
        Ok(word)
    }

    /// `a.b.c`, also with a dot before it.
    fn name(&mut self) -> Result<String> {
        let mut name = String::new();
        if self.accept(b'.')? {
            name.push('.');
        }
        name.push_str(self.word()?);
        while self.accept(b'.')? {
            name.push('.');
            name.push_str(self.word()?);
        }
        Ok(name)
    }

    fn string(&mut self) -> Result<String> {
        let bytes = self.bytes()?;
        String::from_utf8(bytes).map_err(|_| self.lexer.error("a string that is not UTF-8"))
    }

    /// Strings that follow each other are one.
    fn bytes(&mut self) -> Result<Vec<u8>> {
        let Token::String(_) = self.token else { return self.expected("a string") };
        let mut bytes = Vec::new();
        while let Token::String(part) = &mut self.token {
            bytes.append(part);
            self.advance()?;
        }
        Ok(bytes)
    }

    fn integer(&mut self) -> Result<u64> {
        let Token::Integer(number) = self.token else { return self.expected("a whole number") };
        self.advance()?;
        Ok(number)
    }

    fn file(&mut self, text: &str) -> Result<File> {
        let mut file = File { text: Some(text.to_owned()), ..File::default() };
        if matches!(self.token, Token::Word("syntax" | "edition")) {
            let is_edition = self.word()? == "edition";
            self.expect(b'=')?;
            self.proto3 = match self.string()?.as_str() {
                "proto2" if !is_edition => false,
                "proto3" if !is_edition => true,
                _ => {
                    return Err(self
                        .lexer
                        .error("files of editions are not supported yet; use proto2 or proto3"));
                }
            };
            self.expect(b';')?;
        }
        file.proto3 = self.proto3;
        loop {
            match self.token {
                Token::End => return Ok(file),
                Token::Symbol(b';') => drop(self.advance()?),
                Token::Word("package") => {
                    self.advance()?;
                    file.package = self.name()?;
                    self.expect(b';')?;
                }
                Token::Word("import") => {
                    self.advance()?;
                    if matches!(self.token, Token::Word("public" | "weak" | "option")) {
                        self.advance()?;
                    }
                    file.imports.push(self.string()?);
                    self.expect(b';')?;
                }
                Token::Word("message") => {
                    self.advance()?;
                    let name = self.word()?.to_owned();
                    file.messages.push(self.message(name, 0)?);
                }
                Token::Word("enum") => file.enums.push(self.enumeration()?),
                Token::Word("option" | "service" | "extend") => self.pass_statement()?,
                _ => return self.expected("message, enum, import, package, option, service or extend"),
            }
        }
    }

    /// Passes over all up to a `;` or the end of a block.
    fn pass_statement(&mut self) -> Result<()> {
        let mut depth = 0_usize;
        // An option's block is a value, behind which the statement goes on.
        let is_option = self.token == Token::Word("option");
        loop {
            match self.advance()? {
                Token::Symbol(b'{' | b'[' | b'(') => depth += 1,
                Token::Symbol(b']' | b')') => depth = depth.saturating_sub(1),
                Token::Symbol(b'}') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 && !is_option {
                        return Ok(());
                    }
                }
                Token::Symbol(b';') if depth == 0 => return Ok(()),
                Token::End => return self.expected("; or }"),
                _ => {}
            }
        }
    }

    /// What stands behind a message's name.
    fn message(&mut self, name: String, depth: usize) -> Result<Declared> {
        if depth > MAX_NESTING {
            return Err(self.lexer.error("message types are nested too deeply"));
        }
        let mut message = Declared { name, ..Declared::default() };
        self.expect(b'{')?;
        loop {
            match self.token {
                Token::Symbol(b'}') => {
                    self.advance()?;
                    return Ok(message);
                }
                Token::Symbol(b';') => drop(self.advance()?),
                Token::Word("message") => {
                    self.advance()?;
                    let name = self.word()?.to_owned();
                    message.nested.push(self.message(name, depth + 1)?);
                }
                Token::Word("enum") => message.enums.push(self.enumeration()?),
                Token::Word("oneof") => self.oneof(&mut message, depth)?,
                Token::Word("option" | "extend" | "reserved" | "extensions") => self.pass_statement()?,
                _ => self.labelled(&mut message, depth)?,
            }
        }
    }

    fn oneof(&mut self, message: &mut Declared, depth: usize) -> Result<()> {
        self.advance()?;
        let index = message.oneofs.len() as u32;
        message.oneofs.push(self.word()?.to_owned());
        self.expect(b'{')?;
        while !self.accept(b'}')? {
            if self.accept(b';')? {
                continue;
            }
            match self.token {
                Token::Word("option") => self.pass_statement()?,
                _ => self.field(message, Label::None, Some(index), depth)?,
            }
        }
        Ok(())
    }

    fn labelled(&mut self, message: &mut Declared, depth: usize) -> Result<()> {
        let label = match self.token {
            Token::Word("optional") => Label::Optional,
            Token::Word("required") => Label::Required,
            Token::Word("repeated") => Label::Repeated,
            _ => Label::None,
        };
        if label != Label::None {
            self.advance()?;
        }
        self.field(message, label, None, depth)
    }

    fn field(
        &mut self,
        message: &mut Declared,
        label: Label,
        oneof: Option<u32>,
        depth: usize,
    ) -> Result<()> {
        let mut field = FieldDescriptor {
            repeated: label == Label::Repeated,
            required: label == Label::Required,
            proto3_optional: self.proto3 && label == Label::Optional,
            proto3: self.proto3,
            oneof,
            ..FieldDescriptor::default()
        };
        let type_name = self.name()?;
        let entry = match type_name.as_str() {
            "map" if self.is(b'<') => Some(self.entry()?),
            _ => None,
        };
        let is_group = type_name == "group" && matches!(self.token, Token::Word(_));
        field.name = self.word()?.to_owned();
        self.expect(b'=')?;
        let number = self.integer()?;
        if number == 0 || number >= MAX_NUMBER {
            return Err(self.lexer.error(format!("field {} has no number from 1 to 2^29 - 1", field.name)));
        }
        field.number = number as u32;
        match SCALARS.iter().find(|(name, _)| *name == type_name) {
            Some((_, kind)) => field.kind = *kind,
            None => field.type_name = type_name.into(),
        }
        if let Some(entry) = entry {
            let name = format!("{}Entry", pascal_case(&field.name));
            (field.repeated, field.kind, field.type_name) = (true, MESSAGE, name.as_str().into());
            message.nested.push(Declared { name, is_map_entry: true, fields: entry, ..Declared::default() });
        }
        if self.accept(b'[')? {
            self.options(&mut field)?;
        }
        if is_group {
            let name = std::mem::take(&mut field.name);
            (field.kind, field.type_name) = (GROUP, name.as_str().into());
            field.name = name.to_ascii_lowercase();
            message.nested.push(self.message(name, depth + 1)?);
        } else {
            self.expect(b';')?;
        }
        message.fields.push(field);
        Ok(())
    }

    /// `<key, value>` as the fields of an entry.
    fn entry(&mut self) -> Result<Vec<FieldDescriptor>> {
        self.expect(b'<')?;
        let mut fields = Vec::new();
        for (number, name, end) in [(1, "key", b','), (2, "value", b'>')] {
            let type_name = self.name()?;
            self.expect(end)?;
            let kind = SCALARS.iter().find(|(name, _)| *name == type_name).map(|(_, kind)| *kind);
            fields.push(FieldDescriptor {
                name: name.to_owned(),
                number,
                kind: kind.unwrap_or_default(),
                type_name: if kind.is_some() { "".into() } else { type_name.into() },
                proto3: self.proto3,
                ..FieldDescriptor::default()
            });
        }
        Ok(fields)
    }

    /// Options of a field behind the `[`.
    fn options(&mut self, field: &mut FieldDescriptor) -> Result<()> {
        loop {
            match self.token {
                Token::Word("packed") => {
                    self.advance()?;
                    self.expect(b'=')?;
                    field.packed = Some(self.word()? == "true");
                }
                Token::Word("default") => {
                    self.advance()?;
                    self.expect(b'=')?;
                    field.default = Some(self.constant(field.kind == BYTES)?);
                }
                _ => self.pass_option()?,
            }
            if self.accept(b']')? {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// Passes over an option up to the `,` or `]` behind it.
    fn pass_option(&mut self) -> Result<()> {
        let mut depth = 0_usize;
        loop {
            match self.token {
                Token::Symbol(b',' | b']') if depth == 0 => return Ok(()),
                Token::Symbol(b'{' | b'[' | b'(') => depth += 1,
                Token::Symbol(b'}' | b']' | b')') => depth = depth.saturating_sub(1),
                Token::End => return self.expected("]"),
                _ => {}
            }
            self.advance()?;
        }
    }

    /// A default value as descriptors write it: a string as it is, bytes with C's escapes.
    fn constant(&mut self, is_bytes: bool) -> Result<String> {
        let sign = if self.accept(b'-')? {
            "-"
        } else {
            self.accept(b'+')?;
            ""
        };
        match self.token {
            Token::String(_) if is_bytes => self.bytes().map(|bytes| escaped(&bytes)),
            Token::String(_) => self.string(),
            Token::Integer(number) => self.advance().map(|_| format!("{sign}{number}")),
            Token::Float(text) => self.advance().map(|_| format!("{sign}{text}")),
            Token::Word(word) => self.advance().map(|_| format!("{sign}{word}")),
            _ => self.expected("a value"),
        }
    }

    fn enumeration(&mut self) -> Result<DeclaredEnum> {
        self.advance()?;
        let mut found = DeclaredEnum { name: self.word()?.to_owned(), values: Vec::new() };
        self.expect(b'{')?;
        while !self.accept(b'}')? {
            match self.token {
                Token::Symbol(b';') => drop(self.advance()?),
                Token::Word("option" | "reserved") => self.pass_statement()?,
                _ => {
                    let name = self.word()?.to_owned();
                    self.expect(b'=')?;
                    let is_negative = self.accept(b'-')?;
                    let number = i64::try_from(self.integer()?).unwrap_or(i64::MAX);
                    let number = i32::try_from(if is_negative { -number } else { number });
                    let number =
                        number.map_err(|_| self.lexer.error(format!("the value {name} is no int32")))?;
                    if self.accept(b'[')? {
                        self.options(&mut FieldDescriptor::default())?;
                    }
                    self.expect(b';')?;
                    found.values.push((name, number));
                }
            }
        }
        Ok(found)
    }
}

/// `order_lines` as `OrderLines`: how the message of a map's entries is named.
fn pascal_case(name: &str) -> String {
    let parts = name.split('_').map(|part| {
        let mut letters = part.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    });
    parts.collect()
}
