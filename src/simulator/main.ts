import { parseArgs } from "node:util";
import { HOW_TO } from "./control-api/how-to.ts";
import { startSimulator } from "./simulator.ts";

const USAGE = `Usage: npm run simulator -- [options]
  --port NUMBER          port to listen on; 9090 when left out, 0 takes a free one
  --host ADDRESS         address to listen on; 127.0.0.1 when left out
  --state FILE           keep numbers, keys and webhooks in this file
  --status-delay-ms MS   from acceptance to sent, and on to delivered and read; 150 when left out
  --help                 this text
`;

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new Error(`--${name} must be a whole number, not ${text}`);
  }
  return Number(text);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "9090" },
      host: { type: "string", default: "127.0.0.1" },
      state: { type: "string" },
      "status-delay-ms": { type: "string", default: "150" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    say(`${USAGE}\n${HOW_TO}`);
    return;
  }
  const simulator = await startSimulator({
    port: wholeNumber("port", values.port),
    host: values.host,
    statusDelayMs: wholeNumber("status-delay-ms", values["status-delay-ms"]),
    ...(values.state === undefined ? {} : { stateFile: values.state }),
    onRequest: ({ method, url, status }) => say(`${method} ${url} ${status ?? "no answer"}`),
    onNotification: ({ attempts, phoneNumberId }) => {
      const { status, error, url } = attempts.at(-1) ?? {};
      say(`webhook of ${phoneNumberId} ${url ?? ""} ${status ?? error ?? ""}`);
    },
  });
  say(`360dialog simulator on ${simulator.url}\n\n${HOW_TO}`);
  for (const { phoneNumberId, apiKey } of simulator.listNumbers()) {
    say(`number ${phoneNumberId} has the key ${apiKey}`);
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void simulator.close());
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
}
