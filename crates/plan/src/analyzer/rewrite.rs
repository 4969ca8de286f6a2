//! Walks over unresolved expressions.

use crate::tree::{Call, Expr, SortOrder};

/// Calls `f` with `expr` and everything in it, subqueries excepted.
pub(crate) fn visit(expr: &Expr, f: &mut dyn FnMut(&Expr)) {
    f(expr);
    for child in children(expr) {
        visit(child, f);
    }
}

/// `expr` with every part for which `f` gives a replacement replaced, outermost first.
pub(crate) fn map(expr: &Expr, f: &dyn Fn(&Expr) -> Option<Expr>) -> Expr {
    if let Some(replaced) = f(expr) {
        return replaced;
    }
    let one = |e: &Expr| Box::new(map(e, f));
    match expr {
        Expr::Alias { child, names } => Expr::Alias { child: one(child), names: names.clone() },
        Expr::Cast { child, to, mode } => Expr::Cast { child: one(child), to: to.clone(), mode: *mode },
        Expr::Call(call) => Expr::Call(Call {
            arguments: call.arguments.iter().map(|a| map(a, f)).collect(),
            filter: call.filter.as_deref().map(one),
            ..call.clone()
        }),
        Expr::Case { branches, otherwise } => Expr::Case {
            branches: branches.iter().map(|(c, v)| (map(c, f), map(v, f))).collect(),
            otherwise: otherwise.as_deref().map(one),
        },
        Expr::Extract { child, key } => Expr::Extract { child: one(child), key: one(key) },
        Expr::Sort(order) => Expr::Sort(SortOrder { child: one(&order.child), ..order.clone() }),
        other => other.clone(),
    }
}

fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Alias { child, .. } | Expr::Cast { child, .. } => vec![child],
        Expr::Call(call) => call.arguments.iter().chain(call.filter.as_deref()).collect(),
        Expr::Case { branches, otherwise } => {
            branches.iter().flat_map(|(c, v)| [c, v]).chain(otherwise.as_deref()).collect()
        }
        Expr::Extract { child, key } => vec![child, key],
        Expr::Sort(order) => vec![&order.child],
        Expr::InSubquery { values, .. } => values.iter().collect(),
        _ => Vec::new(),
    }
}
