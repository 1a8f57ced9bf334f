import { styleText } from "node:util";

export type Actor = "tenant" | "gateway" | "360dialog" | "user" | "endpoint";
export type Timeline = {
  /** One line; `atMs` is when it happened, where that is not now. */
  say(actor: Actor, text: string, atMs?: number): void;
};

const ACTOR_COLOURS = {
  tenant: "cyan",
  gateway: "blue",
  "360dialog": "green",
  user: "yellow",
  endpoint: "magenta",
} as const satisfies Record<Actor, string>;
const ACTOR_WIDTH = "360dialog".length;
const TIME_WIDTH = 8;

/** Lines of: milliseconds since this call, who, what. */
export function startTimeline(): Timeline {
  const startMs = performance.now();
  return {
    say: (actor, text, atMs = performance.now()) =>
      writeLine(`${Math.round(atMs - startMs)} ms`, actor, text),
  };
}

/** The same lines by the clock, for what happens later. */
export const live: Timeline = {
  say: (actor, text) => writeLine(new Date().toTimeString().slice(0, TIME_WIDTH), actor, text),
};

function writeLine(time: string, actor: Actor, text: string): void {
  const dimTime = styleText("dim", time.padStart(TIME_WIDTH));
  const colouredActor = styleText(ACTOR_COLOURS[actor], actor.padEnd(ACTOR_WIDTH));
  write(`  ${dimTime}  ${colouredActor}  ${text}`);
}

export function heading(text: string): string {
  return styleText("bold", text);
}

export function write(line = ""): void {
  process.stdout.write(`${line}\n`);
}
