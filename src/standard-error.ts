import { type DestinationStream, pino } from "pino";

// Where a burst is written at once; 64 KiB is what a pipe holds.
const FLUSH_AT_CHARACTERS = 32 * 1024;
const FLUSH_EVERY_MS = 250;

/**
 * Standard error for a busy log: lines are put together and written in pieces, because a write for
 * each was a twentieth of a forwarded message's CPU, and measuring each on its way another. The end
 * of the process writes what is left.
 */
export function bufferedStandardError(): DestinationStream {
  const file = pino.destination({ dest: 2, sync: false });
  let lines: string[] = [];
  let characters = 0;

  function flush(): void {
    if (lines.length > 0) {
      file.write(lines.join(""));
      lines = [];
      characters = 0;
    }
  }
  setInterval(flush, FLUSH_EVERY_MS).unref();
  process.once("exit", () => {
    flush();
    file.flushSync();
  });
  return {
    write(line) {
      lines.push(line);
      characters += line.length;
      if (characters >= FLUSH_AT_CHARACTERS) {
        flush();
      }
    },
  };
}
