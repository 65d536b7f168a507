// MediaDevices, and what navigator had before it: what the page captures, and from which devices.

import { setOrigin } from './registry.js';
import type { Scene } from './scene.js';
import { listenToLocal } from './track.js';
import { SETTLES, type Page } from './weave.js';

const OWNER = 'MediaDevices';
const CAPTURES = ['getUserMedia', 'getDisplayMedia'];
const LEGACY = ['getUserMedia', 'webkitGetUserMedia', 'mozGetUserMedia'];

/** Group `userMedia`. */
export function observeCapture(scene: Scene) {
  const { call, copy, outcome, streamTracks, target, teller, tracksOf } = scene;
  const tell = teller('userMedia');
  const capture = (owner: string, name: string, method: string) =>
    call(
      target[owner]?.prototype,
      name,
      (self, args) =>
        outcome(tell, method, null, copy(args[0]), self, args, (stream: Page, tracking) => {
          for (const track of tracksOf(stream) ?? []) {
            setOrigin(track, tracking);
            listenToLocal(scene, tell, track);
          }
          return streamTracks(stream);
        }),
      SETTLES,
    );
  for (const name of CAPTURES) capture(OWNER, name, `navigator.mediaDevices.${name}`);
  for (const name of LEGACY) capture('Navigator', name, 'getUserMedia');
}

/** Group `devices`. */
export function observeDevices({ call, copy, listen, outcome, target, teller }: Scene) {
  const tell = teller('devices');
  const enumerate = 'enumerateDevices';
  // Only what was found is recorded, not the call.
  call(
    target[OWNER]?.prototype,
    enumerate,
    (self, args) => (devices, failed) => {
      if (!failed) tell(`navigator.mediaDevices.${enumerate}`, null, copy(devices), [], self, args, devices);
    },
    SETTLES,
  );
  // There are none in an insecure context.
  listen(target.navigator?.mediaDevices, () => ({
    devicechange: (self, event) => tell('navigator.mediaDevices.ondevicechange', null, null, [], self, [], event),
  }));
  for (const owner of ['HTMLMediaElement', 'AudioContext']) {
    call(
      target[owner]?.prototype,
      'setSinkId',
      (self, args) => outcome(tell, `${owner}.setSinkId`, null, copy(args[0]), self, args),
      SETTLES,
    );
  }
}
