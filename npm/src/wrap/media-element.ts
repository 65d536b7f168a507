// HTMLMediaElement: the size at which remote video arrives and is shown, and remote media that may not play. `srcObject` is
// observed to know the elements.

import type { Connections } from './peer-connection.js';
import { remoteOwnerOf } from './registry.js';
import type { Scene } from './scene.js';
import { SETTLES, type Page } from './weave.js';

const OWNER = 'HTMLMediaElement';

/** Group `peerConnection`. */
export function observeElements({ assignment, call, isStream, listen, native, target, trackId, trackKind, tracksOf }: Scene, { tell }: Connections) {
  const streamOf = native(OWNER, 'srcObject');
  const prototype = target[OWNER]?.prototype;

  /** The remote track that an element plays: the first of its stream, of a `kind` if that matters. */
  const playedTrack = (element: Page, kind?: string): Page => {
    const stream = streamOf(element);
    return isStream(stream) ? tracksOf(stream).find((track) => (!kind || trackKind(track) === kind) && remoteOwnerOf(track) !== undefined) : undefined;
  };
  const attend = (element: Page) =>
    listen(element, () => ({
      resize(element, event) {
        const track = playedTrack(element, 'video');
        if (!track) return;
        const { scrollWidth: width, scrollHeight: height, videoWidth, videoHeight } = element;
        tell(`${OWNER}.resize`, remoteOwnerOf(track)!, { width, height, videoWidth, videoHeight }, [trackId(track)], element, [], event);
      },
    }));

  assignment(prototype, 'srcObject', (element, stream) => {
    if (isStream(stream)) attend(element);
  });
  call(
    prototype,
    'play',
    (element, args) =>
      isStream(streamOf(element))
        ? (error, failed) => {
            const track = failed && playedTrack(element);
            if (track) tell(`${OWNER}.playOnFailure`, remoteOwnerOf(track)!, `${error}`, [trackId(track)], element, args, error);
          }
        : undefined,
    SETTLES,
  );
  for (const element of target.document?.querySelectorAll('video') ?? []) attend(element);
}
