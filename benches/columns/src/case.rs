//! What a case is: a name, and a function that prepares its contenders and proves them right.

/// One case of the benchmark.
pub struct Case {
    /// `<group>_<what>`, as it stands in the keys of the JSON line.
    pub name: &'static str,
    /// Whether `cargo xtask count` counts the instructions of ours, and of what is there without peers. Such a case
    /// has no randomness beyond a fixed seed, no hash maps with random state, and few enough rows to run under
    /// callgrind in a second or two.
    pub is_counted: bool,
    /// Makes the input, verifies each contender's result outside the clock, and returns the contenders.
    pub prepare: fn() -> Result<Prepared, String>,
}

/// The contenders of a case, ours first.
pub struct Prepared {
    /// Rows of one run.
    pub rows: usize,
    /// Bytes that one run reads, for the eye only.
    pub bytes: usize,
    /// Ours and its peers.
    pub contenders: Vec<Contender>,
}

/// Somebody who does the whole of a case's work in one call.
pub struct Contender {
    /// `ours` or the peer's name.
    pub name: &'static str,
    /// One run over the whole input; what it makes goes through [`std::hint::black_box`].
    pub run: Box<dyn FnMut()>,
}

impl Prepared {
    /// A case with ours, which makes `rows` rows of `bytes` input bytes in one call.
    pub fn ours(rows: usize, bytes: usize, run: impl FnMut() + 'static) -> Self {
        Self { rows, bytes, contenders: vec![Contender { name: "ours", run: Box::new(run) }] }
    }

    /// Adds somebody to compare with.
    pub fn peer(mut self, name: &'static str, run: impl FnMut() + 'static) -> Self {
        self.contenders.push(Contender { name, run: Box::new(run) });
        self
    }
}

/// An error that says where two results differ.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &[T], expected: &[T]) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{what}: {} rows instead of {}", found.len(), expected.len()));
    }
    match found.iter().zip(expected).position(|(found, expected)| found != expected) {
        None => Ok(()),
        Some(at) => Err(format!("{what}: row {at} is {:?} instead of {:?}", found[at], expected[at])),
    }
}
