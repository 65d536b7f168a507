// What people call a track: by how it was captured, and of whom it is.

import type { TrackOverview } from '../import/messages';

/** Labels that browsers give to what was captured of a screen. */
const SCREEN = /^(screen|window|web-contents-media-stream):/;

/** `Camera`, `Screen`, `Remote video of 1ed313b5`; `captured` is what the page has captured, `all` the tracks of the connection. */
export function trackName(track: TrackOverview, captured: TrackOverview[], all: TrackOverview[]): string {
  const { kind, label, remote, stream } = track;
  if (remote) {
    const streams = new Set(all.flatMap((other) => (other.remote && other.stream ? [other.stream] : [])));
    return `Remote ${kind}${stream && streams.size > 1 ? ` of ${person(stream)}` : ''}`;
  }
  const name = ownName(track, captured);
  const alike = label !== '' && !SCREEN.test(label) && all.some((other) => !other.remote && other.label !== label && ownName(other, captured) === name);
  return alike ? `${name} (${label})` : name;
}

function ownName({ id, kind, label, screen }: TrackOverview, captured: TrackOverview[]): string {
  const capture = captured.find((other) => other.id === id);
  if (screen || capture?.screen || SCREEN.test(label)) return kind === 'audio' ? 'Screen audio' : 'Screen';
  // What the page draws or computes was not captured, and has no device's label.
  if (!capture && !label) return kind === 'audio' ? 'Audio' : 'Video';
  return kind === 'audio' ? 'Microphone' : kind === 'video' ? 'Camera' : kind;
}

/** Streams are named after their owner, as in `1ed313b5-video-0-1`, or by a random id. */
function person(stream: string): string {
  const name = stream.replace(/^\{|\}$/g, '').replace(/-(audio|video|desktop)(-\d+)*$/, '');
  return /^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(name) ? name.slice(0, 8) : name.length > 24 ? `${name.slice(0, 23)}…` : name;
}
