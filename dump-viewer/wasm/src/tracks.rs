//! Tracks, and what became of each: lanes of the timeline beside the states of connections. What happens to a captured track is an event of the
//! page.

use std::borrow::Cow;

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::{Kind, RawValue};
use serde::Serialize;

use crate::states::Change;

/// Tracks of a connection that are followed; a large conference has some hundred.
const TRACKS: usize = 512;
/// Changes of a track that are kept.
const CHANGES: usize = 4096;

/// A track of a connection.
#[derive(Debug, Serialize)]
pub(crate) struct Track {
    id: String,
    kind: String,
    label: String,
    /// It is the other side's.
    remote: bool,
    /// Id of the first stream that it is in.
    stream: Option<String>,
    /// It was captured of a screen, a window or a tab.
    screen: bool,
    /// What the application says that it shows or plays (W3C mst-content-hint).
    hint: Option<String>,
    changes: Vec<Change>,
}

/// The tracks of a connection, or those that the page has captured, in order of appearance.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Tracks(Vec<Track>);

impl Tracks {
    /// Follows an event of the connection, or of the page.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        let Some(value) = event.value.raw() else { return };
        let time = event.time;
        match &*event.method {
            "navigator.mediaDevices.getUserMediaOnSuccess" => {
                value.elements().for_each(|track| self.seen(track, false, "live", time));
            }
            "navigator.mediaDevices.getDisplayMediaOnSuccess" => {
                for track in value.elements() {
                    self.seen(track, false, "live", time);
                    let id = words_of(track).map(|[_, id, ..]| id);
                    if let Some(track) = self.0.iter_mut().find(|track| Some(&track.id) == id.as_ref()) {
                        track.screen = true;
                    }
                }
            }
            "addTrack" => self.seen(value, false, "live", time),
            "addTransceiver" => self.seen(value.at(0).unwrap_or(RawValue::NULL), false, "live", time),
            // It is muted until packets of it come (W3C webrtc-pc, section 5.3).
            "ontrack" => self.seen(value, true, "muted", time),
            "replaceTrack" => {
                if let Some([_, old, ..]) = value.at(0).and_then(words_of) {
                    self.is(&old, "replaced", time);
                }
                self.seen(value.at(1).unwrap_or(RawValue::NULL), false, "live", time);
            }
            "MediaStreamTrack.onmute" => self.is_named(value, "muted", time),
            "MediaStreamTrack.onunmute" => self.is_named(value, "live", time),
            "MediaStreamTrack.onended" => self.is_named(value, "ended", time),
            "MediaStreamTrack.stop" => self.is_extra(event, "stopped", time),
            "MediaStreamTrack.enabled" => {
                self.is_extra(event, if value.as_bool() == Some(false) { "disabled" } else { "live" }, time);
            }
            "MediaStreamTrack.contentHint" => {
                let id = event.extra.first().and_then(|id| id.as_str());
                if let Some(track) = self.0.iter_mut().find(|track| id.as_deref() == Some(&track.id)) {
                    track.hint = value.as_str().filter(|hint| !hint.is_empty()).map(Cow::into_owned);
                }
            }
            _ => {}
        }
    }

    fn seen(&mut self, track: RawValue<'_>, remote: bool, state: &str, time: f64) {
        let Some([kind, id, label, stream]) = words_of(track) else { return };
        if self.0.iter().all(|known| known.id != id) && self.0.len() < TRACKS {
            let stream = Some(stream).filter(|stream| !stream.is_empty());
            self.0.push(Track {
                id: id.clone(),
                kind,
                label,
                remote,
                stream,
                screen: false,
                hint: None,
                changes: Vec::new(),
            });
        }
        self.is(&id, state, time);
    }

    fn is_named(&mut self, id: RawValue<'_>, state: &str, time: f64) {
        if let Some(id) = id.as_str() {
            self.is(&id, state, time);
        }
    }

    fn is_extra(&mut self, event: &Event<'_>, state: &str, time: f64) {
        if let Some(id) = event.extra.first() {
            self.is_named(*id, state, time);
        }
    }

    fn is(&mut self, id: &str, state: &str, time: f64) {
        let Some(track) = self.0.iter_mut().find(|track| track.id == id) else { return };
        let last = track.changes.last().map(|(_, state)| state.as_str());
        // What has ended stays so.
        if last != Some(state) && !matches!(last, Some("ended" | "stopped")) && track.changes.len() < CHANGES {
            track.changes.push((time, state.to_owned()));
        }
    }
}

/// Kind, id, label and stream of a track, which is `[kind, id, label, stream, ...]`, or of Jitsi's clients `kind:id stream:stream`.
fn words_of(track: RawValue<'_>) -> Option<[String; 4]> {
    if track.kind() == Kind::Array {
        let word = |index| track.at(index).and_then(RawValue::as_str).map(Cow::into_owned);
        return Some([word(0).unwrap_or_default(), word(1)?, word(2).unwrap_or_default(), word(3).unwrap_or_default()]);
    }
    let text = track.as_str()?;
    let (kind, rest) = text.split_once(':')?;
    let (id, stream) = rest.split_once(" stream:").unwrap_or((rest, ""));
    matches!(kind, "audio" | "video").then(|| [kind.to_owned(), id.to_owned(), String::new(), stream.to_owned()])
}

#[cfg(test)]
mod tests {
    use rtctrace_protocol::event::SessionDecoder;

    use super::*;

    fn tracks(lines: &[&str]) -> Tracks {
        let (mut tracks, mut decoder) = (Tracks::default(), SessionDecoder::new());
        for line in lines {
            tracks.event(&decoder.decode(line).unwrap());
        }
        tracks
    }

    fn words(track: &Track) -> String {
        let changes = track.changes.iter().map(|(time, state)| format!(" {time} {state}"));
        format!("{} {}{}", track.kind, track.remote, changes.collect::<String>())
    }

    #[test]
    fn tracks_of_a_connection_are_muted_replaced_and_ended() {
        let tracks = tracks(&[
            r#"["addTrack","PC_0",["audio","a","Microphone","s"],1]"#,
            r#"["addTransceiver","PC_0",[["video","v","Camera"],null],1]"#,
            r#"["addTransceiver","PC_0",["audio"],1]"#,
            r#"["ontrack","PC_0",["video","r","r","s"],1]"#,
            r#"["MediaStreamTrack.onunmute","PC_0","r",1]"#,
            r#"["MediaStreamTrack.onmute","PC_0","r",1]"#,
            r#"["replaceTrack","PC_0",[["video","v","Camera"],["video","w","Screen"]],"x",1]"#,
            r#"["MediaStreamTrack.onended","PC_0","r",1]"#,
            r#"["MediaStreamTrack.onunmute","PC_0","r",1]"#,
            r#"["MediaStreamTrack.onmute","PC_0","unknown",1]"#,
        ]);
        let words: Vec<_> = tracks.0.iter().map(words).collect();
        let expected = [
            "audio false 1 live",
            "video false 2 live 7 replaced",
            "video true 4 muted 5 live 6 muted 8 ended",
            "video false 7 live",
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn captured_tracks_are_disabled_and_stopped() {
        let tracks = tracks(&[
            r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[["audio","a","Mic"],["video","v","Cam"]],"60-0",1]"#,
            r#"["MediaStreamTrack.enabled",null,false,"a",1]"#,
            r#"["MediaStreamTrack.enabled",null,true,"a",1]"#,
            r#"["MediaStreamTrack.stop",null,null,"v","60-0",1]"#,
            r#"["MediaStreamTrack.stop",null,null,7,1]"#,
        ]);
        let words: Vec<_> = tracks.0.iter().map(words).collect();
        assert_eq!(words, ["audio false 1 live 2 disabled 3 live", "video false 1 live 4 stopped"]);
    }

    #[test]
    fn what_a_track_is_of_is_told_by_its_capture_its_stream_and_its_hint() {
        let tracks = tracks(&[
            r#"["navigator.mediaDevices.getDisplayMediaOnSuccess",null,[["video","d","Some window","s"]],"63-0",1]"#,
            r#"["MediaStreamTrack.contentHint",null,"detail","d",1]"#,
            r#"["ontrack","PC_0","audio:r stream:1ed313b5-audio-0-1",1]"#,
            r#"["ontrack","PC_0","nonsense",1]"#,
        ]);
        let told =
            tracks.0.iter().map(|track| (&*track.kind, track.stream.as_deref(), track.screen, track.hint.as_deref()));
        let expected = [("video", Some("s"), true, Some("detail")), ("audio", Some("1ed313b5-audio-0-1"), false, None)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}
