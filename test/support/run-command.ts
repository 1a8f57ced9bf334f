import { execFile } from "node:child_process";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

export type CommandResult = { code: number; out: string; error: string };

/** One command of the command line, in a process of its own. */
export function runGatewayCommand(
  args: string[],
  env: Record<string, string>,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env["PATH"] ?? "", ...env } };
    execFile(process.execPath, [MAIN, ...args], options, (failed, out, error) => {
      resolve({ code: failed === null ? 0 : Number(failed.code), out, error });
    });
  });
}
