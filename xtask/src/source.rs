//! Reading Rust sources as tokens: the SQL texts and the problems that they declare.

use std::{collections::BTreeSet, str::FromStr};

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One `sql!("…")` of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sql {
    /// The line of the literal, from 1.
    pub(crate) line: usize,
    /// The engine that it is for; `None` for both.
    pub(crate) engine: Option<Engine>,
    /// The text as the program sends it.
    pub(crate) text: String,
}

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Engine {
    /// The embedded one.
    Sqlite,
    /// PostgreSQL.
    Pg,
}

impl Engine {
    /// The word that `sql!` and the log of executed texts use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Pg => "pg",
        }
    }

    /// The engine of that word.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Sqlite, Self::Pg].into_iter().find(|engine| engine.name() == name)
    }
}

/// One problem of a `problems! { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The line of its code.
    pub(crate) line: usize,
    /// The HTTP status.
    pub(crate) status: String,
    /// The stable code.
    pub(crate) code: String,
    /// The English sentence.
    pub(crate) detail: String,
    /// The names of its values.
    pub(crate) params: Vec<String>,
    /// The doc comment.
    pub(crate) about: String,
}

/// One `Topic::new(pattern, permission, …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    /// Its line.
    pub(crate) line: usize,
    /// The first argument as it is written.
    pub(crate) pattern: String,
    /// The second argument as it is written, without blanks.
    pub(crate) permission: String,
}

/// What the product's part of a source declares; `#[cfg(test)]` modules are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Source {
    /// Texts marked with `sql!`.
    pub(crate) sql: Vec<Sql>,
    /// Texts that look like SQL and are not marked, with their lines.
    pub(crate) unmarked: Vec<(usize, String)>,
    /// Problems.
    pub(crate) problems: Vec<Problem>,
    /// Live topics.
    pub(crate) topics: Vec<Topic>,
    /// Codes of faults of single fields, with their lines.
    pub(crate) faults: Vec<(usize, String)>,
    /// Every text that could be a code: small letters, digits and low lines.
    pub(crate) codes: BTreeSet<String>,
    /// Lines of calls of `pick`.
    pub(crate) picks: Vec<usize>,
    /// Names of `mod name;` declarations, tests included.
    pub(crate) modules: Vec<String>,
    /// Names of the schemas that types derive for the description of the API, with their lines.
    pub(crate) schemas: Vec<(usize, String)>,
}

impl Source {
    /// Reads the source `text`.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let tokens = TokenStream::from_str(text).map_err(|error| anyhow!("{error}"))?;
        let mut source = Self::default();
        source.walk(tokens, false)?;
        Ok(source)
    }

    fn walk(&mut self, tokens: TokenStream, in_test: bool) -> Result<()> {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        // Set by `#[cfg(test)]`, and used up by the next braces or semicolon.
        let mut test_item = false;
        let mut schema = Schema::default();
        while at < tokens.len() {
            let skipped = in_test || test_item;
            at += match &tokens[at..] {
                [TokenTree::Punct(mark), TokenTree::Group(group), ..] if mark.as_char() == '#' => {
                    let text = group.stream().to_string().replace(' ', "");
                    test_item |= text == "cfg(test)" || text == "test";
                    schema.hear(&text);
                    2
                }
                [TokenTree::Ident(word), TokenTree::Ident(name), ..]
                    if word == "struct" || word == "enum" =>
                {
                    let named = std::mem::take(&mut schema).of(name);
                    self.schemas.extend(named.filter(|_| !skipped));
                    2
                }
                [TokenTree::Ident(name), TokenTree::Punct(mark), TokenTree::Group(group), ..]
                    if mark.as_char() == '!' && (name == "sql" || name == "problems") =>
                {
                    if !skipped {
                        self.macro_call(&name.to_string(), group.stream())?;
                    }
                    3
                }
                [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(end), ..]
                    if word == "mod" && end.as_char() == ';' =>
                {
                    self.modules.push(name.to_string());
                    test_item = false;
                    3
                }
                [TokenTree::Group(group), ..] => {
                    self.walk(group.stream(), skipped)?;
                    test_item &= group.delimiter() != Delimiter::Brace;
                    1
                }
                [TokenTree::Punct(mark), ..] if mark.as_char() == ';' => {
                    test_item = false;
                    1
                }
                rest => {
                    if !skipped {
                        self.look(rest);
                    }
                    1
                }
            };
        }
        Ok(())
    }

    /// Keeps what begins here, if it is a call or a text that matters.
    fn look(&mut self, tokens: &[TokenTree]) {
        match tokens {
            [TokenTree::Punct(dot), TokenTree::Ident(name), TokenTree::Group(arguments), ..]
                if dot.as_char() == '.' =>
            {
                if name == "pick" {
                    self.picks.push(name.span().start().line);
                }
                self.faults.extend(fault(&name.to_string(), arguments.stream()));
            }
            [
                TokenTree::Ident(kind),
                TokenTree::Punct(_),
                TokenTree::Punct(colon),
                TokenTree::Ident(new),
                TokenTree::Group(arguments),
                ..,
            ] if kind == "Topic" && colon.as_char() == ':' && new == "new" => {
                self.topics.push(topic(kind.span().start().line, arguments.stream()));
            }
            [TokenTree::Literal(literal), ..] => {
                let Some(text) = string(literal) else { return };
                if looks_like_sql(&text) {
                    self.unmarked.push((literal.span().start().line, text));
                } else if looks_like_code(&text) {
                    self.codes.insert(text);
                }
            }
            _ => {}
        }
    }

    fn macro_call(&mut self, name: &str, body: TokenStream) -> Result<()> {
        let tokens: Vec<TokenTree> = body.into_iter().collect();
        if name == "problems" {
            self.problems.extend(problems(&tokens));
            return Ok(());
        }
        let (engine, literal) = match tokens.as_slice() {
            [TokenTree::Literal(literal)] => (None, literal),
            [TokenTree::Ident(engine), TokenTree::Punct(_), TokenTree::Literal(literal)] => {
                let word = engine.to_string();
                let engine = Engine::named(&word);
                let engine = engine.ok_or_else(|| anyhow!("sql!({word}: …): no such engine"))?;
                (Some(engine), literal)
            }
            // The macro's own definition.
            _ => return Ok(()),
        };
        let line = literal.span().start().line;
        let text = string(literal).ok_or_else(|| anyhow!("line {line}: sql! takes a text"))?;
        self.sql.push(Sql { line, engine, text });
        Ok(())
    }
}

/// What the attributes before a type say of its schema.
#[derive(Default)]
struct Schema {
    derived: bool,
    name: Option<String>,
}

impl Schema {
    /// Takes in an attribute, written without blanks.
    fn hear(&mut self, attribute: &str) {
        let words = |list: &str| list.split([',', '(', ')']).any(|word| word == "ToSchema");
        self.derived |= attribute.strip_prefix("derive(").is_some_and(words);
        let inner = attribute.strip_prefix("schema(").and_then(|rest| rest.strip_suffix(')'));
        for part in inner.into_iter().flat_map(|parts| parts.split(',')) {
            self.name = part.strip_prefix("as=").map(str::to_owned).or(self.name.take());
        }
    }

    /// The schema of the type `name`, if it derives one.
    fn of(self, name: &proc_macro2::Ident) -> Option<(usize, String)> {
        let line = name.span().start().line;
        self.derived.then(|| (line, self.name.unwrap_or_else(|| name.to_string())))
    }
}

fn topic(line: usize, arguments: TokenStream) -> Topic {
    let mut parts = split(arguments)
        .into_iter()
        .map(|part| part.into_iter().map(|token| token.to_string()).collect::<String>());
    let (pattern, permission) = (parts.next(), parts.next());
    Topic { line, pattern: pattern.unwrap_or_default(), permission: permission.unwrap_or_default() }
}

fn string(literal: &proc_macro2::Literal) -> Option<String> {
    syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|text| text.value())
}

/// Methods of `http_kit::Fields` that take a code, and which of their arguments it is.
const FAULTS: &[(&str, usize)] = &[("fault", 1), ("fault_with", 1), ("check", 2)];

/// The code of a fault, if it stands there as a text.
fn fault(method: &str, arguments: TokenStream) -> Option<(usize, String)> {
    let (_, place) = FAULTS.iter().find(|(name, _)| *name == method)?;
    let argument = split(arguments).into_iter().nth(*place)?;
    let [TokenTree::Literal(literal)] = argument.as_slice() else { return None };
    let code = string(literal).filter(|text| looks_like_code(text))?;
    Some((literal.span().start().line, code))
}

/// The arguments of a call.
fn split(arguments: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for token in arguments {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(mark), _) if mark.as_char() == ',' => parts.push(Vec::new()),
            (_, Some(part)) => part.push(token),
            (_, None) => {}
        }
    }
    parts
}

fn looks_like_code(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Texts that begin like a statement, and are longer than the word alone.
fn looks_like_sql(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let (Some(first), Some(second)) = (words.next(), words.next()) else { return false };
    match first {
        "SELECT" | "UPDATE" | "WITH" => words.next().is_some(),
        "INSERT" => second == "INTO",
        "DELETE" => second == "FROM",
        _ => false,
    }
}

/// `/// doc … Name { params } = (404, "code", "detail"),` again and again, inside the enum's braces.
fn problems(tokens: &[TokenTree]) -> Vec<Problem> {
    let Some(TokenTree::Group(body)) = tokens.last() else { return Vec::new() };
    let mut found = Vec::new();
    let mut about = String::new();
    let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let Some(TokenTree::Punct(mark)) = before else { continue };
        let parts: Vec<TokenTree> = group.stream().into_iter().collect();
        match (mark.as_char(), parts.as_slice()) {
            ('#', [TokenTree::Ident(doc), _, TokenTree::Literal(text)]) if doc == "doc" => {
                let line = string(text).unwrap_or_default();
                about.push_str(line.strip_prefix(' ').unwrap_or(&line));
                about.push('\n');
            }
            (
                '=',
                [
                    TokenTree::Literal(status),
                    _,
                    TokenTree::Literal(code),
                    _,
                    TokenTree::Literal(detail),
                    ..,
                ],
            ) => {
                found.push(Problem {
                    line: code.span().start().line,
                    status: status.to_string(),
                    code: string(code).unwrap_or_default(),
                    detail: string(detail).unwrap_or_default(),
                    params: params(&tokens[..at]),
                    about: std::mem::take(&mut about),
                });
            }
            _ => {}
        }
    }
    found
}

/// The fields of the variant that `= (…)` belongs to: `Name { field: Type, … } =`.
fn params(before: &[TokenTree]) -> Vec<String> {
    let [.., TokenTree::Group(fields), TokenTree::Punct(_)] = before else { return Vec::new() };
    if fields.delimiter() != Delimiter::Brace {
        return Vec::new();
    }
    let tokens: Vec<TokenTree> = fields.stream().into_iter().collect();
    let mut names = Vec::new();
    let mut is_first = true;
    for token in &tokens {
        match token {
            TokenTree::Ident(name) if is_first => {
                names.push(name.to_string());
                is_first = false;
            }
            TokenTree::Punct(mark) if mark.as_char() == ',' => is_first = true,
            TokenTree::Ident(_)
            | TokenTree::Punct(_)
            | TokenTree::Group(_)
            | TokenTree::Literal(_) => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_tells_its_sql_its_problems_and_its_modules() {
        let source = Source::read(
            r#"
            mod store;
            fn f(tx: &mut Tx) {
                tx.exec(sql!("INSERT INTO a (b) VALUES ($1) \
                    RETURNING b"), args![1]);
                tx.pick(sql!(sqlite: "SELECT 1"), sql!(pg: "SELECT 2"));
                tx.exec("DELETE FROM a", args![]);
                say("SELECT nothing");
                fields.check("hours", a < b, "reversed", "The end lies first.");
                fields.fault(name, "unknown_zone", "No such zone.");
                fields.check(1, 2);
                socket.topic(Topic::new("a:{id}", Permission::AView, |x, y| async { x }));
            }
            problems! {
                /// All of it.
                pub enum P {
                    /// Gone.
                    /// For good.
                    Missing { id: u8, name: Option<String> } = (404, "a_missing", "There is no {id}."),
                }
            }
            #[cfg(test)]
            mod tests { fn g() { sql!("SELECT 3"); } }
            "#,
        )
        .unwrap();
        let texts: Vec<_> = source.sql.iter().map(|sql| (sql.engine, sql.text.as_str())).collect();
        assert_eq!(
            texts,
            [
                (None, "INSERT INTO a (b) VALUES ($1) RETURNING b"),
                (Some(Engine::Sqlite), "SELECT 1"),
                (Some(Engine::Pg), "SELECT 2"),
            ]
        );
        assert_eq!(source.sql[0].line, 4);
        assert_eq!(source.unmarked, [(7, "DELETE FROM a".to_owned())]);
        let topic = Topic {
            line: 12,
            pattern: "\"a:{id}\"".to_owned(),
            permission: "Permission::AView".to_owned(),
        };
        assert_eq!(source.topics, [topic]);
        let faults: Vec<_> =
            source.faults.iter().map(|(line, code)| (*line, code.as_str())).collect();
        assert_eq!(faults, [(9, "reversed"), (10, "unknown_zone")]);
        assert!(source.codes.contains("hours") && !source.codes.contains("SELECT nothing"));
        assert_eq!(source.picks.len(), 1);
        assert_eq!(source.modules, ["store"]);
        let [problem] = source.problems.as_slice() else { panic!("{:?}", source.problems) };
        assert_eq!((problem.status.as_str(), problem.code.as_str()), ("404", "a_missing"));
        assert_eq!(problem.params, ["id", "name"]);
        assert_eq!(problem.about, "Gone.\nFor good.\n");
    }
}
