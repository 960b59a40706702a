/**
 * The text of `share.auto.offset.reset`: where a share group that has read nothing of a partition begins (KIP-932).
 */

/** An end of the log, or the first record that is not older than so many milliseconds. */
export type ShareOffsetReset = 'earliest' | 'latest' | { readonly durationMs: number };

const PREFIX = 'by_duration:';
const DAY_MS = 86_400_000;

/** Milliseconds of a duration in the form PnDTnHnMn.nS; null for another text. */
export function durationMs(text: string): number | null {
  const found = /^P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(text);
  if (!found || text.length < 3) return null;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = found;
  return Number(days) * DAY_MS + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000;
}

/** What the text says; null when it says nothing that is known. */
export function shareOffsetReset(text: string): ShareOffsetReset | null {
  if (text === 'earliest' || text === 'latest') return text;
  const ms = text.startsWith(PREFIX) ? durationMs(text.slice(PREFIX.length)) : null;
  return ms === null ? null : { durationMs: ms };
}
