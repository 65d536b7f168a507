// Section-compressed session descriptions to full ones. See report.js for why this exists twice.

/** @typedef {{ type?: string, sdp?: string }} Description */

/** @param {string} sdp */
const sections = (sdp) => sdp.split('\nm=').map((part, index) => (index === 0 ? part : `m=${part}`).trim());

/** @param {Description | null | undefined} base @param {Description} delta @returns {Description} */
function expand(base, delta) {
  if (!base?.sdp || base.type !== delta.type || delta.sdp === undefined) return delta;
  const known = sections(base.sdp);
  const full = sections(delta.sdp).map((part, index) => (part === 'v=' || part === 'm=' ? (known[index] ?? part) : part));
  return { ...delta, sdp: full.join('\r\n') + '\r\n' };
}

/** The descriptions of one connection. */
export class DescriptionDecoder {
  /** @type {Description | null} */ #local = null;
  /** @type {Description | null} */ #remote = null;
  /** @type {Record<string, Description | null>} */ #created = {};
  /** @type {Map<string, Description | null>} */ #underWay = new Map();

  /**
   * @param {string} method
   * @param {any} value
   * @param {string} trackingId
   * @returns {any} the value with its SDP in full
   */
  decode(method, value, trackingId) {
    switch (method) {
      case 'createOfferOnSuccess':
      case 'createAnswerOnSuccess': {
        const full = expand(this.#local, value);
        if (!this.#local && full.type) this.#created[full.type] = full;
        return full;
      }
      case 'setLocalDescription': {
        if (value === null) {
          this.#underWay.set(trackingId, null);
          return null;
        }
        const full = expand(this.#local ?? this.#created[value.type], value);
        this.#created = {};
        this.#underWay.set(trackingId, full);
        return full;
      }
      case 'setLocalDescriptionOnSuccess': {
        const explicit = this.#underWay.get(trackingId);
        const full = value === null ? null : expand(this.#local, value);
        this.#local = full ?? explicit ?? this.#local;
        return full;
      }
      case 'setRemoteDescription': {
        const full = expand(this.#remote, value);
        this.#underWay.set(trackingId, full);
        return full;
      }
      case 'setRemoteDescriptionOnSuccess':
        // Whole, where the call itself had none.
        this.#remote = value ?? this.#underWay.get(trackingId) ?? this.#remote;
        return value;
      default:
        return value;
    }
  }
}
