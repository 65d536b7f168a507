// Who made a recording: the browser that a user agent string means, for dumps that come without the collector's answer, and the
// page.

export interface Browser {
  name: string;
  version: string;
  os: string;
}

const BROWSERS: [RegExp, string][] = [
  [/\bEdg(?:A|iOS)?\/([\d.]+)/, 'Edge'],
  [/\bOPR\/([\d.]+)/, 'Opera'],
  [/\bSamsungBrowser\/([\d.]+)/, 'Samsung Internet'],
  [/\bFirefox\/([\d.]+)/, 'Firefox'],
  [/\bFxiOS\/([\d.]+)/, 'Firefox'],
  [/\bCriOS\/([\d.]+)/, 'Chrome'],
  [/\bHeadlessChrome\/([\d.]+)/, 'Headless Chrome'],
  [/\bChrome\/([\d.]+)/, 'Chrome'],
  [/\bVersion\/([\d.]+).*\bSafari\//, 'Safari'],
];

const SYSTEMS: [RegExp, string][] = [
  [/\bAndroid ([\d.]+)?/, 'Android'],
  [/\b(?:iPhone|iPad|iPod)\b/, 'iOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

export function browserOf(userAgent: string): Browser {
  const found = BROWSERS.map(([pattern, name]) => ({ name, match: pattern.exec(userAgent) })).find(({ match }) => match);
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent));
  // Browsers freeze all but the major version to zeros.
  const version = found?.match?.[1]?.replace(/(\.0)+$/, '') ?? '';
  return { name: found?.name ?? '', version, os: system?.[1] ?? '' };
}

/** Path of the recorded request. Our own client connects to one endpoint from every page, so there it says nothing. */
export function pagePath(url: string | null): string {
  return url === null || url.startsWith('/v1/ws') ? '' : url;
}
