//! How good speech sounds, as a mean opinion score: the E-model of ITU-T G.107, reduced to what WebRTC measures.
//!
//! `R = 93.2 - Id - Ie,eff`, every other term of the model at its default. Delay (Cole and Rosenbluth, 2001):
//! `Id = 0.024 d + 0.11 max(0, d - 177.3)`, where `d` (ms) is half of the round trip time and the time in the jitter buffer. Loss:
//! `Ie,eff = Ie + (95 - Ie) Ppl / (Ppl + Bpl)`, where `Ppl` (percent) is the share of packets that were lost, at random. The score follows
//! from `R` by Annex B of G.107: from 1 to 4.5, and 4.41 if nothing is wrong.

/// A codec by what it does to speech.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Speech {
    /// `Ie`: what it takes from speech by itself.
    impairment: f64,
    /// `Bpl`: how well it conceals lost packets.
    robustness: f64,
}

impl Speech {
    /// G.711 with concealment is in ITU-T G.113, Appendix I: `Ie` 0, `Bpl` 25.1. Opus is in no recommendation: at the rates of a call it is
    /// no worse than G.711 (`Ie` 0); `Bpl` is 10 by itself and 20 where its format parameters, or RED, let it send a packet's speech
    /// again, as is usual. Of other codecs nothing is said.
    pub(super) fn of(mime_type: &str, parameters: &str) -> Option<Self> {
        let robustness = match mime_type.to_ascii_lowercase().as_str() {
            "audio/pcmu" | "audio/pcma" => 25.1,
            "audio/red" => 20.0,
            "audio/opus" if parameters.split(';').any(|part| part.trim() == "useinbandfec=1") => 20.0,
            "audio/opus" => 10.0,
            _ => return None,
        };
        Some(Self { impairment: 0.0, robustness })
    }

    /// `delay`: seconds from mouth to ear; `loss`: from 0 to 1.
    pub(super) fn score(self, delay: f64, loss: f64) -> f64 {
        let (delay, loss) = (delay * 1000.0, loss * 100.0);
        let by_delay = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
        let by_loss = self.impairment + (95.0 - self.impairment) * loss / (loss + self.robustness);
        let quality = (93.2 - by_delay - by_loss).clamp(0.0, 100.0);
        (1.0 + 0.035 * quality + quality * (quality - 60.0) * (100.0 - quality) * 7e-6).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opus() -> Option<Speech> {
        Speech::of("audio/opus", "minptime=10;useinbandfec=1")
    }

    #[test]
    fn a_perfect_line_has_the_best_score_of_the_model() {
        let score = opus().map(|opus| opus.score(0.0, 0.0));
        assert!(score.is_some_and(|score| (score - 4.409).abs() < 0.001), "{score:?}");
    }

    #[test]
    fn delay_and_loss_take_from_the_score_and_never_more_than_there_is() {
        let score = |delay, loss| opus().map(|opus| opus.score(delay, loss)).unwrap_or_default();
        assert!(score(0.1, 0.0) < score(0.0, 0.0) && score(0.4, 0.0) < score(0.1, 0.0));
        assert!(score(0.0, 0.1) < score(0.0, 0.01));
        assert_eq!(score(1e12, 1.0), 1.0);
        // R = 93.2 - 0.024 * 150 - 95 * 5 / 25 = 70.6
        assert!((score(0.15, 0.05) - 3.6251).abs() < 0.001, "{}", score(0.15, 0.05));
    }

    #[test]
    fn a_codec_is_known_by_its_type_and_what_it_sends_again() {
        assert_ne!(Speech::of("audio/opus", ""), opus());
        assert_eq!(Speech::of("audio/OPUS", "useinbandfec=1"), Speech::of("audio/red", "111/111"));
        assert_eq!(Speech::of("audio/G722", ""), None);
    }
}
