//! What names mean: the columns of a relation, their qualifiers, and how a dotted name finds one.
//!
//! Rules (Spark's): names are compared without regard to case unless `spark.sql.caseSensitive`; a name whose
//! first parts are a relation's alias means that relation's column, else its first part is a column and the
//! rest are fields of it; two columns that fit are an error, also when they are equal.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::logical_expr::Expr;

use crate::error::Result;
use crate::types::{SparkType, StructField, StructType};

use super::conditions as errors;
use super::typed::{Label, Typed};

/// At most so many names are proposed for one that is unknown.
const PROPOSALS: usize = 5;

/// A column of a relation.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    /// As the user sees it.
    pub name: Arc<str>,
    /// Alias of its relation, if any; outer parts first.
    pub qualifier: Vec<String>,
    /// Its name in the plan, unique there.
    pub column: String,
    /// Its type.
    pub data_type: SparkType,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Delay of the watermark on it, in microseconds.
    pub watermark: Option<i64>,
}

impl Attribute {
    /// The reference to it in the plan.
    pub fn expr(&self) -> Expr {
        column(&self.column)
    }

    /// As an expression.
    pub fn typed(&self) -> Typed {
        Typed {
            expr: self.expr(),
            data_type: self.data_type.clone(),
            nullable: self.nullable,
            sql: self.name.to_string(),
            label: Label::Attribute(self.name.to_string()),
            foldable: false,
        }
    }

    fn path(&self) -> Vec<String> {
        let mut path = self.qualifier.clone();
        path.push(self.name.to_string());
        path
    }
}

/// The columns that names may mean.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// In the order of `*`.
    pub attributes: Vec<Attribute>,
    /// Columns that a qualified name finds though `*` does not: the other side's keys of a USING join.
    pub hidden: Vec<Attribute>,
    /// Columns that a name finds when neither of the others has it: what is below a select list, for ORDER
    /// BY.
    pub fallback: Vec<Attribute>,
    /// `spark.sql.caseSensitive`.
    pub case_sensitive: bool,
}

impl Scope {
    /// The columns as the user sees them.
    pub fn schema(&self) -> StructType {
        let field = |a: &Attribute| StructField::new(a.name.clone(), a.data_type.clone(), a.nullable);
        self.attributes.iter().map(field).collect()
    }

    /// Makes `alias` the qualifier of every column.
    pub fn qualify(&mut self, alias: &str) {
        self.hidden.clear();
        for attribute in &mut self.attributes {
            attribute.qualifier = vec![alias.to_owned()];
        }
    }

    /// Whether two names are the same.
    pub fn same(&self, a: &str, b: &str) -> bool {
        same_name(a, b, self.case_sensitive)
    }

    /// The column that the first of `parts` mean, and the parts left over, which are fields. None if
    /// no column fits.
    ///
    /// # Errors
    /// Several columns fit.
    pub fn lookup<'a>(&self, parts: &'a [String]) -> Result<Option<(&Attribute, &'a [String])>> {
        for taken in (2..=parts.len()).rev() {
            let (qualifier, name) = (&parts[..taken - 1], &parts[taken - 1]);
            let fits = |a: &&Attribute| self.qualified(a, qualifier) && self.same(&a.name, name);
            for columns in [&self.attributes, &self.hidden, &self.fallback] {
                let found: Vec<&Attribute> = columns.iter().filter(fits).collect();
                if let Some(attribute) = single(&found, parts)? {
                    return Ok(Some((attribute, &parts[taken..])));
                }
            }
        }
        let Some(first) = parts.first() else { return Ok(None) };
        for columns in [&self.attributes, &self.fallback] {
            let found: Vec<&Attribute> = columns.iter().filter(|a| self.same(&a.name, first)).collect();
            if let Some(attribute) = single(&found, parts)? {
                return Ok(Some((attribute, &parts[1..])));
            }
        }
        Ok(None)
    }

    /// The columns of the relation that `target` names; empty if there is none.
    pub fn of_relation(&self, target: &[String]) -> Vec<&Attribute> {
        self.attributes.iter().chain(&self.hidden).filter(|a| self.qualified(a, target)).collect()
    }

    /// Columns by a name of one part, all that fit.
    pub fn named(&self, name: &str) -> Vec<usize> {
        (0..self.attributes.len()).filter(|&i| self.same(&self.attributes[i].name, name)).collect()
    }

    /// The error for a name that means nothing here, with the most similar names.
    pub fn unresolved(&self, parts: &[String]) -> crate::error::Error {
        let mut paths: Vec<Vec<String>> = self.attributes.iter().map(Attribute::path).collect();
        // Equally similar names come by the alphabet, whatever they are qualified with.
        paths.sort_by(|a, b| a.last().cmp(&b.last()));
        let one_qualifier = paths.windows(2).all(|p| p[0][..p[0].len() - 1] == p[1][..p[1].len() - 1]);
        let base = parts.join(".");
        let mut candidates: Vec<(usize, String)> = paths
            .iter()
            .map(|path| {
                let shown = if one_qualifier && parts.len() == 1 { &path[path.len() - 1..] } else { path };
                let shown = errors::identifier(shown);
                (strsim::levenshtein(&shown, &base), shown)
            })
            .collect();
        candidates.sort_by_key(|(distance, _)| *distance);
        let proposal: Vec<String> = candidates.into_iter().map(|(_, name)| name).take(PROPOSALS).collect();
        errors::unresolved_column(parts, &proposal)
    }

    fn qualified(&self, attribute: &Attribute, qualifier: &[String]) -> bool {
        let own = &attribute.qualifier;
        own.len() >= qualifier.len()
            && !qualifier.is_empty()
            && own[own.len() - qualifier.len()..].iter().zip(qualifier).all(|(a, b)| self.same(a, b))
    }
}

/// A reference to a column of the plan.
pub(crate) fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// Whether two names are the same.
pub(crate) fn same_name(a: &str, b: &str, case_sensitive: bool) -> bool {
    a == b || (!case_sensitive && a.to_lowercase() == b.to_lowercase())
}

fn single<'s>(found: &[&'s Attribute], parts: &[String]) -> Result<Option<&'s Attribute>> {
    match found {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        several => {
            let names: Vec<String> = several.iter().map(|a| errors::identifier(&a.path())).collect();
            Err(errors::ambiguous(parts, &names))
        }
    }
}
