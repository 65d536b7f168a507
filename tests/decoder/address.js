// What the collector must have made of addresses before it stored anything. See report.js for why this exists twice.

const kept = new Set(['127.0.0.1', '::1', '0.0.0.0']);

/** @param {string} address */
export function obfuscated(address) {
  if (kept.has(address)) return address;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) return address.replace(/\d+$/, 'x');
  if (address.includes(':')) return address.split(':').slice(0, 3).join(':') + 'x:x:x:x:x:x';
  return address;
}

/** @param {string} candidate the text after `a=`, or with it */
export function obfuscatedCandidate(candidate) {
  const words = candidate.split(' ');
  const type = words[words.indexOf('typ') + 1];
  if (words.length > 4 && type !== 'relay') words[4] = obfuscated(words[4]);
  const related = words.indexOf('raddr');
  if (related !== -1) words[related + 1] = obfuscated(words[related + 1]);
  return words.join(' ');
}

/** @param {string} sdp */
export function obfuscatedSdp(sdp) {
  return sdp
    .split('\r\n')
    .map((line) => {
      if (line.startsWith('a=candidate:')) return obfuscatedCandidate(line);
      if (line.startsWith('c=') || line.startsWith('a=rtcp:')) return line.replace(/(IP[46]) (\S+)/, (_, net, address) => `${net} ${obfuscated(address)}`);
      return line;
    })
    .join('\r\n');
}

/** The address members of a report entry. @param {Record<string, any>} entry @returns {Record<string, any>} */
export function obfuscatedEntry(entry) {
  const copy = { ...entry };
  for (const name of ['address', 'relatedAddress', 'ip']) {
    if (typeof copy[name] !== 'string') continue;
    if (name !== 'relatedAddress' && copy.candidateType === 'relay') continue;
    copy[name] = obfuscated(copy[name]);
  }
  return copy;
}
