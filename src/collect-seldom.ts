import { setFlagsFromString } from "node:v8";

/**
 * Lets V8's old generation grow to four times what the last collection left before it is collected
 * again: V8's own most. Calls leave little behind, and then V8 takes its least, a tenth: it marked
 * what lasts every 3 seconds, and for 60 to 80 ms its helpers had the processor and not the calls.
 */
export function collectSeldom(): void {
  setFlagsFromString("--heap-growing-percent=300");
}
