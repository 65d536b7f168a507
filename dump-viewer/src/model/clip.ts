// What a page can show of a very long text without stalling.

const LENGTH = 100_000;

export function clip(text: string): string {
  if (text.length <= LENGTH) return text;
  return `${text.slice(0, LENGTH)}… (${text.length - LENGTH} more characters; Copy has them all)`;
}
