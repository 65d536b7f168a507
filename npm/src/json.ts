// The page may replace this later.
const { stringify } = JSON;

/** The JSON text of whatever an application hands over; `null` for what is no JSON. */
export function toJson(value: unknown): string {
  try {
    return stringify(value) ?? 'null';
  } catch {
    return 'null';
  }
}
