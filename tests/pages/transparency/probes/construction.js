// @ts-nocheck
// new, subclasses, new.target, Reflect.construct, statics.

import { describeError, outcome, outcomes } from '../tools.js';

const about = (f) => ({ type: typeof f, name: f.name, length: f.length, keys: Reflect.ownKeys(f).map(String).sort(), isNative: /\[native code\]/.test(`${f}`) });

const aliases = () => ['webkitRTCPeerConnection', 'mozRTCPeerConnection'].filter((name) => name in window);

/** What a page has of before. */
const earlier = {};

export const before = async () => {
  Object.assign(earlier, { RTCPeerConnection, prototype: RTCPeerConnection.prototype, pc: new RTCPeerConnection() });
};

export const probes = {
  /** A constructor and a connection that the page has kept from before. */
  async kept() {
    const { RTCPeerConnection: Kept, prototype, pc } = earlier;
    const [made, other] = [new RTCPeerConnection(), new Kept()];
    const same = async (work) => (await outcome(() => work(Kept))) === (await outcome(() => work(RTCPeerConnection)));
    const seen = [
      RTCPeerConnection.prototype === prototype,
      Object.getPrototypeOf(made) === prototype,
      [pc, made, other].map((each) => [each instanceof RTCPeerConnection, each instanceof Kept, each.constructor === RTCPeerConnection]),
      await same((Constructor) => Constructor()),
      await same((Constructor) => new Constructor({ iceServers: [{ urls: 'x' }] })),
      (await pc.createOffer()).type,
    ];
    for (const each of [pc, made, other]) each.close();
    return seen;
  },

  async instance() {
    const pc = new RTCPeerConnection();
    const seen = [
      pc instanceof RTCPeerConnection,
      pc instanceof EventTarget,
      RTCPeerConnection[Symbol.hasInstance](pc),
      RTCPeerConnection.prototype.isPrototypeOf(pc),
      Object.getPrototypeOf(pc) === RTCPeerConnection.prototype,
      pc.constructor === RTCPeerConnection,
      RTCPeerConnection.prototype.constructor === RTCPeerConnection,
      Object.getPrototypeOf(RTCPeerConnection) === EventTarget,
      Object.prototype.toString.call(pc),
      String(pc),
      JSON.stringify(pc),
      Reflect.ownKeys(pc).map(String),
      Object.keys(pc),
      {} instanceof RTCPeerConnection,
      Object.create(RTCPeerConnection.prototype) instanceof RTCPeerConnection,
    ];
    pc.close();
    return seen;
  },

  async constructors() {
    return ['RTCPeerConnection', ...aliases(), 'MediaStream', 'RTCRtpSender', 'MediaStreamTrack', 'RTCDataChannel', 'RTCSessionDescription', 'RTCIceCandidate'].map((name) => [
      name,
      about(window[name]),
      window[name].prototype.constructor === window[name],
    ]);
  },

  async aliases() {
    return aliases().map((name) => {
      const pc = new window[name]();
      pc.close();
      return [window[name] === RTCPeerConnection, pc instanceof RTCPeerConnection, pc.constructor === RTCPeerConnection];
    });
  },

  async methods() {
    return [RTCPeerConnection.prototype.createOffer, RTCPeerConnection.prototype.close, navigator.mediaDevices.getUserMedia, MediaStreamTrack.prototype.stop].map(about);
  },

  async subclass() {
    const seen = [];
    class Mine extends RTCPeerConnection {
      static kind = 'mine';
      own = 7;
      target = new.target === Mine;
      static of(...args) {
        return new this(...args);
      }
      constructor(...args) {
        super(...args);
        seen.push(new.target === Mine, new.target.name);
      }
      createOffer(...args) {
        seen.push(['createOffer', args.length, this instanceof Mine]);
        return super.createOffer(...args);
      }
      get signalingState() {
        return `mine ${super.signalingState}`;
      }
      extra() {
        return this.own;
      }
    }
    class Deeper extends Mine {}
    for (const pc of [new Mine(), Mine.of({}), new Deeper({ bundlePolicy: 'balanced' })]) {
      const offer = await pc.createOffer({ iceRestart: true });
      seen.push(offer.type, pc.extra(), pc.target, Object.prototype.toString.call(pc), pc.signalingState, pc.constructor.name, pc instanceof Mine, pc instanceof RTCPeerConnection, Object.getPrototypeOf(pc) === pc.constructor.prototype, Object.keys(pc));
      pc.close();
    }
    seen.push(Mine.kind, Deeper.kind, Mine.length, Mine.name, Object.getPrototypeOf(Mine) === RTCPeerConnection, typeof Mine.generateCertificate);
    return seen;
  },

  async oldStyleSubclass() {
    function Mine(configuration) {
      return Reflect.construct(RTCPeerConnection, [configuration], new.target ?? Mine);
    }
    Mine.prototype = Object.create(RTCPeerConnection.prototype, { constructor: { value: Mine } });
    Object.setPrototypeOf(Mine, RTCPeerConnection);
    const [a, b] = [new Mine(), Mine()];
    const seen = [a instanceof Mine, b instanceof Mine, a.constructor === Mine, a.signalingState, (await b.createOffer()).type];
    a.close();
    b.close();
    return seen;
  },

  /** A library that puts a constructor of its own in the place of the browser's, as webrtc-adapter does. */
  async replacement() {
    const Original = RTCPeerConnection;
    function Shim(configuration, constraints) {
      return new Original(configuration, constraints);
    }
    Shim.prototype = Original.prototype;
    window.RTCPeerConnection = Shim;
    const pc = new RTCPeerConnection();
    const seen = [pc instanceof RTCPeerConnection, pc instanceof Original, pc.constructor === Original, RTCPeerConnection === Shim, delete window.none];
    pc.close();
    window.RTCPeerConnection = Original;
    return [...seen, window.RTCPeerConnection === Original];
  },

  async reflectConstruct() {
    class Other extends EventTarget {}
    function Plain() {}
    const bound = Plain.bind();
    return [Other, Plain, EventTarget, bound, Array].map((target) => {
      try {
        const pc = Reflect.construct(RTCPeerConnection, [], target);
        const shown = [Object.getPrototypeOf(pc) === target.prototype, pc instanceof RTCPeerConnection, Object.prototype.toString.call(pc)];
        const state = Reflect.get(RTCPeerConnection.prototype, 'signalingState', pc);
        RTCPeerConnection.prototype.close.call(pc);
        return [...shown, state];
      } catch (error) {
        return describeError(error);
      }
    });
  },

  /** Without a class of its own, with one that is no class, and bound. */
  async otherWays() {
    function Other() {}
    Other.prototype = { mark: true };
    const [same, other, bound] = [Reflect.construct(RTCPeerConnection, []), Reflect.construct(RTCPeerConnection, [], Other), new (RTCPeerConnection.bind(null, {}))()];
    const seen = [
      [same, bound].map((pc) => [pc instanceof RTCPeerConnection, Object.getPrototypeOf(pc) === RTCPeerConnection.prototype, pc.constructor === RTCPeerConnection]),
      [other instanceof RTCPeerConnection, other.mark, Object.getPrototypeOf(other) === Other.prototype, RTCPeerConnection.prototype.restartIce.call(other) === undefined],
    ];
    for (const pc of [same, other, bound]) RTCPeerConnection.prototype.close.call(pc);
    return seen;
  },

  /** How often newTarget's prototype is asked for, and before which member of the configuration. */
  async orderOfConversions() {
    const log = [];
    const target = new Proxy(function () {}, {
      get(object, key, receiver) {
        log.push(`target.${String(key)}`);
        return Reflect.get(object, key, receiver);
      },
    });
    const configuration = {
      get bundlePolicy() {
        log.push('bundlePolicy');
        return 'balanced';
      },
    };
    const pc = Reflect.construct(RTCPeerConnection, [configuration], target);
    RTCPeerConnection.prototype.close.call(pc);
    return log;
  },

  async badConstructions() {
    const thrower = { get iceServers() { throw new RangeError('mine'); } };
    return outcomes({
      withoutNew: () => RTCPeerConnection(),
      called: () => RTCPeerConnection.call({}),
      applied: () => Reflect.apply(RTCPeerConnection, new RTCPeerConnection(), []),
      number: () => new RTCPeerConnection(7),
      nothing: () => new RTCPeerConnection(null),
      text: () => new RTCPeerConnection('x'),
      symbol: () => new RTCPeerConnection(Symbol('x')),
      servers: () => new RTCPeerConnection({ iceServers: 7 }),
      server: () => new RTCPeerConnection({ iceServers: [{ urls: 'x' }] }),
      scheme: () => new RTCPeerConnection({ iceServers: [{ urls: 'http://x' }] }),
      credentials: () => new RTCPeerConnection({ iceServers: [{ urls: 'turn:127.0.0.1:3479' }] }),
      noUrls: () => new RTCPeerConnection({ iceServers: [{}] }),
      policy: () => new RTCPeerConnection({ bundlePolicy: 'none' }),
      pool: () => new RTCPeerConnection({ iceCandidatePoolSize: 1000 }),
      certificates: () => new RTCPeerConnection({ certificates: [{}] }),
      getter: () => new RTCPeerConnection(thrower),
      constraints: () => new RTCPeerConnection({}, 7),
      constraintsAlone: () => new RTCPeerConnection(undefined, 7),
      prototype: () => new RTCPeerConnection.prototype.constructor(7),
      notNewTarget: () => Reflect.construct(RTCPeerConnection, [], () => {}),
      throwingNewTarget: () => Reflect.construct(RTCPeerConnection, [], new Proxy(class {}, { get() { throw new RangeError('mine'); } })),
      nullPrototype: () => Reflect.construct(RTCPeerConnection, [], Object.assign(function () {}, { prototype: null })),
      calledOfOne: () => RTCPeerConnection.call(earlier.pc),
      methodAsConstructor: () => new RTCPeerConnection.prototype.createOffer(),
      methodConstructed: () => Reflect.construct(RTCPeerConnection.prototype.close, []),
      setterAsConstructor: () => new (Object.getOwnPropertyDescriptor(MediaStreamTrack.prototype, 'enabled').set)(),
      extendsMethod: () => class extends RTCPeerConnection.prototype.createOffer {},
      illegal: () => new RTCRtpSender(),
      illegalTrack: () => new MediaStreamTrack(),
    });
  },

  async statics() {
    const keys = Reflect.ownKeys(RTCPeerConnection).map(String).sort();
    const promise = RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' });
    const certificate = await promise;
    const pc = new RTCPeerConnection({ certificates: [certificate] });
    const kept = pc.getConfiguration().certificates?.[0] === certificate;
    pc.close();
    const detached = RTCPeerConnection.generateCertificate;
    return [keys, promise instanceof Promise, certificate instanceof RTCCertificate, certificate.constructor.name, kept, (await detached({ name: 'ECDSA', namedCurve: 'P-256' })).constructor.name, about(detached)];
  },

  /** A page may put members on the constructor and the prototype. */
  async pageMembers() {
    RTCPeerConnection.mine = 1;
    RTCPeerConnection.prototype.mine = 2;
    const pc = new RTCPeerConnection();
    const seen = [RTCPeerConnection.mine, pc.mine, pc.constructor.mine, Reflect.deleteProperty(RTCPeerConnection, 'mine'), delete RTCPeerConnection.prototype.mine, RTCPeerConnection.mine, pc.mine];
    pc.close();
    const frozen = Object.isFrozen(RTCPeerConnection) || !Object.isExtensible(RTCPeerConnection) || Object.isSealed(RTCPeerConnection.prototype);
    return [...seen, frozen, Reflect.set(RTCPeerConnection, 'prototype', 7), typeof RTCPeerConnection.prototype];
  },
};
