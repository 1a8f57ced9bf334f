import { readdir } from "node:fs/promises";
import { join } from "node:path";

export type Write = (line: string) => void;

/** A benchmark: its baseline is measured in the same run, and the ratio printed. */
export type Benchmark = { summary: string; run: (write: Write, args: string[]) => Promise<void> };

const names = (await readdir(import.meta.dirname))
  .filter((file) => file.endsWith(".ts") && file !== "main.ts")
  .map((file) => file.slice(0, -".ts".length))
  .toSorted();
const write: Write = (line) => void process.stdout.write(`${line}\n`);
const [wanted, ...args] = process.argv.slice(2);

async function load(name: string): Promise<Benchmark> {
  const file = join(import.meta.dirname, `${name}.ts`);
  const { benchmark } = (await import(file)) as { benchmark: Benchmark };
  return benchmark;
}

if (wanted === undefined) {
  write("usage: npm run bench -- NAME\n");
  for (const name of names) {
    write(`  ${name.padEnd(12)}${(await load(name)).summary}`);
  }
} else if (names.includes(wanted)) {
  await (await load(wanted)).run(write, args);
} else {
  process.stderr.write(
    `bench: there is no ${JSON.stringify(wanted)}; there is ${names.join(", ")}\n`,
  );
  process.exitCode = 2;
}
