/** A time as webhooks write it: seconds, as text. */
export function unixSeconds(time: Date): string {
  return String(Math.floor(time.getTime() / 1000));
}
