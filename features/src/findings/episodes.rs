//! Times at which something was bad, as episodes: pieces that follow one another closely are one. Of each rule and track only the worst
//! are kept, and how many there were.

use super::looks::Window;
use crate::limits;

/// A piece of time in which something was bad.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Piece {
    /// From when (Unix ms).
    pub(super) begin: f64,
    /// Until when (Unix ms).
    pub(super) end: f64,
    /// How much of it was bad (s).
    pub(super) seconds: f64,
    /// How many of what is counted.
    pub(super) count: f64,
    /// The sum of what else is.
    pub(super) sum: f64,
    /// What makes one moment worse than another: more is worse.
    pub(super) worst: f64,
    /// When it was that bad (Unix ms); at its end if nothing is said.
    pub(super) at: Option<f64>,
    /// What else is told of the worst moment.
    pub(super) with: [f64; 2],
    /// The way that packets took.
    pub(super) path: Option<&'static str>,
}

impl Piece {
    /// All of a window.
    pub(super) fn of(Window { begin, end, seconds }: Window) -> Self {
        Self { begin, end, seconds, ..Self::default() }
    }
}

/// Pieces that are one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Episode {
    /// All of them; what is worst is that of the worst.
    pub(super) whole: Piece,
    /// When it was worst (Unix ms).
    pub(super) at: f64,
}

/// When pieces are an episode.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// How much of it has to be bad (s).
    pub(super) least: f64,
    /// How many of what is counted it has to have.
    pub(super) count: f64,
    /// How far apart its pieces are at most (s).
    pub(super) join: f64,
}

/// Pieces no further apart than this (s) are one episode, by most rules: three windows.
pub(super) const JOIN: f64 = 15.0;

/// The episodes of one rule and track. As a rule there are none, and then they take no room.
#[derive(Debug, Clone, Default)]
pub(super) struct Episodes(Option<Box<List>>);

#[derive(Debug, Clone, Default)]
struct List {
    open: Option<Episode>,
    kept: Vec<Episode>,
    count: u64,
}

impl Episodes {
    /// Something was bad once more. Pieces come in the order of time.
    pub(super) fn add(&mut self, piece: Piece, terms: Terms) {
        self.0.get_or_insert_default().add(piece, terms);
    }

    /// The worst of them, and how many there were.
    pub(super) fn all(&self, terms: Terms) -> (Vec<Episode>, u64) {
        let mut all = self.0.as_deref().cloned().unwrap_or_default();
        all.close(terms);
        (all.kept, all.count)
    }
}

impl List {
    fn add(&mut self, piece: Piece, terms: Terms) {
        match &mut self.open {
            Some(open) if (piece.begin - open.whole.end) <= terms.join * 1000.0 && piece.end >= open.whole.begin => {
                open.extend(piece);
            }
            _ => {
                self.close(terms);
                self.open = Some(Episode { whole: piece, at: piece.at.unwrap_or(piece.end) });
            }
        }
    }

    /// What there is from now on is another episode.
    fn close(&mut self, terms: Terms) {
        let Some(episode) = self.open.take().filter(|open| open.is_any(terms)) else { return };
        self.count = self.count.saturating_add(1);
        if self.kept.len() < limits::EPISODES {
            return self.kept.push(episode);
        }
        let mildest = self.kept.iter_mut().min_by(|a, b| a.whole.seconds.total_cmp(&b.whole.seconds));
        if let Some(mildest) = mildest.filter(|mildest| mildest.whole.seconds < episode.whole.seconds) {
            *mildest = episode;
        }
    }
}

impl Episode {
    fn is_any(&self, terms: Terms) -> bool {
        self.whole.seconds >= terms.least && self.whole.count >= terms.count
    }

    fn extend(&mut self, piece: Piece) {
        let whole = &mut self.whole;
        whole.end = whole.end.max(piece.end);
        whole.seconds += piece.seconds;
        whole.count += piece.count;
        whole.sum += piece.sum;
        if piece.worst > whole.worst {
            (whole.worst, whole.with, self.at) = (piece.worst, piece.with, piece.at.unwrap_or(piece.end));
            whole.path = piece.path.or(whole.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { least: 2.0, count: 0.0, join: 10.0 };

    fn piece(begin: f64, seconds: f64, worst: f64) -> Piece {
        let begin = begin * 1000.0;
        Piece { begin, end: begin + 1000.0 * seconds, seconds, count: 1.0, worst, ..Piece::default() }
    }

    #[test]
    fn pieces_that_follow_one_another_are_one_with_its_worst_moment() {
        let mut episodes = Episodes::default();
        for (begin, worst) in [(0.0, 1.0), (5.0, 7.0), (14.0, 3.0), (40.0, 9.0)] {
            episodes.add(piece(begin, 1.0, worst), TERMS);
        }
        let (all, count) = episodes.all(TERMS);
        assert_eq!((all.len(), count), (1, 1), "the last one is too short");
        assert_eq!((all[0].whole.seconds, all[0].whole.worst, all[0].at), (3.0, 7.0, 6000.0));
        assert_eq!((all[0].whole.begin, all[0].whole.end), (0.0, 15_000.0));
    }

    #[test]
    fn of_many_the_longest_are_kept_and_all_are_counted() {
        let mut episodes = Episodes::default();
        for at in 0..20_u32 {
            episodes.add(piece(f64::from(at) * 100.0, f64::from(2 + (at * 7) % 20), 1.0), TERMS);
        }
        let (all, count) = episodes.all(TERMS);
        assert_eq!((all.len(), count), (limits::EPISODES, 20));
        assert!(all.iter().all(|episode| episode.whole.seconds >= 19.0));
    }

    #[test]
    fn a_clock_that_goes_back_begins_another() {
        let mut episodes = Episodes::default();
        episodes.add(piece(100.0, 5.0, 1.0), TERMS);
        episodes.add(piece(10.0, 5.0, 1.0), TERMS);
        assert_eq!(episodes.all(TERMS).1, 2);
    }
}
